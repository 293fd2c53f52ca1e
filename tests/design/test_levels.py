"""Levels of a plan's tests: counting, verdicts, the null trials behind them, and the exact test over its nuisance."""

import json
from dataclasses import replace
from itertools import islice
from math import ceil, comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsals import Rehearsed
from sevenfold.analysis.effect import Status
from sevenfold.analysis.exact_test import boschloo, fisher
from sevenfold.analysis.trial.answering import answer
from sevenfold.analysis.trial.estimates import Answer
from sevenfold.analysis.two_binomials import Table
from sevenfold.cli import levels as levels_command
from sevenfold.cli import main
from sevenfold.cohort.cohort import Cohort
from sevenfold.design import level as level_module
from sevenfold.design.exact_level import exact_level
from sevenfold.design.level import Level, Verdict, levels, seed_of_trial
from sevenfold.design.null import inert, null_trials
from sevenfold.design.repeated_trials import repeated_in_trials
from sevenfold.design.said import said
from sevenfold.design.shipped import check_primary, shipped_levels
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import load
from sevenfold.protocol.plan import Analysis, Method
from sevenfold.protocol.protocol import Protocol


def _small(protocol: Protocol, *estimands: str) -> Protocol:
    chosen = tuple(one for one in protocol.analyses if one.estimand in estimands)
    return protocol.model_copy(update={"analyses": chosen})


def _level(n_rejected: int, n: int = 1000, failures: dict[str, int] | None = None) -> Level:
    return Level(estimand="e", label="E", method="m", n_trials=n, n_rejected=n_rejected, failures=failures or {})


@pytest.mark.parametrize(
    ("n_rejected", "verdict"),
    [(44, Verdict.HOLDS), (25, Verdict.HOLDS), (50, Verdict.UNDECIDED), (70, Verdict.UNDECIDED), (80, Verdict.EXCEEDS)],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(n_rejected: int, verdict: Verdict) -> None:
    """Of 1000 trials: 3.3 standard errors of 0.7 % from 5 % upwards, or from 7 % downwards."""
    assert _level(n_rejected).verdict is verdict
    assert _level(n_rejected).is_conservative == (n_rejected == 25)


@pytest.mark.parametrize("n_rejected", [50, 60, 70])
def test_as_many_more_trials_as_are_told_decide(n_rejected: int) -> None:
    """The same share of so many more trials is decided, and of four fifths as many is not: two digits are told. Both
    are taken to hundreds, of which these shares are whole numbers of trials.
    """
    level = _level(n_rejected)
    assert level.n_more is not None
    enough, short = 1000 + ceil(level.n_more / 100) * 100, 1000 + 4 * level.n_more // 500 * 100
    assert _level(round(level.share * enough), enough).verdict is not Verdict.UNDECIDED
    assert _level(round(level.share * short), short).verdict is Verdict.UNDECIDED
    assert _level(25).n_more is None


def test_failures_count_as_not_rejected_and_are_told() -> None:
    level = _level(30, failures={"not converged": 400})
    assert level.share == 0.03
    assert level.share_answered == 0.05
    assert _level(0, failures={"not converged": 1000}).verdict is Verdict.NONE


def test_failures_do_not_hide_that_the_answered_exceed() -> None:
    """5 % of all trials, but one in ten of those with an answer."""
    assert _level(100, n=2000).verdict is Verdict.HOLDS
    assert _level(100, n=2000, failures={"not converged": 1000}).verdict is Verdict.EXCEEDS


def test_every_trial_has_a_seed_of_its_own() -> None:
    """For the resamples of its analyses, and not the one that drew its subjects."""
    seeds = [seed_of_trial(1, number) for number in range(2000)]
    assert len(set(seeds)) == len(seeds)
    assert seed_of_trial(2, 0) not in seeds
    drawn = np.random.default_rng([1, 5]).permutation(400)
    assert not np.array_equal(drawn, np.random.default_rng(seed_of_trial(1, 5)).permutation(400))


def test_a_bootstrap_differs_between_the_null_trials(whole_trial: Rehearsed) -> None:
    """The survivors' bounds of one trial put into the loop twice: with one seed for all both would be alike."""
    protocol = _small(whole_trial.file.protocol, "alc-29-survivors")
    seen = []

    def asked(planned: Analysis, trial: Cohort, protocol: Protocol, seed: int) -> Answer:
        seen.append(answer(planned, trial, protocol, seed))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(level_module, "answer", asked)
        levels(protocol, iter([whole_trial.cohort] * 2), 2, 1)
    first, second = seen
    assert first.status is second.status is Status.OK
    assert first.bounds == second.bounds
    assert first.lower != second.lower


def test_batches_of_repeated_measures_say_what_one_at_a_time_says(whole_trial: Rehearsed) -> None:
    """To 1e-9, where the fits end alike in the order of summation: p-value, interval, status, the fit reported."""
    small = whole_trial.file.protocol
    population = small.population.model_copy(update={"planned": 20})
    protocol = small.model_copy(update={"population": population})
    planned = next(one for one in protocol.analyses if one.method is Method.REPEATED_MEASURES)
    trials = list(islice(null_trials(whole_trial.cohort, protocol, 4), 12))
    found = repeated_in_trials(planned, trials, protocol)
    answered = 0
    for batched, trial in zip(found, trials, strict=True):
        alone = said(answer(planned, trial, protocol, 1))
        assert (batched.status, batched.settings, batched.n_used) == (alone.status, alone.settings, alone.n_used)
        if alone.p_value is not None:
            assert batched.p_value == pytest.approx(alone.p_value, abs=1e-9)
            assert batched.lower == pytest.approx(alone.lower, rel=1e-9)
            assert batched.upper == pytest.approx(alone.upper, rel=1e-9)
            answered += 1
    assert answered > 6


def test_attempts_are_told_as_data_and_in_words(whole_trial: Rehearsed) -> None:
    """What stands in the answer is what its notes say; other methods have no attempts."""
    protocol = whole_trial.file.protocol
    planned = next(one for one in protocol.analyses if one.method is Method.REPEATED_MEASURES)
    found = answer(planned, whole_trial.cohort, protocol, 1)
    assert [one.status for one in found.attempts][-1] is Status.OK
    assert any(note.startswith(f"Tried: {found.attempts[-1].settings}") for note in found.notes)
    assert answer(protocol.analyses[0], whole_trial.cohort, protocol, 1).attempts == ()


def test_null_trials_keep_the_planned_size_the_blocks_and_their_own_fate(whole_trial: Rehearsed) -> None:
    """The same number gives the same trial whatever was drawn before; each stratum's arms differ by a block at most."""
    protocol = whole_trial.file.protocol.model_copy(
        update={"population": whole_trial.file.protocol.population.model_copy(update={"planned": 12})}
    )
    first, second = (list(islice(null_trials(whole_trial.cohort, protocol, 3), 4)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.n_subjects == 12
        assert [s.subject for s in one.subjects] == [s.subject for s in other.subjects]
        np.testing.assert_array_equal(one.revealed().arm, other.revealed().arm)
        countries = np.array([s.country for s in one.subjects])
        for country in set(countries.tolist()):
            counts = np.bincount(one.revealed().arm[0][countries == country], minlength=3)
            assert counts.max() - counts.min() <= 2, "blocks of three or six"


def test_subjects_keep_everything_they_had(whole_trial: Rehearsed) -> None:
    pool = whole_trial.cohort
    who = np.array([4, 0, 9])
    taken = pool.taken(who)
    assert [s.subject for s in taken.subjects] == [pool.subjects[i].subject for i in who]
    for name, values in taken.values.items():
        np.testing.assert_array_equal(values, pool.values[name][:, who])
    np.testing.assert_array_equal(taken.death_day, pool.death_day[:, who])


def test_a_level_is_the_share_of_trials_rejected(whole_trial: Rehearsed) -> None:
    """Two ways: the loop written out. Relabelled subjects of one trial, so nothing differs but by chance."""
    protocol = _small(whole_trial.file.protocol, "alc-29", "sofa-8")
    found = levels(protocol, null_trials(whole_trial.cohort, protocol, 1), 40, 1)
    trials = list(islice(null_trials(whole_trial.cohort, protocol, 1), 40))
    for level, planned in zip(found, protocol.analyses, strict=True):
        p_values = [answer(planned, trial, protocol, 1).p_value for trial in trials]
        assert level.n_rejected == sum(p is not None and p <= 0.05 for p in p_values)
        assert sum(level.failures.values()) == sum(p is None for p in p_values)
        assert level.n_intervals == 40 - sum(level.failures.values())
        assert level.n_covering == level.n_intervals - level.n_rejected, "Student's interval inverts the test"


def test_every_syringe_of_the_inert_protocol_holds_placebo() -> None:
    file = inert(load("iris-7"), 60)
    given_ = {one.product for arm in file.protocol.arms for one in arm.injections}
    assert given_ == {"placebo"}
    assert file.protocol.population.planned == 60


def test_a_pool_that_is_too_small_is_refused(whole_trial: Rehearsed) -> None:
    protocol = whole_trial.file.protocol
    population = protocol.population.model_copy(update={"planned": whole_trial.cohort.n_subjects + 1})
    with pytest.raises(InvalidInput, match="make a larger one"):
        next(null_trials(whole_trial.cohort, protocol.model_copy(update={"population": population}), 1))


@settings(max_examples=15, deadline=None)
@given(n_a=st.integers(2, 9), n_b=st.integers(2, 9))
def test_exact_tests_never_exceed_their_level_over_the_nuisance(n_a: int, n_b: int) -> None:
    """Boschloo's and Fisher's, at every share of a grid; and Boschloo's is the less conservative."""
    ours = exact_level(lambda table: boschloo(table).p_value, n_a, n_b, n_shares=99)
    fishers = exact_level(lambda table: fisher(table).p_value, n_a, n_b, n_shares=99)
    assert ours.largest <= 0.05 + 1e-9
    assert fishers.largest <= 0.05 + 1e-9
    assert ours.largest >= fishers.largest - 1e-12


def test_the_level_over_the_nuisance_is_a_sum_of_binomials() -> None:
    """Two ways, of a test that rejects one table only: C(5,5)·C(4,0)·p⁵·(1-p)⁴."""

    def only(table: Table) -> float:
        return 0.0 if (table.events_a, table.events_b) == (5, 0) else 1.0

    found = exact_level(only, 5, 4, n_shares=9)
    wanted = [comb(5, 5) * comb(4, 0) * p**5 * (1 - p) ** 4 for p in found.share]
    np.testing.assert_allclose(found.level, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", ["iris-7", "iris-7c"])
def test_the_shipped_levels_are_of_the_shipped_protocol(name: str) -> None:
    """A changed protocol needs `sevenfold levels` again."""
    shipped = shipped_levels(name)
    assert shipped is not None
    file = load(name)
    assert shipped.plan_sha256 == file.plan_sha256
    assert set(shipped.verdicts) == {(one.estimand, one.method.value) for one in file.protocol.analyses}
    primary = file.protocol.primary.id
    assert not any(v is Verdict.EXCEEDS for (estimand, _), v in shipped.verdicts.items() if estimand == primary)


def test_an_unknown_protocol_has_no_shipped_levels() -> None:
    assert shipped_levels("nobody") is None
    assert replace(_level(1), n_trials=2).share == 0.5


def test_a_method_that_exceeds_its_level_may_not_be_primary() -> None:
    """The incidence by a day, measured in trials of 27; a trial of 200 is another size."""
    protocol = load("iris-7").protocol
    roles = tuple(
        one.model_copy(update={"role": "primary" if one.id == "infection-28" else "secondary"})
        for one in protocol.estimands
    )
    turned = protocol.model_copy(update={"estimands": roles})
    with pytest.raises(InvalidInput, match=r"may not be the primary analysis\. At 5% it found a difference in 10\.9%"):
        check_primary(turned)
    larger = protocol.population.model_copy(update={"planned": 200})
    check_primary(turned.model_copy(update={"population": larger}))
    check_primary(protocol)


def test_the_command_refuses_a_pool_of_the_same_subjects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["levels", "iris-7", "--pool", "50", "--out", str(tmp_path / "out")]) == 2
    assert "give --pool at least 108" in capsys.readouterr().err


def test_the_command_tells_verdicts_failures_coverage_and_the_exact_methods(
    whole_trial: Rehearsed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the terminal, as data and on the page; eight trials of six decide nothing, and that is said."""
    file = whole_trial.file
    small = _small(file.protocol, file.protocol.primary.id, "death-28")
    small = small.model_copy(update={"population": small.population.model_copy(update={"planned": 6})})
    monkeypatch.setattr(levels_command, "load", lambda _name: replace(file, protocol=small))
    monkeypatch.setattr(levels_command, "_pool", lambda *_: whole_trial.cohort)
    folder = tmp_path / "out"
    assert main(["levels", "iris-7", "--trials", "8", "--pool", "24", "--out", str(folder), "--quiet"]) == 0
    said_ = " ".join(capsys.readouterr().out.split())
    assert "nothing is decided; about" in said_
    assert "Boschloo, 4 against 2" in said_
    assert "Clopper-Pearson" in said_
    about = json.loads((folder / "levels.json").read_text(encoding="utf-8"))
    death = about["levels"][-1]
    assert death["verdict"] == "undecided"
    assert death["n_more"] > 0
    assert death["coverage"] == death["n_covering"] / death["n_intervals"]
    assert sum(one["trials"] for one in death["sizes"]) == 8 - sum(death["failures"].values())
    assert about["exact tests over the nuisance grid"][0]["is_planned"]
    page = (folder / "levels.html").read_text(encoding="utf-8")
    assert f"{death['n_more']} more trials" in page
    assert "4 against 2, planned" in page
