"""The ledger: events in a database that only ever grows, with a signed head kept apart from them.

Appending is one transaction: the events, their chain, and the new head. SQLite in write-ahead mode with full
synchronisation; SQLAlchemy Core, so that another database is another address.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar, final
from urllib.parse import quote

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sevenfold.clock import Clock
from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.record.event import GENESIS, Draft, Event, chained
from sevenfold.sealing import canonical_json

__all__ = ["Head", "Ledger", "LedgerState", "Signer", "SigningKey", "head_bytes", "read_events", "read_head"]

_Read = TypeVar("_Read")
_METADATA: Final = sa.MetaData()
_EVENT: Final = sa.Table(
    "event",
    _METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("subject", sa.Text, index=True),
    sa.Column("site", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("happened_at", sa.Text, nullable=False),
    sa.Column("recorded_at", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
)
_HEAD: Final = sa.Table(
    "head",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
)
_APPEND_ONLY: Final = (
    "CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never "
    "changed'); END",
    "CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never "
    "deleted'); END",
)


class LedgerState(StrEnum):
    """Whether more is to come."""

    RUNNING = "running"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"


class Signer(Protocol):
    """Whoever signs the head."""

    @property
    def public_key(self) -> str:
        """Ed25519 public key, hexadecimal."""
        ...

    def sign(self, message: bytes) -> str:
        """Ed25519 signature, hexadecimal."""
        ...


@final
@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key held in memory.

    Args:
        secret: 32 bytes.
    """

    secret: bytes

    @property
    def public_key(self) -> str:
        """Hexadecimal."""
        return self._key().public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """Hexadecimal signature."""
        return self._key().sign(message).hex()

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last event's place and hash and the ledger's state, signed."""

    count: int
    hash: str
    state: LedgerState
    public_key: str
    signature: str


def head_bytes(count: int, last_hash: str, state: LedgerState) -> bytes:
    """What is signed."""
    return canonical_json(["sevenfold ledger head", 1, count, last_hash, state.value])


@final
@dataclass(slots=True)
class Ledger:
    """A ledger that is open for appending."""

    engine: sa.Engine
    clock: Clock
    signer: Signer
    head: Head
    _waiting: list[Event] = field(default_factory=list)

    @classmethod
    def create(cls, path: Path, clock: Clock, signer: Signer) -> Self:
        """A new, empty ledger in a file that does not exist yet."""
        if path.exists():
            raise InvalidInput(f"{path} exists already; a ledger is never overwritten.")
        engine = _engine(path)
        _METADATA.create_all(engine)
        with engine.begin() as connection:
            for trigger in _APPEND_ONLY:
                connection.execute(sa.text(trigger))
        ledger = cls(engine, clock, signer, _signed(signer, 0, GENESIS, LedgerState.RUNNING))
        with engine.begin() as connection:
            connection.execute(sa.insert(_HEAD).values(id=1, **_columns(ledger.head)))
        return ledger

    def append(self, draft: Draft) -> Event:
        """Chain an event behind the last one. It is durable after :meth:`commit`."""
        previous = self._waiting[-1] if self._waiting else None
        sequence = (previous.sequence if previous else self.head.count) + 1
        event = chained(draft, sequence, self.clock.now(), previous.hash if previous else self.head.hash)
        self._waiting.append(event)
        return event

    def commit(self, state: LedgerState = LedgerState.RUNNING) -> Head:
        """Make everything appended so far durable, in one transaction with the head that covers it."""
        count = self._waiting[-1].sequence if self._waiting else self.head.count
        last = self._waiting[-1].hash if self._waiting else self.head.hash
        head = _signed(self.signer, count, last, state)
        with self.engine.begin() as connection:
            if self._waiting:
                connection.execute(sa.insert(_EVENT), [_row(event) for event in self._waiting])
            connection.execute(sa.update(_HEAD).values(**_columns(head)))
        self.head, self._waiting = head, []
        return head

    def events(self) -> Iterator[Event]:
        """Every committed event, in order."""
        with self.engine.connect() as connection:
            yield from _events(connection)

    def close(self) -> None:
        """Let go of the file. What was appended and not committed is lost, as if it had never been said."""
        if self.head.state is LedgerState.COMPLETE:
            with self.engine.connect() as connection:  # a finished ledger is one file that opens on read-only media
                connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        self.engine.dispose()


def read_events(path: Path) -> list[Event]:
    """Every event of a ledger file, in the order of their numbers, whatever they say.

    Raises:
        InvalidInput: there is no such file, or it is not a ledger.
    """
    with closing(_readable(path)) as connection:
        return _guarded(path, lambda: list(_events(connection)))


def read_head(path: Path) -> Head:
    """The head of a ledger file.

    Raises:
        InvalidInput: there is no such file, or it is not a ledger.
        AuditBroken: the ledger has lost its head.
    """
    with closing(_readable(path)) as connection:
        rows = _guarded(path, lambda: connection.execute(sa.select(_HEAD)).mappings().all())
    if len(rows) != 1:
        raise AuditBroken(f"{path} has {len(rows)} heads; a ledger has one.")
    row = rows[0]
    return Head(
        count=row["count"],
        hash=row["hash"],
        state=LedgerState(row["state"]),
        public_key=row["public_key"],
        signature=row["signature"],
    )


def _guarded(path: Path, read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except (sa.exc.DatabaseError, ValueError) as error:
        raise InvalidInput(f"{path} is not a ledger: {getattr(error, 'orig', error)}.") from None


def _readable(path: Path) -> sa.Connection:
    if not path.is_file():
        raise InvalidInput(f"There is no ledger {path}.")
    address = sa.URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"})
    try:
        return sa.create_engine(address, poolclass=sa.NullPool).connect()
    except sa.exc.DatabaseError as error:
        raise InvalidInput(f"{path} cannot be opened: {error.orig}.") from None


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return engine


def _signed(signer: Signer, count: int, last_hash: str, state: LedgerState) -> Head:
    signature = signer.sign(head_bytes(count, last_hash, state))
    return Head(count=count, hash=last_hash, state=state, public_key=signer.public_key, signature=signature)


def _columns(head: Head) -> dict[str, Any]:
    return {
        "count": head.count,
        "hash": head.hash,
        "state": head.state.value,
        "public_key": head.public_key,
        "signature": head.signature,
    }


def _row(event: Event) -> dict[str, Any]:
    return {column.name: getattr(event, column.name) for column in _EVENT.columns}


def _events(connection: sa.Connection) -> Iterator[Event]:
    for row in connection.execute(sa.select(_EVENT).order_by(_EVENT.c.sequence)).mappings():
        yield Event(**row)
