"""Each way of reporting against its closed form, and against the numbers it is the density of."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.experiments import Experiment, Form, Reading, Statistic
from sevenfold.calibrate.likelihood import experiment_log_likelihood, log_between, quartile_covariance
from sevenfold.calibrate.seen import Seen
from sevenfold.calibrate.synthetic import reported_anew

BASE = evidence().experiments[0]


def experiment(
    form: Form, reported: tuple[float, ...], statistic: Statistic = Statistic.FOLD, **more: object
) -> Experiment:
    fields: dict[str, object] = {
        "form": form, "reported": reported, "statistic": statistic, "readings": (Reading(day=1.0),), "n": 9,
        "discrepancy": 0.3, "spread": None, "weight": 1.0, "rounding": 0.0,
    }  # fmt: skip
    return replace(BASE, **{**fields, **more})  # type: ignore[arg-type]


def seen(centre: float, spread: float = 0.6, n: int = 9) -> Seen:
    return Seen(centre=np.array([centre]), se=np.array([spread / np.sqrt(n)]), spread=np.array([spread]))


def value(one: Experiment, *readings: Seen) -> float:
    return float(experiment_log_likelihood(one, readings)[0])


SD = np.hypot(0.6 / 3.0, 0.3)


def test_a_point_is_log_normal_with_sampling_error_and_discrepancy() -> None:
    assert value(experiment(Form.POINT, (2.0,)), seen(0.5)) == pytest.approx(stats.norm.logpdf(np.log(2.0), 0.5, SD))


def test_a_change_is_normal_and_its_discrepancy_a_share_of_the_value() -> None:
    one = experiment(Form.POINT, (323.0,), Statistic.MEAN_CHANGE, discrepancy=0.2)
    expected = stats.norm.logpdf(323.0, 300.0, np.hypot(30.0, 0.2 * 323.0))
    assert value(one, seen(300.0, spread=90.0)) == pytest.approx(expected)


def test_a_range_is_the_chance_that_the_observed_value_lies_in_it() -> None:
    expected = np.log(stats.norm.cdf(np.log(4.0), 1.0, SD) - stats.norm.cdf(np.log(3.0), 1.0, SD))
    assert value(experiment(Form.BETWEEN, (3.0, 4.0)), seen(1.0)) == pytest.approx(expected)


@pytest.mark.parametrize("mean", [-40.0, -12.0, 12.0, 40.0])
def test_a_range_far_away_keeps_its_digits(mean: float) -> None:
    """The tail by its own logarithm: ln Φ(b) + ln(1 − Φ(a)/Φ(b)) with the nearer end first."""
    low, high = (0.0 - mean, 1.0 - mean) if mean < 0 else (mean - 1.0, mean - 0.0)
    expected = stats.norm.logsf(low) + np.log1p(-np.exp(stats.norm.logsf(high) - stats.norm.logsf(low)))
    assert log_between(0.0, 1.0, np.array([mean]), np.ones(1))[0] == pytest.approx(expected, rel=1e-12)


def test_ranges_side_by_side_have_chances_that_add_to_one() -> None:
    ends = np.linspace(-6.0, 6.0, 25)
    parts = [np.exp(log_between(a, b, np.array([0.4]), np.array([0.8])))[0] for a, b in pairwise(ends)]
    assert sum(parts) == pytest.approx(1.0, abs=1e-10)


def test_a_bound_is_one_sided() -> None:
    assert value(experiment(Form.AT_LEAST, (1.5,)), seen(0.7)) == pytest.approx(stats.norm.logsf(np.log(1.5), 0.7, SD))


def test_a_share_is_logit_normal() -> None:
    one = experiment(Form.SHARE, (0.491,), Statistic.SHARE_BELOW)
    expected = stats.norm.logpdf(np.log(0.491 / 0.509), 0.2, SD)
    assert value(one, seen(0.2)) == pytest.approx(expected)


def test_a_mean_with_its_sd_tells_of_both() -> None:
    one = experiment(Form.MEAN_AND_SD, (1.2, 0.5), Statistic.PEAK)
    own = np.sqrt(1.0 / 16.0 + 0.09)
    expected = stats.norm.logpdf(np.log(1.2), 0.1, SD) + stats.norm.logpdf(np.log(0.5 / 1.2), np.log(0.6), own)
    assert value(one, seen(0.1)) == pytest.approx(expected)


def test_quartiles_are_jointly_normal() -> None:
    one = experiment(Form.QUARTILES, (400.0, 700.0, 1100.0), Statistic.LEVEL, rounding=100.0)
    z = np.array([-stats.norm.ppf(0.75), 0.0, stats.norm.ppf(0.75)])
    rounding = (100.0 / np.sqrt(12.0) / np.array([400.0, 700.0, 1100.0])) ** 2
    covariance = quartile_covariance(np.array(0.6), 9, 0.3) + np.diag(rounding)
    expected = stats.multivariate_normal.logpdf(np.log([400.0, 700.0, 1100.0]), 6.5 + 0.6 * z, covariance)
    assert value(one, seen(6.5)) == pytest.approx(expected)


def test_the_covariance_of_quartiles_is_that_of_samples() -> None:
    """40 000 samples of 400: relative standard error of a variance √(2/40 000) = 0.7 %, four of them; bias is of order
    1/400.
    """
    drawn = np.random.default_rng(5).normal(0.0, 0.7, (40_000, 400))
    found = np.cov(np.quantile(drawn, [0.25, 0.5, 0.75], axis=1))
    assert found == pytest.approx(quartile_covariance(np.array(0.7), 400, 0.0), rel=0.035)


def test_readings_of_an_ambiguous_figure_are_averaged_and_weights_are_exponents() -> None:
    one = experiment(Form.POINT, (2.0,))
    each = [value(one, seen(centre)) for centre in (0.2, 0.9)]
    assert value(one, seen(0.2), seen(0.9)) == pytest.approx(np.log(np.mean(np.exp(each))))
    assert value(replace(one, weight=0.5), seen(0.2)) == pytest.approx(0.5 * each[0])


def test_a_printed_spread_and_an_emulator_s_doubt_enter_the_error() -> None:
    told = value(experiment(Form.POINT, (2.0,), spread=0.9), seen(0.5))
    assert told == pytest.approx(stats.norm.logpdf(np.log(2.0), 0.5, np.hypot(0.3, 0.3)))
    doubted = replace(seen(0.5), doubt=0.4)
    expected = stats.norm.logpdf(np.log(2.0), 0.5, np.hypot(SD, 0.4))
    assert value(experiment(Form.POINT, (2.0,)), doubted) == pytest.approx(expected)


def test_more_patients_make_a_likelihood_narrower_but_never_beyond_the_discrepancy() -> None:
    one = experiment(Form.POINT, (2.0,))
    at = [value(one, seen(np.log(2.0), n=n)) for n in (4, 100, 10**8)]
    assert at == sorted(at)
    assert at[-1] == pytest.approx(stats.norm.logpdf(0.0, 0.0, 0.3), abs=1e-4)


@pytest.mark.parametrize(
    ("form", "statistic", "reported"),
    [
        (Form.POINT, Statistic.FOLD, (2.0,)),
        (Form.SHARE, Statistic.SHARE_BELOW, (0.4,)),
        (Form.BETWEEN, Statistic.FOLD, (3.0, 4.0)),
        (Form.AT_LEAST, Statistic.FOLD, (1.5,)),
        (Form.MEAN_AND_SD, Statistic.PEAK, (1.2, 0.5)),
        (Form.QUARTILES, Statistic.LEVEL, (400.0, 700.0, 1100.0)),
    ],
)
def test_synthetic_figures_come_from_the_density_that_weighs_them(
    form: Form, statistic: Statistic, reported: tuple[float, ...]
) -> None:
    """E{∂ log L/∂centre} = 0 at the truth (the score), for 4 000 figures: within four standard errors."""
    one = experiment(form, reported, statistic)
    rng, step = np.random.default_rng(11), 1e-4
    centre = 6.5 if form is Form.QUARTILES else 0.6
    scores = []
    for _ in range(4000):
        drawn = reported_anew(one, (seen(centre),), rng)
        scores.append((value(drawn, seen(centre + step)) - value(drawn, seen(centre - step))) / (2 * step))
    assert np.mean(scores) == pytest.approx(0.0, abs=4 * np.std(scores) / np.sqrt(len(scores)))


def test_a_point_s_density_integrates_to_one() -> None:
    def density(log_value: float) -> float:
        return float(np.exp(value(experiment(Form.POINT, (float(np.exp(log_value)),)), seen(0.5))))

    assert integrate.quad(density, -5.0, 6.0)[0] == pytest.approx(1.0, abs=1e-8)
