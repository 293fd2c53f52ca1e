"""Wald's statistic of several contrasts, refused where their covariance is none."""

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.errors import NotConverged

__all__ = ["wald"]

SINGULAR = 1e-11
"""Smallest eigenvalue of the contrasts' correlation matrix that counts as positive."""


def wald(rows: Array, coefficients: Array, covariance: Array) -> float:
    """(Lβ̂)'(L·Cov·L')⁻¹(Lβ̂) for linearly independent rows L.

    Raises:
        NotConverged: L·Cov·L' is not positive definite: a sandwich of fewer patients than rows, or an adjusted
            covariance whose second-order term outweighs the rest.
    """
    estimates, between = rows @ coefficients, rows @ covariance @ rows.T
    variance = np.diagonal(between)
    if np.all(variance > 0.0):
        sd = np.sqrt(variance)
        correlation = between / sd[:, None] / sd[None, :]
        if np.linalg.eigvalsh(correlation)[0] > SINGULAR:
            scaled = estimates / sd
            return float(scaled @ np.linalg.solve(correlation, scaled))
    raise NotConverged(
        f"The covariance of these {len(rows)} contrasts is not positive definite: too few patients stand behind it, or "
        "the adjustment outweighs it; test fewer, or use KenwardRoger(is_linear=True)."
    )
