"""The grade of a laboratory value, of one or of many at once. Source: [ctcae403], [ctcae5], [ctcae6];
docs/theory/safety.md.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.rules.grading.criteria import Criterion
from sevenfold.rules.grading.limit import Reading

__all__ = ["UNKNOWN", "grade"]

UNKNOWN: Final = -1  # no value, or no limit of normal to hold it against


def grade(
    criterion: Criterion,
    values: ArrayLike,
    unit: str,
    *,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    baseline: ArrayLike | None = None,
    assume_conditions: bool = False,
) -> NDArray[np.int64]:
    """Grades 0 to 4 from the value alone, or ``UNKNOWN``; arrays broadcast, NaN is a value that is missing.

    A value has the highest grade of which a limit is met. Where none is met and a limit of normal is missing that one
    of them needs, the grade is unknown. A baseline that is not known counts as one within the limits of normal, and
    what is a multiple of it as not met. Grade 5 is death, which no value tells.

    Args:
        unit: of the values, the limits of normal and the baseline.
        lower: limit of normal; None where it is not known.
        upper: limit of normal; None where it is not known.
        baseline: the value before treatment.
        assume_conditions: take as met what the value does not tell where a limit asks for it (symptoms,
            anticoagulation): the worst that the value can mean.
    """
    parts = [np.nan if part is None else part for part in (values, lower, upper, baseline)]
    measured, low, high, before = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in parts))
    given = Reading(values=measured, unit=unit, lower=low, upper=high, baseline=before)
    found = np.zeros(measured.shape, dtype=np.int64)
    unknown = np.zeros(measured.shape, dtype=np.bool_)
    for at, limits in criterion.limits.items():
        for limit in limits:
            if limit.needs and not assume_conditions:
                continue
            found = np.where(limit.is_met(given), np.maximum(found, at), found)
            unknown |= limit.is_unknown(given)
    return np.where(np.isnan(measured) | ((found == 0) & unknown), UNKNOWN, found)
