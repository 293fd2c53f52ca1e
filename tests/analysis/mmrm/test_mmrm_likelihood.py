"""The likelihood and its derivatives, held against the textbook's formulas with one matrix for all measurements."""

import numpy as np
import pytest
from mmrm_cases import (
    COVARIANCES,
    Array,
    brute_deviance,
    dense,
    dense_by_parameter,
    label_of,
    optimum_at,
    prepared,
    simulated,
)

from sevenfold.analysis.mmrm import ByGroup, Estimation
from sevenfold.analysis.mmrm.covariance.by_group import Stack
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.analysis.mmrm.likelihood import evaluate

DATA = simulated(seed=11, n_patients=14, fraction_missing=0.3).data
STEP = 1e-5

both = pytest.mark.parametrize("estimation", list(Estimation), ids=label_of)
each = pytest.mark.parametrize("covariance", COVARIANCES, ids=label_of)


def beside_the_start(stack: Stack, n_groups: int) -> Array:
    """θ where nothing is special."""
    n_visits = len(DATA.visits)
    moments = np.stack([np.eye(n_visits) * (1.5 + group) + 0.6 for group in range(n_groups)])
    free = stack.free(stack.start(moments))
    return stack.bound(free + 0.2 * np.random.default_rng(5).normal(size=free.size))[0]


@both
@each
def test_deviance_is_the_textbooks(covariance: Structure | ByGroup, estimation: Estimation) -> None:
    """Two ways: by patterns and an orthonormal basis, or with V written out."""
    panel, stack = prepared(DATA, covariance)
    sigma = stack.sigma(beside_the_start(stack, panel.n_groups))
    point = evaluate(panel, sigma, estimation)
    assert point is not None
    assert point.deviance == pytest.approx(brute_deviance(DATA, sigma, estimation), abs=1e-9)


@both
@each
def test_gradient_is_the_derivative_of_the_deviance(covariance: Structure | ByGroup, estimation: Estimation) -> None:
    """Two ways: closed form against central differences, whose error is about 1e-7 here."""
    panel, stack = prepared(DATA, covariance)
    theta = beside_the_start(stack, panel.n_groups)
    gradient = optimum_at(panel, stack, theta, estimation).derivatives.gradient
    for j in range(theta.size):
        up, down = theta.copy(), theta.copy()
        up[j] += STEP
        down[j] -= STEP
        rise = brute_deviance(DATA, stack.sigma(up), estimation) - brute_deviance(DATA, stack.sigma(down), estimation)
        assert gradient[j] == pytest.approx(rise / (2.0 * STEP), rel=1e-6, abs=1e-6)


@both
@each
def test_observed_hessian_is_the_derivative_of_the_gradient(
    covariance: Structure | ByGroup, estimation: Estimation
) -> None:
    """Two ways: closed form against central differences of the gradient."""
    panel, stack = prepared(DATA, covariance)
    theta = beside_the_start(stack, panel.n_groups)
    observed = optimum_at(panel, stack, theta, estimation).derivatives.observed
    assert observed == pytest.approx(observed.T, rel=1e-9, abs=1e-9)
    for j in range(theta.size):
        up, down = theta.copy(), theta.copy()
        up[j] += STEP
        down[j] -= STEP
        gradients = [optimum_at(panel, stack, one, estimation).derivatives.gradient for one in (up, down)]
        assert observed[j] == pytest.approx((gradients[0] - gradients[1]) / (2.0 * STEP), rel=1e-6, abs=1e-6)


@each
def test_expected_hessian_is_the_trace_of_the_textbook(covariance: Structure | ByGroup) -> None:
    """tr(P·V_j·P·V_k) for REML, tr(V⁻¹V_j·V⁻¹V_k) for ML, with V written out."""
    panel, stack = prepared(DATA, covariance)
    theta = beside_the_start(stack, panel.n_groups)
    inverse = np.linalg.inv(dense(DATA, stack.sigma(theta)))
    weighted = inverse @ DATA.design
    projected = inverse - weighted @ np.linalg.solve(DATA.design.T @ weighted, weighted.T)
    slopes = dense_by_parameter(DATA, stack.slopes(theta))
    for estimation, matrix in ((Estimation.REML, projected), (Estimation.ML, inverse)):
        products = [matrix @ one for one in slopes]
        traces = [[np.sum(one * other.T) for other in products] for one in products]
        expected = optimum_at(panel, stack, theta, estimation).derivatives.expected
        assert expected == pytest.approx(np.array(traces), rel=1e-9, abs=1e-9)


@each
def test_spread_is_how_the_coefficients_covariance_moves(covariance: Structure | ByGroup) -> None:
    """∂Φ/∂θ_j = Φ·X'V⁻¹V_jV⁻¹X·Φ."""
    panel, stack = prepared(DATA, covariance)
    theta = beside_the_start(stack, panel.n_groups)
    at = optimum_at(panel, stack, theta)
    root = panel.to_columns @ at.point.root
    inverse = np.linalg.inv(dense(DATA, stack.sigma(theta)))
    phi = np.linalg.inv(DATA.design.T @ inverse @ DATA.design)
    assert root @ root.T == pytest.approx(phi, rel=1e-9, abs=1e-12)
    carried = phi @ DATA.design.T @ inverse
    for spread, slope in zip(at.derivatives.spread, dense_by_parameter(DATA, stack.slopes(theta)), strict=True):
        assert root @ spread @ root.T == pytest.approx(carried @ slope @ carried.T, rel=1e-8, abs=1e-10)


def test_what_is_no_covariance_has_no_likelihood() -> None:
    """None, for the search to step back from."""
    panel, _ = prepared(DATA, COVARIANCES[0])
    sigma = np.ones((1, len(DATA.visits), len(DATA.visits))) - 0.5 * np.eye(len(DATA.visits))
    assert evaluate(panel, -sigma, Estimation.REML) is None
