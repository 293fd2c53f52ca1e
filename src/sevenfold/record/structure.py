"""Whether a ledger's file is built as one: its tables, their columns, and the triggers that let it only grow."""

from pathlib import Path

import sqlalchemy as sa

from sevenfold.record.layout import APPEND_ONLY, METADATA
from sevenfold.record.reading import readable

__all__ = ["misbuilt"]


def misbuilt(path: Path) -> list[str]:
    """One sentence for everything that is missing, was changed or does not belong there."""
    with readable(path) as found:
        triggers, columns, names = _triggers(found), _columns(found), _names(found)
    engine = sa.create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.connect() as proper:
        for trigger in APPEND_ONLY:
            proper.execute(sa.text(trigger))
        own_triggers, own_columns, own_names = _triggers(proper), _columns(proper), _names(proper)
    engine.dispose()
    faults = [
        f"The trigger {name} is missing: nothing kept events from being changed or deleted."
        if name not in triggers
        else f"The trigger {name} was changed."
        for name, text in own_triggers.items()
        if triggers.get(name) != text
    ]
    faults += [f"The ledger has a {kind} {name!r}, which no ledger has." for kind, name in sorted(names - own_names)]
    for table, own in own_columns.items():
        there = columns.get(table, {})
        faults += [
            f"The table {table} has a column {name!r}, which no ledger has." for name in there if name not in own
        ]
        faults += [
            f"The column {name!r} of the table {table} was changed." for name in own if own[name] != there.get(name)
        ]
    return faults


def _triggers(connection: sa.Connection) -> dict[str, str]:
    rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    return {name: " ".join(str(text).split()) for name, text in rows}


def _columns(connection: sa.Connection) -> dict[str, dict[str, tuple[object, ...]]]:
    """Table -> column -> its type, whether it must be there, and whether it is the key."""
    return {
        table: {row[1]: (row[2], row[3], row[5]) for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")}
        for table in METADATA.tables
    }


def _names(connection: sa.Connection) -> set[tuple[str, str]]:
    rows = connection.execute(
        sa.text("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    )
    return {(kind, name) for kind, name in rows if kind != "index"}
