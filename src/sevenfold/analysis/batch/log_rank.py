"""The log-rank test in every trial of a batch, within strata where there are any."""

from dataclasses import dataclass
from functools import cache
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc

from sevenfold.analysis.batch.columns import by_trial, codes_by_trial
from sevenfold.analysis.batch.ending import CODE, TestBatch
from sevenfold.analysis.column import frozen
from sevenfold.analysis.effect import Status
from sevenfold.analysis.time_to_event.log_rank import RANK_TOLERANCE
from sevenfold.errors import InvalidInput

__all__ = ["LogRankBatch", "log_rank_batch"]

Counts = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogRankBatch:
    """Observed events of each group of each trial against those expected if all groups had one hazard.

    Args:
        covariance: of observed minus expected  # (trial, group, group).
    """

    test: TestBatch
    n: Counts  # (trial, group)
    observed: Counts  # (trial, group)
    expected: Counts  # (trial, group)
    covariance: Counts


def log_rank_batch(
    time_day: ArrayLike, is_event: ArrayLike, group: ArrayLike, strata: ArrayLike | None = None
) -> LogRankBatch:
    """``log_rank`` for every trial.

    Args:
        time_day: 0 or more; nan where there is no subject or no follow-up  # (trial, subject).
        is_event: whether follow-up ended with an event, of any cause  # (trial, subject).
        group: whole numbers from 0, -1 where there is no subject  # (trial, subject).
        strata: likewise.
    """
    time = by_trial("time_day", time_day)
    if (time < 0.0).any():
        raise InvalidInput("time_day is negative in some trial; count from the start of risk.")
    group_of = codes_by_trial("group", group, time.shape)
    event = codes_by_trial("is_event", is_event, time.shape) > 0
    stratum = np.zeros(time.shape, dtype=np.int64)
    if strata is not None:
        stratum = codes_by_trial("strata", strata, time.shape)
    n_groups = int(group_of.max(initial=-1)) + 1
    if n_groups < 2:
        raise InvalidInput("There is only one group in the whole batch; a comparison needs two.")
    n_trials = len(time)
    n, observed, expected = (np.zeros((n_trials, n_groups)) for _ in range(3))
    covariance = np.zeros((n_trials, n_groups, n_groups))
    is_in = (group_of >= 0) & (stratum >= 0) & ~np.isnan(time)
    _summed()(np.where(is_in, time, np.inf), event, group_of, stratum, is_in, n, observed, expected, covariance)

    values, vectors = np.linalg.eigh(covariance)
    is_real = values > RANK_TOLERANCE * np.abs(values).max(axis=1, keepdims=True)
    rotated = (vectors.swapaxes(1, 2) @ (observed - expected)[:, :, None])[:, :, 0]
    parts = np.divide(rotated**2, values, out=np.zeros_like(values), where=is_real)
    df = is_real.sum(axis=1).astype(np.float64)
    is_ok = df > 0.0
    statistic = np.where(is_ok, parts.sum(axis=1), np.nan)
    return LogRankBatch(
        test=TestBatch(
            name="log-rank" if strata is None else "log-rank, stratified",
            status=np.where(is_ok, CODE[Status.OK], CODE[Status.NOT_ESTIMABLE]).astype(np.int8),
            statistic=statistic,
            p_value=np.asarray(gammaincc(np.where(is_ok, df, 1.0) / 2.0, statistic / 2.0), dtype=np.float64),
            df=np.where(is_ok, df, np.nan),
            df_denominator=np.full(n_trials, np.nan),
        ),
        n=frozen(n),
        observed=frozen(observed),
        expected=frozen(expected),
        covariance=frozen(covariance),
    )


@cache
def _summed() -> Any:
    """The compiled sums over event times."""
    import numba as nb

    def summed(time, event, group, stratum, is_in, n, observed, expected, covariance):  # type: ignore[no-untyped-def]
        n_trials, n_groups = n.shape
        for t in range(n_trials):
            order = np.argsort(time[t])
            for s in range(stratum[t].max() + 1):
                at_risk, died = np.zeros(n_groups), np.zeros(n_groups)
                for i in order:
                    if is_in[t, i] and stratum[t, i] == s:
                        at_risk[group[t, i]] += 1.0
                n[t] += at_risk
                place = 0
                while place < order.size:
                    now = time[t, order[place]]
                    if now == np.inf:
                        break
                    died[:] = 0.0
                    end = place
                    while end < order.size and time[t, order[end]] == now:
                        i = order[end]
                        if event[t, i] and stratum[t, i] == s:
                            died[group[t, i]] += 1.0
                        end += 1
                    d, all_at_risk = died.sum(), at_risk.sum()
                    if d > 0.0:
                        spread = d * (all_at_risk - d) / (all_at_risk - 1.0) if all_at_risk > 1.0 else 0.0
                        for g in range(n_groups):
                            share = at_risk[g] / all_at_risk
                            observed[t, g] += died[g]
                            expected[t, g] += share * d
                            covariance[t, g, g] += share * spread
                            for h in range(n_groups):
                                covariance[t, g, h] -= share * spread * at_risk[h] / all_at_risk
                    for other in range(place, end):
                        i = order[other]
                        if stratum[t, i] == s:
                            at_risk[group[t, i]] -= 1.0
                    place = end

    return nb.njit(error_model="numpy", nogil=True, cache=True)(summed)
