"""What an analysis answers with: an effect, its uncertainty, and whether the fit can be trusted at all."""

from dataclasses import dataclass
from enum import Enum
from typing import final

from scipy.special import stdtr, stdtrit

__all__ = ["Effect", "Fit", "Status"]


class Status(Enum):
    """How a fit ended. Everything but ``OK`` is counted by those who simulate and said by those who print."""

    OK = "ok"
    NOT_CONVERGED = "not converged"
    SINGULAR = "singular: the data do not determine the parameters"
    BOUNDARY = "at the boundary of the covariance parameters"
    TOO_FEW = "too few patients"
    SEPARATED = "separated: an arm has all or none of the events"
    NOT_ESTIMABLE = "not estimable from these data"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a fit ended and, when it did not end well, what was found and what to do."""

    status: Status
    message: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the numbers beside it may be used."""
        return self.status is Status.OK


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One contrast on the analysis scale, with what is needed to test it.

    Args:
        contrast: what is compared, in words.
        estimate: on the scale of the analysis (a log ratio where the response was a logarithm).
        se: standard error on that scale.
        df: denominator degrees of freedom; ``inf`` for a normal reference.
    """

    contrast: str
    estimate: float
    se: float
    df: float

    @property
    def statistic(self) -> float:
        """Estimate over standard error."""
        return self.estimate / self.se

    @property
    def p_value(self) -> float:
        """Two-sided p-value against no difference."""
        return float(2.0 * stdtr(self.df, -abs(self.statistic)))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided confidence interval by Student's t (the normal at infinite ``df``)."""
        half = float(stdtrit(self.df, 0.5 + level / 2.0)) * self.se
        return self.estimate - half, self.estimate + half
