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
    OTHER_REFERENCE = "for information: not what was published"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One of our results.

    Args:
        value: None where it could not be estimated; a proportion where ``n`` is given.
        lower: of its interval; None for counts that are what they are.
        text: what it is, in words.
        is_count: whether it is a whole number.
        n_events: of a proportion: how many subjects.
        n: of a proportion: out of how many.
        against: of a ratio: what it is over, ``baseline`` or the name of a group.
        visit: at which it was found, where it belongs to one.
    """

    value: float | None
    lower: float | None
    upper: float | None
    text: str
    is_count: bool = False
    n_events: int | None = None
    n: int | None = None
    against: str | None = None
    visit: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A published figure with one of ours beside it; without one where we have none.

    Args:
        against: what the published rise is over; None where it is no rise, or where the text does not say.
        note: what a reader must know to read the row.
    """

    figure: Figure
    reading: Reading
    measure: Measure | None
    agreement: Agreement | None
    against: str | None = None
    note: str | None = None

    @property
    def published(self) -> str:
        """The figure as a reader would write it, a number of subjects with the number it is out of."""
        if self.measure is None or self.measure.n is None or self.figure.n is None:
            return self.figure.shown
        return f"{self.figure.shown} of {self.figure.n}"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What of ours stands beside a figure, and how to read it."""

    ours: tuple[str, ...] = ()
    kind: Reading = Reading.NOT_COMPARED
    against: str | None = None
    note: str | None = None


@cache
def _plans() -> dict[str, _Plan]:
    text = files(__package__).joinpath("comparisons.toml").read_text(encoding="utf-8")
    return {
        name: _Plan(**{**entry, "ours": tuple(entry["ours"]), "kind": Reading(entry["kind"])})
        for name, entry in tomllib.loads(text).items()
    }


def compare(trial: str, measures: Mapping[str, Measure]) -> tuple[Comparison, ...]:
    """Every figure of a trial, compared with what we have.

    Raises:
        InvalidDesign: a comparison names a measure that the results do not have.
    """
    made: list[Comparison] = []
    for figure in figures_of(trial):
        plan = _plans().get(figure.id, _Plan())
        against = None if plan.against == "not stated" else plan.against
        for name in plan.ours:
            if name not in measures:
                raise InvalidDesign(f"Figure {figure.id!r} is compared with {name!r}, which the results do not have.")
            measure = measures[name]
            is_other = against is not None and measure.against != against
            made.append(
                Comparison(
                    figure=figure,
                    reading=Reading.NOT_COMPARED if is_other else plan.kind,
                    measure=measure,
                    agreement=Agreement.OTHER_REFERENCE if is_other else _agreement(figure, measure),
                    against=against,
                    note=plan.note,
                )
            )
        if not plan.ours:
            made.append(Comparison(figure=figure, reading=plan.kind, measure=None, agreement=None, note=plan.note))
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
        return _agreement_of_numbers(_on_our_scale(figure, measure), measure)
    return Agreement.QUALITATIVE


def _on_our_scale(figure: Figure, measure: Measure) -> float:
    """A published number of subjects as a share of those it is out of, where ours is a share."""
    if measure.n is None:
        return float(figure.value)
    if not figure.n:
        raise InvalidDesign(f"Figure {figure.id!r} is compared with a share, but does not say out of how many it is.")
    return float(figure.value) / figure.n


def _agreement_of_numbers(published: float, measure: Measure) -> Agreement:
    if measure.lower is not None and measure.upper is not None:
        return Agreement.INSIDE if measure.lower <= published <= measure.upper else Agreement.OUTSIDE
    return Agreement.EQUAL if published == measure.value else Agreement.DIFFERENT
