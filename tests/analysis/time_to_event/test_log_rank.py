"""Log-rank and Gray's test against R, published values, permutations and laws."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from sevenfold.analysis.effect import Status
from sevenfold.analysis.time_to_event.follow_up import FollowUp
from sevenfold.analysis.time_to_event.gray import gray
from sevenfold.analysis.time_to_event.log_rank import log_rank
from sevenfold.errors import InvalidInput, NotConverged

ROOT = Path(__file__).parents[3]
REFERENCE: dict[str, Any] = json.loads((ROOT / "tests/reference/analysis/analysis.json").read_text())["time_to_event"]
DATA = REFERENCE["data"]
TRIAL = FollowUp.of(DATA["time"], DATA["cause"])
# Remission in weeks, Freireich et al. 1963: 6-mercaptopurine, then placebo
FREIREICH = FollowUp.of(
    [
        *(6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35),
        *(1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23),
    ],
    [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0] + [1] * 21,
)


def test_the_log_rank_test_agrees_with_r() -> None:
    """R survival 3.5-3 survdiff: two groups, strata, three groups."""
    assert log_rank(TRIAL, DATA["arm"]).test.statistic == pytest.approx(REFERENCE["logrank"], rel=1e-11)
    stratified = log_rank(TRIAL, DATA["arm"], DATA["site"]).test
    assert stratified.statistic == pytest.approx(REFERENCE["logrank_stratified"], rel=1e-11)
    three = log_rank(TRIAL, DATA["site"])
    assert three.test.statistic == pytest.approx(REFERENCE["logrank_three"], rel=1e-11)
    assert three.test.df == 2
    assert three.observed.tolist() == REFERENCE["logrank_observed"]
    assert three.expected == pytest.approx(np.array(REFERENCE["logrank_expected"]), rel=1e-11)


def test_the_trial_of_freireich() -> None:
    """Observed 9 and 21, expected 19.25 and 10.75, chi-squared 16.79 (Kleinbaum and Klein; R survdiff prints 16.8)."""
    found = log_rank(FREIREICH, ["6-MP"] * 21 + ["placebo"] * 21)
    assert found.observed.tolist() == [9, 21]
    assert found.expected == pytest.approx([19.25, 10.75], abs=0.005)
    assert found.test.statistic == pytest.approx(16.79, abs=0.005)


@pytest.mark.parametrize("cause", [1, 2])
def test_grays_test_agrees_with_r(cause: int) -> None:
    """R cmprsk 2.2-11 cuminc: two groups, three groups, strata; with ties."""
    for group, strata, key in (("arm", None, "gray"), ("site", None, "gray_three"), ("arm", "site", "gray_stratified")):
        found = gray(TRIAL, DATA[group], cause, None if strata is None else DATA[strata]).test
        assert found.statistic == pytest.approx(REFERENCE[key][cause - 1], rel=1e-8)


@pytest.mark.parametrize(
    ("time", "group", "cause", "statistic"),
    [
        ([1, 2, 2, 2, 5, 6], [0, 1, 0, 1, 0, 1], [1, 1, 1, 0, 1, 1], 1.7671830624),
        ([1, 2, 2, 3, 4, 5, 6, 7], [0, 1, 1, 1, 0, 0, 0, 1], [1, 2, 2, 1, 1, 1, 1, 1], 2.51456144561),
        ([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1], 4.82093827281),
        ([1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 2, 1, 1, 2, 1, 1], 3.774030016686),
    ],
)
def test_grays_test_of_few_patients_agrees_with_r(
    time: list[int], group: list[int], cause: list[int], statistic: float
) -> None:
    """R cmprsk 2.2-11 cuminc, 12 digits printed: ties, tied competing events, complete separation."""
    assert gray(FollowUp.of(time, cause), group).test.statistic == pytest.approx(statistic, rel=1e-11)


def test_grays_variance_is_that_of_exchanged_groups() -> None:
    """Two ways: 2,000 permutations of 200 patients; five errors of a variance and 5 % for what is asymptotic."""
    rng = default_rng(6)
    n = 200
    trial = FollowUp.of(np.minimum(time := rng.exponential(10, n), 15), np.where(time < 15, rng.integers(1, 3, n), 0))
    group = np.arange(n) % 2
    scores = [gray(trial, rng.permutation(group)).score[0] for _ in range(2000)]
    assert gray(trial, group).covariance[0, 0] == pytest.approx(np.var(scores), rel=5 * np.sqrt(2 / 2000) + 0.05)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_laws(seed: int) -> None:
    """Names of groups, order of patients and the unit of time change no test; sums over groups are zero."""
    rng = default_rng(seed)
    time, cause = rng.integers(1, 12, 24), rng.integers(0, 3, 24)
    group, order = rng.integers(0, 3, 24), rng.permutation(24)
    for test in (log_rank, gray):
        if len(np.unique(group)) < 2:
            continue
        found = test(FollowUp.of(time, cause), group)
        others = (
            test(FollowUp.of(time[order], cause[order]), group[order]),
            test(FollowUp.of(7.5 * time, cause), group),
            test(FollowUp.of(time, cause), np.array(["z", "m", "a"])[group]),
        )
        for other in others:
            assert other.fit.status is found.fit.status
            if found.fit.is_ok:
                assert other.test.statistic == pytest.approx(found.test.statistic, rel=1e-6, abs=1e-9)
    found_log_rank = log_rank(FollowUp.of(time, cause), group) if len(np.unique(group)) > 1 else None
    if found_log_rank is not None:
        assert found_log_rank.observed.sum() == pytest.approx(found_log_rank.expected.sum(), rel=1e-12)


def test_nothing_to_compare_is_a_status() -> None:
    """No event, or groups that were never at risk together."""
    for found in (log_rank(FollowUp.of([1, 2], [0, 0]), [0, 1]), gray(FollowUp.of([1, 2], [0, 0]), [0, 1])):
        assert found.fit.status is Status.NOT_ESTIMABLE
        with pytest.raises(NotConverged):
            _ = found.test
    with pytest.raises(InvalidInput, match="a comparison needs two"):
        log_rank(FollowUp.of([1, 2], [1, 1]), ["a", "a"])
