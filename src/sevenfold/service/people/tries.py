"""Tries, counted before they are made: guessing is stopped, however many guess at once.

A row of a table has a count, ``n_failed``, of tries since the last that succeeded. A try is taken from it first and
given back by success, and the database counts, so a hundred requests at the same moment have as many tries as one
after the other. With every fifth failure in a row the row is shut: for a quarter of an hour, then for twice as long as
before, at most for a day.
"""

import logging
from dataclasses import dataclass
from typing import Final, final

import sqlalchemy as sa

from sevenfold.service.log import noted
from sevenfold.service.people.tables import VERSION

__all__ = ["TOGETHER", "Tries", "shut_for_s"]

TOGETHER: Final = 5
"""Failures in a row before something is shut."""
_FIRST_S: Final = 15 * 60.0
_LONGEST_S: Final = 24 * 3600.0


def shut_for_s(n_failed: int) -> float:
    """How long a row is shut after so many failures in a row [s]; 0 where it stays open."""
    if n_failed == 0 or n_failed % TOGETHER:
        return 0.0
    return min(_FIRST_S * 2.0 ** min(n_failed // TOGETHER - 1, 20), _LONGEST_S)


@final
@dataclass(frozen=True, slots=True)
class Tries:
    """The tries at one row.

    Args:
        table: which has ``n_failed`` and ``locked_until``.
        which: the row.
        person: whose it is, for the log.
        shut: what the log calls it when the row is shut.
    """

    engine: sa.Engine
    table: sa.Table
    which: sa.ColumnElement[bool]
    person: str
    shut: str = "login.shut"

    def take(self, now_s: float) -> int | None:
        """Take a try; how many have failed in a row if this one does. None: it is shut, or there is no such row, and
        there is no try.

        The same is asked and written in each case, so that how long it takes tells neither.
        """
        counted, number = self.table.c, VERSION.c.number
        with self.engine.begin() as connection:
            taken = connection.execute(
                sa.update(self.table)
                .where(self.which, counted.locked_until <= now_s)
                .values(n_failed=counted.n_failed + 1)
            )
            connection.execute(sa.update(VERSION).values(number=number))  # something is written where no try is
            found = connection.execute(sa.select(counted.n_failed).where(self.which)).scalar()
            is_taken = taken.rowcount == 1 and found is not None
            wait_s = shut_for_s(int(found or 0)) if is_taken else 0.0
            until = now_s + wait_s if wait_s else counted.locked_until
            connection.execute(sa.update(self.table).where(self.which).values(locked_until=until))
        return int(found or 0) if is_taken else None

    def forgive(self, connection: sa.Connection) -> None:
        """The try succeeded: the count begins anew."""
        connection.execute(sa.update(self.table).where(self.which).values(n_failed=0, locked_until=0.0))

    def note(self, n_failed: int) -> None:
        """Write into the log that the try failed, where that shut the row."""
        if shut_for_s(n_failed):
            noted(self.shut, level=logging.WARNING, person=self.person)
