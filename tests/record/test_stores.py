"""A ledger in each database: it grows at its end alone, by one hand, and says what was done past its guards."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from databases import Cluster
from sevenfold.cli import main
from sevenfold.clock import SimulatedClock
from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.record.event import GENESIS, Draft, Event, link, link_of
from sevenfold.record.exported import export_head, export_of_today, exported_heads
from sevenfold.record.head import LedgerState, SigningKey, signed
from sevenfold.record.layout import APPEND_ONLY, GUARDS
from sevenfold.record.ledger import Ledger
from sevenfold.record.place import Place, engine_arguments, place_of, shown
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.searching import Wanted
from sevenfold.record.verify import verify
from sevenfold.sealing import canonical_json

KEY = SigningKey(bytes(range(32)))
START = datetime(2026, 1, 1, tzinfo=UTC)


def draft(n: int) -> Draft:
    """Something to say."""
    return Draft(
        type="LeftIcu", schema_version=1, subject=f"S-{n % 3}" if n % 4 else None, site=None, actor='nurse "é\u2028"',
        happened_at="2026-01", payload=json.dumps({"n": n}).encode(),
    )  # fmt: skip


def written(place: Place, n: int) -> Place:
    """A ledger with some events, let go of."""
    ledger = Ledger.create(place, SimulatedClock(START), KEY)
    for k in range(n):
        ledger.append(draft(k))
        if k % 3 == 2:
            ledger.commit()
    ledger.commit()
    ledger.close()
    return place


def past_the_guards(place: Place, *statements: str) -> None:
    """Do what somebody at the database itself can do, and put the guards back so that nothing shows."""
    names = {"sqlite": [text.split()[2] for text in APPEND_ONLY], "postgresql": list(GUARDS)}
    if isinstance(place, Path):
        engine = sa.create_engine(f"sqlite:///{place}", poolclass=sa.NullPool)
        before = [f"DROP TRIGGER {name}" for name in names["sqlite"]]
        after = list(APPEND_ONLY)
    else:
        engine = sa.create_engine(**engine_arguments(place), poolclass=sa.NullPool)
        tables = {name: name.partition("_")[0] for name in names["postgresql"]}
        before = ["SET search_path = record", *(f"DROP TRIGGER {name} ON {tables[name]}" for name in tables)]
        after = list(GUARDS.values())
        after += [f"ALTER TABLE {tables[name]} ENABLE ALWAYS TRIGGER {name}" for name in tables]
    with engine.begin() as connection:
        for statement in (*before, *statements, *after):
            connection.exec_driver_sql(statement)


def relinked(events: Iterable[Event], key: SigningKey) -> list[str]:
    """Statements that put other events in place of a ledger's, chained and signed anew."""
    made: list[Event] = []
    for n, event in enumerate(events, start=1):
        moved = dataclasses.replace(event, sequence=n, previous_hash=made[-1].hash if made else GENESIS)
        made.append(dataclasses.replace(moved, hash=link(moved)))
    head = signed(key, len(made), made[-1].hash, LedgerState.RUNNING)
    changed = [
        f"UPDATE event SET actor = '{one.actor}', previous_hash = '{one.previous_hash}', hash = '{one.hash}' "
        f"WHERE sequence = {one.sequence}"
        for one in made
    ]
    return [
        *changed,
        f"UPDATE head SET hash = '{head.hash}', signature = '{head.signature}', public_key = '{head.public_key}'",
    ]


def test_what_was_committed_is_read_back_and_verified(new_place: Callable[[], Place]) -> None:
    """The same events by the same code from either database, and what was not committed never happened."""
    place = written(new_place(), 10)
    again = Ledger.reopened(place, SimulatedClock(START), KEY)
    again.append(draft(10))
    assert [event.sequence for event in again.events()] == list(range(1, 11))
    assert [event.sequence for event in again.search(Wanted(above=7)).events] == [10, 9, 8]
    again.close()
    events = read_events(place)
    assert [event.payload for event in events] == [draft(n).payload for n in range(10)]
    assert [event.subject for event in events] == [draft(n).subject for n in range(10)]
    assert events[0].actor == draft(0).actor
    assert read_head(place).count == 10
    found = verify(place)
    assert found.faults == ()
    assert found.n_events == 10


def test_a_ledger_is_never_made_twice_in_one_place(new_place: Callable[[], Place]) -> None:
    """What lies there stays."""
    place = written(new_place(), 2)
    with pytest.raises(InvalidInput, match="never overwritten"):
        Ledger.create(place, SimulatedClock(START), KEY)
    assert verify(place).n_events == 2


def test_a_second_writer_is_refused_and_a_later_one_is_not(
    new_place: Callable[[], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers on one trial would each think that the next place is theirs."""
    monkeypatch.setattr("sevenfold.record.postgresql._PATIENCE_S", 0.0)
    place = written(new_place(), 1)
    first = Ledger.reopened(place, SimulatedClock(START), KEY)
    with pytest.raises(InvalidInput, match="open for writing elsewhere"):
        Ledger.reopened(place, SimulatedClock(START), KEY)
    first.append(draft(1))
    first.commit()
    first.close()
    second = Ledger.reopened(place, SimulatedClock(START), KEY)
    assert second.head.count == 2
    second.close()


def test_who_appends_behind_an_old_head_is_refused_and_changes_nothing(new_place: Callable[[], Place]) -> None:
    """Even past the lock: the head must still be the one that was read."""
    place = written(new_place(), 1)
    old = read_head(place)
    first = Ledger.reopened(place, SimulatedClock(START), KEY)
    first.append(draft(1))
    first.commit()
    first.close()
    late = Ledger.behind(place, SimulatedClock(START), KEY, old)
    late.append(draft(2))
    with pytest.raises(AuditBroken, match="Somebody else has appended"):
        late.commit()
    late.close()
    assert verify(place).faults == ()
    assert [event.payload for event in read_events(place)] == [draft(0).payload, draft(1).payload]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE {0}event SET actor = 'x'", "DELETE FROM {0}event", "DELETE FROM {0}head",
     "INSERT INTO {0}event SELECT 1, type, 1, null, null, actor, happened_at, recorded_at, payload, previous_hash, 'x' "
     "FROM {0}event WHERE sequence = 2"],
)  # fmt: skip
def test_the_database_itself_refuses_to_change_events(new_place: Callable[[], Place], statement: str) -> None:
    """By mistake nobody can, whatever program is used."""
    refused(written(new_place(), 3), statement)


def test_postgresql_refuses_to_empty_the_table_of_events(cluster: Cluster) -> None:
    """TRUNCATE, which SQLite does not have."""
    refused(written(cluster.new(), 3), "TRUNCATE {0}event")


def refused(place: Place, statement: str) -> None:
    """The database refuses a statement, and the ledger is whole after it."""
    if isinstance(place, Path):
        engine, schema = sa.create_engine(f"sqlite:///{place}", poolclass=sa.NullPool), ""
    else:
        engine, schema = sa.create_engine(**engine_arguments(place), poolclass=sa.NullPool), "record."
    with pytest.raises(sa.exc.DBAPIError, match=r"never|only added"), engine.begin() as connection:
        connection.exec_driver_sql(statement.format(schema))
    assert verify(place).faults == ()


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (("UPDATE event SET actor = 'x' WHERE sequence = 4",), "Event 4 (LeftIcu) was changed"),
        (("DELETE FROM event WHERE sequence = 4",), "Event 4 is missing"),
        (("INSERT INTO event SELECT 11, type, 1, null, null, actor, happened_at, recorded_at, payload, hash, 'x' "
          "FROM event WHERE sequence = 10",), "Event 11 (LeftIcu) was changed"),
        (("UPDATE event SET sequence = 0 WHERE sequence = 4", "UPDATE event SET sequence = 4 WHERE sequence = 5",
          "UPDATE event SET sequence = 5 WHERE sequence = 0"), "Event 4 (LeftIcu) does not follow"),
        (("DELETE FROM event WHERE sequence > 7",), "cut short: its signed head says 10 events, 7 are there"),
    ],
    ids=["edited", "deleted", "inserted", "reordered", "cut short"],
)  # fmt: skip
def test_what_is_done_past_the_guards_is_found_and_located(
    new_place: Callable[[], Place], statements: tuple[str, ...], says: str
) -> None:
    """Whoever owns the database can do anything; the chain and the signed head tell what."""
    place = written(new_place(), 10)
    past_the_guards(place, *statements)
    found = verify(place)
    assert any(says in fault for fault in found.faults), found.faults
    assert not any("trigger" in fault for fault in found.faults)


@pytest.mark.parametrize("key", [KEY, SigningKey(bytes(32))], ids=["the stolen key", "another key"])
def test_a_chain_made_anew_fails_against_the_exported_heads(
    new_place: Callable[[], Place], tmp_path: Path, key: SigningKey
) -> None:
    """Whoever has the signing key too leaves a whole ledger behind; only what was kept elsewhere tells."""
    place = written(new_place(), 10)
    heads = tmp_path / "kept"
    export_of_today(read_head(place), heads, START)
    ledger = Ledger.reopened(place, SimulatedClock(START), KEY)
    ledger.append(draft(10))
    ledger.commit()
    ledger.close()
    export_head(read_head(place), heads, START)
    assert verify(place, exported_heads(heads)).faults == ()
    events = [dataclasses.replace(one, actor="x") if one.sequence == 4 else one for one in read_events(place)]
    past_the_guards(place, *relinked(events, key))
    assert verify(place).faults == ()
    found = verify(place, exported_heads(heads))
    assert len(found.faults) == 2
    assert all("chained anew" in fault for fault in found.faults)


def test_an_exported_head_is_written_once_a_day_and_never_over_another(tmp_path: Path) -> None:
    """Who could overwrite the day's head could forge the day."""
    first, second = (signed(KEY, n, "0" * 64, LedgerState.RUNNING) for n in (1, 2))
    path = export_of_today(first, tmp_path, START)
    assert path.name == "2026-01-01.json"
    assert export_of_today(second, tmp_path, START) == path
    assert exported_heads(path) == [first]
    asked = export_head(second, tmp_path, START)
    assert export_head(second, tmp_path, START) == asked
    with pytest.raises(InvalidInput, match="never overwritten"):
        export_head(signed(SigningKey(bytes(32)), 2, "1" * 64, LedgerState.RUNNING), tmp_path, START)
    assert exported_heads(tmp_path) == [second, first]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DROP TRIGGER event_is_never_changed ON record.event", "trigger event_is_never_changed is missing"),
        ("ALTER TABLE record.event DISABLE TRIGGER event_is_only_added", "trigger event_is_only_added was changed"),
        ("CREATE OR REPLACE FUNCTION record.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
         "trigger refuse was changed"),
        ("CREATE TABLE record.notes (words text)", "has a table 'notes', which no ledger has"),
        ("CREATE RULE quiet AS ON INSERT TO record.head DO INSTEAD NOTHING", "has a rule 'quiet'"),
        ("ALTER TABLE record.event ADD COLUMN arm text", "table event has a column 'arm', which no ledger has"),
        ("ALTER TABLE record.event ALTER COLUMN actor DROP NOT NULL", "column 'actor' of the table event was changed"),
    ],
)  # fmt: skip
def test_what_was_taken_from_or_added_to_the_schema_is_noticed(cluster: Cluster, statement: str, says: str) -> None:
    """As of a file of SQLite, whose tests stand in test_structure.py."""
    place = cluster.new()
    assert verify(written(place, 2)).faults == ()
    cluster.do(place, statement)
    found = verify(place)
    assert len(found.faults) == 1, found.faults
    assert says in found.faults[0]


def test_the_command_verifies_a_database_by_its_address(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """And never prints a password."""
    place = written(cluster.new(), 4)
    assert not isinstance(place, Path)
    address = place.set(password="secret").render_as_string(hide_password=False)
    assert main(["verify", address]) == 0
    said = capsys.readouterr()
    assert "4 events, chain and head hold" in said.out
    assert "secret" not in said.out + said.err
    assert main(["verify", address.replace("/trial_", "/nowhere_")]) == 2
    said = capsys.readouterr()
    assert "cannot be reached" in said.err
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mysql://user@host/db", "no database 'mysql'"),
        ("postgresql://host", "names no user or no database"),
        ("postgresql://user@host/db?options=x", "'options' is not known"),
        ("postgresql://user@host:port/db", "cannot be read"),
    ],
)
def test_an_address_that_is_none_is_refused_in_our_words(text: str, says: str) -> None:
    """What would be right is said."""
    with pytest.raises(InvalidInput, match=says):
        place_of(text)


def test_how_an_address_is_read() -> None:
    """A socket's folder as PostgreSQL's programs take it; anything but full verification of TLS is refused."""
    place = place_of("postgresql://me:word@/db?host=/run/pg")
    assert isinstance(place, sa.URL)
    said = engine_arguments(place)
    assert said["connect_args"]["unix_sock"] == "/run/pg/.s.PGSQL.5432"
    assert said["url"].password == "word"
    assert "word" not in shown(place)
    assert place_of("trial.db") == Path("trial.db")
    with pytest.raises(InvalidInput, match="verify-full"):
        engine_arguments(place.update_query_dict({"sslmode": "require"}))


_WORDS = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    sequence=st.integers(0, 2**40), kind=_WORDS, version=st.integers(0, 9), subject=st.none() | _WORDS,
    site=st.none() | _WORDS, actor=_WORDS, happened=_WORDS, recorded=_WORDS, payload=st.binary(), previous=_WORDS,
)  # fmt: skip
def test_the_envelope_that_is_written_out_is_the_canonical_one(
    sequence: int, kind: str, version: int, subject: str | None, site: str | None, actor: str, happened: str,
    recorded: str, payload: bytes, previous: str,
) -> None:  # fmt: skip
    """Two ways: the list through ``canonical_json``, as anybody else would verify it."""
    from hashlib import sha256

    listed = [
        1,
        sequence,
        kind,
        version,
        subject,
        site,
        actor,
        happened,
        recorded,
        sha256(payload).hexdigest(),
        previous,
    ]
    assert (
        link_of(sequence, kind, version, subject, site, actor, happened, recorded, payload, previous)
        == sha256(canonical_json(listed)).hexdigest()
    )
