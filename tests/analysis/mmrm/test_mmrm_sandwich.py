"""The sandwich covariances, held against their definitions patient by patient."""

import numpy as np
import pytest
from mmrm_cases import Array, optimum_of, rows_of, simulated

from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm import (
    Autoregressive,
    CompoundSymmetry,
    Empirical,
    Longitudinal,
    Mmrm,
    Residual,
    Satterthwaite,
    Unstructured,
)
from sevenfold.analysis.mmrm.sandwich import sandwich
from sevenfold.errors import NotConverged

DATA = simulated(seed=41, n_patients=18, fraction_missing=0.2).data
N_COLUMNS = len(DATA.columns)

kinds = pytest.mark.parametrize("kind", list(Empirical), ids=lambda one: one.value)


def by_patient(kind: Empirical) -> tuple[Array, Array, list[Array]]:
    """The sandwich, Φ, and for each patient the matrix G_i with β̂'s sandwich = Σ G_i·r_i·r_i'·G_i'.

    V_i^(1/2) is symmetric here and a Cholesky factor in the code; the sandwich must not know the difference.
    """
    optimum = optimum_of(DATA, Autoregressive())
    sigma = optimum.sigma[0]
    fit = Mmrm(covariance=Autoregressive(), freedom=Residual()).fit(DATA)
    phi = fit.covariance
    total = np.zeros_like(phi)
    maps = []
    for patient in range(DATA.n_patients):
        rows = np.flatnonzero(DATA.subject == patient)
        x, residual = DATA.design[rows], DATA.response[rows] - DATA.design[rows] @ fit.coefficients
        values, axes = np.linalg.eigh(sigma[np.ix_(DATA.visit[rows], DATA.visit[rows])])
        whiten = (axes / np.sqrt(values)) @ axes.T
        kept, directions = np.linalg.eigh(np.eye(len(rows)) - whiten @ x @ phi @ x.T @ whiten)
        power = {Empirical.CR0: 0.0, Empirical.CR2: -0.5, Empirical.CR3: -1.0}[kind]
        inflate = (directions * kept**power) @ directions.T
        maps.append(phi @ x.T @ whiten @ inflate @ whiten)
        score = maps[-1] @ residual
        total += np.outer(score, score)
    return total, phi, maps


@kinds
def test_sandwich_is_its_definition(kind: Empirical) -> None:
    """Two ways."""
    fit = Mmrm(covariance=Autoregressive(), freedom=Satterthwaite(), empirical=kind).fit(DATA)
    assert fit.covariance == pytest.approx(by_patient(kind)[0], rel=1e-8, abs=1e-12)


@kinds
def test_freedom_matches_the_moments_of_the_quadratic_form(kind: Empirical) -> None:
    """Two ways: 2·mean²/variance of y'My with M written out, Var = 2·tr(MVMV)."""
    optimum = optimum_of(DATA, Autoregressive())
    _, phi, maps = by_patient(kind)
    x = DATA.design
    same = DATA.subject[:, None] == DATA.subject[None, :]
    v = np.where(same, optimum.sigma[0][DATA.visit[:, None], DATA.visit[None, :]], 0.0)
    leave = np.eye(len(x)) - x @ phi @ x.T @ np.linalg.inv(v)  # r = leave·y
    covariance = leave @ v @ leave.T
    rows = rows_of(2, N_COLUMNS)
    weights = np.zeros((2, DATA.n_patients, len(x)))  # rows of l'G_i, spread over all measurements
    for patient, own in enumerate(maps):
        weights[:, patient, np.flatnonzero(DATA.subject == patient)] = rows @ own
    fit = Mmrm(covariance=Autoregressive(), freedom=Satterthwaite(), empirical=kind).fit(DATA)
    for row, weight in zip(rows, weights, strict=True):
        form = weight @ covariance @ weight.T
        expected = np.trace(form) ** 2 / np.sum(form * form.T)
        assert fit.contrast(row, "some").df == pytest.approx(expected, rel=1e-7)

    cross = np.einsum("sim,mn,tjn->sitj", weights, covariance, weights)  # (row, patient, row, patient)
    mean = np.einsum("sidi->sd", cross)
    standard = np.linalg.inv(np.linalg.cholesky(mean))
    p = np.einsum("as,sitj,bt->aibj", standard, cross, standard)
    variance = np.einsum("sitj,tisj->st", p, p) + np.einsum("sisj,titj->st", p, p)
    eta = 2.0 * 3.0 / variance.sum()
    found = fit.joint(rows, "some")
    assert found.df_denominator == pytest.approx(eta - 1.0, rel=1e-7)
    assert found.scale == pytest.approx((eta - 1.0) / eta, rel=1e-7)


def test_cr2_is_unbiased_where_the_model_is_right() -> None:
    """Its expectation under V is Φ, exactly; CR0's is less and CR3's more. Source: [bell2002]."""
    optimum = optimum_of(DATA, Autoregressive())
    root = optimum.panel.to_columns @ optimum.point.root
    phi = root @ root.T
    mean = {kind: sandwich(optimum, kind)._moments(np.eye(N_COLUMNS))[0] for kind in Empirical}
    assert mean[Empirical.CR2] == pytest.approx(phi, rel=1e-8, abs=1e-12)
    assert np.all(np.diagonal(mean[Empirical.CR0]) < np.diagonal(phi))
    assert np.all(np.diagonal(mean[Empirical.CR3]) > np.diagonal(phi))


def test_jackknife_is_close_to_leaving_out_one_patient_at_a_time() -> None:
    """CR3 is Σ (β̂₋ᵢ - β̂)(β̂₋ᵢ - β̂)' with V held fixed, exactly."""
    optimum = optimum_of(DATA, Autoregressive())
    same = DATA.subject[:, None] == DATA.subject[None, :]
    v = np.where(same, optimum.sigma[0][DATA.visit[:, None], DATA.visit[None, :]], 0.0)

    def coefficients(rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Array:
        x, inverse = DATA.design[rows], np.linalg.inv(v[np.ix_(rows, rows)])
        return np.asarray(np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ DATA.response[rows]), dtype=np.float64)

    whole = coefficients(np.ones(DATA.n_observations, dtype=bool))
    moved = [coefficients(DATA.subject != patient) - whole for patient in range(DATA.n_patients)]
    expected = sum(np.outer(one, one) for one in moved)
    found = Mmrm(covariance=Autoregressive(), freedom=Residual(), empirical=Empirical.CR3).fit(DATA).covariance
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-10)


def with_a_column_of_one_patient() -> Longitudinal:
    alone = (DATA.subject == 0).astype(np.float64)
    return Longitudinal(
        DATA.response,
        np.column_stack([DATA.design, alone]),
        columns=(*DATA.columns, "patient 0"),
        subject=DATA.subject,
        visit=DATA.visit,
        visits=DATA.visits,
    )


def test_cr2_leaves_out_what_one_patient_alone_determines() -> None:
    """A column that only one patient has takes a direction of its residuals away; CR2 goes on with the others."""
    fit = Mmrm(covariance=CompoundSymmetry(), freedom=Satterthwaite(), empirical=Empirical.CR2).fit(
        with_a_column_of_one_patient()
    )
    assert fit.is_ok
    arm = np.eye(N_COLUMNS + 1)[DATA.columns.index("il7")]
    assert 2.0 < fit.contrast(arm, "arm").df < DATA.n_patients


def test_jackknife_says_where_it_does_not_exist() -> None:
    """A status, not an exception, inside a batch of trials."""
    fit = Mmrm(covariance=CompoundSymmetry(), freedom=Residual(), empirical=Empirical.CR3).fit(
        with_a_column_of_one_patient()
    )
    assert fit.status is Status.NOT_ESTIMABLE
    assert "CR2" in fit.ending.message


@kinds
def test_what_a_sandwich_knows_nothing_of_is_refused(kind: Empirical) -> None:
    """A mean of one patient leaves that patient no residual, and a sandwich no variance (CR3 does not exist)."""
    alone = (DATA.subject == 0).astype(np.float64)
    data = Longitudinal(
        DATA.response,
        np.column_stack([alone, 1.0 - alone]),
        columns=("patient 0", "others"),
        subject=DATA.subject,
        visit=DATA.visit,
        visits=DATA.visits,
    )
    fit = Mmrm(covariance=CompoundSymmetry(), freedom=Residual(), empirical=kind).fit(data)
    if kind is Empirical.CR3:
        assert fit.status is Status.NOT_ESTIMABLE
        return
    assert fit.contrast([0.0, 1.0], "others").se > 0.0
    for ask in (lambda: fit.contrast([1.0, 0.0], "patient 0"), lambda: fit.joint(np.eye(2), "both")):
        with pytest.raises(NotConverged, match="knows nothing of it"):
            ask()


def test_a_joint_test_of_more_rows_than_patients_is_refused() -> None:
    """A sandwich of six patients has no more than six dimensions."""
    few = simulated(seed=44, n_patients=6, n_visits=3, fraction_missing=0.0).data
    fit = Mmrm(covariance=CompoundSymmetry(), freedom=Residual(), empirical=Empirical.CR0).fit(few)
    with pytest.raises(NotConverged, match="not positive definite"):
        fit.joint(np.eye(len(few.columns)), "everything")


def test_too_many_rows_for_a_sandwich_of_few_patients_are_refused() -> None:
    """η < q leaves no distribution to refer to."""
    few = simulated(seed=42, n_patients=6, n_visits=3, fraction_missing=0.0).data
    fit = Mmrm(covariance=Autoregressive(), freedom=Satterthwaite(), empirical=Empirical.CR2).fit(few)
    with pytest.raises(NotConverged, match="too few to test"):
        fit.joint(np.eye(len(few.columns))[:6], "nearly everything")


def test_sandwich_agrees_with_the_model_where_the_model_is_right() -> None:
    """Recovery: a standard error from n = 400 patients varies by 1/√(2n) = 3.5%; four of these are allowed."""
    data = simulated(seed=43, n_patients=400).data
    model = Mmrm(covariance=Unstructured(), freedom=Residual()).fit(data)
    robust = Mmrm(covariance=Unstructured(), freedom=Residual(), empirical=Empirical.CR2).fit(data)
    ratio = np.sqrt(np.diagonal(robust.covariance) / np.diagonal(model.covariance))
    assert ratio == pytest.approx(np.ones(len(data.columns)), abs=4.0 / np.sqrt(800.0))
