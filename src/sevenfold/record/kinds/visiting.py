"""Visits, and what was measured at them: in clear, or sealed where it would betray the arm."""

from pydantic import Field

from sevenfold.record.kinds.kind import Payload, Result

__all__ = ["MaskedResults", "SafetyReviewed", "VisitHeld", "VisitMissed"]


class VisitHeld(Payload):
    """A visit, with the results that everybody may see."""

    visit: str
    study_day: int
    results: dict[str, Result]
    scores: dict[str, dict[str, int | None]] = Field(default_factory=dict)


class MaskedResults(Payload):
    """Results of a visit that would betray the arm, sealed."""

    visit: str
    study_day: int
    sealed: str


class SafetyReviewed(Payload):
    """The safety reviewer has looked at the sealed results and decided; the decision is sealed too, whatever it is.

    Args:
        number: of the reviews of the visit, from 1; each decision is sealed in a place of its own, so that nobody sees
            whether two of them are alike.
    """

    visit: str
    sealed: str
    number: int = Field(default=1, exclude_if=lambda number: number == 1)


class VisitMissed(Payload):
    """A planned visit did not take place."""

    visit: str
    reason: str
