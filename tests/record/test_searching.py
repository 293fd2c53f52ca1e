"""Looking for events in a ledger: pages joined are what was wanted and nothing else, and each is bounded work."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from sevenfold.clock import SimulatedClock
from sevenfold.record import searching
from sevenfold.record.event import Draft, Event
from sevenfold.record.head import SigningKey
from sevenfold.record.ledger import Ledger
from sevenfold.record.place import Place
from sevenfold.record.searching import Found, Wanted

KEY = SigningKey(bytes(range(32)))
START = datetime(2026, 1, 1, 22, tzinfo=UTC)
ACTORS = ("nurse pa1", "Nurse p%1", "system", "auditor p_2")
N = 90


@pytest.fixture
def ledger(new_place: Callable[[], Place], monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Events of a few kinds, subjects, sites and people over some days; pages of seven, stretches of twenty."""
    monkeypatch.setattr(searching, "_PAGE", 7)
    monkeypatch.setattr(searching, "_STRETCH", 20)
    clock, draw = SimulatedClock(START), random.Random(7)
    made = Ledger.create(new_place(), clock, KEY)
    for n in range(N):
        subject = draw.choice((None, "S-1", "S-2"))
        made.append(
            Draft(
                type=draw.choice(("LeftIcu", "Signed", "Died")), schema_version=1, subject=subject,
                site=None if subject is None else f"FR-{subject[-1]}", actor=draw.choice(ACTORS), happened_at="2026-01",
                payload=b'{"n": %d}' % n,
            )
        )  # fmt: skip
        if draw.random() < 0.3:
            clock.move_to(clock.now() + timedelta(hours=draw.randint(0, 9)))
    made.commit()
    yield made
    made.close()


def is_wanted(event: Event, wanted: Wanted) -> bool:
    """The slow and obvious way."""
    day = date.fromisoformat(event.recorded_at[:10])
    is_by = event.actor in wanted.actors or (wanted.acted is not None and wanted.acted.lower() in event.actor.lower())
    return (
        wanted.number in (None, event.sequence)
        and wanted.kind in (None, event.type)
        and wanted.subject in (None, event.subject)
        and wanted.site in (None, event.site)
        and (is_by or (wanted.acted is None and not wanted.actors))
        and (wanted.first_day is None or wanted.first_day <= day)
        and (wanted.last_day is None or day <= wanted.last_day)
    )


def searches() -> list[Wanted]:
    """Every filter alone, and many together."""
    draw = random.Random(11)
    days = [None, *(date(2026, 1, d) for d in range(1, 9)), date.min, date.max]
    many = [
        Wanted(
            kind=draw.choice((None, None, "Died", "Signed", "Unknown")),
            subject=draw.choice((None, None, "S-1", "S-9")),
            site=draw.choice((None, None, "FR-2")),
            actors=draw.choice(((), (), ("system",), ("nobody",))),
            acted=draw.choice((None, None, "NURSE", "p%", "p_", "\\")),
            first_day=draw.choice(days),
            last_day=draw.choice(days),
            number=draw.choice((None, None, None, 40, 0, N + 1, 10**14)),
        )
        for _ in range(60)
    ]
    return [Wanted(), Wanted(number=1), Wanted(number=N), Wanted(kind="Died"), Wanted(subject="S-2"), *many]


def downwards(ledger: Ledger, wanted: Wanted) -> list[Found]:
    """Page by page from the newest to the oldest."""
    pages = [ledger.search(wanted)]
    while pages[-1].older is not None:
        pages.append(ledger.search(replace(wanted, below=pages[-1].older)))
    return pages


def test_pages_joined_are_what_was_wanted_newest_first(ledger: Ledger) -> None:
    """Against the slow way, downwards and upwards again; every number is looked at once."""
    every = list(ledger.events())
    for wanted in searches():
        right = [event for event in reversed(every) if is_wanted(event, wanted)]
        pages = downwards(ledger, wanted)
        assert [event for one in pages for event in one.events] == right, wanted
        assert pages[0].newer is None
        for one, older in pairwise(pages):
            assert older.looked_to == one.looked_from - 1
        upwards = [ledger.search(replace(wanted, above=0))]
        while upwards[-1].newer is not None:
            upwards.append(ledger.search(replace(wanted, above=upwards[-1].newer)))
        assert [event for one in reversed(upwards) for event in one.events] == right, wanted


def test_a_page_says_how_far_it_looked_and_looks_no_further(ledger: Ledger) -> None:
    """A kind that is not there is looked for in one stretch at a time."""
    found = ledger.search(Wanted(kind="Unknown"))
    assert (found.events, found.looked_from, found.looked_to, found.older) == ((), N - 19, N, N - 19)
    found = ledger.search(Wanted(kind="Unknown", below=N - 19))
    assert (found.looked_from, found.looked_to, found.newer) == (N - 39, N - 20, N - 20)


def test_days_and_subjects_cost_no_walk_through_the_ledger(ledger: Ledger) -> None:
    """A bounded number of questions a page; a subject's events are found by the index of subjects."""
    asked: list[str] = []
    with listening(ledger._reading, asked):
        ledger.search(Wanted(kind="Died", first_day=date(2026, 1, 2), last_day=date(2026, 1, 5)))
    assert len(asked) <= 1 + 2 * 7  # 2^7 > 90
    if ledger._reading.dialect.name == "sqlite":
        with ledger._reading.connect() as connection:
            for wanted in (Wanted(subject="S-1"), Wanted(subject="S-1", kind="Died")):
                asked.clear()
                with listening(ledger._reading, asked):
                    ledger.search(wanted)
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1]}", tuple("?" * asked[-1].count("?")))
                assert "ix_event_subject" in str(plan.fetchall()[0]), wanted


@contextmanager
def listening(engine: sa.Engine, asked: list[str]) -> Iterator[None]:
    """What is asked of a database meanwhile."""

    def hears(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    sa.event.listen(engine, "before_cursor_execute", hears)
    yield
    sa.event.remove(engine, "before_cursor_execute", hears)
