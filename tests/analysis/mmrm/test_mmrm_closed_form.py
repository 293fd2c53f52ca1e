"""Cases whose answer is a formula: least squares, the t test, the split-plot analysis of variance, Hotelling's T²."""

import numpy as np
import pytest
from mmrm_cases import Array, simulated

from sevenfold.analysis.effect import Effect
from sevenfold.analysis.mmrm import (
    BetweenWithin,
    CompoundSymmetry,
    Empirical,
    Estimation,
    Information,
    KenwardRoger,
    Longitudinal,
    Mmrm,
    Residual,
    Satterthwaite,
    TrialModel,
    Unstructured,
)
from sevenfold.analysis.mmrm.freedom import Freedom

ALL = (Residual(), Satterthwaite(), KenwardRoger(), KenwardRoger(information=Information.EXPECTED), BetweenWithin())
ESTIMATED = ALL[1:4]


def complete(n_patients: int, n_visits: int) -> tuple[TrialModel, Array]:
    """A trial without baseline in the model, nobody missing, with the responses  # (patient, visit)."""
    trial = simulated(seed=21, n_patients=n_patients, n_visits=n_visits, fraction_missing=0.0)
    data = trial.data
    kept = [j for j, name in enumerate(data.columns) if name != "baseline"]
    without = Longitudinal(
        data.response,
        data.design[:, kept],
        columns=tuple(data.columns[j] for j in kept),
        subject=data.subject,
        visit=data.visit,
        visits=data.visits,
        group=data.group,
        groups=data.groups,
    )
    model = TrialModel(
        data=without, arms=trial.arms, margins=trial.margins, typical=np.empty(0), is_by_visit=np.empty(0, dtype=bool)
    )
    return model, data.response.reshape(n_patients, n_visits)


def single_visit() -> tuple[Longitudinal, Array, Array, Array]:
    """One visit: ordinary regression. Data, coefficients, residuals and (X'X)⁻¹."""
    rng = np.random.default_rng(31)
    x = np.column_stack([np.ones(25), rng.normal(size=(25, 2))])
    y = rng.normal(size=25) + x @ [1.0, 2.0, 3.0]
    data = Longitudinal(
        y, x, columns=("one", "a", "b"), subject=np.arange(25), visit=np.zeros(25, dtype=int), visits=("day 28",)
    )
    inverse = np.linalg.inv(x.T @ x)
    coefficients = inverse @ x.T @ y
    return data, coefficients, y - x @ coefficients, inverse


@pytest.mark.parametrize("freedom", ALL, ids=lambda one: one.label)
def test_one_visit_is_least_squares_with_n_minus_p(freedom: Freedom) -> None:
    """Estimates, s²·(X'X)⁻¹ and N - p = 22 degrees of freedom, by every method."""
    data, coefficients, residual, inverse = single_visit()
    fit = Mmrm(freedom=freedom).fit(data)
    variance = float(residual @ residual) / 22.0
    assert fit.coefficients == pytest.approx(coefficients, rel=1e-10)
    assert fit.theta == pytest.approx([variance], rel=1e-8)
    assert fit.covariance == pytest.approx(variance * inverse, rel=1e-8)
    assert fit.contrast([0.0, 1.0, -1.0], "a - b").df == pytest.approx(22.0, rel=1e-8)
    joint = fit.joint([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], "a, b")
    assert joint.df_denominator == pytest.approx(22.0, rel=1e-7)
    explained = coefficients[1:] @ np.linalg.solve(inverse[1:, 1:], coefficients[1:]) / 2.0
    assert joint.statistic == pytest.approx(explained / variance, rel=1e-8)
    assert joint.scale == pytest.approx(1.0, rel=1e-7)


def test_one_visit_by_maximum_likelihood_divides_by_n() -> None:
    """σ̂² = RSS/N, and the criteria count the coefficients too."""
    data, _, residual, _ = single_visit()
    fit = Mmrm(freedom=Satterthwaite(), estimation=Estimation.ML).fit(data)
    variance = float(residual @ residual) / 25.0
    deviance = 25.0 * (np.log(2.0 * np.pi * variance) + 1.0)
    assert fit.theta == pytest.approx([variance], rel=1e-8)
    assert fit.criteria.deviance == pytest.approx(deviance, rel=1e-12)
    assert fit.criteria.aic == pytest.approx(deviance + 8.0)
    assert fit.criteria.aicc == pytest.approx(deviance + 8.0 * 25.0 / 20.0)
    assert fit.criteria.bic == pytest.approx(deviance + 4.0 * np.log(25.0))


@pytest.mark.parametrize(("kind", "power"), [(Empirical.CR0, 0.0), (Empirical.CR2, 1.0), (Empirical.CR3, 2.0)])
def test_one_visit_sandwich_is_the_heteroscedastic_one_of_regression(kind: Empirical, power: float) -> None:
    """HC0, HC2 and HC3: squared residuals over (1 - h)^0, ^1 and ^2."""
    data, _, residual, inverse = single_visit()
    leverage = np.einsum("ij,jk,ik->i", data.design, inverse, data.design)
    weighted = data.design * (residual / (1.0 - leverage) ** (power / 2.0))[:, None]
    fit = Mmrm(freedom=Satterthwaite(), empirical=kind).fit(data)
    assert fit.covariance == pytest.approx(inverse @ weighted.T @ weighted @ inverse, rel=1e-7)


@pytest.mark.parametrize("freedom", ESTIMATED, ids=lambda one: one.label)
@pytest.mark.parametrize("n_visits", [2, 4])
def test_complete_unstructured_at_one_visit_is_the_t_test(freedom: Freedom, n_visits: int) -> None:
    """Nobody missing: each visit's difference, standard error and n - 2 = 18 degrees of freedom are the t test's."""
    trial, values = complete(20, n_visits)
    fit = Mmrm(freedom=freedom).fit(trial.data)
    placebo, active = values[0::2], values[1::2]
    for place, visit in enumerate(trial.data.visits):
        found = fit.contrast(trial.difference("il7", "placebo", visit), visit)
        pooled = (placebo[:, place].var(ddof=1) + active[:, place].var(ddof=1)) / 2.0
        assert found.estimate == pytest.approx(active[:, place].mean() - placebo[:, place].mean(), abs=1e-9)
        assert found.se == pytest.approx(np.sqrt(pooled * 2.0 / 10.0), rel=1e-7)
        assert found.df == pytest.approx(18.0, rel=1e-7)


@pytest.mark.parametrize("information", list(Information))
def test_complete_unstructured_at_all_visits_is_hotellings_test(information: Information) -> None:
    """KR is made to be exact here: F = T²·(ν - q + 1)/(ν·q) on q and ν - q + 1, ν = n - 2. Source: [kenward1997]."""
    trial, values = complete(20, 3)
    fit = Mmrm(freedom=KenwardRoger(information=information)).fit(trial.data)
    rows = [trial.difference("il7", "placebo", visit) for visit in trial.data.visits]
    placebo, active = values[0::2], values[1::2]
    difference = active.mean(axis=0) - placebo.mean(axis=0)
    pooled = (np.cov(placebo.T) + np.cov(active.T)) / 2.0
    t_squared = 5.0 * difference @ np.linalg.solve(pooled, difference)
    found = fit.joint(rows, "all visits")
    assert found.df_numerator == 3
    assert found.df_denominator == pytest.approx(16.0, rel=1e-6)
    assert found.scale == pytest.approx(16.0 / 18.0, rel=1e-6)
    assert found.statistic == pytest.approx(t_squared * 16.0 / (18.0 * 3.0), rel=1e-6)


@pytest.mark.parametrize("freedom", [*ESTIMATED, BetweenWithin()], ids=lambda one: one.label)
def test_balanced_compound_symmetry_is_the_split_plot_analysis(freedom: Freedom) -> None:
    """Arms are tested against patients, visits and arm by visit against the rest, with the classical F and df."""
    n, n_visits = 10, 4
    trial, values = complete(2 * n, n_visits)
    fit = Mmrm(covariance=CompoundSymmetry(), freedom=freedom).fit(trial.data)
    by_arm = np.stack([values[0::2], values[1::2]])  # (arm, patient, visit)
    cell = by_arm.mean(axis=1)
    patient = by_arm.mean(axis=2)
    arm, visit, grand = cell.mean(axis=1), cell.mean(axis=0), cell.mean()
    ms_patients = n_visits * np.sum((patient - arm[:, None]) ** 2) / (2 * n - 2)
    rest = by_arm - cell[:, None, :] - patient[:, :, None] + arm[:, None, None]
    ms_rest = np.sum(rest**2) / ((2 * n - 2) * (n_visits - 1))
    crossed = cell - arm[:, None] - visit[None, :] + grand
    expected = {
        "arm": (n * n_visits * np.sum((arm - grand) ** 2) / ms_patients, 1, 18.0),
        "visit": (2 * n * np.sum((visit - grand) ** 2) / (n_visits - 1) / ms_rest, 3, 54.0),
        "arm by visit": (n * np.sum(crossed**2) / (n_visits - 1) / ms_rest, 3, 54.0),
    }
    names = trial.data.visits
    middle = {one: (trial.mean("il7", one) + trial.mean("placebo", one)) / 2.0 for one in names}
    apart = {one: trial.difference("il7", "placebo", one) for one in names}
    rows = {
        "arm": [trial.difference("il7", "placebo")],
        "visit": [middle[one] - middle[names[0]] for one in names[1:]],
        "arm by visit": [apart[one] - apart[names[0]] for one in names[1:]],
    }
    for effect, (statistic, df_numerator, df_denominator) in expected.items():
        found = fit.joint(rows[effect], effect)
        is_counted = isinstance(freedom, BetweenWithin)
        assert found.statistic == pytest.approx(statistic, rel=1e-6)
        assert found.df_numerator == df_numerator
        if not (
            is_counted and effect == "arm"
        ):  # the row of the arms touches arm by visit, the intercept's df are fewer
            assert found.df_denominator == pytest.approx(df_denominator, rel=1e-6)
        assert found.scale == pytest.approx(1.0, rel=1e-6)
    assert fit.contrast(trial.difference("il7", "placebo"), "arm").df == pytest.approx(18.0, rel=1e-6)


def test_adjustment_is_nothing_where_the_coefficients_do_not_depend_on_sigma() -> None:
    """Complete data, a free mean at every arm and visit: Φ_A = Φ = Σ̂ over the patients of an arm."""
    trial, _ = complete(20, 3)
    fit = Mmrm().fit(trial.data)
    rows = np.stack([trial.mean("placebo", visit) for visit in trial.data.visits])
    assert rows @ fit.covariance @ rows.T == pytest.approx(fit.sigma[0] / 10.0, rel=1e-7)


def test_unstructured_is_the_pooled_covariance_of_complete_data() -> None:
    """REML of complete data by arm and visit: the pooled covariance with n - 2."""
    trial, values = complete(20, 4)
    pooled = (np.cov(values[0::2].T) + np.cov(values[1::2].T)) / 2.0
    assert Mmrm(covariance=Unstructured()).fit(trial.data).sigma[0] == pytest.approx(pooled, rel=1e-7)


def test_effect_speaks_for_itself() -> None:
    """A contrast comes as the Effect that the other analyses use."""
    trial, _ = complete(20, 2)
    found = Mmrm().fit(trial.data).contrast(trial.difference("il7", "placebo", "day 14"), "il7 - placebo, day 14")
    assert isinstance(found, Effect)
    assert found.contrast == "il7 - placebo, day 14"
    low, high = found.interval()
    assert (low > 0.0 or high < 0.0) == (found.p_value < 0.05)
