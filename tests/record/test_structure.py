"""A ledger's file is looked at as a whole: what guards it, what was added to it, and what is said of it."""

import dataclasses
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sevenfold.cli import main
from sevenfold.record.event import GENESIS, Event, link
from sevenfold.record.head import LedgerState, SigningKey, signed
from sevenfold.record.layout import APPEND_ONLY
from sevenfold.record.reading import read_events
from sevenfold.record.verify import verify
from sevenfold.sealing import derived_key


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DROP TRIGGER event_is_never_changed", "trigger event_is_never_changed is missing"),
        ("DROP TRIGGER head_is_never_deleted", "trigger head_is_never_deleted is missing"),
        ("CREATE TABLE notes (words TEXT)", "has a table 'notes', which no ledger has"),
        ("CREATE VIEW arms AS SELECT 1", "has a view 'arms', which no ledger has"),
        ("CREATE TRIGGER mine BEFORE INSERT ON head BEGIN SELECT 1; END", "has a trigger 'mine'"),
        ("ALTER TABLE event ADD COLUMN arm TEXT", "table event has a column 'arm', which no ledger has"),
    ],
)
def test_what_was_taken_from_or_added_to_the_file_is_noticed(
    ledger_copy: Callable[[], Path], statement: str, says: str
) -> None:
    path = ledger_copy()
    assert verify(path).is_whole
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    found = verify(path)
    assert len(found.faults) == 1
    assert says in found.faults[0]


def test_a_trigger_that_was_made_harmless_is_noticed(ledger_copy: Callable[[], Path]) -> None:
    path = ledger_copy()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TRIGGER event_is_never_changed")
        connection.execute("CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event BEGIN SELECT 1; END")
    assert verify(path).faults == ("The trigger event_is_never_changed was changed.",)


def test_what_goes_unseen_without_a_head_kept_elsewhere_is_said(
    ledger_copy: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(ledger_copy())]) == 0
    said = capsys.readouterr().out
    assert "cut short and given back an older head of its own" in said
    assert "--head" in said


def forged(path: Path, change: Callable[[Event], Event | None], *, is_linked: bool) -> None:
    """Other events in a copy, chained and signed anew with the rehearsal's own key if wanted."""
    made: list[Event] = []
    for event in read_events(path):
        changed = change(event)
        if changed is None:
            continue
        number = dataclasses.replace(changed, sequence=len(made) + 1)
        if is_linked:
            number = dataclasses.replace(number, previous_hash=made[-1].hash if made else GENESIS)
            number = dataclasses.replace(number, hash=link(number))
        made.append(number)
    key = SigningKey(derived_key(b"3", "rehearsal: signing key", 32))
    head = signed(key, len(made), made[-1].hash, LedgerState.COMPLETE)
    with closing(sqlite3.connect(path)) as connection, connection:
        for name in ("event_is_never_changed", "event_is_never_deleted", "event_is_only_added"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM event")
        marks = ", ".join("?" for _ in dataclasses.fields(Event))
        connection.executemany(f"INSERT INTO event VALUES ({marks})", [dataclasses.astuple(one) for one in made])
        if is_linked:
            connection.execute(
                "UPDATE head SET count = ?, hash = ?, public_key = ?, signature = ?",
                (head.count, head.hash, head.public_key, head.signature),
            )
        for trigger in APPEND_ONLY[:3]:
            connection.execute(trigger)


@pytest.mark.parametrize("payload", [b"not json", b'{"a": 1}'])
def test_a_signed_event_that_is_none_of_its_kind_is_a_fault_in_our_words(
    ledger_copy: Callable[[], Path], payload: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ledger_copy()
    forged(
        path,
        lambda event: dataclasses.replace(event, payload=payload) if event.type == "TrialOpened" else event,
        is_linked=True,
    )
    assert main(["verify", str(path)]) == 2
    said = capsys.readouterr()
    assert "FAULT  Event 1 (TrialOpened) does not hold what its kind should" in said.out
    assert "pydantic" not in said.out
    assert "1 fault in" in said.out
    assert said.err == ""


def test_many_faults_are_counted_and_the_first_shown(
    ledger_copy: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = ledger_copy()
    forged(path, lambda event: None if event.sequence == 50 else event, is_linked=False)
    assert main(["verify", str(path)]) == 2
    said = capsys.readouterr().out
    assert said.count("FAULT") == 8
    assert "Event 50 " in said
    assert "more faults, which follow from these" in said
