"""Unstructured covariance: every variance and every covariance free."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.structure import Family

__all__ = ["Unstructured"]


@final
@dataclass(frozen=True, slots=True)
class Unstructured:
    """Every variance and covariance of the visits a parameter of its own.

    θ = (Σ_11, Σ_21, Σ_22, Σ_31, …), row by row of the lower triangle, as SAS TYPE=UN. Σ is linear in θ. The search runs
    over the Cholesky factor: the logs of its diagonal, and the rest in units of it. Source: [pinheiro1996].
    """

    @property
    def label(self) -> str:
        """The structure in words."""
        return "unstructured"

    def on(self, times_day: Array) -> Family:
        """The structure over as many visits as there are times."""
        return _Elements(times_day.size)


@final
@dataclass(frozen=True, slots=True)
class _Elements:
    """The elements of Σ as parameters."""

    n_visits: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"UN({a + 1},{b + 1})" for a in range(self.n_visits) for b in range(a + 1))

    def sigma(self, theta: Array) -> Array:
        row, column = np.tril_indices(self.n_visits)
        matrix = np.empty((self.n_visits, self.n_visits))
        matrix[row, column] = theta
        matrix[column, row] = theta
        return matrix

    def slopes(self, theta: Array) -> Array:
        row, column = np.tril_indices(self.n_visits)
        each = np.arange(theta.size)
        slopes = np.zeros((theta.size, self.n_visits, self.n_visits))
        slopes[each, row, column] = 1.0
        slopes[each, column, row] = 1.0
        return slopes

    def curvatures(self, theta: Array) -> Array | None:  # noqa: ARG002 - the shape all families share
        return None

    def start(self, moments: Array) -> Array:
        return moments[np.tril_indices(self.n_visits)]

    def free(self, theta: Array) -> Array:
        lower = np.asarray(np.linalg.cholesky(self.sigma(theta)), dtype=np.float64)
        diagonal = np.diagonal(lower).copy()
        relative = lower / diagonal[:, None]
        np.fill_diagonal(relative, np.log(diagonal))
        return relative[np.tril_indices(self.n_visits)]

    def bound(self, free: Array) -> tuple[Array, Array]:
        """With Σ = L·L', L_cc = exp(z_cc) and L_cd = L_cc·z_cd, so that no z has units.

        ∂Σ_ab/∂z_cd = L_cc·(1[a=c]·L_bd + 1[b=c]·L_ad) for d < c, and Σ_ab·(1[a=c] + 1[b=c]) for d = c.
        """
        row, column = np.tril_indices(self.n_visits)
        lower = np.eye(self.n_visits)
        lower[row, column] = free
        diagonal = np.exp(np.diagonal(lower))
        np.fill_diagonal(lower, 1.0)
        lower *= diagonal[:, None]
        sigma = lower @ lower.T
        theta = sigma[row, column]
        same_row, same_column = row[:, None] == row[None, :], column[:, None] == row[None, :]
        jacobian = (
            same_row * lower[column[:, None], column[None, :]] + same_column * lower[row[:, None], column[None, :]]
        )
        jacobian *= diagonal[row][None, :]
        on_diagonal = row == column
        jacobian[:, on_diagonal] = theta[:, None] * (
            same_row[:, on_diagonal].astype(np.float64) + same_column[:, on_diagonal]
        )
        return theta, jacobian
