"""Simulated arms: each particle by itself, selection by a measured count, products by their own mass."""

from dataclasses import replace

import numpy as np
import pytest

from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.experiments import Arm
from sevenfold.calibrate.priors import physical, priors
from sevenfold.calibrate.seen import _half_life, _parabola, _peak, observe_experiment
from sevenfold.calibrate.simulate import ASSAY_LOG_SD, SimulatedArm, simulate_arm
from sevenfold.calibrate.target import Likelihood, fitted

K = len(priors())
Z = np.random.default_rng(2).normal(size=(3, K))
IM = Arm(name="im", population="septic_shock", looks=(0.0, 1.0, 7.0), product="cyt107", injections=((0.0, 10.0, "IM"),))


def test_a_particle_s_patients_do_not_depend_on_other_particles() -> None:
    together, alone = simulate_arm(IM, physical(Z), n=4), simulate_arm(IM, physical(Z[1:2]), n=4)
    for name, values in together.seen.items():
        assert np.array_equal(values[1], alone.seen[name][0]), name


def test_health_stays_where_it_is() -> None:
    """Without sepsis and drug all counts rest; the remainder of the solver's tolerance is far below 1e-4."""
    arm = Arm(name="rest", population="healthy", looks=(0.0, 30.0))
    seen = simulate_arm(arm, physical(Z), n=4).seen
    for name in ("alc", "cd4", "cd8", "ki67_cd4"):
        assert seen[name][:, :, 1] == pytest.approx(seen[name][:, :, 0], rel=1e-3), name


def test_those_let_in_have_low_counts() -> None:
    """A weight is the chance of one measured count at or below the cutoff."""
    arm = simulate_arm(IM, physical(Z), n=12)
    assert arm.weights.sum(axis=1) == pytest.approx(np.ones(3))
    entry = arm.at("alc", 0.0)
    far_above = entry > 900.0 * np.exp(5 * ASSAY_LOG_SD["alc"])
    assert arm.weights[far_above].max(initial=0.0) < 1e-5
    stricter = simulate_arm(IM, physical(Z), n=12, entry_alc_at_most=400.0)
    assert np.all((stricter.weights * entry).sum(axis=1) <= (arm.weights * entry).sum(axis=1) + 1e-9)


def test_potency_makes_a_product_stronger_and_is_measured_by_its_own_mass() -> None:
    """Twice the potency at half the dose is the same body, and twice the number in the assay's units is not."""
    given = dict(physical(Z[:1])) | {"fc_potency": np.array([0.4])}
    doubled = given | {"fc_potency": np.array([0.8])}
    arm = Arm(
        name="fc", population="healthy", looks=(0.0, 1.0, 7.0), product="efineptakin", injections=((0.0, 60.0, "IM"),)
    )
    half = replace(arm, injections=((0.0, 30.0, "IM"),))
    one, other = simulate_arm(arm, given, n=4), simulate_arm(half, doubled, n=4)
    assert other.seen["cd4"] == pytest.approx(one.seen["cd4"], rel=1e-12)
    assert other.at("il7", 1.0) == pytest.approx(0.5 * one.at("il7", 1.0), rel=1e-9)


def test_a_dose_that_is_not_given_is_placebo() -> None:
    nothing = replace(IM, injections=((0.0, 0.0, "IM"),))
    placebo = replace(IM, product=None, injections=())
    one, other = simulate_arm(nothing, physical(Z), n=4), simulate_arm(placebo, physical(Z), n=4)
    assert one.seen["alc"] == pytest.approx(other.seen["alc"], rel=2e-4)


def test_a_parabola_finds_its_top_between_looks() -> None:
    days = np.array([1.0, 2.0, 4.0, 7.0, 9.0])
    height, at = _parabola(days, (5.0 - (days - 3.7) ** 2)[None, :])
    assert (float(height[0]), float(at[0])) == pytest.approx((5.0, 3.7))
    rising, edge = _parabola(days, days[None, :] ** 2)
    assert (float(rising[0]), float(edge[0])) == (81.0, 9.0)


def test_half_life_and_peak_of_a_known_course() -> None:
    """An exponential fall; and t·exp(-t), whose peak lies at 1 (parabola through three looks: a few per cent)."""
    looks = np.array([0.0, 0.25, 0.5, 0.8, 1.2, 2.0, 3.0, 4.0, 5.0, 7.0, 9.0])
    falling = np.exp(-0.3 * looks)[None, None, :]
    hump = np.maximum(looks * np.exp(-looks), 1e-9)[None, None, :]

    def arm(values: np.ndarray) -> SimulatedArm:
        return SimulatedArm(
            looks=looks, seen={"il7": values}, weights=np.ones((1, 1)), failed=np.zeros(1, dtype=np.int64)
        )

    assert _half_life(arm(falling))[0, 0] == pytest.approx(np.log(2.0) / 0.3)
    height, day = _peak(arm(hump))
    assert (height[0, 0], day[0, 0]) == (pytest.approx(np.exp(-1.0), rel=0.02), pytest.approx(1.0, rel=0.05))


def test_every_experiment_has_a_finite_statistic_at_the_prior_s_median() -> None:
    ours = evidence()
    likelihood = Likelihood(ours.arms_of(ours.experiments), ours.experiments, n=6)
    for one, readings in zip(ours.experiments, likelihood.seen(np.zeros((1, K))), strict=True):
        assert len(readings) == len(one.readings)
        for seen in readings:
            assert np.isfinite([seen.centre, seen.se, seen.spread]).all(), one.id
            assert seen.se[0] > 0.0


def test_likelihood_is_a_function_of_the_particle_and_counts_what_fails() -> None:
    ours = evidence()
    experiments = tuple(one for one in fitted(ours, held_out_too=False) if one.id.startswith("drewry"))
    likelihood = Likelihood(ours.arms_of(experiments), experiments, n=4)
    first, again = likelihood(Z), likelihood(Z[::-1])[::-1]
    assert np.array_equal(first, again)
    assert likelihood.n_failed == 0
    broken = np.full((1, K), np.nan)
    assert likelihood(broken)[0] == -np.inf
    assert likelihood.n_failed == 1
    far_out = np.concatenate([Z, np.full((1, K), 1e4)])
    beside = likelihood(far_out)
    assert np.array_equal(beside[:-1], first), "who stands beside comes to no harm"
    assert beside[-1] == -np.inf
    assert likelihood.n_failed == 2


def test_the_ratio_to_placebo_is_the_fold_over_the_placebo_s_fold() -> None:
    ours = evidence()
    (one,) = (e for e in ours.experiments if e.id == "iris7_fold_alc")
    arms = {arm.name: simulate_arm(arm, physical(Z), n=4) for arm in ours.arms_of((one,))}
    seen = dict(zip(one.readings, observe_experiment(one, arms), strict=True))
    placebo = arms["septic placebo"]
    for reading, made in seen.items():
        if reading.over_placebo:
            own = next(s for r, s in seen.items() if r.day == reading.day and not r.over_placebo)
            assert reading.day is not None
            logs = np.log(placebo.at("alc", reading.day) / placebo.at("alc", 0.0))
            assert made.centre == pytest.approx(own.centre - (placebo.weights * logs).sum(axis=1))
