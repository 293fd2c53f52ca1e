"""The loop around a model's step: every lane has its own list of stops and takes the next patient when it is done.

One loop serves every model: a model's own functions are called by their addresses. No lane reads another, so a
patient's trajectory is the same to the last bit whoever sits beside.
"""

from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from sevenfold.mechanism.control import SMALLEST_STEP

__all__ = ["AS_CONTROLLED", "READ", "WRITE", "drive"]

OK, VANISHED, TOO_MANY, NOT_FINITE = 0, 1, 2, 3
AS_CONTROLLED, WRITE, READ = 0, 1, 2
SAME_DAY = SMALLEST_STEP  # a stop no further away than the smallest step is reached


def _caller(returns: Any, *takes: Any) -> Any:
    """A call, from compiled code, of the function at an address, with these types; addresses travel as int64."""

    def declare(_context: Any, _address: Any, *_arguments: Any) -> Any:
        def generate(_c: Any, b: Any, _s: Any, a: Any) -> Any:
            result = ir.IntType(32) if returns is types.int32 else ir.VoidType()
            kinds = [ir.DoubleType() if kind is types.float64 else ir.IntType(64) for kind in takes]
            where = b.inttoptr(a[0], ir.FunctionType(result, kinds).as_pointer())
            value = b.call(where, a[1:])
            return value if returns is types.int32 else _c.get_dummy_value()

        return returns(types.int64, *takes), generate

    return declare


@intrinsic
def call_step(_context, _address, _work, _tolerance):  # type: ignore[no-untyped-def]
    return _caller(types.int32, types.int64, types.float64)(_context, _address, _work, _tolerance)


@intrinsic
def call_load(_context, _address, _lane, _given, _stride):  # type: ignore[no-untyped-def]
    return _caller(types.void, types.int64, types.int64, types.int64)(_context, _address, _lane, _given, _stride)


@intrinsic
def call_observe(_context, _address, _lane, _seen):  # type: ignore[no-untyped-def]
    return _caller(types.void, types.int64, types.int64)(_context, _address, _lane, _seen)


compiled = nb.njit(error_model="numpy", nogil=True, cache=True)


@compiled
def drive(addresses, shape, first, last, tolerance, parameters, start_day, stops, bodies, answers, grid):  # type: ignore[no-untyped-def]
    """Bring patients ``first`` to ``last - 1`` through their stops.

    Args:
        addresses: of the model's ``step``, ``load`` and ``observe``.
        shape: lanes, states, inputs, rows (see ``control.Rows``).
        parameters: (parameter, patient)
        start_day: (patient,)
        stops: the arrays of ``stops.Stops``, in the order of its fields.
        bodies: states, inputs and control, (patient, …): at the start, and afterwards at the last stop.
        answers: seen (row, output), status (patient,) and steps taken (patient,).
        grid: how steps are found (``AS_CONTROLLED``; ``WRITE``: the same, and those that count are written down;
            ``READ``: as written, and every one counts), the lengths (row, step), and each patient's row.
    """
    how, lengths, row_of = grid
    n_counted = np.zeros(shape[0], dtype=np.int64)
    lanes, n_states, n_inputs, n_rows = shape
    time_row = n_states + n_inputs
    work = np.zeros(n_rows * lanes)
    base = work.ctypes.data
    patient = np.full(lanes, -1, dtype=np.int64)
    at_stop = np.zeros(lanes, dtype=np.int64)
    waiting, busy = first, 0
    for lane in range(lanes):  # a lane that never gets a patient computes the first one's numbers, to no stop
        take_up(addresses[1], work, shape, lane, first, parameters, start_day, bodies)
    while True:
        for lane in range(lanes):
            while patient[lane] < 0 and waiting < last:
                i, waiting = waiting, waiting + 1
                take_up(addresses[1], work, shape, lane, i, parameters, start_day, bodies)
                work[(time_row + 6) * lanes + lane] = 0.0
                at_stop[lane] = stops[0][i]
                if pass_stops(addresses[2], work, shape, lane, i, at_stop, stops, answers[0]):
                    put_down(work, shape, lane, i, bodies, answers[2])
                else:
                    patient[lane] = i
                    n_counted[lane] = 0
                    busy += 1
        if busy == 0:
            break
        if how == READ:
            for lane in range(lanes):
                if patient[lane] >= 0:
                    work[(time_row + 2) * lanes + lane] = lengths[row_of[patient[lane]], n_counted[lane]]
        wanted = call_step(addresses[0], base, tolerance)
        if how != AS_CONTROLLED:
            for lane in range(lanes):
                if patient[lane] >= 0 and (how == READ or work[(time_row + 5) * lanes + lane] <= 1.0):
                    if how == WRITE:
                        lengths[row_of[patient[lane]], n_counted[lane]] = work[(time_row + 7) * lanes + lane]
                    n_counted[lane] += 1
        if wanted == 0:
            continue
        for lane in range(lanes):
            i = patient[lane]
            if i < 0 or not (wanted >> lane) & 1:
                continue
            if work[time_row * lanes + lane] >= work[(time_row + 1) * lanes + lane]:
                is_done = pass_stops(addresses[2], work, shape, lane, i, at_stop, stops, answers[0])
            else:
                is_done = True
                error = work[(time_row + 5) * lanes + lane]
                answers[1][i] = NOT_FINITE
                if np.isfinite(error):
                    is_lost = work[(time_row + 2) * lanes + lane] < SMALLEST_STEP
                    answers[1][i] = VANISHED if is_lost else TOO_MANY
            if is_done:
                put_down(work, shape, lane, i, bodies, answers[2])
                patient[lane] = -1
                busy -= 1


@compiled
def take_up(address, work, shape, lane, i, parameters, start_day, bodies):  # type: ignore[no-untyped-def]
    """Put patient ``i`` into a lane, without a stop."""
    lanes, n_states, n_inputs, _ = shape
    time_row = n_states + n_inputs
    call_load(address, work.ctypes.data + 8 * lane, parameters.ctypes.data + 8 * i, parameters.shape[1])
    for k in range(n_states):
        work[k * lanes + lane] = bodies[0][i, k]
    for k in range(n_inputs):
        work[(n_states + k) * lanes + lane] = bodies[1][i, k]
    work[time_row * lanes + lane] = start_day[i]
    work[(time_row + 1) * lanes + lane] = np.inf
    for k in range(3):
        work[(time_row + 2 + k) * lanes + lane] = bodies[2][i, k]
    work[(time_row + 6) * lanes + lane] = -np.inf  # without a patient, a lane never takes too many steps


@compiled
def put_down(work, shape, lane, i, bodies, n_steps):  # type: ignore[no-untyped-def]
    """Write down where a lane's patient stands, and free the lane."""
    lanes, n_states, n_inputs, _ = shape
    time_row = n_states + n_inputs
    for k in range(n_states):
        bodies[0][i, k] = work[k * lanes + lane]
    for k in range(n_inputs):
        bodies[1][i, k] = work[(n_states + k) * lanes + lane]
    for k in range(3):
        bodies[2][i, k] = work[(time_row + 2 + k) * lanes + lane]
    n_steps[i] += np.int64(work[(time_row + 6) * lanes + lane])
    work[(time_row + 1) * lanes + lane] = np.inf
    work[(time_row + 6) * lanes + lane] = -np.inf


@compiled
def pass_stops(address, work, shape, lane, i, at_stop, stops, seen):  # type: ignore[no-untyped-def]
    """Do what stands at the stops that the lane's time has reached: look first, change afterwards. Answers whether
    that was the last.
    """
    first, last, day, row, factor, step, look, amount_first, amounts, seen_first = stops
    lanes, n_states, n_inputs, _ = shape
    time_row = n_states + n_inputs
    s, now = at_stop[lane], work[time_row * lanes + lane]
    while s < last[i] and day[s] <= now + SAME_DAY:
        if look[s] >= 0:
            to = seen.ctypes.data + 8 * seen.shape[1] * (seen_first[i] + look[s])
            call_observe(address, work.ctypes.data + 8 * lane, to)
        if row[s] >= 0:
            at = row[s] * lanes + lane
            work[at] = factor[s] * work[at] + amounts[amount_first[i] + s - first[i]]
            planned = (time_row + 2) * lanes + lane
            work[planned] = min(work[planned], step[s])
            work[(time_row + 3) * lanes + lane] = 0.0  # what the controller remembers is of another course
        s += 1
    at_stop[lane] = s
    if s == last[i]:
        return True
    work[(time_row + 1) * lanes + lane] = day[s]
    return False
