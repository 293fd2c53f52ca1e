"""Intervals for one proportion against R, BlakerCI, a slow obvious version, and their coverage."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from sevenfold.analysis.proportion import Proportion, blaker, clopper_pearson, wilson
from sevenfold.errors import InvalidInput

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/analysis/analysis.json").read_text())


def limits(found: Proportion) -> tuple[float, float]:
    return found.interval.lower, found.interval.upper


@pytest.mark.parametrize(("x", "n", "lower", "upper"), REFERENCE["binomial"])
def test_clopper_pearson_agrees_with_r(x: int, n: int, lower: float, upper: float) -> None:
    """R 4.2.2 binom.test, 15 digits printed."""
    assert limits(clopper_pearson(x, n)) == pytest.approx((lower, upper), rel=1e-12)


def test_blaker_agrees_with_the_package_of_klaschka() -> None:
    """binom.blaker.limits(3, 10) of BlakerCI 1.0-6 prints 0.08726443 0.61941066."""
    assert limits(blaker(3, 10)) == pytest.approx((0.08726443, 0.61941066), abs=5e-9)


def test_wilson_solves_its_quadratic() -> None:
    """Closed form: (p - x/n)² = z² p(1 - p)/n at both limits."""
    z = 1.959963984540054
    for p in limits(wilson(7, 27)):
        assert (p - 7 / 27) ** 2 == pytest.approx(z**2 * p * (1 - p) / 27, rel=1e-10)


def acceptability(x: int, n: int, p: float) -> float:
    """Blaker's function, word by word."""
    low, high = binom.cdf(x, n, p), binom.sf(x - 1, n, p)
    if high < low:
        opposite = binom.cdf(np.arange(-1, n + 1), n, p)
        return float(high + opposite[opposite <= high * (1 + 1e-12)].max())
    opposite = binom.sf(np.arange(n + 2) - 1, n, p)
    return float(min(1.0, low + opposite[opposite <= low * (1 + 1e-12)].max()))


@pytest.mark.parametrize("n", [1, 2, 5, 13])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_blaker_is_the_hull_of_what_is_acceptable(n: int, level: float) -> None:
    """Two ways: the acceptable points of a grid end within one step of the limits."""
    grid = np.linspace(0, 1, 501)
    for x in range(n + 1):
        kept = [p for p in grid if acceptability(x, n, float(p)) > 1 - level + 1e-9] or [x / n]
        lower, upper = limits(blaker(x, n, level))
        assert kept[0] - 1 / 500 - 1e-9 <= lower <= kept[0] + 1e-9
        assert kept[-1] - 1e-9 <= upper <= kept[-1] + 1 / 500 + 1e-9


@pytest.mark.parametrize("method", [clopper_pearson, blaker])
@pytest.mark.parametrize("n", [4, 9, 17, 30])
def test_exact_intervals_cover_at_least_their_level(method, n: int) -> None:  # type: ignore[no-untyped-def]
    """Over a fine grid of true proportions."""
    found = [limits(method(x, n, 0.9)) for x in range(n + 1)]
    truth = np.linspace(0.0005, 0.9995, 1999)
    covers = np.array([(low <= truth) & (truth <= high) for low, high in found])
    probability = binom.pmf(np.arange(n + 1)[:, None], n, truth)
    assert (covers * probability).sum(axis=0).min() >= 0.9 - 1e-12


@settings(max_examples=80, deadline=None)
@given(n=st.integers(1, 80), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_counting_the_others_mirrors_and_blaker_is_inside_clopper_pearson(n: int, share: float, level: float) -> None:
    """Laws of the exact intervals."""
    x = round(share * n)
    for method in (clopper_pearson, blaker, wilson):
        lower, upper = limits(method(x, n, level))
        assert limits(method(n - x, n, level)) == pytest.approx((1 - upper, 1 - lower), abs=1e-12)
        assert lower <= x / n <= upper
    inner, outer = limits(blaker(x, n, level)), limits(clopper_pearson(x, n, level))
    assert outer[0] - 1e-12 <= inner[0]
    assert inner[1] <= outer[1] + 1e-12


def test_impossible_counts_are_refused() -> None:
    """The message says what was found."""
    with pytest.raises(InvalidInput, match="at most 10"):
        clopper_pearson(11, 10)
    with pytest.raises(InvalidInput, match="n is 0"):
        blaker(0, 0)
    with pytest.raises(InvalidInput, match=r"0\.95"):
        wilson(1, 10, level=95)
    with pytest.raises(InvalidInput, match="whole number"):
        wilson(1.5, 10)  # type: ignore[arg-type]
