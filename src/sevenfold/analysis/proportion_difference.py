"""The difference of two proportions with an interval: exact by inverting score tests, or Newcombe's approximation.

Both exact intervals hold every difference that an unconditional exact test of it would not reject, the tables ordered
by the score statistic at that difference: Chan and Zhang with two one-sided tests, Agresti and Min with one two-sided
test, which is shorter but says nothing about either side alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.answer import Alternative, Interval, Test, checked_level
from sevenfold.analysis.column import Flags
from sevenfold.analysis.crossing import crossing
from sevenfold.analysis.proportion import wilson
from sevenfold.analysis.two_binomials import Table, can_exceed, supremum
from sevenfold.errors import InvalidInput

__all__ = ["ProportionDifference", "agresti_min", "chan", "chan_zhang", "newcombe", "score_statistic"]

LIMIT_TOLERANCE: Final = 1e-6  # of a limit, outwards
GRID: Final = 400  # differences tried in -1..1 before the outermost crossing is refined
ALIKE: Final = 1e-7  # relative: statistics closer than this are alike but for rounding


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionDifference:
    """Proportion with an event in arm a minus that in arm b."""

    table: Table
    interval: Interval

    @property
    def estimate(self) -> float:
        """The observed difference."""
        return self.table.difference


def chan_zhang(table: Table, level: float = 0.95) -> ProportionDifference:
    """Difference with the exact unconditional interval from two one-sided score tests; each side keeps (1 - level)/2.

    Source: [chan1999]; docs/theory/two-proportions.md.
    """
    tail = (1.0 - checked_level(level)) / 2.0
    lower = -1.0 if table.difference == -1.0 else _lower(table, tail, _Order.ONE_SIDED)
    upper = 1.0 if table.difference == 1.0 else -_lower(table.swapped, tail, _Order.ONE_SIDED)
    interval = Interval(lower=lower, upper=upper, level=level, method="Chan-Zhang", is_exact=True)
    return ProportionDifference(table=table, interval=interval)


def agresti_min(table: Table, level: float = 0.95) -> ProportionDifference:
    """Difference with the exact unconditional interval from one two-sided score test.

    Source: [agresti2001]; docs/theory/two-proportions.md.
    """
    alpha = 1.0 - checked_level(level)
    lower = -1.0 if table.difference == -1.0 else _lower(table, alpha, _Order.TWO_SIDED)
    upper = 1.0 if table.difference == 1.0 else -_lower(table.swapped, alpha, _Order.TWO_SIDED)
    interval = Interval(lower=lower, upper=upper, level=level, method="Agresti-Min", is_exact=True)
    return ProportionDifference(table=table, interval=interval)


def newcombe(table: Table, level: float = 0.95) -> ProportionDifference:
    """Difference with Newcombe's approximate interval, squaring and adding the Wilson limits of each arm.

    d - √((p_a - l_a)² + (u_b - p_b)²) to d + √((u_a - p_a)² + (p_b - l_b)²), with l, u Wilson's limits.

    Source: [newcombe1998], method 10.
    """
    a, b = wilson(table.events_a, table.n_a, level), wilson(table.events_b, table.n_b, level)
    down = np.hypot(a.estimate - a.interval.lower, b.interval.upper - b.estimate)
    up = np.hypot(a.interval.upper - a.estimate, b.estimate - b.interval.lower)
    interval = Interval(
        lower=max(table.difference - float(down), -1.0),
        upper=min(table.difference + float(up), 1.0),
        level=level,
        method="Newcombe, hybrid score",
        is_exact=False,
    )
    return ProportionDifference(table=table, interval=interval)


def chan(table: Table, difference: float, alternative: Alternative) -> Test:
    """Exact unconditional test of a stated difference, such as a margin of non-inferiority, by the score statistic.

    Args:
        difference: of the null hypothesis, a minus b.

    Source: [chan1998]; docs/theory/two-proportions.md.
    """
    if not -1.0 < difference < 1.0:
        raise InvalidInput(f"The difference to be tested is {difference}; give one between -1 and 1.")
    score = score_statistic(table.n_a, table.n_b, difference)
    observed = float(score[table.events_a, table.events_b])
    signed = {Alternative.GREATER: score, Alternative.LESS: -score, Alternative.TWO_SIDED: np.abs(score)}[alternative]
    region = _at_least(signed, table)
    name = f"Chan, score statistic, difference {difference:g}"
    p_value = supremum(region, difference=difference)
    return Test(name=name, alternative=alternative, statistic=observed, p_value=p_value)


def score_statistic(n_a: int, n_b: int, difference: float) -> NDArray[np.float64]:
    """Standardised distance of every table from a stated difference Δ, of shape (n_a + 1, n_b + 1).

    (x/n_a - y/n_b - Δ) / √(p_a(1 - p_a)/n_a + p_b(1 - p_b)/n_b), with p_a = p_b + Δ the maximum-likelihood proportions
    under that difference: the root of a cubic, by its trigonometric solution.

    Source: [farrington1990], appendix; docs/theory/two-proportions.md.
    """
    x, y = np.arange(n_a + 1.0)[:, None] / n_a, np.arange(n_b + 1.0)[None, :] / n_b
    ratio = n_b / n_a
    a = 1.0 + ratio
    b = -(1.0 + ratio + x + ratio * y + difference * (ratio + 2.0))
    c = difference**2 + difference * (2.0 * x + ratio + 1.0) + x + ratio * y
    d = -x * difference * (1.0 + difference)
    v = (b / (3.0 * a)) ** 3 - b * c / (6.0 * a**2) + d / (2.0 * a)
    u = np.where(v < 0.0, -1.0, 1.0) * np.sqrt(np.maximum((b / (3.0 * a)) ** 2 - c / (3.0 * a), 0.0))
    cosine = np.divide(v, u**3, out=np.zeros_like(v), where=u != 0.0)
    angle = (np.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3.0
    p_a = np.clip(2.0 * u * np.cos(angle) - b / (3.0 * a), max(0.0, difference), min(1.0, 1.0 + difference))
    p_b = np.clip(p_a - difference, 0.0, 1.0)
    se = np.sqrt(p_a * (1.0 - p_a) / n_a + p_b * (1.0 - p_b) / n_b)
    distance = x - y - difference
    distance[np.abs(distance) < 1e-12] = 0.0
    certain = np.where(distance == 0.0, 0.0, np.copysign(np.inf, distance))  # both proportions known, no error left
    return np.where(se > 1e-12, np.divide(distance, se, out=np.zeros_like(distance), where=se > 1e-12), certain)


class _Order(Enum):
    ONE_SIDED = "one-sided"
    TWO_SIDED = "two-sided"


@lru_cache(maxsize=4096)  # thousands of small simulated trials meet the same few tables
def _lower(table: Table, alpha: float, order: _Order) -> float:
    """The smallest difference not rejected at alpha.

    Rejection isn't monotone in the difference, so it is tried on a grid from below; the first difference that is kept
    is refined towards its neighbour.
    """

    def is_kept(difference: float) -> bool:
        score = score_statistic(table.n_a, table.n_b, difference)
        region = _at_least(score if order is _Order.ONE_SIDED else np.abs(score), table)
        return can_exceed(region, alpha, difference=difference)

    return _first_kept(is_kept, table.difference)


def _first_kept(is_kept: Callable[[float], bool], estimate: float) -> float:
    grid = np.linspace(-1.0, 1.0, GRID + 1)
    rejected = -1.0
    for difference in (*grid[(grid > -1.0) & (grid < estimate)], estimate):
        if is_kept(float(difference)):
            return crossing(is_kept, inside=float(difference), outside=rejected, tolerance=LIMIT_TOLERANCE)
        rejected = float(difference)
    return estimate  # the estimate itself is never rejected by a score test, but for rounding


def _at_least(score: NDArray[np.float64], table: Table) -> Flags:
    """Tables at least as far out as the observed one."""
    observed = float(score[table.events_a, table.events_b])
    if np.isinf(observed):
        return np.asarray(score >= observed)
    return np.asarray(score >= observed - ALIKE * max(1.0, abs(observed)))
