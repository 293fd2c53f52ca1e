"""Published against simulated: for every figure of a trial, our value with its interval and whether it lies inside."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import final

from sevenfold.errors import InvalidDesign
from sevenfold.evidence.figures import Figure, figures_of

__all__ = ["Agreement", "Comparison", "Measure", "Reading", "compare"]


class Reading(StrEnum):
    """How a comparison is to be read."""

    DESIGN = "design"  # fixed by the protocol file: agrees by construction
    CALIBRATED = "calibrated"  # the model was calibrated to this, or to its shape: agreement confirms nothing
    ASSUMED = "assumed"  # an input of the virtual ICU: agrees by construction
    PREDICTED = "predicted"  # used nowhere
    NOT_COMPARED = "not compared"


class Agreement(StrEnum):
    """Where our value lies."""

    INSIDE = "inside"
    OVERLAPS = "outside, its interval reaches in"
    OUTSIDE = "outside"
    EQUAL = "equal"
    DIFFERENT = "different"
    QUALITATIVE = "see text"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One of our results.

    Args:
        value: None where it could not be estimated.
        lower: of its interval; None for counts that are what they are.
        text: what it is, in words.
        is_count: whether it is a whole number.
    """

    value: float | None
    lower: float | None
    upper: float | None
    text: str
    is_count: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A published figure with one of ours beside it; without one where we have none."""

    figure: Figure
    reading: Reading
    measure: Measure | None
    agreement: Agreement | None


@cache
def _plans() -> dict[str, tuple[tuple[str, ...], Reading]]:
    text = files(__package__).joinpath("comparisons.toml").read_text(encoding="utf-8")
    return {name: (tuple(entry["ours"]), Reading(entry["kind"])) for name, entry in tomllib.loads(text).items()}


def compare(trial: str, measures: Mapping[str, Measure]) -> tuple[Comparison, ...]:
    """Every figure of a trial, compared with what we have.

    Raises:
        InvalidDesign: a comparison names a measure that the results do not have.
    """
    made: list[Comparison] = []
    for figure in figures_of(trial):
        names, reading = _plans().get(figure.id, ((), Reading.NOT_COMPARED))
        for name in names:
            if name not in measures:
                raise InvalidDesign(f"Figure {figure.id!r} is compared with {name!r}, which the results do not have.")
            measure = measures[name]
            made.append(
                Comparison(figure=figure, reading=reading, measure=measure, agreement=_agreement(figure, measure))
            )
        if not names:
            made.append(Comparison(figure=figure, reading=reading, measure=None, agreement=None))
    return tuple(made)


def _agreement(figure: Figure, measure: Measure) -> Agreement | None:
    if measure.value is None:
        return None
    if figure.statistic == "qualitative":
        return Agreement.QUALITATIVE
    if figure.lo is not None and figure.hi is not None:
        if figure.lo <= measure.value <= figure.hi:
            return Agreement.INSIDE
        reaches = (
            measure.lower is not None
            and measure.upper is not None
            and measure.lower <= figure.hi
            and measure.upper >= figure.lo
        )
        return Agreement.OVERLAPS if reaches else Agreement.OUTSIDE
    if isinstance(figure.value, (int, float)):
        if measure.lower is not None and measure.upper is not None:
            return Agreement.INSIDE if measure.lower <= figure.value <= measure.upper else Agreement.OUTSIDE
        return Agreement.EQUAL if figure.value == measure.value else Agreement.DIFFERENT
    return Agreement.QUALITATIVE
