"""Forging copies of a ledger, as somebody with the file, a database client and some skill would do it."""

import dataclasses
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from sevenfold.record.event import GENESIS, Event, link
from sevenfold.record.head import Head, LedgerState, SigningKey, head_bytes

__all__ = ["COLUMNS", "chained_anew", "copied", "edited", "head_of", "rewritten", "signed"]

COLUMNS = tuple(field.name for field in dataclasses.fields(Event))


def copied(ledger: Path, to: Path) -> Path:
    """A copy to be forged."""
    shutil.copy(ledger, to)
    return to


def edited(path: Path, *statements: str | tuple[str, Sequence[object]]) -> Path:
    """Run SQL on a ledger, past its triggers, which stand again afterwards."""
    with closing(sqlite3.connect(path)) as connection, connection:
        triggers = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            if isinstance(statement, str):
                connection.execute(statement)
            else:
                connection.execute(statement[0], statement[1])
        for sql in triggers.values():
            connection.execute(sql)
    return path


def rewritten(path: Path, events: Iterable[Event], head: Head | None = None) -> Path:
    """Put other events into a ledger, and another head if one is given."""
    marks = ", ".join("?" for _ in COLUMNS)
    inserts = [
        (f"INSERT INTO event ({', '.join(COLUMNS)}) VALUES ({marks})", [getattr(one, name) for name in COLUMNS])
        for one in events
    ]
    heads: list[str | tuple[str, Sequence[object]]] = []
    if head is not None:
        values = [head.count, head.hash, head.state.value, head.public_key, head.signature]
        heads = [("UPDATE head SET count = ?, hash = ?, state = ?, public_key = ?, signature = ?", values)]
    return edited(path, "DELETE FROM event", *inserts, *heads)


def chained_anew(events: Iterable[Event], change: Callable[[Event], Event] = lambda event: event) -> list[Event]:
    """The events, each changed, numbered, linked and hashed as if they had been recorded so."""
    made: list[Event] = []
    for number, event in enumerate(events, start=1):
        previous = made[-1].hash if made else GENESIS
        other = dataclasses.replace(change(event), sequence=number, previous_hash=previous)
        made.append(dataclasses.replace(other, hash=link(other)))
    return made


def head_of(events: Sequence[Event], key: SigningKey, state: LedgerState = LedgerState.COMPLETE) -> Head:
    """A head over the events, signed with a key."""
    return signed(len(events), events[-1].hash if events else GENESIS, key, state)


def signed(count: int, last_hash: str, key: SigningKey, state: LedgerState = LedgerState.COMPLETE) -> Head:
    """A head that says this, signed with a key."""
    signature = key.sign(head_bytes(count, last_hash, state))
    return Head(count=count, hash=last_hash, state=state, public_key=key.public_key, signature=signature)
