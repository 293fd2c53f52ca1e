"""What a batch of trials is answered with: for each trial how its analysis ended and, where it ended well, numbers.

A trial without an answer holds nan in every column of numbers, so that no sum over the batch passes over it unseen: a
mean over all trials is nan until the caller has said which trials it is over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from sevenfold.analysis.column import Flags, Numbers, frozen
from sevenfold.analysis.effect import Effect, Status
from sevenfold.errors import InvalidInput, NotConverged

__all__ = ["CODE", "Codes", "EffectBatch", "TestBatch", "effect_of", "tally"]

Codes = NDArray[np.int8]

STATUSES: Final = tuple(Status)
CODE: Final[Mapping[Status, int]] = MappingProxyType({status: code for code, status in enumerate(STATUSES)})
"""A status as a number: its place among all; 0 is OK."""


def tally(status: Codes) -> Mapping[Status, int]:
    """How many trials ended in which way; only ways that occurred, the good one first."""
    counts = np.bincount(status, minlength=len(STATUSES))
    return MappingProxyType({STATUSES[code]: int(n) for code, n in enumerate(counts) if n})


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectBatch:
    """One contrast in every trial.

    Args:
        contrast: what is compared, in words.
        status: how each trial's analysis ended, as ``CODE`` has it  # (trial,).
        estimate, se, df: as in ``Effect``; nan where the status is not OK, and nowhere else  # (trial,).
    """

    contrast: str
    status: Codes
    estimate: Numbers
    se: Numbers
    df: Numbers

    def __post_init__(self) -> None:
        _checked(self.contrast, self.status, (self.estimate, self.se, self.df))

    @property
    def is_ok(self) -> Flags:
        """Which trials have an answer  # (trial,)."""
        return np.asarray(self.status == CODE[Status.OK])

    @property
    def n_by_status(self) -> Mapping[Status, int]:
        """How many trials ended in which way."""
        return tally(self.status)

    @property
    def statistic(self) -> Numbers:
        """Estimate over standard error  # (trial,)."""
        return self.estimate / self.se

    @property
    def p_value(self) -> Numbers:
        """Two-sided p-value against no difference  # (trial,)."""
        return np.asarray(2.0 * stdtr(self.df, -np.abs(self.statistic)), dtype=np.float64)

    def interval(self, level: float = 0.95) -> tuple[Numbers, Numbers]:
        """Limits of the two-sided confidence intervals  # (trial,) each."""
        half = stdtrit(self.df, 0.5 + level / 2.0) * self.se
        return self.estimate - half, self.estimate + half

    def rejects(self, level: float = 0.05) -> Flags:
        """Which trials reject no difference; one without an answer doesn't, and stays in the denominator."""
        return self.is_ok & (np.nan_to_num(self.p_value, nan=1.0) < level)

    def of(self, trial: int) -> Effect:
        """One trial's effect.

        Raises:
            NotConverged: the trial's analysis did not end well.
        """
        if not self.is_ok[trial]:
            raise NotConverged(f"Trial {trial} has no estimate ({STATUSES[self.status[trial]].value}).")
        return Effect(
            contrast=self.contrast,
            estimate=float(self.estimate[trial]),
            se=float(self.se[trial]),
            df=float(self.df[trial]),
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TestBatch:
    """One test of no difference in every trial.

    Args:
        name: as a report prints it.
        status: how each trial's analysis ended, as ``CODE`` has it  # (trial,).
        statistic, p_value: as in ``Test``; nan where the status is not OK, and nowhere else  # (trial,).
        df: (numerator) degrees of freedom of a χ² or F reference; nan where the reference is another  # (trial,).
        df_denominator: of an F reference, nan where the reference is another  # (trial,).
    """

    __test__ = False  # pytest collects classes of this name otherwise

    name: str
    status: Codes
    statistic: Numbers
    p_value: Numbers
    df: Numbers
    df_denominator: Numbers

    def __post_init__(self) -> None:
        _checked(self.name, self.status, (self.statistic, self.p_value))
        frozen(self.df)
        frozen(self.df_denominator)

    @property
    def is_ok(self) -> Flags:
        """Which trials have an answer  # (trial,)."""
        return np.asarray(self.status == CODE[Status.OK])

    @property
    def n_by_status(self) -> Mapping[Status, int]:
        """How many trials ended in which way."""
        return tally(self.status)

    def rejects(self, level: float = 0.05) -> Flags:
        """Which trials reject no difference; one without an answer doesn't, and stays in the denominator."""
        return self.is_ok & (np.nan_to_num(self.p_value, nan=1.0) < level)


def _checked(name: str, status: Codes, columns: tuple[Numbers, ...]) -> None:
    """Numbers exactly where the status is OK; no longer writable."""
    frozen(status)
    for column in columns:
        if not np.array_equal(np.isnan(column), status != CODE[Status.OK]):
            raise InvalidInput(f'"{name}" must have numbers in those trials that ended well, and in no others.')
        frozen(column)


def effect_of(effects: Sequence[EffectBatch], contrast: str) -> EffectBatch:
    """One contrast's answers, by its name.

    Raises:
        InvalidInput: it was not asked for.
    """
    for one in effects:
        if one.contrast == contrast:
            return one
    raise InvalidInput(f'"{contrast}" was not asked for; there are {", ".join(e.contrast for e in effects)}.')
