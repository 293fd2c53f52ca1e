"""Days alive and free of organ support. Source: docs/theory/safety.md."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import Cohort, Support

__all__ = ["ORGAN_SUPPORT", "support_free_days"]

ORGAN_SUPPORT: Final = ("vasopressors", "invasive ventilation", "renal replacement")


def support_free_days(
    cohort: Cohort, to_study_day: int = 28, dead_count_as: int = -1, counted: Iterable[str] = ORGAN_SUPPORT
) -> NDArray[np.float64]:
    """For each subject of the first trial the study days from 1 to ``to_study_day`` without any support at any time.

    Who died by the end of that day counts as ``dead_count_as``, whatever days were free before. Who was not followed so
    far and had left hospital alive counts as free from then on; who had not has no value (NaN).
    """
    names = set(counted)
    supports = [span for span in cohort.supports if span.support in names]
    days = np.empty(cohort.n_subjects)
    for index in range(cohort.n_subjects):
        if cohort.death_day[0, index] < to_study_day:
            days[index] = dead_count_as
        elif min(cohort.last_day[0, index], float(to_study_day)) < to_study_day and np.isinf(
            cohort.discharge_day[0, index]
        ):
            days[index] = np.nan
        else:
            days[index] = to_study_day - _supported(supports, index, to_study_day, float(cohort.last_day[0, index]))
    return days


def _supported(supports: list[Support], subject: int, to_study_day: int, last_day: float) -> int:
    """Study days that hold any support; study day d is the time from d - 1 to d since the first dose."""
    with_support = set()
    for span in supports:
        if span.subject == subject:
            ended = min(span.ended_day, last_day)
            with_support |= {
                day
                for day in range(1, to_study_day + 1)
                if span.began_day < day and max(ended, span.began_day) > day - 1
            }
    return len(with_support)
