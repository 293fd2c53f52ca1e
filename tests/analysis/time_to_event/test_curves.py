"""Kaplan-Meier, restricted means and cumulative incidence against R, lifelines, hand and closed forms."""

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
from sevenfold.analysis.time_to_event.cumulative_incidence import cumulative_incidence
from sevenfold.analysis.time_to_event.follow_up import FollowUp, landmark
from sevenfold.analysis.time_to_event.kaplan_meier import kaplan_meier
from sevenfold.analysis.time_to_event.restricted_mean import restricted_mean, restricted_mean_difference
from sevenfold.errors import InvalidInput, NotConverged

ROOT = Path(__file__).parents[3]
REFERENCE: dict[str, Any] = json.loads((ROOT / "tests/reference/analysis/analysis.json").read_text())["time_to_event"]
ACTG = ROOT.parent / "shared/datasets/rct/ACTG175.csv.gz"
DATA = REFERENCE["data"]
TRIAL = FollowUp.of(DATA["time"], DATA["cause"])
# Remission in weeks under 6-mercaptopurine, Freireich et al. 1963
MP6 = FollowUp.of(
    [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
)


def test_kaplan_meier_agrees_with_r() -> None:
    """R survival 3.5-3 survfit, conf.type = "log-log", 15 digits printed; nobody is left at the last event."""
    known, found = REFERENCE["km"], kaplan_meier(TRIAL)
    assert found.time_day.tolist() == known["time"]
    assert found.survival == pytest.approx(np.array(known["surv"]), rel=1e-12, abs=1e-15)
    inside = found.survival > 0
    for ours, theirs in ((found.se, known["se"]), (found.lower, known["lower"]), (found.upper, known["upper"])):
        kept = [float(x) for x, keep in zip(theirs, inside, strict=True) if keep]
        assert ours[inside] == pytest.approx(np.array(kept), rel=1e-11)
    median = found.median
    assert [median.time_day, median.lower_day, median.upper_day] == known["median"]


def test_the_textbook_curve() -> None:
    """Freireich's 6-MP arm: S(10) = 0.753, se 0.0963; median 23 weeks (Collett, Kalbfleisch and Prentice)."""
    found = kaplan_meier(MP6)
    survival, _ = found.at(10)
    assert survival == pytest.approx(18 / 21 * 16 / 17 * 14 / 15, rel=1e-12)
    assert found.se[list(found.time_day).index(10)] == pytest.approx(0.0963, abs=5e-5)
    assert found.median.time_day == 23
    assert found.median.upper_day is None


def test_without_censoring_it_is_the_share_alive_with_binomial_variance() -> None:
    """Closed form."""
    found = kaplan_meier(FollowUp.of(np.arange(1, 21), np.ones(20)))
    share = 1 - np.arange(1, 21) / 20
    assert found.survival == pytest.approx(share, abs=1e-12)
    assert found.se == pytest.approx(np.sqrt(share * (1 - share) / 20), abs=1e-12)
    assert found.median.time_day == 10.5  # the middle of the stretch at exactly a half, as R and SAS have it


def test_bands_that_do_not_exist_are_from_0_to_1() -> None:
    """Before the first event, and where nobody is left."""
    found = kaplan_meier(FollowUp.of([3.0, 5.0], [1, 1]))
    assert found.at(1.0)[0] == 1.0
    for day in (1.0, 7.0):
        interval = found.at(day)[1]
        assert (interval.lower, interval.upper) == (0.0, 1.0)
    nobody = kaplan_meier(FollowUp.of([3.0, 5.0], [0, 0]))
    assert nobody.at(4.0)[0] == 1.0
    assert nobody.median.time_day is None


@pytest.mark.parametrize("arm", [0, 1])
def test_restricted_means_agree_with_r(arm: int) -> None:
    """R survival summary(survfit, rmean = 40)."""
    inside = np.array(DATA["arm"]) == arm
    found = restricted_mean(TRIAL.of_patients(inside), 40).effect
    known = REFERENCE["rmst40"]
    assert (found.estimate, found.se) == pytest.approx((known["mean"][arm], known["se"][arm]), rel=1e-11)


def test_the_difference_of_restricted_means() -> None:
    """Closed form: variances add."""
    found = restricted_mean_difference(TRIAL, DATA["arm"], ("1", "0"), 40).effect
    known = REFERENCE["rmst40"]
    assert found.estimate == pytest.approx(known["mean"][1] - known["mean"][0], rel=1e-10)
    assert found.se == pytest.approx(np.hypot(*known["se"]), rel=1e-10)


def test_a_restricted_mean_without_censoring_is_the_mean_of_the_shortened_times() -> None:
    """Closed form: E min(T, τ), with the variance of a mean that divides by n²."""
    time = default_rng(1).exponential(10, 50)
    found = restricted_mean(FollowUp.of(time, np.ones(50)), 8.0).effect
    shortened = np.minimum(time, 8.0)
    assert found.estimate == pytest.approx(shortened.mean(), rel=1e-12)
    assert found.se == pytest.approx(shortened.std() / np.sqrt(50), rel=1e-12)


def test_actg_175_agrees_with_lifelines() -> None:
    """By lifelines 0.30.3 (tests/reference/analysis/actg175.py): 2,139 patients."""
    if not ACTG.exists():
        pytest.skip("shared/datasets/rct/ACTG175.csv.gz is not beside this checkout")
    trial = pl.read_csv(gzip.decompress(ACTG.read_bytes()), null_values=["NA", ""], infer_schema_length=3000)
    known = json.loads((ROOT / "tests/reference/analysis/actg175.json").read_text())
    everybody = FollowUp.of(trial["days"], trial["cens"])
    curve = kaplan_meier(everybody)
    for k, day in enumerate(known["km"]["day"]):
        survival, interval = curve.at(day)
        assert survival == pytest.approx(known["km"]["survival"][k], rel=1e-10)
        assert (interval.lower, interval.upper) == pytest.approx(
            (known["km"]["lower"][k], known["km"]["upper"][k]), rel=1e-8
        )
    for active in (0, 1):
        inside = (trial["arms"].to_numpy() > 0) == active
        found = restricted_mean(everybody.of_patients(inside), 1000).effect
        assert found.estimate == pytest.approx(known["rmst1000"][active], rel=1e-10)


@pytest.mark.parametrize("cause", [1, 2])
def test_cumulative_incidence_agrees_with_r(cause: int) -> None:
    """R etm 1.1.1: estimate and Greenwood-type variance at every time."""
    known, found = REFERENCE[f"cif{cause}"], cumulative_incidence(TRIAL, cause)
    for time, share, variance in zip(known["time"], known["p"], known["var"], strict=True):
        i = int(np.searchsorted(found.time_day, time, side="right")) - 1
        assert found.incidence[i] == pytest.approx(share, rel=1e-11)
        assert found.se[i] ** 2 == pytest.approx(variance, rel=1e-9, abs=1e-15)


def test_without_competing_causes_it_is_one_less_the_survival() -> None:
    """Law: estimate and standard error are Kaplan-Meier's and Greenwood's."""
    single = FollowUp.of(TRIAL.time_day, TRIAL.is_event)
    curve, found = kaplan_meier(single), cumulative_incidence(single)
    assert found.incidence == pytest.approx(1 - curve.survival, abs=1e-12)
    left = curve.survival > 0
    assert found.se[left] == pytest.approx(curve.se[left], rel=1e-8)


def test_incidences_and_survival_make_up_everybody() -> None:
    """Counting."""
    any_cause = kaplan_meier(TRIAL)
    both = cumulative_incidence(TRIAL, 1).incidence + cumulative_incidence(TRIAL, 2).incidence
    assert both + any_cause.survival == pytest.approx(np.ones(len(both)), abs=1e-12)


def test_the_log_log_band_of_an_incidence() -> None:
    """Closed form: F^exp(∓ z se/(F |log F|)); 0 to 1 until the cause's first event."""
    found = cumulative_incidence(TRIAL, 2)
    share, interval = found.at(30)
    i = int(np.searchsorted(found.time_day, 30, side="right")) - 1
    half = 1.959963984540054 * found.se[i] / (share * abs(np.log(share)))
    assert (interval.lower, interval.upper) == pytest.approx((share ** np.exp(half), share ** np.exp(-half)), rel=1e-12)
    before = found.at(0.5)[1]
    assert (before.lower, before.upper) == (0.0, 1.0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
def test_laws(seed: int, scale: float) -> None:
    """Order doesn't matter; a unit of time scales time only; both are monotone."""
    rng = default_rng(seed)
    time, cause = rng.integers(1, 15, 20), rng.integers(0, 3, 20)
    order = rng.permutation(20)
    curve, moved = kaplan_meier(FollowUp.of(time, cause)), kaplan_meier(FollowUp.of(time[order], cause[order]))
    assert (curve.survival == moved.survival).all()
    scaled = cumulative_incidence(FollowUp.of(scale * time, cause))
    plain = cumulative_incidence(FollowUp.of(time, cause))
    assert (scaled.incidence == plain.incidence).all()
    assert scaled.time_day == pytest.approx(scale * plain.time_day, rel=1e-12)
    assert (np.diff(plain.incidence) >= 0).all()
    assert ((plain.lower <= plain.incidence) & (plain.incidence <= plain.upper)).all()


def test_a_landmark_keeps_those_at_risk_and_restarts_the_clock() -> None:
    """Someone whose follow-up ended on the landmark isn't at risk after it."""
    at_risk, after = landmark(FollowUp.of([5.0, 7.0, 9.0, 30.0], [1, 0, 2, 1]), 7.0)
    assert at_risk.tolist() == [False, False, True, True]
    assert after.time_day.tolist() == [2.0, 23.0]
    assert after.cause.tolist() == [2, 1]


def test_a_horizon_beyond_follow_up_is_a_status() -> None:
    """And so is an arm without events: nothing measures the spread."""
    found = restricted_mean(FollowUp.of([5.0, 9.0], [1, 0]), 10.0)
    assert found.fit.status is Status.NOT_ESTIMABLE
    with pytest.raises(NotConverged, match="ends on day 9"):
        _ = found.effect
    assert restricted_mean(FollowUp.of([12.0, 19.0], [0, 1]), 10.0).fit.status is Status.SEPARATED
    difference = restricted_mean_difference(FollowUp.of([12.0, 12.0, 4.0], [0, 1, 1]), ["a", "b", "b"], ("a", "b"), 10)
    assert difference.fit.status is Status.SEPARATED


def test_what_cannot_be_is_refused() -> None:
    """The message says what was found."""
    with pytest.raises(InvalidInput, match="negative at positions 1"):
        FollowUp.of([1.0, -1.0], [0, 1])
    with pytest.raises(InvalidInput, match="0 for censored"):
        FollowUp.of([1.0, 1.0], [0, 1.5])
    with pytest.raises(InvalidInput, match="for 2 patients"):
        FollowUp.of([1.0, 1.0], [0])
    with pytest.raises(InvalidInput, match="causes count from 1"):
        cumulative_incidence(TRIAL, 0)
    with pytest.raises(InvalidInput, match="the arms are 0, 1"):
        restricted_mean_difference(TRIAL, DATA["arm"], ("2", "0"), 40)
    with pytest.raises(InvalidInput, match="landmark"):
        landmark(TRIAL, -1.0)
