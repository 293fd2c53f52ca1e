"""Faults of a ledger that verification must tell, and that the ledger must refuse."""

import dataclasses
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from requirement.forgery import edited
from requirement.scripted import AT, KEY, Desk
from sevenfold.cli import main
from sevenfold.record.event import Draft
from sevenfold.record.head import LedgerState
from sevenfold.record.ledger import Ledger
from sevenfold.record.reading import read_head
from sevenfold.record.verify import verify
from sevenfold.trial.closing import unblind_trial


@pytest.mark.requirement("ALLOC-16")
def test_assignments_that_contradict_the_committed_list_are_found(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk(6)
    for k in range(1, 7):
        trial.randomised(f"FR-1-{k:03d}")
    trial.locked()
    shown = trial.vault.reveal(is_locked=True)
    turned = {"placebo": "high", "high": "placebo", "low": "low"}
    forged = {number: turned[arm] for number, arm in shown.assignments.items()}
    assert forged != shown.assignments
    unblind_trial(trial.conduct, forged, shown.allocation_list, shown.nonce, shown.results_key, AT)
    assert main(["verify", str(trial.closed())]) == 2


@pytest.mark.requirement("AUDIT-15", "AUDIT-4")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET payload = replace(payload, 'France', 'Spain') WHERE sequence = 2",
        "UPDATE event SET payload = CAST(payload AS TEXT) WHERE sequence = 2",
        "UPDATE event SET actor = CAST(actor AS BLOB) WHERE sequence = 2",
        "UPDATE head SET state = 'done'",
        "UPDATE head SET count = 'all'",
        "UPDATE head SET hash = CAST(hash AS BLOB)",
        "UPDATE head SET public_key = CAST(public_key AS BLOB)",
        "UPDATE head SET signature = CAST(signature AS BLOB)",
        "DELETE FROM head",
    ],
)
def test_a_value_of_another_type_is_a_fault_and_no_crash(open_desk: Callable[..., Desk], statement: str) -> None:
    trial = open_desk()
    trial.consented()
    path = edited(trial.closed(), statement)
    assert main(["verify", str(path)]) == 2


@pytest.mark.requirement("AUDIT-4")
def test_an_older_head_over_the_same_events_is_found_with_the_exported_one(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.consented()
    running = trial.conduct.ledger.commit()
    path = trial.closed()
    exported = read_head(path)
    edited(path, ("UPDATE head SET state = ?, signature = ?", (running.state.value, running.signature)))
    assert not verify(path, exported).is_whole


@pytest.mark.requirement("AUDIT-17")
def test_a_ledger_exported_as_complete_does_not_grow(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.consented()
    path = trial.closed()
    exported = read_head(path)
    opened = dataclasses.replace(exported, state=LedgerState.RUNNING)  # past the ledger's own refusal
    again = Ledger.behind(path, trial.clock, KEY, opened)
    again.append(
        Draft(
            type="ConsentWithdrawn",
            schema_version=1,
            subject="FR-1-001",
            site="FR-1",
            actor="x",
            happened_at="2016-06-01T00:00+02:00",
            payload=b"{}",
        )
    )
    again.commit(LedgerState.COMPLETE)
    again.close()
    assert not verify(path, exported).is_whole


@pytest.mark.requirement("AUDIT-9")
def test_the_time_of_recording_never_runs_backwards(tmp_path: Path) -> None:
    class SetBack:
        def __init__(self) -> None:
            self.times = [AT, AT - timedelta(hours=1)]

        def now(self) -> datetime:
            return self.times.pop(0)

    ledger = Ledger.create(tmp_path / "trial.db", SetBack(), KEY)
    said = Draft(
        type="LeftIcu",
        schema_version=1,
        subject="S",
        site=None,
        actor="nurse",
        happened_at="2016-05-01T00:00+02:00",
        payload=b"{}",
    )
    recorded = [ledger.append(said).recorded_at for _ in range(2)]
    assert recorded == sorted(recorded)


@pytest.mark.requirement("AUDIT-8")
def test_an_event_is_not_replaced_through_sql(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.consented()
    with closing(sqlite3.connect(trial.closed())) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(
            "REPLACE INTO event SELECT sequence, type, schema_version, subject, site, 'monitor', happened_at, "
            "recorded_at, payload, previous_hash, hash FROM event WHERE sequence = 3"
        )
