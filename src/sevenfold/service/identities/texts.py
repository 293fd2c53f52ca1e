"""Texts that people write into the record: none may tell who the subject is, for the record is never changed."""

import logging
from collections.abc import Iterator
from typing import Any, Final

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import (
    AdverseEventReported,
    AuthorityInformed,
    Corrected,
    DatabaseLocked,
    DataLocked,
    DataUnlocked,
    Died,
    DoseNotGiven,
    DosingStopped,
    EmergencyUnblinded,
    EnvelopeOpened,
    Payload,
    PossiblyUnblinded,
    QueryAnswered,
    QueryRaised,
    SecondaryInfection,
    SeriousEventAssessed,
    VisitMissed,
)
from sevenfold.service.identities.identities import FAULTS, Identities
from sevenfold.service.log import noted

__all__ = ["WRITTEN", "refuse_identity"]

WRITTEN: Final[dict[type[Payload], tuple[str, ...]]] = {
    AdverseEventReported: ("term", "system"),
    AuthorityInformed: ("reference",),
    Corrected: ("after", "reason"),
    DataLocked: ("unsigned_because",),
    DataUnlocked: ("reason",),
    DatabaseLocked: ("unsigned",),
    Died: ("cause",),
    DoseNotGiven: ("reason",),
    DosingStopped: ("reason",),
    EmergencyUnblinded: ("asked_by", "reason"),
    EnvelopeOpened: ("asked_by", "reason"),
    PossiblyUnblinded: ("who", "what"),
    QueryAnswered: ("text",),
    QueryRaised: ("text",),
    SecondaryInfection: ("site",),
    SeriousEventAssessed: ("comment",),
    VisitMissed: ("reason",),
}
"""What of an event somebody writes in words of their own."""

_NEVER_BARRED: Final = (EmergencyUnblinded, EnvelopeOpened)  # a life may depend on it: nothing is asked first


def refuse_identity(identities: Identities, subject: str, said: Payload) -> None:
    """Refuse an event whose text tells who its subject is, as far as the site's list knows.

    An emergency is not looked at: it is never barred. For every other event a fault of the list is logged and bars
    nothing.

    Raises:
        InvalidInput: it does; the message does not say what was found.
    """
    if isinstance(said, _NEVER_BARRED):
        return
    texts = [text for name in WRITTEN.get(type(said), ()) for text in _texts(getattr(said, name))]
    if not texts:
        return
    try:
        identity = identities.of(subject)
        is_told = identity is not None and any(identity.is_told_by(text) for text in texts)
    except FAULTS as error:
        noted("text.not_looked_at", level=logging.ERROR, subject=subject, kind=type(error).__name__)
        return
    if is_told:
        noted("text.refused", level=logging.WARNING, subject=subject)
        raise InvalidInput(
            f"The text holds what tells who {subject} is: a name, a hospital number or a date of birth. The record is "
            "never changed, so write it without."
        )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
