"""How doses enter a compartment: its ways in, and the parameters that say which share arrives, when and how fast.

Every compartment that is dosed has the four that NONMEM gives it: bioavailability (F), lag (ALAG), and the rate (R) and
the duration (D) of infusions whose record leaves that to the model.
"""

import math
from typing import Final

from sevenfold.mechanism.page import Entry, Parameter
from sevenfold.provenance import Provenance

__all__ = ["ABSORBED", "INTRAVENOUS", "assumed", "dose_parameters", "entries"]

ABSORBED: Final = ("oral", "SC", "IM")
INTRAVENOUS: Final = ("IV",)
_SOURCE: Final = "illustrative: a round number to start from, of no drug in particular"


def assumed(
    name: str,
    symbol: str,
    value: float,
    unit: str,
    note: str = "",
    *,
    is_positive: bool = False,
    high: float = math.inf,
) -> Parameter:
    """A parameter of the library: its value is a placeholder and says so.

    Args:
        is_positive: it must not be 0 either, such as a volume.
        high: the greatest value that it may have; the least is 0.
    """
    return Parameter(
        name=name,
        symbol=symbol,
        value=value,
        unit=unit,
        cv=0.0,
        status=Provenance.ASSUMED,
        source=_SOURCE,
        note=note,
        low=0.0,
        above=0.0 if is_positive else -math.inf,
        high=high,
    )


def dose_parameters(compartment: str, amount: str = "ug", unit: str = "µg") -> tuple[Parameter, ...]:
    """The four parameters of doses into ``compartment``: all of it arrives, at once, unless they say otherwise."""
    place = compartment[0].upper()
    return (
        assumed(f"{compartment}_fraction", f"F_{place}", 1.0, "fraction", "the share of a dose that arrives"),
        assumed(f"{compartment}_lag_day", f"lag_{place}", 0.0, "day", "from a dose to its arrival"),
        assumed(
            f"{compartment}_rate_{amount}_per_day",
            f"R_{place}",
            100.0,
            f"{unit}/day",
            "of records with rate -1",
            is_positive=True,
        ),
        assumed(f"{compartment}_duration_day", f"D_{place}", 1.0, "day", "of records with rate -2", is_positive=True),
    )


def entries(compartment: str, routes: tuple[str, ...], amount: str = "ug") -> tuple[Entry, ...]:
    """Ways into ``compartment``; they share its four parameters."""
    return tuple(
        Entry(
            route=route,
            state=f"{compartment}_{amount}",
            fraction=f"{compartment}_fraction",
            first_step_day=1e-3,
            lag=f"{compartment}_lag_day",
            rate=f"{compartment}_rate_{amount}_per_day",
            duration=f"{compartment}_duration_day",
        )
        for route in routes
    )
