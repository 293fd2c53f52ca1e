"""The loop around a model's step: every lane has its own list of stops and takes the next patient when it is done.

It is printed beside the model's own functions and compiled with them. No lane reads another, so a patient's trajectory
is the same to the last bit whoever sits beside. The same loop in plain Python: tests/mechanism/plain_driver.py.
"""

import ctypes
import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.control import SMALLEST_STEP, Rows
from sevenfold.mechanism.flow import Flow, Table, Value
from sevenfold.mechanism.stops import Stops

__all__ = ["AS_CONTROLLED", "READ", "WRITE", "Tables", "drive", "print_driver"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
VANISHED, TOO_MANY, NOT_FINITE = 1, 2, 3
AS_CONTROLLED, WRITE, READ = 0, 1, 2
"""How steps are found: as controlled; the same, and those that count are written down; as written, and every one must
count: one that does not ends its patient's run, as there is no other length to try."""

SAME_DAY = SMALLEST_STEP  # a stop no further away than the smallest step is reached
_NOBODY: Final = -1
_WHOLE: Final = ("first", "last", "how", "n_patients", "n_lengths")
_OF_WHOLE: Final = {
    "first", "last", "row", "look", "amount_first", "seen_first", "status", "n_steps", "row_of",
}  # fmt: skip
_LINE_BYTES: Final = 64  # of a processor's cache: a row of eight numbers lies in one


class Tables(NamedTuple):
    """What the loop reads and writes; arrays lie in memory as their axes say (C order).

    Args:
        parameters: (parameter, patient)
        start_day: (patient,)
        stops: of the patients.
        states, inputs, control: (patient, …): at the start, and afterwards at the last stop.
        seen: (look, output)
        status, n_steps: (patient,)
        lengths: (row, step) written or read.
        row_of: (patient,) whose row of ``lengths`` it is.
    """

    parameters: Floats
    start_day: Floats
    stops: Stops
    states: Floats
    inputs: Floats
    control: Floats
    seen: Floats
    status: Ints
    n_steps: Ints
    lengths: Floats
    row_of: Ints

    def addresses(self) -> list[int]:
        """Where they lie, in the order in which the loop takes them.

        Raises:
            InvalidInput: an array of another kind than the loop reads, or whose numbers do not lie side by side.
        """
        named = {**self._asdict(), **self.stops._asdict()}
        order = (*self._fields[:2], *self.stops._fields, *self._fields[3:])
        for name in order:
            array, kind = named[name], np.int64 if name in _OF_WHOLE else np.float64
            if array.dtype != kind or not array.flags.c_contiguous:
                raise InvalidInput(
                    f"The solver's table {name!r} is of {array.dtype} with strides {array.strides}; "
                    f"give {np.dtype(kind)} in C order (numpy.ascontiguousarray)."
                )
        return [named[name].ctypes.data for name in order]


def drive(
    address: int, shape: tuple[int, int], tables: Tables, first: int, last: int, how: int, tolerance: float
) -> None:
    """Bring patients ``first`` to ``last - 1`` through their stops, without holding Python's lock.

    Args:
        address: of the compiled loop.
        shape: rows of the workspace, and lanes.

    Raises:
        InvalidInput: a table that the loop cannot read.
    """
    n_rows, lanes = shape
    memory = np.zeros(n_rows * lanes + _LINE_BYTES // 8)
    work = memory[-memory.ctypes.data % _LINE_BYTES // 8 :]
    of_lanes = np.zeros((3, lanes), dtype=np.int64)
    places = [array.ctypes.data for array in (work, *of_lanes)] + tables.addresses()
    numbers = first, last, how, tables.parameters.shape[1], tables.lengths.shape[1]
    kinds = [ctypes.c_int64] * len(numbers), [ctypes.c_void_p] * len(places)
    loop = ctypes.CFUNCTYPE(None, *kinds[0], ctypes.c_double, *kinds[1])(address)
    loop(*numbers, tolerance, *places)


def print_driver(lanes: int, rows: Rows, n_outputs: int) -> str:
    """``drive``, for a model's shape; it calls ``step``, ``load`` and ``observe``."""
    return _Driver(lanes, rows, n_outputs).printed()


class _Driver:
    """The loop as it is being printed. Attributes are the arguments of the printed function, in their order."""

    def __init__(self, lanes: int, rows: Rows, n_outputs: int) -> None:
        self.lanes, self.rows, self.n_outputs = lanes, rows, n_outputs
        f = self.f = Flow()
        self.first, self.last, self.how, self.n_patients, self.n_lengths = (f.number(name, "i64") for name in _WHOLE)
        self.tolerance = f.number("tolerance", "double")
        # A row a lane: who sits there, at which stop he is next, how many of his steps have counted.
        self.work, self.patient = f.table("work", "double"), f.table("patient", "i64")
        self.at_stop, self.n_counted = f.table("at_stop", "i64"), f.table("n_counted", "i64")
        self.parameters, self.start_day = f.table("parameters", "double"), f.table("start_day", "double")
        self.stop_first, self.stop_last = f.table("stop_first", "i64"), f.table("stop_last", "i64")
        self.day, self.row = f.table("day", "double"), f.table("row", "i64")
        self.factor, self.longest = f.table("factor", "double"), f.table("longest", "double")
        self.look, self.amount_first = f.table("look", "i64"), f.table("amount_first", "i64")
        self.amounts, self.seen_first = f.table("amounts", "double"), f.table("seen_first", "i64")
        self.states, self.inputs = f.table("states", "double"), f.table("inputs", "double")
        self.control, self.seen = f.table("control", "double"), f.table("seen", "double")
        self.status, self.n_steps = f.table("status", "i64"), f.table("n_steps", "i64")
        self.lengths, self.row_of = f.table("lengths", "double"), f.table("row_of", "i64")

    def printed(self) -> str:
        """The whole loop."""
        f = self.f
        waiting, busy, wanted, is_over = f.variable(self.first), f.variable(0), f.variable(0), f.variable(0)
        with f.count(self.lanes) as lane:  # a lane that never gets a patient computes the first one's numbers
            self.take_up(lane, self.first)
            self.patient[lane] = _NOBODY
        with f.repeat() as until:
            with f.count(self.lanes) as lane, f.repeat() as until_seated:
                until_seated((self.patient[lane] >= 0) | (waiting.now >= self.last))
                i = waiting.now
                waiting.now = i + 1
                self.take_up(lane, i)
                self.in_row(6)[lane] = 0.0
                self.at_stop[lane] = self.stop_first[i]
                is_done = self.pass_stops(lane, i)
                with f.when(is_done):
                    self.put_down(lane, i)
                with f.when(~is_done):
                    self.patient[lane], self.n_counted[lane] = i, 0
                    busy.now = busy.now + 1
            until(busy.now.equals(0))
            with f.when(self.how.equals(READ)), f.count(self.lanes) as lane, f.when(self.patient[lane] >= 0):
                self.in_row(2)[lane] = self.lengths[self.next_length(lane)]
            wanted.now = f.ask("step", self.work.address(0), self.tolerance)
            with f.when(~self.how.equals(AS_CONTROLLED)), f.count(self.lanes) as lane, f.when(self.patient[lane] >= 0):
                wanted.now = wanted.now | (self.note_length(lane).whole() << lane)
            with f.when(~wanted.now.equals(0)), f.count(self.lanes) as lane:
                i = self.patient[lane]
                with f.when((i >= 0) & ((wanted.now >> lane) & 1).equals(1)):
                    is_at_stop = self.in_row(0)[lane] >= self.in_row(1)[lane]
                    is_over.now = 1
                    with f.when(is_at_stop):
                        is_over.now = self.pass_stops(lane, i).whole()
                    with f.when(~is_at_stop):
                        self.give_up(lane, i)
                    with f.when(is_over.now.equals(1)):
                        self.put_down(lane, i)
                        self.patient[lane] = _NOBODY
                        busy.now = busy.now - 1
        return f.function("drive")

    def in_row(self, k: int) -> Table:
        """Row ``k`` of those that begin with the lane's time (``control.Rows``), by lane."""
        return self.work.after((self.rows.time + k) * self.lanes)

    def take_up(self, lane: Value, i: Value) -> None:
        """Put patient ``i`` into a lane, without a stop."""
        self.f.call("load", self.work.address(lane), self.parameters.address(i), self.n_patients)
        for table, first, n in self.bodies():
            with self.f.count(n) as k:
                self.work[(k + first) * self.lanes + lane] = table[i * n + k]
        self.in_row(0)[lane] = self.start_day[i]
        self.leave_free(lane)

    def put_down(self, lane: Value, i: Value) -> None:
        """Write down where a lane's patient stands, and free the lane."""
        for table, first, n in self.bodies():
            with self.f.count(n) as k:
                table[i * n + k] = self.work[(k + first) * self.lanes + lane]
        self.n_steps[i] = self.n_steps[i] + self.in_row(6)[lane].whole()
        self.leave_free(lane)

    def leave_free(self, lane: Value) -> None:
        """A lane with neither a stop nor a number of steps at which it would want attention."""
        self.in_row(1)[lane], self.in_row(6)[lane] = math.inf, -math.inf

    def bodies(self) -> tuple[tuple[Table, int, int], ...]:
        """What is carried in and out of the workspace: a table, its first row there, how many a patient."""
        rows = self.rows
        return (self.states, 0, rows.states), (self.inputs, rows.states, rows.inputs), (self.control, rows.time + 2, 3)

    def pass_stops(self, lane: Value, i: Value) -> Value:
        """Do what stands at the stops that the lane's time has reached: look first, change afterwards. Answers whether
        that was the last.
        """
        f, now, last = self.f, self.in_row(0)[lane], self.stop_last[i]
        with f.repeat() as until:
            s = self.at_stop[lane]
            until(s >= last)
            until(~(self.day[s] <= now + SAME_DAY))
            look, row = self.look[s], self.row[s]
            with f.when(look >= 0):
                seen = self.seen.address((self.seen_first[i] + look) * self.n_outputs)
                f.call("observe", self.work.address(lane), seen)
            with f.when(row >= 0):
                at, amount = row * self.lanes + lane, self.amounts[self.amount_first[i] + s - self.stop_first[i]]
                self.work[at] = self.factor[s] * self.work[at] + amount
                self.in_row(2)[lane] = f.smaller(self.longest[s], self.in_row(2)[lane])
                self.in_row(3)[lane] = 0.0  # what the controller remembers is of another course
            self.at_stop[lane] = s + 1
        s = self.at_stop[lane]
        is_last = s >= last
        with f.when(~is_last):
            self.in_row(1)[lane] = self.day[s]
        return is_last

    def next_length(self, lane: Value) -> Value:
        """Where the length of the lane's next step stands."""
        return self.row_of[self.patient[lane]] * self.n_lengths + self.n_counted[lane]

    def note_length(self, lane: Value) -> Value:
        """Write the step down if it counts. Answers whether the lane is at a loss: a step that was read does not."""
        is_counted = self.in_row(5)[lane] <= 1.0  # NaN is not
        with self.f.when(is_counted):
            with self.f.when(self.how.equals(WRITE)):
                self.lengths[self.next_length(lane)] = self.in_row(7)[lane]
            self.n_counted[lane] = self.n_counted[lane] + 1
        return ~is_counted & self.how.equals(READ)

    def give_up(self, lane: Value, i: Value) -> None:
        """Say why a patient's run ends before the last stop."""
        is_lost = self.in_row(2)[lane] < SMALLEST_STEP
        self.status[i] = NOT_FINITE
        with self.f.when(self.in_row(5)[lane] < math.inf):
            self.status[i] = TOO_MANY
            with self.f.when(is_lost):
                self.status[i] = VANISHED
