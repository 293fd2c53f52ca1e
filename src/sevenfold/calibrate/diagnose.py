"""Whether chains have mixed: R-hat between independent runs, and how many independent draws theirs are worth."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["Diagnosis", "diagnose", "effective_size", "nested_r_hat"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One parameter's.

    Args:
        r_hat: the larger of the rank-normalised and the folded one.
        ess_bulk: of rank-normalised draws.
        ess_tail: the smaller of those of the 5 % and 95 % quantiles.
    """

    r_hat: float
    ess_bulk: float
    ess_tail: float


def diagnose(draws: Floats) -> Diagnosis:
    """Diagnose one parameter.

    Args:
        draws: (sweep, run, chain); chains of a run share what its tempering gave them, so R-hat compares runs.

    Source: [vehtari2021] for rank normalisation, folding and tails; [margossian2024] for many short chains in groups.
    """
    folded = np.abs(draws - np.median(draws))
    low, high = np.quantile(draws, [0.05, 0.95])
    chains = draws.reshape(len(draws), -1)
    return Diagnosis(
        r_hat=max(nested_r_hat(_ranked(draws)), nested_r_hat(_ranked(folded))),
        ess_bulk=effective_size(_ranked(chains)),
        ess_tail=min(effective_size((chains <= bound).astype(np.float64)) for bound in (low, high)),
    )


def nested_r_hat(draws: Floats) -> float:
    """√(1 + B/W): B the variance of the runs' means, W the mean variance within runs. (sweep, run, chain)"""
    within = draws.transpose(1, 0, 2).reshape(draws.shape[1], -1)
    spread = float(within.var(axis=1, ddof=1).mean())
    return float(np.sqrt(1.0 + within.mean(axis=1).var(ddof=1) / spread)) if spread > 0.0 else 1.0


def effective_size(chains: Floats) -> float:
    """Effective number of draws of chains side by side, by their autocorrelation (Geyer's initial monotone sequence).

    Args:
        chains: (sweep, chain)

    Source: [vehtari2021], equations 10 to 13.
    """
    n, m = chains.shape
    centred = chains - chains.mean(axis=0)
    covariance = np.array([(centred[: n - lag] * centred[lag:]).sum(axis=0).mean() / n for lag in range(n)])
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (chains.mean(axis=0).var(ddof=1) if m > 1 else 0.0)
    if total <= 0.0:
        return float(n * m)
    correlation = 1.0 - (within - covariance) / total
    correlation[0] = 1.0
    pairs = correlation[0 : n - n % 2 : 2] + correlation[1::2][: n // 2]
    positive = np.cumprod(pairs > 0.0).astype(bool)
    falling = np.minimum.accumulate(np.where(positive, pairs, 0.0))
    length = max(-1.0 + 2.0 * float(falling.sum()), 1.0 / np.log10(max(n * m, 10)))
    return float(n * m / length)


def _ranked(draws: Floats) -> Floats:
    ranks = rankdata(draws).reshape(draws.shape)
    return np.asarray(ndtri((ranks - 0.375) / (draws.size + 0.25)))
