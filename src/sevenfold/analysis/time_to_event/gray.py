"""Gray's test of equal cumulative incidence in two or more groups while other causes compete."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.analysis.answer import Test, present
from sevenfold.analysis.column import Numbers, frozen
from sevenfold.analysis.effect import Fit
from sevenfold.analysis.time_to_event.follow_up import FollowUp, risk
from sevenfold.analysis.time_to_event.log_rank import squared
from sevenfold.errors import InvalidInput

__all__ = ["Gray", "gray"]

Matrix = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gray:
    """Each group's events of the cause less those expected if all had one subdistribution hazard."""

    fit: Fit
    cause: int
    groups: tuple[str, ...]
    score: Numbers  # (group,)
    covariance: Matrix  # (group, group)
    tested: Test | None

    @property
    def test(self) -> Test:
        """The test.

        Raises:
            NotConverged: where the data hold no comparison.
        """
        return present(self.tested, self.fit)


def gray(follow_up: FollowUp, group: ArrayLike, cause: int = 1, strata: ArrayLike | None = None) -> Gray:
    """Gray's k-sample test with weight 1, within strata where there are any.

    The log-rank test of the subdistribution: those who had a competing event stay at risk, counted as far as they would
    not have been censored, R_g = Y_g G_g(t-)/S_g(t-), with G_g = 1 - F_g of the cause and S_g free of any. The score is
    Σ over events of the cause of (1(own group = g) - R_g/R); its covariance is derived in docs/theory/time-to-event.md.

    Source: [gray1988].
    """
    groups, group_of = follow_up.by("group", group)
    if len(groups) < 2:
        raise InvalidInput(f"There is only group {groups}; a comparison needs two.")
    strata_names, stratum_of = follow_up.by("strata", np.zeros(follow_up.n) if strata is None else strata)
    score, covariance = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    for stratum in strata_names:
        inside = stratum_of == stratum
        in_groups = [follow_up.of_patients(inside & (group_of == g)) for g in groups]
        added, spread = _stratum(follow_up.of_patients(inside), in_groups, cause)
        score += added
        covariance += spread
    fit, tested = squared("Gray" if strata is None else "Gray, stratified", score, covariance)
    return Gray(fit=fit, cause=cause, groups=groups, score=frozen(score), covariance=frozen(covariance), tested=tested)


def _stratum(everybody: FollowUp, in_groups: list[FollowUp], cause: int) -> tuple[Numbers, Matrix]:
    times = risk(everybody, cause).time_day
    members = [risk(f, cause, at=times) for f in in_groups]
    y = np.array([m.n_at_risk for m in members])  # (group, time)
    c = np.array([m.n_of_cause for m in members])
    other = np.array([m.n_events for m in members]) - c
    survival, before = _product(1.0 - _ratio(c + other, y))
    incidence = np.cumsum(before * _ratio(c, y), axis=1)
    free_before = 1.0 - np.concatenate((np.zeros((len(y), 1)), incidence[:, :-1]), axis=1)
    pooled = c.sum(axis=0)
    at_risk = y * _ratio(free_before, before)  # R
    score = (c - _ratio(at_risk, at_risk.sum(axis=0)) * pooled).sum(axis=1)

    # The derivation's letters: H = Y/S(t-), the patients not yet censored; F and G = 1 - F, all groups as one.
    not_censored = _ratio(y, before)  # H
    total = not_censored.sum(axis=0)
    step = _ratio(pooled, total)  # dF
    g_after = np.maximum(1.0 - np.cumsum(step), 0.0)
    hazard = _ratio(step, np.concatenate(([1.0], g_after[:-1])))  # dΓ
    share = _ratio(not_censored, total)
    k = len(in_groups)
    covariance = np.zeros((k, k))
    for r in range(k):
        d = not_censored * (np.eye(k)[:, r, None] - share[r])  # (group, time): each group's score and group r's events
        passed = d * hazard
        ahead = passed.sum(axis=1, keepdims=True) - np.cumsum(passed, axis=1)  # C(u): what still hangs on F_r
        ratio = _ratio(g_after, survival[r])
        own, competing = d + ahead * (1.0 - ratio), -ahead * ratio
        own_variance = _ratio(step, not_censored[r]) * _untied(pooled, total * before[r])
        competing_variance = _ratio(before[r] * other[r], y[r] * not_censored[r]) * _untied(other[r], y[r])
        covariance += (own * own_variance) @ own.T + (competing * competing_variance) @ competing.T
    return score, covariance


def _untied(events: Numbers, n: Numbers) -> Numbers:
    """What ties take from a binomial variance when drawn without replacement: (n - d)/(n - 1)."""
    return np.where(events > 1.0, 1.0 - _ratio(events - 1.0, n - 1.0), 1.0)


def _product(factors: Matrix) -> tuple[Matrix, Matrix]:
    """Running products along time, after and just before each."""
    after = np.asarray(np.cumprod(factors, axis=1), dtype=np.float64)
    return after, np.concatenate((np.ones((len(after), 1)), after[:, :-1]), axis=1)


def _ratio(numerator: Matrix, denominator: Matrix) -> Matrix:
    """Their ratio, 0 where nobody is left."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(numerator, denominator, out=np.zeros(denominator.shape), where=denominator > 0.0)
