"""How likely a reported figure is, given the simulated statistic: one closed form for each way of reporting.

s² = se² + d² with se the standard error in n patients and d the model's discrepancy; m the statistic's centre; all on
the form's scale. Derivations: docs/theory/calibration.md.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logit, logsumexp

from sevenfold.calibrate.experiments import Experiment, Form, Statistic
from sevenfold.calibrate.seen import Seen

__all__ = ["experiment_log_likelihood", "log_between", "log_normal_density", "quartile_covariance"]

Floats = NDArray[np.float64]

_HALF_LOG_2PI: Final = 0.5 * np.log(2.0 * np.pi)
_QUARTILE: Final = 0.6744897501960817  # Φ⁻¹(3/4)
_DENSITY: Final = np.array([0.31777657, 0.39894228, 0.31777657])  # φ at the three quartiles


def experiment_log_likelihood(one: Experiment, seen: Sequence[Seen]) -> Floats:
    """Weighted log-likelihood of an experiment's figure, its readings being equally likely. (particle,)"""
    each = np.stack([_of_reading(one, reading) for reading in seen])
    return one.weight * np.asarray(logsumexp(each, axis=0) - np.log(len(seen)))


def log_normal_density(x: float, mean: Floats, sd: Floats) -> Floats:
    """Of a normal distribution, at x."""
    return np.asarray(-0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - _HALF_LOG_2PI)


def log_between(low: float, high: float, mean: Floats, sd: Floats) -> Floats:
    """ln{Φ((b − m)/s) − Φ((a − m)/s)}: an observation known to lie between a and b (interval-censored).

    Worked out in the tail in which it is not lost to rounding.
    """
    below, above = (low - mean) / sd, (high - mean) / sd
    mirror = below > 0.0
    a, b = np.where(mirror, -above, below), np.where(mirror, -below, above)
    upper, lower = log_ndtr(b), log_ndtr(a)
    return np.asarray(upper + np.log1p(-np.exp(np.minimum(lower - upper, -1e-15))))


def quartile_covariance(spread: Floats, n: int, discrepancy: float) -> Floats:
    """Covariance of the three sample quartiles of n normal values, and of the model's discrepancy. (…, 3, 3)

    p_i (1 − p_j) σ²/(n φ_i φ_j) for i ≤ j; a shift of location with variance d², and one of the spread with
    d² z_i z_j σ².
    """
    p, z = np.array([0.25, 0.5, 0.75]), np.array([-_QUARTILE, 0.0, _QUARTILE])
    kernel = np.minimum.outer(p, p) * (1.0 - np.maximum.outer(p, p)) / np.outer(_DENSITY, _DENSITY)
    variance = np.asarray(spread)[..., None, None] ** 2
    return np.asarray(variance * kernel / n + discrepancy**2 * (1.0 + variance * np.outer(z, z)))


def _of_reading(one: Experiment, seen: Seen) -> Floats:
    se = seen.se if one.spread is None else np.full_like(seen.se, one.spread / np.sqrt(one.n))
    se = np.hypot(se, seen.doubt)
    match one.form:
        case Form.POINT if one.statistic is Statistic.MEAN_CHANGE:
            value = one.reported[0]
            return log_normal_density(value, seen.centre, np.hypot(se, one.discrepancy * abs(value)))
        case Form.POINT:
            return log_normal_density(float(np.log(one.reported[0])), seen.centre, np.hypot(se, one.discrepancy))
        case Form.BETWEEN:
            low, high = one.reported
            if one.statistic is not Statistic.DAY_OF_HIGHEST_MEAN:
                low, high = float(np.log(low)), float(np.log(high))
            return log_between(low, high, seen.centre, np.hypot(se, one.discrepancy))
        case Form.AT_LEAST:
            return np.asarray(log_ndtr((seen.centre - np.log(one.reported[0])) / np.hypot(se, one.discrepancy)))
        case Form.SHARE:
            return log_normal_density(float(logit(one.reported[0])), seen.centre, np.hypot(se, one.discrepancy))
        case Form.MEAN_AND_SD:
            mean, sd = one.reported
            of_mean = log_normal_density(float(np.log(mean)), seen.centre, np.hypot(se, one.discrepancy))
            own = np.sqrt(1.0 / (2.0 * (one.n - 1)) + one.discrepancy**2)
            of_spread = log_normal_density(float(np.log(sd / mean)), np.log(seen.spread), np.full_like(se, own))
            return of_mean + of_spread
        case Form.QUARTILES:
            return _of_quartiles(one, seen)
        case Form.QUALITATIVE:
            return np.zeros_like(seen.centre)


def _of_quartiles(one: Experiment, seen: Seen) -> Floats:
    """Multivariate normal density of the three log quartiles; the printed digits add their rounding."""
    reported = np.log(np.array(one.reported))
    expected = seen.centre[:, None] + seen.spread[:, None] * np.array([-_QUARTILE, 0.0, _QUARTILE])
    covariance = quartile_covariance(seen.spread, one.n, one.discrepancy)
    covariance = covariance + seen.doubt**2 + np.diag((one.rounding / np.sqrt(12.0) / np.array(one.reported)) ** 2)
    off = reported - expected
    _, log_det = np.linalg.slogdet(covariance)
    solved = np.linalg.solve(covariance, off[..., None])[..., 0]
    return np.asarray(-0.5 * (off * solved).sum(axis=1) - 0.5 * log_det - 3.0 * _HALF_LOG_2PI)
