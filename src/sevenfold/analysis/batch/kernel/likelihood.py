"""The likelihood of one trial's panel and its exact derivatives, in compiled code.

The same sums as ``analysis/mmrm/likelihood.py``, patient by patient over the visits; docs/theory/mmrm.md.
"""

import numpy as np

from sevenfold.analysis.batch.kernel.linear import compiled, inverse_of_lower, lower_root

__all__ = ["at_place", "derivatives", "evaluate"]

LOG_2_PI = np.log(2.0 * np.pi)


@compiled
def evaluate(panel, sigma, whitener, white_design, white_residual, root, coefficients):  # type: ignore[no-untyped-def]
    """-2 restricted log-likelihood at Σ; not a number where Σ is no covariance. Fills the arrays after ``sigma``.

    Args:
        panel: residual, design, pattern_of, n_in, seen, n_measured, log_det.
        whitener: inverse Cholesky factor of each pattern's V  # (pattern, visit, visit).
        white_design: whitened design of each patient  # (patient, visit, column).
        white_residual: whitened y - Xβ̂  # (patient, visit).
        root: C with C·C' = (Q'V⁻¹Q)⁻¹  # (column, column).
        coefficients: γ̂ in the panel's basis  # (column,).
    """
    residual, design, pattern_of, n_in, seen, n_measured, log_det_basis = panel
    n_patients, n_visits, n_columns = design.shape
    log_det = 0.0
    own, lower = np.empty((n_visits, n_visits)), np.empty((n_visits, n_visits))
    for k in range(n_in.size):
        for a in range(n_visits):
            for b in range(n_visits):
                if seen[k, a] and seen[k, b]:
                    own[a, b] = sigma[a, b]
                else:
                    own[a, b] = 1.0 if a == b else 0.0
        if not lower_root(own, lower):
            return np.nan
        inverse_of_lower(lower, whitener[k])
        for a in range(n_visits):
            log_det += 2.0 * n_in[k] * np.log(lower[a, a])
            for b in range(n_visits):
                if not (seen[k, a] and seen[k, b]):
                    whitener[k, a, b] = 0.0

    information, projected = np.zeros((n_columns, n_columns)), np.zeros(n_columns)
    white_design[:] = 0.0
    white_residual[:] = 0.0
    for i in range(n_patients):
        w = whitener[pattern_of[i]]
        for a in range(n_visits):
            if not seen[pattern_of[i], a]:
                continue
            for b in range(a + 1):
                white_residual[i, a] += w[a, b] * residual[i, b]
                for c in range(n_columns):
                    white_design[i, a, c] += w[a, b] * design[i, b, c]
            for c in range(n_columns):
                x = white_design[i, a, c]
                projected[c] += x * white_residual[i, a]
                if x != 0.0:
                    for d in range(c + 1):
                        information[c, d] += x * white_design[i, a, d]
    lower_information = np.empty((n_columns, n_columns))
    if not lower_root(information, lower_information):
        return np.nan
    inverse = np.empty((n_columns, n_columns))
    inverse_of_lower(lower_information, inverse)
    along = np.zeros(n_columns)
    for c in range(n_columns):
        log_det += 2.0 * np.log(lower_information[c, c])
        for d in range(c + 1):
            along[c] += inverse[c, d] * projected[d]
    for c in range(n_columns):
        coefficients[c] = 0.0
        for d in range(n_columns):
            root[c, d] = inverse[d, c]
            coefficients[c] += inverse[d, c] * along[d]
    misfit = 0.0
    for i in range(n_patients):
        for a in range(n_visits):
            for c in range(n_columns):
                white_residual[i, a] -= white_design[i, a, c] * coefficients[c]
            misfit += white_residual[i, a] ** 2
    return (n_measured - n_columns) * LOG_2_PI + log_det + log_det_basis + misfit


@compiled
def at_place(panel, whitener, white_design, white_residual, root, precision, scaled, weighted):  # type: ignore[no-untyped-def]
    """V⁻¹ of each pattern, Z = V⁻¹·Q·C and u = V⁻¹·r of each patient, from what ``evaluate`` left."""
    _, design, pattern_of, n_in, _, _, _ = panel
    n_patients, n_visits, n_columns = design.shape
    for k in range(n_in.size):
        for a in range(n_visits):
            for b in range(n_visits):
                total = 0.0
                for c in range(max(a, b), n_visits):
                    total += whitener[k, c, a] * whitener[k, c, b]
                precision[k, a, b] = total
    rotated = np.empty((n_visits, n_columns))
    for i in range(n_patients):
        w = whitener[pattern_of[i]]
        rotated[:] = 0.0
        for a in range(n_visits):
            for c in range(n_columns):
                x = white_design[i, a, c]
                if x != 0.0:
                    for d in range(c, n_columns):
                        rotated[a, d] += x * root[c, d]
        for a in range(n_visits):
            weighted[i, a] = 0.0
            scaled[i, a] = 0.0
            for b in range(a, n_visits):
                weighted[i, a] += w[b, a] * white_residual[i, b]
                for c in range(n_columns):
                    scaled[i, a, c] += w[b, a] * rotated[b, c]


@compiled
def derivatives(  # type: ignore[no-untyped-def]
    panel, precision, scaled, weighted, slopes, curvatures, is_curved, gradient, observed, expected, spread
):
    """Gradient, observed and expected Hessian of -2 restricted log-likelihood, and S; see ``likelihood.derivatives``.

    Args:
        slopes: ∂Σ/∂θ  # (parameter, visit, visit).
        curvatures: ∂²Σ/∂θ∂θ, read only where ``is_curved``.
    """
    _, design, pattern_of, n_in, _, _, _ = panel
    n_patients, n_visits, n_columns = design.shape
    n_parameters, n_patterns, n_pairs = slopes.shape[0], n_in.size, n_visits * n_visits
    excess = np.zeros((n_visits, n_visits))
    of_design = np.zeros((n_patterns, n_visits, n_visits))
    of_residual = np.zeros((n_patterns, n_visits, n_visits))
    crossed = np.zeros((n_visits, n_visits, n_columns, n_columns))  # Σ z_a·z_b', a ≥ b
    leaning = np.zeros((n_visits, n_visits, n_columns))  # Σ z_a·u_b
    for i in range(n_patients):
        z, u, k = scaled[i], weighted[i], pattern_of[i]
        for a in range(n_visits):
            for b in range(n_visits):
                of_residual[k, a, b] += u[a] * u[b]
                for c in range(n_columns):
                    leaning[a, b, c] += z[a, c] * u[b]
            for b in range(a + 1):
                total = 0.0
                for c in range(n_columns):
                    total += z[a, c] * z[b, c]
                    x = z[a, c]
                    for d in range(n_columns):
                        crossed[a, b, c, d] += x * z[b, d]
                of_design[k, a, b] += total
    for k in range(n_patterns):
        for a in range(n_visits):
            for b in range(n_visits):
                if b > a:
                    of_design[k, a, b] = of_design[k, b, a]
                excess[a, b] += n_in[k] * precision[k, a, b] - of_design[k, a, b] - of_residual[k, a, b]

    first = np.zeros((n_pairs, n_pairs))  # (bc, da): Σ A_ab·C_cd
    second = np.zeros((n_pairs, n_pairs))
    for k in range(n_patterns):
        for a in range(n_visits):
            for b in range(n_visits):
                x = precision[k, a, b]
                if x == 0.0:
                    continue
                for c in range(n_visits):
                    for d in range(n_visits):
                        total = n_in[k] * precision[k, c, d]
                        design_part = of_design[k, c, d]
                        first[b * n_visits + c, d * n_visits + a] += x * (
                            2.0 * (design_part + of_residual[k, c, d]) - total
                        )
                        second[b * n_visits + c, d * n_visits + a] += x * (total - 2.0 * design_part)

    lean = np.zeros((n_parameters, n_columns))
    spread[:] = 0.0
    for j in range(n_parameters):
        gradient[j] = 0.0
        for a in range(n_visits):
            for b in range(n_visits):
                x = slopes[j, a, b]
                if x == 0.0:
                    continue
                gradient[j] += x * excess[a, b]
                for c in range(n_columns):
                    lean[j, c] += x * leaning[a, b, c]
                if b < a:
                    for c in range(n_columns):
                        for d in range(n_columns):
                            spread[j, c, d] += x * (crossed[a, b, c, d] + crossed[a, b, d, c])
                elif a == b:
                    for c in range(n_columns):
                        for d in range(n_columns):
                            spread[j, c, d] += x * crossed[a, a, c, d]

    half_first, half_second = np.empty(n_pairs), np.empty(n_pairs)
    for j in range(n_parameters):
        half_first[:] = 0.0
        half_second[:] = 0.0
        for b in range(n_visits):
            for c in range(n_visits):
                x = slopes[j, b, c]
                if x != 0.0:
                    for m in range(n_pairs):
                        half_first[m] += x * first[b * n_visits + c, m]
                        half_second[m] += x * second[b * n_visits + c, m]
        for k in range(j + 1):
            seen_first, seen_second, curved, leans, traces = 0.0, 0.0, 0.0, 0.0, 0.0
            for d in range(n_visits):
                for a in range(n_visits):
                    x = slopes[k, d, a]
                    if x != 0.0:
                        seen_first += half_first[d * n_visits + a] * x
                        seen_second += half_second[d * n_visits + a] * x
                    if is_curved:
                        curved += curvatures[j, k, d, a] * excess[d, a]
            for c in range(n_columns):
                leans += lean[j, c] * lean[k, c]
            for c in range(n_columns):
                for d in range(n_columns):
                    traces += spread[j, c, d] * spread[k, c, d]
            observed[j, k] = seen_first + curved - 2.0 * leans - traces
            expected[j, k] = seen_second + traces
            observed[k, j] = observed[j, k]
            expected[k, j] = expected[j, k]
