"""The empirical (sandwich) covariance of the coefficients, right even where the model's covariance is wrong."""

from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.search import Optimum
from sevenfold.analysis.mmrm.wald import wald
from sevenfold.errors import NotConverged

__all__ = ["Empirical", "Sandwich", "sandwich"]


DETERMINED = 1e-8
"""A direction of a patient's residuals that keeps less than this share of its variance is determined by the fit."""


class Empirical(Enum):
    """How a patient's residuals are inflated for having been fitted: not at all, by a root, or fully."""

    CR0 = "CR0"
    """As they are: Liang and Zeger; SAS's EMPIRICAL. Too small in small trials."""
    CR2 = "CR2"
    """By (I - H)^(-1/2): Bell and McCaffrey. Unbiased where the model's covariance is right."""
    CR3 = "CR3"
    """By (I - H)⁻¹: close to leaving out one patient at a time (jackknife). Errs on the large side."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sandwich:
    """A sandwich covariance and the moments it has where the model's covariance is right.

    For a contrast l, with C·C' = Φ: the estimate of its variance is a sum of squares Σ_i (p_i'ε)² in standard normal ε,
    and p_i'p_j = 1[i=j]·g_i'g_i - b_i'b_j with g_i = F_i·X_i·(C·C'l), b_i = (X_i·C)'g_i, where rows of X_i are
    whitened.

    Args:
        covariance: the sandwich  # (column, column).
        root: C  # (column, column).
        inflated: F_i·X_i·C of each patient  # (patient, visit, column).
        fitted: X_i·C of each patient  # (patient, visit, column).
    """

    covariance: Array
    root: Array
    inflated: Array
    fitted: Array

    def df(self, row: Array) -> float:
        """Satterthwaite's degrees of freedom, (Σ p_i'p_i)²/Σ_ij (p_i'p_j)². Source: [bell2002], [pustejovsky2018]."""
        total, squares = self._moments(row[None])
        return float(total[0, 0] ** 2 / (0.5 * squares[0, 0]))

    def joint(self, rows: Array, coefficients: Array) -> tuple[float, float, float]:
        """The approximate Hotelling test: η from the total variance of the sandwich of the rows, standardised.

        With Q the Wald statistic of q rows, η = q(q + 1)/Σ_st Var(d_st): F = Q·(η - q + 1)/(η·q) on q and η - q + 1.

        Raises:
            NotConverged: η < q: the patients carry too little information for so many rows.

        Source: [pustejovsky2018] ("HTZ").
        """
        q = len(rows)
        total, _ = self._moments(rows)
        values, axes = np.linalg.eigh(total)
        standard = (axes / np.sqrt(np.maximum(values, 1e-12 * values[-1]))).T @ rows
        _, squares = self._moments(standard)
        eta = q * (q + 1) / float(squares.sum())
        df = eta - q + 1.0
        if df <= 0.0:
            raise NotConverged(
                f"A sandwich from so few patients has {eta:.2f} degrees of freedom, too few to test {q} contrasts at "
                "once; test them singly or choose fewer."
            )
        scale = df / eta
        return scale * wald(rows, coefficients, self.covariance) / q, df, scale

    def _moments(self, rows: Array) -> tuple[Array, Array]:
        """Expectation of the rows' sandwich and variance of each of its elements, under the model  # (row, row) both.

        Var(d_st) = Σ_ij (p_is'p_jt)(p_it'p_js) + (p_is'p_js)(p_it'p_jt); double sums fold into K_st = Σ_i b_is·b_it'.
        """
        own = self.root.T @ rows.T  # (column, row)
        g = self.inflated @ own  # (patient, visit, row)
        b = self.fitted.swapaxes(1, 2) @ g  # (patient, column, row)
        gg = g.swapaxes(1, 2) @ g  # (patient, row, row)
        bb = b.swapaxes(1, 2) @ b
        k = np.tensordot(b, b, axes=([0], [0])).transpose(1, 3, 0, 2)  # (row, row, column, column)
        crossed = (gg * gg - 2.0 * gg * bb).sum(axis=0) + np.einsum("tsab,tsba->st", k, k)
        gg_own, bb_own = np.diagonal(gg, axis1=1, axis2=2), np.diagonal(bb, axis1=1, axis2=2)
        mixed = gg_own.T @ bb_own
        straight = gg_own.T @ gg_own - mixed - mixed.T + np.einsum("tsab,stba->st", k, k)
        return (gg - bb).sum(axis=0), crossed + straight


def sandwich(optimum: Optimum, kind: Empirical) -> Sandwich:
    """Φ·(Σ_i X_i'V_i⁻¹·Ã_i·r_i·r_i'·Ã_i'·V_i⁻¹X_i)·Φ, with the residuals inflated in the whitened regression.

    With V_i = L_i·L_i', whitened rows L_i⁻¹X_i and H_i = L_i⁻¹X_i·Φ·X_i'L_i'⁻¹, residuals L_i⁻¹r_i are multiplied by
    F_i = I, (I - H_i)^(-1/2) or (I - H_i)⁻¹. The result does not depend on which root of V_i whitens.

    Raises:
        NotConverged: a patient alone determines a coefficient, so that (I - H)⁻¹ does not exist (CR3).

    Source: [liang1986], [bell2002], [mccaffrey2001], [mancl2001]; docs/theory/mmrm.md.
    """
    panel, point = optimum.panel, optimum.point
    whitener = point.whitener[panel.pattern_of]
    fitted = whitener @ (panel.design @ point.root)
    residual = (whitener @ (panel.response - panel.design @ point.coefficients)[:, :, None])[:, :, 0]
    inflated = fitted
    if kind is not Empirical.CR0:
        kept, axes = np.linalg.eigh(np.eye(fitted.shape[1]) - fitted @ fitted.swapaxes(1, 2))
        is_lost = kept < DETERMINED
        if kind is Empirical.CR3 and np.any(is_lost):
            raise NotConverged(
                "A patient alone determines a coefficient, so the jackknife (CR3) is not defined; use CR2, which "
                "leaves that direction out, or drop the coefficient."
            )
        power = -0.5 if kind is Empirical.CR2 else -1.0
        factor = np.where(is_lost, 0.0, np.where(is_lost, 1.0, kept) ** power)
        inflate = (axes * factor[:, None, :]) @ axes.swapaxes(1, 2)
        inflated = inflate @ fitted
    root = panel.to_columns @ point.root
    scores = (inflated.swapaxes(1, 2) @ residual[:, :, None])[:, :, 0]
    return Sandwich(covariance=root @ (scores.T @ scores) @ root.T, root=root, inflated=inflated, fitted=fitted)
