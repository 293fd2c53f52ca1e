"""Notices of emergencies: that a subject's treatment was shown, to whom and why, and never what was shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import final

from sevenfold.record.payloads import EmergencyUnblinded, EnvelopeOpened, NoticeSeen, read_payload
from sevenfold.service.room import Room

__all__ = ["Notice", "notices", "unseen"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One emergency.

    Args:
        of: the number of its event.
        at: when the treatment was shown, as it was said.
        recorded_at: when it was recorded, UTC; of an envelope, later.
        by_envelope: whether a sealed envelope was opened, without the server.
        actor: role and person who recorded it.
        is_seen: whether the sponsor has taken note.
    """

    of: int
    subject: str
    site: str
    at: datetime
    recorded_at: str
    by_envelope: bool
    asked_by: str
    reason: str
    actor: str
    is_seen: bool


def notices(room: Room) -> list[Notice]:
    """Every emergency, the last one first."""
    ledger = room.conduct.ledger
    seen = {said.of for event in ledger.of_type("NoticeSeen") if isinstance(said := read_payload(event), NoticeSeen)}
    found = []
    for event in (*ledger.of_type("EmergencyUnblinded"), *ledger.of_type("EnvelopeOpened")):
        said = read_payload(event)
        assert isinstance(said, (EmergencyUnblinded, EnvelopeOpened))
        found.append(
            Notice(
                of=event.sequence,
                subject=str(event.subject),
                site=str(event.site),
                at=datetime.fromisoformat(event.happened_at),
                recorded_at=event.recorded_at,
                by_envelope=isinstance(said, EnvelopeOpened),
                asked_by=said.asked_by,
                reason=said.reason,
                actor=event.actor,
                is_seen=event.sequence in seen,
            )
        )
    return sorted(found, key=lambda one: -one.of)


def unseen(room: Room) -> int:
    """How many of them the sponsor has not taken note of."""
    return sum(not one.is_seen for one in notices(room))
