"""What a ledger asks of the database that it lies in; what differs between databases stands behind this."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final

import sqlalchemy as sa

from sevenfold.record.place import Place

__all__ = ["Store", "Structure", "store_of"]


@final
@dataclass(frozen=True, slots=True)
class Structure:
    """How a ledger is built.

    Args:
        guards: triggers by name, with what they do.
        columns: table -> column -> what it may hold.
        others: kind and name of everything that is no table's index.
    """

    guards: Mapping[str, str]
    columns: Mapping[str, Mapping[str, tuple[object, ...]]]
    others: frozenset[tuple[str, str]]


class Store(Protocol):
    """A database that holds a ledger, or may."""

    def check_free(self) -> None:
        """Refuse where something is there already.

        Raises:
            InvalidInput: it is.
        """
        ...

    def writing(self) -> sa.Engine:
        """For the one who appends: one connection, durable commits, and nobody else until it is disposed of.

        Raises:
            InvalidInput: somebody else appends.
        """
        ...

    def reading(self) -> sa.Engine:
        """For any number of readers beside the one who appends; a transaction sees one moment of the ledger."""
        ...

    def build(self, engine: sa.Engine) -> None:
        """Make the tables and what guards them."""
        ...

    def looking(self) -> sa.Connection:
        """A connection that can't write, to a ledger as it lies there.

        Raises:
            InvalidInput: there is none, or it cannot be opened.
            Unavailable: its database cannot be reached.
        """
        ...

    def rows(self, connection: sa.Connection, chosen: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
        """What is chosen, one row after the other, without holding all in memory."""
        ...

    def found(self) -> Structure:
        """How the ledger that lies there is built."""
        ...

    def proper(self) -> Structure:
        """How a ledger is built here."""
        ...

    def finish(self, engine: sa.Engine) -> None:
        """Leave a ledger to which nothing is added any more in the form in which it is kept."""
        ...


def store_of(place: Place) -> Store:
    """The store behind a place."""
    if isinstance(place, Path):
        from sevenfold.record.sqlite import SqliteStore

        return SqliteStore(place)
    from sevenfold.record.postgresql import PostgresqlStore

    return PostgresqlStore(place)
