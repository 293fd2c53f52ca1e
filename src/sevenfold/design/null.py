"""Trials in which the product does nothing: virtual patients who all received placebo, randomised again and again.

Every arm's syringes hold the placebo. Its subjects are alike whatever their arm, so that any of them, put into arms by
the protocol's own permuted blocks, make a trial under the null hypothesis: exactly so, with the deaths, withdrawals and
missed visits that the virtual ICU has.

Source: docs/theory/levels.md.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sevenfold.analysis.trial.ranked import redraw_arms
from sevenfold.cohort.cohort import Cohort
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import ProtocolFile
from sevenfold.protocol.protocol import Protocol

__all__ = ["inert", "null_trials"]


def inert(file: ProtocolFile, n: int) -> ProtocolFile:
    """The same protocol for ``n`` subjects, with placebo in every syringe.

    Raises:
        InvalidInput: no arm is given placebo alone.
    """
    p = file.protocol
    plain = [arm for arm in p.arms if not any(p.products[one.product].is_active for one in arm.injections)]
    if not plain:
        raise InvalidInput(f"{p.name} has no arm on placebo alone, whose injections every subject could be given.")
    arms = tuple(arm.model_copy(update={"injections": plain[0].injections}) for arm in p.arms)
    population = p.population.model_copy(update={"planned": n})
    return replace(file, protocol=p.model_copy(update={"arms": arms, "population": population}))


def null_trials(pool: Cohort, protocol: Protocol, seed: int) -> Iterator[Cohort]:
    """Trials of the planned size without end: subjects of the pool without replacement, arms by the protocol's blocks.

    Args:
        pool: from a trial of the inert protocol.
        seed: decides all of them, each by its number.

    Raises:
        InvalidInput: the pool holds fewer than the protocol plans.
    """
    n = protocol.population.planned
    if pool.n_subjects < n:
        raise InvalidInput(f"A trial has {n} subjects and the pool {pool.n_subjects}; make a larger one.")
    arms = [arm.id for arm in protocol.arms]
    number = 0
    while True:
        rng = np.random.default_rng([seed, number])
        trial = pool.taken(rng.permutation(pool.n_subjects)[:n])
        drawn = redraw_arms(trial, protocol, rng)
        places = np.array([[arms.index(arm) for arm in drawn]], dtype=np.int64)
        yield replace(trial, assignment=replace(trial.revealed(), arm=places))
        number += 1
