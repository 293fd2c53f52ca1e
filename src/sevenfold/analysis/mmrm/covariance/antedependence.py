"""First-order ante-dependence: each visit depends on those before it only through the last of them."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.scale import OneVariance, VarianceByVisit
from sevenfold.analysis.mmrm.covariance.structure import Family, at_least_two

__all__ = ["Antedependence"]


@final
@dataclass(frozen=True, slots=True)
class Antedependence:
    """Each visit depends on earlier ones only through the one before: R_ab = ρ_a·ρ_(a+1)·…·ρ_(b-1) for a < b.

    -1 < ρ_a < 1. θ = (v, ρ_1, …, ρ_(T-1)), which SAS does not have; heterogeneous θ = (v_1, …, v_T, ρ_1, …, ρ_(T-1)),
    SAS's TYPE=ANTE(1). Source: [zimmerman2001].
    """

    is_heterogeneous: bool = False

    @property
    def label(self) -> str:
        """The structure in words."""
        return "heterogeneous ante-dependence" if self.is_heterogeneous else "ante-dependence"

    def on(self, times_day: Array) -> Family:
        """The structure over as many visits as there are times."""
        at_least_two(times_day, self.label)
        products = _Products(times_day.size)
        return VarianceByVisit(products, times_day.size) if self.is_heterogeneous else OneVariance(products)


@final
@dataclass(frozen=True, slots=True)
class _Products:
    """R_ab = Π_(a ≤ k < b) ρ_k; ρ_k = tanh z_k.

    A product without its factor k is R_ak·R_(k+1)b, and without k < l it is R_ak·R_(k+1)l·R_(l+1)b, so no derivative
    divides by a ρ that may be 0.
    """

    n_visits: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"Rho({visit + 1})" for visit in range(self.n_visits - 1))

    def matrix(self, rho: Array) -> Array:
        upper = self._upper(rho)
        return upper + np.triu(upper, 1).T

    def slopes(self, rho: Array) -> Array:
        upper = self._upper(rho)
        slopes = np.zeros((rho.size, self.n_visits, self.n_visits))
        for k in range(rho.size):
            slopes[k, : k + 1, k + 1 :] = np.outer(upper[: k + 1, k], upper[k + 1, k + 1 :])
        return slopes + slopes.swapaxes(1, 2)

    def curvatures(self, rho: Array) -> Array:
        upper = self._upper(rho)
        second = np.zeros((rho.size, rho.size, self.n_visits, self.n_visits))
        for k in range(rho.size):
            for m in range(k + 1, rho.size):
                without = np.outer(upper[: k + 1, k], upper[m + 1, m + 1 :]) * upper[k + 1, m]
                second[k, m, : k + 1, m + 1 :] = without
                second[m, k, : k + 1, m + 1 :] = without
        return second + second.swapaxes(2, 3)

    def start(self, observed: Array) -> Array:
        return np.clip(np.diagonal(observed, 1), -0.9, 0.9)

    def free(self, rho: Array) -> Array:
        return np.arctanh(rho)

    def bound(self, free: Array) -> tuple[Array, Array]:
        rho = np.tanh(free)
        return rho, np.diag(1.0 - rho**2)

    def _upper(self, rho: Array) -> Array:
        """R on and above the diagonal, zero below."""
        upper = np.eye(self.n_visits)
        for k in range(self.n_visits - 1):
            upper[: k + 1, k + 1] = upper[: k + 1, k] * rho[k]
        return upper
