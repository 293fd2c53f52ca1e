"""What is done with data: corrected, asked about, verified, signed, locked."""

from typing import Any, Literal

from pydantic import Field

from sevenfold.record.kinds.kind import Payload

__all__ = [
    "CopyTaken",
    "Corrected",
    "DataLocked",
    "DataUnlocked",
    "QueryAnswered",
    "QueryClosed",
    "QueryRaised",
    "Signed",
    "SourceVerified",
]


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


class CopyTaken(Payload):
    """An investigator took a copy of everything recorded of the site's subjects, to be kept where nobody else reaches.

    Args:
        name: of the investigator, as printed.
        n_events: in the copy.
        digest: SHA-256 of the copy's events, hexadecimal.
    """

    name: str
    n_events: int
    digest: str


class DataLocked(Payload):
    """Nothing of a visit, a subject or a site is recorded or corrected any more.

    Args:
        unsigned_because: why no investigator can sign the data of the subject, or of some at the site; None where one
            has.
    """

    scope: Literal["visit", "subject", "site"]
    name: str
    unsigned_because: str | None = Field(default=None, exclude_if=lambda reason: reason is None)


class DataUnlocked(Payload):
    """What was locked is open again."""

    scope: Literal["visit", "subject", "site"]
    name: str
    reason: str
