"""Batches of repeated measures: what threads and neighbours may change (nothing), what is refused, what is counted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sevenfold.analysis.batch.ending import CODE
from sevenfold.analysis.batch.kernel.run import runner
from sevenfold.analysis.batch.mmrm import MmrmBatch, Questions, mmrm_batch
from sevenfold.analysis.batch.repeated import RepeatedTrials
from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm import (
    PRESPECIFIED,
    Covariate,
    Factor,
    KenwardRoger,
    Mmrm,
    Satterthwaite,
    Toeplitz,
)
from sevenfold.errors import InvalidDesign, InvalidInput

Array = NDArray[np.float64]

ARMS = ("placebo", "il7")


def batch(n_trials: int = 40, n_subjects: int = 14, n_visits: int = 4, *, order: slice = slice(None)) -> RepeatedTrials:
    """Small trials with dropout, of which some fail."""
    rng = np.random.default_rng(81)
    response = rng.normal(size=(n_trials, n_subjects, 1)) + rng.normal(size=(n_trials, n_subjects, n_visits))
    last = rng.integers(1, n_visits + 3, size=(n_trials, n_subjects))
    response[np.arange(n_visits) >= last[:, :, None]] = np.nan
    arm = np.tile(np.arange(n_subjects) % 2, (n_trials, 1))
    return RepeatedTrials.of(response[order], arm=arm[order], arms=ARMS, visits=tuple(f"v{v}" for v in range(n_visits)))


def asked(trials: RepeatedTrials) -> Questions:
    """The last visit."""
    return Questions(contrasts={"last": trials.difference("il7", "placebo", trials.visits[-1])})


def numbers(found: MmrmBatch) -> Array:
    """All there is of the first contrast."""
    effect = found.effects[0]
    return np.stack([effect.status.astype(np.float64), effect.estimate, effect.se, effect.df])


def test_the_answer_does_not_depend_on_threads_to_the_last_bit() -> None:
    """Every trial is computed by itself."""
    trials = batch()
    one, two = (numbers(mmrm_batch(trials, asked(trials), PRESPECIFIED, n_threads=n)) for n in (1, 2))
    assert np.array_equal(one, two, equal_nan=True)


def test_a_trial_does_not_depend_on_its_neighbours_to_the_last_bit() -> None:
    """The batch backwards, and every third trial of it."""
    whole = numbers(mmrm_batch(batch(), asked(batch())))
    for order in (slice(None, None, -1), slice(1, None, 3)):
        trials = batch(order=order)
        assert np.array_equal(numbers(mmrm_batch(trials, asked(trials))), whole[:, order], equal_nan=True)


def test_no_failed_fit_is_averaged_away() -> None:
    """All trials are counted; a failed one has no number, does not reject, and makes a heedless mean nan."""
    trials = batch()
    effect = mmrm_batch(trials, asked(trials)).effect("last")
    n_failed = int((~effect.is_ok).sum())
    assert 0 < n_failed < trials.n_trials
    assert sum(effect.n_by_status.values()) == trials.n_trials
    assert effect.n_by_status[Status.OK] == trials.n_trials - n_failed
    assert np.isnan(effect.estimate.mean())
    assert np.isnan(effect.p_value).sum() == n_failed
    assert effect.rejects(0.999).sum() <= trials.n_trials - n_failed
    assert effect.rejects().shape == (trials.n_trials,)


def test_the_plan_is_followed_trial_by_trial() -> None:
    """A trial goes on to the next structure exactly where the one before failed, and is reported once."""
    trials = batch()
    found = mmrm_batch(trials, asked(trials), PRESPECIFIED)
    is_ok = found.tried == CODE[Status.OK]
    for place in range(1, len(PRESPECIFIED)):
        was_tried = found.tried[place] >= 0
        assert np.array_equal(was_tried, (found.tried[place - 1] >= 0) & ~is_ok[place - 1])
        alone = mmrm_batch(trials, asked(trials), PRESPECIFIED[place : place + 1])
        assert np.array_equal(found.tried[place][was_tried], alone.status[was_tried])
        is_reported = found.attempt == place
        assert np.array_equal(numbers(found)[:, is_reported], numbers(alone)[:, is_reported], equal_nan=True)
    assert len(set(found.attempt.tolist())) > 1


def test_complete_data_have_the_t_test_of_the_last_visit() -> None:
    """Closed form: unstructured and saturated, a visit's difference is that of its means on n - 2 df, either way."""
    rng = np.random.default_rng(82)
    response = rng.normal(size=(5, 12, 3))
    arm = np.tile(np.arange(12) % 2, (5, 1))
    trials = RepeatedTrials.of(response, arm=arm, arms=ARMS, visits=("a", "b", "c"))
    a, b = response[:, 1::2, 2], response[:, ::2, 2]
    pooled = np.sqrt((a.var(axis=1, ddof=1) + b.var(axis=1, ddof=1)) / 2.0 * (1 / 6 + 1 / 6))
    for freedom in (KenwardRoger(), Satterthwaite()):
        effect = mmrm_batch(trials, asked(trials), (Mmrm(freedom=freedom),)).effect("last")
        assert effect.estimate == pytest.approx(a.mean(axis=1) - b.mean(axis=1), rel=1e-9)
        assert effect.se == pytest.approx(pooled, rel=1e-9)
        assert effect.df == pytest.approx(np.full(5, 10.0), rel=1e-9)


def test_one_trial_of_a_batch_reads_as_an_effect() -> None:
    """Interval and p-value by the same functions; a failed one refuses."""
    trials = batch()
    effect = mmrm_batch(trials, asked(trials)).effect("last")
    good, bad = int(np.flatnonzero(effect.is_ok)[0]), int(np.flatnonzero(~effect.is_ok)[0])
    one = effect.of(good)
    lower, upper = effect.interval(0.9)
    assert one.p_value == effect.p_value[good]
    assert one.interval(0.9) == (lower[good], upper[good])
    with pytest.raises(ValueError, match="not asked for"):
        mmrm_batch(trials, asked(trials)).effect("first")
    with pytest.raises(Exception, match=f"Trial {bad} has no estimate"):
        effect.of(bad)


def test_the_compiled_function_is_made_once() -> None:
    """Later calls start at once."""
    assert runner() is runner()


def test_wrong_arrays_are_refused_at_the_door() -> None:
    """Each message says what was found."""
    y, arm = np.zeros((2, 6, 3)), np.zeros((2, 6), dtype=np.int64)
    visits = ("a", "b", "c")
    with pytest.raises(InvalidInput, match="2 visits"):
        RepeatedTrials.of(y, arm=arm, arms=ARMS, visits=("a", "b"))
    with pytest.raises(InvalidInput, match="arm has the shape"):
        RepeatedTrials.of(y, arm=arm[:1], arms=ARMS, visits=visits)
    with pytest.raises(InvalidInput, match="arm must index"):
        RepeatedTrials.of(y, arm=arm + 2, arms=ARMS, visits=visits)
    with pytest.raises(InvalidDesign, match="two arms"):
        RepeatedTrials.of(y, arm=arm, arms=("il7",), visits=visits)
    with pytest.raises(InvalidInput, match="infinite"):
        RepeatedTrials.of(y + np.inf, arm=arm, arms=ARMS, visits=visits)
    with pytest.raises(InvalidInput, match="'baseline' has the shape"):
        RepeatedTrials.of(y, arm=arm, arms=ARMS, visits=visits, covariates=[Covariate(name="baseline", values=arm[0])])
    with pytest.raises(InvalidInput, match="'site' must index"):
        RepeatedTrials.of(
            y, arm=arm, arms=ARMS, visits=visits, covariates=[Factor(name="site", values=arm + 1, levels=("x",))]
        )


def test_wrong_questions_are_refused_at_the_door() -> None:
    """Rows that do not fit, rows that compare nothing, no attempts, a structure that one visit cannot carry."""
    trials = batch(n_trials=2)
    row = trials.difference("il7", "placebo")
    with pytest.raises(InvalidInput, match="8 columns"):
        mmrm_batch(trials, Questions(contrasts={"short": row[1:]}))
    with pytest.raises(InvalidInput, match="compares nothing"):
        mmrm_batch(trials, Questions(joint={"none": 0.0 * row}))
    with pytest.raises(InvalidInput, match="one row"):
        mmrm_batch(trials, Questions(contrasts={"two": np.stack([row, row])}))
    with pytest.raises(InvalidInput, match="no arm 'il15'"):
        trials.difference("il15", "placebo")
    with pytest.raises(InvalidDesign, match="no attempts"):
        mmrm_batch(trials, asked(trials), ())
    single = RepeatedTrials.of(np.zeros((1, 6, 1)), arm=np.zeros((1, 6), dtype=int), arms=ARMS, visits=("a",))
    with pytest.raises(InvalidDesign, match="two visits"):
        mmrm_batch(single, asked(single), (Mmrm(covariance=Toeplitz(is_heterogeneous=True)),))
