"""Derivatives of outputs by parameters, along fixed steps."""

import dataclasses

import numpy as np
import pytest
from one_state import BLOW_UP, DECAY, one_state

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.mechanism.expression import log
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.sensitivity import sensitivity
from sevenfold.mechanism.solve import TOLERANCE, Dose, SolverStatus, advance, begin
from sevenfold.population.sampling import draw_parameters

LOOKS = [0.5, 1.0, 4.0]


def test_slopes_of_an_exponential_decay() -> None:
    """X = e^(-kt), so dx/d ln k = -k t e^(-kt) (closed form)."""
    found = sensitivity(begin(DECAY, {}), ["k"], [[]], LOOKS, tolerance=1e-9)
    kt = 1.3 * np.array(LOOKS)
    assert found.seen["x"][0] == pytest.approx(np.exp(-kt), rel=1e-7)
    assert found.slopes["x"][0, :, 0] == pytest.approx(-kt * np.exp(-kt), rel=1e-6)


def test_slopes_are_those_of_a_tight_solution() -> None:
    """27 random patients, 30 looks, 8 parameters. Relative to the output, differences at the shipped tolerance stay
    within 1e-3 for 99.9 in 100; what is left stands beside the threshold of the signal, where one step spans the kink.
    """
    page, n = il7_page(), 27
    patients = begin(page, draw_parameters(page, 5, subject=np.arange(n)), n)
    doses = [Dose(time_day=day, amount=750.0, route="IM") for day in (0.0, 3.0, 7.0, 10.0, 14.0, 17.0, 21.0, 24.0)]
    names = [
        "absorbed_per_day", "clearance_l_per_day", "half_signal_ng_per_ml", "cd4_cycling_max_per_day",
        "pool_at_entry_fraction", "inflammation_decay_day", "septic_death_per_day", "homing_max",
    ]  # fmt: skip
    looks = list(np.linspace(1.0, 90.0, 30))
    fast = sensitivity(patients, names, [doses] * n, looks, threads=2)
    tight = sensitivity(patients, names, [doses] * n, looks, tolerance=1e-9, threads=2)
    for output in ("il7_ng_per_ml", "cd4_per_ul", "alc_per_ul"):
        error = np.abs(fast.slopes[output] - tight.slopes[output]) / tight.seen[output][..., np.newaxis]
        assert np.quantile(error, 0.5) < 1e-4
        assert np.quantile(error, 0.999) < 5e-3
    moved = {name: values.copy() for name, values in patients.values.items() if name in page.typical}
    ends = []
    for sign in (1.0, -1.0):
        there = {**moved, "clearance_l_per_day": moved["clearance_l_per_day"] * np.exp(sign * 1e-3)}
        copies = begin(page, there, n)
        ends.append(np.stack(advance(copies, [doses] * n, [looks] * n, [90.0] * n, tolerance=1e-10).seen["alc_per_ul"]))
    slope = (ends[0] - ends[1]) / 2e-3
    assert tight.slopes["alc_per_ul"][..., 1] == pytest.approx(slope, abs=1e-4 * float(np.max(np.abs(slope))))


def lagged() -> Page:
    """Decay at rate k of what arrives ``tlag`` after it was given."""
    k = DECAY.parameters[0]
    lag = dataclasses.replace(k, name="tlag", symbol="lag", unit="day", value=0.3)
    entry = dataclasses.replace(DECAY.entries[0], lag="tlag")
    return dataclasses.replace(DECAY, name="lagged", parameters=(k, lag), entries=(entry,))


def test_a_lag_has_its_slope() -> None:
    """2·e^(-k(t - lag)) after the lag: its slope by ln lag is lag·k times itself, and 0 before (closed form)."""
    looks = [0.2, 0.5, 1.0, 4.0]
    dose = [Dose(time_day=0.0, amount=2.0, route="IN")]
    late = np.array(looks) - 0.3
    expected = np.where(late > 0.0, 2.0 * 0.3 * 1.3 * np.exp(-1.3 * late), 0.0)
    for tolerance, bound in ((1e-9, 1e-6), (TOLERANCE, 1e-4)):
        found = sensitivity(begin(lagged(), {}), ["k", "tlag"], [dose], looks, tolerance=tolerance)
        assert found.status == (SolverStatus.OK,)
        assert found.slopes["x"][0, :, 1] == pytest.approx(expected, rel=bound)


def test_a_look_at_the_moment_of_an_arrival_has_no_slope_by_the_lag() -> None:
    """The output jumps there."""
    with pytest.raises(InvalidInput, match=r"tlag moves an arrival past a look .* in patient 0"):
        sensitivity(begin(lagged(), {}), ["tlag"], [[Dose(time_day=0.0, amount=2.0, route="IN")]], [0.3, 1.0])


def test_a_changed_copy_that_fails_is_its_patient_s_status() -> None:
    """X falls to 1 - k·t; the logarithm of x - 0.00005 exists at k t = 0.9999, and no longer at a ten-thousandth more.
    The patient beside it comes to no harm.
    """
    page = dataclasses.replace(
        one_state("falls", lambda _t, _y, p: {"x": -p.k}), observe=lambda _t, y, _p: {"x": log(y.x - 5e-5)}
    )
    found = sensitivity(begin(page, {"k": np.array([0.9999, 0.5])}, 2), ["k"], [[], []], [0.5, 1.0])
    assert found.status == (SolverStatus.NOT_FINITE, SolverStatus.OK)
    assert np.isfinite(found.seen["x"]).all()
    assert np.isnan(found.slopes["x"][0]).all()
    assert found.slopes["x"][1, :, 0] == pytest.approx([-0.25 / 0.75, -0.5 / 0.5], rel=1e-3)


def test_a_patient_that_fails_has_no_slopes() -> None:
    found = sensitivity(begin(BLOW_UP, {"k": np.array([1.0, 0.1])}, 2), ["k"], [[], []], [0.5, 2.0])
    assert found.status[0] is not SolverStatus.OK
    assert np.isnan(found.slopes["x"][0]).all()
    assert found.slopes["x"][1, :, 0] == pytest.approx([0.05 / 0.95**2, 0.2 / 0.8**2], rel=1e-4)  # x = 1/(1 - k t)


def test_bad_input_is_refused() -> None:
    patients = begin(DECAY, {})
    later = advance(patients, [[]], [[1.0]], [1.0]).patients
    with pytest.raises(InvalidInput, match="followed already"):
        sensitivity(later, ["k"], [[]], LOOKS)
    with pytest.raises(InvalidInput, match="needs it positive"):
        sensitivity(begin(DECAY, {"k": -1.0}), ["k"], [[]], LOOKS)
    with pytest.raises(InvalidDesign, match="no parameter 'kk'"):
        sensitivity(patients, ["kk"], [[]], LOOKS)
    for parameters, looks in (([], LOOKS), (["k"], [])):
        with pytest.raises(InvalidInput, match="at least one parameter and one look"):
            sensitivity(patients, parameters, [[]], looks)
