"""One interval of a dose that is repeated for ever: the infusions that run in it, and what it does to a patient.

The interval begins when a dose arrives. Where infusions last longer than the interval, several run at once; m + 1 of
them while the oldest still runs, m afterwards.
"""

from collections.abc import Sequence
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sevenfold.mechanism.records.arrival import Arrival
from sevenfold.mechanism.records.calendar import Stop, look_at, tabulate
from sevenfold.mechanism.solve import Patients, SolverStatus, follow

__all__ = ["follow_cycle", "period_day", "running_at_arrival", "still_running"]

Floats = NDArray[np.float64]
_CONSTANT_DAY: Final = 10.0  # a constant infusion repeats after any time; after this long most drugs have settled
_SAME_DAY: Final = 1e-9


def period_day(dose: Arrival) -> float:
    """After how long everything repeats."""
    return _CONSTANT_DAY if dose.is_constant else dose.interval_day


def running_at_arrival(dose: Arrival) -> int:
    """How many infusions run just after one has begun, that one included."""
    if dose.is_constant:
        return 1
    return ceil((dose.duration_day - _SAME_DAY) / dose.interval_day) if dose.rate > 0.0 else 0


def still_running(dose: Arrival) -> list[float]:
    """Earlier infusions that run at the record's time: how long each still does, in days.

    Where the lag is longer than the interval, the last one before the record's own arrives only after the record; it
    is then taken to run already (docs/theory/steady-state.md).
    """
    if dose.rate == 0.0 or dose.is_constant:
        return []
    since = max(dose.lag_day - dose.interval_day, 0.0)  # when the last one begins, after the record
    ends = (dose.lag_day - k * dose.interval_day + dose.duration_day for k in range(1, _most(dose) + 1))
    return [end for end in ends if end > since + _SAME_DAY]


def _most(dose: Arrival) -> int:
    return ceil((dose.lag_day + dose.duration_day) / dose.interval_day)


def follow_cycle(patients: Patients, doses: Sequence[Arrival], until_day: Sequence[float], tolerance: float) -> Floats:
    """Where patients stand some time after a dose has arrived in them, at most an interval.

    Args:
        patients: as they stand just before it arrives, one a dose; earlier infusions are those of the cycle.

    Returns:
        (dose, state), NaN where the integration failed.
    """
    after = follow(
        patients,
        tabulate([_cycle(dose, until) for dose, until in zip(doses, until_day, strict=True)]),
        [0] * len(doses),
        tolerance=tolerance,
    )
    is_lost = np.array([status is not SolverStatus.OK for status in after.status])
    return np.where(is_lost[:, np.newaxis], np.nan, after.patients.states)


def _cycle(dose: Arrival, until_day: float) -> list[Stop]:
    if dose.rate == 0.0:
        return [Stop(0.0, dose.place, dose.amount, step=dose.step), look_at(until_day)]
    n = running_at_arrival(dose)
    stops = [Stop(0.0, dose.source, n * dose.rate, factor=0.0, step=dose.step)]
    oldest_day = np.inf if dose.is_constant else dose.duration_day - (n - 1) * dose.interval_day
    if oldest_day < min(until_day, period_day(dose) - _SAME_DAY):
        stops.append(Stop(oldest_day, dose.source, (n - 1) * dose.rate, factor=0.0, step=dose.step))
    return [*stops, look_at(until_day)]
