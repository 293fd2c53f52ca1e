"""The randomisation tests of a plan: what they attain of their level in trials without an effect."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, final

import numpy as np

from sevenfold.analysis.trial.adjusting import strata_of
from sevenfold.analysis.trial.ranked import redraws_of
from sevenfold.analysis.trial.response import responses
from sevenfold.cohort.cohort import Cohort
from sevenfold.design.attained import attained
from sevenfold.design.level import seed_of_trial
from sevenfold.protocol.plan import Method
from sevenfold.protocol.protocol import Protocol

__all__ = ["AttainedLevel", "attained_levels"]

_TRIALS: Final = 5  # four thousand re-randomisations each take seconds


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AttainedLevel:
    """Of one randomisation test, the mean over some trials.

    Args:
        level: that the test attains among the allocations that the scheme draws.
        with_next: with the next step of either tail.
    """

    estimand: str
    n_trials: int
    level: float
    with_next: float


def attained_levels(protocol: Protocol, trials: Iterator[Cohort], seed: int) -> tuple[AttainedLevel, ...]:
    """Each randomisation test of the plan in the first trials; none where the plan has no such test."""
    names = [one.estimand for one in protocol.analyses if one.method is Method.RANDOMISATION_TEST]
    some = list(islice(trials, _TRIALS)) if names else []
    told = []
    for name in names:
        estimand = protocol.estimand(name)
        levels = []
        for number, trial in enumerate(some):
            found = responses(estimand, trial, protocol)
            redraws = redraws_of(estimand, found, trial, protocol, seed_of_trial(seed, number))
            strata = strata_of(protocol.randomisation.strata, trial, found.place[found.is_used])
            one = attained(found.value[found.is_used], redraws, strata)
            levels.append((one.level, one.with_next))
        level, with_next = np.mean(levels, axis=0)
        told.append(AttainedLevel(estimand=name, n_trials=len(some), level=float(level), with_next=float(with_next)))
    return tuple(told)
