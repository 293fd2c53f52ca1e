"""Fisher, Barnard and Boschloo against R, SciPy, SAS and StatXact, and the level they promise to keep."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from sevenfold.analysis.answer import Alternative, Test
from sevenfold.analysis.exact_test import barnard, boschloo, fisher, fisher_mid_p, fisher_p_values
from sevenfold.analysis.two_binomials import TOLERANCE, Table, can_exceed, supremum
from sevenfold.errors import InvalidInput

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/analysis/analysis.json").read_text())
SCIPY: dict[Alternative, Literal["two-sided", "greater", "less"]] = {
    Alternative.TWO_SIDED: "two-sided",
    Alternative.GREATER: "greater",
    Alternative.LESS: "less",
}
TABLES = [(3, 10, 9, 12), (7, 15, 12, 14), (0, 8, 5, 8), (1, 5, 1, 9)]


def table(x_a: int, n_a: int, x_b: int, n_b: int) -> Table:
    return Table(events_a=x_a, n_a=n_a, events_b=x_b, n_b=n_b)


def square(t: Table) -> list[list[int]]:
    return [[t.events_a, t.events_b], [t.n_a - t.events_a, t.n_b - t.events_b]]


@pytest.mark.parametrize("known", REFERENCE["fisher"])
def test_fisher_agrees_with_r(known: dict[str, list[float]]) -> None:
    """R 4.2.2 fisher.test, 15 digits printed."""
    x_a, x_b, n_a, n_b = (int(k) for k in known["table"])
    found = [fisher(table(x_a, n_a, x_b, n_b), a).p_value for a in Alternative]
    assert found == pytest.approx(known["p"], rel=1e-11)


@pytest.mark.parametrize("counts", TABLES)
@pytest.mark.parametrize("alternative", Alternative)
def test_barnard_agrees_with_scipy(counts: tuple[int, int, int, int], alternative: Alternative) -> None:
    """scipy.stats.barnard_exact optimises over sampled nuisance values, so it can only be below ours, and hardly is."""
    ours = barnard(table(*counts), alternative).p_value
    theirs = stats.barnard_exact(square(table(*counts)), SCIPY[alternative], n=512).pvalue
    assert theirs - 1e-12 <= ours <= theirs + 1e-6


@pytest.mark.parametrize("counts", TABLES)
@pytest.mark.parametrize("alternative", [Alternative.GREATER, Alternative.LESS])
def test_boschloo_agrees_with_scipy(counts: tuple[int, int, int, int], alternative: Alternative) -> None:
    """One-sided only: scipy doubles the smaller tail, we order by Fisher's two-sided p as StatXact does."""
    ours = boschloo(table(*counts), alternative).p_value
    theirs = stats.boschloo_exact(square(table(*counts)), SCIPY[alternative], n=512).pvalue
    assert theirs - 1e-12 <= ours <= theirs + 1e-6


@pytest.mark.parametrize(
    ("counts", "two_sided", "greater"), [((24, 61, 10, 35), 0.4063, 0.2142), ((9, 11, 4, 12), 0.0215, 0.0120)]
)
def test_barnard_agrees_with_sas(counts: tuple[int, int, int, int], two_sided: float, greater: float) -> None:
    """SAS 9.4 EXACT BARNARD, four decimals (validation of the R package exact2x2)."""
    assert barnard(table(*counts)).p_value == pytest.approx(two_sided, abs=5.1e-5)
    assert barnard(table(*counts), Alternative.GREATER).p_value == pytest.approx(greater, abs=5.1e-5)


def test_boschloo_agrees_with_statxact() -> None:
    """StatXact 11: one-sided 0.1513, two-sided 0.3381 (validation of exact2x2)."""
    t = table(24, 61, 10, 35)
    assert boschloo(t, Alternative.GREATER).p_value == pytest.approx(0.1513, abs=5.1e-5)
    assert boschloo(t).p_value == pytest.approx(0.3381, abs=5.1e-5)


def test_the_example_of_berger_and_boos() -> None:
    """Berger and Boos 1994: 14/47 against 48/283, p = 0.061; with γ = 0.001 the R package Exact gives 0.0378."""
    t = table(14, 47, 48, 283)
    assert barnard(t).p_value == pytest.approx(0.061, abs=5e-4)
    assert barnard(t, berger_boos=0.001).p_value == pytest.approx(0.0378, abs=5e-5)


def test_mid_p_takes_half_of_what_is_alike() -> None:
    """Closed form: 3 of 3 against 0 of 3 has probability 1/20 on each side."""
    t = table(3, 3, 0, 3)
    assert fisher(t).p_value == pytest.approx(0.1, rel=1e-12)
    assert fisher_mid_p(t).p_value == pytest.approx(0.05, rel=1e-12)
    assert fisher_mid_p(t, Alternative.GREATER).p_value == pytest.approx(0.025, rel=1e-12)
    assert fisher_mid_p(t, Alternative.LESS).p_value == pytest.approx(0.975, rel=1e-12)


def p_values(test: Callable[[Table, Alternative], Test], n_a: int, n_b: int, a: Alternative) -> NDArray[np.float64]:
    rows = [[test(table(x, n_a, y, n_b), a).p_value for y in range(n_b + 1)] for x in range(n_a + 1)]
    return np.array(rows)


@settings(max_examples=12, deadline=None)
@given(n_a=st.integers(1, 8), n_b=st.integers(1, 8), alternative=st.sampled_from(Alternative))
def test_they_never_exceed_their_level(n_a: int, n_b: int, alternative: Alternative) -> None:
    """P(p ≤ α) ≤ α for every α that a table attains, over a fine grid of the common proportion."""
    nuisance = np.linspace(0, 1, 1001)
    probability = stats.binom.pmf(np.arange(n_a + 1)[:, None, None], n_a, nuisance) * stats.binom.pmf(
        np.arange(n_b + 1)[None, :, None], n_b, nuisance
    )
    tests: tuple[Callable[[Table, Alternative], Test], ...] = (
        fisher,
        barnard,
        boschloo,
        lambda t, a: barnard(t, a, berger_boos=0.001),
    )
    for test in tests:
        p = p_values(test, n_a, n_b, alternative)
        for alpha in np.unique(p):
            size = (probability * (p <= alpha)[:, :, None]).sum(axis=(0, 1)).max()
            assert size <= alpha + 1e-12


@settings(max_examples=25, deadline=None)
@given(n_a=st.integers(1, 25), n_b=st.integers(1, 25), data=st.data())
def test_boschloo_never_needs_more_than_fisher_and_arms_may_be_swapped(n_a: int, n_b: int, data: st.DataObject) -> None:
    """Laws: uniformly more powerful than Fisher; the alternatives mirror."""
    t = table(data.draw(st.integers(0, n_a)), n_a, data.draw(st.integers(0, n_b)), n_b)
    for a, mirrored in ((Alternative.TWO_SIDED,) * 2, (Alternative.GREATER, Alternative.LESS)):
        assert boschloo(t, a).p_value <= fisher(t, a).p_value + 2 * TOLERANCE
        for test in (fisher, fisher_mid_p, barnard, boschloo):
            assert test(t, a).p_value == pytest.approx(test(t.swapped, mirrored).p_value, abs=3 * TOLERANCE)


@settings(max_examples=40, deadline=None)
@given(
    n_a=st.integers(1, 12),
    n_b=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
    difference=st.floats(-0.95, 0.95),
    low=st.just(0.0) | st.floats(1e-9, 0.4),  # SciPy's binomial overflows below 1e-307
)
def test_the_supremum_is_certified(n_a: int, n_b: int, seed: int, difference: float, low: float) -> None:
    """Two ways: never below a fine grid of the nuisance proportion, and above it by no more than the grid can miss."""
    region = np.random.default_rng(seed).random((n_a + 1, n_b + 1)) < 0.5
    ends = max(low, -difference, 0.0), min(0.9, 1.0 - difference, 1.0)
    if ends[0] > ends[1]:
        with pytest.raises(InvalidInput):
            supremum(region, difference=difference, nuisance=(low, 0.9))
        return
    q = np.linspace(*ends, 4001)
    a = stats.binom.pmf(np.arange(n_a + 1)[:, None], n_a, np.clip(q + difference, 0, 1))
    b = stats.binom.pmf(np.arange(n_b + 1)[:, None], n_b, q)
    on_grid = float(((region.T.astype(float) @ a) * b).sum(axis=0).max())
    found = supremum(region, difference=difference, nuisance=(low, 0.9))
    assert on_grid - 1e-12 <= found <= on_grid + 1e-4
    if low == 0.0 and ends[1] == min(1.0, 1.0 - difference):
        assert can_exceed(region, found - 1e-6, difference=difference) or found < 1e-6
        assert not can_exceed(region, found + 1e-9, difference=difference) or found == 1.0


def test_fisher_of_all_tables_is_fisher_of_each() -> None:
    """Two ways."""
    for a in Alternative:
        assert fisher_p_values(4, 6, a) == pytest.approx(p_values(fisher, 4, 6, a), rel=1e-12)


def test_a_large_gamma_is_refused() -> None:
    """Its probability is added to the p-value."""
    with pytest.raises(InvalidInput, match="1e-6"):
        barnard(table(1, 3, 2, 3), berger_boos=0.5)
