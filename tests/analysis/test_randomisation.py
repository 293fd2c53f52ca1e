"""Randomisation tests, shifts and van Elteren's test against R, SciPy, slow versions, and under the actual scheme."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from scipy import stats

from sevenfold.analysis.answer import Alternative
from sevenfold.analysis.effect import Status
from sevenfold.analysis.randomisation_test import Statistic, randomisation_test, shift
from sevenfold.analysis.rank_sum import midranks, van_elteren
from sevenfold.analysis.redraw import Redraws, enumerated, redrawn
from sevenfold.errors import InvalidInput, NotConverged

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/analysis/analysis.json").read_text())["ranks"]
Y, ACTIVE = np.array(REFERENCE["data"]["y"]), np.array(REFERENCE["data"]["g"]) == 1
BLOCK = np.repeat(np.arange(4), 4)
BLOCKED = np.array([1, 1, 1, 0] * 4, dtype=bool)


def mean_difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a.mean() - b.mean())


def blocks_of_four(rng: Generator) -> NDArray[np.bool_]:
    """3:1 in permuted blocks."""
    return np.concatenate([rng.permuted([True, True, True, False]) for _ in range(4)])


def test_all_allocations_give_the_exact_tests_of_r() -> None:
    """R 4.2.2 wilcox.test (exact) and exactRankTests 0.8-35 perm.test; C(17, 9) = 24,310 allocations."""
    everything = enumerated(ACTIVE)
    assert everything.n == 24310
    ranks = randomisation_test(Y, ACTIVE, everything)
    means = randomisation_test(Y, ACTIVE, everything, statistic=Statistic.MEAN_DIFFERENCE)
    assert ranks.test.p_value == pytest.approx(REFERENCE["wilcoxon_p"], rel=1e-10)
    assert ranks.monte_carlo_se == 0.0
    theirs = stats.permutation_test((Y[ACTIVE], Y[~ACTIVE]), mean_difference, n_resamples=30_000)  # more than there are
    assert means.test.p_value == pytest.approx(theirs.pvalue, rel=1e-10)


def test_the_permutation_test_of_r_by_its_absolute_distance() -> None:
    """It counts |distance from the mean| on both sides where we double the smaller tail; the list is the same."""
    everything = enumerated(ACTIVE)
    summed = everything.is_active @ np.round(1000 * Y)
    centre = np.round(1000 * Y).sum() * 9 / 17
    observed = abs(np.round(1000 * Y)[ACTIVE].sum() - centre)
    assert (np.abs(summed - centre) >= observed - 1e-6).mean() == pytest.approx(REFERENCE["permutation_p"], rel=1e-10)


def test_the_shift_of_ranks_agrees_with_r() -> None:
    """R 4.2.2 wilcox.test(conf.int = TRUE), exact."""
    found = shift(Y, ACTIVE, enumerated(ACTIVE))
    assert found.estimate == pytest.approx(REFERENCE["shift"], abs=1e-9)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(REFERENCE["interval"], abs=1e-9)


def test_the_shift_of_means_inverts_its_test() -> None:
    """Two ways: just inside a limit the shift is kept, just outside it is rejected."""
    everything = enumerated(ACTIVE[2:13])
    y, active = Y[2:13], ACTIVE[2:13]
    for statistic in Statistic:
        found = shift(y, active, everything, statistic=statistic, level=0.9)
        for limit, inwards in ((found.interval.lower, 1e-6), (found.interval.upper, -1e-6)):
            for theta, is_kept in ((limit + inwards, True), (limit - inwards, False)):
                test = randomisation_test(y - theta * active, active, everything, statistic=statistic)
                assert (test.test.p_value > 0.1) is is_kept


def test_an_enumeration_honours_blocks() -> None:
    """4 blocks of 3:1 have 4⁴ allocations, each with three active patients in every block, none twice."""
    everything = enumerated(BLOCKED, BLOCK)
    assert everything.n == 256
    assert (everything.is_active.reshape(256, 4, 4).sum(axis=2) == 3).all()
    assert len(np.unique(everything.is_active, axis=0)) == 256


def test_drawing_approaches_the_exact_share() -> None:
    """Within four Monte Carlo errors, under the blocked scheme."""
    rng = default_rng(5)
    y = rng.normal(size=16) + 0.8 * BLOCKED
    exact = randomisation_test(y, BLOCKED, enumerated(BLOCKED, BLOCK), strata=BLOCK)
    drawn = randomisation_test(y, BLOCKED, redrawn(blocks_of_four, 4000, rng), strata=BLOCK)
    assert abs(drawn.test.p_value - exact.test.p_value) < 4 * drawn.monte_carlo_se
    share = drawn.test.p_value / 2
    assert drawn.monte_carlo_se == pytest.approx(2 * np.sqrt(share * (1 - share) / 4000), rel=1e-12)


def test_a_p_value_is_never_zero() -> None:
    """The actual allocation is one of those that could have been: (1 + 0)/(1 + n)."""
    y = np.where(ACTIVE, 100.0, 0.0) + Y
    draws = Redraws(np.array([default_rng(k).permuted(ACTIVE) for k in range(99)]))
    assert randomisation_test(y, ACTIVE, draws, alternative=Alternative.GREATER).test.p_value == 0.01
    assert shift(y, ACTIVE, Redraws(draws.is_active[:10])).interval.lower == -np.inf


def test_it_keeps_its_level_whatever_the_responses() -> None:
    """Every allocation in turn as the actual one, responses fixed: at most α of them are rejected."""
    y = np.array([9.0, 1, 1, 4, 2, 2, 2, 8, 3, 3, 1, 7, 5, 5, 6, 9])
    everything = enumerated(BLOCKED, BLOCK)
    for statistic in Statistic:
        p = [
            randomisation_test(y, row, everything, statistic=statistic, strata=BLOCK).test.p_value
            for row in everything.is_active
        ]
        for alpha in (0.02, 0.05, 0.1, 0.3):
            assert np.mean(np.array(p) <= alpha) <= alpha + 1e-12


def test_van_elteren_agrees_with_coin() -> None:
    """R coin 1.4-2 independence_test with ranks/(n + 1) within blocks; and Wilcoxon's without strata."""
    data = {name: np.array(column) for name, column in REFERENCE["strata"].items()}
    found = van_elteren(data["y"], data["g"] == 1, data["s"])
    assert abs(found.test.statistic) == pytest.approx(REFERENCE["van_elteren_z"], rel=1e-10)
    unstratified = van_elteren(data["y"], data["g"] == 1)
    assert abs(unstratified.test.statistic) == pytest.approx(REFERENCE["wilcoxon_z"], rel=1e-10)
    theirs = stats.mannwhitneyu(
        data["y"][data["g"] == 1], data["y"][data["g"] == 0], use_continuity=False, method="asymptotic"
    )
    assert unstratified.test.p_value == pytest.approx(theirs.pvalue, rel=1e-10)


def test_the_variance_of_van_elteren_is_that_of_all_allocations() -> None:
    """Two ways: over every allocation within strata, with ties."""
    y = np.array([1.0, 1, 2, 5, 3, 3, 3, 8, 2, 6])
    strata = np.array([0] * 4 + [1] * 6)
    active = np.array([1, 0, 1, 0, 1, 1, 0, 0, 0, 1], dtype=bool)
    everything = enumerated(active, strata).is_active
    found = van_elteren(y, active, strata)
    statistics = [van_elteren(y, row, strata).statistic for row in everything]
    assert np.mean(statistics) == pytest.approx(0.0, abs=1e-12)
    assert found.variance == pytest.approx(np.var(statistics), rel=1e-12)


def test_the_weighed_shift_is_where_the_stratified_statistic_vanishes() -> None:
    """Two ways: the statistic changes its sign at the estimate."""
    data = {name: np.array(column) for name, column in REFERENCE["strata"].items()}
    y, active = data["y"] + np.linspace(0, 0.3, 40), data["g"] == 1
    draws = Redraws(np.array([default_rng(k).permuted(active) for k in range(50)]))
    theta = shift(y, active, draws, strata=data["s"]).estimate
    below, above = (van_elteren(y - (theta + d) * active, active, data["s"]).statistic for d in (-1e-3, 1e-3))
    assert below >= 0.0 >= above


@settings(max_examples=25, deadline=None)
@given(
    y=st.lists(st.integers(-5, 5), min_size=6, max_size=8),
    seed=st.integers(0, 2**32 - 1),
    statistic=st.sampled_from(Statistic),
    moved=st.floats(-20, 20),
)
def test_laws(y: list[int], seed: int, statistic: Statistic, moved: float) -> None:
    """Swapping the arms mirrors; adding to the active arm moves the shift by as much; order doesn't matter."""
    rng = default_rng(seed)
    response, active = np.array(y, dtype=float), rng.permutation(len(y)) < 3
    everything = enumerated(active)
    test = randomisation_test(response, active, everything, statistic=statistic)
    swapped = randomisation_test(response, ~active, enumerated(~active), statistic=statistic)
    assert swapped.test.p_value == pytest.approx(test.test.p_value, abs=1e-12)
    order = rng.permutation(len(y))
    reordered = randomisation_test(response[order], active[order], enumerated(active[order]), statistic=statistic)
    assert reordered.test.p_value == pytest.approx(test.test.p_value, abs=1e-12)
    found = shift(response, active, everything, statistic=statistic, level=0.7)
    added = shift(response + moved * active, active, everything, statistic=statistic, level=0.7)
    assert added.estimate == pytest.approx(found.estimate + moved, abs=1e-9)
    assert (added.interval.lower, added.interval.upper) == pytest.approx(
        (found.interval.lower + moved, found.interval.upper + moved), abs=1e-6
    )
    assert found.interval.lower <= found.estimate <= found.interval.upper


def test_one_sided_p_never_falls_as_the_shift_grows() -> None:
    """What bisection rests on: for both statistics and any fixed set of allocations."""
    rng = default_rng(11)
    for statistic in Statistic:
        for _ in range(20):
            y, active = rng.integers(0, 6, 10).astype(float), rng.permutation(10) < 4
            strata = rng.integers(0, 2, 10)
            draws = Redraws(np.array([rng.permutation(10) < rng.integers(2, 8) for _ in range(40)]))
            p = [
                randomisation_test(
                    y - theta * active,
                    active,
                    draws,
                    statistic=statistic,
                    strata=strata,
                    alternative=Alternative.GREATER,
                ).test.p_value
                for theta in np.linspace(-7.05, 7.05, 60)
            ]
            assert (np.diff(p) >= -1e-12).all()


def test_midranks_are_those_of_scipy() -> None:
    """scipy.stats.rankdata."""
    y = np.array([3.0, 1, 3, 3, 0, 1])
    assert midranks(y).tolist() == stats.rankdata(y).tolist()


def test_what_cannot_be_is_refused() -> None:
    """The message says what was found and the way out."""
    with pytest.raises(InvalidInput, match="draw some of them"):
        enumerated(np.arange(40) < 20)
    with pytest.raises(InvalidInput, match="isn't among"):
        randomisation_test(Y[:4], [1, 0, 0, 0], enumerated([1, 1, 0, 0]))
    with pytest.raises(InvalidInput, match="of 16 patients"):
        randomisation_test(Y[:4], [1, 0, 0, 0], redrawn(blocks_of_four, 3, default_rng(1)))
    with pytest.raises(InvalidInput, match="one arm"):
        Redraws(np.ones((2, 3), dtype=bool))
    with pytest.raises(InvalidInput, match="both"):
        van_elteren([1.0, 2.0], [True, True])
    alike = van_elteren([1.0, 1.0, 1.0], [True, False, False])
    assert alike.fit.status is Status.NOT_ESTIMABLE
    with pytest.raises(NotConverged):
        _ = alike.test


def test_the_slow_version() -> None:
    """Two ways: counting by hand over combinations."""
    y, active = np.array([4.0, 1, 7, 3, 9, 2]), np.array([1, 0, 1, 0, 1, 0], dtype=bool)
    observed = y[active].mean() - y[~active].mean()
    n_as_large = n_all = 0
    for chosen in combinations(range(6), 3):
        rest = [i for i in range(6) if i not in chosen]
        n_all += 1
        n_as_large += y[list(chosen)].mean() - y[rest].mean() >= observed - 1e-9
    found = randomisation_test(
        y, active, enumerated(active), statistic=Statistic.MEAN_DIFFERENCE, alternative=Alternative.GREATER
    )
    assert found.test.p_value == n_as_large / n_all
