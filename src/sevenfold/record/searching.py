"""Events of a ledger that are looked for: by number, kind, subject, site, who acted and day; newest first, in pages.

A page costs the same in a ledger of a million events as in one of a thousand: a subject's events are found by their
index, days by halving (times of recording never run backwards), and everything else is looked through a stretch of
numbers at a time. What was found says how far it looked.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, final

import sqlalchemy as sa

from sevenfold.record.event import Event
from sevenfold.record.layout import EVENT

__all__ = ["Found", "Wanted", "search"]

_PAGE: Final = 100  # events
_STRETCH: Final = 20_000  # events looked through for one page
_AFTER_ANY_TIME: Final = "~"  # sorts behind the "T" that follows a day


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; None: whatever it is.

    Args:
        actors: who acted, exactly as events say it, any of them.
        acted: letters that stand in who acted, small or capital; either this or ``actors`` is enough.
        first_day: of recording, in UTC.
        last_day: of recording, in UTC; itself among them.
        below: only events with smaller numbers, the greatest first.
        above: only events with greater numbers, the smallest of them; given instead of ``below``.
    """

    number: int | None = None
    kind: str | None = None
    subject: str | None = None
    site: str | None = None
    actors: tuple[str, ...] = ()
    acted: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    below: int | None = None
    above: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of events, newest first.

    Args:
        looked_from: the smallest number that was looked at; greater than ``looked_to`` where there was none to look at.
        looked_to: the greatest.
        older: numbers below this one were not looked at and may hold more; None: there are none.
        newer: the same, above.
    """

    events: tuple[Event, ...]
    looked_from: int
    looked_to: int
    older: int | None
    newer: int | None


def search(connection: sa.Connection, wanted: Wanted, count: int) -> Found:
    """A page of what is wanted.

    Args:
        count: events in the ledger.
    """
    low, high = _within(connection, wanted, count)
    is_upwards = wanted.above is not None
    first = max(low, wanted.above + 1) if wanted.above is not None else low
    last = min(high, wanted.below - 1) if wanted.below is not None and not is_upwards else high
    if wanted.subject is None and is_upwards:
        last = min(last, first + _STRETCH - 1)
    elif wanted.subject is None:
        first = max(first, last - _STRETCH + 1)
    chosen = sa.select(*EVENT.columns).where(EVENT.c.sequence.between(first, last), *_conditions(wanted))
    ordered = chosen.order_by(EVENT.c.sequence if is_upwards else EVENT.c.sequence.desc()).limit(_PAGE + 1)
    events = [Event(**row) for row in connection.execute(ordered).mappings()] if first <= last else []
    if len(events) > _PAGE:
        events = events[:_PAGE]
        first, last = (first, events[-1].sequence) if is_upwards else (events[-1].sequence, last)
    return Found(
        events=tuple(events[::-1] if is_upwards else events),
        looked_from=first,
        looked_to=last,
        older=first if low < first <= high + 1 else None,
        newer=last if low - 1 <= last < high else None,
    )


def _within(connection: sa.Connection, wanted: Wanted, count: int) -> tuple[int, int]:
    """The smallest and the greatest number that can be one of those wanted."""
    low, high = 1, count
    if wanted.first_day is not None:
        low = _first_recorded(connection, wanted.first_day.isoformat(), count)
    if wanted.last_day is not None:
        high = _first_recorded(connection, wanted.last_day.isoformat() + _AFTER_ANY_TIME, count) - 1
    if wanted.number is not None:
        low, high = max(low, wanted.number), min(high, wanted.number)
    return low, high


def _first_recorded(connection: sa.Connection, moment: str, count: int) -> int:
    """The number of the first event recorded at a moment or later; one more than there are where none was."""
    low, beyond = 1, count + 1
    while low < beyond:
        middle = (low + beyond) // 2
        at = connection.execute(sa.select(EVENT.c.recorded_at).where(EVENT.c.sequence == middle)).scalar_one()
        if at < moment:
            low = middle + 1
        else:
            beyond = middle
    return low


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    # "type" as an expression, where a subject is given: the index of kinds would lead through a whole ledger
    kind = EVENT.c.type if wanted.subject is None else EVENT.c.type.concat("")
    exact = ((kind, wanted.kind), (EVENT.c.subject, wanted.subject), (EVENT.c.site, wanted.site))
    conditions: list[sa.ColumnElement[bool]] = [column == value for column, value in exact if value is not None]
    if wanted.acted is not None or wanted.actors:
        by: list[sa.ColumnElement[bool]] = [EVENT.c.actor.in_(wanted.actors)]
        if wanted.acted is not None:
            by.append(sa.func.lower(EVENT.c.actor).contains(wanted.acted.lower(), autoescape=True))
        conditions.append(sa.or_(*by))
    return conditions
