"""People's tables of older versions: brought up to those of now, with everybody in them; newer ones are refused."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from attacked import Watch, member, watch  # noqa: F401 (fixtures)
from served import Served, serve_new

from databases import Cluster
from sevenfold.edge.keys import key_beside
from sevenfold.errors import InvalidInput
from sevenfold.service.backup import back_up, restore
from sevenfold.service.opening import opened
from sevenfold.service.people.database import make_people, people_engine
from sevenfold.service.people.tables import PERSON
from sevenfold.service.people.upgrade import NOW, bring_up, version_of

PERSON_THEN = (
    "CREATE TABLE person (id TEXT NOT NULL, login TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, site TEXT, "
    "password TEXT, factor TEXT, factor_used_at INTEGER NOT NULL, n_failed INTEGER NOT NULL, "
    "locked_until FLOAT NOT NULL, is_suspended BOOLEAN NOT NULL, PRIMARY KEY (id), UNIQUE (login))"
)
INVITATION_THEN = (
    "CREATE TABLE invitation (token TEXT NOT NULL, person TEXT NOT NULL, expires_at FLOAT NOT NULL, "
    "PRIMARY KEY (token))"
)
SESSION_THEN = (
    "CREATE TABLE session (token TEXT NOT NULL, person TEXT NOT NULL, form_key TEXT NOT NULL, began_at FLOAT NOT NULL, "
    "seen_at FLOAT NOT NULL, PRIMARY KEY (token))"
)
TOKEN_THEN = (
    "CREATE TABLE token (id TEXT NOT NULL, token TEXT NOT NULL, person TEXT NOT NULL, rights TEXT NOT NULL, "
    "expires_at FLOAT NOT NULL, is_revoked BOOLEAN NOT NULL, PRIMARY KEY (id), UNIQUE (token))"
)
DEVICE_THEN = (
    "CREATE TABLE device (token TEXT NOT NULL, person TEXT NOT NULL, expires_at FLOAT NOT NULL, "
    "n_failed INTEGER DEFAULT '0' NOT NULL, locked_until FLOAT DEFAULT '0' NOT NULL, PRIMARY KEY (token, person))"
)
SESSION_COUNTED = (
    "CREATE TABLE session (token TEXT NOT NULL, person TEXT NOT NULL, form_key TEXT NOT NULL, began_at FLOAT NOT NULL, "
    "seen_at FLOAT NOT NULL, n_failed INTEGER DEFAULT '0' NOT NULL, PRIMARY KEY (token))"
)
VERSION_THEN = "CREATE TABLE version (number INTEGER NOT NULL, PRIMARY KEY (number))"
THEN = {
    1: (PERSON_THEN, INVITATION_THEN, SESSION_THEN),
    2: (PERSON_THEN, INVITATION_THEN, SESSION_THEN, TOKEN_THEN),
    3: (
        PERSON_THEN, INVITATION_THEN, SESSION_COUNTED, DEVICE_THEN, TOKEN_THEN, VERSION_THEN,
        "INSERT INTO version VALUES (3)",
    ),
}  # fmt: skip
"""The tables as each version made them, as SQLAlchemy wrote it then."""
KINDS = ["sqlite", "postgresql"]


def somewhere(request: pytest.FixtureRequest, kind: str) -> sa.URL | None:
    """An address, or None for files."""
    if kind == "sqlite":
        return None
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.new()


def made_then(engine: sa.Engine, version: int, people: list[dict[str, object]]) -> None:
    """Put tables of an older version, with these people, in the place of whatever is there."""
    with engine.begin() as connection:
        schema = "people" if connection.dialect.name == "postgresql" else None
        for name in sa.inspect(connection).get_table_names(schema=schema):
            connection.exec_driver_sql(f"DROP TABLE {name}")
        for statement in THEN[version]:
            connection.exec_driver_sql(statement)
        connection.execute(sa.insert(PERSON), people)
        connection.exec_driver_sql(
            "INSERT INTO session (token, person, form_key, began_at, seen_at) VALUES ('hash', 'p1', 'key', 1e9, 1e9)"
        )


def shape_of(engine: sa.Engine) -> object:
    """Tables with columns, defaults and keys."""
    inspector = sa.inspect(engine)
    schema = "people" if engine.dialect.name == "postgresql" else None
    return {
        table: (
            sorted(
                (
                    column["name"],
                    str(column["type"]),
                    column["nullable"],
                    str(column["default"]).split("::")[0].strip("'"),
                )
                for column in inspector.get_columns(table, schema)
            ),
            sorted(inspector.get_pk_constraint(table, schema)["constrained_columns"]),
            sorted(one["column_names"] for one in inspector.get_unique_constraints(table, schema)),
        )
        for table in inspector.get_table_names(schema)
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", sorted(THEN))
def test_tables_of_each_older_version_become_those_of_now_when_the_trial_is_opened(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, version: int, watch: Watch
) -> None:
    """Column by column the same as tables made new; people come in with what they had; the next start does nothing."""
    served = serve_new(tmp_path / "trial", database=somewhere(request, kind))
    nina = member(served, watch)
    engine = served.room.accounts.engine
    new = shape_of(engine)
    with engine.connect() as connection:
        people = [dict(row) for row in connection.execute(sa.select(PERSON)).mappings()]
    made_then(engine, version, people)
    assert shape_of(engine) != new
    served.room.close()
    for _ in range(2):
        room = opened(served.folder, key_beside(served.folder))
        assert shape_of(room.accounts.engine) == new
        with room.accounts.engine.connect() as connection:
            assert version_of(connection) == NOW
            assert [dict(row) for row in connection.execute(sa.select(PERSON)).mappings()] == people
            assert connection.exec_driver_sql("SELECT n_failed FROM session").scalars().all() == [0]
        room.close()
    again = Served(opened(served.folder, key_beside(served.folder)), served.folder)
    again.anybody().post("/login", nina.said())
    assert again.room.tokens.all() == []
    again.room.close()


@pytest.mark.parametrize("kind", KINDS)
def test_tables_of_a_newer_version_are_refused_and_left_alone(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """When the trial is opened or backed up; the message says what to do. Then the newer program opens it still."""
    served = serve_new(tmp_path / "trial", database=somewhere(request, kind))
    with served.room.accounts.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE version SET number = {NOW + 1}")
    told = re.escape(f"is of version {NOW + 1}, made by a newer Sevenfold; this one knows versions 1 to {NOW}.")
    with pytest.raises(InvalidInput, match=told):
        back_up(served.folder, tmp_path / "backup")
    served.room.close()
    with pytest.raises(InvalidInput, match=told):
        opened(served.folder, key_beside(served.folder))
    engine = people_engine(served.room.accounts.engine.url if kind == "postgresql" else served.folder / "people.db")
    if kind == "sqlite":
        with engine.begin() as connection:
            assert version_of(connection) == NOW + 1
            connection.exec_driver_sql(f"UPDATE version SET number = {NOW}")
        opened(served.folder, key_beside(served.folder)).close()  # nothing was left locked
    engine.dispose()


def test_a_step_that_fails_leaves_the_tables_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps or none: the next start finds an older version, not half of two."""
    engine = people_engine(tmp_path / "people.db")
    made_then(engine, 1, [{"id": "p1", "login": "nina", "name": "Nina", "role": "nurse"}])
    before = shape_of(engine)
    steps = {1: ("CREATE TABLE token (id TEXT)",), 2: ("CREATE TABLE device (id TEXT)", "a mistake")}
    with monkeypatch.context() as patched:
        patched.setattr("sevenfold.service.people.upgrade._STEPS", steps)
        with pytest.raises(sa.exc.OperationalError):
            bring_up(engine)
    assert shape_of(engine) == before
    bring_up(engine)
    with engine.connect() as connection:
        assert version_of(connection) == NOW
    engine.dispose()


def test_a_database_without_people_or_with_two_versions_is_refused(tmp_path: Path) -> None:
    """Neither is a version of ours."""
    empty = people_engine(tmp_path / "empty.db")
    with pytest.raises(InvalidInput, match="no people's tables"):
        bring_up(empty)
    empty.dispose()
    two = people_engine(tmp_path / "two.db")
    make_people(two)
    with two.begin() as connection:
        connection.exec_driver_sql("INSERT INTO version VALUES (99)")
    with pytest.raises(InvalidInput, match="2 versions"):
        bring_up(two)
    two.dispose()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", sorted(THEN))
def test_a_trial_of_an_older_version_is_backed_up_and_restored_as_it_is(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, version: int, watch: Watch
) -> None:
    """One backs up before the newer version is started; the backup is of now, and goes into either database."""
    served = serve_new(tmp_path / "trial")
    member(served, watch)
    engine, people = served.room.accounts.engine, served.room.accounts.people()
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(PERSON)).mappings()]
    made_then(engine, version, rows)
    served.room.close()
    back_up(served.folder, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again", somewhere(request, kind))
    room = opened(tmp_path / "again", key_beside(served.folder))
    assert room.accounts.people() == people
    room.close()
