"""Tests and shifts whose only assumption is how the patients were randomised."""

from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.answer import Alternative, Interval, Test, checked_level
from sevenfold.analysis.column import Flags, Labels, Numbers, flags, numbers
from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.pairs import ALIKE, Pairs
from sevenfold.analysis.rank_sum import Shift, rank_scores, stratum_labels
from sevenfold.analysis.redraw import Redraws
from sevenfold.errors import InvalidInput

__all__ = ["Randomised", "Shift", "Statistic", "randomisation_test", "shift"]


class Statistic(Enum):
    """What is compared between the arms: means, or rank sums within strata (van Elteren's)."""

    MEAN_DIFFERENCE = "difference of means"
    RANK_SUM = "rank sum"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Randomised:
    """A randomisation test.

    Args:
        monte_carlo_se: of the p-value, from drawing only some allocations; 0 where all were listed.
    """

    test: Test
    n_draws: int
    is_complete: bool
    monte_carlo_se: float


def randomisation_test(
    response: ArrayLike,
    is_active: ArrayLike,
    redraws: Redraws,
    *,
    statistic: Statistic = Statistic.RANK_SUM,
    strata: ArrayLike | None = None,
    alternative: Alternative = Alternative.TWO_SIDED,
) -> Randomised:
    """How often the trial's own randomisation gives at least as large a difference if the treatment does nothing.

    One-sided p = (1 + draws at least as large)/(1 + draws), or the exact share where all allocations are listed;
    two-sided, twice the smaller tail. The Monte Carlo error is that of the binomial share, √(q(1 - q)/draws).

    Args:
        strata: for ranks; the redraws must keep to the scheme by themselves.

    Source: [phipson2010], [rosenberger2016]; docs/theory/randomisation-inference.md.
    """
    data = _Data.checked(response, is_active, redraws, strata)
    above, below = data.tails(statistic, 0.0)
    one_sided = {Alternative.GREATER: above, Alternative.LESS: below, Alternative.TWO_SIDED: min(above, below)}
    share = one_sided[alternative]
    doubled = 2.0 if alternative is Alternative.TWO_SIDED else 1.0
    se = 0.0 if redraws.is_complete else float(np.sqrt(share * (1.0 - share) / redraws.n))
    test = Test(
        name=f"randomisation, {statistic.value}" + ("" if strata is None else ", stratified"),
        alternative=alternative,
        statistic=float(data.statistics(statistic, data.active[None, :], 0.0)[0]),
        p_value=min(doubled * share, 1.0),
    )
    return Randomised(test=test, n_draws=redraws.n, is_complete=redraws.is_complete, monte_carlo_se=doubled * se)


def shift(
    response: ArrayLike,
    is_active: ArrayLike,
    redraws: Redraws,
    *,
    statistic: Statistic = Statistic.RANK_SUM,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> Shift:
    """The shift and the interval that belong to the randomisation test.

    For ranks the estimate is the (weighed) median of all differences active - control within strata, for means their
    difference. The interval holds every θ for which the test of response - θ·active gives more than (1 - level)/2 on
    each side; that p-value never falls as θ moves towards the data, so each limit is found by bisection.

    Source: [hodges1963], [rosenbaum2002]; docs/theory/randomisation-inference.md.
    """
    tail = (1.0 - checked_level(level)) / 2.0
    data = _Data.checked(response, is_active, redraws, strata)
    pairs = Pairs.of(data.response, data.active, data.strata)
    if not len(pairs):
        message = "No stratum has patients of both arms."
        return Shift(fit=Fit(status=Status.NOT_ESTIMABLE, message=message), estimated=None, interval_found=None)
    if statistic is Statistic.RANK_SUM:
        estimate = pairs.median()
        lower = pairs.lower_limit(lambda shift: data.tails(statistic, shift)[0] > tail)
        upper = pairs.upper_limit(lambda shift: data.tails(statistic, shift)[1] > tail)
    else:
        estimate = float(data.response[data.active].mean() - data.response[~data.active].mean())
        lower, upper = data.mean_limits(estimate, tail)
    method = f"inverted randomisation test, {statistic.value}"
    interval = Interval(lower=lower, upper=upper, level=level, method=method, is_exact=True)
    return Shift(fit=Fit(status=Status.OK), estimated=estimate, interval_found=interval)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Data:
    response: Numbers
    active: Flags
    strata: Labels
    redraws: Redraws

    @classmethod
    def checked(cls, response: ArrayLike, is_active: ArrayLike, redraws: Redraws, strata: ArrayLike | None) -> "_Data":
        y = numbers("response", response)
        active = flags("is_active", is_active, len(y))
        if not len(y):
            raise InvalidInput("There is no patient with a response; a comparison needs some in both arms.")
        if active.all() or not active.any():
            raise InvalidInput("All patients are in one arm; a comparison needs both.")
        if redraws.is_active.shape[1] != len(y):
            raise InvalidInput(f"The redraws are of {redraws.is_active.shape[1]} patients, the response of {len(y)}.")
        if redraws.is_complete and not (redraws.is_active == active).all(axis=1).any():
            raise InvalidInput("The actual allocation isn't among the complete list; it can't have come from it.")
        return cls(response=y, active=active, strata=stratum_labels(strata, len(y)), redraws=redraws)

    def statistics(self, statistic: Statistic, allocations: Flags, without: float) -> Numbers:
        """The statistic of each allocation (draw, patient), the response freed of a shift in the actual arm."""
        y = self.response - without * self.active
        if statistic is Statistic.RANK_SUM:
            return np.asarray(allocations @ rank_scores(y, self.strata), dtype=np.float64)
        n_active = allocations.sum(axis=1)
        summed = allocations @ y
        return np.asarray(summed / n_active - (y.sum() - summed) / (allocations.shape[1] - n_active), dtype=np.float64)

    def tails(self, statistic: Statistic, without: float) -> tuple[float, float]:
        """Shares of allocations with a statistic at least as high, and at least as low, as the actual one."""
        observed = self.statistics(statistic, self.active[None, :], without)[0]
        drawn = self.statistics(statistic, self.redraws.is_active, without)
        near = ALIKE * max(float(np.abs(drawn).max()), abs(float(observed)))
        return self._share(int((drawn >= observed - near).sum())), self._share(int((drawn <= observed + near).sum()))

    def mean_limits(self, estimate: float, tail: float) -> tuple[float, float]:
        """Limits in closed form: freed of θ, the actual difference falls by θ, a redrawn one by c θ with c ≤ 1, so that
        the redrawn one overtakes at θ = (actual - redrawn)/(1 - c) and stays ahead.
        """
        drawn = self.statistics(Statistic.MEAN_DIFFERENCE, self.redraws.is_active, 0.0)
        n_active = self.redraws.is_active.sum(axis=1)
        shared = self.redraws.is_active @ self.active.astype(np.float64)
        c = shared / n_active - (self.active.sum() - shared) / (len(self.active) - n_active)
        differs = c < 1.0 - ALIKE
        crossed = np.sort((estimate - drawn[differs]) / (1.0 - c[differs]))
        same = int((~differs).sum())  # draws of the actual allocation count for every θ
        ranks = [k for k in range(len(crossed) + 1) if self._share(same + k) > tail]
        if not ranks or ranks[0] == 0:
            return -np.inf, np.inf
        return float(crossed[ranks[0] - 1]), float(crossed[len(crossed) - ranks[0]])

    def _share(self, n: int) -> float:
        return n / self.redraws.n if self.redraws.is_complete else (1 + n) / (1 + self.redraws.n)
