"""The ledger: events in a database that only ever grows, with a signed head kept apart from them.

Appending is one transaction: the events, their chain, and the new head, which must still be the one that was read last.
SQLAlchemy Core, so that another database is another address.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, final

import sqlalchemy as sa

from sevenfold.clock import Clock
from sevenfold.errors import AuditBroken, InvalidInput, OutOfOrder
from sevenfold.record.event import GENESIS, Draft, Event, chained
from sevenfold.record.head import AFTER_LOCK, Head, LedgerState, Signer, signed
from sevenfold.record.layout import EVENT, HEAD
from sevenfold.record.place import Place, shown
from sevenfold.record.reading import event_of, events_of, events_of_kind, read_head, rows_of
from sevenfold.record.searching import Found, Wanted, search
from sevenfold.record.store import store_of

__all__ = ["Ledger"]


@final
@dataclass(slots=True)
class Ledger:
    """A ledger that is open for appending, by nobody else at the same time."""

    place: Place
    clock: Clock
    signer: Signer
    head: Head
    _writing: sa.Engine = field(repr=False)
    _reading: sa.Engine = field(repr=False)
    _waiting: list[Event] = field(default_factory=list)
    _recorded: datetime | None = None  # when the last event was recorded; None until it has been asked for

    @classmethod
    def create(cls, place: Place, clock: Clock, signer: Signer) -> Self:
        """A new, empty ledger where there is none yet.

        Raises:
            InvalidInput: there is one, or the database cannot be reached.
        """
        store = store_of(place)
        store.check_free()
        writing = store.writing()
        store.build(writing)
        ledger = cls(place, clock, signer, signed(signer, 0, GENESIS, LedgerState.RUNNING), writing, store.reading())
        with writing.begin() as connection:
            connection.execute(sa.insert(HEAD).values(id=1, **_columns(ledger.head)))
        return ledger

    @classmethod
    def reopened(cls, place: Place, clock: Clock, signer: Signer) -> Self:
        """A ledger that is there and not closed for good, to be gone on with.

        Raises:
            InvalidInput: there is none, another key signed it, or it is open for writing elsewhere.
            AuditBroken: its head is lost.
            OutOfOrder: it was closed as complete, or says that its run was interrupted.
        """
        head = read_head(place)
        if head.public_key != signer.public_key:
            raise InvalidInput(
                f"{shown(place)} is signed with another key than this one; it can be gone on with only by its own."
            )
        if head.state not in (LedgerState.RUNNING, LedgerState.LOCKED):
            raise OutOfOrder(f"{shown(place)} cannot be gone on with: it was closed as {head.state}.")
        return cls.behind(place, clock, signer)

    @classmethod
    def behind(cls, place: Place, clock: Clock, signer: Signer, head: Head | None = None) -> Self:
        """A ledger to be gone on with behind a head, whatever its state says; behind its own unless one is given."""
        store = store_of(place)
        writing = store.writing()
        return cls(place, clock, signer, head or read_head(place), writing, store.reading())

    def append(self, draft: Draft) -> Event:
        """Chain an event behind the last one. It is durable after :meth:`commit`.

        The time of recording never runs backwards: while a clock that was set back shows less than the last event's
        time, events carry that time.

        Raises:
            OutOfOrder: the ledger is complete, or locked and this is a datum.
        """
        is_closed = self.head.state is LedgerState.COMPLETE
        if is_closed or (self.head.state is LedgerState.LOCKED and draft.type not in AFTER_LOCK):
            raise OutOfOrder(f"{draft.type} cannot be recorded: the ledger was closed as {self.head.state}.")
        previous = self._waiting[-1] if self._waiting else None
        sequence = self.last_sequence + 1
        self._recorded = max(self.clock.now(), self._recorded or self.last_recorded())
        event = chained(draft, sequence, self._recorded, previous.hash if previous else self.head.hash)
        self._waiting.append(event)
        return event

    def commit(self, state: LedgerState = LedgerState.RUNNING) -> Head:
        """Make everything appended so far durable, in one transaction with the head that covers it."""
        count = self.last_sequence
        last = self._waiting[-1].hash if self._waiting else self.head.hash
        head = signed(self.signer, count, last, state)
        unchanged = (HEAD.c.id == 1, HEAD.c.count == self.head.count, HEAD.c.hash == self.head.hash)
        with self._writing.begin() as connection:
            moved = connection.execute(sa.update(HEAD).where(*unchanged).values(**_columns(head)))  # locks the head
            if moved.rowcount != 1:
                raise AuditBroken(
                    f"Somebody else has appended to {shown(self.place)} behind event {self.head.count}; nothing was "
                    "recorded. One server serves a trial: end the other, and start this one anew."
                )
            if self._waiting:
                connection.execute(sa.insert(EVENT), [_row(event) for event in self._waiting])
        self.head, self._waiting = head, []
        return head

    @property
    def last_sequence(self) -> int:
        """The number of the last event, durable or not yet."""
        return self._waiting[-1].sequence if self._waiting else self.head.count

    def waiting(self) -> tuple[Event, ...]:
        """What was appended and is not durable yet."""
        return tuple(self._waiting)

    def discard(self) -> None:
        """Forget what was appended and is not durable yet, as if it had never been said."""
        self._waiting.clear()
        self._recorded = None

    def refresh(self) -> Head:
        """The head as the database has it: of a commit whose answer was lost only the database knows whether it held.

        Raises:
            AuditBroken: the head is lost.
        """
        self.head = read_head(self.place)
        return self.head

    def last_recorded(self) -> datetime:
        """When the last committed event was recorded."""
        last = sa.select(EVENT.c.recorded_at).order_by(EVENT.c.sequence.desc()).limit(1)
        with self._reading.connect() as connection:
            said = connection.execute(last).scalar()
        return datetime.min.replace(tzinfo=UTC) if said is None else datetime.fromisoformat(said)

    def events(self, after: int = 0) -> Iterator[Event]:
        """Every committed event, or those after a number, in order."""
        numbers = range(after + 1, self.head.count + 1) if after else None
        with self._reading.connect() as connection:
            yield from map(event_of, rows_of(store_of(self.place), connection, numbers))

    def event(self, sequence: int) -> Event | None:
        """A committed event; None where there is none of this number."""
        chosen = sa.select(*EVENT.columns).where(EVENT.c.sequence == sequence)
        with self._reading.connect() as connection:
            row = connection.execute(chosen).mappings().first()
        return None if row is None else Event(**row)

    def search(self, wanted: Wanted) -> Found:
        """A page of the committed events that are wanted."""
        with self._reading.connect() as connection:
            return search(connection, wanted, self.head.count)

    def events_of(self, subject: str) -> tuple[Event, ...]:
        """Every committed event of a subject, in order."""
        with self._reading.connect() as connection:
            return tuple(events_of(connection, subject))

    def told_of(self, subject: str) -> tuple[Event, ...]:
        """Every event of a subject, those that are not durable yet among them, in order."""
        return (*self.events_of(subject), *(event for event in self._waiting if event.subject == subject))

    def of_type(self, kind: str) -> tuple[Event, ...]:
        """Every committed event of a kind, in order."""
        with self._reading.connect() as connection:
            return tuple(events_of_kind(connection, kind))

    def events_of_trial(self) -> tuple[Event, ...]:
        """Every committed event of the trial and its sites, which is no subject's, in order."""
        with self._reading.connect() as connection:
            return tuple(events_of(connection, None))

    def close(self) -> None:
        """Let go of the database. What was appended and not committed is lost, as if it had never been said."""
        self._reading.dispose()
        if self.head.state in (LedgerState.LOCKED, LedgerState.COMPLETE):
            store_of(self.place).finish(self._writing)
        self._writing.dispose()


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
