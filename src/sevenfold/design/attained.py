"""What a randomisation test attains of its level: all of it but for the size of the last step.

Under the null the actual allocation is one of its reference set, so that the level is a count of that set.
Source: docs/theory/levels.md.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.pairs import ALIKE
from sevenfold.analysis.rank_sum import rank_scores, stratum_labels
from sevenfold.analysis.redraw import Redraws

__all__ = ["Attained", "attained"]


@final
@dataclass(frozen=True, slots=True)
class Attained:
    """The level of a randomisation test, and what it would be with the next step of either tail."""

    level: float
    with_next: float


def attained(response: ArrayLike, redraws: Redraws, strata: ArrayLike | None = None, alpha: float = 0.05) -> Attained:
    """Of the two-sided rank-sum test, given the responses and every allocation that there might have been.

    The test doubles the smaller tail, so that it rejects in the largest upper and the largest lower tail that holds at
    most half of alpha: level ≤ alpha, and with the next step of each it would lie above.
    """
    y = np.asarray(response, dtype=np.float64)
    statistic = redraws.is_active @ rank_scores(y, stratum_labels(strata, len(y)))
    step = ALIKE * max(float(np.abs(statistic).max()), 1.0)
    rounded = np.round(statistic / step) * step
    level = with_next = 0.0
    for tail in (rounded, -rounded):
        _, steps = np.unique(-tail, return_counts=True)  # from the far end inwards
        reached = np.cumsum(steps) / redraws.n
        n_kept = int((reached <= alpha / 2.0 + 1e-12).sum())
        level += float(reached[n_kept - 1]) if n_kept else 0.0
        with_next += float(reached[min(n_kept, len(reached) - 1)])
    return Attained(level, with_next)
