"""The people's tables as older versions made them, brought up step by step to those of now.

The database keeps the version of its tables in one row. The first two versions kept none; they are told by the tables
they had. A step is written out and never changed: what the tables are now stands elsewhere and goes on changing.
"""

from typing import Final

import sqlalchemy as sa

from sevenfold.errors import InvalidInput
from sevenfold.service.log import noted
from sevenfold.service.people.tables import PERSON, SCHEMA, VERSION

__all__ = ["NOW", "bring_up", "check_known", "version_of"]

_STEPS: Final[dict[int, tuple[str, ...]]] = {
    1: (
        "CREATE TABLE token (id TEXT NOT NULL, token TEXT NOT NULL, person TEXT NOT NULL, rights TEXT NOT NULL, "
        "expires_at FLOAT NOT NULL, is_revoked BOOLEAN NOT NULL, PRIMARY KEY (id), UNIQUE (token))",
    ),
    2: (
        "ALTER TABLE session ADD COLUMN n_failed INTEGER DEFAULT '0' NOT NULL",
        "CREATE TABLE device (token TEXT NOT NULL, person TEXT NOT NULL, expires_at FLOAT NOT NULL, "
        "n_failed INTEGER DEFAULT '0' NOT NULL, locked_until FLOAT DEFAULT '0' NOT NULL, PRIMARY KEY (token, person))",
        "CREATE TABLE version (number INTEGER NOT NULL, PRIMARY KEY (number))",
        "INSERT INTO version (number) VALUES (3)",
    ),
    3: (
        "CREATE TABLE prepared (person TEXT NOT NULL, place INTEGER NOT NULL, change TEXT NOT NULL, password TEXT, "
        "factor TEXT, factor_used_at INTEGER, is_suspended BOOLEAN, session TEXT, device TEXT, PRIMARY KEY (person))",
        "ALTER TABLE invitation ADD COLUMN asked_by TEXT",
        "ALTER TABLE invitation ADD COLUMN reason TEXT DEFAULT '' NOT NULL",
        "ALTER TABLE invitation ADD COLUMN attested_by TEXT",
        "ALTER TABLE invitation ADD COLUMN code TEXT",
        "ALTER TABLE invitation ADD COLUMN n_failed INTEGER DEFAULT '0' NOT NULL",
        "ALTER TABLE session ADD COLUMN browser TEXT",
        "UPDATE version SET number = 4",
    ),
}
"""What makes the version after each. From 3 on a step also sets the number."""
NOW: Final = max(_STEPS) + 1
"""The version of the tables as they are made now."""


def bring_up(engine: sa.Engine) -> None:
    """Bring the tables up to those of now, all steps or none. Nobody else may be writing.

    Raises:
        InvalidInput: there are none, or they are newer than what is known here.
    """
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver begins none by itself before DDL
        before = check_known(connection)
        for number in range(before, NOW):
            for statement in _STEPS[number]:
                connection.exec_driver_sql(statement)
        connection.commit()
    if before < NOW:
        noted("people.upgraded", before=before, now=NOW)


def check_known(connection: sa.Connection) -> int:
    """The version of the tables.

    Raises:
        InvalidInput: there are none, or they are newer than what is known here.
    """
    number = version_of(connection)
    if number > NOW:
        raise InvalidInput(
            f"The people's database is of version {number}, made by a newer Sevenfold; this one knows versions 1 to "
            f"{NOW}. Serve the trial with the newer one."
        )
    return number


def version_of(connection: sa.Connection) -> int:
    """The version of the tables, as the database keeps it or as they are.

    Raises:
        InvalidInput: there are none.
    """
    schema = SCHEMA if connection.dialect.name == "postgresql" else None
    there = set(sa.inspect(connection).get_table_names(schema=schema))
    if PERSON.name not in there:
        raise InvalidInput(
            "There are no people's tables where the trial's people should lie; restore them from a backup."
        )
    if VERSION.name not in there:
        return 2 if "token" in there else 1
    here = {"schema_translate_map": {None: schema}}
    numbers = list(connection.execute(sa.select(VERSION.c.number), execution_options=here).scalars())
    if len(numbers) != 1:
        raise InvalidInput(f"The people's database has {len(numbers)} versions in its table; restore it from a backup.")
    return int(numbers[0])
