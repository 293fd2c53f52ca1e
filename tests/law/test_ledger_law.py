"""Laws of the ledger: what is committed stays, what is not is gone, and nothing can be altered unseen (stateful)."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sevenfold.clock import SimulatedClock
from sevenfold.record.event import Draft, Event
from sevenfold.record.head import Head, LedgerState, SigningKey
from sevenfold.record.layout import APPEND_ONLY
from sevenfold.record.ledger import Ledger
from sevenfold.record.reading import read_events
from sevenfold.record.verify import verify
from sevenfold.sealing import canonical_json

SIGNER = SigningKey(bytes(range(32)))
START = datetime(2016, 1, 14, tzinfo=UTC)
COLUMNS = (
    "type",
    "schema_version",
    "subject",
    "site",
    "actor",
    "happened_at",
    "recorded_at",
    "payload",
    "previous_hash",
)


def draft(words: str, subject: str | None) -> Draft:
    return Draft(
        type="Said",
        schema_version=1,
        subject=subject,
        site="FR-1",
        actor="nurse",
        happened_at="2016-01-14T09:00+01:00",
        payload=canonical_json({"words": words}),
    )


class LedgerMachine(RuleBasedStateMachine):
    """Appends, commits, crashes and looks; after every step the file is whole and holds exactly what was committed."""

    @initialize()
    def open_ledger(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "trial.db"
        self.clock = SimulatedClock(START)
        self.ledger = Ledger.create(self.path, self.clock, SIGNER)
        self.committed: list[Event] = []
        self.waiting: list[Event] = []
        self.exported: list[Head] = []

    @rule(words=st.text(max_size=20), subject=st.none() | st.sampled_from(["S-1", "S-2"]), hours=st.integers(0, 48))
    def append(self, words: str, subject: str | None, hours: int) -> None:
        self.clock.move_to(self.clock.now() + timedelta(hours=hours))
        self.waiting.append(self.ledger.append(draft(words, subject)))

    @rule(state=st.sampled_from([LedgerState.RUNNING, LedgerState.INTERRUPTED]))
    def commit(self, state: LedgerState) -> None:
        self.exported.append(self.ledger.commit(state))
        self.committed += self.waiting
        self.waiting = []

    @rule()
    def crash_and_reopen(self) -> None:
        """What was not committed never happened."""
        self.ledger.close()
        self.ledger = Ledger.behind(self.path, self.clock, SIGNER)
        self.waiting = []

    @precondition(lambda self: self.committed)
    @rule(data=st.data())
    def tamper_with_a_copy(self, data: st.DataObject) -> None:
        """Edit, delete, move, cut short: each is found."""
        copy = self.folder / "copy.db"
        with closing(sqlite3.connect(self.path)) as connection, closing(sqlite3.connect(copy)) as target:
            connection.backup(target)
        place = data.draw(st.integers(1, len(self.committed)))
        how = data.draw(st.sampled_from(["edit", "delete", "move", "cut"]))
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute("DROP TRIGGER event_is_never_changed")
            connection.execute("DROP TRIGGER event_is_never_deleted")
            if how == "edit":
                column = data.draw(st.sampled_from(COLUMNS))
                value: object = (
                    b'{"words":"forged"}' if column == "payload" else 7 if column == "schema_version" else "forged"
                )
                connection.execute(f"UPDATE event SET {column} = ? WHERE sequence = ?", (value, place))
            elif how == "delete":
                connection.execute("DELETE FROM event WHERE sequence = ?", (place,))
            elif how == "cut":
                connection.execute("DELETE FROM event WHERE sequence >= ?", (place,))
            else:
                connection.execute("UPDATE event SET sequence = sequence + 1000 WHERE sequence = ?", (place,))
            for trigger in APPEND_ONLY[:2]:
                connection.execute(trigger)  # whoever knows how to drop them puts them back
        assert not verify(copy).is_whole, how
        copy.unlink()

    @invariant()
    def the_file_is_whole_and_holds_what_was_committed(self) -> None:
        if not hasattr(self, "path"):
            return
        assert read_events(self.path) == self.committed
        found = verify(self.path)
        assert found.is_whole, found.faults
        for head in self.exported:
            assert verify(self.path, head).is_whole

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
            shutil.rmtree(self.folder, ignore_errors=True)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=25, stateful_step_count=18, deadline=None)
