"""The emulator: exact for what it can express, honest about what it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from sevenfold.calibrate.emulator import features, fit_emulator
from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.experiments import Form, Reading, Statistic
from sevenfold.calibrate.likelihood import experiment_log_likelihood
from sevenfold.calibrate.seen import Seen

ONE = replace(
    evidence().experiments[0], form=Form.POINT, statistic=Statistic.FOLD, readings=(Reading(day=1.0),), reported=(2.0,)
)
Z = np.random.default_rng(1).normal(size=(400, 3))


def statistics(z: np.ndarray) -> np.ndarray:
    centre = 0.5 + z[:, 0] - 0.3 * z[:, 1] ** 2 + 0.2 * z[:, 0] * z[:, 2]
    return np.stack([centre, -1.0 + 0.1 * z[:, 0], 0.2 * z[:, 1]], axis=1)


def test_features_are_all_products_once() -> None:
    assert features(Z[:2]).shape == (2, 1 + 3 + 6)


def test_a_quadratic_statistic_is_emulated_exactly() -> None:
    """Up to the ridge, 1e-3 of a standard deviation."""
    emulator = fit_emulator((ONE,), Z, statistics(Z))
    assert emulator.doubt[0] < 5e-3
    inside = 0.5 * Z[:50]
    ((seen,),) = emulator.seen(inside)
    centre, log_se, log_spread = statistics(inside).T
    assert seen.centre == pytest.approx(centre, abs=5e-3)
    assert np.log(seen.se) == pytest.approx(log_se, abs=5e-3)
    expected = experiment_log_likelihood(ONE, (Seen(centre=centre, se=np.exp(log_se), spread=np.exp(log_spread)),))
    assert emulator(inside) == pytest.approx(expected, abs=0.05)


def test_what_it_cannot_express_is_its_doubt() -> None:
    rough = statistics(Z)
    rough[:, 0] += 0.4 * np.sign(np.sin(5.0 * Z[:, 0]))
    assert fit_emulator((ONE,), Z, rough).doubt[0] == pytest.approx(0.4, rel=0.25)


def test_beyond_what_it_was_taught_it_is_as_at_the_edge_and_failed_points_are_left_out() -> None:
    broken = statistics(Z)
    broken[3] = np.nan
    emulator = fit_emulator((ONE,), Z, broken)
    far = np.full((1, 3), 50.0)
    assert emulator(far) == pytest.approx(emulator(emulator.highest[None, :]))
