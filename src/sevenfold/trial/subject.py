"""Where a subject stands: a fold of the subject's events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, final
from zoneinfo import ZoneInfo

from sevenfold.record.data import is_signed_for
from sevenfold.record.event import Event
from sevenfold.record.payloads import (
    AdverseEventReported,
    CandidateScreened,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    DataLocked,
    DataUnlocked,
    Died,
    Dispensed,
    DoseGiven,
    DoseNotGiven,
    DosingStopped,
    FollowUpCompleted,
    FurtherMaskedResults,
    KitDestroyed,
    KitReturned,
    LeftHospital,
    LeftIcu,
    LostToFollowUp,
    MaskedResults,
    Payload,
    QueryAnswered,
    QueryClosed,
    QueryRaised,
    Randomised,
    Reconsented,
    ReconsentRefused,
    SafetyReviewed,
    SealedQueryAnswered,
    SealedQueryRaised,
    Signed,
    VisitHeld,
    VisitMissed,
    read_payload,
)

__all__ = ["Disposition", "Handed", "Standing", "after", "after_lock", "folded"]


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
