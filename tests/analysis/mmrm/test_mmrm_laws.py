"""What every covariance structure obeys: the answer follows the data's labels, order and units, and nothing else."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mmrm_cases import COVARIANCES, Array, label_of, simulated

from sevenfold.analysis.effect import Effect
from sevenfold.analysis.mmrm import (
    Autoregressive,
    ByGroup,
    Empirical,
    Estimation,
    KenwardRoger,
    Longitudinal,
    Mmrm,
    MmrmFit,
    Satterthwaite,
)
from sevenfold.analysis.mmrm.covariance.structure import Structure

EXAMPLES = settings(max_examples=4, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
CLOSE = 1e-6  # two searches end within about 1e-8 standard errors of the same optimum

each = pytest.mark.parametrize("covariance", COVARIANCES, ids=label_of)


def remade(data: Longitudinal, **changes: object) -> Longitudinal:
    """The data with some of its arrays replaced."""
    parts: dict[str, object] = {
        "response": data.response,
        "design": data.design,
        "columns": data.columns,
        "subject": data.subject,
        "visit": data.visit,
        "visits": data.visits,
        "times_day": data.times_day,
        "group": data.group,
        "groups": data.groups,
    }
    return Longitudinal(**{**parts, **changes})  # type: ignore[arg-type] # the keys are the fields


def fitted(data: Longitudinal, covariance: Structure | ByGroup) -> MmrmFit:
    fit = Mmrm(covariance=covariance, freedom=KenwardRoger(is_linear=True)).fit(data)
    assume(fit.is_ok)
    return fit


def arm_at(data: Longitudinal, visit: int) -> Array:
    """il7 - placebo at a visit: the arm's column and its product with the visit."""
    row = np.zeros(len(data.columns))
    row[data.columns.index("il7")] = 1.0
    if visit > 0:
        row[data.columns.index(f"il7 × {data.visits[visit]}")] = 1.0
    return row


def assert_same(found: Effect, expected: Effect, *, times: float = 1.0) -> None:
    """Equal up to the search's tolerance, the estimate and its error multiplied."""
    assert found.estimate == pytest.approx(times * expected.estimate, rel=CLOSE, abs=CLOSE * abs(times) * expected.se)
    assert found.se == pytest.approx(abs(times) * expected.se, rel=CLOSE)
    assert found.df == pytest.approx(expected.df, rel=10.0 * CLOSE)


@EXAMPLES
@given(seed=SEEDS)
@each
def test_order_of_rows_and_names_of_patients_do_not_matter(covariance: Structure | ByGroup, seed: int) -> None:
    """The same measurements in another order, of patients with other numbers."""
    data = simulated(seed).data
    fit = fitted(data, covariance)
    rng = np.random.default_rng(seed)
    order = rng.permutation(data.n_observations)
    names = rng.choice(10_000, size=data.n_patients, replace=False)
    assert data.group is not None
    other = fitted(
        remade(
            data,
            response=data.response[order],
            design=data.design[order],
            subject=names[data.subject[order]],
            visit=data.visit[order],
            group=data.group[order],
        ),
        covariance,
    )
    assert other.criteria.deviance == pytest.approx(fit.criteria.deviance, abs=1e-7)
    assert_same(other.contrast(arm_at(data, 3), ""), fit.contrast(arm_at(data, 3), ""))


@EXAMPLES
@given(seed=SEEDS)
@each
def test_relabelling_the_arms_turns_the_difference_round(covariance: Structure | ByGroup, seed: int) -> None:
    """What was placebo is called il7: every difference changes its sign and nothing else changes."""
    data = simulated(seed).data
    fit = fitted(data, covariance)
    design = np.array(data.design)
    n_visits = len(data.visits)
    design[:, n_visits] = 1.0 - data.design[:, n_visits]
    design[:, n_visits + 1 : 2 * n_visits] = data.design[:, 1:n_visits] * design[:, n_visits : n_visits + 1]
    assert data.group is not None
    other = fitted(remade(data, design=design, group=1 - data.group), covariance)
    for visit in range(n_visits):
        assert_same(other.contrast(arm_at(data, visit), ""), fit.contrast(arm_at(data, visit), ""), times=-1.0)
    if isinstance(covariance, ByGroup):
        assert other.sigma[::-1] == pytest.approx(fit.sigma, rel=1e-5, abs=1e-7)


@EXAMPLES
@given(seed=SEEDS, shift=st.floats(-1e4, 1e4), log10_scale=st.floats(-4.0, 4.0))
@each
def test_units_and_origin_of_the_response_carry_through(
    covariance: Structure | ByGroup, seed: int, shift: float, log10_scale: float
) -> None:
    """Of a + b·y: differences and their errors times b, the same degrees of freedom, Σ times b²."""
    scale = 10.0**log10_scale
    fit = fitted(simulated(seed).data, covariance)
    other = fitted(simulated(seed, shift=shift * scale, scale=scale).data, covariance)
    row = arm_at(simulated(seed).data, 3)
    assert_same(other.contrast(row, ""), fit.contrast(row, ""), times=scale)
    assert other.sigma == pytest.approx(scale**2 * fit.sigma, rel=1e-5, abs=1e-7 * scale**2)
    intercept = np.eye(row.size)[0]
    expected = scale * fit.contrast(intercept, "").estimate + shift * scale
    assert other.contrast(intercept, "").estimate == pytest.approx(expected, rel=1e-8, abs=1e-6 * scale)


@EXAMPLES
@given(seed=SEEDS)
@each
def test_taking_the_visits_in_reverse_changes_nothing(covariance: Structure | ByGroup, seed: int) -> None:
    """All these structures look the same backwards in time."""
    data = simulated(seed).data
    fit = fitted(data, covariance)
    assert data.times_day is not None
    last = data.times_day[-1]
    other = fitted(
        remade(
            data,
            visit=len(data.visits) - 1 - data.visit,
            visits=data.visits[::-1],
            times_day=tuple(last - one for one in data.times_day[::-1]),
        ),
        covariance,
    )
    assert other.criteria.deviance == pytest.approx(fit.criteria.deviance, abs=1e-7)
    assert other.sigma[:, ::-1, ::-1] == pytest.approx(fit.sigma, rel=1e-5, abs=1e-7)
    assert_same(other.contrast(arm_at(data, 3), ""), fit.contrast(arm_at(data, 3), ""))


@EXAMPLES
@given(seed=SEEDS)
@pytest.mark.parametrize("kind", list(Empirical), ids=lambda one: one.value)
def test_a_sandwich_does_not_know_the_order_of_the_visits(kind: Empirical, seed: int) -> None:
    """Nor, therefore, which root of V whitened the residuals."""
    data = simulated(seed, n_patients=20).data
    settings_of = Mmrm(covariance=Autoregressive(), freedom=Satterthwaite(), empirical=kind)
    assert data.times_day is not None
    backwards = remade(data, visit=len(data.visits) - 1 - data.visit, visits=data.visits[::-1], times_day=None)
    row = arm_at(data, 3)
    assert_same(settings_of.fit(backwards).contrast(row, ""), settings_of.fit(data).contrast(row, ""))


@EXAMPLES
@given(seed=SEEDS)
@each
def test_columns_may_be_written_in_any_basis(covariance: Structure | ByGroup, seed: int) -> None:
    """X·M with rows L·M⁻¹' asks the same; only the likelihood's constant log|M'M| moves."""
    data = simulated(seed).data
    fit = fitted(data, covariance)
    rng = np.random.default_rng(seed)
    mix = np.eye(len(data.columns)) + 0.3 * rng.normal(size=(len(data.columns), len(data.columns)))
    assume(np.linalg.cond(mix) < 1e3)
    other = fitted(remade(data, design=data.design @ mix), covariance)
    row = arm_at(data, 3)
    assert_same(other.contrast(row @ mix, ""), fit.contrast(row, ""))
    constant = 2.0 * np.linalg.slogdet(mix)[1]
    assert other.criteria.deviance == pytest.approx(fit.criteria.deviance + constant, abs=1e-7)


@EXAMPLES
@given(seed=SEEDS)
@each
def test_every_patient_twice_halves_the_covariance(covariance: Structure | ByGroup, seed: int) -> None:
    """By full maximum likelihood, exactly: the same β̂ and Σ̂, half Φ, twice the deviance."""
    data = simulated(seed).data
    twice = remade(
        data,
        response=np.tile(data.response, 2),
        design=np.tile(data.design, (2, 1)),
        subject=np.concatenate([data.subject, data.subject + data.n_patients]),
        visit=np.tile(data.visit, 2),
        group=np.tile(data.group_of, 2),
    )
    settings_of = Mmrm(covariance=covariance, freedom=Satterthwaite(), estimation=Estimation.ML)
    fit, other = settings_of.fit(data), settings_of.fit(twice)
    assume(fit.is_ok)
    assert other.criteria.deviance == pytest.approx(2.0 * fit.criteria.deviance, abs=1e-7)
    assert other.coefficients == pytest.approx(fit.coefficients, rel=1e-5, abs=1e-6)
    assert other.sigma == pytest.approx(fit.sigma, rel=1e-5, abs=1e-7)
    assert 2.0 * other.covariance == pytest.approx(fit.covariance, rel=1e-5, abs=1e-7)
