"""Whether a ledger is what its chain and its signed head say: every fault is found and located."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sevenfold.record.event import GENESIS, Event, link
from sevenfold.record.ledger import Head, LedgerState, head_bytes, read_events, read_head
from sevenfold.record.payloads import TrialOpened, Unblinded, read_payload
from sevenfold.sealing import allocation_commitment

__all__ = ["Verification", "verify"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying a ledger found.

    Args:
        n_events: that the file holds.
        state: that the head says.
        faults: one sentence each; empty when the ledger is whole.
        notes: what holds and is worth saying.
    """

    n_events: int
    state: LedgerState
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.faults


def verify(path: Path, exported: Head | None = None) -> Verification:
    """Check a ledger file.

    Args:
        exported: a head that was kept elsewhere; with it, cutting the ledger short and chaining it anew are found too.
    """
    events, head = read_events(path), read_head(path)
    faults = [*_chain(events), *_against_head(events, head, "its signed head")]
    if exported is not None:
        faults += _against_exported(events, head, exported)
    opened = [event for event in events if event.type == TrialOpened.__name__]
    notes: list[str] = []
    if opened and not faults:
        start = read_payload(opened[0])
        if isinstance(start, TrialOpened):
            if start.signing_key != head.public_key:
                faults.append("The head is signed with another key than the one the trial was opened with.")
            faults += _commitment(events, start, notes)
    notes.append(
        "An exported head was compared."
        if exported
        else "No exported head was compared: replacing the whole file would go unseen."
    )
    return Verification(n_events=len(events), state=head.state, faults=tuple(faults), notes=tuple(notes))


def _chain(events: list[Event]) -> list[str]:
    faults, previous = [], GENESIS
    for place, event in enumerate(events, start=1):
        if event.sequence != place:
            faults.append(f"Event {place} is missing: the next one in the ledger is number {event.sequence}.")
            break
        if event.previous_hash != previous:
            faults.append(
                f"Event {event.sequence} ({event.type}) does not follow the event before it: something was "
                "inserted, removed, changed or moved here."
            )
        if link(event) != event.hash:
            faults.append(
                f"Event {event.sequence} ({event.type}) was changed after it was recorded: its content does "
                "not match its hash."
            )
        previous = event.hash
    return faults


def _against_head(events: list[Event], head: Head, name: str) -> list[str]:
    faults = []
    if not _signature_holds(head):
        faults.append("The signature of the head does not match what it says.")
    if len(events) < head.count:
        faults.append(f"The ledger was cut short: {name} says {head.count} events, {len(events)} are there.")
    elif len(events) > head.count:
        faults.append(f"Events were added behind the head: {name} says {head.count}, {len(events)} are there.")
    elif events and events[-1].hash != head.hash:
        faults.append(f"The last event is not the one that {name} says.")
    return faults


def _against_exported(events: list[Event], head: Head, exported: Head) -> list[str]:
    if not _signature_holds(exported):
        return ["The signature of the exported head does not match what it says."]
    if exported.public_key != head.public_key:
        return ["The ledger is signed with another key than the exported head: it was replaced or chained anew."]
    if exported.count > len(events):
        return [f"The ledger was cut short: the exported head says {exported.count} events, {len(events)} are there."]
    if exported.count and events[exported.count - 1].hash != exported.hash:
        return [f"The ledger was chained anew: event {exported.count} is not the one that the exported head says."]
    return []


def _signature_holds(head: Head) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head.public_key))
        key.verify(bytes.fromhex(head.signature), head_bytes(head.count, head.hash, head.state))
    except (InvalidSignature, ValueError):
        return False
    return True


def _commitment(events: list[Event], start: TrialOpened, notes: list[str]) -> list[str]:
    for event in events:
        if event.type == Unblinded.__name__:
            revealed = read_payload(event)
            if isinstance(revealed, Unblinded):
                if (
                    allocation_commitment(revealed.commitment_nonce, revealed.allocation_list)
                    != start.allocation_commitment
                ):
                    return ["The allocation list that was revealed is not the one that was committed to at the start."]
                notes.append("The allocation list revealed at unblinding is the one committed to at the start.")
    return []
