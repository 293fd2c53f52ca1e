"""How entries and their keys lie on the disk: small databases in which nothing that was deleted stays."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

__all__ = ["rows", "writing"]

_OWNER_ALONE: Final = 0o600
_WAIT_S: Final = 30.0


def rows(path: Path, table: str, asked: str, *said: str) -> list[tuple[Any, ...]]:
    """What a table answers; nothing where it or its file is missing. Looking makes no file.

    Args:
        asked: the statement, with a question mark for each of ``said``.

    Raises:
        sqlite3.Error: the file is no database, or a damaged one.
    """
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone():
            return []
        return connection.execute(asked, said).fetchall()


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, on the disk when it ends, in a file that only its owner may read.

    There is no write-ahead log: old pages would stay in it. What is deleted is written over with zeros.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=_OWNER_ALONE)
    elif path.stat().st_mode & 0o077:
        path.chmod(_OWNER_ALONE)
    with closing(sqlite3.connect(path, timeout=_WAIT_S)) as connection, connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
