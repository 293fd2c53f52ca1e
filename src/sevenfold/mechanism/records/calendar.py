"""Stops of patients, written one list a patient, as the table that the solver reads."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from sevenfold.mechanism.stops import Stops

__all__ = ["Stop", "look_at", "tabulate"]


class Stop(NamedTuple):
    """At a time a number of the patient becomes ``factor`` times itself plus ``amount``, or somebody looks.

    Args:
        day: when.
        row: a state by its number, an infusion after the states; -1 to change nothing.
        amount: what is added.
        factor: 1 to keep what is there, 0 to forget it.
        step: the longest step with which to go on.
        look: which of the patient's looks is taken, before the change; -1 for none.
    """

    day: float
    row: int = -1
    amount: float = 0.0
    factor: float = 1.0
    step: float = np.inf
    look: int = -1


def look_at(day: float, number: int = -1) -> Stop:
    """A stop that changes nothing."""
    return Stop(day, look=number)


def tabulate(calendars: Sequence[Sequence[Stop]]) -> Stops:
    """The table of one calendar a patient, each in order of time."""
    n_stops = np.array([len(calendar) for calendar in calendars], dtype=np.int64)
    last = np.cumsum(n_stops)
    columns = [*zip(*chain.from_iterable(calendars), strict=True)]
    day, row, amount, factor, step, look = (np.array(column, dtype=np.float64) for column in columns)
    n_looks = np.array([sum(stop.look >= 0 for stop in calendar) for calendar in calendars], dtype=np.int64)
    return Stops(
        first=last - n_stops,
        last=last,
        day=day,
        row=row.astype(np.int64),
        factor=factor,
        step=step,
        look=look.astype(np.int64),
        amount_first=last - n_stops,
        amounts=amount,
        seen_first=np.cumsum(n_looks) - n_looks,
    )
