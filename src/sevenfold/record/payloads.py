"""What events say. One class a kind of event; its name in the record is the class's name.

None has a place for an arm. What would betray one is sealed (``MaskedResults``, ``SafetyReviewed``) until
``Unblinded``.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sevenfold.errors import AuditBroken
from sevenfold.record.event import Event
from sevenfold.sealing import canonical_json

__all__ = [
    "AdverseEventReported",
    "AuthorityInformed",
    "CandidateScreened",
    "ConsentGiven",
    "ConsentRefused",
    "ConsentWithdrawn",
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
    "FollowUpCompleted",
    "LeftHospital",
    "LeftIcu",
    "LostToFollowUp",
    "MaskedResults",
    "MonitoringRaised",
    "OrganSupport",
    "Payload",
    "PersonAdmitted",
    "PersonChanged",
    "PossiblyUnblinded",
    "QueryAnswered",
    "QueryClosed",
    "QueryRaised",
    "Randomised",
    "Reconsented",
    "Result",
    "RunInterrupted",
    "SafetyReviewed",
    "SecondaryInfection",
    "SeriousEventAssessed",
    "Signed",
    "SiteOpened",
    "SourceVerified",
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


class Payload(BaseModel):
    """The content of an event."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    schema_version: ClassVar[int] = 1

    def canonical(self) -> bytes:
        """The bytes that are stored and hashed."""
        return canonical_json(self.model_dump(mode="json"))


class Result(BaseModel):
    """A measured value, with its unit and, beyond a limit of quantification, ``<`` or ``>``.

    Args:
        entered: as it was typed, where a person did, such as ``0.45 10^9/L``.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    value: float
    unit: str
    qualifier: Literal["", "<", ">"] = ""
    entered: str | None = Field(default=None, exclude_if=lambda entered: entered is None)


class UnmetCriterion(BaseModel):
    """A criterion that kept a candidate out, with what was found."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    criterion: str
    reason: str
    is_unknown: bool


class TrialOpened(Payload):
    """The trial begins: which protocol, and the commitments that can be checked when it is over."""

    protocol: str
    protocol_sha256: str
    planned: int
    allocation_commitment: str
    signing_key: str
    software: str
    is_rehearsal: bool


class SiteOpened(Payload):
    """A site may screen."""

    name: str
    city: str
    country: str
    registered_trial: str
    time_zone: str


class CandidateScreened(Payload):
    """A candidate was held against the criteria in force."""

    amendments: list[str]
    known: dict[str, Any]
    unmet: list[UnmetCriterion]


class ConsentGiven(Payload):
    """Consent to take part."""

    by: Literal["patient", "representative"]


class Reconsented(Payload):
    """The patient, recovered, confirms what a representative had consented to."""


class ConsentRefused(Payload):
    """An eligible candidate, or the representative, says no."""


class Randomised(Payload):
    """The next place on the stratum's list is taken. The number tells nothing."""

    number: str
    stratum: str


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
    """The safety reviewer has looked at the sealed results and decided; the decision is sealed too, whatever it is."""

    visit: str
    sealed: str


class VisitMissed(Payload):
    """A planned visit did not take place."""

    visit: str
    reason: str


class Dispensed(Payload):
    """A kit was handed out for a dose."""

    study_day: int
    kit: str
    volume_ml: float
    route: str


class DoseGiven(Payload):
    """A dose was injected; of an infusion, over how many hours."""

    study_day: int
    kit: str
    volume_ml: float
    route: str
    over_h: float | None = None


class DoseNotGiven(Payload):
    """A planned dose was not given."""

    study_day: int
    reason: str


class DoseObserved(Payload):
    """The worst seen in the day before a dose and in the time after it that the protocol asks for."""

    study_day: int
    before: dict[str, float]
    after: dict[str, float]
    cytokine_release_raw: int
    cytokine_release_new: int


class DosingStopped(Payload):
    """No further dose will be given."""

    reason: str


class AdverseEventReported(Payload):
    """An adverse event, graded by CTCAE."""

    number: int
    term: str
    system: str
    grade: Annotated[int, Field(ge=1, le=5)]
    is_serious: bool
    relation: Literal["not related", "unlikely", "possible", "probable"]
    began_at: str
    hours_after_dose: float | None
    outcome: str


class MonitoringRaised(Payload):
    """A monitoring rule has found what it looks for; it lands in the queue of the role that must act.

    Args:
        rule: its id in the protocol.
        to: the role.
        action: what the role must do.
        because: what was found.
    """

    rule: str
    to: str
    action: str
    because: str


class SecondaryInfection(Payload):
    """A new infection, adjudicated."""

    site: str
    began_at: str


class OrganSupport(Payload):
    """Support of an organ begins or ends; ``present`` is given already when the subject is randomised."""

    support: Literal["vasopressors", "invasive ventilation", "renal replacement", "hydrocortisone"]
    change: Literal["present", "began", "ended"]


class LeftIcu(Payload):
    """Discharged from intensive care."""


class LeftHospital(Payload):
    """Discharged from hospital."""


class ConsentWithdrawn(Payload):
    """The subject takes consent back; nothing further is collected."""


class LostToFollowUp(Payload):
    """The subject can no longer be reached."""


class Died(Payload):
    """Death."""

    cause: str


class FollowUpCompleted(Payload):
    """The last planned visit's window has passed with the subject alive and in the trial."""


class DatabaseLocked(Payload):
    """Nothing is added to the data any more."""

    n_subjects: int


class UnblindingAsked(Payload):
    """Somebody asks for the planned unblinding; another person must confirm it.

    Args:
        person: the id that events name.
        name: as printed.
    """

    person: str
    name: str


class Unblinded(Payload):
    """The planned unblinding: who received what, and the keys that let anyone check it against the commitment."""

    assignments: dict[str, str]
    allocation_list: dict[str, list[str]]
    commitment_nonce: str
    results_key: str


class Corrected(Payload):
    """Something that was recorded is put right. The event that said it stays as it is.

    Args:
        of: the number of that event.
        field: what of it, such as ``grade`` or ``results.platelets``.
        before: what it said until now; None where it said nothing.
        after: what it says from now on; None where it says nothing any more.
    """

    of: int
    field: str
    before: Any
    after: Any
    reason: str


class QueryRaised(Payload):
    """Somebody asks about what is recorded, or is not.

    Args:
        number: of the subject's queries, from 1.
        about: the number of the event that is asked about; None where it is about what is missing.
    """

    number: int
    about: int | None
    text: str


class QueryAnswered(Payload):
    """The site answers a query."""

    number: int
    text: str


class QueryClosed(Payload):
    """The answer of a query is enough."""

    number: int


class SourceVerified(Payload):
    """What an event says was held against its source and is the same."""

    of: int


class Signed(Payload):
    """An electronic signature: who, in which meaning, under what exactly. It is void once that is another.

    Args:
        name: of the signer, as printed.
        meaning: such as ``I have reviewed these data and they are true``.
        visit: None for everything of the subject.
        digest: of what was signed.
    """

    name: str
    meaning: str
    visit: str | None
    digest: str


class DataLocked(Payload):
    """Nothing of a visit, a subject or a site is recorded or corrected any more."""

    scope: Literal["visit", "subject", "site"]
    name: str


class DataUnlocked(Payload):
    """What was locked is open again."""

    scope: Literal["visit", "subject", "site"]
    name: str
    reason: str


class TreatmentGuessed(Payload):
    """What somebody takes the treatment to be, asked to see whether the blind held."""

    by: Literal["patient", "investigator", "nurse"]
    guess: Literal["active", "comparator", "does not know"]


class PossiblyUnblinded(Payload):
    """Somebody who must be blind has seen what may betray the treatment, such as a count ordered for care."""

    who: str
    what: str


class SeriousEventAssessed(Payload):
    """The medical monitor, who is blind, has judged a serious adverse event.

    Args:
        of: the number of the event that reported it.
        is_related: whether the treatment may have caused it.
        is_expected: whether it is among what the protocol or the investigator's brochure expects.
    """

    of: int
    is_related: bool
    is_expected: bool
    comment: str


class SusarUnblinded(Payload):
    """The safety role behind the firewall has asked for the treatment of a subject with a suspected unexpected serious
    adverse reaction, for the authority. It does not say what was shown.
    """

    of: int


class AuthorityInformed(Payload):
    """A report on a serious event went to the authority."""

    of: int
    reference: str
    is_follow_up: bool


class EmergencyUnblinded(Payload):
    """Somebody asked for the treatment of one subject, in an emergency. It is recorded before anything is shown, and
    does not say what was shown.

    Args:
        asked_by: name and function of the person who asked, as they gave them.
        reason: why the treatment must be known.
    """

    asked_by: str
    reason: str


class PersonAdmitted(Payload):
    """Somebody may work in the trial from now on.

    Args:
        person: the id that events name.
        name: printed with everything that the person signs.
        site: None for people of the whole trial.
    """

    person: str
    name: str
    role: str
    site: str | None


class PersonChanged(Payload):
    """Something about a person's access was changed.

    Args:
        change: ``suspended``, ``restored``, ``second factor renewed``, ``password changed``, ``token made`` or
            ``token revoked``.
    """

    person: str
    change: Literal["suspended", "restored", "second factor renewed", "password changed", "token made", "token revoked"]
    reason: str


class RunInterrupted(Payload):
    """A rehearsal was stopped before its end."""

    reason: str


_KINDS: dict[str, type[Payload]] = {kind.__name__: kind for kind in Payload.__subclasses__()}


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
