"""The loop around a model's step in plain Python: the oracle of the printed one. A model's functions are the compiled
ones, so that what is compared is the loop alone and to the last bit.
"""

import ctypes
import math
from collections.abc import Callable
from typing import Final, final

import numpy as np

from sevenfold.mechanism.control import SMALLEST_STEP
from sevenfold.mechanism.driver import AS_CONTROLLED, NOT_FINITE, READ, TOO_MANY, VANISHED, WRITE, Tables
from sevenfold.mechanism.kernel import Kernel

__all__ = ["PlainDriver"]

_ADDRESS: Final = ctypes.c_int64
_STEP: Final = ctypes.CFUNCTYPE(ctypes.c_int32, _ADDRESS, ctypes.c_double)
_LOAD: Final = ctypes.CFUNCTYPE(None, _ADDRESS, _ADDRESS, ctypes.c_int64)
_OBSERVE: Final = ctypes.CFUNCTYPE(None, _ADDRESS, _ADDRESS)


@final
class PlainDriver:
    """Takes the place of ``driver.drive`` for one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.step: Callable[[int, float], int] = _STEP(kernel.address("step"))
        self.load: Callable[[int, int, int], None] = _LOAD(kernel.address("load"))
        self.observe: Callable[[int, int], None] = _OBSERVE(kernel.address("observe"))
        self.rows = kernel.printed.rows

    def __call__(
        self,
        _address: int,
        shape: tuple[int, int],
        tables: Tables,
        first: int,
        last: int,
        how: int,
        tolerance: float,
    ) -> None:
        """What ``driver.drive`` promises."""
        lanes, time = shape[1], self.rows.time
        work = np.zeros(shape)
        patient, at_stop, n_counted = [-1] * lanes, [0] * lanes, [0] * lanes
        waiting = first
        for lane in range(lanes):
            self.take_up(work, lane, tables, first)
        while True:
            for lane in range(lanes):
                while patient[lane] < 0 and waiting < last:
                    i, waiting = waiting, waiting + 1
                    self.take_up(work, lane, tables, i)
                    work[time + 6, lane] = 0.0
                    at_stop[lane] = int(tables.stops.first[i])
                    if self.pass_stops(work, lane, tables, i, at_stop):
                        self.put_down(work, lane, tables, i)
                    else:
                        patient[lane], n_counted[lane] = i, 0
            seated = [lane for lane in range(lanes) if patient[lane] >= 0]
            if not seated:
                return
            if how == READ:
                for lane in seated:
                    work[time + 2, lane] = tables.lengths[tables.row_of[patient[lane]], n_counted[lane]]
            wanted = self.step(work.ctypes.data, tolerance)
            for lane in seated if how != AS_CONTROLLED else ():
                if work[time + 5, lane] <= 1.0:
                    if how == WRITE:
                        tables.lengths[tables.row_of[patient[lane]], n_counted[lane]] = work[time + 7, lane]
                    n_counted[lane] += 1
                elif how == READ:
                    wanted |= 1 << lane
            for lane in seated:
                if wanted >> lane & 1 and self.is_over(work, lane, tables, patient[lane], at_stop):
                    self.put_down(work, lane, tables, patient[lane])
                    patient[lane] = -1

    def is_over(self, work: np.ndarray, lane: int, tables: Tables, i: int, at_stop: list[int]) -> bool:
        """Whether a lane that wants attention is done with its patient."""
        time = self.rows.time
        if work[time, lane] >= work[time + 1, lane]:
            return self.pass_stops(work, lane, tables, i, at_stop)
        if not math.isfinite(work[time + 5, lane]):
            tables.status[i] = NOT_FINITE
        else:
            tables.status[i] = VANISHED if work[time + 2, lane] < SMALLEST_STEP else TOO_MANY
        return True

    def take_up(self, work: np.ndarray, lane: int, tables: Tables, i: int) -> None:
        """Patient ``i`` into a lane, without a stop."""
        rows, given = self.rows, tables.parameters
        self.load(work.ctypes.data + 8 * lane, given.ctypes.data + 8 * i, given.shape[1])
        work[: rows.states, lane] = tables.states[i]
        work[rows.states : rows.time, lane] = tables.inputs[i]
        work[rows.time, lane] = tables.start_day[i]
        work[rows.time + 2 : rows.time + 5, lane] = tables.control[i]
        work[rows.time + 1, lane], work[rows.time + 6, lane] = math.inf, -math.inf

    def put_down(self, work: np.ndarray, lane: int, tables: Tables, i: int) -> None:
        """Where a lane's patient stands, and the lane free."""
        rows = self.rows
        tables.states[i] = work[: rows.states, lane]
        tables.inputs[i] = work[rows.states : rows.time, lane]
        tables.control[i] = work[rows.time + 2 : rows.time + 5, lane]
        tables.n_steps[i] += int(work[rows.time + 6, lane])
        work[rows.time + 1, lane], work[rows.time + 6, lane] = math.inf, -math.inf

    def pass_stops(self, work: np.ndarray, lane: int, tables: Tables, i: int, at_stop: list[int]) -> bool:
        """What stands at the stops that the lane's time has reached; whether that was the last."""
        stops, time = tables.stops, self.rows.time
        s, now = at_stop[lane], work[time, lane]
        while s < stops.last[i] and stops.day[s] <= now + SMALLEST_STEP:
            if stops.look[s] >= 0:
                seen = tables.seen[stops.seen_first[i] + stops.look[s]]
                self.observe(work.ctypes.data + 8 * lane, seen.ctypes.data)
            if stops.row[s] >= 0:
                amount = stops.amounts[stops.amount_first[i] + s - stops.first[i]]
                work[stops.row[s], lane] = stops.factor[s] * work[stops.row[s], lane] + amount
                work[time + 2, lane] = min(work[time + 2, lane], stops.step[s])
                work[time + 3, lane] = 0.0
            s += 1
        at_stop[lane] = s
        if s < stops.last[i]:
            work[time + 1, lane] = stops.day[s]
        return bool(s == stops.last[i])
