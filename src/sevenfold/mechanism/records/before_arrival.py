"""From the steady state just before a dose arrives to the record's time, which is the lag before the next one arrives.

Where the lag is longer than the interval, that is before the dose just reached: the patient is followed backwards, with
its drug there already. That is what NONMEM 7.4 does with closed forms; it is arithmetic, and amounts may be negative.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sevenfold.mechanism.page import Named, Page
from sevenfold.mechanism.records.arrival import Arrival
from sevenfold.mechanism.records.calendar import Stop, look_at, tabulate
from sevenfold.mechanism.records.cycle import follow_cycle, running_at_arrival
from sevenfold.mechanism.solve import Patients, SolverStatus, follow

__all__ = ["before_arrival"]

Floats = NDArray[np.float64]


def before_arrival(patients: Patients, doses: Sequence[Arrival], tolerance: float) -> Floats:
    """The state a lag before the next dose arrives.

    Args:
        patients: at steady state, just before a dose arrives, one a dose.

    Returns:
        (dose, state), NaN where the way there could not be integrated.
    """
    states = patients.states.copy()
    moving = [k for k, dose in enumerate(doses) if not dose.is_constant]
    on = np.array([k for k in moving if doses[k].lag_day <= doses[k].interval_day], dtype=np.int64)
    back = np.array([k for k in moving if doses[k].lag_day > doses[k].interval_day], dtype=np.int64)
    if on.size:
        some = [doses[k] for k in on.tolist()]
        states[on] = follow_cycle(patients.take(on), some, [d.interval_day - d.lag_day for d in some], tolerance)
    if back.size:
        states[back] = _backwards(patients.take(back), [doses[k] for k in back.tolist()], tolerance)
    return states


def _backwards(patients: Patients, doses: Sequence[Arrival], tolerance: float) -> Floats:
    """Where patients stood before a dose arrived, had its infusion, or the drug of its bolus, been there already."""
    calendars = []
    for dose in doses:
        enters = Stop(0.0, dose.place, dose.amount)
        if dose.rate > 0.0:
            enters = Stop(0.0, dose.source, -running_at_arrival(dose) * dose.rate, factor=0.0)
        calendars.append([enters, look_at(dose.lag_day - dose.interval_day)])
    turned = replace(patients, page=_reversed(patients.page))
    after = follow(turned, tabulate(calendars), [0] * len(doses), tolerance=tolerance)
    is_lost = np.array([code is not SolverStatus.OK for code in after.status])
    return np.where(is_lost[:, np.newaxis], np.nan, after.patients.states)


@cache
def _reversed(page: Page) -> Page:
    """The same model with time running backwards."""

    def rates(time_day: Any, y: Named, p: Named) -> Mapping[str, Any]:
        return {name: -1.0 * rate for name, rate in page.rates(time_day, y, p).items()}

    return replace(page, name=f"{page.name}_backwards", rates=rates)
