"""Degrees of freedom and adjusted covariances, held against their definitions with every matrix written out."""

import numpy as np
import pytest
from mmrm_cases import (
    COVARIANCES,
    Array,
    dense,
    dense_by_parameter,
    label_of,
    optimum_at,
    optimum_of,
    prepared,
    rows_of,
    simulated,
)

from sevenfold.analysis.mmrm import (
    Autoregressive,
    BetweenWithin,
    ByGroup,
    CompoundSymmetry,
    Empirical,
    Estimation,
    Information,
    KenwardRoger,
    Longitudinal,
    Mmrm,
    Residual,
    Satterthwaite,
    Unstructured,
)
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.analysis.mmrm.freedom.information import parameter_covariance
from sevenfold.analysis.mmrm.freedom.kenward_roger import scaled_f
from sevenfold.analysis.mmrm.freedom.satterthwaite import pooled_df
from sevenfold.errors import InvalidDesign, NotConverged

TRIAL = simulated(seed=11, n_patients=24, fraction_missing=0.25)
DATA = TRIAL.data
N_COLUMNS = len(DATA.columns)

each = pytest.mark.parametrize("covariance", COVARIANCES, ids=label_of)


def brute_kenward_roger(
    covariance: Structure | ByGroup, information: Information, *, is_linear: bool
) -> tuple[Array, Array, list[Array], Array]:
    """Φ, Φ_A, the P_j and W, each as Kenward and Roger (1997) define it."""
    optimum = optimum_of(DATA, covariance)
    w = parameter_covariance(optimum, information)
    x = DATA.design
    inverse = np.linalg.inv(dense(DATA, optimum.sigma))
    phi = np.linalg.inv(x.T @ inverse @ x)
    slopes = dense_by_parameter(DATA, optimum.slopes)
    p = [-x.T @ inverse @ slope @ inverse @ x for slope in slopes]
    n = len(slopes)
    bias = np.zeros_like(phi)
    for j in range(n):
        for k in range(n):
            q_jk = x.T @ inverse @ slopes[j] @ inverse @ slopes[k] @ inverse @ x
            bias += w[j, k] * (q_jk - p[j] @ phi @ p[k])
    if not is_linear and optimum.curvatures is not None:
        n_groups, n_own = optimum.slopes.shape[:2]
        for group in range(n_groups):
            for j in range(n_own):
                for k in range(n_own):
                    by_group = np.zeros((n_groups, *optimum.slopes.shape[2:]))
                    by_group[group] = optimum.curvatures[group, j, k]
                    r_jk = x.T @ inverse @ dense(DATA, by_group) @ inverse @ x
                    bias -= w[group * n_own + j, group * n_own + k] * r_jk / 4.0
    adjusted = phi + 2.0 * phi @ bias @ phi
    return np.asarray(phi, dtype=np.float64), np.asarray(adjusted, dtype=np.float64), p, w


@pytest.mark.parametrize("is_linear", [False, True], ids=["full", "linear"])
@pytest.mark.parametrize("information", list(Information), ids=lambda one: one.value)
@each
def test_kenward_roger_is_its_definition(
    covariance: Structure | ByGroup, information: Information, is_linear: bool
) -> None:
    """Two ways: summed by elements of Σ, or every Q_jk, P_j and R_jk written out; one row, then three."""
    phi, adjusted, p, w = brute_kenward_roger(covariance, information, is_linear=is_linear)
    fit = Mmrm(covariance=covariance, freedom=KenwardRoger(information=information, is_linear=is_linear)).fit(DATA)
    assert fit.covariance == pytest.approx(adjusted, rel=1e-8, abs=1e-12)
    for rows in (rows_of(1, N_COLUMNS), rows_of(3, N_COLUMNS), np.eye(N_COLUMNS)[4:]):
        theta = rows.T @ np.linalg.solve(rows @ phi @ rows.T, rows)
        carried = [theta @ phi @ one @ phi for one in p]
        a1 = sum(w[j, k] * np.trace(a) * np.trace(b) for j, a in enumerate(carried) for k, b in enumerate(carried))
        a2 = sum(w[j, k] * np.sum(a * b.T) for j, a in enumerate(carried) for k, b in enumerate(carried))
        scale, df = scaled_f(len(rows), float(a1), float(a2))
        estimates = rows @ fit.coefficients
        wald = estimates @ np.linalg.solve(rows @ adjusted @ rows.T, estimates) / len(rows)
        found = fit.joint(rows, "some")
        assert found.df_denominator == pytest.approx(df, rel=1e-7)
        assert found.scale == pytest.approx(scale, rel=1e-7)
        assert found.statistic == pytest.approx(scale * wald, rel=1e-7)


@each
def test_satterthwaite_is_its_definition(covariance: Structure | ByGroup) -> None:
    """Two ways: closed form, or the variance of a contrast differentiated numerically by θ."""
    optimum = optimum_of(DATA, covariance)
    panel, stack = prepared(DATA, covariance)
    fit = Mmrm(covariance=covariance, freedom=Satterthwaite()).fit(DATA)
    row = rows_of(1, N_COLUMNS)[0]

    def variance(theta: Array) -> float:
        root = row @ panel.to_columns @ optimum_at(panel, stack, theta).point.root
        return float(root @ root)

    slope = np.empty(optimum.theta.size)
    for j in range(slope.size):
        step = np.zeros(slope.size)
        step[j] = 1e-5 * max(1.0, abs(optimum.theta[j]))
        slope[j] = (variance(optimum.theta + step) - variance(optimum.theta - step)) / (2.0 * step[j])
    w = parameter_covariance(optimum, Information.OBSERVED)
    found = fit.contrast(row, "some")
    assert found.se**2 == pytest.approx(variance(optimum.theta), rel=1e-9)
    assert found.df == pytest.approx(2.0 * variance(optimum.theta) ** 2 / (slope @ w @ slope), rel=1e-6)


@each
def test_one_contrast_has_the_same_freedom_by_satterthwaite_and_kenward_roger(
    covariance: Structure | ByGroup,
) -> None:
    """For one row KR's m is 2/A₂, Satterthwaite's ν, and λ is 1; only the standard error differs."""
    row = rows_of(1, N_COLUMNS)[0]
    scaled = Mmrm(covariance=covariance, freedom=KenwardRoger()).fit(DATA)
    plain = Mmrm(covariance=covariance, freedom=Satterthwaite()).fit(DATA).contrast(row, "some")
    assert scaled.contrast(row, "some").df == pytest.approx(plain.df, rel=1e-9)
    assert scaled.joint(row, "some").scale == 1.0


@each
def test_joint_of_one_row_is_the_square_of_its_t(covariance: Structure | ByGroup) -> None:
    """F = t² with the same p-value, by every method."""
    row = rows_of(1, N_COLUMNS)[0]
    for freedom in (Residual(), BetweenWithin(), Satterthwaite(), KenwardRoger()):
        fit = Mmrm(covariance=covariance, freedom=freedom).fit(DATA)
        single, joint = fit.contrast(row, "some"), fit.joint(row, "some")
        assert joint.statistic == pytest.approx(single.statistic**2, rel=1e-9)
        assert joint.p_value == pytest.approx(single.p_value, rel=1e-7, abs=1e-300)


def test_joint_does_not_depend_on_how_the_rows_are_written() -> None:
    """Rows mixed, or one repeated, ask the same question of Kenward-Roger (of Fai and Cornelius only nearly)."""
    fit = Mmrm(covariance=Autoregressive(), freedom=KenwardRoger()).fit(DATA)
    rows = np.eye(N_COLUMNS)[4:7]
    expected = fit.joint(rows, "arm")
    for other in (np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [3.0, 0.0, 1.0]]) @ rows, np.vstack([rows, rows[:1]])):
        found = fit.joint(other, "arm")
        assert found.df_numerator == 3
        assert found.statistic == pytest.approx(expected.statistic, rel=1e-8)
        assert found.df_denominator == pytest.approx(expected.df_denominator, rel=1e-8)


@pytest.mark.parametrize(
    ("each_df", "expected"),
    [
        ([22.0], 22.0),
        ([10.0, 10.0, 10.0], 10.0),
        ([3.0, 5.0, 10.0], 2.0 * (3.0 + 5.0 / 3.0 + 1.25) / (3.0 + 5.0 / 3.0 + 1.25 - 3.0)),
        ([1.9, 5.0, 10.0], 2.0),
    ],
)
def test_pooled_df_matches_the_mean_of_an_f(each_df: list[float], expected: float) -> None:
    """Closed form 2E/(E - q), E = Σ ν/(ν - 2), and lmerTest's answers where it does not hold."""
    assert pooled_df(np.array(each_df)) == pytest.approx(expected)


def test_between_within_counts_columns_that_vary_within_patients() -> None:
    """3 columns between patients (intercept, arm, baseline), 6 within; SAS gives unstructured fits the former only."""
    n, n_patients = DATA.n_observations, DATA.n_patients
    between, within = n_patients - 3.0, n - n_patients - 6.0
    fit = Mmrm(covariance=CompoundSymmetry(), freedom=BetweenWithin()).fit(DATA)
    unit = np.eye(N_COLUMNS)
    expected = dict.fromkeys(DATA.columns, within) | {"intercept": between, "il7": between, "baseline": between}
    for place, name in enumerate(DATA.columns):
        assert fit.contrast(unit[place], name).df == expected[name]
    assert fit.contrast(unit[1] - unit[4], "visit and arm").df == min(between, within)
    assert fit.joint(unit[1:4], "visits").df_denominator == within
    for covariance in (Unstructured(), ByGroup(Unstructured())):
        assert Mmrm(covariance=covariance, freedom=BetweenWithin()).fit(DATA).contrast(unit[1], "visit").df == between


def test_counting_that_leaves_nothing_is_refused() -> None:
    """Four patients and four columns between them."""
    subject, visit = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    rng = np.random.default_rng(7)
    design = np.column_stack([np.ones(12), rng.normal(size=(4, 3))[subject]])
    data = Longitudinal(
        rng.normal(size=12), design, columns=tuple("abcd"), subject=subject, visit=visit, visits=("1", "2", "3")
    )
    fit = Mmrm(covariance=Autoregressive(), freedom=BetweenWithin()).fit(data)
    assert fit.is_ok
    with pytest.raises(NotConverged, match="leaves 0 degrees of freedom"):
        fit.contrast(np.eye(4)[0], "intercept")


def test_residual_is_measurements_less_columns() -> None:
    """N - p, whatever is asked."""
    fit = Mmrm(freedom=Residual()).fit(DATA)
    assert fit.contrast(rows_of(1, N_COLUMNS)[0], "some").df == DATA.n_observations - N_COLUMNS


def test_kenward_roger_refuses_what_it_was_not_derived_for() -> None:
    """The errors name the way out."""
    with pytest.raises(InvalidDesign, match="use Satterthwaite"):
        Mmrm(estimation=Estimation.ML)
    with pytest.raises(InvalidDesign, match="Bell and McCaffrey"):
        Mmrm(empirical=Empirical.CR2)
