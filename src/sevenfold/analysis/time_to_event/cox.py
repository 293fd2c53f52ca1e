"""Cox's proportional hazards model: log hazard ratios with model-based or robust standard errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.answer import Test, chi_squared, present
from sevenfold.analysis.column import Numbers, numbers
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.geometric import Ratio, as_ratio
from sevenfold.analysis.time_to_event.follow_up import FollowUp
from sevenfold.analysis.time_to_event.partial_likelihood import Likelihood, RiskSets, likelihood, score_residuals
from sevenfold.errors import InvalidInput, NotConverged

__all__ = ["CoxFit", "Variance", "cox"]

MOST_STEPS: Final = 100
LONGEST_STEP: Final = 5.0  # of any patient's log hazard
SMALL_STEP: Final = 1e-9  # in units of one standard deviation of each covariate
RANK_TOLERANCE: Final = 1e-10  # of the smallest to the largest eigenvalue of the information at no effect
RUNAWAY: Final = 40.0  # log hazard of a patient against the mean one above which an estimate runs off to infinity
VANISHED: Final = 1e-6  # information left, relative to no effect, below which it does so too


class Variance(Enum):
    """What the standard errors rest on: the information, or each patient's part of the score (Lin and Wei)."""

    MODEL = "information"
    ROBUST = "Lin-Wei sandwich"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CoxFit:
    """Log hazard ratios and three tests that all are 0.

    Args:
        effects: one per covariate, on the log scale, a normal reference; empty where ``fit`` says why.
        log_likelihood: at no effect and, where fitted, at the estimates.
        score_tested: stands even where an estimate is infinite.
    """

    fit: Fit
    names: tuple[str, ...]
    n: int
    n_events: int
    n_steps: int
    effects: tuple[Effect, ...] = ()
    log_likelihood: tuple[float, ...] = ()
    score_tested: Test | None = None
    likelihood_ratio_tested: Test | None = None
    wald_tested: Test | None = None

    def effect(self, name: str) -> Effect:
        """Log hazard ratio per unit of one covariate.

        Raises:
            NotConverged: where there is none.
        """
        if name not in self.names:
            raise InvalidInput(f'"{name}" is not a covariate of this model; they are {", ".join(self.names)}.')
        if not self.effects:
            raise NotConverged(f"No estimate ({self.fit.status.value}). {self.fit.message}")
        return self.effects[self.names.index(name)]

    def hazard_ratio(self, name: str, level: float = 0.95) -> Ratio:
        """Hazard ratio per unit of one covariate."""
        return as_ratio(self.effect(name), level)

    @property
    def score_test(self) -> Test:
        """Rao's test, at no effect; with one binary covariate and no ties it is the log-rank test."""
        return present(self.score_tested, self.fit)

    @property
    def likelihood_ratio_test(self) -> Test:
        """Twice the gain in log likelihood."""
        return present(self.likelihood_ratio_tested, self.fit)

    @property
    def wald_test(self) -> Test:
        """By the estimates and their covariance, robust where that was asked for."""
        return present(self.wald_tested, self.fit)


def cox(
    follow_up: FollowUp,
    covariates: Mapping[str, ArrayLike],
    *,
    strata: ArrayLike | None = None,
    variance: Variance = Variance.MODEL,
) -> CoxFit:
    """Proportional hazards by the partial likelihood with Efron's ties, by Newton's method with halved steps.

    λ(t | x) = λ_s(t) e^{x'β}, with a baseline λ_s of its own for each stratum s.

    Source: [cox1972], [efron1977], [lin1989]; docs/theory/time-to-event.md.
    """
    names = tuple(covariates)
    if not names:
        raise InvalidInput("There is no covariate; give at least the arm, as 0 and 1.")
    columns = np.column_stack([numbers(name, column, follow_up.n) for name, column in covariates.items()])
    _, stratum_of = follow_up.by("strata", np.zeros(follow_up.n) if strata is None else strata)
    n_events = int(follow_up.is_event.sum())

    def failed(status: Status, message: str, n_steps: int = 0, score_tested: Test | None = None) -> CoxFit:
        fit = Fit(status=status, message=message)
        return CoxFit(
            fit=fit, names=names, n=follow_up.n, n_events=n_events, n_steps=n_steps, score_tested=score_tested
        )

    if n_events == 0:
        return failed(Status.NOT_ESTIMABLE, "Nobody had the event.")
    spread = columns.std(axis=0)
    if (spread <= 0.0).any():
        constant = [name for name, s in zip(names, spread, strict=True) if s <= 0.0]
        return failed(Status.SINGULAR, f"{', '.join(constant)} is the same for every patient.")
    risk_sets = RiskSets.by_stratum(follow_up, (columns - columns.mean(axis=0)) / spread, stratum_of)
    null = likelihood(risk_sets, np.zeros(len(names)))
    values = np.linalg.eigvalsh(null.information)
    if values[0] <= RANK_TOLERANCE * max(values[-1], 1.0e-300):
        message = "While anybody was at risk some covariate was constant or a combination of the others; leave it out."
        return failed(Status.SINGULAR, message)
    score_tested = chi_squared("Cox, score", float(null.score @ _solved(null)), len(names))

    beta, at, n_steps = np.zeros(len(names)), null, 0
    step = _solved(at)
    while np.abs(step).max() > SMALL_STEP and n_steps < MOST_STEPS:
        n_steps += 1
        beta, at = _improved(risk_sets, beta, at, step)
        if _reach(risk_sets, beta) > RUNAWAY or _information_left(null, at) < VANISHED:
            message = "A covariate separates the events from the others at risk; its hazard ratio is infinite or zero."
            return failed(Status.SEPARATED, message, n_steps, score_tested)
        step = _solved(at)
    if np.abs(step).max() > SMALL_STEP:
        return failed(Status.NOT_CONVERGED, f"Newton's method took {n_steps} steps.", n_steps, score_tested)

    covariance = np.linalg.inv(at.information)
    if variance is Variance.ROBUST:
        influence = score_residuals(risk_sets, beta) @ covariance
        covariance = influence.T @ influence
    wald = float(beta @ np.linalg.solve(covariance, beta))
    effects = tuple(
        Effect(contrast=name, estimate=float(b / s), se=float(np.sqrt(v) / s), df=float(np.inf))
        for name, b, s, v in zip(names, beta, spread, np.diag(covariance), strict=True)
    )
    return CoxFit(
        fit=Fit(status=Status.OK),
        names=names,
        n=follow_up.n,
        n_events=n_events,
        n_steps=n_steps,
        effects=effects,
        log_likelihood=(null.value, at.value),
        score_tested=score_tested,
        likelihood_ratio_tested=chi_squared("Cox, likelihood ratio", 2.0 * (at.value - null.value), len(names)),
        wald_tested=chi_squared(f"Cox, Wald, {variance.value}", wald, len(names)),
    )


def _solved(at: Likelihood) -> Numbers:
    """Newton's step."""
    return np.asarray(np.linalg.solve(at.information, at.score), dtype=np.float64)


def _improved(
    risk_sets: tuple[RiskSets, ...], beta: Numbers, at: Likelihood, step: Numbers
) -> tuple[Numbers, Likelihood]:
    """The next estimate: the full step, cut to a sane length, or the first half of it that doesn't lose likelihood."""
    step = step * min(1.0, LONGEST_STEP / max(_reach(risk_sets, step), SMALL_STEP))
    for halving in range(30):
        tried = beta + step * 0.5**halving
        found = likelihood(risk_sets, tried)
        if found.value >= at.value - 1e-12 * abs(at.value):
            return tried, found
    return beta, at


def _reach(risk_sets: tuple[RiskSets, ...], beta: Numbers) -> float:
    """The largest log hazard of any patient against the mean one, up or down."""
    return max(float(np.abs(sets.covariates @ beta).max()) for sets in risk_sets)


def _information_left(null: Likelihood, at: Likelihood) -> float:
    """The smallest share of the information at no effect that is left in any direction."""
    root = np.linalg.cholesky(null.information)
    scaled = np.linalg.solve(root, np.linalg.solve(root, at.information).T)
    return float(np.linalg.eigvalsh(0.5 * (scaled + scaled.T))[0])
