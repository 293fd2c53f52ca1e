"""Every covariance structure: its derivatives, its unbounded scale, and what it promises of Σ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmrm_cases import STRUCTURES, Array, label_of

from sevenfold.analysis.mmrm import Autoregressive, CompoundSymmetry, Exponential, Toeplitz, Unstructured
from sevenfold.analysis.mmrm.covariance.by_group import Stack
from sevenfold.analysis.mmrm.covariance.structure import Family, Structure, correlation_of
from sevenfold.errors import InvalidDesign

EQUALLY_SPACED = np.array([0.0, 7.0, 14.0, 21.0, 28.0])
TIMES_DAY = np.array([0.0, 7.0, 15.0, 30.0, 44.0])
STEP = 1e-5  # central differences: truncation STEP² ~ 1e-10, rounding 1e-16/STEP ~ 1e-11, times the size of Σ


def somewhere(family: Family, seed: int) -> Array:
    """θ at a random place of the unbounded scale, not far from the middle."""
    rng = np.random.default_rng(seed)
    middle = family.free(family.start(np.eye(TIMES_DAY.size) * 2.0 + 0.5))
    return family.bound(middle + 0.4 * rng.normal(size=middle.size))[0]


def difference(function: object, theta: Array, j: int) -> Array:
    step = STEP * max(1.0, abs(float(theta[j])))
    up, down = theta.copy(), theta.copy()
    up[j] += step
    down[j] -= step
    assert callable(function)
    return np.asarray((function(up) - function(down)) / (2.0 * step), dtype=np.float64)


@pytest.mark.parametrize("structure", STRUCTURES, ids=label_of)
def test_slopes_are_the_derivatives_of_sigma(structure: Structure) -> None:
    """Two ways: closed form against central differences."""
    family = structure.on(TIMES_DAY)
    theta = somewhere(family, seed=1)
    slopes = family.slopes(theta)
    for j in range(theta.size):
        assert slopes[j] == pytest.approx(difference(family.sigma, theta, j), abs=1e-8)


@pytest.mark.parametrize("structure", STRUCTURES, ids=label_of)
def test_curvatures_are_the_derivatives_of_the_slopes(structure: Structure) -> None:
    """Two ways; where there are none, the slopes do not move."""
    family = structure.on(TIMES_DAY)
    theta = somewhere(family, seed=2)
    second = family.curvatures(theta)
    for j in range(theta.size):
        expected = difference(family.slopes, theta, j)
        found = np.zeros_like(expected) if second is None else second[j]
        assert found == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("structure", STRUCTURES, ids=label_of)
def test_unbounded_scale_goes_there_and_back(structure: Structure) -> None:
    """The maps free and bound are inverses, and the Jacobian is that of bound."""
    family = structure.on(TIMES_DAY)
    theta = somewhere(family, seed=3)
    free = family.free(theta)
    back, jacobian = family.bound(free)
    assert back == pytest.approx(theta, rel=1e-9)
    for j in range(free.size):
        assert jacobian[:, j] == pytest.approx(difference(lambda z: family.bound(z)[0], free, j), abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.floats(0.1, 1.5))
@pytest.mark.parametrize("structure", STRUCTURES, ids=label_of)
def test_every_unbounded_point_is_a_covariance(structure: Structure, seed: int, size: float) -> None:
    """So that no step of the search can leave the covariances."""
    family = structure.on(TIMES_DAY)
    n = len(family.names)
    theta, _ = family.bound(size * np.random.default_rng(seed).normal(size=n))
    sigma = family.sigma(theta)
    assert sigma == pytest.approx(sigma.T)
    assert np.linalg.eigvalsh(correlation_of(sigma))[0] > 0.0


@pytest.mark.parametrize("structure", STRUCTURES, ids=label_of)
def test_start_is_the_structure_itself_where_the_moments_have_it(structure: Structure) -> None:
    """Read from Σ(θ), the start gives θ back."""
    family = structure.on(
        EQUALLY_SPACED
    )  # at unequal times, the neighbours' mean correlation belongs to no single range
    theta = somewhere(family, seed=4)
    assert family.start(family.sigma(theta)) == pytest.approx(theta, rel=1e-9)


def test_names_are_those_of_sas() -> None:
    """A listing can be laid beside one of PROC MIXED."""
    assert Unstructured().on(TIMES_DAY[:2]).names == ("UN(1,1)", "UN(2,1)", "UN(2,2)")
    assert CompoundSymmetry().on(TIMES_DAY).names == ("CS", "Residual")
    assert Toeplitz().on(TIMES_DAY[:3]).names == ("Residual", "TOEP(2)", "TOEP(3)")
    heterogeneous = Autoregressive(is_heterogeneous=True).on(TIMES_DAY[:3])
    assert heterogeneous.names == ("Var(1)", "Var(2)", "Var(3)", "AR(1)")
    assert Stack(Autoregressive().on(TIMES_DAY), ("a", "b")).names == ("Variance a", "AR(1) a", "Variance b", "AR(1) b")


def test_toeplitz_reaches_a_correlation_that_no_autoregression_has() -> None:
    """Closed form: lags 0.5, 0.1, -0.2 are positive definite and come back from their partial correlations."""
    family = Toeplitz(is_heterogeneous=True).on(TIMES_DAY[:4])
    theta = np.array([1.0, 2.0, 3.0, 4.0, 0.5, 0.1, -0.2])
    assert family.bound(family.free(theta))[0] == pytest.approx(theta, rel=1e-12)
    assert correlation_of(family.sigma(theta))[0] == pytest.approx([1.0, 0.5, 0.1, -0.2])


@pytest.mark.parametrize("structure", STRUCTURES[1:], ids=label_of)
def test_one_visit_leaves_nothing_to_correlate(structure: Structure) -> None:
    """The error names the way out."""
    with pytest.raises(InvalidDesign, match="use Unstructured"):
        structure.on(np.array([0.0]))


def test_exponential_needs_different_times() -> None:
    """Two visits on one day would be perfectly correlated."""
    with pytest.raises(InvalidDesign, match="its own planned day"):
        Exponential().on(np.array([0.0, 7.0, 7.0]))
