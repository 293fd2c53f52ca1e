"""Toeplitz covariance: correlation depends on how many visits lie between, in any way."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array, Index
from sevenfold.analysis.mmrm.covariance.scale import Covariances, VarianceByVisit
from sevenfold.analysis.mmrm.covariance.structure import Family, at_least_two

__all__ = ["Toeplitz"]


@final
@dataclass(frozen=True, slots=True)
class Toeplitz:
    """A correlation for each distance between visits: R_ab = ρ_|a - b|, all T - 1 of them free.

    θ = (v, v·ρ_1, …, v·ρ_(T-1)), SAS's TYPE=TOEP, linear in θ; heterogeneous θ = (v_1, …, v_T, ρ_1, …, ρ_(T-1)), SAS's
    TYPE=TOEPH. Source: [sasmixed].
    """

    is_heterogeneous: bool = False

    @property
    def label(self) -> str:
        """The structure in words."""
        return "heterogeneous Toeplitz" if self.is_heterogeneous else "Toeplitz"

    def on(self, times_day: Array) -> Family:
        """The structure over as many visits as there are times."""
        at_least_two(times_day, self.label)
        bands = _Bands(times_day.size)
        if self.is_heterogeneous:
            return VarianceByVisit(bands, times_day.size)
        labels = ("Residual", *(f"TOEP({lag + 1})" for lag in range(1, times_day.size)))
        return Covariances(bands, np.eye(times_day.size), labels)


@final
@dataclass(frozen=True, slots=True)
class _Bands:
    """R_ab = ρ_|a - b|, positive definite exactly when every partial correlation α_k lies in (-1, 1); α_k = tanh z_k.

    Source of the bounds by partial correlations: [barndorff1973].
    """

    n_visits: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"TOEPH({lag})" for lag in range(1, self.n_visits))

    def matrix(self, rho: Array) -> Array:
        return np.asarray(np.append(1.0, rho)[self._lag], dtype=np.float64)

    def slopes(self, rho: Array) -> Array:
        return np.asarray(self._lag[None] == np.arange(1, rho.size + 1)[:, None, None], dtype=np.float64)

    def curvatures(self, rho: Array) -> Array:
        return np.zeros((rho.size, rho.size, self.n_visits, self.n_visits))

    def start(self, observed: Array) -> Array:
        bands = np.array([np.diagonal(observed, lag).mean() for lag in range(1, self.n_visits)])
        partial = np.clip(_partial(bands), -0.9, 0.9)
        return _from_partial(partial)[0]

    def free(self, rho: Array) -> Array:
        return np.arctanh(_partial(rho))

    def bound(self, free: Array) -> tuple[Array, Array]:
        partial = np.tanh(free)
        rho, slope = _from_partial(partial)
        return rho, slope * (1.0 - partial**2)[None, :]

    @property
    def _lag(self) -> Index:
        each = np.arange(self.n_visits)
        return np.asarray(np.abs(each[:, None] - each[None, :]), dtype=np.intp)


def _partial(rho: Array) -> Array:
    """Partial correlations α of a stationary series with autocorrelations ρ (Durbin and Levinson).

    Where the ρ given are no correlations at all, the first α outside (-1, 1) is clipped and the rest follow from it.
    """
    partial = np.empty(rho.size)
    weights = np.empty(0)  # the best linear prediction from the k visits before
    for k in range(rho.size):
        unexplained = 1.0 - weights @ rho[:k]
        partial[k] = np.clip((rho[k] - weights @ rho[:k][::-1]) / unexplained, -1.0 + 1e-9, 1.0 - 1e-9)
        weights = np.append(weights - partial[k] * weights[::-1], partial[k])
    return partial


def _from_partial(partial: Array) -> tuple[Array, Array]:
    """Autocorrelations ρ and their Jacobian ∂ρ/∂α, by the same recursion run forwards."""
    n = partial.size
    rho = np.empty(n)
    rho_slope = np.zeros((n, n))  # (lag, partial)
    weights = np.empty(0)
    weights_slope = np.empty((0, n))
    for k in range(n):
        unexplained = 1.0 - weights @ rho[:k]
        rho[k] = weights @ rho[:k][::-1] + partial[k] * unexplained
        rho_slope[k] = weights_slope.T @ rho[:k][::-1] + weights @ rho_slope[:k][::-1]
        rho_slope[k] -= partial[k] * (weights_slope.T @ rho[:k] + weights @ rho_slope[:k])
        rho_slope[k, k] += unexplained
        one = np.zeros((1, n))
        one[0, k] = 1.0
        shorter = weights_slope - partial[k] * weights_slope[::-1]
        shorter[:, k] -= weights[::-1]
        weights_slope = np.concatenate([shorter, one])
        weights = np.append(weights - partial[k] * weights[::-1], partial[k])
    return rho, rho_slope
