"""What every imputing estimator obeys."""

import numpy as np
import pytest
from imputation_cases import SMALL, jump, small_trial

from sevenfold.analysis.ancova import Ancova, Contrast
from sevenfold.analysis.imputation import (
    Assumption,
    ConditionalMean,
    Courses,
    ImputationFit,
    MultipleImputation,
    Resampled,
    Uncertainty,
)
from sevenfold.analysis.imputation.base_model import Parameters
from sevenfold.analysis.imputation.completion import Imputer


def _estimators(assumption: Assumption) -> tuple[Imputer, ...]:
    model = jump(assumption, "control")
    return (
        ConditionalMean(model=model, analysis=SMALL),
        ConditionalMean(model=model, analysis=SMALL, uncertainty=Uncertainty.ANCHORED),
        ConditionalMean(model=model, analysis=SMALL, uncertainty=Uncertainty.BOOTSTRAP, n_resamples=30, seed=4),
        MultipleImputation(model=model, analysis=SMALL, n=20, seed=7),
        MultipleImputation(model=model, analysis=SMALL, n=20, seed=7, drawing=Resampled()),
    )


@pytest.mark.parametrize("assumption", Assumption)
def test_with_nothing_missing_there_is_only_the_analysis_of_covariance(assumption: Assumption) -> None:
    """Nothing is imputed, so no assumption changes anything; Rubin's rules then give the analysis's own error and
    degrees of freedom, and the conditional mean's estimate is the analysis's.
    """
    courses = small_trial(missing=0.0, has_gaps=False)
    known = SMALL.fit(courses.response[:, 2], courses.arm, covariates=courses.covariates).effect("effect")
    for estimator in _estimators(assumption):
        told = estimator.fit(courses).effect("effect", "3")
        assert told.estimate == pytest.approx(known.estimate, rel=1e-12)
        if isinstance(estimator, MultipleImputation):
            assert told.se == pytest.approx(known.se, rel=1e-12)
            assert told.df == known.df


@pytest.mark.parametrize("assumption", [Assumption.JUMP_TO_REFERENCE, Assumption.COPY_REFERENCE])
def test_the_order_of_patients_does_not_matter(assumption: Assumption) -> None:
    """Exactly so for conditional means; imputations are other draws, within four of their Monte Carlo errors."""
    courses = small_trial(n=50)
    turned = courses.taken(np.random.default_rng(1).permutation(50))
    for estimator in _estimators(assumption):
        one, other = estimator.fit(courses).answer("effect", "3"), estimator.fit(turned).answer("effect", "3")
        if one.spread is None:
            assert other.effect.estimate == pytest.approx(one.effect.estimate, rel=1e-6)
            if isinstance(estimator, ConditionalMean) and estimator.uncertainty is not Uncertainty.BOOTSTRAP:
                assert other.effect.se == pytest.approx(one.effect.se, rel=1e-6)
        else:
            error = np.sqrt(2) * one.spread.monte_carlo_error
            assert other.effect.estimate == pytest.approx(one.effect.estimate, abs=4 * error)


def test_the_same_seed_gives_the_same_answer_and_another_another() -> None:
    """Nothing but the seed is random."""
    courses = small_trial()

    def told(seed: int) -> ImputationFit:
        return MultipleImputation(model=jump(reference="control"), analysis=SMALL, n=5, seed=seed).fit(courses)

    assert told(1).contrasts == told(1).contrasts
    assert told(1).effect("effect", "3") != told(2).effect("effect", "3")


def test_units_of_the_response_scale_the_answer() -> None:
    """In half points everything doubles; shifted by a constant nothing changes."""
    courses = small_trial()
    other = Courses(
        response=2.0 * courses.response + 5.0,
        arm=courses.arm,
        visits=courses.visits,
        event=courses.event,
        first_after=courses.first_after,
        covariates=courses.covariates,
    )
    for assumption in (Assumption.COPY_INCREMENTS, Assumption.LAST_MEAN):
        for estimator in (_estimators(assumption)[0], _estimators(assumption)[3]):
            one, two = estimator.fit(courses).effect("effect", "3"), estimator.fit(other).effect("effect", "3")
            assert (two.estimate, two.se) == pytest.approx((2 * one.estimate, 2 * one.se), rel=1e-5)


def test_the_reference_arm_s_own_mean_is_that_under_missing_at_random() -> None:
    """Where everything after an event is missing, nothing but the other arm's values depend on the assumption; the
    adjusted mean of the reference arm moves only through the common covariate slope.
    """
    courses = small_trial()
    unadjusted = Courses(
        response=courses.response,
        arm=courses.arm,
        visits=courses.visits,
        event=courses.event,
        first_after=courses.first_after,
    )
    told = [
        ConditionalMean(model=jump(assumption, "control"), analysis=SMALL).fit(unadjusted).ls_mean("control", "3")
        for assumption in Assumption
        if assumption is not Assumption.LAST_MEAN
    ]
    for one in told[1:]:
        assert one.estimate == pytest.approx(told[0].estimate, rel=1e-10)


def test_reference_based_estimates_lie_in_their_order() -> None:
    """With an effect that grows over time, jump to reference loses more of it than copying increments, and that more
    than missing at random; the active arm had more of it at every visit.
    """
    courses = small_trial(n=80, effect=3.0)

    def told(assumption: Assumption) -> float:
        model = jump(assumption, "control")
        return ConditionalMean(model=model, analysis=SMALL).fit(courses).effect("effect", "3").estimate

    at_random, jumped, increments, copied = (told(one) for one in list(Assumption)[:4])
    assert jumped < increments < at_random
    assert jumped < copied < at_random


def test_values_seen_after_an_event_are_kept_but_teach_the_model_nothing() -> None:
    """Treatment policy: what was observed is analysed as it is; an absurd value of that kind leaves the model's means
    as they were, while under missing at random it belongs to them.
    """
    courses = small_trial(has_gaps=False)
    one = int(np.flatnonzero((courses.arm == "active") & (courses.first_after == 2))[0])

    def seen_again(value: float) -> Courses:
        response = courses.response.copy()
        response[one, 2] = value
        return Courses(
            response=response,
            arm=courses.arm,
            visits=courses.visits,
            event=courses.event,
            first_after=courses.first_after,
            covariates=courses.covariates,
        )

    model, at_random = jump(reference="control"), jump(Assumption.MISSING_AT_RANDOM)
    whole = model.fitted(courses, SMALL.arms)
    absurd = model.fitted(seen_again(50.0), SMALL.arms)
    moved = at_random.fitted(seen_again(50.0), SMALL.arms)
    assert isinstance(whole, Parameters)
    assert isinstance(absurd, Parameters)
    assert isinstance(moved, Parameters)
    assert np.array_equal(absurd.coefficients, whole.coefficients)
    assert np.abs(moved.coefficients - whole.coefficients).max() > 0.1
    estimator = ConditionalMean(model=model, analysis=SMALL)
    low, high = estimator.fit(seen_again(0.0)), estimator.fit(seen_again(10.0))
    assert high.effect("effect", "3").estimate > low.effect("effect", "3").estimate


def test_many_imputations_at_random_are_the_mixed_model() -> None:
    """The mean of 400 imputations is the conditional mean's estimate, and so the mixed model's (as
    test_imputation_published.py holds), within four Monte Carlo errors and what the posterior's skewness leaves.
    """
    courses = small_trial(n=80)
    model = jump(Assumption.MISSING_AT_RANDOM, "control")
    known = ConditionalMean(model=model, analysis=SMALL).fit(courses).effect("effect", "3")
    answer = MultipleImputation(model=model, analysis=SMALL, n=400, seed=5).fit(courses).answer("effect", "3")
    assert answer.spread is not None
    assert answer.effect.estimate == pytest.approx(known.estimate, abs=4 * answer.spread.monte_carlo_error)
    assert answer.effect.se == pytest.approx(known.se, rel=0.15)


def test_three_arms_may_refer_to_one() -> None:
    """Any arms, any contrast; the third arm's patients jump to the same reference."""
    courses = small_trial(n=90)
    arm = courses.arm.astype("U8").copy()
    arm[::6] = "high"
    three = Courses(
        response=courses.response,
        arm=arm,
        visits=courses.visits,
        event=courses.event,
        first_after=courses.first_after,
        covariates=courses.covariates,
    )
    analysis = Ancova(
        arms=("high", "active", "control"),
        contrasts=(Contrast(name="pooled", weights={"high": 0.5, "active": 0.5, "control": -1.0}),),
    )
    fit = MultipleImputation(model=jump(reference="control"), analysis=analysis, n=10, seed=1).fit(three)
    assert fit.fit.is_ok
    assert fit.effect("pooled", "3").se > 0
    assert len(fit.ls_means) == 3


@pytest.mark.slow
def test_the_jackknife_tells_how_the_estimate_varies_and_rubin_s_rules_tell_more() -> None:
    """Recovery, 100 trials under jump to reference with half of the active arm gone: the mean jackknife error is the
    standard deviation of the estimate within four of its Monte Carlo errors, 1/√(2·99), and Rubin's is larger.
    """
    estimates, jackknife, rubin = [], [], []
    for seed in range(100):
        courses = small_trial(n=60, seed=seed, missing=0.5, effect=0.0, has_gaps=False)
        told = ConditionalMean(model=jump(reference="control"), analysis=SMALL).fit(courses).effect("effect", "3")
        many = MultipleImputation(model=jump(reference="control"), analysis=SMALL, n=20, seed=seed).fit(courses)
        estimates.append(told.estimate)
        jackknife.append(told.se)
        rubin.append(many.effect("effect", "3").se)
    varies = float(np.std(estimates, ddof=1))
    assert np.mean(jackknife) == pytest.approx(varies, rel=4 / np.sqrt(2 * 99))
    assert np.mean(rubin) > 1.2 * np.mean(jackknife)
