"""Rates and their ratios against R's poisson.test, published limits and their coverage."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import poisson

from sevenfold.analysis.effect import Status
from sevenfold.analysis.exposure import DAYS_PER_YEAR, incidence, rate, rate_ratio
from sevenfold.errors import InvalidInput, NotConverged

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/analysis/analysis.json").read_text())


@pytest.mark.parametrize(("events", "days", "lower", "upper"), REFERENCE["poisson"])
def test_garwood_agrees_with_r(events: int, days: float, lower: float, upper: float) -> None:
    """R 4.2.2 poisson.test, 15 digits printed."""
    interval = rate(int(events), days).interval
    assert (interval.lower, interval.upper) == pytest.approx((lower, upper), rel=1e-11)


def test_limits_of_a_table() -> None:
    """Garwood's 95 % limits for 10 events are 4.80 and 18.39 in every printed table."""
    per = rate(10, 1.0).per(1.0)
    assert per == pytest.approx((10.0, 4.795, 18.39), abs=0.005)
    assert rate(10, DAYS_PER_YEAR).per(DAYS_PER_YEAR) == pytest.approx(per, rel=1e-12)


def test_garwood_covers_at_least_its_level() -> None:
    """Over a fine grid of true means."""
    truth = np.linspace(0.01, 25, 2500)
    coverage = np.zeros_like(truth)
    for x in range(120):
        interval = rate(x, 1.0, 0.9).interval
        coverage += poisson.pmf(x, truth) * ((interval.lower <= truth) & (truth <= interval.upper))
    assert coverage.min() >= 0.9 - 1e-12


@pytest.mark.parametrize("known", REFERENCE["poisson_ratio"])
def test_rate_ratio_agrees_with_r(known: list[float | str]) -> None:
    """R 4.2.2 poisson.test for two counts."""
    x_a, t_a, x_b, t_b, lower, upper = (float(k) for k in known)
    found = rate_ratio(rate(int(x_a), t_a), rate(int(x_b), t_b))
    assert (found.interval.lower, found.interval.upper) == pytest.approx((lower, upper), rel=1e-10)


def test_the_test_of_equal_rates_matches_the_interval() -> None:
    """A p-value of 5 % puts one limit of the 95 % interval at 1; so p < 0.05 exactly where 1 lies outside."""
    for x in range(15):
        found = rate_ratio(rate(x, 310.0), rate(9, 275.0))
        assert (found.test.p_value <= 0.05) == (1.0 not in found.interval)


def test_swapping_the_arms_inverts_the_ratio() -> None:
    """A law; the unit of time cancels too."""
    a, b = rate(4, 300.0), rate(9, 275.0)
    ratio, swapped = rate_ratio(a, b), rate_ratio(b, a)
    assert swapped.estimate == pytest.approx(1 / ratio.estimate, rel=1e-12)
    assert swapped.interval.upper == pytest.approx(1 / ratio.interval.lower, rel=1e-10)
    assert swapped.test.p_value == pytest.approx(ratio.test.p_value, rel=1e-10)


def test_no_events_in_the_control_arm_leave_an_interval_but_no_estimate() -> None:
    """A status, and a limit of infinity rather than nan; with no event at all, everything is possible."""
    found = rate_ratio(rate(3, 10.0), rate(0, 10.0))
    assert found.fit.status is Status.NOT_ESTIMABLE
    assert found.interval.upper == np.inf
    with pytest.raises(NotConverged):
        _ = found.estimate
    nothing = rate_ratio(rate(0, 10.0), rate(0, 10.0))
    assert (nothing.interval.lower, nothing.interval.upper, nothing.test.p_value) == (0.0, np.inf, 1.0)


def test_incidence_by_arm() -> None:
    """3 of 3 against 0 of 4: the exact limits of each share are those of Clopper and Pearson."""
    found = incidence([1, 1, 1, 0, 0, 0, 0, 1], list("aaabbbbc"), compare=("a", "b"))
    assert (found.a.n_events, found.a.n, found.b.n_events, found.b.n) == (3, 3, 0, 4)
    assert found.a.interval.lower == pytest.approx(0.025 ** (1 / 3), rel=1e-12)
    assert found.difference.estimate == 1.0
    assert found.difference.interval.upper == 1.0


def test_impossible_input_is_refused() -> None:
    """The message says what was found."""
    with pytest.raises(InvalidInput, match="positive time"):
        rate(1, 0.0)
    with pytest.raises(InvalidInput, match='No patient is in arm "x"; the arms are a, b'):
        incidence([True, False], ["a", "b"], compare=("x", "b"))
    with pytest.raises(InvalidInput, match="only True and False"):
        incidence([2, 0], ["a", "b"], compare=("a", "b"))
