"""The fitted mixed model for repeated measures: its estimates, and tests of whatever contrast is asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.freedom.reference import JointTest, Reference
from sevenfold.analysis.mmrm.longitudinal import LeftOut
from sevenfold.errors import InvalidInput, NotConverged

if TYPE_CHECKING:
    from sevenfold.analysis.mmrm.mmrm import Mmrm

__all__ = ["NOTHING", "Counts", "Criteria", "Estimates", "MmrmFit", "independent"]

NOTHING = 1e-10
"""A contrast's variance that is a smaller share of the model's is rounding, not knowledge."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Who and what the fit rests on, and what was left out with the reasons."""

    n_patients: int
    n_observations: int
    n_patients_left_out: int
    left_out: tuple[LeftOut, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """How well the model fits, in the terms of SAS PROC MIXED; smaller is better.

    With deviance D, d parameters (of the covariance only under REML, of both under ML), n* = N - p (REML) or N (ML) and
    s patients: AIC = D + 2d, AICC = D + 2d·n*/(n* - d - 1), BIC = D + d·log s. As in SAS, s counts every patient in the
    data, including those of whom no measurement could be used. Source: [sasmixed], [hurvich1989], [schwarz1978].

    Args:
        deviance: -2 (restricted) log-likelihood.
        n_parameters: d.
    """

    deviance: float
    n_parameters: int
    aic: float
    aicc: float
    bic: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """What a fit that ended well has found.

    Args:
        coefficients: β̂  # (column,).
        covariance: of β̂: model-based, adjusted by Kenward-Roger, or sandwich, as the settings say  # (column, column).
        model_covariance: Φ, of β̂ if Σ̂ were the truth  # (column, column).
        theta: the covariance parameters θ̂  # (parameter,).
        theta_names: their names, as SAS prints them.
        theta_covariance: asymptotic covariance of θ̂ from the observed Hessian  # (parameter, parameter).
        sigma: Σ̂ of each group  # (group, visit, visit).
        groups: names of the groups that Σ̂ is given for.
        n_steps: Newton steps taken.
        reference: what contrasts are referred to.
    """

    coefficients: Array
    covariance: Array
    model_covariance: Array
    theta: Array
    theta_names: tuple[str, ...]
    theta_covariance: Array
    sigma: Array
    groups: tuple[str, ...]
    criteria: Criteria
    n_steps: int
    reference: Reference


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MmrmFit:
    """How a fit ended and, where it ended well, its estimates.

    Args:
        settings: the estimator that made it.
        ending: how it ended.
        counts: patients and measurements used and left out.
        columns: names of the coefficients.
        found: the estimates; None unless the fit ended well.
    """

    settings: "Mmrm"
    ending: Fit
    counts: Counts
    columns: tuple[str, ...]
    found: Estimates | None

    @property
    def status(self) -> Status:
        """How the fit ended; simulators count it."""
        return self.ending.status

    @property
    def is_ok(self) -> bool:
        """Whether there are estimates."""
        return self.found is not None

    @property
    def estimates(self) -> Estimates:
        """The estimates.

        Raises:
            NotConverged: the fit did not end well.
        """
        if self.found is None:
            raise NotConverged(f"The fit ended {self.status.value!r}: {self.ending.message}")
        return self.found

    @property
    def coefficients(self) -> Array:
        """β̂, in the order of ``columns``  # (column,)."""
        return self.estimates.coefficients

    @property
    def covariance(self) -> Array:
        """Covariance of β̂, as the settings say  # (column, column)."""
        return self.estimates.covariance

    @property
    def theta(self) -> Array:
        """Covariance parameters  # (parameter,)."""
        return self.estimates.theta

    @property
    def sigma(self) -> Array:
        """Σ̂ of each group  # (group, visit, visit)."""
        return self.estimates.sigma

    @property
    def criteria(self) -> Criteria:
        """-2 log-likelihood, AIC, AICC and BIC."""
        return self.estimates.criteria

    def contrast(self, row: ArrayLike, name: str) -> Effect:
        """One linear combination l'β with its standard error and degrees of freedom.

        Args:
            row: l  # (column,).
            name: what is compared, in words.

        Raises:
            InvalidInput: a row that does not fit the columns or compares nothing.
            NotConverged: the fit did not end well, or its adjusted covariance is not one.
        """
        rows = self._rows(row, name)
        if len(rows) != 1:
            raise InvalidInput(
                f"A contrast is one row, got {len(rows)} for {name!r}; test several together with joint()."
            )
        found = self.estimates
        return Effect(
            contrast=name,
            estimate=float(rows[0] @ found.coefficients),
            se=float(np.sqrt(self._variance(rows[0], name))),
            df=found.reference.df(rows[0]),
        )

    def joint(self, rows: ArrayLike, name: str) -> JointTest:
        """An F test that all of several linear combinations are zero; rows that others imply count once.

        Args:
            rows: L  # (row, column).
            name: what is compared, in words.

        Raises:
            InvalidInput: rows that do not fit the columns or compare nothing.
            NotConverged: the fit did not end well, or carries too little information for so many rows.
        """
        asked = independent(self._rows(rows, name))
        found = self.estimates
        for row in asked:
            self._variance(row, name)
        statistic, df, scale = found.reference.joint(asked, found.coefficients)
        return JointTest(contrast=name, statistic=statistic, df_numerator=len(asked), df_denominator=df, scale=scale)

    def _variance(self, row: Array, name: str) -> float:
        found = self.estimates
        variance = float(row @ found.covariance @ row)
        if variance <= NOTHING * float(row @ found.model_covariance @ row):
            raise NotConverged(
                f"The variance of {name!r} comes out as {variance:.3g}: a sandwich knows nothing of it, or the "
                "adjustment's second-order term outweighs the rest, in which case use KenwardRoger(is_linear=True)."
            )
        return variance

    def _rows(self, rows: ArrayLike, name: str) -> Array:
        given = np.atleast_2d(np.asarray(rows, dtype=np.float64))
        if given.ndim != 2 or given.shape[1] != len(self.columns):
            raise InvalidInput(
                f"Contrast {name!r} has the shape {given.shape}; each row needs one number for each of the "
                f"{len(self.columns)} columns."
            )
        if not np.all(np.isfinite(given)) or not np.all(np.any(given != 0.0, axis=1)):
            raise InvalidInput(f"Contrast {name!r} has a row that is all zero or not finite; it compares nothing.")
        return given


def independent(rows: Array) -> Array:
    """The rows, or as few as ask the same where some are combinations of others.

    With L = U·S·V', the rows S·V' have the same eigenvectors behind them as L has in Satterthwaite's joint test.
    """
    rank = np.linalg.matrix_rank(rows / np.linalg.norm(rows, axis=1, keepdims=True), tol=1e-10)
    if rank == len(rows):
        return rows
    _, sizes, directions = np.linalg.svd(rows, full_matrices=False)
    return np.asarray((sizes[:, None] * directions)[:rank], dtype=np.float64)
