"""What events say: every kind of event that the record knows, and how one is read.

None has a place for an arm. What would betray one is sealed (``MaskedResults``, ``SafetyReviewed`` and what follows
them, what is said of vials) until ``Unblinded``.
"""

from pydantic import ValidationError

from sevenfold.errors import AuditBroken
from sevenfold.record.event import Event
from sevenfold.record.kinds.course import (
    AdverseEventReported,
    ConsentWithdrawn,
    Died,
    FollowUpCompleted,
    LeftHospital,
    LeftIcu,
    LostToFollowUp,
    OrganSupport,
    SecondaryInfection,
)
from sevenfold.record.kinds.data import (
    CopyTaken,
    Corrected,
    DataLocked,
    DataUnlocked,
    QueryAnswered,
    QueryClosed,
    QueryRaised,
    Signed,
    SourceVerified,
)
from sevenfold.record.kinds.dosing import Dispensed, DoseGiven, DoseNotGiven, DoseObserved, DosingStopped
from sevenfold.record.kinds.entering import (
    CandidateScreened,
    ConsentGiven,
    ConsentRefused,
    Randomised,
    Reconsented,
    ReconsentRefused,
    UnmetCriterion,
)
from sevenfold.record.kinds.identity import IdentityDestroyed, IdentityKept
from sevenfold.record.kinds.kind import Payload, Result
from sevenfold.record.kinds.laboratory import (
    FurtherMaskedResults,
    LabFileImported,
    SealedQueryAnswered,
    SealedQueryRaised,
)
from sevenfold.record.kinds.people import PersonAdmitted, PersonChanged
from sevenfold.record.kinds.safety import (
    AuthorityInformed,
    EmergencyUnblinded,
    EnvelopeOpened,
    MonitoringRaised,
    NoticeSeen,
    PossiblyUnblinded,
    SeriousEventAssessed,
    SusarUnblinded,
    TreatmentGuessed,
)
from sevenfold.record.kinds.supply import (
    KitDestroyed,
    KitReturned,
    SuppliesCounted,
    SuppliesDestroyed,
    SuppliesJudged,
    SuppliesQuarantined,
    SuppliesReceived,
    SuppliesReturned,
)
from sevenfold.record.kinds.visiting import MaskedResults, SafetyReviewed, VisitHeld, VisitMissed
from sevenfold.record.kinds.whole import (
    DatabaseLocked,
    RunInterrupted,
    SiteOpened,
    TrialOpened,
    Unblinded,
    UnblindingAsked,
)

__all__ = [
    "KIND_NAMES",
    "AdverseEventReported",
    "AuthorityInformed",
    "CandidateScreened",
    "ConsentGiven",
    "ConsentRefused",
    "ConsentWithdrawn",
    "CopyTaken",
    "Corrected",
    "DataLocked",
    "DataUnlocked",
    "DatabaseLocked",
    "Died",
    "Dispensed",
    "DoseGiven",
    "DoseNotGiven",
    "DoseObserved",
    "DosingStopped",
    "EmergencyUnblinded",
    "EnvelopeOpened",
    "FollowUpCompleted",
    "FurtherMaskedResults",
    "IdentityDestroyed",
    "IdentityKept",
    "KitDestroyed",
    "KitReturned",
    "LabFileImported",
    "LeftHospital",
    "LeftIcu",
    "LostToFollowUp",
    "MaskedResults",
    "MonitoringRaised",
    "NoticeSeen",
    "OrganSupport",
    "Payload",
    "PersonAdmitted",
    "PersonChanged",
    "PossiblyUnblinded",
    "QueryAnswered",
    "QueryClosed",
    "QueryRaised",
    "Randomised",
    "ReconsentRefused",
    "Reconsented",
    "Result",
    "RunInterrupted",
    "SafetyReviewed",
    "SealedQueryAnswered",
    "SealedQueryRaised",
    "SecondaryInfection",
    "SeriousEventAssessed",
    "Signed",
    "SiteOpened",
    "SourceVerified",
    "SuppliesCounted",
    "SuppliesDestroyed",
    "SuppliesJudged",
    "SuppliesQuarantined",
    "SuppliesReceived",
    "SuppliesReturned",
    "SusarUnblinded",
    "TreatmentGuessed",
    "TrialOpened",
    "Unblinded",
    "UnblindingAsked",
    "UnmetCriterion",
    "VisitHeld",
    "VisitMissed",
    "read_payload",
]

_KINDS: dict[str, type[Payload]] = {kind.__name__: kind for kind in Payload.__subclasses__()}
KIND_NAMES = tuple(sorted(_KINDS))
"""Every kind of event, as its events call it."""


def read_payload(event: Event) -> Payload:
    """What an event says.

    Raises:
        AuditBroken: a kind or version of event that this program does not know, or a payload that is not one.
    """
    kind = _KINDS.get(event.type)
    if kind is None or event.schema_version != kind.schema_version:
        raise AuditBroken(
            f"Event {event.sequence} is a {event.type} (version {event.schema_version}), which this version "
            "cannot read."
        )
    try:
        return kind.model_validate_json(event.payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        more = f" (and {error.error_count() - 1} more faults)" if error.error_count() > 1 else ""
        raise AuditBroken(
            f"Event {event.sequence} ({event.type}) does not hold what its kind should: "
            f"{f'{where}: ' if where else ''}{first['msg'][0].lower()}{first['msg'][1:]}{more}."
        ) from None
