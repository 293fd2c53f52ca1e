"""Newton's search of ``analysis/mmrm/search.py`` in compiled code: the same start, steps, ends and refusals."""

import numpy as np

from sevenfold.analysis.batch.ending import CODE
from sevenfold.analysis.batch.kernel.family import (
    bound,
    curvatures,
    free_scale,
    n_parameters,
    sigma_of,
    slopes,
    start,
)
from sevenfold.analysis.batch.kernel.likelihood import at_place, derivatives, evaluate
from sevenfold.analysis.batch.kernel.linear import compiled, lower_root, smallest_eigenvalue, solve_by_root
from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm.panel import DETERMINED
from sevenfold.analysis.mmrm.search import (
    CONVERGED,
    LONGEST_STEP,
    MAX_HALVINGS,
    MAX_STEPS,
    NEARLY_SINGULAR,
    NO_EFFECT,
    PERFECT,
    POLISHED,
    SINGULAR,
)

__all__ = ["FRAIL", "NOT_ESTIMABLE", "NO_ANSWER", "OK", "search"]

OK = CODE[Status.OK]
NOT_CONVERGED = CODE[Status.NOT_CONVERGED]
NO_ANSWER = CODE[Status.SINGULAR]
BOUNDARY = CODE[Status.BOUNDARY]
TOO_FEW = CODE[Status.TOO_FEW]
NOT_ESTIMABLE = CODE[Status.NOT_ESTIMABLE]

FRAIL = -2
"""No status, but word that the trial is to be fitted alone: its scaled Hessian has an eigenvalue below ``NEARLY_FLAT``
and so magnifies rounding, the order of sums included, towards 1e-9 of the degrees of freedom and beyond."""

NEARLY_FLAT = 1e-6


@compiled
def search(kind, panel, least_squares):  # type: ignore[no-untyped-def]
    """The optimum of one trial under one structure.

    Returns:
        an ending, and of the optimum: slopes, curvatures, whether those are not zero, observed and expected Hessian, S,
        V⁻¹ of each pattern, whitened design and residuals, Z, C and γ̂.
    """
    _, design, _, n_in, _, _, _ = panel
    n_patients, n_visits, n_columns = design.shape
    n_patterns, n_own = n_in.size, n_parameters(kind, n_visits)

    sigma, there = np.empty((n_visits, n_visits)), np.empty((n_visits, n_visits))
    theta, jacobian = np.empty(n_own), np.empty((n_own, n_own))
    theta_there, jacobian_there = np.empty(n_own), np.empty((n_own, n_own))
    free = np.empty(n_own)
    first = np.empty((n_own, n_visits, n_visits))
    is_curved = kind in (1, 2)
    second = np.empty((n_own if is_curved else 1, n_own if is_curved else 1, n_visits, n_visits))
    gradient, observed, expected = np.empty(n_own), np.empty((n_own, n_own)), np.empty((n_own, n_own))
    spread = np.empty((n_own, n_columns, n_columns))
    whitener, precision = np.empty((n_patterns, n_visits, n_visits)), np.empty((n_patterns, n_visits, n_visits))
    white_design, scaled = np.empty((n_patients, n_visits, n_columns)), np.empty((n_patients, n_visits, n_columns))
    white_residual, weighted = np.empty((n_patients, n_visits)), np.empty((n_patients, n_visits))
    root, coefficients = np.empty((n_columns, n_columns)), np.empty(n_columns)

    ending, n_steps, deviance = OK, 0, np.nan
    ending = _hopeless(kind, panel, least_squares, theta, first)
    if ending == OK:
        start(kind, _moments(panel), theta)
        if free_scale(kind, theta, n_visits, free):
            bound(kind, free, n_visits, theta, jacobian)
            sigma_of(kind, theta, sigma)
            deviance = evaluate(panel, sigma, whitener, white_design, white_residual, root, coefficients)
        if np.isnan(deviance):
            ending = NO_ANSWER
    is_last, is_done = False, False
    while ending == OK and not is_done:
        if n_steps >= MAX_STEPS:
            ending = _stuck(sigma)
            break
        if _is_degenerate(sigma, SINGULAR):
            ending = BOUNDARY
            break
        slopes(kind, theta, first)
        curvatures(kind, theta, first, second)
        at_place(panel, whitener, white_design, white_residual, root, precision, scaled, weighted)
        derivatives(panel, precision, scaled, weighted, first, second, is_curved, gradient, observed, expected, spread)
        if is_last:
            is_done = True
            ending = BOUNDARY if _is_saturated(sigma, jacobian, first) else _determined(observed, sigma, first)
            break
        step, promised = _step(jacobian, gradient, observed, expected)

        rounding = 1e-11 * (1.0 + abs(deviance)) if promised < 1e-4 else 0.0
        share, is_lower = 1.0, False
        for _ in range(MAX_HALVINGS):
            bound(kind, free + share * step, n_visits, theta_there, jacobian_there)
            sigma_of(kind, theta_there, there)
            found = np.nan
            if np.isfinite(there).all():
                found = evaluate(panel, there, whitener, white_design, white_residual, root, coefficients)
            if found <= deviance - 1e-4 * share * promised + rounding:
                is_lower = True
                break
            share *= 0.5
        is_last = promised < POLISHED or (promised < CONVERGED and not is_lower)
        if is_lower:
            free += share * step
            deviance = found
            theta[:] = theta_there
            jacobian[:] = jacobian_there
            sigma[:] = there
        elif is_last:  # where it was
            evaluate(panel, sigma, whitener, white_design, white_residual, root, coefficients)
        else:
            ending = _stuck(sigma)
            break
        n_steps += 1
    return (
        ending,
        first,
        second,
        is_curved,
        observed,
        expected,
        spread,
        precision,
        white_design,
        white_residual,
        scaled,
        root,
        coefficients,
    )


@compiled
def _hopeless(kind, panel, least_squares, theta, first):  # type: ignore[no-untyped-def]
    """What can be known before the first step to have no answer."""
    residual, design, pattern_of, _, seen, n_measured, _ = panel
    n_patients, n_visits, n_columns = design.shape
    if n_measured - n_columns < theta.size:
        return TOO_FEW
    together, told = np.zeros((n_visits, n_visits), dtype=np.bool_), np.zeros(n_visits, dtype=np.bool_)
    for i in range(n_patients):
        for a in range(n_visits):
            leverage = 0.0
            for c in range(n_columns):
                leverage += design[i, a, c] ** 2
            told[a] = seen[pattern_of[i], a] and leverage < 1.0 - DETERMINED
        for a in range(n_visits):
            for b in range(n_visits):
                together[a, b] |= told[a] and told[b]
    start(kind, np.eye(n_visits), theta)
    slopes(kind, theta, first)
    for j in range(theta.size):
        touches = False
        for a in range(n_visits):
            for b in range(n_visits):
                touches |= together[a, b] and first[j, a, b] != 0.0
        if not touches:
            return NOT_ESTIMABLE
    left, fitted = 0.0, 0.0
    for i in range(residual.shape[0]):
        for a in range(n_visits):
            left += residual[i, a] ** 2
    for c in range(n_columns):
        fitted += least_squares[c] ** 2
    return NO_ANSWER if left <= PERFECT * fitted else OK


@compiled
def _moments(panel):  # type: ignore[no-untyped-def]
    """Residual moments from least squares, visit pair by visit pair, drawn together until they fit."""
    residual, _, _, n_in, seen, n_measured, _ = panel
    n_patients, n_visits = residual.shape
    moments, n_pairs = np.zeros((n_visits, n_visits)), np.zeros((n_visits, n_visits))
    overall = 0.0
    for i in range(n_patients):
        for a in range(n_visits):
            overall += residual[i, a] ** 2
            for b in range(n_visits):
                moments[a, b] += residual[i, a] * residual[i, b]
    for k in range(n_in.size):
        for a in range(n_visits):
            for b in range(n_visits):
                if seen[k, a] and seen[k, b]:
                    n_pairs[a, b] += n_in[k]
    overall /= n_measured
    for a in range(n_visits):
        for b in range(n_visits):
            moments[a, b] /= max(n_pairs[a, b], 1.0)
    variance = np.empty(n_visits)
    for a in range(n_visits):
        variance[a] = max(moments[a, a], 1e-3 * overall)
        moments[a, a] = variance[a]
    for a in range(n_visits):
        for b in range(n_visits):
            moments[a, b] = min(max(moments[a, b] / np.sqrt(variance[a]) / np.sqrt(variance[b]), -1.0), 1.0)
    while smallest_eigenvalue(moments) < 0.05:
        moments = 0.8 * moments + 0.2 * np.eye(n_visits)
    for a in range(n_visits):
        for b in range(n_visits):
            moments[a, b] *= np.sqrt(variance[a]) * np.sqrt(variance[b])
    return moments


@compiled
def _step(jacobian, gradient, observed, expected):  # type: ignore[no-untyped-def]
    """A step downhill on the unbounded scale, and by how much it promises to lower -2 log-likelihood."""
    n = gradient.size
    steep = np.zeros(n)
    for j in range(n):
        for m in range(n):
            steep[j] += jacobian[m, j] * gradient[m]
    half, carried, factor = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    scale = np.empty(n)
    for attempt in range(2):
        hessian = observed if attempt == 0 else expected
        half[:] = 0.0
        carried[:] = 0.0
        for m in range(n):
            for q in range(n):
                x = hessian[m, q]
                if x != 0.0:
                    for j in range(n):
                        half[m, j] += x * jacobian[q, j]
        for m in range(n):
            for j in range(n):
                x = jacobian[m, j]
                if x != 0.0:
                    for q in range(n):
                        carried[j, q] += x * half[m, q]
        largest = np.abs(carried).max()
        for j in range(n):
            scale[j] = np.sqrt(max(carried[j, j], 1e-12 * largest + 1e-300))
        for j in range(n):
            for q in range(n):
                carried[j, q] /= scale[j] * scale[q]
        if not lower_root(carried, factor):
            continue
        step = -solve_by_root(factor, steep / scale) / scale
        promised, longest = 0.0, 1e-300
        for j in range(n):
            promised -= steep[j] * step[j]
            longest = max(longest, abs(step[j]))
        return step * min(1.0, LONGEST_STEP / longest), promised
    size = 0.0
    for j in range(n):
        size += steep[j] ** 2
    return -steep / max(1.0, np.sqrt(size)), size


@compiled
def _stuck(sigma):  # type: ignore[no-untyped-def]
    return BOUNDARY if _is_degenerate(sigma, NEARLY_SINGULAR) else NOT_CONVERGED


@compiled
def _is_degenerate(sigma, smallest):  # type: ignore[no-untyped-def]
    """Whether Σ has run to the edge, where visits determine each other or a variance is nothing."""
    n = sigma.shape[0]
    variance = np.diag(sigma)
    largest = variance.max()
    correlation = np.empty((n, n))
    for a in range(n):
        if variance[a] < smallest * largest:
            return True
        for b in range(n):
            correlation[a, b] = sigma[a, b] / np.sqrt(variance[a]) / np.sqrt(variance[b])
    return smallest_eigenvalue(correlation) < smallest


@compiled
def _is_saturated(sigma, jacobian, first):  # type: ignore[no-untyped-def]
    """Whether a parameter has gone so near its bound that moving it no longer changes Σ."""
    n_own, n_visits, _ = first.shape
    moved = np.empty((n_visits, n_visits))
    for j in range(n_own):
        moved[:] = 0.0
        for m in range(n_own):
            x = jacobian[m, j]
            if x != 0.0:
                for a in range(n_visits):
                    for b in range(n_visits):
                        moved[a, b] += x * first[m, a, b]
        effect = 0.0
        for a in range(n_visits):
            for b in range(n_visits):
                effect = max(effect, abs(moved[a, b]) / np.sqrt(sigma[a, a] * sigma[b, b]))
        if effect < NO_EFFECT:
            return True
    return False


@compiled
def _determined(observed, sigma, first):  # type: ignore[no-untyped-def]
    """Whether the likelihood is flat in some direction where the search came to rest, or so nearly that it is frail."""
    n, n_visits, _ = first.shape
    scaled = np.empty((n, n))
    for j in range(n):
        effect = 0.0
        for a in range(n_visits):
            for b in range(n_visits):
                effect = max(effect, abs(first[j, a, b]) / np.sqrt(sigma[a, a] * sigma[b, b]))
        if not observed[j, j] > SINGULAR * effect**2:
            return NO_ANSWER
    for j in range(n):
        for k in range(n):
            scaled[j, k] = observed[j, k] / np.sqrt(observed[j, j] * observed[k, k])
    return FRAIL if smallest_eigenvalue(scaled) < NEARLY_FLAT else OK
