"""Derivatives of outputs by parameters, along fixed steps."""

import numpy as np
import pytest
from one_state import DECAY

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.sensitivity import sensitivity
from sevenfold.mechanism.solve import Dose, advance, begin
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


def test_bad_input_is_refused() -> None:
    patients = begin(DECAY, {})
    later = advance(patients, [[]], [[1.0]], [1.0]).patients
    with pytest.raises(InvalidInput, match="followed already"):
        sensitivity(later, ["k"], [[]], LOOKS)
    with pytest.raises(InvalidInput, match="needs it positive"):
        sensitivity(begin(DECAY, {"k": -1.0}), ["k"], [[]], LOOKS)
