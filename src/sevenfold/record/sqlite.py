"""A ledger in a file of SQLite: write-ahead mode, full synchronisation, one who appends at a time."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from sevenfold.errors import InvalidInput
from sevenfold.record.layout import APPEND_ONLY, METADATA
from sevenfold.record.store import Structure

__all__ = ["SqliteStore"]

_WAIT_S: Final = 30.0  # for a reader's lock while the write-ahead log is brought in
_TOGETHER: Final = 100  # rows read at once: more are slower, for they no longer fit in the cache


@final
@dataclass(frozen=True, slots=True)
class SqliteStore:
    """The file of a ledger."""

    path: Path

    def check_free(self) -> None:
        """Refuse where there is a file."""
        if self.path.exists():
            raise InvalidInput(f"{self.path} exists already; a ledger is never overwritten.")

    def writing(self) -> sa.Engine:
        """One connection; the file is locked against a second one who would append (not against readers)."""
        held = os.open(self.path, os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            raise InvalidInput(f"{self.path} is open for writing elsewhere; two must not append to a ledger.") from None
        engine = self._engine(("journal_mode=WAL", "synchronous=FULL"), 1)

        @sa.event.listens_for(engine, "engine_disposed")
        def _let_go(_engine: object, held: list[int] = [held]) -> None:  # noqa: B006  # one list an engine, on purpose
            while held:
                os.close(held.pop())

        return engine

    def reading(self) -> sa.Engine:
        """Connections that only ask."""
        return self._engine(("query_only=ON",), 10)

    def build(self, engine: sa.Engine) -> None:
        """Make the tables and the triggers."""
        METADATA.create_all(engine)
        with engine.begin() as connection:
            for trigger in APPEND_ONLY:
                connection.execute(sa.text(trigger))

    def looking(self) -> sa.Connection:
        """A connection to the file that can't write; text that is not UTF-8 is read too."""
        if not self.path.is_file():
            raise InvalidInput(f"There is no ledger {self.path}.")
        address = sa.URL.create("sqlite", database=f"file:{quote(str(self.path))}", query={"mode": "ro", "uri": "true"})
        engine = sa.create_engine(address, poolclass=sa.NullPool)
        try:
            connection = engine.connect()
            connection.exec_driver_sql("BEGIN")  # what is read through it is one moment of the ledger
        except sa.exc.DatabaseError as error:
            raise InvalidInput(f"{self.path} cannot be opened: {error.orig}.") from None
        return connection

    def rows(self, connection: sa.Connection, chosen: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
        """Straight from the driver; from where a text is not UTF-8, with what stands in for its bytes."""
        opened: Any = connection.connection
        asked = str(chosen.compile(dialect=sqlite.dialect()))
        n, is_plain = 0, True
        while True:
            opened.driver_connection.text_factory = str if is_plain else _any_text
            cursor = opened.cursor()
            try:
                cursor.execute(asked)
                for _ in range(n):
                    cursor.fetchone()
                while found := cursor.fetchmany(_TOGETHER):
                    n += len(found)
                    yield from found
            except sqlite3.OperationalError as error:
                if not is_plain or "decode" not in str(error):
                    raise
                is_plain = False
            else:
                return
            finally:
                cursor.close()
                opened.driver_connection.text_factory = str

    def found(self) -> Structure:
        """As the file says."""
        with self.looking() as connection:
            opened: Any = connection.connection.driver_connection
            opened.text_factory = _any_text
            return _structure(connection)

    def proper(self) -> Structure:
        """As an empty ledger in memory says, made now."""
        engine = sa.create_engine("sqlite://")
        METADATA.create_all(engine)
        with engine.connect() as connection:
            for trigger in APPEND_ONLY:
                connection.execute(sa.text(trigger))
            made = _structure(connection)
        engine.dispose()
        return made

    def finish(self, engine: sa.Engine) -> None:
        """A finished ledger is one file that opens on read-only media."""
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")

    def _engine(self, pragmas: tuple[str, ...], n: int) -> sa.Engine:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self.path)),
            poolclass=sa.QueuePool,
            pool_size=n,
            max_overflow=0 if n == 1 else 40,
            connect_args={"timeout": _WAIT_S, "check_same_thread": False},
        )

        @sa.event.listens_for(engine, "connect")
        def _settings(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        return engine


def _structure(connection: sa.Connection) -> Structure:
    guards = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    named = connection.execute(
        sa.text("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    )
    return Structure(
        guards={name: " ".join(str(text).split()) for name, text in guards},
        columns={
            table: {
                row[1]: (row[2], row[3], row[5]) for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")
            }
            for table in METADATA.tables
        },
        others=frozenset((kind, name) for kind, name in named if kind != "index"),
    )


def _any_text(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
