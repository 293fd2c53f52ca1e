"""The record folded into one history a subject: what everybody may know, and after unblinding what was sealed.

Times are days since the dose of day 1; a history is a cache that can be rebuilt from the events at any time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, final

from sevenfold.record.correcting import Corrections
from sevenfold.record.event import Event
from sevenfold.record.payloads import (
    AdverseEventReported,
    CandidateScreened,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    DatabaseLocked,
    Died,
    Dispensed,
    DoseGiven,
    DoseNotGiven,
    DoseObserved,
    DosingStopped,
    EmergencyUnblinded,
    EnvelopeOpened,
    FollowUpCompleted,
    FurtherMaskedResults,
    LeftHospital,
    LeftIcu,
    LostToFollowUp,
    MaskedResults,
    MonitoringRaised,
    OrganSupport,
    Payload,
    PossiblyUnblinded,
    Randomised,
    Reconsented,
    ReconsentRefused,
    Result,
    SafetyReviewed,
    SealedQueryAnswered,
    SealedQueryRaised,
    SecondaryInfection,
    SiteOpened,
    TreatmentGuessed,
    TrialOpened,
    Unblinded,
    VisitHeld,
    VisitMissed,
)
from sevenfold.record.sealed import Sealed, place_of_sealed, sealed_place
from sevenfold.sealing import open_sealed

__all__ = ["History", "Seen", "SubjectHistory", "read_history", "sealed_place", "unseal"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A visit that took place, or did not (``reason`` says why)."""

    visit: str
    at: datetime
    study_day: int | None
    results: Mapping[str, Result]
    scores: Mapping[str, Mapping[str, int | None]]
    reason: str | None = None


@final
@dataclass(slots=True)
class SubjectHistory:
    """Everything recorded of a subject. ``at`` times are aware; lists are in the order of the record."""

    subject: str
    site: str
    screened: CandidateScreened
    screened_at: datetime
    consent_by: str | None = None
    consented_at: datetime | None = None
    refused: bool = False
    number: str | None = None
    stratum: str | None = None
    randomised_at: datetime | None = None
    day_one_at: datetime | None = None  # the planned first dose, given or not
    visits: list[Seen] = field(default_factory=list)
    doses: list[tuple[datetime, DoseGiven | DoseNotGiven]] = field(default_factory=list)
    observations: list[tuple[datetime, DoseObserved]] = field(default_factory=list)
    adverse_events: list[tuple[datetime, AdverseEventReported]] = field(default_factory=list)
    infections: list[tuple[datetime, SecondaryInfection]] = field(default_factory=list)
    supports: list[tuple[datetime, OrganSupport]] = field(default_factory=list)
    dispensed: list[tuple[datetime, Dispensed]] = field(default_factory=list)
    raised: list[tuple[datetime, MonitoringRaised]] = field(default_factory=list)  # by open rules of monitoring
    unblindings: list[tuple[datetime, str]] = field(default_factory=list)  # emergencies: when, and who asked
    guesses: list[tuple[datetime, TreatmentGuessed]] = field(default_factory=list)
    seen: list[tuple[datetime, PossiblyUnblinded]] = field(default_factory=list)  # what may betray the treatment
    reviews: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # visit, decision; after unblinding
    reconsented_at: datetime | None = None
    may_use_data: bool = True  # False for a patient who objects to the use of what was collected
    dosing_stopped: tuple[datetime, str] | None = None
    left_icu_at: datetime | None = None
    left_hospital_at: datetime | None = None
    ended_at: datetime | None = None
    ended: str | None = None  # "died", "withdrew consent", "lost to follow-up", "completed follow-up"
    cause_of_death: str | None = None
    arm: str | None = None

    @property
    def is_randomised(self) -> bool:
        """Whether the subject was randomised."""
        return self.number is not None

    def day(self, at: datetime | None) -> float | None:
        """Days since the dose of day 1, whether it could be given or not (since randomisation until that is known)."""
        start = self.day_one_at or self.randomised_at
        return None if at is None or start is None else (at - start).total_seconds() / 86_400.0

    @property
    def death_day(self) -> float | None:
        """Days since the first dose; None while alive."""
        return self.day(self.ended_at) if self.ended == "died" else None

    def without_data(self) -> "SubjectHistory":
        """As randomised and gone at once: of a patient who objects to the use of what was collected nothing else is
        left than that they were randomised, where, to what, and that they withdrew.
        """
        return replace(
            self, day_one_at=None, visits=[], doses=[], observations=[], adverse_events=[], infections=[], supports=[],
            dispensed=[], raised=[], unblindings=[], guesses=[], seen=[], reviews=[], dosing_stopped=None,
            left_icu_at=None, left_hospital_at=None, ended_at=self.randomised_at,
        )  # fmt: skip

    @property
    def n_doses_given(self) -> int:
        """Injections received."""
        return sum(isinstance(said, DoseGiven) for _, said in self.doses)


@final
@dataclass(slots=True)
class History:
    """A trial's record, folded."""

    opened: TrialOpened | None = None
    sites: dict[str, SiteOpened] = field(default_factory=dict)
    subjects: dict[str, SubjectHistory] = field(default_factory=dict)
    is_locked: bool = False
    unsigned: Mapping[str, str] = field(default_factory=dict)  # subject -> why locked without a signature
    unblinded: Unblinded | None = None

    @property
    def randomised(self) -> list[SubjectHistory]:
        """Randomised subjects, in order of randomisation."""
        dated = [(s.randomised_at, s.subject, s) for s in self.subjects.values() if s.randomised_at is not None]
        return [s for _, _, s in sorted(dated, key=lambda item: item[:2])]

    @property
    def used(self) -> list[SubjectHistory]:
        """The same, with the data that may be used."""
        return [one if one.may_use_data else one.without_data() for one in self.randomised]


def read_history(events: Iterable[Event]) -> History:
    """Fold the events. Sealed results are opened with the key that the unblinding event reveals, and stay sealed
    without it.
    """
    history = History()
    events = list(events)
    corrections = Corrections.among(events)
    sealed: list[tuple[str, datetime, Sealed]] = []
    for event in events:
        said, at = corrections.read(event), datetime.fromisoformat(event.happened_at)
        match said:
            case TrialOpened():
                history.opened = said
            case SiteOpened():
                history.sites[str(event.site)] = said
            case DatabaseLocked():
                history.is_locked, history.unsigned = True, said.unsigned
            case Unblinded():
                history.unblinded = said
            case (
                MaskedResults()
                | FurtherMaskedResults()
                | SafetyReviewed()
                | SealedQueryRaised()
                | SealedQueryAnswered()
            ):
                sealed.append((str(event.subject), at, said))
            case CandidateScreened():
                history.subjects[str(event.subject)] = SubjectHistory(str(event.subject), str(event.site), said, at)
            case _ if event.subject is not None:
                _tell(history.subjects[event.subject], said, at)
            case _:
                pass
    if history.unblinded is not None:
        _open(history, sealed, history.unblinded)
    return history


def _tell(one: SubjectHistory, said: Payload, at: datetime) -> None:
    match said:
        case ConsentGiven():
            one.consent_by, one.consented_at = said.by, at
        case ConsentRefused():
            one.refused = True
        case Reconsented():
            one.reconsented_at = at
        case Randomised():
            one.number, one.stratum, one.randomised_at = said.number, said.stratum, at
        case VisitHeld():
            one.visits.append(
                Seen(visit=said.visit, at=at, study_day=said.study_day, results=said.results, scores=said.scores)
            )
        case VisitMissed():
            one.visits.append(Seen(visit=said.visit, at=at, study_day=None, results={}, scores={}, reason=said.reason))
        case DoseGiven() | DoseNotGiven():
            one.doses.append((at, said))
            if said.study_day == 1:
                one.day_one_at = at
        case Dispensed():
            one.dispensed.append((at, said))
        case EmergencyUnblinded() | EnvelopeOpened():
            one.unblindings.append((at, said.asked_by))
        case TreatmentGuessed():
            one.guesses.append((at, said))
        case PossiblyUnblinded():
            one.seen.append((at, said))
        case DoseObserved():
            one.observations.append((at, said))
        case AdverseEventReported():
            one.adverse_events.append((at, said))
        case SecondaryInfection():
            one.infections.append((at, said))
        case OrganSupport():
            one.supports.append((at, said))
        case MonitoringRaised():
            one.raised.append((at, said))
        case DosingStopped():
            one.dosing_stopped = (at, said.reason)
        case LeftIcu():
            one.left_icu_at = at
        case LeftHospital():
            one.left_hospital_at = at
            one.left_icu_at = one.left_icu_at or at
        case _:
            _end(one, said, at)


def _end(one: SubjectHistory, said: Payload, at: datetime) -> None:
    match said:
        case Died():
            one.ended, one.cause_of_death = "died", said.cause
        case ConsentWithdrawn():
            one.ended = "withdrew consent"
        case ReconsentRefused():
            one.ended, one.may_use_data = "withdrew consent", said.may_use_data
        case LostToFollowUp():
            one.ended = "lost to follow-up"
        case FollowUpCompleted():
            one.ended = "completed follow-up"
        case _:
            return
    one.ended_at = at


def _open(history: History, sealed: list[tuple[str, datetime, Sealed]], revealed: Unblinded) -> None:
    key = bytes.fromhex(revealed.results_key)
    for subject, arm in revealed.assignments.items():
        if subject in history.subjects:  # of a part of the record not everybody is here
            history.subjects[subject].arm = arm
    for subject, at, said in sealed:
        unseal(history.subjects[subject], said, at, open_sealed(key, place_of_sealed(subject, said), said.sealed))


def unseal(one: SubjectHistory, said: Sealed, at: datetime, plain: Mapping[str, Any]) -> None:
    """Put into a history what was sealed.

    Args:
        plain: what the event's sealed text says.
    """
    match said:
        case SafetyReviewed():
            one.reviews.append((said.visit, plain))
        case MaskedResults() | FurtherMaskedResults():
            results = {name: Result.model_validate(result) for name, result in plain.items()}
            one.visits.append(Seen(visit=said.visit, at=at, study_day=said.study_day, results=results, scores={}))
        case SealedQueryAnswered():
            _put_right(one, said.visit, plain)
        case SealedQueryRaised():
            pass  # what was asked changes nothing


def _put_right(one: SubjectHistory, visit: str, answer: Mapping[str, Any]) -> None:
    """The value that the laboratory says is right, in the place of the one that it had sent."""
    test, right = answer["test"], answer["right"]
    for index, seen in enumerate(one.visits):
        if seen.visit == visit and test in seen.results:
            one.visits[index] = replace(seen, results={**seen.results, test: Result.model_validate(right)})
