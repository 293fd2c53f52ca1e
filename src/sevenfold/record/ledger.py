"""The ledger: events in a database that only ever grows, with a signed head kept apart from them.

Appending is one transaction: the events, their chain, and the new head. SQLite in write-ahead mode with full
synchronisation; SQLAlchemy Core, so that another database is another address.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, final

import sqlalchemy as sa

from sevenfold.clock import Clock
from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.record.event import GENESIS, Draft, Event, chained
from sevenfold.record.head import Head, LedgerState, Signer, signed
from sevenfold.record.layout import APPEND_ONLY, EVENT, HEAD, METADATA
from sevenfold.record.reading import events_of, read_head

__all__ = ["Ledger"]


@final
@dataclass(slots=True)
class Ledger:
    """A ledger that is open for appending."""

    engine: sa.Engine
    clock: Clock
    signer: Signer
    head: Head
    _waiting: list[Event] = field(default_factory=list)
    _recorded: datetime | None = None  # when the last event was recorded; None until it has been asked for

    @classmethod
    def create(cls, path: Path, clock: Clock, signer: Signer) -> Self:
        """A new, empty ledger in a file that does not exist yet."""
        if path.exists():
            raise InvalidInput(f"{path} exists already; a ledger is never overwritten.")
        engine = _engine(path)
        METADATA.create_all(engine)
        with engine.begin() as connection:
            for trigger in APPEND_ONLY:
                connection.execute(sa.text(trigger))
        ledger = cls(engine, clock, signer, signed(signer, 0, GENESIS, LedgerState.RUNNING))
        with engine.begin() as connection:
            connection.execute(sa.insert(HEAD).values(id=1, **_columns(ledger.head)))
        return ledger

    @classmethod
    def reopened(cls, path: Path, clock: Clock, signer: Signer) -> Self:
        """A ledger that is there and not closed for good, to be gone on with.

        Raises:
            InvalidInput: there is none, or another key signed it.
            AuditBroken: its head is lost.
            OutOfOrder: it was closed as complete, or says that its run was interrupted.
        """
        head = read_head(path)
        if head.public_key != signer.public_key:
            raise InvalidInput(
                f"{path} is signed with another key than this one; it can be gone on with only by its own."
            )
        if head.state not in (LedgerState.RUNNING, LedgerState.LOCKED):
            raise OutOfOrder(f"{path} cannot be gone on with: it was closed as {head.state}.")
        return cls(_engine(path), clock, signer, head)

    def append(self, draft: Draft) -> Event:
        """Chain an event behind the last one. It is durable after :meth:`commit`.

        The time of recording never runs backwards: while a clock that was set back shows less than the last event's
        time, events carry that time.

        Raises:
            OutOfOrder: the ledger is complete, or locked and this is not the unblinding.
        """
        is_closed = self.head.state is LedgerState.COMPLETE
        if is_closed or (self.head.state is LedgerState.LOCKED and draft.type != "Unblinded"):
            raise OutOfOrder(f"{draft.type} cannot be recorded: the ledger was closed as {self.head.state}.")
        previous = self._waiting[-1] if self._waiting else None
        sequence = (previous.sequence if previous else self.head.count) + 1
        self._recorded = max(self.clock.now(), self._recorded or self.last_recorded())
        event = chained(draft, sequence, self._recorded, previous.hash if previous else self.head.hash)
        self._waiting.append(event)
        return event

    def commit(self, state: LedgerState = LedgerState.RUNNING) -> Head:
        """Make everything appended so far durable, in one transaction with the head that covers it."""
        count = self._waiting[-1].sequence if self._waiting else self.head.count
        last = self._waiting[-1].hash if self._waiting else self.head.hash
        head = signed(self.signer, count, last, state)
        with self.engine.begin() as connection:
            if self._waiting:
                connection.execute(sa.insert(EVENT), [_row(event) for event in self._waiting])
            connection.execute(sa.update(HEAD).values(**_columns(head)))
        self.head, self._waiting = head, []
        return head

    def waiting(self) -> tuple[Event, ...]:
        """What was appended and is not durable yet."""
        return tuple(self._waiting)

    def discard(self) -> None:
        """Forget what was appended and is not durable yet, as if it had never been said."""
        self._waiting.clear()

    def last_recorded(self) -> datetime:
        """When the last committed event was recorded."""
        with self.engine.connect() as connection:
            said = connection.execute(sa.select(sa.func.max(EVENT.c.recorded_at))).scalar()
        return datetime.min.replace(tzinfo=UTC) if said is None else datetime.fromisoformat(said)

    def events(self) -> Iterator[Event]:
        """Every committed event, in order."""
        with self.engine.connect() as connection:
            yield from events_of(connection)

    def events_of(self, subject: str) -> tuple[Event, ...]:
        """Every committed event of a subject, in order."""
        with self.engine.connect() as connection:
            return tuple(events_of(connection, subject))

    def of_type(self, kind: str) -> tuple[Event, ...]:
        """Every committed event of a kind, in order."""
        with self.engine.connect() as connection:
            return tuple(events_of(connection, kind=kind))

    def close(self) -> None:
        """Let go of the file. What was appended and not committed is lost, as if it had never been said."""
        if self.head.state in (LedgerState.LOCKED, LedgerState.COMPLETE):
            with self.engine.connect() as connection:  # a finished ledger is one file that opens on read-only media
                connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        self.engine.dispose()


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return engine


def _columns(head: Head) -> dict[str, Any]:
    return {
        "count": head.count,
        "hash": head.hash,
        "state": head.state.value,
        "public_key": head.public_key,
        "signature": head.signature,
    }


def _row(event: Event) -> dict[str, Any]:
    return {column.name: getattr(event, column.name) for column in EVENT.columns}
