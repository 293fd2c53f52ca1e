"""The log-rank test of equal curves in two or more groups, within strata where there are any."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.analysis.answer import Test, chi_squared, present
from sevenfold.analysis.column import Numbers, frozen
from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.time_to_event.follow_up import FollowUp, risk
from sevenfold.errors import InvalidInput

__all__ = ["LogRank", "log_rank", "squared"]

RANK_TOLERANCE: Final = 1e-10  # of an eigenvalue of the covariance to the largest


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogRank:
    """Observed events of each group against those expected if all groups had one hazard.

    Args:
        covariance: of observed minus expected, of rank at most the number of groups less one.
    """

    fit: Fit
    groups: tuple[str, ...]
    n: Numbers  # (group,)
    observed: Numbers  # (group,)
    expected: Numbers  # (group,)
    covariance: NDArray[np.float64]  # (group, group)
    tested: Test | None

    @property
    def test(self) -> Test:
        """The test.

        Raises:
            NotConverged: where the data hold no comparison.
        """
        return present(self.tested, self.fit)


def log_rank(follow_up: FollowUp, group: ArrayLike, strata: ArrayLike | None = None) -> LogRank:
    """Log-rank test: Σ over event times of (observed - expected events), squared over its hypergeometric variance.

    E_g = Σ d n_g/n, Cov_gh = Σ d (n - d)/(n - 1) · (n_g/n)(1(g = h) - n_h/n), summed over strata; (O - E)' Cov⁻ (O - E)
    is chi-squared with one degree of freedom less than there are groups.

    Source: [mantel1966], [peto1972]; docs/theory/time-to-event.md.
    """
    groups, group_of = follow_up.by("group", group)
    if len(groups) < 2:
        raise InvalidInput(f"There is only group {groups}; a comparison needs two.")
    strata_names, stratum_of = follow_up.by("strata", np.zeros(follow_up.n) if strata is None else strata)
    observed, expected = np.zeros(len(groups)), np.zeros(len(groups))
    covariance = np.zeros((len(groups), len(groups)))
    for stratum in strata_names:
        inside = stratum_of == stratum
        counts = risk(follow_up.of_patients(inside))
        members = [risk(follow_up.of_patients(inside & (group_of == g)), at=counts.time_day) for g in groups]
        n, d = counts.n_at_risk, counts.n_events
        share = np.array([m.n_at_risk for m in members]) / n  # (group, time)
        spread = np.divide(d * (n - d), n - 1.0, out=np.zeros_like(n), where=n > 1.0)
        observed += np.array([m.n_events.sum() for m in members])
        expected += (share * d).sum(axis=1)
        covariance += np.diag((share * spread).sum(axis=1)) - (share * spread) @ share.T
    name = "log-rank" if strata is None else "log-rank, stratified"
    fit, tested = squared(name, observed - expected, covariance)
    return LogRank(
        fit=fit,
        groups=groups,
        n=frozen(np.array([(group_of == g).sum() for g in groups], dtype=np.float64)),
        observed=frozen(observed),
        expected=frozen(expected),
        covariance=frozen(covariance),
        tested=tested,
    )


def squared(name: str, score: Numbers, covariance: NDArray[np.float64]) -> tuple[Fit, Test | None]:
    """A sum over groups squared over its covariance, which is singular: the groups' sums add up to nothing."""
    values, vectors = np.linalg.eigh(covariance)
    is_real = values > RANK_TOLERANCE * float(np.abs(values).max())
    if not is_real.any():
        message = "No event happened while patients of two groups were at risk together."
        return Fit(status=Status.NOT_ESTIMABLE, message=message), None
    rotated = vectors[:, is_real].T @ score
    statistic = float((rotated**2 / values[is_real]).sum())
    return Fit(status=Status.OK), chi_squared(name, statistic, int(is_real.sum()))
