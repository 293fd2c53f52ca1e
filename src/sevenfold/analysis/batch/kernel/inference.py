"""Contrasts and joint tests at one trial's optimum, in compiled code.

Kenward-Roger and Satterthwaite as in ``analysis/mmrm/freedom``, the sandwich with Bell and McCaffrey's degrees of
freedom as in ``analysis/mmrm/sandwich.py``; only the rows asked for are ever formed.
"""

import numpy as np

from sevenfold.analysis.batch.kernel.linear import (
    compiled,
    inverse_of_lower,
    lower_root,
    smallest_eigenvalue,
    solve_by_root,
)
from sevenfold.analysis.batch.kernel.search import NOT_ESTIMABLE, OK
from sevenfold.analysis.mmrm.freedom.kenward_roger import scaled_f
from sevenfold.analysis.mmrm.sandwich import DETERMINED
from sevenfold.analysis.mmrm.wald import SINGULAR as NO_COVARIANCE

__all__ = [
    "KENWARD_ROGER",
    "SATTERTHWAITE",
    "covariance_of_rows",
    "freedom_of",
    "joint_f",
    "parameter_covariance",
    "sandwich_contrast",
]

KENWARD_ROGER, SATTERTHWAITE = 0, 1

_scaled_f = compiled(scaled_f)


@compiled
def parameter_covariance(hessian):  # type: ignore[no-untyped-def]
    """W: twice the inverse Hessian of -2 log-likelihood; False where the Hessian has no inverse."""
    n = hessian.shape[0]
    scaled, root, inverse = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    scale = np.sqrt(np.diag(hessian))
    for j in range(n):
        for k in range(n):
            scaled[j, k] = hessian[j, k] / scale[j] / scale[k]
    if not lower_root(scaled, root):
        return False, scaled
    inverse_of_lower(root, inverse)
    for j in range(n):
        for k in range(n):
            total = 0.0
            for m in range(max(j, k), n):
                total += inverse[m, j] * inverse[m, k]
            scaled[j, k] = 2.0 * total / scale[j] / scale[k]
    return True, scaled


@compiled
def covariance_of_rows(  # type: ignore[no-untyped-def]
    is_adjusted, is_linear, own, spread, parameters, panel, precision, scaled, slopes, curvatures, is_curved
):
    """The covariance of contrasts, Φ's or Kenward and Roger's, and what their degrees of freedom come from.

    Args:
        own: C'l of each contrast, which is the contrast where Φ = I  # (row, column).

    Returns:
        the covariance (row, row) and S_j·own of each parameter and contrast (parameter, row, column).
    """
    _, _, pattern_of, n_in, _, _, _ = panel
    n_patients, n_visits, n_columns = scaled.shape
    n_own, n_rows = spread.shape[0], own.shape[0]
    covariance, carried = np.zeros((n_rows, n_rows)), np.zeros((n_own, n_rows, n_columns))
    for r in range(n_rows):
        for s in range(n_rows):
            for c in range(n_columns):
                covariance[r, s] += own[r, c] * own[s, c]
        for j in range(n_own):
            for c in range(n_columns):
                for d in range(n_columns):
                    carried[j, r, c] += spread[j, c, d] * own[r, d]
    if not is_adjusted:
        return covariance, carried

    adjustment = np.zeros((n_rows, n_rows))
    for r in range(n_rows):
        for s in range(n_rows):
            for j in range(n_own):
                for k in range(n_own):
                    total = 0.0
                    for c in range(n_columns):
                        total += carried[j, r, c] * carried[k, s, c]
                    adjustment[r, s] -= parameters[j, k] * total
    weighed = np.zeros((n_patients, n_rows, n_visits))  # Z_i·own
    for i in range(n_patients):
        for r in range(n_rows):
            for a in range(n_visits):
                for c in range(n_columns):
                    weighed[i, r, a] += scaled[i, a, c] * own[r, c]
    by_element = _by_element(parameters, slopes)
    between = np.empty((n_visits, n_visits))
    for k in range(n_in.size):
        between[:] = 0.0
        for a in range(n_visits):
            for b in range(n_visits):
                for c in range(n_visits):
                    x = precision[k, b, c]
                    if x != 0.0:
                        for d in range(n_visits):
                            between[a, d] += x * by_element[a, b, c, d]
        if is_curved and not is_linear:
            for j in range(n_own):
                for m in range(n_own):
                    for a in range(n_visits):
                        for b in range(n_visits):
                            between[a, b] -= 0.25 * parameters[j, m] * curvatures[j, m, a, b]
        for i in range(n_patients):
            if pattern_of[i] == k:
                for r in range(n_rows):
                    for s in range(n_rows):
                        for a in range(n_visits):
                            for b in range(n_visits):
                                adjustment[r, s] += weighed[i, r, a] * between[a, b] * weighed[i, s, b]
    for r in range(n_rows):
        for s in range(n_rows):
            covariance[r, s] += adjustment[r, s] + adjustment[s, r]
    return covariance, carried


@compiled
def freedom_of(row, spread_of_row, parameters):  # type: ignore[no-untyped-def]
    """Degrees of freedom of one contrast, by either method: 2·v²/(g'Wg).

    Args:
        row: the contrast where Φ = I  # (column,).
        spread_of_row: S_j·row  # (parameter, column).
    """
    n_own, n_columns = spread_of_row.shape
    plain, slope, total = 0.0, np.zeros(n_own), 0.0
    for c in range(n_columns):
        plain += row[c] ** 2
    for j in range(n_own):
        for c in range(n_columns):
            slope[j] += spread_of_row[j, c] * row[c]
    for j in range(n_own):
        for k in range(n_own):
            total += slope[j] * parameters[j, k] * slope[k]
    return 2.0 * plain**2 / total


@compiled
def joint_f(method, own, estimates, covariance, carried, parameters, into):  # type: ignore[no-untyped-def]
    """F, its denominator degrees of freedom and its scale for linearly independent rows, into ``into``.

    Args:
        own, covariance, carried: of these rows, as ``covariance_of_rows`` has them.
        estimates: of the rows  # (row,).
    """
    n_rows, n_columns = own.shape
    n_own = carried.shape[0]
    plain = np.zeros((n_rows, n_rows))
    for r in range(n_rows):
        for s in range(n_rows):
            for c in range(n_columns):
                plain[r, s] += own[r, c] * own[s, c]
    mix = np.zeros((n_rows, n_rows))  # rows made orthonormal (Kenward-Roger) or uncorrelated (Satterthwaite)
    if method == KENWARD_ROGER:
        root = np.empty((n_rows, n_rows))
        if not lower_root(plain, root):
            return NOT_ESTIMABLE
        inverse_of_lower(root, mix)
    else:
        mix[:] = np.linalg.eigh(plain)[1].T
    turned, turned_spread = np.zeros((n_rows, n_columns)), np.zeros((n_own, n_rows, n_columns))
    for r in range(n_rows):
        for s in range(n_rows):
            for c in range(n_columns):
                turned[r, c] += mix[r, s] * own[s, c]
                for j in range(n_own):
                    turned_spread[j, r, c] += mix[r, s] * carried[j, s, c]
    if method == KENWARD_ROGER:
        scale, df = _kenward_roger_f(turned, turned_spread, parameters)
        if n_rows > 1 and not (df > 2.0 and scale > 0.0):
            return NOT_ESTIMABLE
    else:
        each = np.empty(n_rows)
        for r in range(n_rows):
            each[r] = freedom_of(turned[r], np.ascontiguousarray(turned_spread[:, r]), parameters)
        scale, df = 1.0, _pooled(each)
    correlation, root, standard = np.empty((n_rows, n_rows)), np.empty((n_rows, n_rows)), np.empty(n_rows)
    for r in range(n_rows):
        if not covariance[r, r] > 0.0:
            return NOT_ESTIMABLE
    for r in range(n_rows):
        standard[r] = estimates[r] / np.sqrt(covariance[r, r])
        for s in range(n_rows):
            correlation[r, s] = covariance[r, s] / np.sqrt(covariance[r, r]) / np.sqrt(covariance[s, s])
    if not (smallest_eigenvalue(correlation) > NO_COVARIANCE and lower_root(correlation, root)):
        return NOT_ESTIMABLE
    solved = solve_by_root(root, standard)
    into[0] = 0.0
    for r in range(n_rows):
        into[0] += scale * standard[r] * solved[r] / n_rows
    into[1] = df
    into[2] = scale
    return OK


@compiled
def _kenward_roger_f(basis, spread_of_basis, parameters):  # type: ignore[no-untyped-def]
    """λ and m for orthonormal rows; the formulas of ``kenward_roger.scaled_f``."""
    n_own, n_rows, n_columns = spread_of_basis.shape
    seen, traces = np.zeros((n_own, n_rows, n_rows)), np.zeros(n_own)
    for j in range(n_own):
        for r in range(n_rows):
            for s in range(n_rows):
                for c in range(n_columns):
                    seen[j, r, s] += basis[r, c] * spread_of_basis[j, s, c]
            traces[j] += seen[j, r, r]
    a1, a2 = 0.0, 0.0
    for j in range(n_own):
        for k in range(n_own):
            a1 += traces[j] * parameters[j, k] * traces[k]
            for r in range(n_rows):
                for s in range(n_rows):
                    a2 += parameters[j, k] * seen[j, r, s] * seen[k, r, s]
    return _scaled_f(n_rows, a1, a2)


@compiled
def _pooled(each):  # type: ignore[no-untyped-def]
    """One denominator for an F of t statistics with these degrees of freedom, as ``satterthwaite.pooled_df``."""
    if each.max() - each.min() < 1e-8 * each.max():
        return each.mean()
    if each.min() <= 2.0:
        return 2.0
    mean_squares = (each / (each - 2.0)).sum()
    return 2.0 * mean_squares / (mean_squares - each.size)


@compiled
def _by_element(parameters, slopes):  # type: ignore[no-untyped-def]
    """Σ_jk W_jk·D_j,ab·D_k,cd  # (a, b, c, d)."""
    n_own, n_visits, _ = slopes.shape
    out = np.zeros((n_visits, n_visits, n_visits, n_visits))
    half = np.zeros((n_own, n_visits, n_visits))
    for j in range(n_own):
        for k in range(n_own):
            for c in range(n_visits):
                for d in range(n_visits):
                    half[j, c, d] += parameters[j, k] * slopes[k, c, d]
    for j in range(n_own):
        for a in range(n_visits):
            for b in range(n_visits):
                x = slopes[j, a, b]
                if x != 0.0:
                    for c in range(n_visits):
                        for d in range(n_visits):
                            out[a, b, c, d] += x * half[j, c, d]
    return out


@compiled
def sandwich_contrast(power, own, white_design, white_residual, root):  # type: ignore[no-untyped-def]
    """One contrast's variance by the sandwich, and the degrees of freedom that match its moments.

    Args:
        power: of I - H by which residuals are inflated: 0 (CR0) or -1/2 (CR2).

    Returns:
        the variance and the degrees of freedom.
    """
    n_patients, n_visits, n_columns = white_design.shape
    fitted, kept = np.empty((n_visits, n_columns)), np.empty((n_visits, n_visits))
    inflate = np.empty((n_visits, n_visits))
    between = np.zeros((n_columns, n_columns))  # Σ b_i·b_i'
    variance, total, squares = 0.0, 0.0, 0.0
    along, g, b = np.empty(n_visits), np.empty(n_visits), np.empty(n_columns)
    for i in range(n_patients):
        for a in range(n_visits):
            for c in range(n_columns):
                fitted[a, c] = 0.0
                for d in range(c + 1):
                    fitted[a, c] += white_design[i, a, d] * root[d, c]
        inflate[:] = np.eye(n_visits)
        if power != 0.0:
            for a in range(n_visits):
                for e in range(n_visits):
                    kept[a, e] = 1.0 if a == e else 0.0
                    for c in range(n_columns):
                        kept[a, e] -= fitted[a, c] * fitted[e, c]
            values, axes = np.linalg.eigh(kept)
            inflate[:] = 0.0
            for m in range(n_visits):
                if values[m] < DETERMINED:
                    continue
                factor = values[m] ** power
                for a in range(n_visits):
                    for e in range(n_visits):
                        inflate[a, e] += axes[a, m] * factor * axes[e, m]
        score = 0.0
        for a in range(n_visits):
            along[a] = 0.0
            for c in range(n_columns):
                along[a] += fitted[a, c] * own[c]
        for a in range(n_visits):
            g[a] = 0.0
            for e in range(n_visits):
                g[a] += inflate[a, e] * along[e]
            score += g[a] * white_residual[i, a]
        gg, bb = 0.0, 0.0
        for a in range(n_visits):
            gg += g[a] ** 2
        for c in range(n_columns):
            b[c] = 0.0
            for a in range(n_visits):
                b[c] += fitted[a, c] * g[a]
            bb += b[c] ** 2
        for c in range(n_columns):
            for d in range(n_columns):
                between[c, d] += b[c] * b[d]
        variance += score**2
        total += gg - bb
        squares += gg**2 - 2.0 * gg * bb
    for c in range(n_columns):
        for d in range(n_columns):
            squares += between[c, d] ** 2
    return variance, total**2 / squares
