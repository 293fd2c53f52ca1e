"""Trials of 2 to 8 patients: every estimator ends in finite numbers or in a status, never in nan or an exception."""

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from sevenfold.analysis.ancova import Ancova, Contrast, StandardError
from sevenfold.analysis.column import Integers
from sevenfold.analysis.effect import Effect
from sevenfold.analysis.priority import Survived, Valued, win_statistics
from sevenfold.analysis.survivor import survivor_bounds, survivor_effect
from sevenfold.analysis.time_to_event.cox import Variance, cox
from sevenfold.analysis.time_to_event.cumulative_incidence import cumulative_incidence
from sevenfold.analysis.time_to_event.follow_up import FollowUp
from sevenfold.analysis.time_to_event.gray import gray
from sevenfold.analysis.time_to_event.kaplan_meier import kaplan_meier
from sevenfold.analysis.time_to_event.log_rank import log_rank
from sevenfold.analysis.time_to_event.restricted_mean import restricted_mean_difference
from sevenfold.analysis.truncation import Monotone

SEEDS = range(400)


def trial(seed: int) -> tuple[Generator, int, FollowUp, Integers, Integers]:
    rng = default_rng(seed)
    n = int(rng.integers(2, 9))
    follow_up = FollowUp.of(rng.integers(0, 5, n), rng.integers(0, 3, n))
    return rng, n, follow_up, rng.permutation(n) % 2, rng.integers(0, 2, n)


def is_sound(effect: Effect) -> bool:
    return bool(np.isfinite(effect.estimate) and np.isfinite(effect.se) and effect.se > 0 and 0 <= effect.p_value <= 1)


@pytest.mark.parametrize("variance", Variance)
def test_time_to_event(variance: Variance) -> None:
    """Curves, tests, the Cox model with nearly collinear covariates, restricted means; with and without strata."""
    for seed in SEEDS:
        rng, n, follow_up, arm, stratum = trial(seed)
        strata = stratum if seed % 2 else None
        curve, share = kaplan_meier(follow_up), cumulative_incidence(follow_up)
        assert all(
            np.isfinite(c).all() for c in (curve.se, curve.lower, curve.upper, share.se, share.lower, share.upper)
        )
        for found in (log_rank(follow_up, arm, strata), gray(follow_up, arm, 1, strata)):
            assert (found.tested is not None) is found.fit.is_ok
        model = cox(follow_up, {"arm": arm, "x": rng.normal(size=n)}, strata=strata, variance=variance)
        assert len(model.effects) == (2 if model.fit.is_ok else 0)
        assert all(is_sound(e) for e in model.effects)
        mean = restricted_mean_difference(follow_up, arm, ("0", "1"), 3)
        assert mean.estimated is None or is_sound(mean.estimated)


def test_values_and_survivors() -> None:
    """ANCOVA with either standard error, survivors, wins."""
    contrast = Contrast(name="1 - 0", weights={"1": 1.0, "0": -1.0})
    for seed in SEEDS:
        rng, n, follow_up, arm, stratum = trial(seed)
        is_alive = rng.random(n) < 0.7
        outcome = np.where(is_alive, rng.integers(0, 4, n), np.nan)
        for error in StandardError:
            fit = Ancova(arms=("0", "1"), contrasts=(contrast,), standard_error=error).fit(
                rng.integers(0, 4, n), arm, covariates={"x": follow_up.time_day}, factors={"stratum": stratum}
            )
            assert len(fit.effects) == fit.fit.is_ok
            assert all(is_sound(e) for e in fit.effects)
        monotone = list(Monotone)[seed % 3]
        bounds = survivor_bounds(outcome, arm == 1, is_alive, monotone=monotone, rng=rng, n_resamples=10)
        assert bounds.fit.is_ok is (bounds.interval_found is not None)
        if monotone is not Monotone.NONE:
            effect = survivor_effect(outcome, arm == 1, is_alive, monotone=monotone, sensitivity=1.0)
            assert effect.estimated is None or is_sound(effect.estimated)
        wins = win_statistics(
            [Survived.of(follow_up.time_day, follow_up.is_event), Valued.of(outcome)],
            arm == 1,
            stratum if seed % 2 else None,
        )
        assert all(
            e is None or is_sound(e) for e in (wins.log_win_ratio, wins.log_win_odds, wins.net_benefit_estimated)
        )
