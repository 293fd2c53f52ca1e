"""The level of every test of a plan: how often it says that something differs where nothing does.

Source: docs/theory/levels.md.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import ceil, sqrt
from typing import Final, final

import numpy as np
from scipy.special import betaincinv

from sevenfold.analysis.effect import Status
from sevenfold.analysis.trial.answering import answer
from sevenfold.cohort.cohort import Cohort
from sevenfold.design.repeated_trials import repeated_in_trials
from sevenfold.design.said import ALPHA, Said, said
from sevenfold.protocol.plan import Analysis, Method
from sevenfold.protocol.protocol import Protocol

__all__ = ["ALPHA", "MARGIN", "Level", "Verdict", "levels", "seed_of_trial"]

MARGIN: Final = 0.02  # above 5 %: a level that surely lies below 7 % is said to hold
_CERTAIN: Final = 0.999  # of twenty tests that hold, one is falsely said to exceed in about one run of a hundred
_AT_ONCE: Final = 50  # trials that are fitted together
_MOST: Final = 10_000_000


class Verdict(Enum):
    """What the simulated trials say of a test's level of 5 %."""

    HOLDS = "holds"
    EXCEEDS = "exceeds"
    UNDECIDED = "undecided"
    NONE = "no test"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one analysis of the plan did in trials without an effect.

    Args:
        n_trials: simulated.
        n_rejected: of them, those in which it found a difference at 5 %, two-sided.
        failures: status -> trials without an answer; they count as not rejected, and are told.
        accounts: settings of the fit that was reached, of the plan's fallbacks -> trials.
        n_intervals: trials with an interval.
        n_covering: of them, those whose interval held no effect.
        sizes: subjects of either group that the answer rested on -> trials.
    """

    estimand: str
    label: str
    method: str
    n_trials: int
    n_rejected: int
    failures: Mapping[str, int]
    accounts: Mapping[str, int] = field(default_factory=dict)
    n_intervals: int = 0
    n_covering: int = 0
    sizes: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @property
    def n_answered(self) -> int:
        """Trials with an answer."""
        return self.n_trials - sum(self.failures.values())

    @property
    def share(self) -> float:
        """Of all trials rejected: the level of the whole procedure, failures and all."""
        return self.n_rejected / self.n_trials

    @property
    def share_answered(self) -> float | None:
        """Of the trials with an answer rejected: the level of an answer that is read."""
        return self.n_rejected / self.n_answered if self.n_answered else None

    @property
    def monte_carlo_error(self) -> float:
        """Standard error of the share of all trials."""
        return sqrt(max(self.share * (1.0 - self.share), 0.25 / self.n_trials) / self.n_trials)

    @property
    def interval(self) -> tuple[float, float]:
        """99.9 % Clopper-Pearson interval of the level over all trials."""
        return _interval(self.share, self.n_trials)

    @property
    def interval_answered(self) -> tuple[float, float] | None:
        """The same of the level among the trials with an answer."""
        share = self.share_answered
        return None if share is None else _interval(share, self.n_answered)

    @property
    def coverage(self) -> float | None:
        """Of the intervals those that held no effect."""
        return self.n_covering / self.n_intervals if self.n_intervals else None

    @property
    def verdict(self) -> Verdict:
        """The worse of two, over all trials and among the answered.

        It exceeds where the whole 99.9 % interval lies above 5 %, holds where it lies below 5 % and the margin, and is
        undecided between.
        """
        if not self.n_answered:
            return Verdict.NONE
        both = {_judged(self.n_rejected / n, n) for n in (self.n_trials, self.n_answered)}
        return next(one for one in (Verdict.EXCEEDS, Verdict.UNDECIDED, Verdict.HOLDS) if one in both)

    @property
    def is_conservative(self) -> bool:
        """Whether the whole interval lies below 5 %, over all trials and among the answered."""
        answered = self.interval_answered
        return answered is not None and max(self.interval[1], answered[1]) < ALPHA

    @property
    def n_more(self) -> int | None:
        """How many more trials would decide, were the shares to stay as they are; None where it is decided."""
        if self.verdict is not Verdict.UNDECIDED:
            return None
        answered = self.n_answered / self.n_trials
        low, high = self.n_trials, _MOST
        while low < high:  # the interval shrinks as trials are added, so that what is decided stays so
            n = (low + high) // 2
            ends = [_judged(s, k) for s, k in ((self.share, n), (self.share / answered, n * answered))]
            if Verdict.EXCEEDS in ends or Verdict.UNDECIDED not in ends:
                high = n
            else:
                low = n + 1
        return _rounded_up(low - self.n_trials)


@final
@dataclass(slots=True)
class _Tally:
    n_rejected: int = 0
    n_intervals: int = 0
    n_covering: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, one: Said) -> None:
        if one.rejects is None:
            self.failures[one.status.value if one.status is not Status.OK else "no test"] += 1
        else:
            self.n_rejected += one.rejects
            self.sizes[one.n_used] += 1
        if one.covers is not None:
            self.n_intervals += 1
            self.n_covering += one.covers
        if one.settings is not None:
            self.accounts[one.settings] += 1


def levels(
    protocol: Protocol,
    trials: Iterator[Cohort],
    n_trials: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> tuple[Level, ...]:
    """Every analysis of the plan, answered in every trial as in a real one.

    Args:
        trials: without an effect.
        seed: of the resamples, imputations and re-randomisations of the analyses, anew in each trial.
    """
    tallies = [_Tally() for _ in protocol.analyses]
    for start in range(0, n_trials, _AT_ONCE):
        some = {number: next(trials) for number in range(start, min(start + _AT_ONCE, n_trials))}
        alone = []
        for planned, tally in zip(protocol.analyses, tallies, strict=True):
            if planned.method is Method.REPEATED_MEASURES:
                for one in repeated_in_trials(planned, list(some.values()), protocol):
                    tally.add(one)
            else:
                alone.append((planned, tally))
        for number, trial in some.items():
            for planned, tally in alone:
                tally.add(said(answer(planned, trial, protocol, seed_of_trial(seed, number))))
            progress(number + 1, n_trials)
    return tuple(
        _level(planned, protocol, tally, n_trials) for planned, tally in zip(protocol.analyses, tallies, strict=True)
    )


def seed_of_trial(seed: int, number: int) -> int:
    """The seed of one trial's analyses: none of another trial's, nor of the draws that made the trial."""
    return int(np.random.SeedSequence([seed, number, 1]).generate_state(1, np.uint32)[0])


def _level(planned: Analysis, protocol: Protocol, tally: _Tally, n_trials: int) -> Level:
    return Level(
        estimand=planned.estimand,
        label=protocol.estimand(planned.estimand).label,
        method=planned.method.value,
        n_trials=n_trials,
        n_rejected=tally.n_rejected,
        failures=dict(sorted(tally.failures.items())),
        accounts=dict(tally.accounts.most_common()),
        n_intervals=tally.n_intervals,
        n_covering=tally.n_covering,
        sizes=dict(tally.sizes.most_common()),
    )


def _interval(share: float, n: float) -> tuple[float, float]:
    """Clopper and Pearson's, also of numbers of trials that are not whole."""
    k, tail = share * n, (1.0 - _CERTAIN) / 2.0
    lower = 0.0 if share == 0.0 else float(betaincinv(k, n - k + 1.0, tail))
    upper = 1.0 if share == 1.0 else float(betaincinv(k + 1.0, n - k, 1.0 - tail))
    return lower, upper


def _judged(share: float, n: float) -> Verdict:
    lower, upper = _interval(share, n)
    if lower > ALPHA:
        return Verdict.EXCEEDS
    return Verdict.HOLDS if upper < ALPHA + MARGIN else Verdict.UNDECIDED


def _rounded_up(n: int) -> int:
    """To two digits: what is told is of an order of size."""
    step = int(10 ** max(len(str(n)) - 2, 0))
    return ceil(n / step) * step
