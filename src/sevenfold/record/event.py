"""An event of the record: its envelope, the bytes that are hashed, and the link to the event before.

The canonical bytes of the payload are stored and hashed as they are and never written anew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Final, final

__all__ = ["GENESIS", "Draft", "Event", "chained", "link", "link_of"]

GENESIS: Final = "0" * 64
_ENVELOPE: Final = 1  # version of what is hashed


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event that is about to be recorded.

    Args:
        type: of the payload.
        schema_version: of the payload.
        subject: None for an event of the trial or of a site.
        actor: the role (and, at a site, the person) that acts.
        happened_at: as the person says: ISO 8601 with the site's offset, possibly partial (``2016-02``).
        payload: canonical bytes.
    """

    type: str
    schema_version: int
    subject: str | None
    site: str | None
    actor: str
    happened_at: str
    payload: bytes


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A recorded event. ``recorded_at`` is UTC; ``hash`` covers everything before it, the previous hash included."""

    sequence: int
    type: str
    schema_version: int
    subject: str | None
    site: str | None
    actor: str
    happened_at: str
    recorded_at: str
    payload: bytes
    previous_hash: str
    hash: str


def chained(draft: Draft, sequence: int, recorded_at: datetime, previous_hash: str) -> Event:
    """The event that a draft becomes after the one with ``previous_hash``."""
    recorded = recorded_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Event(
        sequence=sequence,
        type=draft.type,
        schema_version=draft.schema_version,
        subject=draft.subject,
        site=draft.site,
        actor=draft.actor,
        happened_at=draft.happened_at,
        recorded_at=recorded,
        payload=draft.payload,
        previous_hash=previous_hash,
        hash=link_of(
            sequence,
            draft.type,
            draft.schema_version,
            draft.subject,
            draft.site,
            draft.actor,
            draft.happened_at,
            recorded,
            draft.payload,
            previous_hash,
        ),
    )


def link(event: Event) -> str:
    """The hash that an event ought to carry."""
    return link_of(
        event.sequence,
        event.type,
        event.schema_version,
        event.subject,
        event.site,
        event.actor,
        event.happened_at,
        event.recorded_at,
        event.payload,
        event.previous_hash,
    )


def link_of(
    sequence: int,
    kind: str,
    schema_version: int,
    subject: str | None,
    site: str | None,
    actor: str,
    happened_at: str,
    recorded_at: str,
    payload: bytes,
    previous_hash: str,
) -> str:
    """SHA-256 of the envelope: a list in canonical JSON, with the payload's own hash in it.

    Written out, because a ledger of a million events is verified by it: the letters are those of ``canonical_json``.
    """
    envelope = (
        f"[{_ENVELOPE},{sequence},{encode_basestring(kind)},{schema_version},"
        f"{'null' if subject is None else encode_basestring(subject)},"
        f"{'null' if site is None else encode_basestring(site)},"
        f"{encode_basestring(actor)},{encode_basestring(happened_at)},{encode_basestring(recorded_at)},"
        f'"{sha256(payload).hexdigest()}",{encode_basestring(previous_hash)}]'
    )
    return sha256(envelope.encode()).hexdigest()
