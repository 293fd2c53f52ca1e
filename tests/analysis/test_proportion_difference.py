"""Differences of proportions against SAS, StatXact and published values, and the coverage that exact promises."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from sevenfold.analysis.answer import Alternative
from sevenfold.analysis.exact_test import barnard, pooled_z
from sevenfold.analysis.proportion_difference import (
    ProportionDifference,
    agresti_min,
    chan,
    chan_zhang,
    newcombe,
    score_statistic,
)
from sevenfold.analysis.two_binomials import Table
from sevenfold.errors import InvalidInput

Method = Callable[[Table, float], ProportionDifference]


def table(x_a: int, n_a: int, x_b: int, n_b: int) -> Table:
    return Table(events_a=x_a, n_a=n_a, events_b=x_b, n_b=n_b)


@pytest.mark.parametrize(
    ("counts", "lower", "upper"),
    [
        ((24, 61, 10, 35), -0.0992, 0.2949),  # SAS 9.4, EXACT RISKDIFF(METHOD=SCORE)
        ((9, 11, 4, 12), 0.0616, 0.7968),  # SAS 9.4
        ((6, 13, 2, 7), -0.3108, 0.5787),  # StatXact 11
        ((13, 13, 0, 7), 0.5904, 1.0),  # StatXact 11 and SAS 9.4
    ],
)
def test_chan_zhang_agrees_with_sas_and_statxact(counts: tuple[int, int, int, int], lower: float, upper: float) -> None:
    """As printed to four decimals in the validation of the R package exact2x2 (inst/slowTests)."""
    found = chan_zhang(table(*counts)).interval
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5.1e-5)


def test_agresti_min_agrees_with_statxact() -> None:
    """StatXact 11: p = 0.5374, -0.3079 to 0.5542 (validation of exact2x2)."""
    found = agresti_min(table(6, 13, 2, 7)).interval
    assert (found.lower, found.upper) == pytest.approx((-0.3079, 0.5542), abs=5.1e-5)
    assert chan(table(6, 13, 2, 7), 0.0, Alternative.TWO_SIDED).p_value == pytest.approx(0.5374, abs=5.1e-5)


def test_one_sided_p_of_statxact() -> None:
    """StatXact 11: twice the one-sided p is 0.5569."""
    one_sided = chan(table(6, 13, 2, 7), 0.0, Alternative.GREATER).p_value
    assert 2 * one_sided == pytest.approx(0.5569, abs=5.1e-5)


@pytest.mark.parametrize(
    ("counts", "lower", "upper"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((0, 10, 0, 20), -0.1611, 0.2775),
    ],
)
def test_newcombe_agrees_with_his_paper(counts: tuple[int, int, int, int], lower: float, upper: float) -> None:
    """Newcombe 1998, table II, method 10."""
    found = newcombe(table(*counts)).interval
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5.1e-5)


def odds(k: int, p: float) -> float:
    return k / p if k else 0.0


@pytest.mark.parametrize("difference", [-0.7, -0.2, -1e-3, 0.05, 0.31, 0.9])
def test_score_statistic_uses_the_constrained_maximum_likelihood(difference: float) -> None:
    """Two ways: the cubic's root against bisection on the derivative of the likelihood, which falls."""
    n_a, n_b = 7, 11
    found = score_statistic(n_a, n_b, difference)
    for x in range(n_a + 1):
        for y in range(n_b + 1):
            low, high = max(0.0, difference), min(1.0, 1.0 + difference)
            for _ in range(45):
                p = 0.5 * (low + high)
                slope = odds(x, p) - odds(n_a - x, 1 - p) + odds(y, p - difference) - odds(n_b - y, 1 - p + difference)
                low, high = (p, high) if slope > 0 else (low, p)
            q = min(max(p - difference, 0.0), 1.0)
            se = np.sqrt(p * (1 - p) / n_a + q * (1 - q) / n_b)
            assert found[x, y] == pytest.approx((x / n_a - y / n_b - difference) / se, rel=1e-5, abs=1e-9)


def test_at_no_difference_the_score_is_the_pooled_z() -> None:
    """Closed form: at 0 the constrained proportions are the pooled one."""
    assert score_statistic(8, 5, 0.0) == pytest.approx(pooled_z(8, 5), abs=1e-12)
    assert chan(table(7, 8, 1, 5), 0.0, Alternative.TWO_SIDED).p_value == barnard(table(7, 8, 1, 5)).p_value


@pytest.mark.parametrize("method", [chan_zhang, agresti_min])
@pytest.mark.parametrize(("n_a", "n_b"), [(3, 3), (6, 4)])
def test_exact_intervals_cover_at_least_their_level(method: Method, n_a: int, n_b: int) -> None:
    """Over a grid of both true proportions, for every table."""
    level = 0.9
    found = {(x, y): method(table(x, n_a, y, n_b), level).interval for x in range(n_a + 1) for y in range(n_b + 1)}
    p = np.linspace(0.004, 0.996, 125)
    coverage = np.zeros((125, 125))
    for (x, y), interval in found.items():
        truth = p[:, None] - p[None, :]
        probability = np.outer(binom.pmf(x, n_a, p), binom.pmf(y, n_b, p))
        coverage += probability * ((interval.lower <= truth) & (truth <= interval.upper))
    assert coverage.min() >= level - 1e-12


def test_each_side_of_chan_zhang_keeps_its_half() -> None:
    """The lower limit alone misses with at most 5 % at level 90 %."""
    n_a, n_b = 5, 6
    p = np.linspace(0.004, 0.996, 125)
    missed = np.zeros((125, 125))
    for x in range(n_a + 1):
        for y in range(n_b + 1):
            lower = chan_zhang(table(x, n_a, y, n_b), 0.9).interval.lower
            probability = np.outer(binom.pmf(x, n_a, p), binom.pmf(y, n_b, p))
            missed += probability * (p[:, None] - p[None, :] < lower)
    assert missed.max() <= 0.05 + 1e-12


@settings(max_examples=12, deadline=None)
@given(n_a=st.integers(1, 12), n_b=st.integers(1, 12), data=st.data())
def test_swapping_the_arms_or_counting_the_others_mirrors(n_a: int, n_b: int, data: st.DataObject) -> None:
    """Laws of every method, to the tolerance of a limit."""
    x, y = data.draw(st.integers(0, n_a)), data.draw(st.integers(0, n_b))
    for method in (chan_zhang, agresti_min, newcombe):
        interval = method(table(x, n_a, y, n_b)).interval
        swapped = method(table(y, n_b, x, n_a)).interval
        others = method(table(n_a - x, n_a, n_b - y, n_b)).interval
        for mirrored in (swapped, others):
            assert (-mirrored.upper, -mirrored.lower) == pytest.approx((interval.lower, interval.upper), abs=3e-6)
        assert interval.lower <= x / n_a - y / n_b <= interval.upper


def test_a_difference_beyond_one_is_refused() -> None:
    """The message says what would be right."""
    with pytest.raises(InvalidInput, match="between -1 and 1"):
        chan(table(1, 3, 2, 3), 1.0, Alternative.LESS)
    with pytest.raises(InvalidInput, match="n_b is 0"):
        table(1, 3, 0, 0)
