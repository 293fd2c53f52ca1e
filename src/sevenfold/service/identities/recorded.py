"""Whose entry the record says is kept, and which of them cannot be opened."""

from collections.abc import Iterable

from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import IdentityDestroyed, IdentityKept
from sevenfold.service.identities.identities import Entry, Identities

__all__ = ["closed", "entries_of", "recorded"]


def recorded(ledger: Ledger) -> set[str]:
    """The subjects of whom the record says last that the site keeps who they are."""
    told: dict[str, tuple[int, bool]] = {}
    for kind in (IdentityKept, IdentityDestroyed):
        for event in ledger.of_type(kind.__name__):
            if event.subject is not None and event.sequence > told.get(event.subject, (-1, False))[0]:
                told[event.subject] = (event.sequence, kind is IdentityKept)
    return {subject for subject, (_, is_kept) in told.items() if is_kept}


def entries_of(ledger: Ledger, identities: Identities, subjects: Iterable[str]) -> dict[str, Entry]:
    """What can be told of each entry; one that the record speaks of and that is not here is closed, too."""
    kept, found = recorded(ledger), {}
    for subject in subjects:
        entry = identities.entry(subject)
        is_missing = subject in kept and entry.identity is None and entry.destroyed_at is None
        found[subject] = Entry(is_closed=True) if is_missing else entry
    return found


def closed(ledger: Ledger, identities: Identities) -> list[str]:
    """The subjects whose entry is kept as the record says, and cannot be opened."""
    found = entries_of(ledger, identities, sorted(recorded(ledger)))
    return [subject for subject, entry in found.items() if entry.is_closed]
