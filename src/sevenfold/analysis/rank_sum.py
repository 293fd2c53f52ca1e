"""Wilcoxon's rank sum within strata (van Elteren): scores of patients, the statistic and its asymptotic test."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from sevenfold.analysis.answer import Alternative, Interval, Test, checked_level, present
from sevenfold.analysis.column import Labels, Numbers, flags, labels, numbers
from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.pairs import Pairs
from sevenfold.errors import InvalidInput

__all__ = [
    "Shift",
    "VanElteren",
    "hodges_lehmann",
    "midranks",
    "rank_scores",
    "stratum_labels",
    "van_elteren",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class VanElteren:
    """The stratified rank-sum test.

    Args:
        statistic: weighed sum over active patients of rank less mean rank; positive where they are higher.
    """

    fit: Fit
    statistic: float
    variance: float
    tested: Test | None

    @property
    def test(self) -> Test:
        """The test.

        Raises:
            NotConverged: where no stratum holds a comparison.
        """
        return present(self.tested, self.fit)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What the treatment adds to every active patient's response, if it adds the same to each (Hodges-Lehmann).

    Args:
        interval_found: the shifts that the test would not reject; a limit is infinite where the allocations are too
            few to reject anything at this level.
    """

    fit: Fit
    estimated: float | None
    interval_found: Interval | None

    @property
    def estimate(self) -> float:
        """The shift that leaves the statistic at nothing."""
        return present(self.estimated, self.fit)

    @property
    def interval(self) -> Interval:
        """Its interval, by inverting the test."""
        return present(self.interval_found, self.fit)


def hodges_lehmann(
    response: ArrayLike, is_active: ArrayLike, strata: ArrayLike | None = None, level: float = 0.95
) -> Shift:
    """The shift between the arms, in the response's unit, and its interval by inverting the asymptotic test.

    The statistic of response - θ·active falls as θ grows and changes only at differences active - control, so that the
    limits are the outermost of these which the test does not reject, each found by bisection over differences that are
    never all written out.

    Source: [hodges1963], [vanelteren1960]; docs/theory/randomisation-inference.md.
    """
    y = numbers("response", response)
    active, strata_of = flags("is_active", is_active, len(y)), stratum_labels(strata, len(y))
    pairs = Pairs.of(y, active, strata_of)
    if not len(pairs):
        fit = Fit(status=Status.NOT_ESTIMABLE, message="No stratum has patients of both arms.")
        return Shift(fit=fit, estimated=None, interval_found=None)
    tail = (1.0 - checked_level(level)) / 2.0

    def is_kept(shift: float, alternative: Alternative) -> bool:
        """Whether one side of the test keeps a shift."""
        found = van_elteren(y - shift * active, active, strata_of, alternative)
        return not found.fit.is_ok or found.test.p_value > tail

    interval = Interval(
        lower=pairs.lower_limit(lambda shift: is_kept(shift, Alternative.GREATER)),
        upper=pairs.upper_limit(lambda shift: is_kept(shift, Alternative.LESS)),
        level=level,
        method="inverted van Elteren test",
        is_exact=False,
    )
    return Shift(fit=Fit(status=Status.OK), estimated=pairs.median(), interval_found=interval)


def van_elteren(
    response: ArrayLike,
    is_active: ArrayLike,
    strata: ArrayLike | None = None,
    alternative: Alternative = Alternative.TWO_SIDED,
) -> VanElteren:
    """Rank-sum test within strata, weighed to be locally most powerful against one shift in all, asymptotically.

    T = Σ_s 1/(N_s + 1) Σ_active (R - (N_s + 1)/2), Var T = Σ_s 1/(N_s + 1)² · n_1s n_0s/(N_s (N_s - 1)) · Σ (R - (N_s +
    1)/2)², with midranks R within stratum s; no correction for continuity. Without strata it is Wilcoxon's test. The
    test against the actual randomisation is ``randomisation_test`` with the same statistic.

    Source: [vanelteren1960]; docs/theory/randomisation-inference.md.
    """
    y = numbers("response", response)
    active, strata_of = flags("is_active", is_active, len(y)), stratum_labels(strata, len(y))
    if not len(y):
        raise InvalidInput("There is no patient with a response; a comparison needs some in both arms.")
    if active.all() or not active.any():
        raise InvalidInput("All patients are in one arm; a comparison needs both.")
    scores = rank_scores(y, strata_of)
    variance = 0.0
    for s in np.unique(strata_of):
        inside = strata_of == s
        n, n_active = int(inside.sum()), int((active & inside).sum())
        if n > 1:
            variance += n_active * (n - n_active) / (n * (n - 1.0)) * float((scores[inside] ** 2).sum())
    statistic = float(scores[active].sum())
    if variance <= 0.0:
        message = "No stratum has patients of both arms whose responses differ."
        fit = Fit(status=Status.NOT_ESTIMABLE, message=message)
        return VanElteren(fit=fit, statistic=statistic, variance=0.0, tested=None)
    z = statistic / float(np.sqrt(variance))
    above, below = float(ndtr(-z)), float(ndtr(z))
    p_value = {Alternative.GREATER: above, Alternative.LESS: below, Alternative.TWO_SIDED: 2.0 * min(above, below)}
    name = "Wilcoxon rank sum" if strata is None else "van Elteren"
    tested = Test(name=name, alternative=alternative, statistic=z, p_value=p_value[alternative])
    return VanElteren(fit=Fit(status=Status.OK), statistic=statistic, variance=variance, tested=tested)


def rank_scores(response: Numbers, strata: Labels) -> Numbers:
    """Each patient's weighed, centred midrank (R - (N_s + 1)/2)/(N_s + 1) within the stratum."""
    scores = np.empty(len(response))
    for s in np.unique(strata):
        inside = strata == s
        n = int(inside.sum())
        scores[inside] = (midranks(response[inside]) - (n + 1.0) / 2.0) / (n + 1.0)
    return scores


def midranks(values: Numbers) -> Numbers:
    """Ranks from 1, tied values sharing the mean of theirs."""
    ordered = np.sort(values)
    doubled = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right") + 1
    return 0.5 * doubled.astype(np.float64)


def stratum_labels(strata: ArrayLike | None, n: int) -> Labels:
    """A checked column of strata; everybody in one where there are none."""
    return labels("strata", np.zeros(n) if strata is None else strata, n)
