"""First-order autoregressive covariance: correlation falls by the same factor from each visit to the next."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.scale import OneVariance, VarianceByVisit
from sevenfold.analysis.mmrm.covariance.structure import Family, at_least_two

__all__ = ["Autoregressive"]


@final
@dataclass(frozen=True, slots=True)
class Autoregressive:
    """Correlation falls by the factor ρ from visit to visit: R_ab = ρ^|a - b|, with -1 < ρ < 1.

    Visits count as equally spaced; where they are not, ``Exponential`` uses their times. θ = (v, ρ), SAS's TYPE=AR(1);
    heterogeneous θ = (v_1, …, v_T, ρ), SAS's TYPE=ARH(1). Source: [sasmixed].
    """

    is_heterogeneous: bool = False

    @property
    def label(self) -> str:
        """The structure in words."""
        return "heterogeneous autoregressive" if self.is_heterogeneous else "autoregressive"

    def on(self, times_day: Array) -> Family:
        """The structure over as many visits as there are times."""
        at_least_two(times_day, self.label)
        powers = _Powers(times_day.size)
        return VarianceByVisit(powers, times_day.size) if self.is_heterogeneous else OneVariance(powers)


@final
@dataclass(frozen=True, slots=True)
class _Powers:
    """R_ab = ρ^|a - b|; ρ = tanh z."""

    n_visits: int

    @property
    def names(self) -> tuple[str, ...]:
        return ("AR(1)",)

    def matrix(self, rho: Array) -> Array:
        return float(rho[0]) ** self._lag

    def slopes(self, rho: Array) -> Array:
        lag = self._lag
        return (lag * float(rho[0]) ** np.maximum(lag - 1.0, 0.0))[None]

    def curvatures(self, rho: Array) -> Array:
        lag = self._lag
        return (lag * (lag - 1.0) * float(rho[0]) ** np.maximum(lag - 2.0, 0.0))[None, None]

    def start(self, observed: Array) -> Array:
        return np.array([min(max(float(np.diagonal(observed, 1).mean()), -0.9), 0.9)])

    def free(self, rho: Array) -> Array:
        return np.arctanh(rho)

    def bound(self, free: Array) -> tuple[Array, Array]:
        rho = np.tanh(free)
        return rho, np.diag(1.0 - rho**2)

    @property
    def _lag(self) -> Array:
        each = np.arange(self.n_visits, dtype=np.float64)
        return np.abs(each[:, None] - each[None, :])
