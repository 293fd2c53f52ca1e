"""Against R: tests/reference/mmrm/oracle.R with its stored output oracle.csv (versions in its last rows)."""

import csv
from functools import lru_cache

import numpy as np
import pytest
from mmrm_cases import REFERENCE, STRUCTURES, fev, fev_trial, label_of, small_trial

from sevenfold.analysis.mmrm import (
    Autoregressive,
    CompoundSymmetry,
    Empirical,
    Estimation,
    Information,
    KenwardRoger,
    Margins,
    Mmrm,
    Satterthwaite,
)
from sevenfold.analysis.mmrm.covariance.structure import Structure

SAID_BY_GLS = {
    "unstructured",
    "compound symmetry",
    "heterogeneous compound symmetry",
    "autoregressive",
    "heterogeneous autoregressive",
    "Toeplitz",
    "heterogeneous Toeplitz",
    "spatial exponential",
}
UNIT = np.eye(9)
INTERACTION = UNIT[6:]
EVERYWHERE = UNIT[[1, 2, 6, 7, 8]]


@lru_cache(maxsize=1)
def oracle() -> dict[tuple[str, str], str]:
    with (REFERENCE / "oracle.csv").open() as file:
        return {(row["case"], row["quantity"]): row["value"] for row in csv.DictReader(file)}


def said(case: str, quantity: str) -> float:
    return float(oracle()[case, quantity])


@pytest.mark.parametrize("estimation", list(Estimation), ids=label_of)
@pytest.mark.parametrize("structure", [one for one in STRUCTURES if one.label in SAID_BY_GLS], ids=label_of)
def test_likelihood_and_estimates_are_those_of_nlme(structure: Structure, estimation: Estimation) -> None:
    """gls() on fev_data, FEV1 ~ ARMCD; its optimiser is a quasi-Newton one, good to about 1e-6 in the deviance."""
    case = f"{estimation.name} {structure.label}"
    fit = Mmrm(covariance=structure, freedom=Satterthwaite(), estimation=estimation).fit(fev(["ARMCD"]))
    assert fit.criteria.deviance == pytest.approx(said(case, "deviance"), abs=2e-6)
    assert fit.criteria.deviance <= said(case, "deviance") + 1e-8
    for j in range(2):
        assert fit.coefficients[j] == pytest.approx(said(case, f"coefficient {j + 1}"), rel=1e-5)
        # gls divides its standard errors' σ² by N - p under ML
        freed = np.sqrt(537.0 / 535.0) if estimation is Estimation.ML else 1.0
        assert freed * np.sqrt(fit.covariance[j, j]) == pytest.approx(said(case, f"se {j + 1}"), rel=1e-4)


@pytest.mark.parametrize("estimation", list(Estimation), ids=label_of)
def test_model_of_the_vignette_has_the_likelihood_of_nlme(estimation: Estimation) -> None:
    """FEV1 ~ RACE + SEX + ARMCD * AVISIT, unstructured."""
    fit = Mmrm(freedom=Satterthwaite(), estimation=estimation).fit(fev_trial().data)
    assert fit.criteria.deviance == pytest.approx(said(f"{estimation.name} full model", "deviance"), abs=2e-6)
    assert fit.coefficients[0] == pytest.approx(said(f"{estimation.name} full model", "coefficient 1"), rel=1e-5)


@pytest.mark.parametrize(("margins", "weights"), [(Margins.EQUAL, "equal"), (Margins.OBSERVED, "observed")])
def test_least_squares_means_are_those_of_emmeans(margins: Margins, weights: str) -> None:
    """Each arm at each visit, with its standard error before any adjustment."""
    trial = fev_trial(margins)
    fit = Mmrm(freedom=Satterthwaite()).fit(trial.data)
    for arm in trial.arms:
        for visit in trial.data.visits:
            found = fit.contrast(trial.mean(arm, visit), f"{arm} {visit}")
            assert found.estimate == pytest.approx(said(f"means {weights}", f"{arm} {visit}"), rel=1e-5)
            assert found.se == pytest.approx(said(f"means {weights}", f"se {arm} {visit}"), rel=1e-4)


@pytest.mark.parametrize("kind", list(Empirical), ids=lambda one: one.value)
def test_sandwiches_and_their_freedom_are_those_of_clubsandwich(kind: Empirical) -> None:
    """AR(1) on the small trial; CR0 and CR3 to R's digits.

    clubSandwich's CR2 multiplies by the Cholesky factor where ours is symmetric in the whitened residuals; both are
    unbiased under the model. They differ by less than 1% here, and ours stays when the visits are taken in reverse.
    """
    fit = Mmrm(covariance=Autoregressive(), freedom=Satterthwaite(), empirical=kind).fit(small_trial())
    close = 1e-2 if kind is Empirical.CR2 else 1e-7
    for j, row in enumerate(UNIT):
        found = fit.contrast(row, "coefficient")
        assert found.se == pytest.approx(said(kind.value, f"se {j + 1}"), rel=close)
        assert found.df == pytest.approx(said(kind.value, f"df {j + 1}"), rel=close)
    joint = fit.joint(INTERACTION, "arm by visit")
    assert joint.statistic == pytest.approx(said(kind.value, "joint F"), rel=close)
    assert joint.df_denominator == pytest.approx(said(kind.value, "joint df"), rel=close)


def test_kenward_roger_with_expected_information_is_that_of_pbkrtest() -> None:
    """A random intercept by lmer is compound symmetry; single and joint tests of the small trial, λ included."""
    fit = Mmrm(covariance=CompoundSymmetry(), freedom=KenwardRoger(information=Information.EXPECTED)).fit(small_trial())
    assert fit.theta == pytest.approx([said("lmer", "CS"), said("lmer", "Residual")], rel=1e-6)
    assert fit.criteria.deviance == pytest.approx(said("lmer", "deviance"), abs=1e-9)
    for j, row in enumerate(UNIT):
        found = fit.contrast(row, "coefficient")
        assert found.se == pytest.approx(said("lmer", f"adjusted se {j + 1}"), rel=1e-7)
        assert found.df == pytest.approx(said("lmer", f"KR df {j + 1}"), rel=1e-6)
    for rows, case in ((INTERACTION, "KR"), (EVERYWHERE, "KR wide")):
        joint = fit.joint(rows, case)
        assert joint.statistic == pytest.approx(said("lmer", f"{case} F"), rel=1e-6)
        assert joint.df_denominator == pytest.approx(said("lmer", f"{case} df"), rel=1e-6)
        assert joint.scale == pytest.approx(said("lmer", f"{case} scale"), rel=1e-7)


def test_satterthwaite_is_that_of_lmertest() -> None:
    """The same fit with the observed Hessian, single and joint."""
    fit = Mmrm(covariance=CompoundSymmetry(), freedom=Satterthwaite()).fit(small_trial())
    for j, row in enumerate(UNIT):
        assert fit.contrast(row, "coefficient").df == pytest.approx(said("lmer", f"Satterthwaite df {j + 1}"), rel=1e-6)
    for rows, case in ((INTERACTION, "Satterthwaite"), (EVERYWHERE, "Satterthwaite wide")):
        joint = fit.joint(rows, case)
        assert joint.statistic == pytest.approx(said("lmer", f"{case} F"), rel=1e-6)
        assert joint.df_denominator == pytest.approx(said("lmer", f"{case} df"), rel=1e-6)
