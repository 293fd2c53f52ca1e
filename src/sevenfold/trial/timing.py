"""On which study day something happened, and whether a step can be of that day: doses and visits in their windows.

Day 1 is the day of the first dose, given or not; until that is recorded it is the day of randomisation. Days are
calendar days at the site.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sevenfold.errors import OutOfOrder
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.visit import Visit, study_day_on
from sevenfold.record.payloads import (
    Dispensed,
    DoseGiven,
    DoseNotGiven,
    FurtherMaskedResults,
    MaskedResults,
    Payload,
    VisitHeld,
)
from sevenfold.trial.subject import Standing

__all__ = ["check_moment", "study_day_of"]

_LAST_FIRST_DOSE: Final = 2  # the first dose follows randomisation on the same calendar day or the next


def study_day_of(standing: Standing, happened: datetime, zone: ZoneInfo) -> int | None:
    """The study day of a moment; None before randomisation."""
    day_one = standing.day_one_at or standing.randomised_at
    if day_one is None:
        return None
    return study_day_on(happened.astimezone(zone).date(), day_one.astimezone(zone).date())


def check_moment(
    protocol: Protocol, standing: Standing | None, said: Payload, happened: datetime, zone: ZoneInfo
) -> None:
    """Refuse a step that is said to be of a day on which it did not happen, or before what it follows from.

    Raises:
        OutOfOrder: naming subject, step, the day found and the days that would be right.
    """
    if standing is None or standing.randomised_at is None:
        return
    reason = None
    if isinstance(said, VisitHeld):
        day = study_day_of(standing, happened, zone)
        if said.study_day != day:
            reason = f"it is said to be of day {said.study_day}, and happened on day {day}"
    elif isinstance(said, (MaskedResults, FurtherMaskedResults)):
        if standing.over_at is not None and happened > standing.over_at:
            reason = (
                f"the sample is dated {_told(happened)}, after the subject's part was over at {_told(standing.over_at)}"
            )
    elif isinstance(said, (Dispensed, DoseGiven, DoseNotGiven)):
        if happened < standing.randomised_at:
            reason = (
                f"it is dated {_told(happened)}, before the subject was randomised at {_told(standing.randomised_at)}"
            )
        elif not isinstance(said, DoseNotGiven):
            reason = _dose_objection(protocol, standing, said, happened, zone)
    if reason is not None:
        raise OutOfOrder(f"{type(said).__name__} cannot be recorded for {standing.subject}: {reason}.")


def _dose_objection(
    protocol: Protocol, standing: Standing, said: Dispensed | DoseGiven, happened: datetime, zone: ZoneInfo
) -> str | None:
    if said.study_day == 1:
        day = study_day_on(happened.astimezone(zone).date(), standing.day_of_randomisation(zone))
        first, last = 1, _LAST_FIRST_DOSE
    else:
        found = study_day_of(standing, happened, zone)
        assert found is not None
        visit = _visit_of(protocol, said.study_day)
        day, first, last = found, visit.first_day, visit.last_day
    if not first <= day <= last:
        return f"the dose of day {said.study_day} is given on days {first} to {last}, and this is day {day}"
    if isinstance(said, Dispensed):
        after = [other for other in standing.dispensed if other > said.study_day]
        return f"a kit for day {min(after)} was dispensed before it" if after else None
    handed = standing.dispensed[said.study_day].at
    return f"it is dated {_told(happened)}, and its kit was dispensed at {_told(handed)}" if happened < handed else None


def _visit_of(protocol: Protocol, day: int) -> Visit:
    """The visit of a dosing day; a protocol has one on each."""
    return next(visit for visit in protocol.schedule.visits if visit.day == day and visit.hours_after_dose is None)


def _told(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
