"""Bounds and estimates in always-survivors: closed forms, a simulated truth, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.special import ndtri

from sevenfold.analysis.column import Flags, Numbers
from sevenfold.analysis.effect import Status
from sevenfold.analysis.survivor import survivor_bounds, survivor_effect
from sevenfold.analysis.truncation import Bounds, Monotone
from sevenfold.errors import InvalidInput, NotConverged

NAN = np.nan
ACTIVE = np.arange(10) < 5
#         active: 4 of 5 survive           control: 2 of 5 survive
OUTCOME = np.array([1.0, 2.0, 3.0, 10.0, NAN, 4.0, 6.0, NAN, NAN, NAN])
ALIVE = ~np.isnan(OUTCOME)


def test_lee_bounds_by_hand() -> None:
    """With q = (2/5)/(4/5) = 1/2, the lower half of the active survivors has mean 1.5, the upper 6.5; control 5."""
    found = survivor_bounds(
        OUTCOME, ACTIVE, ALIVE, monotone=Monotone.NEVER_HARMS, rng=default_rng(1), n_resamples=200
    ).bounds
    assert (found.lower, found.upper, found.fraction_always) == pytest.approx((1.5 - 5, 6.5 - 5, 0.4), rel=1e-12)


def test_bounds_without_monotonicity_by_hand() -> None:
    """π = 4/5 + 2/5 - 1 = 1/5: q_1 = 1/4, q_0 = 1/2: from 1 - 6 to 10 - 4."""
    found = survivor_bounds(OUTCOME, ACTIVE, ALIVE, monotone=Monotone.NONE, rng=default_rng(1), n_resamples=50)
    assert found.found is not None
    assert (found.found.lower, found.found.upper) == pytest.approx((1 - 6, 10 - 4), rel=1e-12)


def test_a_fraction_of_a_patient_counts_in_part() -> None:
    """3 of 4 against 2 of 4 survive: q = 2/3 of three patients is two; 2 of 3 against 3 of 4: q_0 = 8/9 of 3."""
    y = np.array([1.0, 2.0, 6.0, NAN, 3.0, 5.0, NAN, NAN])
    bounds = survivor_bounds(
        y, np.arange(8) < 4, ~np.isnan(y), monotone=Monotone.NEVER_HARMS, rng=default_rng(2), n_resamples=50
    ).found
    assert bounds is not None
    assert (bounds.lower, bounds.upper) == pytest.approx((1.5 - 4, 4 - 4), abs=1e-12)
    y = np.array([1.0, 2.0, NAN, 3.0, 4.0, 8.0, NAN])
    bounds = survivor_bounds(
        y, np.arange(7) < 3, ~np.isnan(y), monotone=Monotone.NEVER_SAVES, rng=default_rng(2), n_resamples=50
    ).found
    assert bounds is not None
    low, high = (3 + 4 + 2 / 3 * 8) / (8 / 3), (8 + 4 + 2 / 3 * 3) / (8 / 3)
    assert (bounds.lower, bounds.upper) == pytest.approx((1.5 - high, 1.5 - low), rel=1e-12)


def test_if_nobody_dies_the_bounds_meet_at_the_difference_of_means() -> None:
    """Closed form; the interval is then the ordinary one, two-sided, with the bootstrap's standard error."""
    rng = default_rng(3)
    y, active = rng.normal(size=60), np.arange(60) < 30
    alive = np.ones(60, dtype=bool)
    found = survivor_bounds(y, active, alive, monotone=Monotone.NONE, rng=rng, n_resamples=4000)
    difference = y[active].mean() - y[~active].mean()
    assert (found.bounds.lower, found.bounds.upper) == pytest.approx((difference, difference), abs=1e-12)
    se = np.sqrt(y[active].var() / 30 + y[~active].var() / 30)
    half = found.interval.upper - difference
    assert half == pytest.approx(ndtri(0.975) * se, rel=5 / np.sqrt(2 * 4000))  # five errors of a standard deviation


def test_wide_bounds_take_the_one_sided_quantile() -> None:
    """Imbens and Manski: far apart, each end may miss with the whole of 1 - level."""
    rng = default_rng(4)
    y = np.concatenate([rng.normal(0, 1, 70), np.full(30, NAN), rng.normal(0, 1, 40), np.full(60, NAN)])
    active, alive = np.arange(200) < 100, ~np.isnan(y)
    found = survivor_bounds(y, active, alive, monotone=Monotone.NEVER_HARMS, rng=default_rng(9), n_resamples=500)
    again = survivor_bounds(
        y, active, alive, monotone=Monotone.NEVER_HARMS, rng=default_rng(9), n_resamples=500, level=0.90
    )
    ratio = (found.bounds.lower - found.interval.lower) / (again.bounds.lower - again.interval.lower)
    assert ratio == pytest.approx(ndtri(0.95) / ndtri(0.90), rel=1e-6)


def simulated(n: int, seed: int) -> tuple[Numbers, Flags, Flags]:
    """Half always survive (effect 1, mean 3 on control), a fifth are saved (mean 2 under treatment)."""
    rng = default_rng(seed)
    stratum = rng.choice(["always", "saved", "never"], n, p=[0.5, 0.2, 0.3])
    active = np.arange(n) % 2 == 0
    alive = (stratum == "always") | ((stratum == "saved") & active)
    mean = np.where(stratum == "always", 3.0 + active, 2.0)
    return np.where(alive, mean + rng.normal(size=n), NAN), active, alive


def test_the_truth_is_recovered_and_bounded() -> None:
    """Effect 1 in always-survivors, who lie ε = 4 - 2 = 2 above the saved; four standard errors of 40,000 patients."""
    y, active, alive = simulated(40_000, seed=7)
    effect = survivor_effect(y, active, alive, monotone=Monotone.NEVER_HARMS, sensitivity=2.0).effect
    assert abs(effect.estimate - 1.0) < 4 * effect.se
    naive = survivor_effect(y, active, alive, monotone=Monotone.NEVER_HARMS, sensitivity=0.0).effect
    assert naive.estimate < 0.6
    bounds = survivor_bounds(y, active, alive, monotone=Monotone.NEVER_HARMS, rng=default_rng(1), n_resamples=20).bounds
    assert bounds.lower < 1.0 < bounds.upper


@pytest.mark.slow
def test_intervals_cover_over_repeated_trials() -> None:
    """400 trials of 120 patients: at least 95 % less three binomial errors, for the estimate and for the bounds."""
    n_covered = np.zeros(2)
    for k in range(400):
        y, active, alive = simulated(120, seed=k)
        effect = survivor_effect(y, active, alive, monotone=Monotone.NEVER_HARMS, sensitivity=2.0).effect
        low, high = effect.interval()
        interval = survivor_bounds(
            y, active, alive, monotone=Monotone.NEVER_HARMS, rng=default_rng(k), n_resamples=300
        ).interval
        n_covered += [low <= 1.0 <= high, 1.0 in interval]
    assert (n_covered / 400 >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 400)).all()


def test_the_standard_error_of_the_estimate_agrees_with_a_bootstrap() -> None:
    """Two ways, within five errors of the standard deviation of 1,000 resamples and 1/√n for the delta method."""
    y, active, alive = simulated(1000, seed=3)
    effect = survivor_effect(y, active, alive, monotone=Monotone.NEVER_HARMS, sensitivity=2.0).effect
    rng, found = default_rng(8), []
    for _ in range(1000):
        i = np.concatenate([rng.choice(np.flatnonzero(active == a), 500) for a in (True, False)])
        drawn = survivor_effect(y[i], active[i], alive[i], monotone=Monotone.NEVER_HARMS, sensitivity=2.0)
        found.append(drawn.effect.estimate)
    assert np.std(found) == pytest.approx(effect.se, rel=5 / np.sqrt(2000) + 1 / np.sqrt(1000))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 10), epsilon=st.floats(-3, 3))
def test_laws(seed: int, scale: float, epsilon: float) -> None:
    """Bounds widen without the assumption; swapping arms mirrors; scaling scales; order doesn't matter."""
    y, active, alive = simulated(60, seed=seed)
    order = default_rng(seed).permutation(60)

    def bounds(y: Numbers, active: Flags, alive: Flags, monotone: Monotone) -> Bounds | None:
        return survivor_bounds(y, active, alive, monotone=monotone, rng=default_rng(1), n_resamples=3).found

    narrow = bounds(y, active, alive, Monotone.NEVER_HARMS)
    wide = bounds(y, active, alive, Monotone.NONE)
    scaled = bounds(scale * y, active, alive, Monotone.NEVER_HARMS)
    swapped = bounds(y, ~active, alive, Monotone.NEVER_SAVES)
    assert narrow is not None
    assert scaled is not None
    assert swapped is not None
    assert wide is None or (wide.lower <= narrow.lower + 1e-12 and narrow.upper <= wide.upper + 1e-12)
    assert (-swapped.upper, -swapped.lower) == pytest.approx((narrow.lower, narrow.upper), abs=1e-12)
    assert (scaled.lower, scaled.upper) == pytest.approx((scale * narrow.lower, scale * narrow.upper), abs=1e-9)
    assert bounds(y[order], active[order], alive[order], Monotone.NEVER_HARMS) == narrow
    one = survivor_effect(y, active, alive, monotone=Monotone.NEVER_HARMS, sensitivity=epsilon).effect
    other = survivor_effect(y, ~active, alive, monotone=Monotone.NEVER_SAVES, sensitivity=epsilon).effect
    assert (other.estimate, other.se) == pytest.approx((-one.estimate, one.se), abs=1e-12)


def test_the_same_generator_gives_the_same_interval() -> None:
    """Randomness is an argument."""
    first, second = (
        survivor_bounds(OUTCOME, ACTIVE, ALIVE, monotone=Monotone.NEVER_HARMS, rng=default_rng(5), n_resamples=100)
        for _ in range(2)
    )
    assert first == second


def test_what_the_data_cannot_say_is_a_status() -> None:
    """Nothing becomes nan; a contradicted assumption is told."""
    few = np.array([1.0, NAN, NAN, 2.0, NAN, NAN])
    found = survivor_bounds(few, np.arange(6) < 3, ~np.isnan(few), monotone=Monotone.NONE, rng=default_rng(1))
    assert found.fit.status is Status.NOT_ESTIMABLE
    with pytest.raises(NotConverged):
        _ = found.bounds
    one_each = survivor_effect(few, np.arange(6) < 3, ~np.isnan(few), monotone=Monotone.NEVER_HARMS, sensitivity=1.0)
    assert one_each.fit.status is Status.TOO_FEW
    contradicted = survivor_effect(OUTCOME, ~ACTIVE, ALIVE, monotone=Monotone.NEVER_HARMS, sensitivity=3.0)
    assert contradicted.is_contradicted
    assert contradicted.effect.estimate == pytest.approx(5.0 - 4.0, rel=1e-12)  # as if survival were equal


def test_what_cannot_be_is_refused() -> None:
    """The message says what was found and the way out."""
    with pytest.raises(InvalidInput, match="1 survivors have no outcome"):
        survivor_effect(OUTCOME, ACTIVE, np.append(ALIVE[:-1], True), monotone=Monotone.NEVER_HARMS, sensitivity=0.0)
    with pytest.raises(InvalidInput, match="assume one of them away"):
        survivor_effect(OUTCOME, ACTIVE, ALIVE, monotone=Monotone.NONE, sensitivity=0.0)
    with pytest.raises(InvalidInput, match="finite"):
        survivor_effect(OUTCOME, ACTIVE, ALIVE, monotone=Monotone.NEVER_HARMS, sensitivity=NAN)
