"""The likelihood of the marginal linear model and its exact derivatives by the covariance parameters."""

from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.panel import Panel

__all__ = ["Derivatives", "Estimation", "Point", "derivatives", "evaluate"]


class Estimation(Enum):
    """What is maximised: the restricted likelihood, or the full one."""

    REML = "restricted maximum likelihood"
    ML = "maximum likelihood"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """The likelihood at one Σ, and what every later step needs from there.

    Args:
        deviance: -2 log-likelihood, with the constants of SAS PROC MIXED.
        coefficients: γ̂ in the panel's basis  # (column,).
        root: C with C·C' = (Q'V⁻¹Q)⁻¹  # (column, column).
        precision: V⁻¹ of each pattern, zero where not seen  # (pattern, visit, visit).
        whitener: inverse Cholesky factor of each pattern's V, zero where not seen  # (pattern, visit, visit).
        scaled: V⁻¹·Q·C of each patient  # (patient, visit, column).
        weighted: V⁻¹·(y - Xβ̂) of each patient  # (patient, visit).
    """

    deviance: float
    coefficients: Array
    root: Array
    precision: Array
    whitener: Array
    scaled: Array
    weighted: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derivatives:
    """Derivatives of -2 log-likelihood by θ.

    Args:
        gradient: first derivatives  # (parameter,).
        observed: second derivatives  # (parameter, parameter).
        expected: their expectation  # (parameter, parameter).
        spread: S_j = C'·Q'V⁻¹(∂V/∂θ_j)V⁻¹Q·C, so that ∂Φ/∂θ_j = C·S_j·C'  # (parameter, column, column).
    """

    gradient: Array
    observed: Array
    expected: Array
    spread: Array


def evaluate(panel: Panel, sigma: Array, estimation: Estimation) -> Point | None:
    """The likelihood at Σ, with the coefficients profiled out; None where Σ is not positive definite.

    -2ℓ_ML = N·log 2π + log|V| + r'V⁻¹r;  -2ℓ_REML = (N - p)·log 2π + log|V| + log|X'V⁻¹X| + r'V⁻¹r, with N
    observations, p columns and r = y - Xβ̂.

    Args:
        sigma: Σ of each group  # (group, visit, visit).

    Source: [patterson1971], [harville1977]; docs/theory/mmrm.md.
    """
    pairs = panel.seen[:, :, None] & panel.seen[:, None, :]
    n_visits = panel.seen.shape[1]
    try:
        lower = np.linalg.cholesky(np.where(pairs, sigma[panel.group_of], np.eye(n_visits)))
    except np.linalg.LinAlgError:
        return None
    log_det = 2.0 * float(panel.n_in @ np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1))
    whitener = np.asarray(np.linalg.inv(lower) * pairs, dtype=np.float64)
    precision = whitener.swapaxes(1, 2) @ whitener

    n_patients, _, n_columns = panel.design.shape
    own = precision[panel.pattern_of]
    weighted_design = own @ panel.design
    weighted_response = (own @ panel.response[:, :, None])[:, :, 0]
    flat_design = panel.design.reshape(n_patients * n_visits, n_columns)
    flat_weighted = weighted_design.reshape(n_patients * n_visits, n_columns)
    try:
        information = np.linalg.cholesky(flat_design.T @ flat_weighted)
    except np.linalg.LinAlgError:
        return None
    root = np.linalg.inv(information).T
    coefficients = root @ (root.T @ (flat_weighted.T @ panel.response.ravel()))
    weighted = weighted_response - weighted_design @ coefficients
    misfit = float(np.vdot(weighted, panel.response))  # r'V⁻¹r = y'V⁻¹r, because Q'V⁻¹r = 0
    if estimation is Estimation.REML:
        log_det += 2.0 * float(np.log(np.diagonal(information)).sum()) + panel.log_det
    degrees = panel.n_observations - (n_columns if estimation is Estimation.REML else 0)
    return Point(
        deviance=degrees * float(np.log(2.0 * np.pi)) + log_det + misfit,
        coefficients=coefficients,
        root=root,
        precision=precision,
        whitener=whitener,
        scaled=(flat_weighted @ root).reshape(panel.design.shape),
        weighted=weighted,
    )


def derivatives(
    panel: Panel, point: Point, slopes: Array, curvatures: Array | None, estimation: Estimation
) -> Derivatives:
    """Gradient, observed and expected Hessian of -2 log-likelihood, exactly and by sums over patterns.

    With A = V⁻¹, u = A·r, Z = A·X·C (CC' = Φ), D_j = ∂Σ/∂θ_j and, for REML, B = Z·Z' (for ML B = 0), each a
    matrix of one patient padded with zeros:

        ∂/∂θ_j       = Σ tr(D_j·E),  E = A - B - u·u'
        ∂²/∂θ_j∂θ_k  = Σ tr(D_jk·E) + Σ tr(A·D_j·(2B + 2uu' - A)·D_k) - tr(S_j·S_k) - 2·s_j's_k
        expectation  = Σ tr(A·D_j·(A - 2B)·D_k) + tr(S_j·S_k)

    with S_j = Σ Z'D_jZ (its traces for REML only) and s_j = Σ Z'D_j·u. A is shared within a pattern, so B and uu' are
    summed over its patients first; and as every term is linear in the elements of D, it is computed once by the
    elements of Σ, whatever the structure, and carried over by the chain rule.

    Args:
        slopes: ∂Σ/∂θ of each group by its own parameters  # (group, own parameter, visit, visit).
        curvatures: ∂²Σ/∂θ∂θ likewise, None where zero  # (group, own parameter, own parameter, visit, visit).

    Source: docs/theory/mmrm.md; [wolfinger1994].
    """
    is_reml = estimation is Estimation.REML
    n_groups, n_own, n_visits, _ = slopes.shape
    n_columns = panel.design.shape[2]
    n_pairs = n_visits * n_visits
    gradient = np.empty((n_groups, n_own))
    observed = np.zeros((n_groups, n_own, n_groups, n_own))
    expected = np.zeros((n_groups, n_own, n_groups, n_own))
    spread = np.empty((n_groups, n_own, n_columns * n_columns))
    lean = np.empty((n_groups, n_own, n_columns))
    for group in range(n_groups):
        patterns, patients = panel.blocks(group)
        first = panel.first[patterns] - panel.first[patterns.start]
        z, u = point.scaled[patients], point.weighted[patients]
        a = point.precision[patterns]
        total = panel.n_in[patterns, None, None] * a
        uu = np.add.reduceat(u[:, :, None] * u[:, None, :], first)
        b = np.add.reduceat(z @ z.swapaxes(1, 2), first) if is_reml else np.zeros_like(uu)

        excess = (total - b - uu).sum(axis=0)
        d = slopes[group].reshape(n_own, n_pairs)
        gradient[group] = d @ excess.ravel()
        observed[group, :, group] = d @ _sandwiched(a, 2.0 * (b + uu) - total) @ d.T
        expected[group, :, group] = d @ _sandwiched(a, total - 2.0 * b) @ d.T
        if curvatures is not None:
            observed[group, :, group] += np.tensordot(curvatures[group], excess, axes=2)

        flat = z.reshape(z.shape[0], n_visits * n_columns)
        by_element = (flat.T @ flat).reshape(n_visits, n_columns, n_visits, n_columns)
        spread[group] = d @ by_element.transpose(0, 2, 1, 3).reshape(n_pairs, n_columns * n_columns)
        leaning = (flat.T @ u).reshape(n_visits, n_columns, n_visits)
        lean[group] = d @ leaning.transpose(0, 2, 1).reshape(n_pairs, n_columns)

    n_parameters = n_groups * n_own
    traces = spread.reshape(n_parameters, -1) @ spread.reshape(n_parameters, -1).T
    leans = lean.reshape(n_parameters, -1) @ lean.reshape(n_parameters, -1).T
    observed_all = observed.reshape(n_parameters, n_parameters) - 2.0 * leans
    expected_all = expected.reshape(n_parameters, n_parameters)
    return Derivatives(
        gradient=gradient.ravel(),
        observed=observed_all - traces if is_reml else observed_all,
        expected=expected_all + traces if is_reml else expected_all,
        spread=spread.reshape(n_parameters, n_columns, n_columns),
    )


def _sandwiched(outer: Array, inner: Array) -> Array:
    """M with vec(D_j)'·M·vec(D_k) = Σ_patterns tr(A·D_j·C·D_k), for A = ``outer`` and C = ``inner``."""
    n_patterns, n_visits, _ = outer.shape
    products = outer.reshape(n_patterns, -1).T @ inner.reshape(n_patterns, -1)  # (ab, cd)
    by_visit = products.reshape(n_visits, n_visits, n_visits, n_visits)
    return by_visit.transpose(1, 2, 3, 0).reshape(n_visits * n_visits, n_visits * n_visits)  # (bc, da)
