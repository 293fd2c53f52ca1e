"""The level of every test of a plan: how often it says that something differs where nothing does.

Source: docs/theory/levels.md.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import sqrt
from typing import Final, final

from sevenfold.analysis.effect import Status
from sevenfold.analysis.proportion import clopper_pearson
from sevenfold.analysis.trial.answering import answer
from sevenfold.analysis.trial.estimates import Answer
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.protocol import Protocol

__all__ = ["ALPHA", "Level", "Verdict", "levels"]

ALPHA: Final = 0.05
_CERTAIN: Final = 0.999  # of twenty tests that hold, one is falsely said to exceed in about one run of a hundred
_NO_EFFECT: Final = {"ratio": 1.0, "hazard ratio": 1.0, "win ratio": 1.0}


class Verdict(Enum):
    """What the simulated trials say of a test's level of 5 %."""

    HOLDS = "holds"
    CONSERVATIVE = "conservative"
    EXCEEDS = "exceeds"
    NONE = "no test"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one analysis of the plan did in trials without an effect.

    Args:
        n_trials: simulated.
        n_rejected: of them, those in which it found a difference at 5 %, two-sided.
        failures: status -> trials without an answer; they count as not rejected, and are told.
        accounts: note on how a fit was reached (which covariance structure) -> trials.
    """

    estimand: str
    label: str
    method: str
    n_trials: int
    n_rejected: int
    failures: Mapping[str, int]
    accounts: Mapping[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of trials rejected: the level of the whole procedure, failures and all."""
        return self.n_rejected / self.n_trials

    @property
    def monte_carlo_error(self) -> float:
        """Standard error of the share."""
        return sqrt(max(self.share * (1.0 - self.share), 0.25 / self.n_trials) / self.n_trials)

    @property
    def interval(self) -> tuple[float, float]:
        """99.9 % Clopper-Pearson interval of the level."""
        found = clopper_pearson(self.n_rejected, self.n_trials, _CERTAIN).interval
        return found.lower, found.upper

    @property
    def verdict(self) -> Verdict:
        """Exceeds or conservative where the whole 99.9 % interval lies on one side of 5 %."""
        if sum(self.failures.values()) == self.n_trials:
            return Verdict.NONE
        lower, upper = self.interval
        return Verdict.EXCEEDS if lower > ALPHA else Verdict.CONSERVATIVE if upper < ALPHA else Verdict.HOLDS


@final
@dataclass(slots=True)
class _Tally:
    n_rejected: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)


def levels(
    protocol: Protocol,
    trials: Iterator[Cohort],
    n_trials: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> tuple[Level, ...]:
    """Every analysis of the plan, answered in every trial by the code that answers it in a real one.

    Args:
        trials: without an effect.
        seed: of resamples and re-randomisations.
    """
    tallies = [_Tally() for _ in protocol.analyses]
    for number in range(n_trials):
        trial = next(trials)
        for planned, tally in zip(protocol.analyses, tallies, strict=True):
            found = answer(planned, trial, protocol, seed)
            rejects = _rejects(found)
            if rejects is None:
                tally.failures[found.status.value if found.status is not Status.OK else "no test"] += 1
            else:
                tally.n_rejected += rejects
            tally.accounts.update(_structure(found))
        progress(number + 1, n_trials)
    return tuple(
        Level(
            estimand=planned.estimand,
            label=protocol.estimand(planned.estimand).label,
            method=planned.method.value,
            n_trials=n_trials,
            n_rejected=tally.n_rejected,
            failures=dict(sorted(tally.failures.items())),
            accounts=dict(tally.accounts.most_common()),
        )
        for planned, tally in zip(protocol.analyses, tallies, strict=True)
    )


def _rejects(found: Answer) -> bool | None:
    """By the p-value; by the interval where there is no p-value; None where there is neither."""
    if found.p_value is not None:
        return found.p_value <= ALPHA
    if found.status is Status.OK and found.lower is not None and found.upper is not None:
        return not found.lower <= _NO_EFFECT.get(found.scale, 0.0) <= found.upper
    return None


def _structure(found: Answer) -> list[str]:
    """The covariance structure with which a repeated-measures model was fitted, of those tried."""
    tried = [note.removeprefix("Tried: ").rstrip(".") for note in found.notes if note.startswith("Tried: ")]
    return [tried[-1].partition(",")[0]] if tried and found.status is Status.OK else []
