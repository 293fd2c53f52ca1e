"""Rubin's rules: what several imputed data sets say together."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.column import Numbers
from sevenfold.analysis.effect import Effect
from sevenfold.errors import InvalidInput

__all__ = ["Spread", "combined"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where the variance of a combined estimate comes from.

    Args:
        n: imputed data sets.
        within: mean of the variances that each set gives.
        between: variance of the estimates between sets.
    """

    n: int
    within: float
    between: float

    @property
    def total(self) -> float:
        """T = W + (1 + 1/M)·B."""
        return self.within + (1.0 + 1.0 / self.n) * self.between

    @property
    def fraction_missing(self) -> float:
        """(1 + 1/M)·B/T, the share of the variance that is due to what is missing."""
        return (1.0 + 1.0 / self.n) * self.between / self.total

    @property
    def monte_carlo_error(self) -> float:
        """√(B/M): how far the estimate may be from the one of infinitely many imputations."""
        return float(np.sqrt(self.between / self.n))


def combined(contrast: str, estimates: Numbers, variances: Numbers, df_complete: float) -> tuple[Effect, Spread]:
    """Estimates of one contrast from M ≥ 2 imputed data sets, combined.

    With λ = (1 + 1/M)·B/T, the degrees of freedom are 1/(1/ν_m + 1/ν_o) with ν_m = (M - 1)/λ² and ν_o =
    (1 - λ)·ν·(ν + 1)/(ν + 3), where ν are those of the complete data. With B = 0 nothing is combined and they are ν.

    Args:
        estimates: one for each data set.
        variances: their squared standard errors.

    Source: [rubin1987], [barnard1999].
    """
    n = len(estimates)
    if n < 2:
        raise InvalidInput(f"{n} imputed data sets have no spread; make at least two, better a hundred.")
    between = float(np.var(estimates, ddof=1)) if np.ptp(estimates) > 0.0 else 0.0
    spread = Spread(n=n, within=float(variances.mean()), between=between)
    df = df_complete
    if between > 0.0:
        share = spread.fraction_missing
        of_complete = df_complete if np.isinf(df_complete) else df_complete * (df_complete + 1.0) / (df_complete + 3.0)
        df = 1.0 / (share**2 / (n - 1) + 1.0 / ((1.0 - share) * of_complete))
    effect = Effect(contrast=contrast, estimate=float(estimates.mean()), se=float(np.sqrt(spread.total)), df=df)
    return effect, spread
