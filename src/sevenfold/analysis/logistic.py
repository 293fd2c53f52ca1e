"""Logistic regression by Newton's method, with separation told before the first step."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from scipy.special import expit

from sevenfold.analysis.column import Flags, Numbers
from sevenfold.analysis.effect import Fit, Status

__all__ = ["LogisticFit", "fit_logistic"]

CONVERGED: Final = 1e-12  # Newton's decrement: the step promises to raise the log-likelihood by less than half of it
MAX_STEPS: Final = 50
MAX_HALVINGS: Final = 30
RANK_TOLERANCE: Final = 1e-10  # of the smallest to the largest singular value, columns scaled to length one
SEPARATES: Final = 0.5  # the programme's optimum is 0 without a separating direction and at least 1 with one


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogisticFit:
    """Coefficients of logit P(y = 1) = x'β.

    Args:
        coefficients: β̂  # (column,).
        covariance: inverse of the information X'WX, W = diag(p(1 - p))  # (column, column).
        fitted: p̂ of each patient  # (patient,).
    """

    coefficients: Numbers
    covariance: Numbers
    fitted: Numbers


def fit_logistic(design: Numbers, event: Flags) -> LogisticFit | Fit:
    """Maximum likelihood, or why there is none.

    Args:
        design: # (patient, column).
        event: # (patient,).
    """
    n, p = design.shape
    if n <= p:
        return Fit(status=Status.TOO_FEW, message=f"{n} patients for {p} parameters; leave covariates out.")
    length = np.sqrt((design**2).sum(axis=0))
    length[length == 0.0] = 1.0
    x = design / length
    sizes = np.linalg.svd(x, compute_uv=False)
    if sizes[-1] <= RANK_TOLERANCE * sizes[0]:
        return Fit(
            status=Status.SINGULAR, message="Some covariate or factor is a combination of the others; leave it out."
        )
    if _is_separated(x, event):
        message = (
            "Some combination of arm and covariates tells those with the event from those without, so a coefficient is "
            "infinite; leave covariates out."
        )
        return Fit(status=Status.SEPARATED, message=message)
    y = event.astype(np.float64)
    beta = np.zeros(p)
    height = _log_likelihood(x @ beta, y)
    for _ in range(MAX_STEPS):
        chance = expit(x @ beta)
        score = x.T @ (y - chance)
        step = np.linalg.solve(_information(x, chance), score)
        if float(score @ step) < CONVERGED:  # the step is still taken: Newton's method squares what error is left
            beta = beta + step
            chance = expit(x @ beta)
            covariance = np.linalg.inv(_information(x, chance)) / np.outer(length, length)
            return LogisticFit(coefficients=beta / length, covariance=covariance, fitted=chance)
        for halving in range(MAX_HALVINGS):
            tried = beta + 0.5**halving * step
            reached = _log_likelihood(x @ tried, y)
            if reached >= height - 1e-12 * abs(height):
                break
        beta, height = tried, reached
    return Fit(status=Status.NOT_CONVERGED, message=f"The likelihood still rises after {MAX_STEPS} steps.")


def _information(x: Numbers, chance: Numbers) -> Numbers:
    """X'WX with W = diag(p(1 - p))."""
    return np.asarray((x * (chance * (1.0 - chance))[:, None]).T @ x, dtype=np.float64)


def _log_likelihood(eta: Numbers, y: Numbers) -> float:
    """Σ y·η - log(1 + e^η)."""
    return float(y @ eta - np.logaddexp(0.0, eta).sum())


def _is_separated(x: Numbers, event: Flags) -> bool:
    """Whether some direction d has s·x'd ≥ 0 for every patient and > 0 for one, with s = 1 for events and -1 otherwise.

    Then, and only then, the likelihood has no maximum. The largest Σ s·x'd with every s·x'd in 0..1 is found by linear
    programming. Source: [albert1984].
    """
    from scipy.optimize import linprog

    signed = np.where(event, 1.0, -1.0)[:, None] * x
    ones = np.ones(len(x))
    best = linprog(
        -signed.sum(axis=0),
        A_ub=np.concatenate([signed, -signed]),
        b_ub=np.concatenate([ones, 0.0 * ones]),
        bounds=(None, None),
    )
    return best.fun is not None and -float(best.fun) > SEPARATES
