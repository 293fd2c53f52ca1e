"""How somebody comes into the trial: screened, asked for consent, randomised."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sevenfold.record.kinds.kind import Payload

__all__ = [
    "CandidateScreened",
    "ConsentGiven",
    "ConsentRefused",
    "Randomised",
    "ReconsentRefused",
    "Reconsented",
    "UnmetCriterion",
]


class UnmetCriterion(BaseModel):
    """A criterion that kept a candidate out, with what was found."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    criterion: str
    reason: str
    is_unknown: bool


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


class ReconsentRefused(Payload):
    """The patient, recovered, refuses what a representative had consented to; nothing further is collected.

    Args:
        may_use_data: whether what was collected until now may be used; False where the patient, who has the right to
            (Regulation (EU) 536/2014, article 35(3)), objects to it.
    """

    may_use_data: bool


class ConsentRefused(Payload):
    """An eligible candidate, or the representative, says no."""


class Randomised(Payload):
    """The next place on the stratum's list is taken. The number tells nothing."""

    number: str
    stratum: str
