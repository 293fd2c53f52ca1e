"""The database of people: a file of SQLite in the trial's folder, or a schema beside the ledger's in PostgreSQL."""

from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from sevenfold.record.place import Place
from sevenfold.record.postgresql import pooled
from sevenfold.service.people.tables import PEOPLE, PERSON, PREPARED, SCHEMA, VERSION
from sevenfold.service.people.upgrade import NOW, check_known

__all__ = ["Kept", "make_people", "people_engine", "people_in", "people_through", "put_people"]

Kept = dict[str, list[dict[str, Any]]]
"""What a backup holds of people: rows by table."""
_CARRIED: Final = {PERSON: 1, PREPARED: 4}  # with the version of the tables that first had each


def people_engine(place: Place) -> sa.Engine:
    """Connections to the people of a trial.

    Args:
        place: a file, or the address of the database that the ledger lies in.
    """
    if not isinstance(place, Path):
        return pooled(place, SCHEMA, (), 20)
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(place)),
        poolclass=sa.QueuePool,
        pool_size=10,
        max_overflow=40,
        connect_args={"timeout": 30.0, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return engine


def make_people(engine: sa.Engine) -> None:
    """Make the tables where there are none."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"CREATE SCHEMA {SCHEMA}"))
        PEOPLE.create_all(connection, checkfirst=False)
        connection.execute(sa.insert(VERSION).values(number=NOW))


def people_in(engine: sa.Engine) -> Kept:
    """Everybody, for a backup, with changes of access that are under way; by table.

    Raises:
        InvalidInput: the tables are newer than what is known here.
    """
    with engine.connect() as connection:
        return _kept_in(connection, None)


def people_through(connection: sa.Connection) -> Kept:
    """The same, as a connection to the PostgreSQL database sees it that is looking at the ledger beside.

    Raises:
        InvalidInput: the tables are newer than what is known here.
    """
    return _kept_in(connection, SCHEMA)


def put_people(engine: sa.Engine, kept: Kept) -> None:
    """Put into new tables what was taken for a backup."""
    with engine.begin() as connection:
        for table in _CARRIED:
            if kept.get(table.name):
                connection.execute(sa.insert(table), kept[table.name])


def _kept_in(connection: sa.Connection, schema: str | None) -> Kept:
    number, here = check_known(connection), {"schema_translate_map": {None: schema}}
    return {
        table.name: [dict(row) for row in connection.execute(sa.select(table), execution_options=here).mappings()]
        for table, since in _CARRIED.items()
        if number >= since
    }
