"""What the short estimators answer with beside an effect: an interval, a test, or the reason why there is neither."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeVar, final

from scipy.special import gammaincc

from sevenfold.analysis.effect import Fit
from sevenfold.errors import InvalidInput, NotConverged

__all__ = ["Alternative", "Interval", "Test", "checked_level", "chi_squared", "present"]

T = TypeVar("T")


class Alternative(Enum):
    """Which departure from no difference counts as evidence."""

    TWO_SIDED = "two-sided"
    GREATER = "greater"
    LESS = "less"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval that is not simply an estimate with its standard error.

    Args:
        method: as a report prints it, for instance ``"Clopper-Pearson"``.
        is_exact: whether the coverage is at least ``level`` in every sample size; otherwise it is approximate.
    """

    lower: float
    upper: float
    level: float
    method: str
    is_exact: bool

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise InvalidInput(f"The interval by {self.method} runs from {self.lower} to {self.upper}; it must ascend.")

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test of no difference that was carried out.

    Args:
        name: as a report prints it, for instance ``"log-rank, stratified"``.
        statistic: what ordered the evidence: a chi-squared, a standardised sum, a difference.
        df: degrees of freedom of a chi-squared reference; none where the reference is another.
    """

    __test__ = False  # pytest collects classes of this name otherwise

    name: str
    alternative: Alternative
    statistic: float
    p_value: float
    df: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.p_value <= 1.0:
            raise InvalidInput(f'Test "{self.name}" has p-value {self.p_value}; it must lie in 0..1.')


def chi_squared(name: str, statistic: float, df: int) -> Test:
    """A test whose statistic is chi-squared with ``df`` degrees of freedom if there is no difference."""
    statistic = max(statistic, 0.0)
    p_value = float(gammaincc(df / 2.0, statistic / 2.0))
    return Test(name=name, alternative=Alternative.TWO_SIDED, statistic=statistic, p_value=p_value, df=float(df))


def present(value: T | None, fit: Fit) -> T:
    """The value, where there is one.

    Raises:
        NotConverged: with the fit's own message where there is none.
    """
    if value is None:
        raise NotConverged(f"No estimate ({fit.status.value}). {fit.message}")
    return value


def checked_level(level: float) -> float:
    """A confidence level inside 0..1."""
    if not 0.0 < level < 1.0:
        raise InvalidInput(f"The confidence level is {level}; give a share such as 0.95.")
    return float(level)
