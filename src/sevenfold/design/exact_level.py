"""The level of an exact test of two proportions over every value of the share that it does not know.

No chance is drawn: the probability of every table is summed. Source: docs/theory/levels.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.two_binomials import Table, log_choose

__all__ = ["ExactLevel", "exact_level"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ExactLevel:
    """How often a test rejects where both groups have the same share.

    Args:
        share: of events in both groups  # (share,).
        level: chance of rejection at that share  # (share,).
    """

    n_a: int
    n_b: int
    share: NDArray[np.float64]
    level: NDArray[np.float64]

    @property
    def largest(self) -> float:
        """Over the grid."""
        return float(self.level.max())


def exact_level(
    p_value: Callable[[Table], float], n_a: int, n_b: int, alpha: float = 0.05, n_shares: int = 999
) -> ExactLevel:
    """The level of a test at two group sizes, over shares from 0 to 1.

    Args:
        p_value: of a table, two-sided.
        n_shares: of the grid, ends left out.
    """
    rejects = np.array(
        [
            [p_value(Table(events_a=a, n_a=n_a, events_b=b, n_b=n_b)) <= alpha for b in range(n_b + 1)]
            for a in range(n_a + 1)
        ]
    )
    share = np.arange(1, n_shares + 1) / (n_shares + 1)
    odds = np.log(share) - np.log1p(-share)
    events = np.add.outer(np.arange(n_a + 1), np.arange(n_b + 1))
    weight = np.add.outer(log_choose(n_a), log_choose(n_b))
    n = n_a + n_b
    level = np.array(
        [np.exp(weight + events * odd + n * np.log1p(-at))[rejects].sum() for odd, at in zip(odds, share, strict=True)]
    )
    return ExactLevel(n_a=n_a, n_b=n_b, share=share, level=level)
