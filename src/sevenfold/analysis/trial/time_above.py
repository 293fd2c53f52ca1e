"""Days above a threshold while alive: straight lines between the counts, the first and the last carried on.

What is asked ends at the end of the period's last day or with death, whichever comes first, so that who dies early has
few days and is not left out. Who withdrew or was lost before that was watched for a part only: there is no value, and
the reason is told.

Source: docs/theory/estimands.md.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.protocol.endpoint import TimeAboveEndpoint
from sevenfold.protocol.visit import time_day

__all__ = ["days_above", "time_above"]

Floats = NDArray[np.float64]

_LONG_DAY: Final = 7.0  # a count carried on for longer is told: the usual distance of two visits


def days_above(endpoint: TimeAboveEndpoint, cohort: Cohort, trial: int) -> tuple[Floats, list[str], tuple[str, ...]]:
    """Days above the threshold from the first dose to the end of the day asked for or death; reasons; what is to be
    told. Who was seen on that day was followed through it.
    """
    until = time_day(endpoint.until_day) + 1.0  # the end of that day, as for events and restricted means
    above, why = np.full(cohort.n_subjects, np.nan), [""] * cohort.n_subjects
    n_long = 0
    for i in range(cohort.n_subjects):
        end = min(until, float(cohort.death_day[trial, i]))
        days, counts = _counts(endpoint.time_above, cohort, trial, i)
        why[i] = _unwatched(endpoint.time_above, cohort, (trial, i), end, until) or ("" if len(days) else "no count")
        if not why[i]:
            n_long += end - days[-1] > _LONG_DAY
            above[i] = time_above(days, counts, endpoint.threshold_per_ul, end)
    told = f"Straight lines between counts, the last carried on to death or the end of day {endpoint.until_day}"
    return above, why, (f"{told} (for more than {_LONG_DAY:.0f} days in {n_long} subjects).",)


def time_above(days: Floats, counts: Floats, threshold: float, end: float) -> float:
    """The time before ``end`` that straight lines spend above a threshold, the last count carried on.

    Between counts a and b, t days apart, of which only b is above c: t (b - c)/(b - a).

    Args:
        days: ascending, from the first dose.
    """
    total = 0.0
    for (start, before), (stop, after) in pairwise(
        zip((*days, max(end, days[-1])), (*counts, counts[-1]), strict=True)
    ):
        cut = min(stop, end)
        if cut <= start:
            continue
        at_cut = before + (after - before) * (cut - start) / (stop - start)
        high, low = max(before, at_cut), min(before, at_cut)
        share = 1.0 if low > threshold else 0.0 if high <= threshold else (high - threshold) / (high - low)
        total += share * (cut - start)
    return float(total)


def _counts(variable: str, cohort: Cohort, trial: int, i: int) -> tuple[Floats, Floats]:
    """Days and counts in order, from the first dose on; the baseline opens them where that day has no count.

    A count dated after the subject's death is none.
    """
    days, values = cohort.day_of(variable)[trial, i], cohort.values[variable][trial, i]
    usable = np.isfinite(values) & np.isfinite(days) & ~(np.floor(days) > np.floor(cohort.death_day[trial, i]))
    order = np.argsort(days[usable], kind="stable")
    t, x = np.maximum(days[usable][order], 0.0), values[usable][order]
    baseline = cohort.baseline[variable][trial, i]
    if np.isfinite(baseline) and (not len(t) or t[0] > 0.0):
        t, x = np.concatenate([[0.0], t]), np.concatenate([[baseline], x])
    return t, x


def _unwatched(variable: str, cohort: Cohort, place: tuple[int, int], end: float, until: float) -> str:
    """Why a subject was not followed to the end; empty if they were."""
    codes = cohort.missing[variable][place]
    if cohort.last_day[place] >= end or cohort.last_day[place] > until - 1.0:
        is_open = np.isinf(cohort.last_day[place]) and np.isinf(cohort.death_day[place])
        return Missing.NOT_YET.reason if is_open and (codes == Missing.NOT_YET).any() else ""
    reason = next((r for r in Missing if r.has_left and (codes == r).any()), None)
    return reason.reason if reason is not None else "not followed until then"
