"""Cytokine release after doses that somebody must adjudicate: what was new or worse, with the raw grade beside it."""

from dataclasses import dataclass
from typing import final

from sevenfold.cohort.cohort import Cohort
from sevenfold.rules.cytokine_release import released

__all__ = ["ReleaseFound", "for_adjudication"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFound:
    """A dose after which cytokine release has a new or worse grade.

    Args:
        subject: its name.
        place: in the cohort.
        study_day: of the dose.
        raw: grade of what was seen, whatever was there before.
        new: grade of what was new or worse.
        elements: what was: fever, pressure, breathing.
        temperature_c: highest after the dose.
    """

    subject: str
    place: int
    study_day: int
    raw: int
    new: int
    elements: tuple[str, ...]
    temperature_c: float


def for_adjudication(cohort: Cohort) -> tuple[ReleaseFound, ...]:
    """Every such dose, the worst first."""
    found = []
    for one in cohort.dose_observations:
        after = released(one.before, one.after)
        if after.needs_adjudication:
            found.append(
                ReleaseFound(
                    subject=cohort.subjects[one.subject].subject,
                    place=one.subject,
                    study_day=one.study_day,
                    raw=after.raw,
                    new=after.new,
                    elements=after.elements,
                    temperature_c=one.after.temperature_c,
                )
            )
    return tuple(sorted(found, key=lambda one: (-one.new, -one.raw, one.subject, one.study_day)))
