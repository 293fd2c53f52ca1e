"""The electronic signatures of a record as a table: who signed what, when, in which meaning, and whether it stands.

Each row names the events that were signed and the hash over them, so that anybody can tie it to the record again.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sevenfold.record.data import Signature, data_of
from sevenfold.record.event import Event
from sevenfold.record.payloads import PersonAdmitted, Signed, read_payload

__all__ = ["COLUMNS", "signatures"]

COLUMNS: Final = (
    "signature", "subject", "site", "visit", "printed_name", "role", "person", "meaning", "signed_at_utc",
    "signed_at_site", "stands", "void_since_event", "void_since_utc", "signed_events", "digest",
)  # fmt: skip
"""``signature`` is the number of the event that holds it; ``visit`` is empty where everything of the subject was
signed; ``person`` is the id under which the record knows the signer, empty in a rehearsal.
"""


def signatures(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Every signature, in the order of the record.

    Args:
        events: in order; of the whole record or of some subjects with the trial's own.
    """
    of_subject: dict[str, list[Event]] = {}
    signed: set[str] = set()
    people: set[str] = set()
    for event in events:
        if event.subject is not None:
            of_subject.setdefault(event.subject, []).append(event)
            if event.type == Signed.__name__:
                signed.add(event.subject)
        elif event.type == PersonAdmitted.__name__:
            said = read_payload(event)
            assert isinstance(said, PersonAdmitted)
            people.add(said.person)
    rows = (row for subject in signed for row in _of_subject(of_subject[subject], people))
    return sorted(rows, key=lambda row: int(row["signature"]))


def _of_subject(events: list[Event], people: set[str]) -> Iterator[dict[str, Any]]:
    return (_row(one, people) for one in data_of(events).signatures)


def _row(one: Signature, people: set[str]) -> dict[str, Any]:
    event, since = one.event, one.void_since
    role, _, person = event.actor.rpartition(" ")
    return {
        "signature": event.sequence,
        "subject": event.subject,
        "site": event.site,
        "visit": one.said.visit,
        "printed_name": one.said.name,
        "role": role if person in people else event.actor,
        "person": person if person in people else None,
        "meaning": one.said.meaning,
        "signed_at_utc": event.recorded_at,
        "signed_at_site": event.happened_at,
        "stands": since is None,
        "void_since_event": None if since is None else since.sequence,
        "void_since_utc": None if since is None else since.recorded_at,
        "signed_events": " ".join(str(signed.sequence) for signed in one.signed),
        "digest": one.said.digest,
    }
