"""One proportion with a confidence interval that small trials may use: Clopper-Pearson, Blaker, or Wilson."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, SupportsIndex, final

import numpy as np
from scipy.special import bdtr, bdtrc, betaincinv, ndtri

from sevenfold.analysis.answer import Interval, checked_level
from sevenfold.analysis.column import Flags, Integers, Numbers, count
from sevenfold.analysis.crossing import crossings
from sevenfold.errors import InvalidInput

__all__ = ["Proportion", "blaker", "clopper_pearson", "wilson"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """Patients with an event among all patients."""

    n_events: int
    n: int
    interval: Interval

    @property
    def estimate(self) -> float:
        """The share observed."""
        return self.n_events / self.n


def clopper_pearson(n_events: SupportsIndex, n: SupportsIndex, level: float = 0.95) -> Proportion:
    """Proportion with the central exact interval: each side misses with probability (1 - level)/2 at most.

    P(X ≥ x | L) = P(X ≤ x | U) = (1 - level)/2, by quantiles of the beta distribution.

    Source: [clopper1934]; docs/theory/proportions.md.
    """

    def limits(x: int, n: int, level: float) -> tuple[float, float]:
        tail = (1.0 - level) / 2.0
        lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
        upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1.0 - tail))
        return lower, upper

    return _proportion(n_events, n, level, limits, method="Clopper-Pearson", is_exact=True)


def blaker(n_events: SupportsIndex, n: SupportsIndex, level: float = 0.95) -> Proportion:
    """Proportion with Blaker's exact interval, never longer than Clopper-Pearson's, but not equal-tailed.

    All p whose acceptability, the smaller tail P(X ≥ x) or P(X ≤ x) plus the largest opposite tail not above it,
    exceeds 1 - level; the hull of that set, gaps included.

    Source: [blaker2000]; docs/theory/proportions.md.
    """

    def limits(x: int, n: int, level: float) -> tuple[float, float]:
        return _blaker_lower(x, n, 1.0 - level), 1.0 - _blaker_lower(n - x, n, 1.0 - level)

    return _proportion(n_events, n, level, limits, method="Blaker", is_exact=True)


def wilson(n_events: SupportsIndex, n: SupportsIndex, level: float = 0.95) -> Proportion:
    """Proportion with Wilson's approximate interval: all p that the score test would not reject.

    Source: [wilson1927].
    """

    def limits(x: int, n: int, level: float) -> tuple[float, float]:
        z = float(ndtri(0.5 + level / 2.0))
        centre = (x + z * z / 2.0) / (n + z * z)
        half = z / (n + z * z) * float(np.sqrt(x * (n - x) / n + z * z / 4.0))
        return (0.0 if x == 0 else centre - half), (1.0 if x == n else centre + half)

    return _proportion(n_events, n, level, limits, method="Wilson", is_exact=False)


Limits = Callable[[int, int, float], tuple[float, float]]

NOTHING_BELOW: Final = -1  # no opposite tail is small enough to be added


def _proportion(
    n_events: SupportsIndex, n: SupportsIndex, level: float, limits: Limits, *, method: str, is_exact: bool
) -> Proportion:
    n = count("n", n)
    if n == 0:
        raise InvalidInput("n is 0; a proportion needs at least one patient.")
    n_events = count("n_events", n_events, at_most=n)
    lower, upper = limits(n_events, n, checked_level(level))
    interval = Interval(lower=lower, upper=upper, level=level, method=method, is_exact=is_exact)
    return Proportion(n_events=n_events, n=n, interval=interval)


def _blaker_lower(x: int, n: int, alpha: float) -> float:
    """The smallest p that is acceptable.

    Left of x/n the opposite tail is P(X ≤ q) with one q between c_q and c_(q+1), where c_q is the p at which
    P(X ≤ q) = P(X ≥ x). On such a piece acceptability, 1 - P(q < X < x), falls and then rises, so that it first
    exceeds alpha either at c_q itself or on the way up to c_(q+1). See docs/theory/proportions.md.
    """
    if x == 0:
        return 0.0

    def at_least_x(p: Numbers) -> Numbers:
        return np.asarray(bdtrc(x - 1, n, p), dtype=np.float64)

    q = np.arange(
        NOTHING_BELOW, x, dtype=np.int64
    )  # the opposite tail of each piece; the last piece ends where both tails meet

    def at_most(which: Integers, p: Numbers) -> Numbers:
        return np.asarray(np.where(which < 0, 0.0, bdtr(np.maximum(which, 0), n, p)), dtype=np.float64)

    def is_past(p: Numbers) -> Flags:
        return at_least_x(p) >= at_most(q, p)

    starts = crossings(is_past, np.zeros(len(q)), np.ones(len(q)))
    starts[0] = 0.0
    ends = starts[1:]
    starts, q = starts[:-1], q[:-1]
    at_start = at_least_x(starts) + at_most(q, starts)
    at_end = at_least_x(ends) + at_most(q, ends)
    is_first = (at_start > alpha) | (at_end > alpha)
    if not is_first.any():  # from the last end on, both tails are at least a half and acceptability is 1
        return float(ends[-1])
    k = int(np.argmax(is_first))
    if at_start[k] > alpha:
        return float(starts[k])

    def exceeds(p: Numbers) -> Flags:
        # only on the rising part: before it, acceptability is below its value at the start
        return at_least_x(p) + at_most(q[k : k + 1], p) > alpha

    return float(crossings(exceeds, starts[k : k + 1], ends[k : k + 1])[0])
