"""The parts of imputation against closed forms and against slow, obvious computations."""

import numpy as np
import pytest
from imputation_cases import SMALL, by_arm, jump, small_trial
from scipy.stats import t as student

from sevenfold.analysis.effect import Status
from sevenfold.analysis.imputation import (
    DROPOUT,
    Assumption,
    ConditionalMean,
    Courses,
    ImputationModel,
    MultipleImputation,
    Posterior,
    Resampled,
    Uncertainty,
    combined,
    courses_from_rows,
)
from sevenfold.analysis.imputation.base_model import Parameters
from sevenfold.analysis.imputation.completing import completed
from sevenfold.analysis.imputation.drawing import resample
from sevenfold.analysis.mmrm.covariance import Toeplitz
from sevenfold.errors import InvalidDesign, InvalidInput


def _obvious(courses: Courses, model: ImputationModel, parameters: Parameters) -> np.ndarray:
    """Conditional means, one patient and one value at a time, by the definitions of Carpenter, Roger and Kenward."""
    arms = SMALL.arms
    b, sigma = parameters.coefficients[0], parameters.sigma[0]
    x = courses.covariates["baseline"] - courses.covariates["baseline"].mean()
    told = courses.response.copy()
    reference = arms.index(model.reference or arms[0])
    for i in range(courses.n_patients):
        arm = arms.index(str(courses.arm[i]))
        own, other = b[arm] + x[i] * b[2], b[reference] + x[i] * b[2]
        event = str(courses.event[i])
        assumption = model.assumptions[event] if event else Assumption.MISSING_AT_RANDOM
        t = int(courses.first_after[i]) if assumption is not Assumption.MISSING_AT_RANDOM else 3
        before = [v for v in range(3) if v < t]
        seen = [v for v in before if courses.is_seen[i, v]]
        for v in before:
            if v not in seen:
                weights = np.linalg.inv(sigma[arm][np.ix_(seen, seen)]) @ sigma[arm][seen, v]
                told[i, v] = own[v] + weights @ (courses.response[i, seen] - own[seen])
        basis, covariance = own, sigma[reference]
        if assumption is Assumption.COPY_REFERENCE:
            basis = other
        if assumption is Assumption.LAST_MEAN:
            covariance = sigma[arm]
        for v in range(t, 3):
            mean = {
                Assumption.JUMP_TO_REFERENCE: other[v],
                Assumption.COPY_REFERENCE: other[v],
                Assumption.COPY_INCREMENTS: own[t - 1] + other[v] - other[t - 1],
                Assumption.LAST_MEAN: own[t - 1],
            }[assumption]
            weights = np.linalg.inv(covariance[np.ix_(before, before)]) @ covariance[before, v]
            told[i, v] = mean + weights @ (told[i, before] - basis[before])
    return told


@pytest.mark.parametrize("is_by_arm", [False, True])
@pytest.mark.parametrize("assumption", Assumption)
def test_conditional_means_agree_with_the_definitions(assumption: Assumption, is_by_arm: bool) -> None:
    """Two ways: patterns of patients at once, against one value at a time; the reference's regression on what came
    before is that of its own covariance, whatever the arm's.
    """
    courses = small_trial()
    model = by_arm(assumption) if is_by_arm else jump(assumption, "control")
    parameters = model.fitted(courses, SMALL.arms)
    assert isinstance(parameters, Parameters)
    told = completed(courses, SMALL.arms, model, parameters)[0]
    assert told == pytest.approx(_obvious(courses, model, parameters), rel=1e-10)


def test_drawn_values_have_the_conditional_mean_and_variance() -> None:
    """Four thousand noises at fixed parameters: mean and covariance within four standard errors of the closed forms."""
    courses = small_trial()
    model = by_arm(Assumption.JUMP_TO_REFERENCE)
    parameters = model.fitted(courses, SMALL.arms)
    assert isinstance(parameters, Parameters)
    n = 4000
    many = Parameters(
        coefficients=np.repeat(parameters.coefficients, n, axis=0), sigma=np.repeat(parameters.sigma, n, axis=0)
    )
    noise = np.random.default_rng(3).normal(size=(n, courses.n_patients, 3))
    drawn = completed(courses, SMALL.arms, model, many, noise)
    mean = completed(courses, SMALL.arms, model, parameters)[0]
    one = int(np.flatnonzero((courses.arm == "active") & (courses.first_after == 1))[0])
    control = parameters.sigma[0, 1]
    left = control[1:, 1:] - np.outer(control[1:, 0], control[0, 1:]) / control[0, 0]
    assert drawn[:, one].mean(axis=0) == pytest.approx(mean[one], abs=4 * np.sqrt(left.max() / n))
    assert np.cov(drawn[:, one, 1:].T) == pytest.approx(left, abs=4 * left.max() * np.sqrt(2 / n))


def test_rubin_s_rules_are_those_of_1987_with_the_degrees_of_freedom_of_1999() -> None:
    """By hand: W = 2, B = 1, M = 4: T = 3.25, λ = 1.25/3.25, ν = 20 gives 20·21/23·(1 - λ) from the data."""
    effect, spread = combined("x", np.array([1.0, 3.0, 2.0, 2.0]) * np.sqrt(1.5), np.full(4, 2.0), 20.0)
    assert spread.between == pytest.approx(1.0, rel=1e-14)
    assert effect.se == pytest.approx(np.sqrt(3.25), rel=1e-14)
    share = 1.25 / 3.25
    from_imputations, from_data = 3 / share**2, 20 * 21 / 23 * (1 - share)
    assert effect.df == pytest.approx(1 / (1 / from_imputations + 1 / from_data), rel=1e-14)
    without_end, _ = combined("x", np.array([1.0, 3.0, 2.0, 2.0]) * np.sqrt(1.5), np.full(4, 2.0), np.inf)
    assert without_end.df == pytest.approx(from_imputations, rel=1e-14)


def test_posterior_of_complete_data_is_inverse_wishart() -> None:
    """Closed form: with a flat prior and Jeffreys' the mean of Σ is S/(n - q - T - 1), S about least squares, and the
    coefficients have the mean of least squares; within four Monte Carlo errors of 700 nearly independent draws.
    """
    courses = small_trial(missing=0.0, has_gaps=False)
    n, n_draws = courses.n_patients, 700
    drawn = Posterior(n_first=20, n_between=2).draw(jump(reference="control"), courses, SMALL.arms, n_draws, root=4)
    assert isinstance(drawn, Parameters)
    x = courses.covariates["baseline"]
    z = np.column_stack([courses.arm == "active", courses.arm == "control", x - x.mean()]).astype(float)
    least_squares = np.linalg.lstsq(z, courses.response, rcond=None)[0]
    squares = (courses.response - z @ least_squares).T @ (courses.response - z @ least_squares)
    sigma = squares / (n - 3 - 3 - 1)
    relative = np.sqrt(2 / (n - 3) / n_draws)
    assert drawn.sigma[:, 0].mean(axis=0) == pytest.approx(sigma, abs=4 * 1.2 * relative * sigma.max())
    error = np.sqrt(np.outer(np.diag(np.linalg.inv(z.T @ z)), np.diag(sigma)) / n_draws)
    assert (np.abs(drawn.coefficients.mean(axis=0) - least_squares) < 4 * error).all()
    assert np.array_equal(drawn.sigma[:, 0], drawn.sigma[:, 1])


def test_posterior_mean_of_monotone_data_is_the_regression_estimate() -> None:
    """Closed form: of two visits, the second's mean is that of those who came plus regression times how they differed
    at the first; the augmented chain must find it without being told.
    """
    rng = np.random.default_rng(8)
    first = rng.normal(size=80)
    second = 0.8 * first + 0.6 * rng.normal(size=80)
    second[first > 0.4] = np.nan
    courses = Courses(
        response=np.stack([first, second], axis=1),
        arm=np.where(np.arange(80) % 2 == 0, "active", "control"),
        visits=("1", "2"),
        event=np.full(80, ""),
        first_after=np.full(80, 2),
    )
    model = ImputationModel(assumptions={})
    n_draws = 600
    drawn = Posterior().draw(model, courses, SMALL.arms, n_draws, root=1)
    assert isinstance(drawn, Parameters)
    active = courses.arm == "active"
    came = ~np.isnan(second)
    within = np.concatenate([first[came & own] - first[came & own].mean() for own in (active, ~active)])
    outcome = np.concatenate([second[came & own] - second[came & own].mean() for own in (active, ~active)])
    slope = within @ outcome / (within @ within)
    for arm, own in enumerate((active, ~active)):
        known = second[came & own].mean() + slope * (first[own].mean() - first[came & own].mean())
        error = drawn.coefficients[:, arm, 1].std(ddof=1) / np.sqrt(n_draws)
        assert drawn.coefficients[:, arm, 1].mean() == pytest.approx(known, abs=4 * 1.3 * error)


def test_draws_of_a_posterior_by_arm_keep_the_arms_apart() -> None:
    """An arm whose patients vary twice as much has four times the variance, in every second draw at least."""
    courses = small_trial(n=120)
    doubled = np.where(courses.arm[:, None] == "active", 2.0, 1.0) * courses.response
    wide = Courses(
        response=doubled,
        arm=courses.arm,
        visits=courses.visits,
        event=courses.event,
        first_after=courses.first_after,
        covariates=courses.covariates,
    )
    drawn = Posterior().draw(by_arm(Assumption.JUMP_TO_REFERENCE), wide, SMALL.arms, 50, root=2)
    assert isinstance(drawn, Parameters)
    ratio = drawn.sigma[:, 0, 0, 0] / drawn.sigma[:, 1, 0, 0]
    assert 2.5 < np.median(ratio) < 6.5


def test_resamples_keep_the_size_of_each_arm() -> None:
    """Patients are drawn within arms, and another number gives another resample."""
    courses = small_trial(n=31)
    picked = [resample(courses, SMALL.arms, number, root=3) for number in range(3)]
    for one in picked:
        assert np.array_equal(courses.arm[one], courses.arm)
    assert not np.array_equal(picked[0], picked[1])
    assert np.array_equal(picked[2], resample(courses, SMALL.arms, 2, root=3))


def test_bootstrap_and_jackknife_agree() -> None:
    """Two ways to the same variance; the bootstrap's Monte Carlo error is 1/√(2·200) of it, and they differ by terms of
    order 1/n, here below a tenth.
    """
    courses = small_trial(n=60, seed=5)
    model = jump(reference="control")
    jackknife = ConditionalMean(model=model, analysis=SMALL).fit(courses).effect("effect", "3")
    bootstrap = ConditionalMean(
        model=model, analysis=SMALL, uncertainty=Uncertainty.BOOTSTRAP, n_resamples=200, seed=1
    ).fit(courses)
    assert bootstrap.n_sets == 201
    told = bootstrap.effect("effect", "3")
    assert told.estimate == pytest.approx(jackknife.estimate, rel=1e-12)
    assert told.se == pytest.approx(jackknife.se, rel=4 / np.sqrt(2 * 200) + 0.1)


def test_rows_become_courses_whatever_their_order() -> None:
    """Missing rows and missing values are the same; the last visit seen tells who dropped out, and a gap is none."""
    rows = [
        ("b", "x", "1", 2.0),
        ("b", "x", "3", 4.0),
        ("a", "y", "1", 1.0),
        ("a", "y", "2", np.nan),
        ("c", "x", "2", np.nan),
    ]
    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
        subject, arm, visit, y = zip(*(rows[i] for i in order), strict=True)
        courses = courses_from_rows(y, subject=subject, arm=arm, visit=visit, visits=("1", "2", "3"))
        assert courses.arm.tolist() == ["y", "x", "x"]
        assert courses.event.tolist() == [DROPOUT, "", DROPOUT]
        assert courses.first_after.tolist() == [1, 3, 0]
        assert np.array_equal(courses.response[1], [2.0, np.nan, 4.0], equal_nan=True)


def test_what_cannot_be_is_refused_at_the_door() -> None:
    """Each message says what was found and the way out."""
    with pytest.raises(InvalidDesign, match="needs a reference arm"):
        ImputationModel(assumptions={DROPOUT: Assumption.COPY_REFERENCE})
    with pytest.raises(InvalidDesign, match="use Resampled"):
        MultipleImputation(
            model=ImputationModel(assumptions={}, covariance=Toeplitz()), analysis=SMALL, seed=1, drawing=Posterior()
        )
    with pytest.raises(InvalidDesign, match="the arms are"):
        ConditionalMean(model=jump(reference="placebo"), analysis=SMALL)
    with pytest.raises(InvalidDesign, match="needs a seed"):
        ConditionalMean(model=jump(reference="control"), analysis=SMALL, uncertainty=Uncertainty.BOOTSTRAP)
    courses = small_trial()
    with pytest.raises(InvalidInput, match="Nothing is assumed of values after 'dropout'"):
        ConditionalMean(model=ImputationModel(assumptions={}), analysis=SMALL).fit(courses)
    with pytest.raises(InvalidInput, match="two rows at visit"):
        courses_from_rows([1.0, 2.0], subject=[1, 1], arm=["a", "a"], visit=["1", "1"], visits=("1",))
    with pytest.raises(InvalidInput, match="differs between rows"):
        courses_from_rows([1.0, 2.0], subject=[1, 1], arm=["a", "b"], visit=["1", "2"], visits=("1", "2"))


def test_a_last_mean_needs_a_visit_before() -> None:
    """Before the first visit there is no mean of the arm to carry forward."""
    courses = small_trial()
    first_after = courses.first_after.copy()
    first_after[courses.event == DROPOUT] = 0
    early = Courses(
        response=np.where(np.arange(3) >= first_after[:, None], np.nan, courses.response),
        arm=courses.arm,
        visits=courses.visits,
        event=courses.event,
        first_after=first_after,
        covariates=courses.covariates,
    )
    with pytest.raises(InvalidInput, match="last mean"):
        ConditionalMean(model=jump(Assumption.LAST_MEAN, "control"), analysis=SMALL).fit(early)
    told = ConditionalMean(model=jump(Assumption.COPY_INCREMENTS, "control"), analysis=SMALL).fit(early)
    other = ConditionalMean(model=jump(reference="control"), analysis=SMALL).fit(early)
    assert told.effect("effect", "3") == other.effect("effect", "3")


def test_a_model_that_cannot_be_fitted_is_a_status() -> None:
    """Six patients can't tell an unstructured covariance; nobody is to take a number from it."""
    courses = small_trial(n=6, has_gaps=False)
    for estimator in (
        ConditionalMean(model=jump(reference="control"), analysis=SMALL),
        MultipleImputation(model=jump(reference="control"), analysis=SMALL, n=5, seed=1),
        MultipleImputation(model=jump(reference="control"), analysis=SMALL, n=5, seed=1, drawing=Resampled()),
    ):
        fit = estimator.fit(courses)
        assert fit.fit.status is not Status.OK
        assert fit.fit.message
        assert not fit.contrasts
        assert len(fit.imputed) == 6


def test_intervals_refer_to_student_s_t() -> None:
    """The combined effect carries Barnard and Rubin's degrees of freedom into interval and p-value."""
    effect = (
        MultipleImputation(model=jump(reference="control"), analysis=SMALL, n=20, seed=1)
        .fit(small_trial())
        .effect("effect", "3")
    )
    assert effect.df < 57
    half = student.ppf(0.975, effect.df) * effect.se
    assert effect.interval() == pytest.approx((effect.estimate - half, effect.estimate + half), rel=1e-9)
