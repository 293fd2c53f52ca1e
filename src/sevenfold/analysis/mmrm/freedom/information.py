"""Which information about the covariance parameters their covariance is taken from."""

from enum import Enum

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.search import Optimum

__all__ = ["Information", "parameter_covariance"]


class Information(Enum):
    """Observed, as SAS PROC MIXED does; or expected, as Kenward and Roger derived it in 1997."""

    OBSERVED = "observed"
    EXPECTED = "expected"


def parameter_covariance(optimum: Optimum, information: Information) -> Array:
    """W, the asymptotic covariance of θ̂: twice the inverse Hessian of -2 log-likelihood  # (parameter, parameter)."""
    at = optimum.derivatives
    hessian = at.observed if information is Information.OBSERVED else at.expected
    scale = np.sqrt(np.diagonal(hessian))
    inverse = np.linalg.inv(hessian / scale[:, None] / scale[None, :]) / scale[:, None] / scale[None, :]
    return inverse + inverse.T
