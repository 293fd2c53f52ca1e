"""What a table of records may not say, told by row, subject and column."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.page import Page

__all__ = ["Fault", "faults_of", "refuse"]

Floats = NDArray[np.float64]
_SHOWN: Final = 10


class Fault(NamedTuple):
    """What is wrong in one cell."""

    row: int
    subject: str
    column: str
    message: str

    def __str__(self) -> str:
        return f"row {self.row + 1}, subject {self.subject}, {self.column}: {self.message}."


def refuse(faults: Sequence[Fault]) -> None:
    """Raise if there is a fault; all that fit on a screen are told at once.

    Raises:
        InvalidInput: names every fault's row (from 1, below the header), subject and column.
    """
    if not faults:
        return
    if len(faults) == 1:
        raise InvalidInput(f"The records cannot be read: {faults[0]}")
    lines = [f"{len(faults)} faults in the records:", *(f"  {fault}" for fault in faults[:_SHOWN])]
    if len(faults) > _SHOWN:
        lines.append(f"  and {len(faults) - _SHOWN} more.")
    raise InvalidInput("\n".join(lines))


def faults_of(
    page: Page,
    subjects: Sequence[str],
    time: Floats,
    event: Floats,
    entry: NDArray[np.int64],
    numbers: Mapping[str, Floats],
) -> list[Fault]:
    """Every fault of a table of numbers.

    Args:
        time: (row,) as in the table; NaN where the cell is empty.
        event: (row,) EVID.
        entry: (row,) which of the page's entries a dose takes; -1 for none, or an unknown one.
        numbers: the other columns by name, empty cells as 0.
    """
    faults: list[Fault] = []
    seen: set[str] = set()
    last = ""
    for row, subject in enumerate(subjects):
        cells = {name: float(column[row]) for name, column in numbers.items()}
        found = [*_order(time, event, row, subject == last), *_event(event[row], cells)]
        if subject != last and subject in seen:
            found.append(("id", "this subject's records stood above already; put all of one subject together"))
        if subject == "":
            found.append(("id", "empty; every record needs a subject"))
        if event[row] in (1.0, 4.0) and entry[row] >= 0:
            found += _dose(page, int(entry[row]), cells)
        faults += [Fault(row, subject, column, message) for column, message in found]
        seen.add(subject)
        last = subject
    return faults


def _order(time: Floats, event: Floats, row: int, is_same: bool) -> list[tuple[str, str]]:
    now = time[row]
    if np.isnan(now):
        return [("time", "empty; every record needs a time")]
    if now < 0.0:
        return [("time", f"found {now:g}; times are counted from the start, 0 or more")]
    if is_same and now < time[row - 1] and event[row] not in (3.0, 4.0):
        return [
            (
                "time",
                f"found {now:g} after {time[row - 1]:g}; sort a subject's records by time "
                "(only a reset, evid 3 or 4, may turn the clock back)",
            )
        ]
    return []


def _event(event: float, cells: Mapping[str, float]) -> list[tuple[str, str]]:
    if event not in (0.0, 1.0, 2.0, 3.0, 4.0):
        return [("evid", f"found {event:g}; 0 looks, 1 doses, 2 is another event, 3 resets, 4 resets and doses")]
    if event in (1.0, 4.0):
        return []
    return [
        (name, f"found {cells[name]:g} with evid {event:g}, which gives nothing; a dose has evid 1 or 4")
        for name in ("amt", "rate", "ss", "addl")
        if cells[name] != 0.0
    ]


def _dose(page: Page, entry: int, cells: Mapping[str, float]) -> list[tuple[str, str]]:
    amount, rate, interval, more, steady = (cells[name] for name in ("amt", "rate", "ii", "addl", "ss"))
    way, found = page.entries[entry], []
    if amount < 0.0:
        found.append(("amt", f"found {amount:g}; a dose is 0 or more"))
    if interval < 0.0:
        found.append(("ii", f"found {interval:g}; an interval is 0 or more"))
    if more < 0.0 or more != int(more):
        found.append(("addl", f"found {more:g}; give a whole number of further doses, 0 or more"))
    elif more > 0.0 and interval == 0.0:
        found.append(("ii", f"0 with addl {more:g}; further doses need an interval"))
    if steady not in (0.0, 1.0, 2.0):
        found.append(("ss", f"found {steady:g}; 0 is no steady state, 1 one in place of what is there, 2 one on top"))
    elif steady > 0.0 and interval == 0.0 and amount > 0.0:
        found.append(("ii", f"0 with ss {steady:g}; give the interval, or amt 0 and a rate for a constant infusion"))
    elif steady > 0.0 and interval > 0.0 and amount == 0.0:
        found.append(("amt", f"0 with ss {steady:g}, ii {interval:g}; give the dose, or ii 0 for a constant infusion"))
    elif steady > 0.0 and amount == 0.0 and rate == -2.0:
        found.append(("rate", "found -2 in a constant infusion, which has no duration; give the rate, or -1"))
    if rate < 0.0 and rate not in (-1.0, -2.0):
        found.append(("rate", f"found {rate:g}; give 0 for a bolus, a rate, or -1 or -2 where the model says it"))
    elif rate == -1.0 and way.rate is None:
        found.append(("rate", f"found -1; {page.name!r} has no parameter for the rate by {way.route}; give a rate"))
    elif rate == -2.0 and way.duration is None:
        found.append(("rate", f"found -2; {page.name!r} has no parameter for the duration by {way.route}; give a rate"))
    elif rate != 0.0 and amount == 0.0 and steady == 0.0:
        found.append(("amt", f"0 with rate {rate:g}; give an infusion's amount, or rate 0"))
    return found
