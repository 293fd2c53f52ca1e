"""Where a subject stands: a fold of the subject's events, and the one text of which step may follow which."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, final

from sevenfold.errors import OutOfOrder
from sevenfold.record.event import Event
from sevenfold.record.payloads import (
    AdverseEventReported,
    CandidateScreened,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    Died,
    Dispensed,
    DoseGiven,
    DoseNotGiven,
    DosingStopped,
    FollowUpCompleted,
    LeftHospital,
    LeftIcu,
    LostToFollowUp,
    MaskedResults,
    Payload,
    Randomised,
    Reconsented,
    SafetyReviewed,
    VisitHeld,
    VisitMissed,
    read_payload,
)

__all__ = ["Disposition", "Standing", "after", "check_next", "folded"]


class Disposition(StrEnum):
    """How a subject's part in the trial ended; ``ONGOING`` until it has."""

    ONGOING = "ongoing"
    SCREEN_FAILURE = "not eligible"
    REFUSED = "declined to take part"
    NOT_RANDOMISED = "eligible, not randomised"
    COMPLETED = "completed follow-up"
    DIED = "died"
    WITHDREW = "withdrew consent"
    LOST = "lost to follow-up"


_ENDED: Final = {
    Disposition.SCREEN_FAILURE,
    Disposition.REFUSED,
    Disposition.DIED,
    Disposition.WITHDREW,
    Disposition.LOST,
    Disposition.COMPLETED,
}


@final
@dataclass(slots=True)
class Standing:
    """Where a subject stands. Made by :func:`folded`, moved on by :func:`after`."""

    subject: str
    is_eligible: bool = False
    has_consented: bool = False
    number: str | None = None
    disposition: Disposition = Disposition.ONGOING
    is_dosing: bool = False
    weight_kg: float = 0.0
    visits: set[str] = field(default_factory=set)
    sealed_visits: set[str] = field(default_factory=set)
    reviewed_visits: set[str] = field(default_factory=set)
    dispensed: dict[int, str] = field(default_factory=dict)  # study day -> kit
    dose_days: set[int] = field(default_factory=set)
    in_icu: bool = True
    in_hospital: bool = True
    n_adverse_events: int = 0
    latest: dict[str, float] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing further may be recorded of the subject."""
        return self.disposition in _ENDED


def folded(subject: str, events: Iterable[Event]) -> Standing:
    """Where the events leave a subject."""
    standing = Standing(subject)
    for event in events:
        after(standing, read_payload(event))
    return standing


def after(standing: Standing, said: Payload) -> None:
    """Move a standing on by one event."""
    match said:
        case CandidateScreened():
            standing.is_eligible = not said.unmet
            standing.weight_kg = float(said.known["numbers"]["weight"])
            if said.unmet:
                standing.disposition = Disposition.SCREEN_FAILURE
        case ConsentGiven():
            standing.has_consented = True
        case ConsentRefused():
            standing.disposition = Disposition.REFUSED
        case Randomised():
            standing.number, standing.is_dosing = said.number, True
        case VisitHeld():
            standing.visits.add(said.visit)
            standing.latest |= {name: result.value for name, result in said.results.items()}
        case VisitMissed():
            standing.visits.add(said.visit)
        case MaskedResults():
            standing.sealed_visits.add(said.visit)
        case SafetyReviewed():
            standing.reviewed_visits.add(said.visit)
        case Dispensed():
            standing.dispensed[said.study_day] = said.kit
        case DoseGiven() | DoseNotGiven():
            standing.dose_days.add(said.study_day)
        case DosingStopped():
            standing.is_dosing = False
        case AdverseEventReported():
            standing.n_adverse_events += 1
        case LeftIcu():
            standing.in_icu = False
        case LeftHospital():
            standing.in_icu = standing.in_hospital = False
        case Died():
            standing.disposition = Disposition.DIED
        case ConsentWithdrawn():
            standing.disposition = Disposition.WITHDREW
        case LostToFollowUp():
            standing.disposition = Disposition.LOST
        case FollowUpCompleted():
            standing.disposition = Disposition.COMPLETED
        case _:
            pass


def check_next(standing: Standing | None, subject: str, said: Payload) -> None:
    """Refuse a step that the record does not allow now.

    Raises:
        OutOfOrder: naming the subject, what was to be recorded, and what is missing or too late.
    """
    reason = _objection(standing, said)
    if reason is not None:
        raise OutOfOrder(f"{type(said).__name__} cannot be recorded for {subject}: {reason}.")


def _objection(standing: Standing | None, said: Payload) -> str | None:
    if isinstance(said, CandidateScreened):
        return None if standing is None else "the subject was screened already"
    if standing is None:
        return "the subject was never screened; screen first"
    if standing.is_over:
        return f"the subject's part is over ({standing.disposition})"
    match said:
        case ConsentGiven() | ConsentRefused():
            if standing.number is not None or standing.has_consented:
                return "consent was given already"
            return None if standing.is_eligible else "the subject is not eligible"
        case Randomised():
            if standing.number is not None:
                return f"the subject was randomised already, as {standing.number}"
            if not standing.has_consented:
                return "there is no consent"
            return None
        case Reconsented():
            return None if standing.has_consented else "there is no consent to confirm"
        case VisitHeld() | VisitMissed():
            if not standing.has_consented:
                return "there is no consent"
            return f"visit {said.visit!r} was recorded already" if said.visit in standing.visits else None
        case Dispensed():
            return _dose_objection(standing, said.study_day) or (
                f"a kit for day {said.study_day} was dispensed already"
                if said.study_day in standing.dispensed
                else None
            )
        case DoseGiven():
            kit = standing.dispensed.get(said.study_day)
            if kit is None:
                return _dose_objection(standing, said.study_day) or f"no kit was dispensed for day {said.study_day}"
            if kit != said.kit:
                return f"kit {kit} was dispensed for day {said.study_day}, not {said.kit}"
            return _dose_objection(standing, said.study_day)
        case DoseNotGiven():
            return _dose_objection(standing, said.study_day)
        case MaskedResults() | SafetyReviewed():
            done = standing.sealed_visits if isinstance(said, MaskedResults) else standing.reviewed_visits
            if said.visit in done:
                return f"it was recorded already for visit {said.visit!r}"
        case LeftIcu() | LeftHospital():
            if not (standing.in_icu if isinstance(said, LeftIcu) else standing.in_hospital):
                return "it was recorded already"
        case DosingStopped():
            if not standing.is_dosing and standing.number is not None:
                return "dosing was stopped already"
        case Died():
            return None
        case ConsentWithdrawn():
            return None if standing.has_consented else "there is no consent"
    return None if standing.number is not None else "the subject is not randomised"


def _dose_objection(standing: Standing, study_day: int) -> str | None:
    if standing.number is None:
        return "the subject is not randomised"
    if not standing.is_dosing:
        return "dosing was stopped"
    return f"the dose of day {study_day} was recorded already" if study_day in standing.dose_days else None
