"""A ledger in a PostgreSQL database: a schema of its own, and a lock that one server holds while it appends."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, final

import sqlalchemy as sa

from sevenfold.errors import InvalidInput, Unavailable
from sevenfold.record.layout import GUARDS, METADATA, REFUSALS, SCHEMA
from sevenfold.record.place import engine_arguments, shown
from sevenfold.record.store import Structure

__all__ = ["PostgresqlStore", "pooled"]

_WRITER: Final = 7_707_001  # of advisory locks, which belong to a database
_PATIENCE_S: Final = 10.0  # until the connection of a server that was killed is known to be gone
_TOGETHER: Final = 5000  # rows read at once
_GONE: Final = ("57P", "08")  # SQLSTATE: the server goes down or comes up; the connection broke
_KINDS: Final = {"INTEGER": "integer", "TEXT": "text", "BLOB": "bytea"}
_TRIGGERS: Final = """
    SELECT tgname, pg_get_triggerdef(t.oid) || CASE tgenabled WHEN 'A' THEN '' ELSE ' (can be passed by)' END
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = :schema ::regnamespace
    AND NOT tgisinternal"""
_FUNCTIONS: Final = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = :schema ::regnamespace"
_COLUMNS: Final = """
    SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull,
           coalesce(attnum = ANY ((SELECT conkey FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')::int2[]),
                    false)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = :schema ::regnamespace
    AND relkind = 'r' AND attnum > 0 AND NOT attisdropped"""
_NAMES: Final = """
    SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'relation' END, relname
    FROM pg_class WHERE relnamespace = :schema ::regnamespace AND relkind NOT IN ('i', 't')
    UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = :schema ::regnamespace
    UNION ALL SELECT 'trigger', tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
              WHERE relnamespace = :schema ::regnamespace AND NOT tgisinternal
    UNION ALL SELECT 'rule', rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class
              WHERE relnamespace = :schema ::regnamespace AND relkind = 'r'
    UNION ALL SELECT 'policy', polname FROM pg_policy p JOIN pg_class c ON c.oid = polrelid
              WHERE relnamespace = :schema ::regnamespace"""


@final
@dataclass(frozen=True, slots=True)
class PostgresqlStore:
    """The database of a ledger, by its address."""

    address: sa.URL

    def check_free(self) -> None:
        """Refuse where the database has the ledger's schema."""
        engine = pooled(self.address, SCHEMA, (), 1)
        try:
            with _reached(engine, self.address) as connection:
                is_there = connection.execute(sa.text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}).scalar()
        finally:
            engine.dispose()
        if is_there is not None:
            raise InvalidInput(f"{shown(self.address)} holds a ledger already; a ledger is never overwritten.")

    def writing(self) -> sa.Engine:
        """One connection, which holds the writer's lock; another, after this one broke, must take it anew."""
        own = ("SET SESSION synchronous_commit = on",)
        engine = pooled(self.address, SCHEMA, own, 1)

        @sa.event.listens_for(engine, "connect")
        def _alone(connection: Any, _record: object) -> None:
            until = time.monotonic() + _PATIENCE_S
            while not _asked(connection, f"SELECT pg_try_advisory_lock({_WRITER})"):
                if time.monotonic() > until:
                    connection.close()
                    raise InvalidInput(
                        f"{shown(self.address)} is open for writing elsewhere; two must not append to a ledger."
                    )
                time.sleep(0.1)
            if _asked(connection, "SHOW fsync") != "on":
                connection.close()
                raise InvalidInput(
                    f"{shown(self.address)} runs with fsync off: what it says is kept may be lost. Switch it on."
                )

        try:
            with _reached(engine, self.address):
                return engine
        except BaseException:
            engine.dispose()
            raise

    def reading(self) -> sa.Engine:
        """Connections that can't write, each transaction on one snapshot."""
        return pooled(self.address, SCHEMA, (_READ_ONLY,), 20)

    def build(self, engine: sa.Engine) -> None:
        """Make schema, tables, functions and triggers, all or none."""
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
            METADATA.create_all(connection, checkfirst=False)
            for name, text in REFUSALS.items():
                connection.exec_driver_sql(
                    f"CREATE FUNCTION {SCHEMA}.{name}() RETURNS trigger LANGUAGE plpgsql AS $${text}$$"
                )
            for name, text in GUARDS.items():
                connection.execute(sa.text(text))
                table = name.partition("_")[0]
                connection.execute(sa.text(f"ALTER TABLE {SCHEMA}.{table} ENABLE ALWAYS TRIGGER {name}"))

    def looking(self) -> sa.Connection:
        """A connection that can't write."""
        return _reached(pooled(self.address, SCHEMA, (_READ_ONLY,), 0), self.address)

    def rows(self, connection: sa.Connection, chosen: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
        """By a cursor of the database, so that neither side holds all of it."""
        asked = str(chosen.compile(dialect=sa.make_url("postgresql+pg8000://").get_dialect()()))
        cursor: Any = connection.connection.cursor()
        with closing(cursor):
            cursor.execute(f"DECLARE one_after_the_other NO SCROLL CURSOR FOR {asked}")
            while True:
                cursor.execute(f"FETCH {_TOGETHER} FROM one_after_the_other")
                found = cursor.fetchall()
                if not found:
                    break
                yield from map(tuple, found)
            cursor.execute("CLOSE one_after_the_other")

    def found(self) -> Structure:
        """As the database's catalogue says."""
        with self.looking() as connection:
            connection.execute(sa.text("SET LOCAL search_path = pg_catalog"))  # so that every name is told in full
            asked = {
                text: list(connection.execute(sa.text(text), {"schema": SCHEMA}))
                for text in (_TRIGGERS, _FUNCTIONS, _COLUMNS, _NAMES)
            }
        columns: dict[str, dict[str, tuple[object, ...]]] = {}
        for table, name, kind, is_needed, is_key in asked[_COLUMNS]:
            columns.setdefault(table, {})[name] = (kind, is_needed, is_key)
        return Structure(
            guards=dict(tuple(row) for row in [*asked[_TRIGGERS], *asked[_FUNCTIONS]]),
            columns=columns,
            others=frozenset((kind, name) for kind, name in asked[_NAMES]),
        )

    def proper(self) -> Structure:
        """As :meth:`build` makes it."""
        tables = METADATA.tables.values()
        return Structure(
            guards=GUARDS | REFUSALS,
            columns={
                table.name: {
                    column.name: (_KINDS[str(column.type)], not column.nullable, column.primary_key)
                    for column in table.columns
                }
                for table in tables
            },
            others=frozenset(
                [
                    *(("table", table.name) for table in tables),
                    *(("function", name) for name in REFUSALS),
                    *(("trigger", name) for name in GUARDS),
                ]
            ),
        )

    def finish(self, engine: sa.Engine) -> None:
        """Nothing is to be done."""


_READ_ONLY: Final = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def pooled(address: sa.URL, schema: str, first: tuple[str, ...], n: int) -> sa.Engine:
    """An engine whose tables lie in a schema.

    Args:
        first: what every new connection is told.
        n: connections that are kept, beyond which one waits; with 0 none is kept.
    """
    pool: dict[str, Any] = (
        {"poolclass": sa.NullPool} if n == 0 else {"pool_size": n, "max_overflow": 0, "pool_pre_ping": True}
    )
    engine = sa.create_engine(**engine_arguments(address), **pool)

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        with closing(connection.cursor()) as cursor:
            for text in (f"SET SESSION search_path = {schema}", *first):
                cursor.execute(text)
        connection.commit()

    @sa.event.listens_for(engine, "handle_error")
    def _is_gone(context: sa.engine.ExceptionContext) -> None:
        said = str(context.original_exception)
        if any(f"'C': '{code}" in said for code in _GONE) or "communication error" in said:
            context.is_disconnect = True

    return engine


def _reached(engine: sa.Engine, address: sa.URL) -> sa.Connection:
    try:
        return engine.connect()
    except sa.exc.DBAPIError as error:
        raise Unavailable(f"{shown(address)} cannot be reached: {_reason(error)}.") from None


def _reason(error: sa.exc.DBAPIError) -> str:
    said = error.orig.args[0] if error.orig is not None and error.orig.args else error
    return str(said["M"] if isinstance(said, dict) else said).rstrip(".")


def _asked(connection: Any, text: str) -> Any:
    with closing(connection.cursor()) as cursor:
        cursor.execute(text)
        answer = cursor.fetchone()[0]
    connection.commit()
    return answer
