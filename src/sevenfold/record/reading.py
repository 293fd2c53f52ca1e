"""Reading a ledger's file as it lies there: of a damaged or forged one it can be said what is wrong."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import sqlalchemy as sa

from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.record.event import Event
from sevenfold.record.head import Head, LedgerState
from sevenfold.record.layout import EVENT, HEAD

__all__ = ["events_of", "mistyped", "read_events", "read_head", "readable"]

_Read = TypeVar("_Read")
_EVENT_KINDS: Final[dict[str, type]] = {
    "sequence": int, "type": str, "schema_version": int, "subject": str, "site": str, "actor": str, "happened_at": str,
    "recorded_at": str, "payload": bytes, "previous_hash": str, "hash": str,
}  # fmt: skip
_WORDS: Final = {int: "a whole number", str: "text", bytes: "bytes"}
_HEAD_KINDS: Final[dict[str, type]] = {"count": int, "hash": str, "state": str, "public_key": str, "signature": str}


def read_events(path: Path) -> list[Event]:
    """Every event of a ledger file, in the order of their numbers, whatever they say.

    Raises:
        InvalidInput: there is no such file, or it is not a ledger.
    """
    with closing(readable(path)) as connection:
        return _guarded(path, lambda: list(events_of(connection)))


def read_head(path: Path) -> Head:
    """The head of a ledger file.

    Raises:
        InvalidInput: there is no such file, or it is not a ledger.
        AuditBroken: the ledger has lost its head, or what stands there is none.
    """
    with closing(readable(path)) as connection:
        rows = _guarded(path, lambda: connection.execute(sa.select(*_as_it_lies(HEAD))).mappings().all())
    if len(rows) != 1:
        raise AuditBroken(f"The ledger has {len(rows)} heads; a ledger has one.")
    row = rows[0]
    states = [state.value for state in LedgerState]
    for name, kind in _HEAD_KINDS.items():
        if type(row[name]) is not kind:
            raise AuditBroken(f"The head's {name} is {_shown(row[name])}, which is not {_WORDS[kind]}.")
    if row["state"] not in states:
        raise AuditBroken(f"The head's state is {_shown(row['state'])}; a ledger is {', '.join(states)}.")
    return Head(**{name: row[name] for name in _HEAD_KINDS} | {"state": LedgerState(row["state"])})


def mistyped(event: Event) -> str | None:
    """What is wrong with the columns of an event that was read from a file, before its content is looked at."""
    for name, kind in _EVENT_KINDS.items():
        value = getattr(event, name)
        if type(value) is not kind and not (value is None and name in ("subject", "site")):
            return f"its {name} is {_shown(value)}, which is not {_WORDS[kind]}"
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            return f"its {name} is {_shown(value)}, which is not UTF-8"
    return None


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _as_it_lies(table: sa.Table) -> list[sa.ColumnElement[Any]]:
    """Columns without conversion: a forged file may hold text where a number belongs."""
    return [sa.type_coerce(column, sa.types.NullType()).label(column.name) for column in table.columns]


def _guarded(path: Path, read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except (sa.exc.DatabaseError, ValueError) as error:
        raise InvalidInput(f"{path} is not a ledger: {getattr(error, 'orig', error)}.") from None


def readable(path: Path) -> sa.Connection:
    """A connection to a ledger's file that can't write.

    Raises:
        InvalidInput: there is no such file, or it cannot be opened.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no ledger {path}.")
    address = sa.URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"})
    engine = sa.create_engine(address, poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def _takes_any_text(connection: Any, _record: object) -> None:
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")

    try:
        return engine.connect()
    except sa.exc.DatabaseError as error:
        raise InvalidInput(f"{path} cannot be opened: {error.orig}.") from None


def events_of(connection: sa.Connection, subject: str | None = None, kind: str | None = None) -> Iterator[Event]:
    """Every event, or those of one subject or one kind, in the order of their numbers."""
    chosen = sa.select(*_as_it_lies(EVENT)).order_by(EVENT.c.sequence)
    if subject is not None:
        chosen = chosen.where(EVENT.c.subject == subject)
    if kind is not None:
        chosen = chosen.where(EVENT.c.type == kind)
    for row in connection.execute(chosen).mappings():
        yield Event(**row)
