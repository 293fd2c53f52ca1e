"""Units: the closed list of those the project reads, and the only place that converts between them.

The list is closed on purpose: a unit that a trial does not expect is an error to be seen, not a quantity to be guessed.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Final, final

from sevenfold.errors import InvalidInput

__all__ = ["Quantity", "canonical", "convert", "dimension", "parse"]

# unit: (dimension, size in the dimension's base unit). A prefix ``=`` would be an alias; aliases stand below.
_UNITS: Final[dict[str, tuple[str, float]]] = {
    "s": ("time", 1.0),
    "min": ("time", 60.0),
    "h": ("time", 3_600.0),
    "day": ("time", 86_400.0),
    "week": ("time", 7 * 86_400.0),
    "month": ("time", 365.25 / 12 * 86_400),
    "year": ("time", 365.25 * 86_400),
    "kg": ("mass", 1.0),
    "g": ("mass", 1e-3),
    "mg": ("mass", 1e-6),
    "µg": ("mass", 1e-9),
    "µg/kg": ("dose by weight", 1.0),
    "mg/kg": ("dose by weight", 1e3),
    "µg/kg/min": ("infusion rate by weight", 1.0),
    "U/min": ("infusion rate in units", 1.0),
    "L": ("volume", 1.0),
    "mL": ("volume", 1e-3),
    "mL/kg": ("volume by weight", 1.0),
    "mL/kg/h": ("volume by weight and time", 1.0),
    "mL/day": ("flow", 1.0),
    "L/day": ("flow", 1e3),
    "mL/min": ("flow", 1_440.0),
    "cells/µL": ("cell count", 1.0),
    "10^3/µL": ("cell count", 1e3),
    "10^9/L": ("cell count", 1e3),
    "cells/L": ("cell count", 1e-6),
    "ng/mL": ("concentration", 1.0),
    "pg/mL": ("concentration", 1e-3),
    "mg/L": ("concentration", 1e3),
    "mg/mL": ("concentration", 1e6),
    "mg/dL": ("concentration", 1e4),
    "g/L": ("concentration", 1e6),
    "g/dL": ("concentration", 1e7),
    "µmol/L": ("molar concentration", 1.0),
    "mmol/L": ("molar concentration", 1e3),
    "U/L": ("enzyme activity", 1.0),
    "µkat/L": ("enzyme activity", 60.0),
    "pH": ("acidity", 1.0),
    "mmHg": ("pressure", 1.0),
    "kPa": ("pressure", 7.500_616_827),
    "°C": ("temperature", 1.0),
    "/min": ("rate", 1.0),
    "cm": ("length", 1.0),
    "m": ("length", 100.0),
    "kg/m²": ("body mass index", 1.0),
    "fraction": ("share", 1.0),
    "%": ("share", 1e-2),
    "points": ("score", 1.0),
    "antibodies/cell": ("antibodies per cell", 1.0),
    "ratio": ("ratio", 1.0),
    "x ULN": ("multiple of the upper limit of normal", 1.0),
}
_ALIASES: Final[dict[str, str]] = {
    "sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "hour": "h", "hours": "h",
    "d": "day", "days": "day", "weeks": "week", "months": "month", "years": "year", "y": "year",
    "G/L": "10^9/L", "10*9/L": "10^9/L", "10⁹/L": "10^9/L", "GI/L": "10^9/L", "x10^9/L": "10^9/L", "10*3/µL": "10^3/µL",
    "/µL": "cells/µL", "cells/mm3": "cells/µL", "cells/mm³": "cells/µL", "/mm3": "cells/µL", "/mm³": "cells/µL",
    "µg/L": "ng/mL", "ng/L": "pg/mL", "percent": "%", "ml": "mL", "ml/kg": "mL/kg", "l": "L", "degC": "°C",
    "beats/min": "/min", "breaths/min": "/min", "µg/kg/minute": "µg/kg/min", "INR": "ratio", "AB/C": "antibodies/cell",
    "times ULN": "x ULN", "× ULN": "x ULN", "point": "points", "U/minute": "U/min",
}  # fmt: skip
_NUMBER_AND_UNIT: Final = re.compile(r"\s*([-+]?(?:\d[\d_ ]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*\Z")


@final
@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, as it was written; ``str`` gives the same again."""

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"

    def to(self, unit: str) -> float:
        """The number in another unit of the same dimension."""
        return convert(self.value, self.unit, unit)


def canonical(unit: str) -> str:
    """The project's spelling of a unit: ``ug/kg`` and ``μg/kg`` are ``µg/kg``, ``G/L`` is ``10^9/L``.

    Raises:
        InvalidInput: the unit is not in the list; the message names the nearest that is.
    """
    spelt = unit.strip().replace("μ", "µ")
    for known in (spelt, re.sub(r"(?<![A-Za-z])u(?=[gL]|mol)", "µ", spelt)):
        if known in _UNITS:
            return known
        if known in _ALIASES:
            return _ALIASES[known]
    near = get_close_matches(spelt, [*_UNITS, *_ALIASES], n=1, cutoff=0.5)
    hint = f"; the nearest known is {near[0]!r}" if near else ""
    raise InvalidInput(f"Unit {unit!r} is not known{hint}.")


def dimension(unit: str) -> str:
    """What a unit measures, in words, such as ``cell count``."""
    return _UNITS[canonical(unit)][0]


def convert(value: float, unit: str, to: str) -> float:
    """``value`` in the unit ``to``; exact where the two are the same.

    Raises:
        InvalidInput: the two units do not measure the same thing.
    """
    source, target = canonical(unit), canonical(to)
    if source == target:
        return value
    (had, size), (wanted, target_size) = _UNITS[source], _UNITS[target]
    if had != wanted:
        raise InvalidInput(f"{value:g} {unit} is a {had}; a {wanted} is wanted here, for example in {to}.")
    # Divide in the direction that is exact (10^9/L to cells/µL is 1000 times): 0.9 becomes 900, not 900.0…1.
    return value * (size / target_size) if size >= target_size else value / (target_size / size)


def parse(text: str) -> Quantity:
    """Read ``"10 µg/kg"`` as a number and its unit.

    Raises:
        InvalidInput: no number, no unit, or a unit that is not known.
    """
    match = _NUMBER_AND_UNIT.match(text)
    if match is None:
        raise InvalidInput(f"{_short(text)} is not a number with a unit; write it like '10 µg/kg'.")
    number, unit = match.groups()
    if not unit:
        raise InvalidInput(
            f"{_short(text)} has no unit; write it like '{number[:20]} µg/kg' (with the unit that is meant)."
        )
    value = float(number.replace("_", "").replace(" ", ""))
    if not isfinite(value):
        raise InvalidInput(f"{_short(text)} is too large a number to be meant.")
    return Quantity(value, canonical(unit))


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
