"""What every choice of degrees of freedom answers: a covariance of the coefficients, and tests of rows of them."""

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array, Flags
from sevenfold.analysis.mmrm.sandwich import Empirical
from sevenfold.analysis.mmrm.search import Optimum

__all__ = ["Freedom", "JointTest", "Reference", "Setting", "model_covariance", "whitened"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """An F test that several contrasts are all zero.

    Args:
        contrast: what is compared, in words.
        statistic: F, with ``scale`` already in it.
        df_numerator: number of independent contrasts.
        df_denominator: ``inf`` for a χ² reference.
        scale: λ of Kenward and Roger; 1 for the other methods, except the sandwich's (η - q + 1)/η.
    """

    contrast: str
    statistic: float
    df_numerator: int
    df_denominator: float
    scale: float

    @property
    def p_value(self) -> float:
        """Probability of so large an F if all the contrasts were zero."""
        from scipy.special import chdtrc, fdtrc

        if np.isinf(self.df_denominator):
            return float(chdtrc(self.df_numerator, self.df_numerator * self.statistic))
        return float(fdtrc(self.df_numerator, self.df_denominator, self.statistic))


class Reference(Protocol):
    """A covariance of the coefficients with the reference distributions that go with it."""

    @property
    def covariance(self) -> Array:
        """Covariance of β̂ used for standard errors  # (column, column)."""
        ...

    def df(self, row: Array) -> float:
        """Degrees of freedom of one contrast  # row: (column,). NotConverged where there are none."""
        ...

    def joint(self, rows: Array, coefficients: Array) -> tuple[float, float, float]:
        """F, its denominator degrees of freedom and its scale, for linearly independent rows  # (row, column).

        NotConverged where the data carry too little information for so many rows.
        """
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What is known of the data besides the optimum, where degrees of freedom are counted rather than estimated.

    Args:
        n_between: patients less the columns that are constant within every patient.
        n_within: measurements less patients less the columns that vary within some patient.
        is_within: which columns vary within some patient  # (column,).
        is_unstructured: whether every element of Σ is a parameter.
    """

    optimum: Optimum
    empirical: Empirical | None
    n_residual: int
    n_between: int
    n_within: int
    is_within: Flags
    is_unstructured: bool


class Freedom(Protocol):
    """A way to degrees of freedom, as a protocol names it."""

    @property
    def label(self) -> str:
        """The method in words, for tables."""
        ...

    def refer(self, setting: Setting) -> Reference:
        """The covariance and reference distributions for one fit."""
        ...


def whitened(optimum: Optimum) -> Array:
    """C with C·C' = Φ, the model's covariance of β̂  # (column, column)."""
    return optimum.panel.to_columns @ optimum.point.root


def model_covariance(optimum: Optimum) -> Array:
    """Φ = (X'V⁻¹X)⁻¹  # (column, column)."""
    root = whitened(optimum)
    return root @ root.T
