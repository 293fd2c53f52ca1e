"""What programs send and are answered. Nothing is taken for something else: ``false`` is no number, ``"1"`` neither."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

__all__ = [
    "AdverseEventSent",
    "Candidate",
    "Consent",
    "Entry",
    "Infusion",
    "MaskedSent",
    "Moment",
    "Problem",
    "Progress",
    "Randomised",
    "Recorded",
    "Sample",
    "Screened",
    "SiteProgress",
    "Subject",
    "SubjectInList",
    "Subjects",
    "Value",
    "VisitSent",
    "typed",
]

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_UNSEEN: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069"
_TEXT: Final = rf"^[^{_UNSEEN}]*[^\s{_UNSEEN}][^{_UNSEEN}]*$"


def _moment(said: Any) -> datetime:
    if not isinstance(said, str) or not _MOMENT.match(said):
        raise ValueError("a moment with its offset, such as 2016-03-01T14:30+01:00")
    at = datetime.fromisoformat(said)
    if not 1900 <= at.year <= 2199:
        raise ValueError("a year from 1900 to 2199")
    return at


Moment = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time", "pattern": r"^\d{4}-"})
]
"""A moment with its offset from UTC."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=_TEXT)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Value(_Sent):
    """A number with its unit, one of those that the form offers; beyond a limit of quantification, ``<`` or ``>``."""

    value: Number
    unit: Annotated[str, Field(max_length=20)]
    qualifier: Literal["", "<", ">"] = ""


class Sample(_Sent):
    """A laboratory value and when its sample was taken."""

    value: Number
    unit: Annotated[str, Field(max_length=20)]
    taken_at: Moment


class Infusion(_Sent):
    """A drug that ran at one rate for a time, in the protocol's unit."""

    rate: Number
    began_at: Moment
    ended_at: Moment


class Candidate(_Sent):
    """What is known of a candidate.

    Args:
        subject: the next of the site, so that nothing is recorded twice.
    """

    subject: Name
    at: Moment
    facts: dict[str, Annotated[bool, Field(strict=True)]] = Field(default_factory=dict)
    numbers: dict[str, Value] = Field(default_factory=dict)
    laboratory: dict[str, list[Sample]] = Field(default_factory=dict)
    infusions: dict[str, list[Infusion]] = Field(default_factory=dict)


class Consent(_Sent):
    """Consent by whom, or a refusal."""

    by: Literal["patient", "representative", "refused"]
    at: Moment


class VisitSent(_Sent):
    """A visit with its open results, or that it was missed and why."""

    at: Moment
    results: dict[str, Value] = Field(default_factory=dict)
    missed_because: Text | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "VisitSent":
        if self.missed_because is not None and self.results:
            raise ValueError("a visit that was missed has no results")
        return self


class MaskedSent(_Sent):
    """Masked results of a visit, sealed at once."""

    at: Moment
    results: dict[str, Value] = Field(min_length=1)


class AdverseEventSent(_Sent):
    """An adverse event.

    Args:
        number: the next of the subject, so that nothing is recorded twice.
        system: organ class; ``not coded`` unless given.
    """

    number: Annotated[int, Field(ge=1, le=100_000)]
    term: Text
    system: Text = "not coded"
    grade: Annotated[int, Field(ge=1, le=5)]
    is_serious: bool
    relation: Literal["not related", "unlikely", "possible", "probable"]
    outcome: Literal["recovered", "recovering", "not recovered", "recovered with sequelae", "fatal", "unknown"]
    began_at: Moment


class Recorded(BaseModel):
    """It stands in the ledger."""

    subject: str
    recorded: str


class Screened(BaseModel):
    """How a candidate stands against the criteria in force."""

    subject: str
    is_eligible: bool
    unmet: list[dict[str, Any]]


class Randomised(BaseModel):
    """The number, which tells nothing."""

    subject: str
    number: str


class SubjectInList(BaseModel):
    """A subject, shortly."""

    subject: str
    site: str
    number: str | None
    disposition: str


class Subjects(BaseModel):
    """Those whom the person may see."""

    subjects: list[SubjectInList]


class Entry(BaseModel):
    """One thing that happened."""

    at: str
    study_day: float | None
    kind: str
    what: str
    more: str


class Subject(SubjectInList):
    """A subject with everything open that happened, and what is still planned."""

    n_adverse_events: int
    timeline: list[Entry]
    visits_to_come: list[str]
    doses_to_come: list[int]


class SiteProgress(BaseModel):
    """A site's enrolment."""

    site: str
    is_open: bool
    screened: int
    randomised: int


class Progress(BaseModel):
    """Enrolment; never an arm."""

    planned: int
    randomised: int
    sites: list[SiteProgress]


class Problem(BaseModel):
    """Why nothing was recorded. Source: RFC 9457."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str


def typed(value: Value | Sample) -> str:
    """A value as a form would have it typed."""
    sign = value.qualifier if isinstance(value, Value) else ""
    return sign + plain(value.value)


def plain(value: float) -> str:
    """A number without an exponent, with all its digits."""
    text = format(Decimal(repr(float(value))), "f")
    return text.removesuffix(".0")
