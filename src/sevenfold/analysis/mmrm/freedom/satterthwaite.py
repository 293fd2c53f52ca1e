"""Satterthwaite's degrees of freedom: how well the data tell the variance of a contrast."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.freedom.information import Information, parameter_covariance
from sevenfold.analysis.mmrm.freedom.reference import Reference, Setting, whitened
from sevenfold.analysis.mmrm.sandwich import sandwich
from sevenfold.analysis.mmrm.wald import wald

__all__ = ["Satterthwaite", "pooled_df"]


@final
@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """Degrees of freedom that match the mean and variance of the contrast's estimated variance.

    For one row l, with v(θ) = l'Φ(θ)l, gradient g = ∂v/∂θ and W the covariance of θ̂: ν = 2·v²/(g'Wg). For several,
    the F test of Fai and Cornelius, as in SAS ddfm=satterthwaite; its denominator depends a little on how the rows are
    written, which Kenward-Roger's does not. With a sandwich, the degrees of freedom of Bell and McCaffrey, which match
    the moments of the sandwich itself.

    Source: [satterthwaite1946], [fai1996], [bell2002]; docs/theory/mmrm.md.
    """

    information: Information = Information.OBSERVED

    @property
    def label(self) -> str:
        """The method in words."""
        return "Satterthwaite"

    def refer(self, setting: Setting) -> Reference:
        """Model-based, or by the sandwich's own moments."""
        if setting.empirical is not None:
            return sandwich(setting.optimum, setting.empirical)
        return _Moments(
            root=whitened(setting.optimum),
            spread=setting.optimum.derivatives.spread,
            parameters=parameter_covariance(setting.optimum, self.information),
        )


def pooled_df(each: Array) -> float:
    """One denominator for an F of q independent t statistics with these degrees of freedom.

    E(t²) = ν/(ν - 2) is summed to E and matched to the mean of an F: 2E/(E - q). Where a ν is 2 or less its square has
    no mean, and 2 is returned, as lmerTest does; where all are equal, they are the answer.

    Source: [fai1996].
    """
    if np.ptp(each) < 1e-8 * each.max():
        return float(each.mean())
    if each.min() <= 2.0:
        return 2.0
    mean_squares = float((each / (each - 2.0)).sum())
    return 2.0 * mean_squares / (mean_squares - each.size)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Moments:
    """Moments of l'Φ(θ̂)l, in coordinates where Φ is the identity: Φ = C·C' and ∂Φ/∂θ_j = C·S_j·C'."""

    root: Array  # C (column, column)
    spread: Array  # S (parameter, column, column)
    parameters: Array  # W (parameter, parameter)

    @property
    def covariance(self) -> Array:
        return self.root @ self.root.T

    def df(self, row: Array) -> float:
        own = row @ self.root
        slope = (self.spread @ own) @ own
        return float(2.0 * (own @ own) ** 2 / (slope @ self.parameters @ slope))

    def joint(self, rows: Array, coefficients: Array) -> tuple[float, float, float]:
        _, axes = np.linalg.eigh(rows @ self.covariance @ rows.T)
        each = np.array([self.df(row) for row in axes.T @ rows])
        return wald(rows, coefficients, self.covariance) / len(rows), pooled_df(each), 1.0
