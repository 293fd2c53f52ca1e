"""Exponential covariance: correlation falls with the days between visits."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.scale import OneVariance, VarianceByVisit
from sevenfold.analysis.mmrm.covariance.structure import Family, at_least_two
from sevenfold.errors import InvalidDesign

__all__ = ["Exponential"]


@final
@dataclass(frozen=True, slots=True)
class Exponential:
    """Correlation falls with the time between visits: R_ab = exp(-|t_a - t_b|/r), with range r > 0 in days.

    t are the visits' planned times, the same for all patients. θ = (v, r), SAS's TYPE=SP(EXP) on one coordinate;
    heterogeneous θ = (v_1, …, v_T, r). Source: [sasmixed].
    """

    is_heterogeneous: bool = False

    @property
    def label(self) -> str:
        """The structure in words."""
        return "heterogeneous spatial exponential" if self.is_heterogeneous else "spatial exponential"

    def on(self, times_day: Array) -> Family:
        """The structure over visits at these times.

        Raises:
            InvalidDesign: two visits share a time, so that they would be perfectly correlated.
        """
        at_least_two(times_day, self.label)
        if np.unique(times_day).size < times_day.size:
            raise InvalidDesign(
                f"The covariance structure {self.label!r} needs different times_day, got {tuple(times_day.tolist())}; "
                "give each visit its own planned day."
            )
        decay = _Decay(np.abs(times_day[:, None] - times_day[None, :]))
        return VarianceByVisit(decay, times_day.size) if self.is_heterogeneous else OneVariance(decay)


@final
@dataclass(frozen=True, slots=True)
class _Decay:
    """R_ab = exp(-d_ab/r) with ``apart`` = d in days; r = e^z."""

    apart: Array  # (visit, visit)

    @property
    def names(self) -> tuple[str, ...]:
        return ("SP(EXP)",)

    def matrix(self, rho: Array) -> Array:
        return np.exp(-self.apart / float(rho[0]))

    def slopes(self, rho: Array) -> Array:
        return (self.matrix(rho) * self.apart / float(rho[0]) ** 2)[None]

    def curvatures(self, rho: Array) -> Array:
        relative = self.apart / float(rho[0])
        return (self.matrix(rho) * relative * (relative - 2.0) / float(rho[0]) ** 2)[None, None]

    def start(self, observed: Array) -> Array:
        neighbours = np.clip(np.diagonal(observed, 1).mean(), 0.1, 0.9)
        return np.array([np.diagonal(self.apart, 1).mean() / -np.log(neighbours)])

    def free(self, rho: Array) -> Array:
        return np.log(rho)

    def bound(self, free: Array) -> tuple[Array, Array]:
        value = np.exp(free)
        return value, np.diag(value)
