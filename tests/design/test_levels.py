"""Levels of a plan's tests: counting, verdicts, the null trials behind them, and the exact test over its nuisance."""

from dataclasses import replace
from itertools import islice
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsals import Rehearsed
from sevenfold.analysis.exact_test import boschloo, fisher
from sevenfold.analysis.two_binomials import Table
from sevenfold.cli import main
from sevenfold.design.exact_level import exact_level
from sevenfold.design.level import Level, Verdict, levels
from sevenfold.design.null import inert, null_trials
from sevenfold.design.shipped import check_primary, shipped_levels
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import load
from sevenfold.protocol.protocol import Protocol


def _small(protocol: Protocol, *estimands: str) -> Protocol:
    chosen = tuple(one for one in protocol.analyses if one.estimand in estimands)
    return protocol.model_copy(update={"analyses": chosen})


def _level(n_rejected: int, n: int = 1000, failures: dict[str, int] | None = None) -> Level:
    return Level(estimand="e", label="E", method="m", n_trials=n, n_rejected=n_rejected, failures=failures or {})


@pytest.mark.parametrize(
    ("n_rejected", "verdict"),
    [(50, Verdict.HOLDS), (32, Verdict.HOLDS), (25, Verdict.CONSERVATIVE), (70, Verdict.HOLDS), (80, Verdict.EXCEEDS)],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(n_rejected: int, verdict: Verdict) -> None:
    """Of 1000 trials: the standard error is 0.7 %, and 99.9 % is 3.3 of them."""
    assert _level(n_rejected).verdict is verdict


def test_failures_count_as_not_rejected_and_are_told() -> None:
    level = _level(30, failures={"not converged": 400})
    assert level.share == 0.03
    assert _level(0, failures={"not converged": 1000}).verdict is Verdict.NONE


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
    from sevenfold.analysis.trial.answering import answer

    protocol = _small(whole_trial.file.protocol, "alc-29", "sofa-8")
    found = levels(protocol, null_trials(whole_trial.cohort, protocol, 1), 40, 1)
    trials = list(islice(null_trials(whole_trial.cohort, protocol, 1), 40))
    for level, planned in zip(found, protocol.analyses, strict=True):
        p_values = [answer(planned, trial, protocol, 1).p_value for trial in trials]
        assert level.n_rejected == sum(p is not None and p <= 0.05 for p in p_values)
        assert sum(level.failures.values()) == sum(p is None for p in p_values)


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


def test_the_shipped_levels_are_of_the_shipped_protocol() -> None:
    """A changed protocol needs `sevenfold levels` again."""
    shipped = shipped_levels("iris-7")
    assert shipped is not None
    file = load("iris-7")
    assert shipped.sha256 == file.sha256
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
