"""The covariance structures of a prespecified plan in compiled code; see ``analysis/mmrm/covariance`` for each.

Σ(θ), its derivatives and the unbounded scale of the search, the same formulas as there; ``kind`` chooses.
"""

import numpy as np

from sevenfold.analysis.batch.kernel.linear import compiled, lower_root

__all__ = [
    "AUTOREGRESSIVE",
    "COMPOUND_SYMMETRY",
    "TOEPLITZ",
    "UNSTRUCTURED",
    "bound",
    "curvatures",
    "free_scale",
    "n_parameters",
    "sigma_of",
    "slopes",
    "start",
]

UNSTRUCTURED, TOEPLITZ, AUTOREGRESSIVE, COMPOUND_SYMMETRY = 0, 1, 2, 3  # the second and third heterogeneous


@compiled
def n_parameters(kind, n_visits):  # type: ignore[no-untyped-def]
    """How many θ has."""
    if kind == UNSTRUCTURED:
        return n_visits * (n_visits + 1) // 2
    if kind == TOEPLITZ:
        return 2 * n_visits - 1
    return n_visits + 1 if kind == AUTOREGRESSIVE else 2


@compiled
def sigma_of(kind, theta, sigma):  # type: ignore[no-untyped-def]
    """Σ(θ)  # (visit, visit)."""
    n = sigma.shape[0]
    j = 0
    for a in range(n):
        for b in range(a + 1):
            if kind == UNSTRUCTURED:
                value = theta[j]
                j += 1
            elif kind == COMPOUND_SYMMETRY:
                value = theta[0] + theta[1] if a == b else theta[0]
            else:
                value = np.sqrt(theta[a]) * np.sqrt(theta[b]) * _correlation(kind, theta, n, a - b)
            sigma[a, b] = value
            sigma[b, a] = value


@compiled
def slopes(kind, theta, out):  # type: ignore[no-untyped-def]
    """∂Σ/∂θ  # (parameter, visit, visit)."""
    n = out.shape[1]
    out[:] = 0.0
    if kind == UNSTRUCTURED:
        j = 0
        for a in range(n):
            for b in range(a + 1):
                out[j, a, b] = 1.0
                out[j, b, a] = 1.0
                j += 1
        return
    for a in range(n):
        for b in range(n):
            if kind == COMPOUND_SYMMETRY:
                out[0, a, b] = 1.0
                out[1, a, b] = 1.0 if a == b else 0.0
                continue
            lag = abs(a - b)
            outer = np.sqrt(theta[a]) * np.sqrt(theta[b])
            value = outer * _correlation(kind, theta, n, lag)
            out[a, a, b] += value / (2.0 * theta[a])
            out[b, a, b] += value / (2.0 * theta[b])
            if kind == TOEPLITZ and lag > 0:
                out[n + lag - 1, a, b] = outer
            elif kind == AUTOREGRESSIVE:
                out[n, a, b] = outer * lag * theta[n] ** max(lag - 1.0, 0.0)


@compiled
def curvatures(kind, theta, first, out):  # type: ignore[no-untyped-def]
    """∂²Σ/∂θ∂θ  # (parameter, parameter, visit, visit); False where zero. ``first`` are the slopes."""
    if kind in (UNSTRUCTURED, COMPOUND_SYMMETRY):
        return False
    n = out.shape[2]
    n_parameters = out.shape[0]
    out[:] = 0.0
    for a in range(n):
        for b in range(n):
            lag = abs(a - b)
            outer = np.sqrt(theta[a]) * np.sqrt(theta[b])
            value = outer * _correlation(kind, theta, n, lag)
            for c in range(n):
                own = ((a == c) + (b == c)) / (2.0 * theta[c])
                for d in range(n):
                    other = ((a == d) + (b == d)) / (2.0 * theta[d])
                    out[c, d, a, b] = value * (own * other - (own / theta[c] if c == d else 0.0))
                for j in range(n, n_parameters):
                    out[c, j, a, b] = own * first[j, a, b]
                    out[j, c, a, b] = own * first[j, a, b]
            if kind == AUTOREGRESSIVE:
                out[n, n, a, b] = outer * lag * (lag - 1.0) * theta[n] ** max(lag - 2.0, 0.0)
    return True


@compiled
def start(kind, moments, theta):  # type: ignore[no-untyped-def]
    """A rough θ inside its bounds from a positive definite matrix of moments."""
    n = moments.shape[0]
    if kind == UNSTRUCTURED:
        j = 0
        for a in range(n):
            for b in range(a + 1):
                theta[j] = moments[a, b]
                j += 1
        return
    scale = 1.0 / np.sqrt(np.diag(moments))
    if kind == COMPOUND_SYMMETRY:
        total, variance = 0.0, 0.0
        for a in range(n):
            variance += moments[a, a] / n
            for b in range(a):
                total += moments[a, b] * scale[a] * scale[b]
        rho = min(max(total / (n * (n - 1) / 2), -0.9 / (n - 1)), 0.95)
        theta[0] = variance * rho
        theta[1] = variance - variance * rho
        return
    bands = np.zeros(n - 1)
    for lag in range(1, n):
        for a in range(lag, n):
            bands[lag - 1] += moments[a, a - lag] * scale[a] * scale[a - lag] / (n - lag)
    for a in range(n):
        theta[a] = moments[a, a]
    if kind == AUTOREGRESSIVE:
        theta[n] = min(max(bands[0], -0.9), 0.9)
        return
    partial = _partial(bands)
    for lag in range(n - 1):
        partial[lag] = min(max(partial[lag], -0.9), 0.9)
    _from_partial(partial, theta[n:], np.empty((n - 1, n - 1)))


@compiled
def free_scale(kind, theta, n, free):  # type: ignore[no-untyped-def]
    """θ on the unbounded scale of the search."""
    if kind == UNSTRUCTURED:
        sigma, lower = np.empty((n, n)), np.empty((n, n))
        sigma_of(kind, theta, sigma)
        if not lower_root(sigma, lower):
            return False
        j = 0
        for a in range(n):
            for b in range(a + 1):
                free[j] = np.log(lower[a, a]) if a == b else lower[a, b] / lower[a, a]
                j += 1
        return True
    if kind == COMPOUND_SYMMETRY:
        variance = theta[0] + theta[1]
        rho, lowest = theta[0] / variance, -1.0 / (n - 1)
        free[0] = np.log(variance)
        free[1] = np.log((rho - lowest) / (1.0 - rho))
        return True
    for a in range(n):
        free[a] = np.log(theta[a])
    if kind == AUTOREGRESSIVE:
        free[n] = np.arctanh(theta[n])
    else:
        free[n:] = np.arctanh(_partial(theta[n:].copy()))
    return True


@compiled
def bound(kind, free, n, theta, jacobian):  # type: ignore[no-untyped-def]
    """θ and its Jacobian from the unbounded scale  # (parameter, free)."""
    jacobian[:] = 0.0
    if kind == UNSTRUCTURED:
        lower = np.zeros((n, n))
        j = 0
        for a in range(n):
            for b in range(a + 1):
                lower[a, b] = free[j]
                j += 1
            diagonal = np.exp(lower[a, a])
            lower[a, a] = 1.0
            for b in range(a + 1):
                lower[a, b] *= diagonal
        row = 0
        for a in range(n):
            for b in range(a + 1):
                total = 0.0
                for c in range(b + 1):
                    total += lower[a, c] * lower[b, c]
                theta[row] = total
                column = 0
                for c in range(a + 1):
                    for d in range(c + 1):
                        if c == d:
                            jacobian[row, column] = total * ((a == c) + (b == c))
                        else:
                            change = 0.0
                            if a == c:
                                change += lower[b, d]
                            if b == c:
                                change += lower[a, d]
                            jacobian[row, column] = change * lower[c, c]
                        column += 1
                row += 1
        return
    if kind == COMPOUND_SYMMETRY:
        variance, lowest = np.exp(free[0]), -1.0 / (n - 1)
        share = 0.5 + 0.5 * np.tanh(0.5 * free[1])
        rho = lowest + (1.0 - lowest) * share
        slope = (1.0 - lowest) * share * (1.0 - share)
        theta[0] = variance * rho
        theta[1] = variance * (1.0 - rho)
        jacobian[0, 0] = variance * rho
        jacobian[0, 1] = variance * slope
        jacobian[1, 0] = variance * (1.0 - rho)
        jacobian[1, 1] = -variance * slope
        return
    for a in range(n):
        theta[a] = np.exp(free[a])
        jacobian[a, a] = theta[a]
    if kind == AUTOREGRESSIVE:
        theta[n] = np.tanh(free[n])
        jacobian[n, n] = 1.0 - theta[n] ** 2
        return
    partial = np.tanh(free[n:])
    slope = np.empty((n - 1, n - 1))
    _from_partial(partial, theta[n:], slope)
    for lag in range(n - 1):
        for k in range(n - 1):
            jacobian[n + lag, n + k] = slope[lag, k] * (1.0 - partial[k] ** 2)


@compiled
def _correlation(kind, theta, n, lag):  # type: ignore[no-untyped-def]
    if lag == 0:
        return 1.0
    return theta[n + lag - 1] if kind == TOEPLITZ else theta[n] ** float(lag)


@compiled
def _partial(rho):  # type: ignore[no-untyped-def]
    """Partial correlations of a stationary series with autocorrelations ρ (Durbin and Levinson)."""
    n = rho.size
    partial, weights, before = np.empty(n), np.zeros(n), np.zeros(n)
    for k in range(n):
        unexplained, expected = 1.0, 0.0
        for i in range(k):
            unexplained -= weights[i] * rho[i]
            expected += weights[i] * rho[k - 1 - i]
        partial[k] = min(max((rho[k] - expected) / unexplained, -1.0 + 1e-9), 1.0 - 1e-9)
        before[:] = weights
        for i in range(k):
            weights[i] = before[i] - partial[k] * before[k - 1 - i]
        weights[k] = partial[k]
    return partial


@compiled
def _from_partial(partial, rho, slope):  # type: ignore[no-untyped-def]
    """Autocorrelations ρ and ∂ρ/∂partial, by the same recursion run forwards."""
    n = partial.size
    weights, before = np.zeros(n), np.zeros(n)
    weights_slope, slope_before = np.zeros((n, n)), np.zeros((n, n))
    slope[:] = 0.0
    for k in range(n):
        unexplained, expected = 1.0, 0.0
        for i in range(k):
            unexplained -= weights[i] * rho[i]
            expected += weights[i] * rho[k - 1 - i]
        rho[k] = expected + partial[k] * unexplained
        for m in range(n):
            for i in range(k):
                slope[k, m] += weights_slope[i, m] * rho[k - 1 - i] + weights[i] * slope[k - 1 - i, m]
                slope[k, m] -= partial[k] * (weights_slope[i, m] * rho[i] + weights[i] * slope[i, m])
        slope[k, k] += unexplained
        before[:] = weights
        slope_before[:] = weights_slope
        for i in range(k):
            weights[i] = before[i] - partial[k] * before[k - 1 - i]
            for m in range(n):
                weights_slope[i, m] = slope_before[i, m] - partial[k] * slope_before[k - 1 - i, m]
            weights_slope[i, k] -= before[k - 1 - i]
        weights[k] = partial[k]
        weights_slope[k, k] = 1.0
