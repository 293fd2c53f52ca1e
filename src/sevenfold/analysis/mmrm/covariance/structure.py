"""What a covariance structure over the visits must answer, so that one likelihood serves them all."""

from typing import Protocol

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.errors import InvalidDesign

__all__ = ["Correlation", "Family", "Structure", "at_least_two", "correlation_of"]


class Correlation(Protocol):
    """A family of correlation matrices R(ρ) over given visits, with ρ the parameters inference is about."""

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, as SAS prints them where SAS has the structure."""
        ...

    def matrix(self, rho: Array) -> Array:
        """R(ρ)  # (visit, visit)."""
        ...

    def slopes(self, rho: Array) -> Array:
        """∂R/∂ρ_j  # (parameter, visit, visit)."""
        ...

    def curvatures(self, rho: Array) -> Array:
        """∂²R/∂ρ_j∂ρ_k  # (parameter, parameter, visit, visit)."""
        ...

    def start(self, observed: Array) -> Array:
        """A rough ρ inside its bounds from an observed correlation matrix."""
        ...

    def free(self, rho: Array) -> Array:
        """ρ on the unbounded scale of the search."""
        ...

    def bound(self, free: Array) -> tuple[Array, Array]:
        """ρ and its Jacobian ∂ρ/∂free, from the unbounded scale."""
        ...


class Family(Protocol):
    """A family of covariance matrices Σ(θ) over given visits, with θ the parameters inference is about.

    θ are the parameters of SAS PROC MIXED, because the second-order term of Kenward and Roger depends on them.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, as SAS prints them where SAS has the structure."""
        ...

    def sigma(self, theta: Array) -> Array:
        """Σ(θ)  # (visit, visit)."""
        ...

    def slopes(self, theta: Array) -> Array:
        """∂Σ/∂θ_j  # (parameter, visit, visit)."""
        ...

    def curvatures(self, theta: Array) -> Array | None:
        """∂²Σ/∂θ_j∂θ_k  # (parameter, parameter, visit, visit); None where Σ is linear in θ."""
        ...

    def start(self, moments: Array) -> Array:
        """A rough θ inside its bounds from a positive definite matrix of moments  # (visit, visit)."""
        ...

    def free(self, theta: Array) -> Array:
        """θ on the unbounded scale of the search."""
        ...

    def bound(self, free: Array) -> tuple[Array, Array]:
        """θ and its Jacobian ∂θ/∂free, from the unbounded scale."""
        ...


class Structure(Protocol):
    """A covariance structure as a protocol names it, before it is known which visits there are."""

    @property
    def label(self) -> str:
        """The structure in words, for tables."""
        ...

    def on(self, times_day: Array) -> Family:
        """The structure over visits at these times  # (visit,)."""
        ...


def at_least_two(times_day: Array, label: str) -> None:
    """Refuse a structure whose correlation would have nothing to describe.

    Raises:
        InvalidDesign: there is only one visit.
    """
    if times_day.size < 2:
        raise InvalidDesign(
            f"The covariance structure {label!r} needs two visits or more, got 1; with one visit use Unstructured()."
        )


def correlation_of(covariance: Array) -> Array:
    """The correlation matrix of a covariance matrix."""
    scale = 1.0 / np.sqrt(np.diagonal(covariance))
    return covariance * scale[:, None] * scale[None, :]
