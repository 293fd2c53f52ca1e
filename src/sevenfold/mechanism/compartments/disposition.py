"""One, two or three compartments, dosed into a vein or absorbed from a depot, eliminated in proportion or saturably.

States are numbered as NONMEM's ADVAN1 to 4, 11 and 12 number their compartments: the depot first if there is one (then
transit compartments and the one from which the drug is absorbed), the central compartment, the peripheral ones.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, Final

from sevenfold.errors import InvalidDesign
from sevenfold.mechanism.compartments.entering import (
    ABSORBED,
    INTRAVENOUS,
    assumed,
    dose_parameters,
    entries,
)
from sevenfold.mechanism.page import Named, Output, Page, Parameter, State

__all__ = ["CONCENTRATION", "Elimination", "compartment_page"]

CONCENTRATION: Final = Output(name="drug_ng_per_ml", unit="ng/mL", what="drug in plasma")
_SCALE_UG: Final = 1e-6
_MOST_TRANSIT: Final = 20


class Elimination(Enum):
    """How drug leaves the central compartment."""

    LINEAR = "linear"
    MICHAELIS_MENTEN = "Michaelis-Menten"
    BOTH = "linear and Michaelis-Menten"


@cache
def compartment_page(
    compartments: int = 1,
    *,
    is_absorbed: bool = False,
    n_transit: int = 0,
    elimination: Elimination = Elimination.LINEAR,
) -> Page:
    """A page of so many compartments.

    With A the amount in the central compartment, Aₖ in the k-th peripheral one and C = A/V:
    dA/dt = input - CL·C - VM·C/(KM + C) - Σ Qₖ·(C - Aₖ/Vₖ), dAₖ/dt = Qₖ·(C - Aₖ/Vₖ). From a depot D drug is absorbed
    at ka: dD/dt = -ka·D. With n transit compartments it passes them first: all of the depot and the n empty at
    k = (n + 1)/MTT, each into the next and the last into an absorption compartment, which empties at ka.

    Args:
        compartments: 1, 2 or 3, the central one included.
        is_absorbed: whether there is a depot, for doses by mouth, under the skin or into a muscle.
        n_transit: compartments that a dose passes between the depot and the absorption compartment; MTT is the mean
            time that it takes from the one to the other.
        elimination: from the central compartment.

    Raises:
        InvalidDesign: a number of compartments that there isn't, or transit without a depot.

    Source: [gabrielsson2016] for disposition, [savic2007] for transit with a whole number of compartments.
    """
    if compartments not in (1, 2, 3):
        raise InvalidDesign(f"There are pages of 1, 2 or 3 compartments, got {compartments}.")
    if not 0 <= n_transit <= _MOST_TRANSIT or (n_transit and not is_absorbed):
        raise InvalidDesign(
            f"n_transit is {n_transit} and is_absorbed {is_absorbed}; a chain of 1 to {_MOST_TRANSIT} transit "
            "compartments needs is_absorbed=True."
        )
    chain = [*(f"transit_{k}_ug" for k in range(1, n_transit + 1)), "absorption_ug"] if n_transit else []
    peripheral = range(1, compartments)

    def rates(_time_day: Any, y: Named, p: Named) -> Mapping[str, Any]:
        concentration = y.central_ug / p.central_volume_l
        change: dict[str, Any] = {"central_ug": -_eliminated(elimination, concentration, p)}
        for k in peripheral:
            other = getattr(y, f"peripheral_{k}_ug") / getattr(p, f"peripheral_{k}_volume_l")
            outward = getattr(p, f"exchange_{k}_l_per_day") * (concentration - other)
            change["central_ug"] = change["central_ug"] - outward
            change[f"peripheral_{k}_ug"] = outward
        if is_absorbed:
            *passing, last = ["depot_ug", *chain]
            enters: Any = 0.0
            for name in passing:
                leaves = (n_transit + 1.0) / p.mean_transit_day * getattr(y, name)
                change[name] = enters - leaves
                enters = leaves
            absorbed = p.absorbed_per_day * getattr(y, last)
            change[last] = enters - absorbed
            change["central_ug"] = absorbed + change["central_ug"]
        return change

    names = [*(["depot_ug", *chain] if is_absorbed else []), "central_ug", *(f"peripheral_{k}_ug" for k in peripheral)]
    return Page(
        name=_name(compartments, is_absorbed, n_transit, elimination),
        title=f"{compartments} compartment{'s' if compartments > 1 else ''}, {elimination.value} elimination",
        states=tuple(State(name=name, unit="µg", scale=_SCALE_UG, what=_what(name)) for name in names),
        parameters=_parameters(compartments, is_absorbed, n_transit, elimination),
        entries=(*(entries("depot", ABSORBED) if is_absorbed else ()), *entries("central", INTRAVENOUS)),
        outputs=(CONCENTRATION,),
        derive=lambda _p: {},
        start=lambda p: dict.fromkeys(names, 0.0 * p.central_volume_l),
        rates=rates,
        observe=lambda _time_day, y, p: {CONCENTRATION.name: y.central_ug / p.central_volume_l},
    )


def _eliminated(elimination: Elimination, concentration: Any, p: Named) -> Any:
    """µg a day."""
    if elimination is Elimination.LINEAR:
        return p.clearance_l_per_day * concentration
    saturable = p.saturable_max_ug_per_day * concentration / (p.saturable_half_ng_per_ml + concentration)
    return (
        saturable if elimination is Elimination.MICHAELIS_MENTEN else saturable + p.clearance_l_per_day * concentration
    )


def _parameters(
    compartments: int, is_absorbed: bool, n_transit: int, elimination: Elimination
) -> tuple[Parameter, ...]:
    parameters = [assumed("central_volume_l", "V", 10.0, "L", is_positive=True)]
    if elimination is not Elimination.MICHAELIS_MENTEN:
        parameters.append(assumed("clearance_l_per_day", "CL", 5.0, "L/day"))
    if elimination is not Elimination.LINEAR:
        parameters.append(assumed("saturable_max_ug_per_day", "VM", 100.0, "µg/day"))
        parameters.append(assumed("saturable_half_ng_per_ml", "KM", 5.0, "ng/mL", is_positive=True))
    for k in range(1, compartments):
        parameters.append(assumed(f"exchange_{k}_l_per_day", f"Q{k}", 10.0 / k**2, "L/day"))
        parameters.append(assumed(f"peripheral_{k}_volume_l", f"V{k}", 20.0 * k, "L", is_positive=True))
    if is_absorbed:
        parameters.append(assumed("absorbed_per_day", "ka", 10.0, "/day"))
        parameters += dose_parameters("depot")
    if n_transit:
        parameters.append(
            assumed("mean_transit_day", "MTT", 0.1, "day", "depot to absorption compartment", is_positive=True)
        )
    return (*parameters, *dose_parameters("central"))


def _name(compartments: int, is_absorbed: bool, n_transit: int, elimination: Elimination) -> str:
    parts = [f"compartments_{compartments}"]
    parts += ["absorbed"] if is_absorbed else []
    parts += [f"transit_{n_transit}"] if n_transit else []
    parts += [] if elimination is Elimination.LINEAR else [elimination.name.lower()]
    return "_".join(parts)


def _what(name: str) -> str:
    kind, *number = name.removesuffix("_ug").split("_")
    words = {
        "depot": "drug where it was given",
        "transit": "drug on its way to absorption, compartment",
        "absorption": "drug where it is absorbed",
        "central": "drug in plasma and what mixes with it at once",
        "peripheral": "drug in tissue, compartment",
    }
    return " ".join([words[kind], *number])
