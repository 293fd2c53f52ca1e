"""The search: that it ends at the optimum, how near, how fast, and what it says where there is none."""

import warnings

import numpy as np
import pytest
from mmrm_cases import (
    COVARIANCES,
    STRUCTURES,
    Array,
    bcva,
    fev,
    label_of,
    optimum_at,
    optimum_of,
    prepared,
    simulated,
)

from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm import (
    Antedependence,
    Autoregressive,
    ByGroup,
    Estimation,
    Exponential,
    KenwardRoger,
    Longitudinal,
    Mmrm,
    Satterthwaite,
    Toeplitz,
    Unstructured,
)
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.errors import NotConverged

DATA = simulated(seed=51, n_patients=40).data


def sample(values: Array, *, seen: Array | None = None) -> Longitudinal:
    """Patients by visits, with one mean."""
    subject, visit = np.nonzero(np.ones(values.shape) if seen is None else seen)
    return Longitudinal(
        values[subject, visit],
        np.ones((subject.size, 1)),
        columns=("mean",),
        subject=subject,
        visit=visit,
        visits=tuple(f"day {one}" for one in range(values.shape[1])),
    )


@pytest.mark.parametrize("estimation", list(Estimation), ids=label_of)
@pytest.mark.parametrize("covariance", COVARIANCES, ids=label_of)
def test_search_ends_a_hundred_millionth_of_a_standard_error_from_the_optimum(
    covariance: Structure | ByGroup, estimation: Estimation
) -> None:
    """The Newton step left undone, in standard errors of θ̂; 1e-6 allows for rounding of the gradient."""
    optimum = optimum_of(DATA, covariance, estimation)
    at = optimum.derivatives
    left = np.linalg.solve(at.observed, at.gradient)
    error = np.sqrt(2.0 * np.diagonal(np.linalg.inv(at.observed)))
    assert np.abs(left / error).max() < 1e-6
    assert np.linalg.eigvalsh(at.observed)[0] > 0.0


@pytest.mark.parametrize("covariance", STRUCTURES, ids=label_of)
def test_no_neighbour_is_more_likely(covariance: Structure) -> None:
    """The optimum is one: random neighbours, a tenth of a standard error away, have a higher deviance."""
    panel, stack = prepared(DATA, covariance)
    optimum = optimum_of(DATA, covariance)
    error = np.sqrt(2.0 * np.diagonal(np.linalg.inv(optimum.derivatives.observed)))
    rng = np.random.default_rng(52)
    for _ in range(20):
        there = optimum_at(panel, stack, optimum.theta + 0.1 * error * rng.normal(size=error.size))
        assert there.point.deviance > optimum.point.deviance


def test_too_few_measurements_are_said_before_the_search() -> None:
    """Two patients at three visits leave less than six parameters' worth."""
    fit = Mmrm().fit(sample(np.random.default_rng(1).normal(size=(2, 3))))
    assert fit.status is Status.TOO_FEW
    assert "6 measurements cannot determine 1 coefficients and 6 covariance" in fit.ending.message


def test_visits_never_seen_together_have_no_covariance() -> None:
    """The parameter is named."""
    seen = np.ones((20, 3))
    seen[:10, 0] = 0.0
    seen[10:, 2] = 0.0
    values = np.random.default_rng(2).normal(size=(20, 3))
    fit = Mmrm().fit(sample(values, seen=seen))
    assert fit.status is Status.NOT_ESTIMABLE
    assert "UN(3,1)" in fit.ending.message
    assert Mmrm(covariance=Autoregressive()).fit(sample(values, seen=seen)).is_ok


def test_a_visit_that_the_design_fits_exactly_has_no_variance() -> None:
    """One patient of each arm was seen at the last visit, which has a mean for each arm: no residual, no information.

    Rounding used to decide, by its sign, whether the flat likelihood there was noticed.
    """
    rng = np.random.default_rng(7)
    for _ in range(5):
        values = rng.normal(size=(20, 3))
        subject, visit = np.nonzero(np.ones((20, 3)))
        kept = (visit < 2) | (subject < 2)
        subject, visit = subject[kept], visit[kept]
        at_visit = np.eye(3)[visit]
        data = Longitudinal(
            values[subject, visit],
            np.hstack([at_visit, at_visit * (subject % 2)[:, None]]),
            columns=("a", "b", "c", "il7 a", "il7 b", "il7 c"),
            subject=subject,
            visit=visit,
            visits=("a", "b", "c"),
        )
        for covariance in (Unstructured(), Autoregressive(is_heterogeneous=True)):
            fit = Mmrm(covariance=covariance).fit(data)
            assert fit.status is Status.NOT_ESTIMABLE
            assert "fits all who were exactly" in fit.ending.message
        assert Mmrm(covariance=Autoregressive()).fit(data).is_ok


def test_fewer_patients_than_visits_lead_to_the_boundary() -> None:
    """Five patients at five visits: an unstructured Σ fits some combination of visits perfectly."""
    fit = Mmrm().fit(sample(np.random.default_rng(3).normal(size=(5, 5))))
    assert fit.status is Status.BOUNDARY
    assert "too few patients" in fit.ending.message


def test_a_range_of_nothing_is_at_the_boundary() -> None:
    """Visits that alternate have no exponential correlation; the range goes to 0 and means nothing."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(40, 1)) * np.array([1.0, -1.0, 1.0, -1.0]) + rng.normal(size=(40, 4))
    fit = Mmrm(covariance=Exponential()).fit(sample(values))
    assert fit.status is Status.BOUNDARY
    assert "SP(EXP)" in fit.ending.message
    assert Mmrm(covariance=Autoregressive()).fit(sample(values)).is_ok


def test_a_perfect_fit_leaves_no_variance() -> None:
    """The same number everywhere."""
    fit = Mmrm().fit(sample(np.full((10, 2), 3.0)))
    assert fit.status is Status.SINGULAR


def test_visits_that_repeat_each_other_are_at_the_boundary() -> None:
    """A copied visit is perfectly correlated."""
    values = np.random.default_rng(5).normal(size=(30, 3))
    values[:, 2] = values[:, 1]
    assert Mmrm().fit(sample(values)).status in (Status.BOUNDARY, Status.SINGULAR)


def test_a_failed_fit_refuses_to_be_read() -> None:
    """Its status may be counted; its numbers do not exist."""
    fit = Mmrm().fit(sample(np.random.default_rng(6).normal(size=(2, 3))))
    assert not fit.is_ok
    assert fit.counts.n_patients == 2
    for read in (
        lambda: fit.coefficients,
        lambda: fit.covariance,
        lambda: fit.theta,
        lambda: fit.sigma,
        lambda: fit.criteria,
        lambda: fit.contrast([1.0], "mean"),
        lambda: fit.joint([[1.0]], "mean"),
    ):
        with pytest.raises(NotConverged, match="too few patients"):
            read()


def test_no_trial_however_poor_ends_in_an_exception_or_a_number_that_is_none() -> None:
    """Six tiny trials, every structure: a status, or finite numbers with a positive standard error; never a warning."""
    endings = set()
    for seed in range(6):
        data = simulated(seed=seed, n_patients=8, n_visits=3, fraction_missing=0.3).data
        for covariance in COVARIANCES:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                fit = Mmrm(covariance=covariance, freedom=KenwardRoger(is_linear=True)).fit(data)
                endings.add(fit.status)
                if fit.is_ok:
                    found = fit.contrast(np.eye(len(data.columns))[1], "second visit")
                    assert np.all(np.isfinite([found.estimate, found.se, found.df]))
                    assert found.se > 0.0
                else:
                    assert fit.ending.message
    assert Status.OK in endings
    assert endings - {Status.OK}


@pytest.mark.parametrize("units", [1e-6, 1e6])
@pytest.mark.parametrize("covariance", [Unstructured(), Toeplitz(is_heterogeneous=True)], ids=label_of)
def test_units_of_the_response_cost_no_steps(covariance: Structure, units: float) -> None:
    """Cells per µL or per L."""
    plain = optimum_of(DATA, covariance)
    scaled = optimum_of(simulated(seed=51, n_patients=40, scale=units).data, covariance)
    assert scaled.n_steps == plain.n_steps


def test_badly_scaled_covariates_cost_no_digits() -> None:
    """A covariate in units of 1e8 with a mean a million times its spread gives the same contrast of the arms."""
    shifted = np.array(DATA.design)
    shifted[:, -1] = 1e8 * (shifted[:, -1] + 1e4)
    other = Longitudinal(
        DATA.response, shifted, columns=DATA.columns, subject=DATA.subject, visit=DATA.visit, visits=DATA.visits
    )
    row = np.eye(len(DATA.columns))[4]
    expected, found = (Mmrm().fit(data).contrast(row, "arm") for data in (DATA, other))
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-7)
    assert found.se == pytest.approx(expected.se, rel=1e-7)
    assert found.df == pytest.approx(expected.df, rel=1e-7)


def test_homogeneous_antedependence_finds_the_higher_of_two_peaks() -> None:
    """FEV1 = ARMCD has two local optima, at 3831.457 and 3835.314 (30 random starts): the start leads to the better."""
    found = Mmrm(covariance=Antedependence()).fit(fev(["ARMCD"])).criteria.deviance
    assert found == pytest.approx(3831.457, abs=1e-3)


def test_a_large_trial_with_55_covariance_parameters_has_the_deviance_of_its_patients_one_by_one() -> None:
    """8,605 rows, 10 visits; two ways."""
    trial = bcva()
    for freedom in (Satterthwaite(), KenwardRoger()):
        fit = Mmrm(freedom=freedom).fit(trial.data)
        found = fit.contrast(trial.difference("TRT", "CTL", "VIS10"), "TRT - CTL, VIS10")
    assert (fit.counts.n_observations, fit.counts.n_patients, fit.theta.size) == (8605, 1000, 55)
    assert found.interval()[0] > 0.0
    data, sigma = trial.data, fit.sigma[0]
    total, information = 0.0, np.zeros((len(data.columns), len(data.columns)))
    for patient in range(data.n_patients):
        rows = np.flatnonzero(data.subject == patient)
        v = sigma[np.ix_(data.visit[rows], data.visit[rows])]
        residual = data.response[rows] - data.design[rows] @ fit.coefficients
        total += float(np.linalg.slogdet(v)[1] + residual @ np.linalg.solve(v, residual))
        information += data.design[rows].T @ np.linalg.solve(v, data.design[rows])
    total += float(np.linalg.slogdet(information)[1] + (8605 - len(data.columns)) * np.log(2.0 * np.pi))
    assert fit.criteria.deviance == pytest.approx(total, abs=1e-6)


def test_level_is_kept_in_small_trials() -> None:
    """Recovery under the null: 400 trials of 16 patients with dropout, unstructured, Kenward-Roger at 5%.

    The rate may miss 5% by Monte Carlo error, 3·√(0.05·0.95/400) = 3.3%; Wald's test with infinite df would exceed it.
    """
    rejected, wald, n_failed = 0, 0, 0
    for seed in range(400):
        rng = np.random.default_rng([60, seed])
        values = rng.normal(size=(16, 1)) + rng.normal(size=(16, 3))
        seen = np.ones((16, 3))
        seen[rng.random(16) < 0.25, 2] = 0.0
        subject, visit = np.nonzero(seen)
        at_visit = np.eye(3)[visit]
        arm = (subject % 2)[:, None]
        data = Longitudinal(
            values[subject, visit],
            np.hstack([at_visit, at_visit * arm]),
            columns=("v1", "v2", "v3", "il7 v1", "il7 v2", "il7 v3"),
            subject=subject,
            visit=visit,
            visits=("v1", "v2", "v3"),
        )
        fit = Mmrm().fit(data)
        if not fit.is_ok:
            n_failed += 1
            continue
        found = fit.contrast([0.0, 0.0, 0.0, 0.0, 0.0, 1.0], "day 28")
        rejected += found.p_value < 0.05
        plain = Mmrm(freedom=Satterthwaite()).fit(data).contrast([0.0, 0.0, 0.0, 0.0, 0.0, 1.0], "day 28")
        wald += abs(plain.statistic) > 1.96
    n = 400 - n_failed
    assert n_failed <= 3
    assert abs(rejected / n - 0.05) < 3.0 * np.sqrt(0.05 * 0.95 / n)
    assert wald / n > rejected / n
