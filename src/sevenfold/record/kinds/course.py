"""What happens to a subject between visits, and how the subject's part ends."""

from typing import Annotated, Literal

from pydantic import Field

from sevenfold.record.kinds.kind import Payload

__all__ = [
    "AdverseEventReported",
    "ConsentWithdrawn",
    "Died",
    "FollowUpCompleted",
    "LeftHospital",
    "LeftIcu",
    "LostToFollowUp",
    "OrganSupport",
    "SecondaryInfection",
]


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
