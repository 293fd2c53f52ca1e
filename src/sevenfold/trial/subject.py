"""Where a subject stands: a fold of the subject's events, and the one text of which step may follow which."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, final
from zoneinfo import ZoneInfo

from sevenfold.errors import OutOfOrder
from sevenfold.record.data import is_signed_for
from sevenfold.record.event import Event
from sevenfold.record.payloads import (
    AdverseEventReported,
    AuthorityInformed,
    CandidateScreened,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    Corrected,
    DataLocked,
    DataUnlocked,
    Died,
    Dispensed,
    DoseGiven,
    DoseNotGiven,
    DosingStopped,
    EmergencyUnblinded,
    EnvelopeOpened,
    FollowUpCompleted,
    FurtherMaskedResults,
    IdentityDestroyed,
    IdentityKept,
    KitDestroyed,
    KitReturned,
    LeftHospital,
    LeftIcu,
    LostToFollowUp,
    MaskedResults,
    NoticeSeen,
    Payload,
    PossiblyUnblinded,
    QueryAnswered,
    QueryClosed,
    QueryRaised,
    Randomised,
    Reconsented,
    ReconsentRefused,
    SafetyReviewed,
    SealedQueryAnswered,
    SealedQueryRaised,
    SeriousEventAssessed,
    Signed,
    SourceVerified,
    SusarUnblinded,
    TreatmentGuessed,
    VisitHeld,
    VisitMissed,
    read_payload,
)

__all__ = ["Disposition", "Handed", "Standing", "after", "after_lock", "check_next", "folded"]


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
    Disposition.NOT_RANDOMISED,
    Disposition.DIED,
    Disposition.WITHDREW,
    Disposition.LOST,
    Disposition.COMPLETED,
}


_ABOUT_DATA: Final = (
    SealedQueryRaised,
    SealedQueryAnswered,
    Corrected,
    QueryRaised,
    QueryAnswered,
    QueryClosed,
    SourceVerified,
    Signed,
    DataLocked,
    DataUnlocked,
)
_EMERGENCY: Final = (EmergencyUnblinded, EnvelopeOpened, NoticeSeen)
_AFTERWARDS: Final = (
    TreatmentGuessed, PossiblyUnblinded, SeriousEventAssessed, SusarUnblinded, AuthorityInformed, KitReturned,
    KitDestroyed, MaskedResults, FurtherMaskedResults, SafetyReviewed,  # of a sample taken before
)  # fmt: skip
"""These may follow when a subject's part is over."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A kit that was dispensed for a dose, with what the dose must be."""

    kit: str
    volume_ml: float
    route: str
    at: datetime


@final
@dataclass(slots=True)
class Standing:
    """Where a subject stands. Made by :func:`folded`, moved on by :func:`after`.

    Args:
        day_one_at: when the dose of day 1 was given, or was found not to be; None until then.
    """

    subject: str
    is_eligible: bool = False
    has_consented: bool = False
    awaits_reconsent: bool = False  # a representative consented, and the patient has not confirmed it
    number: str | None = None
    randomised_at: datetime | None = None
    day_one_at: datetime | None = None
    disposition: Disposition = Disposition.ONGOING
    over_at: datetime | None = None
    is_dosing: bool = False
    weight_kg: float = 0.0
    visits: set[str] = field(default_factory=set)
    held_at: dict[str, datetime] = field(default_factory=dict)  # by visit, of those that took place
    sealed_visits: set[str] = field(default_factory=set)
    reviewed_visits: set[str] = field(default_factory=set)
    n_further: dict[str, int] = field(default_factory=dict)  # by visit: masked results after the first
    n_reviews: dict[str, int] = field(default_factory=dict)  # by visit
    dispensed: dict[int, Handed] = field(default_factory=dict)  # by study day
    dose_days: set[int] = field(default_factory=set)
    given_days: set[int] = field(default_factory=set)
    returned_days: set[int] = field(default_factory=set)  # of kits that came back to the pharmacy
    destroyed_days: set[int] = field(default_factory=set)  # of kits that came back and were destroyed
    in_icu: bool = True
    in_hospital: bool = True
    n_given: int = 0  # doses
    n_adverse_events: int = 0
    latest: dict[str, float] = field(default_factory=dict)
    sealed_queries: dict[int, str] = field(default_factory=dict)  # number -> "open" or "answered"
    asked_of_laboratory: dict[int, str] = field(default_factory=dict)  # number -> visit, of sealed queries open
    queries: dict[int, str] = field(default_factory=dict)  # number -> "open", "answered" or "closed"
    locked: set[str] = field(default_factory=set)  # visits, or the subject's own name
    is_signed: bool = False  # whether a signature of everything stands
    unsigned_because: str | None = None  # why the subject was locked without one

    @property
    def n_open_queries(self) -> int:
        """Queries that are not closed."""
        return sum(state != "closed" for state in self.queries.values())

    @property
    def is_over(self) -> bool:
        """Whether nothing further may be recorded of the subject."""
        return self.disposition in _ENDED

    def day_of_randomisation(self, zone: ZoneInfo) -> date:
        """The calendar day of randomisation, in a zone."""
        assert self.randomised_at is not None
        return self.randomised_at.astimezone(zone).date()


def folded(subject: str, events: Iterable[Event]) -> Standing:
    """Where the events leave a subject."""
    standing = Standing(subject)
    for event in events:
        after(standing, read_payload(event), datetime.fromisoformat(event.happened_at))
    return standing


def after(standing: Standing, said: Payload, happened: datetime) -> None:
    """Move a standing on by one event."""
    was_over = standing.is_over
    _moved(standing, said, happened)
    if isinstance(said, Signed):
        standing.is_signed = standing.is_signed or said.visit is None
    elif is_signed_for(said):
        standing.is_signed = False
    if standing.is_over and not was_over:
        standing.over_at = happened


def _moved(standing: Standing, said: Payload, happened: datetime) -> None:
    match said:
        case CandidateScreened():
            standing.is_eligible = not said.unmet
            standing.weight_kg = float(said.known["numbers"]["weight"])
            if said.unmet:
                standing.disposition = Disposition.SCREEN_FAILURE
        case ConsentGiven():
            standing.has_consented = True
            standing.awaits_reconsent = said.by == "representative"
        case Reconsented():
            standing.awaits_reconsent = False
        case ConsentRefused():
            standing.disposition = Disposition.REFUSED
        case Randomised():
            standing.number, standing.is_dosing, standing.randomised_at = said.number, True, happened
        case VisitHeld():
            standing.visits.add(said.visit)
            standing.held_at[said.visit] = happened
            standing.latest |= {name: result.value for name, result in said.results.items()}
        case VisitMissed():
            standing.visits.add(said.visit)
        case MaskedResults():
            standing.sealed_visits.add(said.visit)
        case FurtherMaskedResults():
            standing.reviewed_visits.discard(said.visit)
            standing.n_further[said.visit] = standing.n_further.get(said.visit, 0) + 1
        case SealedQueryRaised():
            standing.sealed_queries[said.number] = "open"
            standing.asked_of_laboratory[said.number] = said.visit
        case SealedQueryAnswered():
            standing.sealed_queries[said.number] = "answered"
            standing.asked_of_laboratory.pop(said.number, None)
            standing.reviewed_visits.discard(said.visit)
        case SafetyReviewed():
            standing.reviewed_visits.add(said.visit)
            standing.n_reviews[said.visit] = standing.n_reviews.get(said.visit, 0) + 1
        case Dispensed():
            standing.dispensed[said.study_day] = Handed(
                kit=said.kit, volume_ml=said.volume_ml, route=said.route, at=happened
            )
        case DoseGiven() | DoseNotGiven():
            standing.dose_days.add(said.study_day)
            if isinstance(said, DoseGiven):
                standing.n_given += 1
                standing.given_days.add(said.study_day)
            if said.study_day == 1:
                standing.day_one_at = happened
        case KitReturned():
            standing.returned_days.add(said.study_day)
        case KitDestroyed():
            standing.destroyed_days.add(said.study_day)
        case DosingStopped():
            standing.is_dosing = False
        case AdverseEventReported():
            standing.n_adverse_events += 1
        case LeftIcu():
            standing.in_icu = False
        case LeftHospital():
            standing.in_icu = standing.in_hospital = False
        case QueryRaised():
            standing.queries[said.number] = "open"
        case QueryAnswered():
            standing.queries[said.number] = "answered"
        case QueryClosed():
            standing.queries[said.number] = "closed"
        case DataLocked():
            standing.locked.add(said.name)
            standing.unsigned_because = said.unsigned_because or standing.unsigned_because
        case DataUnlocked():
            standing.locked.discard(said.name)
            if said.name == standing.subject:
                standing.unsigned_because = None
        case Died():
            standing.disposition = Disposition.DIED
        case ConsentWithdrawn() | ReconsentRefused():
            standing.disposition = Disposition.WITHDREW
        case LostToFollowUp():
            standing.disposition = Disposition.LOST
        case FollowUpCompleted():
            standing.disposition = Disposition.COMPLETED
        case _:
            pass


def after_lock(standing: Standing) -> None:
    """Whoever was not randomised when the database is locked never will be."""
    if standing.number is None and standing.disposition is Disposition.ONGOING:
        standing.disposition = Disposition.NOT_RANDOMISED


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
    if isinstance(said, (IdentityKept, IdentityDestroyed)):
        return None
    if isinstance(said, _ABOUT_DATA):
        return _objection_to_data(standing, said)
    if isinstance(said, _EMERGENCY):  # no lock and no end bars it
        return _not_randomised(standing)
    if subject_is_locked(standing):
        return "the subject's data are locked"
    if isinstance(said, (VisitHeld, VisitMissed)) and said.visit in standing.locked:
        return f"visit {said.visit!r} is locked"
    if standing.disposition is Disposition.WITHDREW and isinstance(said, (MaskedResults, FurtherMaskedResults)):
        return "consent was withdrawn, and nothing further is collected"
    if standing.is_over and not isinstance(said, _AFTERWARDS):
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
            handed = standing.dispensed.get(said.study_day)
            if handed is None:
                return _dose_objection(standing, said.study_day) or f"no kit was dispensed for day {said.study_day}"
            if said.study_day in standing.returned_days:
                return f"kit {handed.kit} came back to the pharmacy"
            return _dose_objection(standing, said.study_day) or _not_as_dispensed(handed, said)
        case KitReturned() | KitDestroyed():
            return _kit_objection(standing, said)
        case DoseNotGiven():
            return _not_randomised(standing) or _has_outcome(standing, said.study_day)
        case FurtherMaskedResults():
            if said.visit not in standing.sealed_visits:
                return f"no masked results of visit {said.visit!r} came before"
            if said.number != standing.n_further.get(said.visit, 0) + 1:
                return f"number {said.number} of visit {said.visit!r} is not the next"
        case MaskedResults() | SafetyReviewed():
            done = standing.sealed_visits if isinstance(said, MaskedResults) else standing.reviewed_visits
            if said.visit in done:
                return f"it was recorded already for visit {said.visit!r}"
            if isinstance(said, SafetyReviewed) and said.number != standing.n_reviews.get(said.visit, 0) + 1:
                return f"number {said.number} of visit {said.visit!r} is not the next"
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
        case ReconsentRefused():
            return None if standing.awaits_reconsent else "there is no representative's consent to confirm"
    return None if standing.number is not None else "the subject is not randomised"


def subject_is_locked(standing: Standing) -> bool:
    """Whether everything of the subject is locked."""
    return standing.subject in standing.locked


def _objection_to_data(standing: Standing, said: Payload) -> str | None:
    """What stands against a correction, a query, a signature or a lock."""
    match said:
        case Corrected():
            return "the subject's data are locked" if subject_is_locked(standing) else None
        case SealedQueryRaised():
            n = len(standing.sealed_queries)
            return None if said.number == n + 1 else f"sealed query {said.number} is not the next"
        case SealedQueryAnswered():
            if subject_is_locked(standing):  # the review that follows could not be recorded
                return "the subject's data are locked"
            state = standing.sealed_queries.get(said.number)
            return None if state == "open" else f"sealed query {said.number} is not open"
        case QueryRaised():
            return None if said.number == len(standing.queries) + 1 else f"query {said.number} is not the next"
        case QueryAnswered() | QueryClosed():
            state = standing.queries.get(said.number)
            if state is None:
                return f"there is no query {said.number}"
            if state == "closed":
                return f"query {said.number} is closed"
            return "it was not answered" if isinstance(said, QueryClosed) and state == "open" else None
        case DataLocked():
            if said.name in standing.locked:
                return f"{said.name} is locked already"
            if standing.n_open_queries:
                return f"{standing.n_open_queries} queries are open"
            asked = set(standing.asked_of_laboratory.values())
            if said.name in asked or (asked and said.name == standing.subject):
                return f"the laboratory has a question open on masked results of {standing.subject}"
            return _unsigned(standing, said)
        case DataUnlocked():
            return None if said.name in standing.locked else f"{said.name} is not locked"
    return None


def _unsigned(standing: Standing, said: DataLocked) -> str | None:
    """What stands against the lock of a randomised subject whose data nobody has signed."""
    if said.name != standing.subject or standing.number is None or standing.is_signed:
        return None
    if (said.unsigned_because or "").strip():
        return None
    return "no investigator's signature stands under the data; let them be signed, or give a reason why nobody can"


def _dose_objection(standing: Standing, study_day: int) -> str | None:
    stopped = None if standing.is_dosing else "dosing was stopped"
    return _not_randomised(standing) or stopped or _has_outcome(standing, study_day)


def _not_randomised(standing: Standing) -> str | None:
    return "the subject is not randomised" if standing.number is None else None


def _has_outcome(standing: Standing, study_day: int) -> str | None:
    return f"the dose of day {study_day} was recorded already" if study_day in standing.dose_days else None


def _kit_objection(standing: Standing, said: KitReturned | KitDestroyed) -> str | None:
    """What stands against a kit's coming back, or against its being destroyed."""
    handed = standing.dispensed.get(said.study_day)
    if handed is None or handed.kit != said.kit:
        return f"kit {said.kit} was not dispensed for day {said.study_day}"
    if isinstance(said, KitDestroyed):
        if said.study_day not in standing.returned_days:
            return f"kit {said.kit} did not come back"
        return f"kit {said.kit} was destroyed already" if said.study_day in standing.destroyed_days else None
    if said.study_day in standing.given_days:
        return f"kit {said.kit} was given"
    return f"kit {said.kit} came back already" if said.study_day in standing.returned_days else None


def _not_as_dispensed(handed: Handed, said: DoseGiven) -> str | None:
    if handed.kit != said.kit:
        return f"kit {handed.kit} was dispensed for day {said.study_day}, not {said.kit}"
    if (handed.volume_ml, handed.route) != (said.volume_ml, said.route):
        return (
            f"kit {handed.kit} was dispensed as {handed.volume_ml:g} mL {handed.route}, "
            f"not {said.volume_ml:g} mL {said.route}"
        )
    return None
