"""Units as products of powers: ``cells/µL/day`` is a count over a volume over a time.

``sevenfold.unit`` is the closed list of units that trials are written in, and converts. Equations need more: the unit
of any product or quotient, and whether two of them may be added. Two units agree when both dimension and size do:
nothing converts inside an equation, so µg and ng do not agree.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Final, final

from sevenfold.errors import InvalidInput

__all__ = ["DIMENSIONLESS", "Dimension", "dimension_of"]

Powers = tuple[tuple[str, Fraction], ...]

# unit: (base, power, size in the base). Volumes are cubes of dm, so that L and dm³ are one thing.
_ATOMS: Final[dict[str, tuple[str, int, Fraction]]] = {
    **{unit: ("µg", 1, Fraction(10) ** e) for unit, e in
       {"kg": 9, "g": 6, "mg": 3, "µg": 0, "ng": -3, "pg": -6, "fg": -9}.items()},
    **{unit: ("nmol", 1, Fraction(10) ** e) for unit, e in
       {"mol": 9, "mmol": 6, "µmol": 3, "nmol": 0, "pmol": -3, "fmol": -6}.items()},
    **{unit: ("dm", 3, Fraction(10) ** e) for unit, e in {"L": 0, "dL": -1, "mL": -3, "µL": -6, "nL": -9}.items()},
    **{unit: ("dm", 1, Fraction(10) ** e) for unit, e in {"m": 1, "dm": 0, "cm": -1, "mm": -2, "µm": -5}.items()},
    "s": ("day", 1, Fraction(1, 86_400)),
    "min": ("day", 1, Fraction(1, 1_440)),
    "h": ("day", 1, Fraction(1, 24)),
    "day": ("day", 1, Fraction(1)),
    "week": ("day", 1, Fraction(7)),
    "year": ("day", 1, Fraction(1461, 4)),
    "cells": ("cells", 1, Fraction(1)),
    "antibodies": ("antibodies", 1, Fraction(1)),
    "IU": ("IU", 1, Fraction(1)),
    "U": ("U", 1, Fraction(1)),
    "mmHg": ("mmHg", 1, Fraction(1)),
    "points": ("points", 1, Fraction(1)),
    "°C": ("°C", 1, Fraction(1)),
}  # fmt: skip
_NUMBERS: Final = {"": Fraction(1), "1": Fraction(1), "fraction": Fraction(1), "ratio": Fraction(1),
                   "%": Fraction(1, 100)}  # fmt: skip
_ALIASES: Final = {"cell": "cells", "d": "day", "days": "day", "hour": "h", "l": "L", "ml": "mL", "dl": "dL",
                   "ug": "µg", "ul": "µL", "uL": "µL", "umol": "µmol", "nM": "nmol/L", "pM": "pmol/L",
                   "µM": "µmol/L", "mM": "mmol/L", "10^9/L": "10^9·cells/L", "10^3/µL": "10^3·cells/µL",
                   "G/L": "10^9·cells/L", "/µL": "cells/µL"}  # fmt: skip
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_FACTOR: Final = re.compile(r"(?P<atom>[^\d^/·*\s-]+|\d+)(?:\^?(?P<power>-?\d+))?\Z")


@final
@dataclass(frozen=True, slots=True)
class Dimension:
    """A product of powers of base units, times a size.

    Args:
        powers: base and power, sorted by base, no power 0.
        size: in the base units; 1000 for mg where the base is µg.
    """

    powers: Powers = ()
    size: Fraction = Fraction(1)

    def __mul__(self, other: "Dimension") -> "Dimension":
        powers = dict(self.powers)
        for base, power in other.powers:
            powers[base] = powers.get(base, Fraction(0)) + power
        return Dimension(_sorted(powers), self.size * other.size)

    def __truediv__(self, other: "Dimension") -> "Dimension":
        return self * other.to_power(Fraction(-1))

    def to_power(self, exponent: Fraction) -> "Dimension":
        """Every power times ``exponent``; a broken exponent of a size that is not 1 is rounded to 12 digits."""
        whole = exponent.denominator == 1 or self.size == 1
        size = self.size**exponent.numerator if whole else Fraction(f"{float(self.size) ** float(exponent):.12g}")
        return Dimension(_sorted({base: power * exponent for base, power in self.powers}), size)

    @property
    def is_number(self) -> bool:
        """Whether it is dimensionless and of size 1."""
        return self == DIMENSIONLESS

    def __str__(self) -> str:
        above: list[str] = []
        below: list[str] = []
        for base, power in self.powers:
            is_volume = base == "dm" and power % 3 == 0
            name, count = ("L", power / 3) if is_volume else (base, power)
            (above if count > 0 else below).append(name if abs(count) == 1 else f"{name}^{abs(count)}")
        size = [] if self.size == 1 else [f"{float(self.size):g}"]
        return "·".join([*size, *above]) + "".join(f"/{name}" for name in below) or "a plain number"


DIMENSIONLESS: Final = Dimension()


def dimension_of(unit: str) -> Dimension:
    """The dimension of a unit such as ``µg/L``, ``/day``, ``cells/µL/day``, ``m²``; ``fraction``, ``ratio`` and nothing
    are dimensionless.

    Raises:
        InvalidInput: a part of it is not known; the message names the nearest that is.
    """
    text = unit.strip().replace("μ", "µ")
    text = _ALIASES.get(text, text)
    if text in _NUMBERS:
        return Dimension((), _NUMBERS[text])
    first, *rest = re.split(r"([/·*])", text.translate(_SUPERSCRIPTS))
    found = _factor(first.strip(), unit) if first or not rest else DIMENSIONLESS  # "/day" begins with its sign
    for sign, factor in zip(rest[::2], rest[1::2], strict=True):
        found *= _factor(factor.strip(), unit).to_power(Fraction(-1 if sign == "/" else 1))
    return found


def _factor(text: str, whole: str) -> Dimension:
    match = _FACTOR.match(text)
    if not text:
        raise InvalidInput(f"The unit {whole!r} is not known: something is missing between its signs.")
    atom = match["atom"] if match else text
    atom, power = _ALIASES.get(atom, atom), Fraction(match["power"] or 1) if match else Fraction(1)
    if atom in _ATOMS:
        base, cube, size = _ATOMS[atom]
        return Dimension(((base, Fraction(cube)),), size).to_power(power)
    if atom in _NUMBERS or atom.isdecimal():
        return Dimension((), _NUMBERS.get(atom) or Fraction(atom)).to_power(power)
    near = get_close_matches(atom, [*_ATOMS, *_NUMBERS, *_ALIASES], n=1, cutoff=0.5)
    hint = f"; the nearest known is {near[0]!r}" if near else ""
    part = "" if atom == whole else f", of {whole!r},"
    raise InvalidInput(f"The unit {atom!r}{part} is not known{hint}.")


def _sorted(powers: dict[str, Fraction]) -> Powers:
    return tuple(sorted((base, power) for base, power in powers.items() if power != 0))
