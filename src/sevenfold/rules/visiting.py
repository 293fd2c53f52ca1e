"""Whether a visit can be recorded as it is said, and what of it the site is asked about.

What can't be is refused: a visit that is not planned, a day that belongs to another visit, a value that is none. What
can be and was not expected is recorded as it was, and asked about: a day outside the window, a value outside what is
plausible.
"""

from collections.abc import Mapping
from math import isfinite

from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.variable import Variable
from sevenfold.protocol.visit import Schedule, Visit

__all__ = ["check_visit", "implausible", "last_day_of", "question_of_day"]


def check_visit(
    protocol: Protocol,
    subject: str,
    visit: str,
    study_day: int | None,
    results: Mapping[str, tuple[float, str]],
    held: Mapping[str, int] | None = None,
) -> None:
    """Refuse a visit that the protocol does not know, a day that is another visit's, and values that are none.

    A day outside the window is the visit's as long as it lies between the windows of the visits before and after it,
    and between the days on which those took place.

    Args:
        study_day: None before randomisation, when the first dose's day is not known yet.
        results: value and unit by the variable's name.
        held: the study days of the subject's other visits, as far as they took place.

    Raises:
        InvalidInput: naming subject, visit, what was found and what would be right.
    """
    schedule = protocol.schedule
    if visit not in schedule.names:
        raise InvalidInput(f"{subject}: no visit {visit!r} is planned; planned are {', '.join(schedule.names)}.")
    planned = schedule.visit(visit)
    if study_day is not None and question_of_day(planned, study_day) is not None:
        _check_neighbours(schedule, subject, planned, study_day, held or {})
    variables = protocol.known_variables
    for name, (value, unit) in results.items():
        if name not in variables:
            raise InvalidInput(f"{subject}, visit {visit!r}: nothing called {name!r} is measured in this trial.")
        if not isfinite(value):
            raise InvalidInput(f"{subject}, visit {visit!r}: {name} is {value}, which is not a measured value.")
        if unit != (variables[name].unit or ""):
            raise InvalidInput(
                f"{subject}, visit {visit!r}: {name} came in {unit!r}; it is recorded in "
                f"{variables[name].unit or ''!r}."
            )


def question_of_day(planned: Visit, study_day: int) -> str | None:
    """What the site is asked about the day of a visit; None within its window."""
    if planned.first_day <= study_day <= last_day_of(planned):
        return None
    days = (
        f"day {planned.first_day}"
        if planned.first_day == last_day_of(planned)
        else f"days {planned.first_day} to {last_day_of(planned)}"
    )
    return f"Visit {planned.id!r} is planned for {days} and is recorded for day {study_day}. Is the day right, and why?"


def implausible(variable: Variable, value: float) -> str | None:
    """What is asked about a value that can be and is hardly ever; None of one that is plausible."""
    low, high = variable.plausible or (None, None)
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    expected = (
        f"{low:g} to {high:g}"
        if low is not None and high is not None
        else f"at least {low:g}"
        if low is not None
        else f"at most {high:g}"
    )
    unit = f" {variable.unit}" if variable.unit else ""
    return f"{variable.label}: {value:g}{unit} is recorded, and {expected}{unit} is expected. Is it right?"


def last_day_of(planned: Visit) -> int:
    """The last study day of the window; hours after a dose may pass midnight."""
    return planned.last_day + (1 if planned.hours_after_dose is not None else 0)


def _check_neighbours(
    schedule: Schedule, subject: str, planned: Visit, study_day: int, held: Mapping[str, int]
) -> None:
    """Refuse a day outside the window that is not the visit's: one of another's window, before an earlier visit or
    after a later one, or before the dose that the visit comes after.
    """
    said = (
        f"{subject}: visit {planned.id!r} is planned for days {planned.first_day} to {last_day_of(planned)} and cannot "
        f"be recorded for day {study_day}"
    )
    if planned.hours_after_dose is not None and study_day < planned.first_day:
        raise InvalidInput(f"{said}, which is before its dose.")
    for other in schedule.visits:
        if other.day == planned.day:
            continue
        is_before = other.day < planned.day
        if study_day <= other.last_day if is_before else study_day >= other.first_day:
            raise InvalidInput(
                f"{said}: visit {other.id!r} comes {'before' if is_before else 'after'} it, on days {other.first_day} "
                f"to {other.last_day}; record what was done under the visit whose window it lies in or is nearest to."
            )
        took_place = held.get(other.id)
        if took_place is not None and (study_day <= took_place if is_before else study_day >= took_place):
            raise InvalidInput(
                f"{said}: visit {other.id!r}, which comes {'before' if is_before else 'after'} it, took place on day "
                f"{took_place}; look up both days."
            )
