"""Exact methods over every share, and what a randomisation test attains: sums and counts, nothing simulated."""

import json
from importlib.resources import files
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.analysis.proportion import blaker, clopper_pearson, wilson
from sevenfold.analysis.proportion_difference import chan_zhang, newcombe
from sevenfold.analysis.randomisation_test import randomisation_test
from sevenfold.analysis.redraw import Redraws, enumerated
from sevenfold.design.attained import attained
from sevenfold.design.exact_coverage import least_coverage, least_coverage_of_difference
from sevenfold.design.level import Level
from sevenfold.design.splits import exact_methods
from sevenfold.protocol.load import load

ROUNDING = 1e-7  # limits are found to 1e-9 and better, and probabilities of 30 change by at most 30 times that


@pytest.mark.parametrize("n", [1, 2, 5, 9, 10, 18, 30])
def test_exact_intervals_of_one_share_cover_it(n: int) -> None:
    """At every share; Blaker's, inside Clopper and Pearson's, no more often than those."""
    ours, blakers = least_coverage(clopper_pearson, n), least_coverage(blaker, n)
    assert ours >= 0.95 - ROUNDING
    assert blakers >= 0.95 - ROUNDING
    assert blakers <= ours + ROUNDING


def test_intervals_that_are_not_exact_are_found_out() -> None:
    """Wilson's interval of 10 and Newcombe's of a difference fall below 95 % somewhere."""
    assert least_coverage(wilson, 10) < 0.9
    assert least_coverage_of_difference(newcombe, 6, 4) < 0.9


def test_the_least_coverage_is_a_sum_of_binomials() -> None:
    """Closed form: of one subject, an interval up to 0.9 after no event covers at 0.95 only after an event: at least
    0.9, just above the limit; from 0.1 after an event, likewise.
    """
    from dataclasses import replace

    def only(x: int, n: int) -> object:
        found = clopper_pearson(x, n)
        lower, upper = ((0.0, 0.9), (0.1, 1.0))[x]
        return replace(found, interval=replace(found.interval, lower=lower, upper=upper))

    assert least_coverage(only, 1) == pytest.approx(0.9, abs=1e-8)  # type: ignore[arg-type]


@settings(max_examples=6, deadline=None)
@given(n_a=st.integers(2, 6), n_b=st.integers(2, 5))
def test_the_exact_interval_of_a_difference_covers_it(n_a: int, n_b: int) -> None:
    """Chan and Zhang's, over pairs of shares and beside every limit, where coverage is least."""
    assert least_coverage_of_difference(chan_zhang, n_a, n_b) >= 0.95 - ROUNDING


def test_the_plan_is_told_at_the_sizes_that_it_meets() -> None:
    """The planned sizes come first, then those met; a plan without an exact test has none."""
    protocol = load("iris-7").protocol
    small = protocol.model_copy(update={"population": protocol.population.model_copy(update={"planned": 6})})
    met = Level(
        estimand="death-28", label="", method="exact unconditional test", n_trials=10, n_rejected=0, failures={},
        sizes={(3, 3): 6, (4, 2): 4},
    )  # fmt: skip
    splits, groups = exact_methods(small, [met])
    assert [(one.n_a, one.n_b, one.is_planned, one.fraction_answers) for one in splits] == [
        (4, 2, True, 0.4),
        (3, 3, False, 0.6),
    ]
    assert all(one.largest_level <= 0.05 + 1e-9 for one in splits)
    assert [one.n for one in groups] == [2, 3, 4]
    plain = tuple(one for one in small.analyses if one.estimand == "alc-29")
    assert exact_methods(small.model_copy(update={"analyses": plain}), []) == ((), ())


@pytest.mark.parametrize("name", ["iris-7", "iris-7c"])
def test_the_shipped_exact_methods_keep_their_promise(name: str) -> None:
    """Level at most 5 % and coverage at least 95 % at every split that the trials had, the planned one among them."""
    about = json.loads(files("sevenfold.design").joinpath("data", f"{name}.json").read_text(encoding="utf-8"))
    splits = about["exact tests over the nuisance grid"]
    assert splits[0]["is_planned"]
    assert splits[0]["least_coverage"] is not None
    assert all(0.0 < one["largest_level"] <= 0.05 + 1e-9 for one in splits)
    assert all(one["least_coverage"] is None or one["least_coverage"] >= 0.95 - ROUNDING for one in splits)
    groups = about["exact intervals of one proportion"]
    assert all(min(one["clopper_pearson"], one["blaker"]) >= 0.95 - ROUNDING for one in groups)


@given(
    response=st.lists(st.integers(0, 6), min_size=9, max_size=9),
    blocks=st.sampled_from([[3, 3, 3], [6, 3], [9]]),
)
@settings(max_examples=40, deadline=None)
def test_a_randomisation_test_attains_its_level_up_to_the_next_step(response: list[int], blocks: list[int]) -> None:
    """Every allocation of the blocks taken as the actual one: what is counted is what the test itself rejects, at most
    20 %, and with the next step of either tail more. (9 subjects of 2:1 have too few allocations for 5 % alone.)
    """
    actual = np.concatenate([np.arange(size) % 3 < 2 for size in blocks])
    block = np.repeat(np.arange(len(blocks)), blocks)
    redraws = enumerated(actual, block)
    found = attained(response, redraws, alpha=0.2)
    p_values = [randomisation_test(response, one, redraws).test.p_value for one in redraws.is_active]
    assert found.level == pytest.approx(np.mean(np.array(p_values) <= 0.2 + 1e-12))
    assert found.level <= 0.2 + 1e-12
    assert found.with_next > 0.2 - 1e-12


def test_what_a_randomisation_test_attains_has_a_closed_form_without_ties() -> None:
    """Rank sums of 3 against 3: 6 and 15 have one allocation each of 20, so 10 % is attained and 5 % is not."""
    redraws = enumerated(np.array([True, True, True, False, False, False]))
    assert redraws.n == comb(6, 3)
    assert attained([1, 2, 3, 4, 5, 6], redraws, alpha=0.1).level == pytest.approx(0.1)
    assert attained([1, 2, 3, 4, 5, 6], redraws).level == 0.0
    assert attained([1, 2, 3, 4, 5, 6], redraws).with_next == pytest.approx(0.1)
    assert isinstance(redraws, Redraws)
