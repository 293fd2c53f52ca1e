"""Reading a ledger as it lies there: of a damaged or forged one it can be said what is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from sevenfold.errors import AuditBroken, InvalidInput, SevenfoldError
from sevenfold.record.event import Event
from sevenfold.record.head import Head, LedgerState
from sevenfold.record.layout import EVENT, HEAD
from sevenfold.record.place import Place, shown
from sevenfold.record.store import Store, store_of

__all__ = [
    "Row",
    "event_of",
    "events_of",
    "events_of_kind",
    "looked_at",
    "mistyped",
    "read_events",
    "read_head",
    "rows_of",
]

Row = tuple[Any, ...]
"""An event as the database holds it: its columns in order, of whatever kind they are."""
_EVENT_KINDS: Final[dict[str, type]] = {
    "sequence": int, "type": str, "schema_version": int, "subject": str, "site": str, "actor": str, "happened_at": str,
    "recorded_at": str, "payload": bytes, "previous_hash": str, "hash": str,
}  # fmt: skip
_WORDS: Final = {int: "a whole number", str: "text", bytes: "bytes"}
_HEAD_KINDS: Final[dict[str, type]] = {"count": int, "hash": str, "state": str, "public_key": str, "signature": str}


def read_events(place: Place) -> list[Event]:
    """Every event of a ledger, in the order of their numbers, whatever they say.

    Raises:
        InvalidInput: there is no such place, or it is not a ledger.
    """
    store = store_of(place)
    with looked_at(place, store) as connection:
        return [event_of(row) for row in rows_of(store, connection)]


def read_head(place: Place, connection: sa.Connection | None = None) -> Head:
    """The head of a ledger.

    Args:
        connection: through which it is looked at; one of its own if not given.

    Raises:
        InvalidInput: there is no such place, or it is not a ledger.
        AuditBroken: the ledger has lost its head, or what stands there is none.
    """
    store = store_of(place)
    if connection is None:
        with looked_at(place, store) as found:
            rows = list(store.rows(found, sa.select(*_as_it_lies(HEAD))))
    else:
        rows = list(store.rows(connection, sa.select(*_as_it_lies(HEAD))))
    if len(rows) != 1:
        raise AuditBroken(f"The ledger has {len(rows)} heads; a ledger has one.")
    row = dict(zip(HEAD.columns.keys(), rows[0], strict=True))
    states = [state.value for state in LedgerState]
    for name, kind in _HEAD_KINDS.items():
        if type(row[name]) is not kind:
            raise AuditBroken(f"The head's {name} is {_shown(row[name])}, which is not {_WORDS[kind]}.")
    if row["state"] not in states:
        raise AuditBroken(f"The head's state is {_shown(row['state'])}; a ledger is {', '.join(states)}.")
    return Head(**{name: row[name] for name in _HEAD_KINDS} | {"state": LedgerState(row["state"])})


def mistyped(row: Row) -> str | None:
    """What is wrong with the columns of an event, before its content is looked at."""
    for (name, kind), value in zip(_EVENT_KINDS.items(), row, strict=True):
        if type(value) is not kind and not (value is None and name in ("subject", "site")):
            return f"its {name} is {_shown(value)}, which is not {_WORDS[kind]}"
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            return f"its {name} is {_shown(value)}, which is not UTF-8"
    return None


def event_of(row: Row) -> Event:
    """An event from its columns."""
    return Event(**dict(zip(_EVENT_KINDS, row, strict=True)))


def rows_of(store: Store, connection: sa.Connection, numbers: range | None = None) -> Iterator[Row]:
    """Every event as it lies there, or those of some numbers, in the order of their numbers, one after the other."""
    chosen = sa.select(*_as_it_lies(EVENT)).order_by(EVENT.c.sequence)
    if numbers is not None:
        first, beyond = str(numbers.start), str(numbers.stop)
        chosen = chosen.where(
            EVENT.c.sequence >= sa.literal_column(first, sa.Integer),
            EVENT.c.sequence < sa.literal_column(beyond, sa.Integer),
        )
    return store.rows(connection, chosen)


def events_of(connection: sa.Connection, subject: str | None) -> list[Event]:
    """The events of one subject, or of none (those of trial and sites), in the order of their numbers."""
    chosen = (
        sa.select(*EVENT.columns)
        .where(EVENT.c.subject.is_(None) if subject is None else EVENT.c.subject == subject)
        .order_by(EVENT.c.sequence)
    )
    return [Event(**row) for row in connection.execute(chosen).mappings()]


def events_of_kind(connection: sa.Connection, kind: str) -> list[Event]:
    """The events of one kind, in the order of their numbers."""
    chosen = sa.select(*EVENT.columns).where(EVENT.c.type == kind).order_by(EVENT.c.sequence)
    return [Event(**row) for row in connection.execute(chosen).mappings()]


@contextmanager
def looked_at(place: Place, store: Store) -> Iterator[sa.Connection]:
    """A connection to a ledger that can't write.

    Raises:
        InvalidInput: there is none, or what is there is not a ledger.
    """
    with store.looking() as connection:
        try:
            yield connection
        except (sa.exc.DBAPIError, ValueError) as error:
            if isinstance(error, SevenfoldError):
                raise
            raise InvalidInput(f"{shown(place)} is not a ledger: {getattr(error, 'orig', error)}.") from None
        except Exception as error:
            if not type(error).__module__.startswith(("sqlite3", "pg8000")):
                raise
            raise InvalidInput(f"{shown(place)} is not a ledger: {error}.") from None


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _as_it_lies(table: sa.Table) -> list[sa.ColumnElement[Any]]:
    """Columns without conversion: a forged file may hold text where a number belongs."""
    return [sa.type_coerce(column, sa.types.NullType()).label(column.name) for column in table.columns]
