"""The ledger as a file."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rehearsals import Rehearsed
from sevenfold.clock import SimulatedClock
from sevenfold.errors import AuditBroken, InvalidInput, OutOfOrder
from sevenfold.record.event import Event
from sevenfold.record.head import AFTER_LOCK, LedgerState, SigningKey
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import Payload, RunInterrupted, UnblindingAsked, VisitHeld, read_payload
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.verify import verify
from sevenfold.trial.standing import TrialStanding


def test_events_are_never_changed_or_deleted_through_sql(ledger_copy: Callable[[], Path]) -> None:
    with closing(sqlite3.connect(ledger_copy())) as connection:
        for statement in ("UPDATE event SET actor = 'x'", "DELETE FROM event"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(statement)


def test_a_ledger_is_never_overwritten(ledger_copy: Callable[[], Path]) -> None:
    with pytest.raises(InvalidInput, match="never overwritten"):
        Ledger.create(ledger_copy(), SimulatedClock(datetime(2016, 1, 1, tzinfo=UTC)), SigningKey(bytes(32)))


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + b"\x00" * 100])
def test_what_is_no_ledger_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"is not a ledger|cannot be opened"):
        read_events(path)
    with pytest.raises(InvalidInput, match="There is no ledger"):
        read_events(tmp_path / "missing.db")


def test_a_finished_ledger_is_one_file_that_opens_read_only(small_trial: Rehearsed, tmp_path: Path) -> None:
    assert not (small_trial.folder / "trial.db-wal").exists()
    path = tmp_path / "trial.db"
    path.write_bytes((small_trial.folder / "trial.db").read_bytes())
    before = path.stat().st_mtime_ns
    tmp_path.chmod(0o555)
    try:
        assert verify(path).is_whole
    finally:
        tmp_path.chmod(0o755)
    assert path.stat().st_mtime_ns == before
    assert [item.name for item in tmp_path.iterdir()] == ["trial.db"]


def test_every_payload_is_read_back_as_it_was_written(small_trial: Rehearsed) -> None:
    """The bytes that were hashed are the canonical form of what they say."""
    for event in read_events(small_trial.folder / "trial.db"):
        assert read_payload(event).canonical() == event.payload


def test_an_unknown_kind_of_event_is_an_error_and_not_skipped(small_trial: Rehearsed) -> None:
    first = read_events(small_trial.folder / "trial.db")[0]
    unknown = Event(**{**{f: getattr(first, f) for f in first.__slots__}, "type": "Forecast"})
    with pytest.raises(AuditBroken, match="cannot read"):
        read_payload(unknown)


def test_no_payload_has_a_place_for_an_arm() -> None:
    """What must stay blind can't be written down by mistake: only the unblinding names arms."""
    for kind in Payload.__subclasses__():
        if kind.__name__ != "Unblinded":
            assert not {"arm", "product", "treatment", "assignment"} & set(kind.model_fields), kind.__name__
    assert "results" in VisitHeld.model_fields


def test_the_clock_of_the_record_runs_forward_and_people_s_time_is_kept(small_trial: Rehearsed) -> None:
    events = read_events(small_trial.folder / "trial.db")
    recorded = [event.recorded_at for event in events]
    assert recorded == sorted(recorded)
    for event in events:
        assert datetime.fromisoformat(event.happened_at) <= datetime.fromisoformat(event.recorded_at)
    assert read_head(small_trial.folder / "trial.db").state is LedgerState.COMPLETE


def test_what_may_follow_a_lock_is_what_the_trial_takes_for_no_datum() -> None:
    """The ledger holds a locked head against names, the trial holds a step against where it stands: one rule. Only
    that a run was interrupted is left to the ledger, which has been closed by then.
    """
    asked = UnblindingAsked.model_construct(person="1", name="Somebody")
    passed: set[str] = set()
    for kind in Payload.__subclasses__():
        locked = TrialStanding(is_open=True, is_locked=True, asked=None if kind is UnblindingAsked else asked)
        try:
            locked.check(kind.model_construct(), None, None)
        except OutOfOrder:
            continue
        passed.add(kind.__name__)
    assert passed == AFTER_LOCK | {RunInterrupted.__name__}
