"""Degrees of freedom that are counted: residual, and between or within patients."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.freedom.reference import Reference, Setting, model_covariance
from sevenfold.analysis.mmrm.sandwich import sandwich
from sevenfold.analysis.mmrm.wald import wald
from sevenfold.errors import NotConverged

__all__ = ["BetweenWithin", "Residual"]


@final
@dataclass(frozen=True, slots=True)
class Residual:
    """Measurements less columns, N - p, for every contrast; SAS's ddfm=residual. It ignores that patients repeat."""

    @property
    def label(self) -> str:
        """The method in words."""
        return "residual"

    def refer(self, setting: Setting) -> Reference:
        """N - p throughout."""
        return _Counted(_covariance(setting), np.full(setting.is_within.size, float(setting.n_residual)))


@final
@dataclass(frozen=True, slots=True)
class BetweenWithin:
    """Patients less columns between patients, or what is left within them; SAS's ddfm=bw.

    A column that is constant in every patient (the intercept, an arm) has n - p_b degrees of freedom, with n patients
    and p_b such columns; one that varies (a visit, arm by visit) has N - n - p_w. A contrast has the fewest of the
    columns it touches. Under an unstructured covariance every contrast has n - p_b, as in SAS. SAS further divides
    N - n - p_w between several class effects within patients; columns don't know their effects, so here it stays whole.

    Source: [schluchter1990], [sasmixed].
    """

    @property
    def label(self) -> str:
        """The method in words."""
        return "between-within"

    def refer(self, setting: Setting) -> Reference:
        """By column; a contrast takes the fewest."""
        is_within = setting.is_within & (not setting.is_unstructured)
        by_column = np.where(is_within, float(setting.n_within), float(setting.n_between))
        return _Counted(_covariance(setting), by_column)


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """Degrees of freedom by column."""

    covariance: Array
    df_by_column: Array  # (column,)

    def df(self, row: Array) -> float:
        touched = np.abs(row) > 1e-12 * np.abs(row).max()
        fewest = float(self.df_by_column[touched].min())
        if fewest <= 0.0:
            raise NotConverged(
                f"Counting leaves {fewest:.0f} degrees of freedom: as many columns as patients or measurements; use "
                "Satterthwaite() or fewer columns."
            )
        return fewest

    def joint(self, rows: Array, coefficients: Array) -> tuple[float, float, float]:
        df = min(self.df(row) for row in rows)
        return wald(rows, coefficients, self.covariance) / len(rows), df, 1.0


def _covariance(setting: Setting) -> Array:
    if setting.empirical is None:
        return model_covariance(setting.optimum)
    return sandwich(setting.optimum, setting.empirical).covariance
