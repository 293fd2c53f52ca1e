"""Whether a ledger is what its chain and its signed head say: every fault is found and located."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from sevenfold.errors import AuditBroken
from sevenfold.record.assigned import against_commitment
from sevenfold.record.head import Head, LedgerState, signature_holds
from sevenfold.record.place import Place
from sevenfold.record.reading import event_of, looked_at, read_head
from sevenfold.record.store import store_of
from sevenfold.record.structure import misbuilt
from sevenfold.record.walking import Walk, walked

__all__ = ["Verification", "verify"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying a ledger found.

    Args:
        n_events: that the file holds.
        state: that the head says; None where the head is lost.
        is_unblinded: whether the unblinding is among the events.
        faults: one sentence each; empty when the ledger is whole.
        notes: what holds and is worth saying.
    """

    n_events: int
    state: LedgerState | None
    is_unblinded: bool
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.faults


def verify(place: Place, exported: Head | Sequence[Head] | None = None, processes: int = 1) -> Verification:
    """Check a ledger in one pass over it.

    Args:
        exported: heads that were kept elsewhere; with them, cutting the ledger short and chaining it anew are found.
        processes: that may walk through parts of a long ledger at once; what is found is the same.
    """
    kept = [exported] if isinstance(exported, Head) else list(exported or ())
    store, notes = store_of(place), list[str]()
    with looked_at(place, store) as connection:
        walk = walked(place, connection, {head.count for head in kept}, processes)
        try:
            head = read_head(place, connection)
        except AuditBroken as error:
            lost = (*walk.faults, *misbuilt(place), str(error))
            return Verification(n_events=walk.n, state=None, is_unblinded=False, faults=lost, notes=())
    faults = [*walk.faults, *misbuilt(place), *_against_head(walk, head)]
    for one in kept:
        faults += _against_exported(walk, head, one)
    if not faults:
        try:
            faults += against_commitment([event_of(row) for row in walk.told], head, notes)
        except AuditBroken as error:
            faults.append(str(error))
    notes.append(
        "No exported head was compared: a ledger that was cut short and given back an older head of its own, or "
        "replaced as a whole, would go unseen. Keep run.json elsewhere and name it with --head."
        if not kept
        else "An exported head was compared."
        if len(kept) == 1
        else f"{len(kept)} exported heads were compared."
    )
    return Verification(
        n_events=walk.n,
        state=head.state,
        is_unblinded=any(row[1] == "Unblinded" for row in walk.told),
        faults=tuple(faults),
        notes=tuple(notes),
    )


def _against_head(walk: Walk, head: Head) -> list[str]:
    faults = []
    if not signature_holds(head):
        faults.append("The signature of the head does not match what it says.")
    if walk.n < head.count:
        faults.append(f"The ledger was cut short: its signed head says {head.count} events, {walk.n} are there.")
    elif walk.n > head.count:
        faults.append(f"Events were added behind the head: its signed head says {head.count}, {walk.n} are there.")
    elif walk.n and walk.last[1] != head.hash:
        faults.append("The last event is not the one that its signed head says.")
    return faults


def _against_exported(walk: Walk, head: Head, exported: Head) -> list[str]:
    if not signature_holds(exported):
        return ["The signature of the exported head does not match what it says."]
    if exported.public_key != head.public_key:
        return ["The ledger is signed with another key than the exported head: it was replaced or chained anew."]
    if exported.count > walk.n:
        return [f"The ledger was cut short: the exported head says {exported.count} events, {walk.n} are there."]
    if exported.count and walk.hashes[exported.count] != exported.hash:
        return [f"The ledger was chained anew: event {exported.count} is not the one that the exported head says."]
    if exported.state is LedgerState.LOCKED and walk.last_datum > exported.count:
        return [
            f"The exported head says that the data were locked after {exported.count} events; the ledger holds more "
            "behind them than the unblinding, emergencies and people's access."
        ]
    if exported.state is LedgerState.COMPLETE and (head.count, head.state) != (exported.count, exported.state):
        return [
            f"The exported head closed the ledger as {exported.state} after {exported.count} events; the ledger's own "
            f"says {head.state} after {head.count}: it was opened again, or an older head was put back."
        ]
    return []
