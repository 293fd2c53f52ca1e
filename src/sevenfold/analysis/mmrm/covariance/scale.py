"""From correlations to covariances: one variance, a variance by visit, or covariances as the parameters themselves."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.structure import Correlation, correlation_of

__all__ = ["Covariances", "OneVariance", "VarianceByVisit"]


@final
@dataclass(frozen=True, slots=True)
class OneVariance:
    """Σ = v·R(ρ): the same variance v at every visit; θ = (v, ρ)."""

    correlation: Correlation

    @property
    def names(self) -> tuple[str, ...]:
        """The variance first."""
        return ("Variance", *self.correlation.names)

    def sigma(self, theta: Array) -> Array:
        """v·R(ρ)."""
        return float(theta[0]) * self.correlation.matrix(theta[1:])

    def slopes(self, theta: Array) -> Array:
        """∂Σ/∂v = R and ∂Σ/∂ρ_j = v·∂R/∂ρ_j."""
        rho = theta[1:]
        return np.concatenate([self.correlation.matrix(rho)[None], theta[0] * self.correlation.slopes(rho)])

    def curvatures(self, theta: Array) -> Array | None:
        """∂²Σ/∂v² = 0, ∂²Σ/∂v∂ρ_j = ∂R/∂ρ_j and ∂²Σ/∂ρ_j∂ρ_k = v·∂²R/∂ρ_j∂ρ_k."""
        rho = theta[1:]
        first = self.correlation.slopes(rho)
        second = np.zeros((theta.size, theta.size, *first.shape[1:]))
        second[0, 1:] = first
        second[1:, 0] = first
        second[1:, 1:] = theta[0] * self.correlation.curvatures(rho)
        return second

    def start(self, moments: Array) -> Array:
        """The mean variance, and correlations as the correlation's family reads them."""
        return np.append(np.diagonal(moments).mean(), self.correlation.start(correlation_of(moments)))

    def free(self, theta: Array) -> Array:
        """Log of the variance, then the correlation's own scale."""
        return np.append(np.log(theta[0]), self.correlation.free(theta[1:]))

    def bound(self, free: Array) -> tuple[Array, Array]:
        """Back from ``free``, with the Jacobian."""
        rho, rho_slope = self.correlation.bound(free[1:])
        variance = np.exp(free[0])
        jacobian = np.zeros((free.size, free.size))
        jacobian[0, 0] = variance
        jacobian[1:, 1:] = rho_slope
        return np.append(variance, rho), jacobian


@final
@dataclass(frozen=True, slots=True)
class VarianceByVisit:
    """Σ_ab = √(v_a·v_b)·R_ab(ρ): a variance of its own at every visit; θ = (v_1, …, v_T, ρ)."""

    correlation: Correlation
    n_visits: int

    @property
    def names(self) -> tuple[str, ...]:
        """The variances first, in the visits' order."""
        return (*(f"Var({visit + 1})" for visit in range(self.n_visits)), *self.correlation.names)

    def sigma(self, theta: Array) -> Array:
        """√(v_a·v_b)·R_ab."""
        sd = np.sqrt(theta[: self.n_visits])
        return sd[:, None] * sd[None, :] * self.correlation.matrix(theta[self.n_visits :])

    def slopes(self, theta: Array) -> Array:
        """∂Σ_ab/∂v_c = Σ_ab·h_c,ab with h_c,ab = (1[a=c] + 1[b=c])/(2·v_c); ∂Σ_ab/∂ρ_j = √(v_a·v_b)·∂R_ab/∂ρ_j."""
        variance, rho = theta[: self.n_visits], theta[self.n_visits :]
        sd = np.sqrt(variance)
        outer = sd[:, None] * sd[None, :]
        by_variance = self._relative(variance) * (outer * self.correlation.matrix(rho))
        return np.concatenate([by_variance, outer * self.correlation.slopes(rho)])

    def curvatures(self, theta: Array) -> Array | None:
        """∂²Σ/∂v_c∂v_d = Σ·(h_c·h_d - 1[c=d]·h_c/v_c); ∂²Σ/∂v_c∂ρ_j = h_c·∂Σ/∂ρ_j; ρ with ρ from the correlation."""
        n = self.n_visits
        variance, rho = theta[:n], theta[n:]
        sd = np.sqrt(variance)
        outer = sd[:, None] * sd[None, :]
        relative = self._relative(variance)
        second = np.empty((theta.size, theta.size, n, n))
        twice = relative[:, None] * relative[None, :]
        each = np.arange(n)
        twice[each, each] -= relative / variance[:, None, None]
        second[:n, :n] = twice * (outer * self.correlation.matrix(rho))
        mixed = relative[:, None] * (outer * self.correlation.slopes(rho))[None, :]
        second[:n, n:] = mixed
        second[n:, :n] = mixed.swapaxes(0, 1)
        second[n:, n:] = outer * self.correlation.curvatures(rho)
        return second

    def start(self, moments: Array) -> Array:
        """The variances as they are, and correlations as the correlation's family reads them."""
        return np.append(np.diagonal(moments), self.correlation.start(correlation_of(moments)))

    def free(self, theta: Array) -> Array:
        """Logs of the variances, then the correlation's own scale."""
        return np.append(np.log(theta[: self.n_visits]), self.correlation.free(theta[self.n_visits :]))

    def bound(self, free: Array) -> tuple[Array, Array]:
        """Back from ``free``, with the Jacobian."""
        n = self.n_visits
        rho, rho_slope = self.correlation.bound(free[n:])
        variance = np.exp(free[:n])
        jacobian = np.zeros((free.size, free.size))
        jacobian[np.arange(n), np.arange(n)] = variance
        jacobian[n:, n:] = rho_slope
        return np.append(variance, rho), jacobian

    def _relative(self, variance: Array) -> Array:
        """h_c,ab = ∂log Σ_ab/∂v_c  # (variance, visit, visit)."""
        own = np.eye(self.n_visits)
        return (own[:, :, None] + own[:, None, :]) / (2.0 * variance[:, None, None])


@final
@dataclass(frozen=True, slots=True)
class Covariances:
    """Σ = Σ_k c_k·B_k, linear in covariances, where R(ρ) = I + Σ_k ρ_k·B_k is linear in ρ.

    c = (v, v·ρ_1, v·ρ_2, …) and θ = ``mix``·c, so the second derivatives of Σ vanish, as they do in SAS for its CS and
    TOEP.

    Args:
        mix: how θ is made of c, invertible  # (parameter, parameter).
        labels: names of θ.
    """

    correlation: Correlation
    mix: Array
    labels: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """As given."""
        return self.labels

    def sigma(self, theta: Array) -> Array:
        """v·R(c/v)."""
        covariance = np.linalg.solve(self.mix, theta)
        return float(covariance[0]) * self.correlation.matrix(covariance[1:] / covariance[0])

    def slopes(self, theta: Array) -> Array:
        """∂Σ/∂θ = ∂c/∂θ applied to (I, ∂R/∂ρ), which do not depend on θ."""
        by_correlation = self.correlation.slopes(np.zeros(theta.size - 1))
        basis = np.concatenate([np.eye(by_correlation.shape[-1])[None], by_correlation])
        return np.tensordot(np.linalg.inv(self.mix).T, basis, axes=1)

    def curvatures(self, theta: Array) -> Array | None:  # noqa: ARG002 - the shape all families share
        """None: Σ is linear in θ."""
        return None

    def start(self, moments: Array) -> Array:
        """The mean variance, times 1 and the correlations as the correlation's family reads them."""
        rho = self.correlation.start(correlation_of(moments))
        covariance = float(np.diagonal(moments).mean()) * np.append(1.0, rho)
        return np.asarray(self.mix @ covariance, dtype=np.float64)

    def free(self, theta: Array) -> Array:
        """Log of the variance, then the correlation's own scale."""
        covariance = np.linalg.solve(self.mix, theta)
        return np.append(np.log(covariance[0]), self.correlation.free(covariance[1:] / covariance[0]))

    def bound(self, free: Array) -> tuple[Array, Array]:
        """Back from ``free``, with the Jacobian."""
        rho, rho_slope = self.correlation.bound(free[1:])
        variance = np.exp(free[0])
        jacobian = np.zeros((free.size, free.size))
        jacobian[:, 0] = variance * np.append(1.0, rho)
        jacobian[1:, 1:] = variance * rho_slope
        return variance * (self.mix @ np.append(1.0, rho)), self.mix @ jacobian
