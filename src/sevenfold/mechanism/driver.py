"""The loop around a step: every lane has its own time, step and list of stops, and takes the next patient when it is
done.

No lane reads another, so a patient's trajectory is the same to the last bit whoever sits beside. This text becomes
part of every printed kernel (from the marked line on); the names declared here are constants and functions printed
before it.
"""

import math
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

    LANES: int  # patients computed by one instruction stream
    STATES: int
    OUTPUTS: int
    ROWS: int  # rows of the workspace, each LANES wide
    STATE_ROW: int  # first row of the states
    NEXT_ROW: int  # first row of the states after the step that is being tried
    TIME_ROW: int
    STEP_ROW: int
    ERROR_ROW: int  # squared error of the step over the squared tolerance; accepted at 1 or below
    INPUT_ROW: int  # first row of the infusions
    INPUTS: int

    def load(work: Floats, lane: int, parameters: Floats, patient: int) -> None: ...
    def step(work: Floats, tolerance: float) -> None: ...
    def observe(work: Floats, lane: int, outputs: Floats, row: int) -> None: ...


# --- printed from here ---

careful = nb.njit(error_model="numpy", fastmath=False, nogil=True, cache=True)

OK, VANISHED, TOO_MANY = 0, 1, 2
FIRST_STEP = 0.01
SMALLEST_STEP = 1e-12
MOST_STEPS = 200_000
SAFETY, SHRINK, GROW = 0.8, 0.2, 2.0


@careful
def advance(
    first,
    last,
    tolerance,
    parameters,
    start_day,
    stop_from,
    stop_day,
    stop_row,
    stop_amount,
    stop_step,
    stop_output,
    states,
    inputs,
    steps,
    outputs,
    status,
    n_steps,
):
    """Bring patients ``first`` to ``last - 1`` through their stops.

    Patient i's stops are ``stop_from[i]`` to ``stop_from[i + 1] - 1``, in order of time; each may write a row of
    ``outputs`` (``stop_output``, -1 for none) and then add ``stop_amount`` to a row of the workspace (``stop_row``, -1
    for none). ``states``, ``inputs`` and ``steps`` hold the patients at the start and, afterwards, at their last stop.
    """
    work = np.zeros(ROWS * LANES)
    patient = np.full(LANES, -1, dtype=np.int64)
    at_stop = np.zeros(LANES, dtype=np.int64)
    planned = np.zeros(LANES)
    taken = np.zeros(LANES, dtype=np.int64)
    accepted = np.zeros(LANES)
    waiting, busy = first, 0
    for lane in range(LANES):
        work[STEP_ROW * LANES + lane] = FIRST_STEP
    while True:
        for lane in range(LANES):
            if patient[lane] < 0 and waiting < last:
                i = waiting
                waiting += 1
                busy += 1
                patient[lane], at_stop[lane], taken[lane] = i, stop_from[i], 0
                load(work, lane, parameters, i)
                for k in range(STATES):
                    work[(STATE_ROW + k) * LANES + lane] = states[i, k]
                for k in range(INPUTS):
                    work[(INPUT_ROW + k) * LANES + lane] = inputs[i, k]
                work[TIME_ROW * LANES + lane] = start_day[i]
                planned[lane] = steps[i] if steps[i] > 0.0 else FIRST_STEP
                pass_stops(
                    work,
                    lane,
                    i,
                    at_stop,
                    planned,
                    stop_from,
                    stop_day,
                    stop_row,
                    stop_amount,
                    stop_step,
                    stop_output,
                    outputs,
                )
            if patient[lane] >= 0 and (at_stop[lane] == stop_from[patient[lane] + 1] or status[patient[lane]] != OK):
                i = patient[lane]
                for k in range(STATES):
                    states[i, k] = work[(STATE_ROW + k) * LANES + lane]
                for k in range(INPUTS):
                    inputs[i, k] = work[(INPUT_ROW + k) * LANES + lane]
                steps[i] = planned[lane]
                n_steps[i] += taken[lane]
                patient[lane] = -1
                busy -= 1
        if busy == 0:
            if waiting >= last:
                break
            continue
        for lane in range(LANES):
            if patient[lane] >= 0:
                left = stop_day[at_stop[lane]] - work[TIME_ROW * LANES + lane]
                h = planned[lane]
                if 1.0001 * h >= left:
                    h = left
                elif 2.0 * h > left:
                    h = 0.5 * left
                work[STEP_ROW * LANES + lane] = h
        step(work, tolerance)
        for lane in range(LANES):
            accepted[lane] = 1.0 if work[ERROR_ROW * LANES + lane] <= 1.0 else 0.0
        for k in range(STATES):
            for lane in range(LANES):
                if accepted[lane] > 0.0:
                    work[(STATE_ROW + k) * LANES + lane] = work[(NEXT_ROW + k) * LANES + lane]
        for lane in range(LANES):
            i = patient[lane]
            if i < 0:
                continue
            taken[lane] += 1
            h = work[STEP_ROW * LANES + lane]
            error = work[ERROR_ROW * LANES + lane]
            change = SHRINK
            if error < 1e30:
                change = min(GROW, max(SHRINK, SAFETY / math.sqrt(math.sqrt(math.sqrt(max(error, 1e-16))))))
            if accepted[lane] > 0.0:
                arrives = h >= stop_day[at_stop[lane]] - work[TIME_ROW * LANES + lane]
                if not arrives or change < 1.0 or h * change > planned[lane]:
                    planned[lane] = h * change
                if arrives:
                    work[TIME_ROW * LANES + lane] = stop_day[at_stop[lane]]
                    pass_stops(
                        work,
                        lane,
                        i,
                        at_stop,
                        planned,
                        stop_from,
                        stop_day,
                        stop_row,
                        stop_amount,
                        stop_step,
                        stop_output,
                        outputs,
                    )
                else:
                    work[TIME_ROW * LANES + lane] += h
            else:
                planned[lane] = h * min(change, 0.9)
                if planned[lane] < SMALLEST_STEP:
                    status[i] = VANISHED
            if taken[lane] >= MOST_STEPS:
                status[i] = TOO_MANY


@careful
def pass_stops(
    work, lane, i, at_stop, planned, stop_from, stop_day, stop_row, stop_amount, stop_step, stop_output, outputs
):
    """Do what stands at the stops that the lane's time has reached: look first, dose afterwards."""
    now = work[TIME_ROW * LANES + lane]
    while at_stop[lane] < stop_from[i + 1] and stop_day[at_stop[lane]] <= now:
        s = at_stop[lane]
        if stop_output[s] >= 0:
            observe(work, lane, outputs, stop_output[s])
        if stop_row[s] >= 0:
            work[stop_row[s] * LANES + lane] += stop_amount[s]
            planned[lane] = min(planned[lane], stop_step[s])
        at_stop[lane] += 1
