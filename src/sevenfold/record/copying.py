"""A ledger copied as it is, from either database into either: the same events, the same head, one moment of both."""

import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from sevenfold.record.layout import EVENT, HEAD
from sevenfold.record.place import Place
from sevenfold.record.reading import looked_at, read_head, rows_of
from sevenfold.record.store import Store, store_of

__all__ = ["copy_file", "copy_ledger"]

_TOGETHER: Final = 500  # rows inserted at once


def copy_ledger(source: Place, target: Place, connection: sa.Connection | None = None) -> None:
    """Copy a ledger into a place where there is none. It may be appended to meanwhile: what is copied is one moment.

    Args:
        connection: through which the source is looked at; one of its own if not given.

    Raises:
        InvalidInput: there is a ledger already, or none to copy.
    """
    store = store_of(target)
    store.check_free()
    if isinstance(source, Path) and isinstance(target, Path):
        copy_file(source, target)
        return
    origin = store_of(source)
    if connection is not None:
        _copy_rows(source, origin, connection, store)
        return
    with looked_at(source, origin) as own:
        _copy_rows(source, origin, own, store)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file of SQLite that may be written to meanwhile; the copy is one file."""
    with (
        closing(sqlite3.connect(source.absolute().as_uri() + "?mode=rw", uri=True, timeout=30.0)) as origin,
        closing(sqlite3.connect(target)) as copy,
    ):
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _copy_rows(source: Place, origin: Store, connection: sa.Connection, store: Store) -> None:
    head = read_head(source, connection)
    writing = store.writing()
    try:
        store.build(writing)
        names = EVENT.columns.keys()
        rows = rows_of(origin, connection)
        with writing.begin() as target:
            while chunk := [dict(zip(names, row, strict=True)) for row in islice(rows, _TOGETHER)]:
                if target.dialect.name == "sqlite":
                    target.execute(sa.insert(EVENT), chunk)
                else:
                    target.execute(sa.insert(EVENT).values(chunk))
            said = {"count": head.count, "hash": head.hash, "state": head.state.value}
            kept = {"public_key": head.public_key, "signature": head.signature}
            target.execute(sa.insert(HEAD).values(id=1, **said, **kept))
        store.finish(writing)
    finally:
        writing.dispose()
