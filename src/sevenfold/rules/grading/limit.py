"""One limit of a grading criterion, as a line of text: ``> 3.0 x ULN if baseline not high``.

The forms: ``< LLN``, ``> 1.5 x ULN``, ``>= 2.0 x baseline``, ``> ULN + 2 g/dL``, ``> ULN and baseline`` (than the
higher), ``< 8.0 mg/dL | 2.0 mmol/L`` (in whichever unit is measured), ``fall >= 25 %`` (of baseline). Behind ``if``
stands when it applies: ``baseline high``, ``baseline not high``, ``baseline low``, ``below LLN``; any other words are
a condition that no value can tell, such as ``on anticoagulation``.
"""

import re
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold import unit
from sevenfold.errors import InvalidInput

__all__ = ["Limit", "Reading", "read_limit"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LINE: Final = re.compile(r"(?P<fall>fall )?(?P<sign><=|>=|<|>) (?P<what>.+?)(?: if (?P<condition>.+))?\Z")
_MULTIPLE: Final = re.compile(
    r"(?:(?P<factor>[0-9.]+) x )?(?P<of>LLN|ULN and baseline|ULN|baseline)(?: \+ (?P<more>.+))?\Z"
)
_TOLD_BY_VALUES: Final = frozenset({"baseline high", "baseline not high", "baseline low", "below LLN"})
_NEAR: Final = 1e-9  # relative: 1.5 x 1.2 is 1.7999… in floating point, and a value of 1.8 does not exceed it


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Values with what they are held against, all in one unit and broadcast to one shape.

    Args:
        lower: lower limit of normal, NaN where it is not known.
        upper: upper limit of normal, NaN where it is not known.
        baseline: NaN where it is not known.
    """

    values: Floats
    unit: str
    lower: Floats
    upper: Floats
    baseline: Floats


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A threshold on one side of which a grade begins.

    Args:
        text: as it was written.
        sign: ``<``, ``<=``, ``>`` or ``>=``.
        is_fall: the threshold is a fall from baseline, in percent of it.
        factor: that multiplies the reference.
        of: ``LLN``, ``ULN``, ``baseline`` or ``ULN and baseline``; empty for a quantity.
        quantities: the threshold, or what is added to the reference, each in another unit.
        condition: told by values; empty where it always applies.
        needs: a condition that no value can tell; empty where there is none.
    """

    text: str
    sign: str
    is_fall: bool
    factor: float
    of: str
    quantities: tuple[unit.Quantity, ...]
    condition: str
    needs: str

    def is_met(self, given: Reading) -> Flags:
        """Whether each value lies beyond the threshold, where the limit applies and all that it reads is known."""
        if self.is_fall:
            with np.errstate(divide="ignore", invalid="ignore"):  # a baseline of 0 has no fall
                held = 100.0 * (given.baseline - given.values) / given.baseline
            threshold = np.full_like(given.values, self.factor)
        else:
            held, threshold = given.values, self._threshold(given)
        less = self.sign.startswith("<")
        met = _below(held, threshold) if less else _below(threshold, held)
        if self.sign.endswith("="):
            met = (
                ~np.isnan(held) & ~np.isnan(threshold) & ~(_below(threshold, held) if less else _below(held, threshold))
            )
        return np.asarray(met & self._applies(given))

    def is_stated_in(self, wanted: str) -> bool:
        """Whether values in this unit can be held against it: stated in multiples only, or in a unit that converts."""
        return not self.quantities or unit.dimension(wanted) in {unit.dimension(one.unit) for one in self.quantities}

    def is_unknown(self, given: Reading) -> Flags:
        """Whether a limit of normal that is missing keeps this limit from being held against each value."""
        missing = np.zeros(given.values.shape, dtype=np.bool_)
        if "LLN" in self.of or self.condition == "below LLN":
            missing |= np.isnan(given.lower)
        if "ULN" in self.of:
            missing |= np.isnan(given.upper)
        return missing

    def _threshold(self, given: Reading) -> Floats:
        added = self._quantity(given.unit) if self.quantities else 0.0
        match self.of:
            case "LLN":
                reference = given.lower
            case "ULN":
                reference = given.upper
            case "baseline":
                reference = given.baseline
            case "ULN and baseline":
                reference = np.fmax(given.upper, np.where(np.isnan(given.upper), np.nan, given.baseline))
            case _:
                return np.full_like(given.values, added)
        return np.asarray(self.factor * reference + added)

    def _applies(self, given: Reading) -> Flags:
        match self.condition:
            case "baseline high":
                return _below(given.upper, given.baseline)
            case "baseline not high":
                return ~_below(given.upper, given.baseline)
            case "baseline low":
                return _below(given.baseline, given.lower)
            case "below LLN":
                return _below(given.values, given.lower)
            case _:
                return np.ones(given.values.shape, dtype=np.bool_)

    def _quantity(self, wanted: str) -> float:
        for quantity in self.quantities:
            if unit.dimension(quantity.unit) == unit.dimension(wanted):
                return quantity.to(wanted)
        known = " or ".join(dict.fromkeys(quantity.unit for quantity in self.quantities))
        raise InvalidInput(
            f"The criterion {self.text!r} is stated in {known}; a value in {wanted} cannot be graded by it."
        )


def _below(a: Floats, b: Floats) -> Flags:
    """Whether a is less than b by more than rounding; not where one of them is not known."""
    return np.asarray((a < b) & ~np.isclose(a, b, rtol=_NEAR, atol=0.0))


def read_limit(text: str) -> Limit:
    """Read one line.

    Raises:
        InvalidInput: it has none of the forms.
    """
    line = _LINE.match(text)
    if line is None:
        raise InvalidInput(f"{text!r} is no limit; write it like '> 1.5 x ULN' or '< 8.0 mg/dL | 2.0 mmol/L'.")
    what, condition = line["what"], line["condition"] or ""
    is_told = condition in _TOLD_BY_VALUES
    factor, of, quantities = 1.0, "", what
    if line["fall"]:
        factor, quantities = unit.parse(what).value, ""
    elif (multiple := _MULTIPLE.match(what)) is not None:
        factor, of, quantities = float(multiple["factor"] or 1.0), multiple["of"], multiple["more"] or ""
    return Limit(
        text=text,
        sign=line["sign"],
        is_fall=bool(line["fall"]),
        factor=factor,
        of=of,
        quantities=tuple(unit.parse(part) for part in quantities.split(" | ")) if quantities else (),
        condition=condition if is_told else "",
        needs="" if is_told else condition,
    )
