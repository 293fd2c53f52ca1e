"""Standardised risks: R's figures, the delta method done numerically, the bootstrap, closed forms."""

import csv
import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from rehearsals import shared
from sevenfold.analysis.design_matrix import LeftOut
from sevenfold.analysis.effect import Status
from sevenfold.analysis.logistic import LogisticFit, fit_logistic
from sevenfold.analysis.standardised import RiskVariance, Standardised
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged

REFERENCE = Path(__file__).parents[1] / "reference/imputation/oracle.csv"
STRATUM = "strat"  # codespell:ignore strat
TWO = Standardised(arms=("active", "control"))
ROBUST = Standardised(arms=("active", "control"), variance=RiskVariance.YE)


def _trial(n: int = 200, seed: int = 1) -> tuple[NDArray[np.bool_], NDArray[np.str_], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    arm = np.where(rng.permutation(n) % 2 == 0, "active", "control")
    event = rng.uniform(size=n) < expit(-0.3 + 0.8 * (arm == "active") + 1.2 * x)
    return event, arm, x


@pytest.mark.parametrize("variance", RiskVariance)
def test_actg_175_agrees_with_r(variance: RiskVariance) -> None:
    """R 4.2.2: glm, its vcov, and either variance from the papers' formulas (tests/reference/imputation/oracle.R)."""
    with REFERENCE.open() as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        next(rows)
        known = {what: float(value) for what, value in rows}
    path = shared("datasets", "rct", "ACTG175.csv.gz")
    trial = pl.read_csv(gzip.decompress(path.read_bytes()), null_values=["NA", ""], infer_schema_length=3000)
    fit = Standardised(arms=("0", "1", "2", "3"), variance=variance).fit(
        (trial["cd420"] < trial["cd40"]).cast(float),
        trial["arms"],
        covariates={"cd4": trial["cd40"], "age": trial["age"]},
        factors={"stratum": trial[STRATUM]},
    )
    key = "ge" if variance is RiskVariance.GE else "ye"
    assert fit.risks == pytest.approx([known[f"risk_{a}"] for a in range(4)], rel=1e-9)
    matrix = np.array([[known[f"{key}_{a}{b}"] for b in range(4)] for a in range(4)])
    assert fit.covariance == pytest.approx(matrix, rel=1e-7, abs=1e-13)
    difference = fit.difference("1", "0")
    assert difference.estimate == pytest.approx(known["risk_1"] - known["risk_0"], rel=1e-8)
    assert difference.se == pytest.approx(np.sqrt(matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1]), rel=1e-7)


@pytest.mark.parametrize("estimator", [TWO, ROBUST])
def test_without_covariates_the_risks_are_the_shares(estimator: Standardised) -> None:
    """Closed form: p(1 - p)/n for the delta method, s²/n for the robust, independent arms; the log ratios' textbook
    errors √(1/a - 1/n + …) and √(1/a + 1/b + …).
    """
    event = np.concatenate([np.arange(40) < 10, np.arange(60) < 30])
    arm = np.repeat(["active", "control"], [40, 60])
    fit = estimator.fit(event, arm)
    lost = 0 if estimator is TWO else 1
    assert fit.risks == pytest.approx([0.25, 0.5], rel=1e-12)
    variance = np.array([0.25 * 0.75 / (40 - lost), 0.25 / (60 - lost)])
    assert fit.covariance == pytest.approx(np.diag(variance), rel=1e-10, abs=1e-15)
    if estimator is TWO:
        assert fit.log_risk_ratio("active", "control").se == pytest.approx(
            np.sqrt(1 / 10 - 1 / 40 + 1 / 30 - 1 / 60), rel=1e-10
        )
        assert fit.log_odds_ratio("active", "control").se == pytest.approx(
            np.sqrt(1 / 10 + 1 / 30 + 1 / 30 + 1 / 30), rel=1e-10
        )
    assert fit.risk_ratio("active", "control").estimate == pytest.approx(0.5, rel=1e-12)
    assert fit.odds_ratio("active", "control").estimate == pytest.approx(1 / 3, rel=1e-12)


def test_the_delta_method_agrees_with_numerical_derivatives() -> None:
    """Two ways: central differences of every effect by every coefficient, step 1e-5, error of order 1e-10."""
    event, arm, x = _trial()
    fit = TWO.fit(event, arm, covariates={"x": x})
    design = np.column_stack([arm == "active", arm == "control", x]).astype(float)
    model = fit_logistic(design, event)
    assert isinstance(model, LogisticFit)

    def effects(beta: NDArray[np.float64]) -> NDArray[np.float64]:
        a, b = (expit(beta[i] + beta[2] * x).mean() for i in (0, 1))
        return np.array([a, a - b, np.log(a / b), np.log(a / (1 - a) / (b / (1 - b)))])

    step = 1e-5 * np.eye(3)
    slopes = np.column_stack([(effects(model.coefficients + h) - effects(model.coefficients - h)) / 2e-5 for h in step])
    error = np.sqrt(np.diag(slopes @ model.covariance @ slopes.T))
    told = (
        fit.risk("active"),
        fit.difference("active", "control"),
        fit.log_risk_ratio("active", "control"),
        fit.log_odds_ratio("active", "control"),
    )
    assert [one.estimate for one in told] == pytest.approx(effects(model.coefficients), rel=1e-9)
    assert [one.se for one in told] == pytest.approx(error, rel=1e-7)


def test_the_robust_error_is_the_influence_function_s() -> None:
    """Two ways: the variance of 1(arm)·(y - m)/π + m over patients, where Ye et al. take the moments
    of an arm's patients or of all, so that the two differ by a share of the order of 1/√n.
    """
    event, arm, x = _trial(n=4000)
    fit = ROBUST.fit(event, arm, covariates={"x": x})
    design = np.column_stack([arm == "active", arm == "control", x]).astype(float)
    model = fit_logistic(design, event)
    assert isinstance(model, LogisticFit)
    influence = []
    for i in (0, 1):
        chance = expit(model.coefficients[i] + model.coefficients[2] * x)
        influence.append(design[:, i] * (event - chance) / design[:, i].mean() + chance)
    known = np.cov(np.array(influence)) / len(x)
    assert fit.difference("active", "control").se == pytest.approx(
        np.sqrt(known[0, 0] + known[1, 1] - 2 * known[0, 1]), rel=1 / np.sqrt(4000)
    )
    assert np.diag(fit.covariance) == pytest.approx(np.diag(known), rel=1 / np.sqrt(4000))  # type: ignore[arg-type]


@pytest.mark.parametrize("estimator", [TWO, ROBUST])
def test_errors_are_the_bootstrap_s(estimator: Standardised) -> None:
    """Resampling patients within arms varies covariates too; a single risk then varies more than with covariates as
    they are, so the delta method is held to events drawn anew for these same patients. Monte Carlo error 1/√(2·400),
    and 5 % for the order of 1/n.
    """
    event, arm, x = _trial(n=300)
    fit = estimator.fit(event, arm, covariates={"x": x})
    design = np.column_stack([arm == "active", arm == "control", x]).astype(float)
    model = fit_logistic(design, event)
    assert isinstance(model, LogisticFit)
    rng = np.random.default_rng(4)
    risks = []
    for _ in range(400):
        if estimator is TWO:
            again = estimator.fit(rng.uniform(size=300) < model.fitted, arm, covariates={"x": x})
        else:
            rows = np.concatenate([rng.choice(np.flatnonzero(arm == a), (arm == a).sum()) for a in estimator.arms])
            again = estimator.fit(event[rows], arm[rows], covariates={"x": x[rows]})
        risks.append(again.risks)
    varies = np.cov(np.array(risks).T)
    tolerance = 4 / np.sqrt(2 * 400) + 0.05
    assert fit.risk("active").se == pytest.approx(np.sqrt(varies[0, 0]), rel=tolerance)
    difference = varies[0, 0] + varies[1, 1] - 2 * varies[0, 1]
    assert fit.difference("active", "control").se == pytest.approx(np.sqrt(difference), rel=tolerance)


def test_covariates_narrow_the_difference_and_sampling_them_widens_a_risk() -> None:
    """What each of the variances is for."""
    event, arm, x = _trial(n=600)
    adjusted = TWO.fit(event, arm, covariates={"x": x})
    plain = TWO.fit(event, arm)
    robust = ROBUST.fit(event, arm, covariates={"x": x})
    assert adjusted.difference("active", "control").se < plain.difference("active", "control").se
    assert robust.risk("active").se > adjusted.risk("active").se
    assert adjusted.log_odds_ratio("active", "control").estimate != pytest.approx(0.8, abs=1e-3)


def test_swapping_arms_turns_the_effects_round_and_order_changes_nothing() -> None:
    """Equivariance: differences and log ratios change sign; patients may stand in any order."""
    event, arm, x = _trial()
    order = np.random.default_rng(3).permutation(len(x))
    for variance in RiskVariance:
        one = Standardised(arms=("active", "control"), variance=variance).fit(event, arm, covariates={"x": x})
        other = Standardised(arms=("control", "active"), variance=variance).fit(
            event[order], arm[order], covariates={"x": x[order]}
        )
        for name in ("difference", "log_risk_ratio", "log_odds_ratio"):
            a, b = getattr(one, name)("active", "control"), getattr(other, name)("control", "active")
            assert (a.estimate, a.se) == pytest.approx((-b.estimate, b.se), rel=1e-8)


def test_an_arm_without_events_is_a_status() -> None:
    """The log odds of nothing is minus infinity; the status says so and no number is given."""
    event, arm, x = _trial()
    fit = TWO.fit(event & (arm == "active"), arm, covariates={"x": x})
    assert fit.fit.status is Status.SEPARATED
    assert fit.n_events["control"] == 0
    with pytest.raises(NotConverged, match="separated"):
        fit.difference("active", "control")


def test_who_is_left_out_is_counted() -> None:
    """Missing events and covariates, by the first reason; the others are analysed."""
    event, arm, x = _trial(n=50)
    seen = event.astype(float)
    seen[:3] = np.nan
    x[2:5] = np.nan
    fit = TWO.fit(seen, arm, covariates={"x": x})
    assert fit.left_out == (LeftOut(reason="response not observed", n=3), LeftOut(reason="x not observed", n=2))
    assert sum(fit.n_used.values()) == 45
    with pytest.raises(InvalidInput, match="True and False"):
        TWO.fit(seen + 0.5, arm)
    with pytest.raises(InvalidInput, match="there are the arms"):
        fit.difference("active", "active")
    with pytest.raises(InvalidDesign, match="at least two"):
        Standardised(arms=("active",))
    few = TWO.fit([1.0, 0.0, 1.0], ["active", "active", "control"])
    assert few.fit.status is Status.TOO_FEW
