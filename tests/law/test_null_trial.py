"""Null, whole: trials whose arms do not differ, from the record to the p-value that a report would print.

Two ways to have no effect. *Relabelled*: a rehearsed trial whose arms are drawn anew after the event, so that the label
says nothing about anybody. *Inert*: virtual patients all given placebo under the arms' names, screened, treated,
recorded and unblinded like any; a trial is some of them with arms drawn by lot. Each cohort goes through ``answer``.

The bound is four Monte Carlo standard errors of the share rejected, √(α(1-α)/n), around α for tests that claim to have
their level, and above α for the exact test, which promises not to exceed it.
"""

import dataclasses
from collections.abc import Iterator
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rehearsals import Rehearsed, rehearsed
from sevenfold.analysis.trial.answering import answer
from sevenfold.cohort.cohort import Cohort
from sevenfold.design.null import inert
from sevenfold.protocol.load import load
from sevenfold.protocol.protocol import Protocol

LEVEL = 0.05
ARMS = {"iris-7": np.repeat([0, 1, 2], 9), "iris-7c": np.repeat([0, 1], [30, 10])}  # as planned, blocks aside


def drawn(pool: Cohort, arms: NDArray[np.int64], seed: int) -> Iterator[Cohort]:
    """Trials without end: subjects of the pool without replacement, arms by lot."""
    rng = np.random.default_rng(seed)
    while True:
        keep, by_lot = rng.permutation(pool.n_subjects)[: len(arms)], rng.permutation(arms)
        trial = pool.taken(keep)
        yield dataclasses.replace(trial, assignment=dataclasses.replace(trial.revealed(), arm=by_lot[None, :]))


def share_rejected(protocol: Protocol, name: str, trials: Iterator[Cohort], n: int) -> float:
    """How often an analysis of the plan rejects at the level; one that gives no p-value does not reject."""
    planned = next(analysis for analysis in protocol.analyses if analysis.estimand == name)
    p_values = [answer(planned, next(trials), protocol, 1).p_value for _ in range(n)]
    return sum(p is not None and p <= LEVEL for p in p_values) / n


def margin(n: int) -> float:
    """Four Monte Carlo standard errors of a share of the level."""
    return 4.0 * sqrt(LEVEL * (1.0 - LEVEL) / n)


def test_relabelled_trials_are_rejected_as_often_as_the_primary_analysis_says(whole_trial: Rehearsed) -> None:
    trials = drawn(whole_trial.cohort, ARMS["iris-7"], seed=1)
    assert abs(share_rejected(whole_trial.file.protocol, "alc-29", trials, 1000) - LEVEL) < margin(1000)


def test_relabelled_trials_are_not_rejected_more_often_by_the_exact_test(whole_trial: Rehearsed) -> None:
    trials = drawn(whole_trial.cohort, ARMS["iris-7"], seed=2)
    assert share_rejected(whole_trial.file.protocol, "alc-response", trials, 300) < LEVEL + margin(300)


def test_relabelled_trials_and_the_repeated_measures_model(whole_trial: Rehearsed) -> None:
    """A few, with the simplest covariance: a level of one half would pass in 6 of 1000. The slow test sees more."""
    protocol = whole_trial.file.protocol
    planned = next(analysis for analysis in protocol.analyses if analysis.estimand == "alc-29-had-they-lived")
    simple = planned.model_copy(update={"fallback": ("compound symmetry",)})
    trials = drawn(whole_trial.cohort, ARMS["iris-7"], seed=3)
    found = [answer(simple, next(trials), protocol, 1).p_value for _ in range(20)]
    assert sum(p is not None and p <= LEVEL for p in found) / 20 < LEVEL + margin(20)


def test_a_trial_that_does_differ_is_seen(whole_trial: Rehearsed) -> None:
    """What keeps the laws above from being empty: counts of one group times two are found in most trials."""
    pool, protocol = whole_trial.cohort, whole_trial.file.protocol
    visits = np.array([visit.day > 1 for visit in protocol.schedule.visits])

    def differing() -> Iterator[Cohort]:
        for trial in drawn(pool, ARMS["iris-7"], seed=4):
            doubled = trial.values["alc"].copy()
            is_placebo = trial.revealed().arm[0] == trial.revealed().arms.index("placebo")
            doubled[:, np.ix_(~is_placebo, visits)[0][:, 0], :] *= np.where(visits, 2.0, 1.0)
            yield dataclasses.replace(trial, values={**trial.values, "alc": doubled})

    assert share_rejected(protocol, "alc-29", differing(), 100) > 0.8


def placebo_pool(name: str, n: int, folder: Path) -> Rehearsed:
    """A trial of ``n`` subjects in which every arm's syringes hold placebo, from screening to unblinding."""
    return rehearsed(inert(load(name), n), folder, seed=5)


@pytest.mark.slow
def test_an_inert_drug_in_iris_7(tmp_path: Path) -> None:
    """Levels as printed; that of an incidence by a day is approximate: up to 0.10 at this size."""
    pool, protocol = placebo_pool("iris-7", 120, tmp_path).cohort, load("iris-7").protocol
    for name, n in (("alc-29", 2000), ("cd8-29", 1000), ("sofa-8", 1000), ("alc-29-had-they-lived", 100)):
        share = share_rejected(protocol, name, drawn(pool, ARMS["iris-7"], seed=6), n)
        assert abs(share - LEVEL) < margin(n), f"{name}: {share}"
    for name, n in (("alc-response", 1000), ("death-28", 500), ("time-above-1200", 1000)):
        share = share_rejected(protocol, name, drawn(pool, ARMS["iris-7"], seed=7), n)
        assert share < LEVEL + margin(n), f"{name}: {share}"
    assert share_rejected(protocol, "infection-90", drawn(pool, ARMS["iris-7"], seed=8), 1000) < 0.10 + margin(1000)


@pytest.mark.slow
def test_an_inert_drug_in_iris_7c(tmp_path: Path) -> None:
    """Its primary analysis is exact; three to one."""
    pool, protocol = placebo_pool("iris-7c", 100, tmp_path).cohort, load("iris-7c").protocol
    share = share_rejected(protocol, "alc-response", drawn(pool, ARMS["iris-7c"], seed=9), 300)
    assert share < LEVEL + margin(300)
    share = share_rejected(protocol, "alc-rise", drawn(pool, ARMS["iris-7c"], seed=10), 1000)
    assert abs(share - LEVEL) < margin(1000)
