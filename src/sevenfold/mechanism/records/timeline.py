"""What happens to a subject between two resets, in order: records as they stand, later doses as they fall due.

A dose that falls due at the time of a record (a lagged one, a further one of ``addl``) comes before it; records of one
time happen in the order of the table. So a record shows what is there after the doses above it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import fsum
from typing import Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.mechanism.records.arrival import Arrival
from sevenfold.mechanism.records.calendar import Stop, look_at
from sevenfold.mechanism.records.cycle import still_running

__all__ = ["calendar_of"]

_SAME_DAY: Final = 1e-9  # times closer than this are one time


class _Due(NamedTuple):
    """What is still to happen: a dose that arrives, or (``ends`` not 0) an infusion that ends."""

    day: float
    order: int
    dose: Arrival
    ends: int = 0


def calendar_of(
    rows: Sequence[int],
    days: Sequence[float],
    doses: Mapping[int, Arrival],
    steady: Mapping[int, NDArray[np.float64]],
) -> list[Stop]:
    """The stops of one subject from one reset to the next; every record looks.

    Args:
        rows: of the table.
        days: their times.
        doses: by row.
        steady: the steady states, by the rows that ask for one.
    """
    body = _Body(days=np.array(days))
    for number, (row, day) in enumerate(zip(rows, days, strict=True)):
        body.pass_until(day)
        if row in doses:
            dose = doses[row]
            if dose.steady:
                body.set_steady(day, dose, steady[row])
            if not dose.is_constant:
                body.expect(day, dose)
        body.stops.append(look_at(day, number))
    return body.stops


@final
@dataclass(slots=True)
class _Body:
    """What is due and what runs, while a calendar is written."""

    days: NDArray[np.float64]
    stops: list[Stop] = field(default_factory=list)
    due: list[_Due] = field(default_factory=list)
    running: dict[int, dict[int, float]] = field(default_factory=dict)
    count: int = 0

    def pass_until(self, day: float) -> None:
        """Let happen what is due by then."""
        while self.due and self.due[0].day <= day:
            due = heappop(self.due)
            if due.ends:
                del self.running[due.dose.source][due.ends]
                self._set_rate(due.day, due.dose)
            else:
                self._arrive(due.day, due.dose)

    def set_steady(self, day: float, dose: Arrival, states: NDArray[np.float64]) -> None:
        """Put the steady state in place of what is there and of what is due, or add it."""
        if dose.steady == 1:
            self.due.clear()
            for source in [source for source, rates in self.running.items() if rates]:
                self.stops.append(Stop(day, source, 0.0, factor=0.0))
            self.running.clear()
        keeps = 0.0 if dose.steady == 1 else 1.0
        self.stops += [Stop(day, k, float(x), factor=keeps, step=dose.step) for k, x in enumerate(states)]
        ends = still_running(dose)
        for end in ends:
            self._run(self._snapped(day + end), dose)
        if ends:
            self._set_rate(day, dose)

    def expect(self, day: float, dose: Arrival) -> None:
        """Give a dose now, or when it falls due, and those that follow it."""
        if dose.amount == 0.0:
            return  # nothing is given: not even the solver's step notices
        for k in range(1 + dose.n_more):
            arrives = self._snapped(day + dose.lag_day + k * dose.interval_day)
            if arrives > self.days[-1]:
                return
            if arrives <= day:
                self._arrive(day, dose)
            else:
                self.count += 1
                heappush(self.due, _Due(arrives, self.count, dose))

    def _arrive(self, day: float, dose: Arrival) -> None:
        if dose.rate == 0.0:
            self.stops.append(Stop(day, dose.place, dose.amount, step=dose.step))
        else:
            self._run(self._snapped(day + dose.duration_day), dose)
            self._set_rate(day, dose)

    def _run(self, end_day: float, dose: Arrival) -> None:
        self.count += 1
        self.running.setdefault(dose.source, {})[self.count] = dose.rate
        heappush(self.due, _Due(end_day, self.count, dose, ends=self.count))

    def _set_rate(self, day: float, dose: Arrival) -> None:
        """All that runs into one state, summed anew, so that nothing is left over when all has ended."""
        rate = fsum(self.running[dose.source].values())
        self.stops.append(Stop(day, dose.source, rate, factor=0.0, step=dose.step))

    def _snapped(self, day: float) -> float:
        """A record's time, if it is this one but for rounding."""
        near = np.searchsorted(self.days, day - _SAME_DAY)
        if near < len(self.days) and self.days[near] <= day + _SAME_DAY:
            return float(self.days[near])
        return day
