"""Bang's blinding index: what patients of one arm, or those who treat them, guess about their treatment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, SupportsIndex, final

import numpy as np
from scipy.special import ndtri

from sevenfold.analysis.answer import Interval, checked_level
from sevenfold.analysis.column import count
from sevenfold.errors import InvalidInput

__all__ = ["CORRECT_WRONG_UNSURE", "FIVE_ANSWERS", "BlindingIndex", "bang"]

CORRECT_WRONG_UNSURE: Final[Mapping[str, float]] = {"correct": 1.0, "wrong": -1.0, "unsure": 0.0}
FIVE_ANSWERS: Final[Mapping[str, float]] = {
    "strongly correct": 1.0,
    "somewhat correct": 0.5,
    "somewhat wrong": -0.5,
    "strongly wrong": -1.0,
    "unsure": 0.0,
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BlindingIndex:
    """The share of one arm that guessed right beyond chance.

    1 is complete unblinding, 0 what blinding should give, -1 everybody wrong.

    Args:
        se: 0 where all answers are alike, and then the interval says too little.
    """

    arm: str
    n: int
    estimate: float
    se: float
    interval: Interval


def bang(
    answers: Mapping[str, SupportsIndex],
    arm: str,
    *,
    weights: Mapping[str, float] = CORRECT_WRONG_UNSURE,
    level: float = 0.95,
) -> BlindingIndex:
    """Bang's index of one arm, with its normal interval.

    BI = Σ w_k p_k and Var = (Σ w_k² p_k - BI²)/n, with p_k the share giving answer k and w_k its weight (1 correct,
    -1 wrong, 0 unsure): for three answers, (correct - wrong)/n. The limits are cut to -1..1.

    Args:
        answers: how many gave each answer.
        weights: of the answers, each in -1..1.

    Source: [bang2004]; docs/theory/blinding-index.md.
    """
    wrong: Sequence[str] = [name for name, weight in weights.items() if not -1.0 <= weight <= 1.0]
    if wrong:
        raise InvalidInput(f"The weights of {', '.join(wrong)} lie outside -1..1.")
    unknown = sorted(set(answers) - set(weights))
    if unknown:
        raise InvalidInput(f"No weight is stated for {', '.join(unknown)}; the answers are {', '.join(weights)}.")
    n_of = {name: count(f'answers "{name}"', number) for name, number in answers.items()}
    n = sum(n_of.values())
    if n == 0:
        raise InvalidInput(f'Nobody in arm "{arm}" answered; the index needs at least one guess.')
    estimate = sum(weights[name] * number for name, number in n_of.items()) / n
    squared = sum(weights[name] ** 2 * number for name, number in n_of.items()) / n
    se = float(np.sqrt(max(squared - estimate**2, 0.0) / n))
    half = float(ndtri(0.5 + checked_level(level) / 2.0)) * se
    interval = Interval(
        lower=max(estimate - half, -1.0),
        upper=min(estimate + half, 1.0),
        level=level,
        method="normal, multinomial variance",
        is_exact=False,
    )
    return BlindingIndex(arm=arm, n=n, estimate=estimate, se=se, interval=interval)
