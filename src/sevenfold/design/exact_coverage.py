"""The coverage of exact intervals over every share that they may be asked about, summed rather than simulated.

Between two limits of its intervals, coverage is a sum of neighbouring probabilities, least at one of the ends. So
beside a grid it is taken on both sides of every limit, where it is smallest. Source: docs/theory/levels.md.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.proportion import Proportion
from sevenfold.analysis.proportion_difference import ProportionDifference
from sevenfold.analysis.two_binomials import Table, log_choose

__all__ = ["least_coverage", "least_coverage_of_difference"]

Floats = NDArray[np.float64]
_BESIDE: Final = 1e-9
_SHARES: Final = 999
_DIFFERENCES: Final = 199
_NUISANCE: Final = 101  # values of the other share at each difference


def least_coverage(interval: Callable[[int, int], Proportion], n: int) -> float:
    """The smallest chance that an interval of one proportion holds the true share.

    Args:
        interval: of events among ``n``.
    """
    limits = np.array([(found.lower, found.upper) for found in (interval(x, n).interval for x in range(n + 1))])
    share = _points(limits, low=0.0, high=1.0, n=_SHARES)
    holds = (limits[:, 0] <= share[:, None]) & (share[:, None] <= limits[:, 1])
    return float((_binomial(n, share) * holds).sum(axis=1).min())


def least_coverage_of_difference(interval: Callable[[Table], ProportionDifference], n_a: int, n_b: int) -> float:
    """The smallest chance that an interval of a difference of proportions holds the true one, over pairs of shares."""
    tables = (Table(events_a=a, n_a=n_a, events_b=b, n_b=n_b) for a in range(n_a + 1) for b in range(n_b + 1))
    limits = np.array([(found.lower, found.upper) for found in (interval(table).interval for table in tables)])
    least = 1.0
    for difference in _points(limits, low=-1.0, high=1.0, n=_DIFFERENCES):
        holds = ((limits[:, 0] <= difference) & (difference <= limits[:, 1])).reshape(n_a + 1, n_b + 1)
        b = np.linspace(max(0.0, -difference), min(1.0, 1.0 - difference), _NUISANCE)
        a = np.clip(b + difference, 0.0, 1.0)
        chance = ((_binomial(n_a, a) @ holds) * _binomial(n_b, b)).sum(axis=1)
        least = min(least, float(chance.min()))
    return least


def _points(limits: Floats, low: float, high: float, n: int) -> Floats:
    """A grid, and both sides of every limit."""
    ends = np.unique(limits)
    points = np.concatenate([np.linspace(low, high, n + 2)[1:-1], ends - _BESIDE, ends + _BESIDE])
    return np.unique(points[(points > low) & (points < high)])


def _binomial(n: int, share: Floats) -> Floats:
    """Probabilities of 0 to n events  # (share, event)."""
    events = np.arange(n + 1)
    return np.asarray(np.exp(log_choose(n)) * share[:, None] ** events * (1.0 - share[:, None]) ** (n - events))
