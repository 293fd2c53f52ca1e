"""Whether a ledger is what its chain and its signed head say: every fault is found and located."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from sevenfold.errors import AuditBroken
from sevenfold.record.assigned import against_commitment
from sevenfold.record.event import GENESIS, Event, link
from sevenfold.record.head import Head, LedgerState, signature_holds
from sevenfold.record.reading import mistyped, read_events, read_head
from sevenfold.record.structure import misbuilt

__all__ = ["Verification", "verify"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying a ledger found.

    Args:
        n_events: that the file holds.
        state: that the head says; None where the head is lost.
        faults: one sentence each; empty when the ledger is whole.
        notes: what holds and is worth saying.
    """

    n_events: int
    state: LedgerState | None
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
    events, notes = read_events(path), list[str]()
    faults = [*_chain(events), *misbuilt(path)]
    try:
        head = read_head(path)
    except AuditBroken as error:
        return Verification(n_events=len(events), state=None, faults=(*faults, str(error)), notes=())
    faults += _against_head(events, head)
    if exported is not None:
        faults += _against_exported(events, head, exported)
    if not faults:
        try:
            faults += against_commitment(events, head, notes)
        except AuditBroken as error:
            faults.append(str(error))
    notes.append(
        "An exported head was compared."
        if exported
        else "No exported head was compared: a ledger that was cut short and given back an older head of its own, or "
        "replaced as a whole, would go unseen. Keep run.json elsewhere and name it with --head."
    )
    return Verification(n_events=len(events), state=head.state, faults=tuple(faults), notes=tuple(notes))


def _chain(events: list[Event]) -> list[str]:
    faults, previous, recorded = list[str](), GENESIS, ""
    for place, event in enumerate(events, start=1):
        if event.sequence != place:
            faults.append(f"Event {place} is missing: the next one in the ledger is number {event.sequence}.")
            break
        fault = mistyped(event)
        if fault is not None:
            faults.append(f"Event {event.sequence} was changed after it was recorded: {fault}.")
            previous = event.hash
            continue
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
        if event.recorded_at < recorded:
            faults.append(
                f"Event {event.sequence} ({event.type}) says that it was recorded before the one in front of it."
            )
        previous, recorded = event.hash, event.recorded_at
    return faults


def _against_head(events: list[Event], head: Head) -> list[str]:
    faults = []
    if not signature_holds(head):
        faults.append("The signature of the head does not match what it says.")
    if len(events) < head.count:
        faults.append(f"The ledger was cut short: its signed head says {head.count} events, {len(events)} are there.")
    elif len(events) > head.count:
        faults.append(f"Events were added behind the head: its signed head says {head.count}, {len(events)} are there.")
    elif events and events[-1].hash != head.hash:
        faults.append("The last event is not the one that its signed head says.")
    return faults


def _against_exported(events: list[Event], head: Head, exported: Head) -> list[str]:
    if not signature_holds(exported):
        return ["The signature of the exported head does not match what it says."]
    if exported.public_key != head.public_key:
        return ["The ledger is signed with another key than the exported head: it was replaced or chained anew."]
    if exported.count > len(events):
        return [f"The ledger was cut short: the exported head says {exported.count} events, {len(events)} are there."]
    if exported.count and events[exported.count - 1].hash != exported.hash:
        return [f"The ledger was chained anew: event {exported.count} is not the one that the exported head says."]
    if exported.state is LedgerState.LOCKED and [event.type for event in events[exported.count :]] not in (
        [],
        ["Unblinded"],
    ):
        return [
            f"The exported head says that the data were locked after {exported.count} events; the ledger holds more "
            "behind them than the unblinding."
        ]
    if exported.state is LedgerState.COMPLETE and (head.count, head.state) != (exported.count, exported.state):
        return [
            f"The exported head closed the ledger as {exported.state} after {exported.count} events; the ledger's own "
            f"says {head.state} after {head.count}: it was opened again, or an older head was put back."
        ]
    return []
