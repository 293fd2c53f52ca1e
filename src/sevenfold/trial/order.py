"""Which step of a subject may follow which: the one text of it, held against where the subject stands."""

from typing import Final

from sevenfold.errors import OutOfOrder
from sevenfold.record.head import NO_DATUM
from sevenfold.record.payloads import (
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
    FurtherMaskedResults,
    IdentityDestroyed,
    IdentityKept,
    KitDestroyed,
    KitReturned,
    LeftHospital,
    LeftIcu,
    MaskedResults,
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
)
from sevenfold.trial.subject import Disposition, Handed, Standing

__all__ = ["check_next"]

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
_AFTERWARDS: Final = (
    TreatmentGuessed, PossiblyUnblinded, SeriousEventAssessed, SusarUnblinded, AuthorityInformed, KitReturned,
    KitDestroyed, MaskedResults, FurtherMaskedResults, SafetyReviewed,  # of a sample taken before
)  # fmt: skip
"""These may follow when a subject's part is over."""


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
    if type(said).__name__ in NO_DATUM:  # no lock and no end bars it
        return _not_randomised(standing)
    if _is_locked(standing):
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


def _is_locked(standing: Standing) -> bool:
    """Whether everything of the subject is locked."""
    return standing.subject in standing.locked


def _objection_to_data(standing: Standing, said: Payload) -> str | None:
    """What stands against a correction, a query, a signature or a lock."""
    match said:
        case Corrected():
            return "the subject's data are locked" if _is_locked(standing) else None
        case SealedQueryRaised():
            n = len(standing.sealed_queries)
            return None if said.number == n + 1 else f"sealed query {said.number} is not the next"
        case SealedQueryAnswered():
            if _is_locked(standing):  # the review that follows could not be recorded
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
