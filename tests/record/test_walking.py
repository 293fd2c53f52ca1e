"""A ledger that is walked through in parts is found to be exactly what it is found to be when it is walked at once."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from sevenfold.record import walking
from sevenfold.record.layout import APPEND_ONLY
from sevenfold.record.reading import read_head
from sevenfold.record.verify import verify

N_PARTS = 3


def altered(path: Path, *statements: str) -> None:
    """Do something to a ledger that its guards would refuse, and put the guards back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for trigger in APPEND_ONLY:
            connection.execute(f"DROP TRIGGER {trigger.split()[2]}")
        for statement in statements:
            connection.execute(statement)
        for trigger in APPEND_ONLY:
            connection.execute(trigger)


@pytest.mark.parametrize(
    "does",
    [
        ("SELECT 1",),
        ("UPDATE event SET payload = CAST('{}' AS BLOB) WHERE sequence = N",),
        ("UPDATE event SET hash = 'ab' || hash WHERE sequence = N",),
        ("UPDATE event SET previous_hash = hash WHERE sequence = N",),
        ("UPDATE event SET recorded_at = '1999' WHERE sequence = N",),
        ("UPDATE event SET actor = X'07' WHERE sequence = N",),
        ("DELETE FROM event WHERE sequence = N",),
        ("DELETE FROM event WHERE sequence >= N",),
        ("UPDATE event SET sequence = -N WHERE sequence = N",),
    ],
)
@pytest.mark.parametrize("at", ["first", "end of a part", "begin of a part", "middle", "last"])
def test_parts_find_what_one_walk_finds(
    ledger_copy: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, does: tuple[str, ...], at: str
) -> None:
    """Whatever was done to it and wherever, at the seams too: the same faults, the same notes, the same count."""
    path = ledger_copy()
    head = read_head(path)
    seam = head.count // N_PARTS
    n = {"first": 1, "end of a part": seam, "begin of a part": seam + 1, "middle": head.count // 2, "last": head.count}
    altered(path, *(one.replace("N", str(n[at])) if "event SET" in one or "FROM" in one else one for one in does))
    whole = verify(path, head)
    monkeypatch.setattr(walking, "_LONG", 10)
    monkeypatch.setattr(walking, "_parts", here)
    assert verify(path, head, processes=N_PARTS) == whole
    assert whole.is_whole == (does == ("SELECT 1",))


def here(place: Path, n: int, wanted: set[int], processes: int) -> list[walking._Part]:
    """The parts in this process: a process of its own changes nothing but the time."""
    bounds = [1 + n * part // processes for part in range(processes + 1)]
    return [walking._part(place, range(first, end), wanted) for first, end in pairwise(bounds)]


def test_processes_of_their_own_answer_the_same(
    ledger_copy: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the processes that a long ledger gets."""
    path = ledger_copy()
    whole = verify(path)
    monkeypatch.setattr(walking, "_LONG", 10)
    assert verify(path, processes=2) == whole
    altered(path, "UPDATE event SET payload = CAST('{}' AS BLOB) WHERE sequence = 40")
    assert verify(path, processes=2).faults == verify(path).faults != ()
