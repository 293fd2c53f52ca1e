"""Refits to condensed patients are the refits to all of them, and a shift is read off as it would be analysed."""

import numpy as np
import pytest
from imputation_cases import SMALL, jump, small_trial

from sevenfold.analysis.effect import Fit
from sevenfold.analysis.imputation import ConditionalMean, Courses, Uncertainty
from sevenfold.analysis.imputation.base_model import ImputationModel, Parameters
from sevenfold.analysis.imputation.completion import ImputationFit, analyse
from sevenfold.analysis.imputation.condensing import alike, condensed, laid_out
from sevenfold.analysis.mmrm.covariance import ByGroup, CompoundSymmetry, Unstructured
from sevenfold.analysis.mmrm.likelihood import Estimation, evaluate
from sevenfold.analysis.mmrm.panel import arrange

ARMS = SMALL.arms
MODELS = {
    "one covariance": jump(reference="control"),
    "by arm": ImputationModel(
        assumptions=jump(reference="control").assumptions, reference="control", covariance=ByGroup(Unstructured())
    ),
    "compound symmetry, ML": ImputationModel(
        assumptions=jump(reference="control").assumptions,
        reference="control",
        covariance=CompoundSymmetry(),
        estimation=Estimation.ML,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_condensed_fit_is_the_fit(name: str) -> None:
    """Both searches end where only rounding is left (POLISHED, a deviance to 1e-14): parameters agree to 1e-7 of it."""
    model, courses = MODELS[name], small_trial(n=60)
    for out in (0, 7, 31):
        own = courses.taken(np.delete(np.arange(courses.n_patients), out))
        whole, few = model.fitted(own, ARMS), model.refitted(own, ARMS)
        assert isinstance(whole, Parameters)
        assert isinstance(few, Parameters)
        np.testing.assert_allclose(few.coefficients, whole.coefficients, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(few.sigma, whole.sigma, rtol=1e-7)


@pytest.mark.parametrize("estimation", Estimation)
def test_condensed_patients_have_the_same_likelihood_everywhere(estimation: Estimation) -> None:
    """Not at the optimum only: at covariances drawn at random, to rounding, in far fewer rows."""
    courses, model, rng = small_trial(n=200), MODELS["one covariance"], np.random.default_rng(4)
    columns = model._columns(courses, ARMS, None)
    whole = arrange(laid_out(*columns, visits=courses.visits, groups=("all",)), is_by_group=False)
    few = condensed(*columns, visits=courses.visits, groups=("all",))
    assert few.n_observations == whole.n_observations
    assert len(few.response) < len(whole.response) / 3
    for _ in range(5):
        root = rng.normal(size=(len(courses.visits), 9))
        sigma = (root @ root.T)[None]
        one, other = evaluate(whole, sigma, estimation), evaluate(few, sigma, estimation)
        assert one is not None
        assert other is not None
        assert other.deviance == pytest.approx(one.deviance, rel=1e-12)


def test_a_refit_that_fails_says_what_the_fit_says() -> None:
    """Too few patients: the same status and the same words."""
    courses = small_trial(n=6, has_gaps=False)
    model = MODELS["by arm"]
    one, other = model.fitted(courses, ARMS), model.refitted(courses, ARMS)
    assert isinstance(one, Fit)
    assert other == one


@pytest.mark.parametrize("uncertainty", [Uncertainty.JACKKNIFE, Uncertainty.ANCHORED])
def test_the_jackknife_is_its_definition_with_or_without_a_shift(uncertainty: Uncertainty) -> None:
    """Two ways: every patient left out by hand, refitted from all rows, completed, shifted and analysed."""
    courses: Courses = small_trial(n=40)
    estimator = ConditionalMean(model=MODELS["one covariance"], analysis=SMALL, uncertainty=uncertainty)
    made = estimator.complete(courses)
    assert not isinstance(made, ImputationFit)
    whole, at_random = estimator._filled(courses), estimator._filled(courses, is_at_random=True)
    assert not isinstance(whole, Fit)
    assert not isinstance(at_random, Fit)
    is_anchored = uncertainty is Uncertainty.ANCHORED
    for shift in ({}, {"active": -2.5}, {"active": 1.0, "control": 40.0}):
        estimates = []
        for out in range(courses.n_patients):
            rest = np.delete(np.arange(courses.n_patients), out)
            own = courses.taken(rest)
            values = estimator._filled(own, is_at_random=is_anchored)
            assert not isinstance(values, Fit)
            values = values + (whole - at_random)[rest] if is_anchored else values
            one = analyse(SMALL, own, values, courses.visits[-1], shift)
            assert not isinstance(one, Fit)
            estimates.append(one.estimates[0])
        n = len(estimates)
        se = np.sqrt((n - 1) / n * ((np.array(estimates) - np.mean(estimates)) ** 2).sum())
        assert made.analysed(shift).effect("effect", courses.visits[-1]).se == pytest.approx(se, rel=1e-7)


def test_progress_counts_every_refit() -> None:
    """Told after each, up to all of them, so that whoever waits for minutes sees how far it has come."""
    told: list[tuple[int, int]] = []
    courses = small_trial(n=30)
    ConditionalMean(model=MODELS["one covariance"], analysis=SMALL).complete(
        courses, lambda done, of: told.append((done, of))
    )
    assert told == [(k, courses.n_patients) for k in range(1, courses.n_patients + 1)]


@pytest.mark.parametrize("largest", [3, 2**40])
def test_rows_alike_are_those_numpy_finds(largest: int) -> None:
    """Two ways: unique rows; with keys that fit in one number, and with such as do not."""
    rng = np.random.default_rng(8)
    keys = rng.integers(0, 2, (200, 5)) * np.array([1, largest, 1, largest, 1])
    rows, first, code = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    mine, of = alike(keys)
    assert (keys[mine] == rows).all()
    assert (mine == first).all()
    assert (of == code).all()
