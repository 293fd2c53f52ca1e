"""Whether a ledger is built as one: its tables, their columns, and the triggers that let it only grow."""

from sevenfold.record.place import Place
from sevenfold.record.store import store_of

__all__ = ["misbuilt"]


def misbuilt(place: Place) -> list[str]:
    """One sentence for everything that is missing, was changed or does not belong there."""
    store = store_of(place)
    there, proper = store.found(), store.proper()
    faults = [
        f"The trigger {name} is missing: nothing kept events from being changed or deleted."
        if name not in there.guards
        else f"The trigger {name} was changed."
        for name, text in proper.guards.items()
        if there.guards.get(name) != text
    ]
    strangers = sorted(there.others - proper.others)
    faults += [f"The ledger has a {kind} {name!r}, which no ledger has." for kind, name in strangers]
    for table, own in proper.columns.items():
        columns = there.columns.get(table, {})
        faults += [
            f"The table {table} has a column {name!r}, which no ledger has." for name in columns if name not in own
        ]
        faults += [
            f"The column {name!r} of the table {table} was changed." for name in own if own[name] != columns.get(name)
        ]
    return faults
