"""Walking through a ledger: every event against its own hash and the one before it.

A long ledger is walked through in parts at once, each from the link that its first event claims. If every part holds
and each begins where the one before it ends, the whole holds; else it is walked through from the start, which says what
is wrong and where.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from typing import Final, final

import sqlalchemy as sa

from sevenfold.record.event import GENESIS, link_of
from sevenfold.record.head import AFTER_LOCK
from sevenfold.record.layout import EVENT
from sevenfold.record.place import Place
from sevenfold.record.reading import Row, looked_at, mistyped, rows_of
from sevenfold.record.store import store_of

__all__ = ["Walk", "walked"]

_LONG: Final = 100_000  # events, from which parts are worth a process
_PLAIN: Final = frozenset(
    (int, str, int, subject, site, str, str, str, bytes, str, str)
    for subject in (str, type(None))
    for site in (str, type(None))
)
_TOLD: Final = frozenset({"TrialOpened", "Randomised", "Unblinded"})  # what the commitment is held against


@final
@dataclass(slots=True)
class Walk:
    """What is known of a ledger after some of its events.

    Args:
        wanted: places of which the hash is kept.
        n: number of the last event.
        previous: the hash that the next event must follow.
        told: events that the commitment is held against.
        last_datum: number of the last event that may not follow a lock.
        last: kind and hash of the event that was looked at last.
    """

    wanted: set[int]
    n: int = 0
    previous: str = GENESIS
    recorded: str = ""
    is_broken: bool = False
    faults: list[str] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)
    told: list[Row] = field(default_factory=list)
    last_datum: int = 0
    last: tuple[object, object] = ("", GENESIS)

    def step(self, row: Row) -> None:
        """Look at the next event."""
        self.n += 1
        number, kind, link_before, own = row[0], row[1], row[9], row[10]
        self.last = kind, own
        if self.n in self.wanted:
            self.hashes[self.n] = own
        if kind not in AFTER_LOCK:
            self.last_datum = self.n
        if kind in _TOLD:
            self.told.append(row)
        if self.is_broken:
            return
        if number != self.n:
            self.faults.append(f"Event {self.n} is missing: the next one in the ledger is number {number}.")
            self.is_broken = True
            return
        try:
            ought = link_of(*row[:10]) if tuple(map(type, row)) in _PLAIN else None
        except UnicodeEncodeError:
            ought = None
        if ought is None:
            self.faults.append(f"Event {number} was changed after it was recorded: {mistyped(row)}.")
            self.previous = own
            return
        if link_before != self.previous:
            self.faults.append(
                f"Event {number} ({kind}) does not follow the event before it: something was "
                "inserted, removed, changed or moved here."
            )
        if ought != own:
            self.faults.append(
                f"Event {number} ({kind}) was changed after it was recorded: its content does not match its hash."
            )
        if row[7] < self.recorded:
            self.faults.append(f"Event {number} ({kind}) says that it was recorded before the one in front of it.")
        self.previous, self.recorded = own, row[7]


def walked(place: Place, connection: sa.Connection, wanted: set[int], processes: int = 1) -> Walk:
    """A ledger, walked through to its end.

    Args:
        connection: through which it is seen; its moment says where the end is.
        wanted: places of which the hash is kept.
        processes: that may work at once.
    """
    if processes > 1:
        n, highest = connection.execute(sa.select(sa.func.count(), sa.func.max(EVENT.c.sequence))).one()
        whole = _joined(_parts(place, n, wanted, processes)) if n == highest and n >= _LONG else None
        if whole is not None:
            return whole
    walk = Walk(wanted)
    for row in rows_of(store_of(place), connection):
        walk.step(row)
    return walk


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Events of a ledger, walked through from the link that the first of them claims."""

    first: int
    claimed: str
    began: str  # when the first was recorded
    walk: Walk


def _parts(place: Place, n: int, wanted: set[int], processes: int) -> list[_Part]:
    bounds = [1 + n * part // processes for part in range(processes + 1)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        begun = [pool.submit(_part, place, range(first, end), wanted) for first, end in pairwise(bounds)]
        return [one.result() for one in begun]


def _part(place: Place, numbers: range, wanted: set[int]) -> _Part:
    store = store_of(place)
    with looked_at(place, store) as connection:
        rows = rows_of(store, connection, numbers)
        row = next(rows, None)
        claimed, began = (row[9], row[7]) if row is not None else ("", "")
        walk = Walk(wanted, n=numbers.start - 1, previous=claimed)
        if row is not None:
            walk.step(row)
        for row in rows:
            walk.step(row)
    return _Part(first=numbers.start, claimed=claimed, began=began, walk=walk)


def _joined(parts: Sequence[_Part]) -> Walk | None:
    """The parts as one walk; None where one is broken or does not begin where the one before it ends."""
    whole = Walk(parts[0].walk.wanted)
    for part in parts:
        follows = part.first == whole.n + 1 and part.claimed == whole.previous and part.began >= whole.recorded
        if part.walk.faults or not follows:
            return None
        whole.n, whole.previous, whole.recorded = part.walk.n, part.walk.previous, part.walk.recorded
        whole.hashes |= part.walk.hashes
        whole.told += part.walk.told
        whole.last_datum = max(whole.last_datum, part.walk.last_datum)
        whole.last = part.walk.last
    return whole
