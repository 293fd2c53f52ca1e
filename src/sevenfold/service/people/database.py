"""The database of people: a file of SQLite in the trial's folder, or a schema beside the ledger's in PostgreSQL."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sevenfold.record.place import Place
from sevenfold.record.postgresql import pooled
from sevenfold.service.people.tables import PEOPLE, PERSON, SCHEMA, VERSION
from sevenfold.service.people.upgrade import NOW, check_known

__all__ = ["make_people", "people_engine", "people_in", "people_through"]


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


def people_in(engine: sa.Engine) -> list[dict[str, Any]]:
    """Everybody, for a backup.

    Raises:
        InvalidInput: the tables are newer than what is known here.
    """
    with engine.connect() as connection:
        check_known(connection)
        return [dict(row) for row in connection.execute(sa.select(PERSON)).mappings()]


def people_through(connection: sa.Connection) -> list[dict[str, Any]]:
    """Everybody, as a connection to the PostgreSQL database sees them that is looking at the ledger beside them.

    Raises:
        InvalidInput: the tables are newer than what is known here.
    """
    check_known(connection)
    here = {"schema_translate_map": {None: SCHEMA}}
    return [dict(row) for row in connection.execute(sa.select(PERSON), execution_options=here).mappings()]
