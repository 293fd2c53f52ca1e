"""Cox's model against R, lifelines, the log-rank test, differences and laws."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from sevenfold.analysis.effect import Status
from sevenfold.analysis.time_to_event.cox import CoxFit, Variance, cox
from sevenfold.analysis.time_to_event.follow_up import FollowUp
from sevenfold.analysis.time_to_event.log_rank import log_rank
from sevenfold.analysis.time_to_event.partial_likelihood import RiskSets, likelihood, score_residuals
from sevenfold.errors import InvalidInput, NotConverged

ROOT = Path(__file__).parents[3]
REFERENCE: dict[str, Any] = json.loads((ROOT / "tests/reference/analysis/analysis.json").read_text())["time_to_event"]
ACTG = ROOT.parent / "shared/datasets/rct/ACTG175.csv.gz"
DATA = REFERENCE["data"]
STRATUM = "strat"  # codespell:ignore strat
TRIAL = FollowUp.of(DATA["time"], DATA["dead"])


@pytest.mark.parametrize(
    ("key", "names", "is_stratified", "variance"),
    [
        ("cox", ("arm", "age", "score"), False, Variance.MODEL),
        ("cox_stratified", ("arm", "age", "score"), True, Variance.MODEL),
        ("cox_robust", ("arm", "age", "score"), False, Variance.ROBUST),
        ("cox_stratified_robust", ("arm", "age"), True, Variance.ROBUST),
    ],
)
def test_estimates_and_tests_agree_with_r(
    key: str, names: tuple[str, ...], is_stratified: bool, variance: Variance
) -> None:
    """R survival 3.5-3 coxph (Efron), 15 digits printed; it stops at a relative gain in likelihood of 1e-9."""
    known = REFERENCE[key]
    strata = DATA["site"] if is_stratified else None
    found = cox(TRIAL, {name: DATA[name] for name in names}, strata=strata, variance=variance)
    assert [e.estimate for e in found.effects] == pytest.approx(known["coef"], rel=1e-6)
    assert [e.se for e in found.effects] == pytest.approx(known["se"], rel=1e-6)
    assert found.log_likelihood == pytest.approx(known["loglik"], rel=1e-12)
    assert found.likelihood_ratio_test.statistic == pytest.approx(known["lr"], rel=1e-9)
    assert found.score_test.statistic == pytest.approx(known["score"], rel=1e-9)
    assert found.wald_test.statistic == pytest.approx(known["wald"], rel=1e-6)


def test_the_trial_of_freireich() -> None:
    """R survival prints log hazard ratio 1.5721, se 0.4124, likelihood ratio 16.35 for 6-MP against placebo (Efron)."""
    time = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    time += [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    event = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0] + [1] * 21
    found = cox(FollowUp.of(time, event), {"placebo": [0] * 21 + [1] * 21})
    assert found.effect("placebo").estimate == pytest.approx(1.5721, abs=5e-5)
    assert found.effect("placebo").se == pytest.approx(0.4124, abs=5e-5)
    assert found.likelihood_ratio_test.statistic == pytest.approx(16.35, abs=5e-3)
    assert found.hazard_ratio("placebo").estimate == pytest.approx(4.817, abs=5e-4)


@pytest.mark.parametrize("key", ["cox", "cox_robust", "cox_stratified"])
def test_actg_175_agrees_with_lifelines(key: str) -> None:
    """By lifelines 0.30.3 (tests/reference/analysis/actg175.py): 2,139 patients, 521 events, few ties."""
    if not ACTG.exists():
        pytest.skip("shared/datasets/rct/ACTG175.csv.gz is not beside this checkout")
    trial = pl.read_csv(gzip.decompress(ACTG.read_bytes()), null_values=["NA", ""], infer_schema_length=3000)
    known = json.loads((ROOT / "tests/reference/analysis/actg175.json").read_text())
    found = cox(
        FollowUp.of(trial["days"], trial["cens"]),
        {"active": trial["arms"] > 0, "cd4": trial["cd40"] / 100, "age": trial["age"]},
        strata=trial[STRATUM] if key == "cox_stratified" else None,
        variance=Variance.ROBUST if key == "cox_robust" else Variance.MODEL,
    )
    digits = 3e-4 if key == "cox_robust" else 1e-7  # lifelines treats ties otherwise in its robust variance; R doesn't
    if key == "cox_robust":
        r = [0.0935920427854712, 0.0458622938161270, 0.0051593038383232]  # R survival 3.5-3 coxph(robust = TRUE)
        assert [e.se for e in found.effects] == pytest.approx(r, rel=1e-10)
    for name in found.names:
        assert found.effect(name).estimate == pytest.approx(known[key]["coef"][name], rel=1e-7)
        assert found.effect(name).se == pytest.approx(known[key]["se"][name], rel=digits)
    assert found.log_likelihood[1] == pytest.approx(known[key]["log_likelihood"], rel=1e-10)
    log_rank_of_arms = log_rank(FollowUp.of(trial["days"], trial["cens"]), trial["arms"]).test
    assert log_rank_of_arms.statistic == pytest.approx(known["log_rank"], rel=1e-9)


def test_without_ties_the_score_test_is_the_log_rank_test() -> None:
    """Closed form."""
    rng = default_rng(3)
    trial, arm = FollowUp.of(rng.exponential(5, 40), rng.random(40) < 0.7), np.arange(40) % 2
    assert cox(trial, {"arm": arm}).score_test.statistic == pytest.approx(
        log_rank(trial, arm).test.statistic, rel=1e-10
    )


def test_derivatives_are_those_of_the_likelihood() -> None:
    """Two ways: central differences of value and score; residuals sum to the score."""
    rng = default_rng(4)
    x = rng.normal(size=(30, 2))
    trial = FollowUp.of(rng.integers(1, 8, 30), rng.random(30) < 0.6)
    sets = RiskSets.by_stratum(trial, x, np.repeat(["a", "b"], 15))
    beta, h = np.array([0.4, -0.7]), 1e-5
    at = likelihood(sets, beta)
    for k in range(2):
        up, down = (likelihood(sets, beta + d * h * np.eye(2)[k]) for d in (1, -1))
        assert at.score[k] == pytest.approx((up.value - down.value) / (2 * h), rel=1e-7)
        assert -at.information[k] == pytest.approx((up.score - down.score) / (2 * h), rel=1e-7)
    assert score_residuals(sets, beta).sum(axis=0) == pytest.approx(at.score, rel=1e-10)


def test_a_hazard_ratio_is_recovered() -> None:
    """Recovery within four standard errors: log 0.5 with 20,000 patients."""
    rng = default_rng(5)
    active = np.arange(20_000) % 2
    time = rng.exponential(1 / (0.02 * 0.5**active))
    effect = cox(FollowUp.of(np.minimum(time, 60), time < 60), {"active": active}).effect("active")
    assert abs(effect.estimate - np.log(0.5)) < 4 * effect.se


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
def test_laws(seed: int, scale: float) -> None:
    """Swapping arms mirrors; a covariate's unit and origin, the unit of time and the order of patients don't matter."""
    rng = default_rng(seed)
    n = 40
    time, event = rng.integers(1, 12, n), rng.random(n) < 0.7
    arm, x, order = rng.permutation(n) % 2, rng.normal(size=n), rng.permutation(n)

    def fit(t: Any, e: Any, a: Any, x: Any) -> CoxFit:
        return cox(FollowUp.of(t, e), {"arm": a, "x": x}, variance=Variance.ROBUST)

    found = fit(time, event, arm, x).effect("arm")
    for other, sign in (
        (fit(time, event, 1 - arm, x), -1),
        (fit(scale * time, event, arm, 3 + scale * x), 1),
        (fit(time[order], event[order], arm[order], x[order]), 1),
    ):
        assert other.effect("arm").estimate == pytest.approx(sign * found.estimate, rel=1e-6, abs=1e-8)
        assert other.effect("arm").se == pytest.approx(found.se, rel=1e-6)


def test_separation_is_a_status_and_the_score_test_stands() -> None:
    """All events in one arm: the hazard ratio is infinite, the evidence isn't."""
    found = cox(FollowUp.of([1, 2, 3, 4, 9, 9, 9, 9], [1, 1, 1, 1, 0, 0, 0, 0]), {"arm": [1, 1, 1, 1, 0, 0, 0, 0]})
    assert found.fit.status is Status.SEPARATED
    with pytest.raises(NotConverged):
        found.hazard_ratio("arm")
    with pytest.raises(NotConverged):
        _ = found.wald_test
    assert found.score_test.p_value < 0.05


@pytest.mark.parametrize(
    ("cause", "x", "status"),
    [
        ([0, 0, 0, 0], [1, 0, 1, 0], Status.NOT_ESTIMABLE),
        ([1, 1, 1, 0], [1, 1, 1, 1], Status.SINGULAR),
        ([0, 0, 1, 1], [1, 2, 0, 0], Status.SINGULAR),
    ],
)
def test_what_cannot_be_estimated_is_a_status(cause: list[int], x: list[int], status: Status) -> None:
    """Nobody had the event; a constant covariate; one that was constant while anybody had an event ahead."""
    found = cox(FollowUp.of([1, 2, 3, 4], cause), {"x": x})
    assert found.fit.status is status
    assert found.effects == ()


def test_a_repeated_covariate_is_singular() -> None:
    """Combinations are found at no effect."""
    x = default_rng(1).normal(size=20)
    trial = FollowUp.of(np.arange(1, 21), np.ones(20))
    assert cox(trial, {"x": x, "twice": 2 * x}).fit.status is Status.SINGULAR
    with pytest.raises(InvalidInput, match="no covariate"):
        cox(trial, {})
    with pytest.raises(InvalidInput, match="they are x"):
        cox(trial, {"x": x}).effect("y")
