"""Cox's partial likelihood with Efron's treatment of ties: value, score, information and each patient's share."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.column import Flags, Labels, Numbers
from sevenfold.analysis.time_to_event.follow_up import FollowUp

__all__ = ["Likelihood", "RiskSets", "likelihood", "score_residuals"]

Matrix = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Likelihood:
    """The log partial likelihood at one parameter and its derivatives."""

    value: float
    score: Numbers  # (covariate,)
    information: Matrix  # (covariate, covariate)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskSets:
    """One stratum, in ascending time, with what ties need.

    Efron lets m tied events happen one after another: for the l-th of them (l = 0..m-1) the share l/m of the tied
    patients' hazard has left the risk set. Each row below is one event, that is one pair of a time and an l.
    """

    covariates: Matrix  # (patient, covariate)
    is_event: Flags  # (patient,)
    first: NDArray[np.intp]  # (row,), first patient at risk
    tie: NDArray[np.intp]  # (row,), which distinct time
    gone: Numbers  # (row,), l/m
    tie_of: NDArray[np.intp]  # (patient,), distinct event times up to and including the patient's own
    n_ties: int

    @classmethod
    def by_stratum(cls, follow_up: FollowUp, covariates: Matrix, stratum_of: Labels) -> tuple["RiskSets", ...]:
        """One for each stratum, in order of their names."""
        return tuple(
            cls._of(follow_up.of_patients(stratum_of == s), covariates[stratum_of == s]) for s in np.unique(stratum_of)
        )

    @classmethod
    def _of(cls, follow_up: FollowUp, covariates: Matrix) -> "RiskSets":
        order = np.argsort(follow_up.time_day, kind="stable")
        time, is_event = follow_up.time_day[order], follow_up.is_event[order]
        times, n_tied = np.unique(time[is_event], return_counts=True)
        tie = np.repeat(np.arange(len(times)), n_tied)
        within = np.arange(len(tie)) - np.repeat(np.cumsum(n_tied) - n_tied, n_tied)
        return cls(
            covariates=covariates[order],
            is_event=is_event,
            first=np.searchsorted(time, times, side="left")[tie],
            tie=tie,
            gone=within / np.maximum(n_tied[tie], 1),
            tie_of=np.searchsorted(times, time, side="right"),
            n_ties=len(times),
        )

    @property
    def tied(self) -> NDArray[np.intp]:
        """For each patient with an event, which distinct time."""
        return self.tie_of[self.is_event] - 1


def likelihood(strata: tuple[RiskSets, ...], beta: Numbers) -> Likelihood:
    """ℓ(β) = Σ_events x'β - log Σ_{at risk} w e^{x'β}, where w = 1 - l/m for those tied and 1 for the others.

    Source: [efron1977]; docs/theory/time-to-event.md.
    """
    p = len(beta)
    value, score, information = 0.0, np.zeros(p), np.zeros((p, p))
    for s in strata:
        if s.n_ties == 0:
            continue
        x = s.covariates
        log_hazard, total, mean = _moments(s, beta)
        hazard = np.exp(log_hazard)
        second = hazard[:, None, None] * x[:, :, None] * x[:, None, :]  # (patient, covariate, covariate)
        square = _reduced(s, second) / total[:, None, None]
        value += float(log_hazard[s.is_event].sum() - np.log(total).sum())
        score += x[s.is_event].sum(axis=0) - mean.sum(axis=0)
        information += (square - mean[:, :, None] * mean[:, None, :]).sum(axis=0)
    return Likelihood(value=value, score=score, information=information)


def score_residuals(strata: tuple[RiskSets, ...], beta: Numbers) -> Matrix:
    """Each patient's part of the score (patient, covariate), stratum by stratum; they sum to the score.

    Own event: x less the mean of its risk set. All events while at risk: less e^{x'β} Σ w (x - mean)/Σ w e^{x'β}.

    Source: [lin1989]; docs/theory/time-to-event.md.
    """
    parts = []
    for s in strata:
        x = s.covariates
        residual = np.zeros_like(x)
        if s.n_ties:
            log_hazard, total, mean = _moments(s, beta)
            hazard = np.exp(log_hazard)[:, None]
            # cumulative over distinct times, with a leading zero: Σ 1/total and Σ mean/total, then those weighed by l/m
            plain, plain_mean = _running(s, 1.0 / total), _running(s, mean / total[:, None])
            residual -= hazard * (x * plain[s.tie_of][:, None] - plain_mean[s.tie_of])
            per_tie = np.bincount(s.tie, s.gone / total, minlength=s.n_ties)
            per_tie_mean = _per_tie(s, s.gone[:, None] * mean / total[:, None])
            tied = s.tied
            own = x[s.is_event]
            residual[s.is_event] += hazard[s.is_event] * (own * per_tie[tied][:, None] - per_tie_mean[tied])
            n_tied = np.bincount(s.tie, minlength=s.n_ties)
            residual[s.is_event] += own - (_per_tie(s, mean) / n_tied[:, None])[tied]
        parts.append(residual)
    return np.concatenate(parts)


def _moments(s: RiskSets, beta: Numbers) -> tuple[Numbers, Numbers, Matrix]:
    """Log hazards less their largest (it cancels), and per event the reduced risk set's total and mean covariate."""
    log_hazard = s.covariates @ beta
    log_hazard = log_hazard - log_hazard.max()
    hazard = np.exp(log_hazard)
    total = _reduced(s, hazard)
    mean = _reduced(s, hazard[:, None] * s.covariates) / total[:, None]
    return log_hazard, total, mean


def _reduced(s: RiskSets, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per event, the sum over those at risk less the share l/m of the sum over those tied."""
    at_risk = np.cumsum(values[::-1], axis=0)[::-1][s.first]
    tied = np.zeros((s.n_ties, *values.shape[1:]))
    np.add.at(tied, s.tied, values[s.is_event])
    return np.asarray(at_risk - s.gone.reshape(-1, *([1] * (values.ndim - 1))) * tied[s.tie])


def _per_tie(s: RiskSets, rows: Matrix) -> Matrix:
    summed = np.zeros((s.n_ties, rows.shape[1]))
    np.add.at(summed, s.tie, rows)
    return summed


def _running(s: RiskSets, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    summed = np.zeros((s.n_ties + 1, *rows.shape[1:]))
    np.add.at(summed, s.tie + 1, rows)
    return np.cumsum(summed, axis=0)
