"""Compound symmetry: any two visits equally correlated."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.scale import Covariances, VarianceByVisit
from sevenfold.analysis.mmrm.covariance.structure import Family, at_least_two

__all__ = ["CompoundSymmetry"]


@final
@dataclass(frozen=True, slots=True)
class CompoundSymmetry:
    """Any two visits equally correlated: R_ab = ρ for a ≠ b, with -1/(T - 1) < ρ < 1 over T visits.

    θ = (c, v - c) with c = v·ρ, SAS's ``CS`` and ``Residual`` of TYPE=CS. Heterogeneous: θ = (v_1, …, v_T, ρ), SAS's
    TYPE=CSH. Source: [sasmixed].
    """

    is_heterogeneous: bool = False

    @property
    def label(self) -> str:
        """The structure in words."""
        return "heterogeneous compound symmetry" if self.is_heterogeneous else "compound symmetry"

    def on(self, times_day: Array) -> Family:
        """The structure over as many visits as there are times."""
        at_least_two(times_day, self.label)
        equal = _Equal(times_day.size)
        if self.is_heterogeneous:
            return VarianceByVisit(equal, times_day.size)
        return Covariances(equal, np.array([[0.0, 1.0], [1.0, -1.0]]), ("CS", "Residual"))


@final
@dataclass(frozen=True, slots=True)
class _Equal:
    """One correlation for all pairs; ρ = l + (1 - l)/(1 + e^-z) with l = -1/(T - 1)."""

    n_visits: int

    @property
    def names(self) -> tuple[str, ...]:
        return ("CSH",)

    def matrix(self, rho: Array) -> Array:
        return np.eye(self.n_visits) * (1.0 - float(rho[0])) + float(rho[0])

    def slopes(self, rho: Array) -> Array:  # noqa: ARG002 - the shape all correlations share
        return (1.0 - np.eye(self.n_visits))[None]

    def curvatures(self, rho: Array) -> Array:  # noqa: ARG002 - the shape all correlations share
        return np.zeros((1, 1, self.n_visits, self.n_visits))

    def start(self, observed: Array) -> Array:
        off_diagonal = float(observed[np.tril_indices(self.n_visits, -1)].mean())
        return np.array([min(max(off_diagonal, 0.9 * self._lowest), 0.95)])

    def free(self, rho: Array) -> Array:
        return np.log((rho - self._lowest) / (1.0 - rho))

    def bound(self, free: Array) -> tuple[Array, Array]:
        share = 0.5 + 0.5 * np.tanh(0.5 * free)
        width = 1.0 - self._lowest
        return self._lowest + width * share, np.diag(width * share * (1.0 - share))

    @property
    def _lowest(self) -> float:
        return -1.0 / (self.n_visits - 1)
