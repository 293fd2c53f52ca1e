"""Against SAS PROC MIXED on openpharma/mmrm's fev_data: listings and data sets that its authors published.

Every figure is from https://github.com/openpharma/mmrm (Apache-2.0), folder design/, in the file named beside it. SAS
stops its Newton iterations once g'H⁻¹g ≤ 1e-8·|f|, f being -2 log-likelihood without its constants, some 2,700 here. It
can then be √(2.7e-5) = 0.5% of a standard error away from the optimum in each covariance parameter, which shows in the
fourth digit of a standard error and of degrees of freedom. Stopped where SAS stops, ours are SAS's to the last digit.
"""

import csv
from dataclasses import replace

import numpy as np
import pytest
from mmrm_cases import DATASETS, Array, fev, fev_table, fev_trial, optimum_at, prepared

from sevenfold.analysis.effect import Effect
from sevenfold.analysis.mmrm import (
    Antedependence,
    Autoregressive,
    BetweenWithin,
    ByGroup,
    CompoundSymmetry,
    Empirical,
    Estimation,
    Exponential,
    KenwardRoger,
    Longitudinal,
    Mmrm,
    Residual,
    Satterthwaite,
    Toeplitz,
    Unstructured,
)
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.analysis.mmrm.freedom import Freedom
from sevenfold.analysis.mmrm.freedom.reference import Setting
from sevenfold.analysis.mmrm.search import Optimum

ARM = (0.0, 1.0)
NEAR = {"estimate": 3e-5, "se": 2e-4, "df": 5e-4}  # what SAS's stopping rule leaves

KENWARD_ROGER: dict[str, tuple[Structure, float, float, float | None, float]] = {
    # FEV1 = ARMCD, TRT - PBO: estimate, standard error by ddfm=kr and by ddfm=kr(linear), degrees of freedom
    "ddfm_covtype/kr_us": (Unstructured(), 3.81972492174648, 0.66124382270307, 0.66124382270307, 160.733266403768),
    "ddfm_covtype/kr_ar1": (Autoregressive(), 4.22574315817874, 0.95865439662225, 0.96058142305176, 188.46934887972),
    "ddfm_covtype/kr_arh1": (
        Autoregressive(is_heterogeneous=True),
        3.72674356244499,
        0.7590316099633,
        0.75924807546934,
        188.225339095373,
    ),
    "KR/kr_cs": (CompoundSymmetry(), 4.19663617897035, 0.7964696053595, 0.7964696053595, 177.038485931223),
    "KR/kr_csh": (
        CompoundSymmetry(is_heterogeneous=True),
        3.77090812499029,
        0.67414806011886,
        0.67403858183242,
        190.737701349941,
    ),
    "ddfm_covtype/kr_toep": (Toeplitz(), 4.47051860580552, 0.87839805519623, None, 160.027408337368),
    "KR/kr_toeph": (
        Toeplitz(is_heterogeneous=True),
        3.92287746213894,
        0.72543828853831,
        0.72537324518435,
        180.062730071701,
    ),
    "KR/kr_adh": (
        Antedependence(is_heterogeneous=True),
        3.72344028834729,
        0.66172017349971,
        0.66158550758897,
        162.393385281755,
    ),
}


def published(name: str) -> dict[str, float]:
    path = DATASETS / name
    if not path.exists():
        pytest.skip(f"SAS's output is not beside this checkout: shared/datasets/mmrm/{name}")
    with path.open() as file:
        row = next(csv.DictReader(file))
    return {"estimate": float(row["Estimate"]), "se": float(row["StdErr"]), "df": float(row["DF"])}


@pytest.mark.parametrize(
    ("name", "structure"), [("kr_us.csv", Unstructured()), ("kr_ar1.csv", Autoregressive())], ids=["us", "ar1"]
)
def test_kenward_roger_is_that_of_the_published_files(name: str, structure: Structure) -> None:
    """The answers every implementation of the package must meet."""
    expected = published(name)
    found = Mmrm(covariance=structure).fit(fev(["ARMCD"])).contrast(ARM, "TRT - PBO")
    assert found.estimate == pytest.approx(expected["estimate"], rel=1e-5)
    assert found.se == pytest.approx(expected["se"], rel=1e-4)
    assert found.df == pytest.approx(expected["df"], rel=1e-3)


@pytest.mark.parametrize("case", KENWARD_ROGER)
def test_kenward_roger_full_and_linear_for_every_structure_sas_has(case: str) -> None:
    """Full and linear differ only by the second derivatives, in SAS's parameters."""
    structure, estimate, full, linear, df = KENWARD_ROGER[case]
    data = fev(["ARMCD"])
    found = Mmrm(covariance=structure).fit(data).contrast(ARM, case)
    assert found.estimate == pytest.approx(estimate, rel=NEAR["estimate"])
    assert found.se == pytest.approx(full, rel=NEAR["se"])
    assert found.df == pytest.approx(df, rel=NEAR["df"])
    if linear is not None:
        shorter = Mmrm(covariance=structure, freedom=KenwardRoger(is_linear=True)).fit(data).contrast(ARM, case)
        assert shorter.se == pytest.approx(linear, rel=NEAR["se"])
        assert shorter.se / found.se == pytest.approx(linear / full, rel=1e-6)


def as_sas_iterates(
    data: Longitudinal, covariance: Structure | ByGroup, estimation: Estimation = Estimation.REML
) -> list[tuple[Optimum, float]]:
    """Where SAS's iterations stand, with its criterion, where Σ is linear in θ.

    A step of scoring from V = I, which for REML is MIVQUE(0), then Newton steps in θ itself.
    """
    panel, stack = prepared(data, covariance)
    n_own = len(stack.family.names)
    basis = stack.family.slopes(np.ones(n_own)).reshape(n_own, -1)
    once = np.linalg.lstsq(basis.T, np.eye(panel.seen.shape[1]).ravel(), rcond=None)[0]  # θ where Σ = I
    identity = np.asarray(np.tile(once, len(stack.groups)), dtype=np.float64)
    at = optimum_at(panel, stack, identity, estimation).derivatives
    theta: Array = identity - np.linalg.solve(at.expected, at.gradient)
    iterates: list[tuple[Optimum, float]] = []
    while not iterates or iterates[-1][1] > 1e-8:
        optimum = optimum_at(panel, stack, theta, estimation)
        step = np.linalg.solve(optimum.derivatives.observed, optimum.derivatives.gradient)
        n_free = panel.n_observations - (panel.design.shape[2] if estimation is Estimation.REML else 0)
        height = abs(optimum.point.deviance - n_free * np.log(2.0 * np.pi))
        iterates.append((optimum, float(optimum.derivatives.gradient @ step) / height))
        theta = np.asarray(theta - step, dtype=np.float64)
    return iterates


def as_sas_answers(optimum: Optimum, row: Array, freedom: Freedom) -> tuple[float, float, float]:
    """Estimate, standard error and degrees of freedom at a point of the search."""
    reference = freedom.refer(
        Setting(
            optimum=optimum,
            empirical=None,
            n_residual=0,
            n_between=0,
            n_within=0,
            is_within=np.zeros(row.size, dtype=bool),
            is_unstructured=True,
        )
    )
    panel = optimum.panel
    coefficients = panel.to_columns @ (panel.least_squares + optimum.point.coefficients)
    return float(row @ coefficients), float(np.sqrt(row @ reference.covariance @ row)), reference.df(row)


@pytest.mark.parametrize(
    ("estimation", "printed"),
    [
        # SAS/sas_coef_ci_reml_un.txt
        (Estimation.REML, [(3667.65933397, 0.00046595), (3666.98040811, 0.00000984), (3666.96698281, 0.00000001)]),
        # SAS/sas_coef_ci_ml_un.txt
        (Estimation.ML, [(3669.10379348, 0.00047115), (3668.41686506, 0.00001058), (3668.40243767, 0.00000001)]),
    ],
    ids=["REML", "ML"],
)
def test_iterations_are_those_of_sas(estimation: Estimation, printed: list[tuple[float, float]]) -> None:
    """FEV1 = ARMCD SEX: -2 (restricted) log-likelihood and criterion after each Newton step, to eight decimals."""
    iterates = as_sas_iterates(fev(["ARMCD", "SEX"]), Unstructured(), estimation)
    assert [at.point.deviance for at, _ in iterates[1:]] == pytest.approx([one for one, _ in printed], abs=5.1e-9)
    assert [criterion for _, criterion in iterates[1:]] == pytest.approx([one for _, one in printed], abs=5.1e-9)


def test_stopped_where_sas_stops_kenward_roger_is_sas_to_the_last_digit() -> None:
    """ddfm_covtype/kr_us.csv prints 14 digits; 1e-12 allows for their rounding."""
    _, estimate, se, _, df = KENWARD_ROGER["ddfm_covtype/kr_us"]
    stopped = as_sas_iterates(fev(["ARMCD"]), Unstructured())[-1][0]
    found = as_sas_answers(stopped, np.array(ARM), KenwardRoger())
    assert found == pytest.approx((estimate, se, df), rel=1e-12)


@pytest.mark.parametrize(
    ("structure", "deviance"),
    [
        (CompoundSymmetry(), 3890.97896859),  # KR/kr_cs.txt
        (Toeplitz(), 3830.79965777),  # ddfm_covtype/kr1_toep.txt
        (Toeplitz(is_heterogeneous=True), 3693.28667094),  # ddfm_covtype/kr_toeph.txt
        (Antedependence(is_heterogeneous=True), 3682.44560955),  # KR/kr_adh.txt
    ],
)
def test_deviance_is_that_of_sas_or_lower(structure: Structure, deviance: float) -> None:
    """FEV1 = ARMCD by REML: never above the figure printed, and below it by no more than SAS's criterion allows."""
    found = Mmrm(covariance=structure).fit(fev(["ARMCD"])).criteria.deviance
    assert deviance - 1.4e-5 <= found <= deviance + 5e-9


@pytest.mark.parametrize(
    ("estimation", "deviance", "printed"),
    [
        (Estimation.REML, 3666.96698281, (3687.0, 3687.4, 3720.0)),  # SAS/sas_coef_ci_reml_un.txt
        (Estimation.ML, 3668.40243767, (3694.4, 3695.1, 3737.3)),  # SAS/sas_coef_ci_ml_un.txt
    ],
    ids=["REML", "ML"],
)
def test_criteria_are_those_of_sas(
    estimation: Estimation, deviance: float, printed: tuple[float, float, float]
) -> None:
    """FEV1 = ARMCD SEX: AIC, AICC and BIC; SAS's BIC counts the 3 patients without a measurement too."""
    criteria = Mmrm(freedom=Satterthwaite(), estimation=estimation).fit(fev(["ARMCD", "SEX"])).criteria
    assert criteria.deviance == pytest.approx(deviance, abs=1.4e-5)
    assert (criteria.aic, criteria.aicc, criteria.bic) == pytest.approx(printed, abs=0.05)


@pytest.mark.parametrize(
    ("estimation", "printed"),
    [
        # SAS/sas_coef_ci_reml_un.txt, sas_coef_ci_ml_un.txt: estimate, standard error, df, confidence limits
        (
            Estimation.REML,
            (
                (41.0762, 0.5504, 156, 39.9890, 42.1634),
                (3.8265, 0.6421, 161, 2.5584, 5.0945),
                (-0.1404, 0.6434, 161, -1.4108, 1.1301),
            ),
        ),
        (
            Estimation.ML,
            (
                (41.0840, 0.5452, 158, 40.0071, 42.1609),
                (3.8276, 0.6362, 163, 2.5714, 5.0838),
                (-0.1382, 0.6374, 164, -1.3968, 1.1204),
            ),
        ),
    ],
    ids=["REML", "ML"],
)
def test_satterthwaite_is_that_of_sas(
    estimation: Estimation, printed: tuple[tuple[float, float, float, float, float], ...]
) -> None:
    """FEV1 = ARMCD SEX, unstructured: every printed digit where SAS stops, three digits at the optimum."""
    data = fev(["ARMCD", "SEX"])
    stopped = as_sas_iterates(data, Unstructured(), estimation)[-1][0]
    fit = Mmrm(freedom=Satterthwaite(), estimation=estimation).fit(data)
    for row, (estimate, se, df, low, high) in zip(np.eye(3), printed, strict=True):
        beta, error, freedom = as_sas_answers(stopped, row, Satterthwaite())
        assert (beta, error) == pytest.approx((estimate, se), abs=5.1e-5)
        assert freedom == pytest.approx(df, abs=0.51)
        assert Effect(contrast="", estimate=beta, se=error, df=freedom).interval() == pytest.approx(
            (low, high), abs=5.1e-5
        )
        found = fit.contrast(row, "coefficient")
        assert found.estimate == pytest.approx(estimate, abs=2e-3 * se)
        assert found.se == pytest.approx(se, rel=3e-4)
        assert found.df == pytest.approx(df, abs=0.6)


def test_estimated_covariance_is_that_of_sas() -> None:
    """SAS/sas_coef_ci_reml_un.txt, UN(1,1) to UN(4,4), to the printed digits where SAS stops."""
    printed = [108.64, 45.5282, 40.1475, -2.4314, 0.8698, 24.7713, -46.7566, -13.0626, 18.9219, 152.49]
    stopped = as_sas_iterates(fev(["ARMCD", "SEX"]), Unstructured())[-1][0]
    assert stopped.names[:3] == ("UN(1,1)", "UN(2,1)", "UN(2,2)")
    for value, one in zip(stopped.theta, printed, strict=True):
        assert value == pytest.approx(one, abs=5.1e-3 if abs(one) > 100.0 else 5.1e-5)


def test_groups_have_their_own_covariances_as_in_sas() -> None:
    """SAS/sas_group_ar1h_reml.txt (FEV1 = intercept, TYPE=ARH(1) GROUP=ARMCD) prints eight decimals of each."""
    fit = Mmrm(covariance=ByGroup(Autoregressive(is_heterogeneous=True)), freedom=Satterthwaite()).fit(fev([]))
    placebo = [109.37350823, 42.81343590, 23.52559796, 128.45926562, 0.31792055]
    active = [76.67358836, 34.38779235]
    assert fit.criteria.deviance == pytest.approx(3724.36099760, abs=1.4e-5)
    assert fit.theta[:7] == pytest.approx([*placebo, *active], rel=5e-4)
    assert fit.sigma.shape == (2, 4, 4)
    found = fit.contrast([1.0], "intercept")
    assert (found.estimate, found.se) == pytest.approx((41.7104, 0.37233778), rel=5e-5)
    assert found.df == pytest.approx(177, abs=0.5)


def test_grouped_compound_symmetry_is_that_of_sas() -> None:
    """SAS/sas_group_cs_reml.txt, to the printed digits where SAS stops; its "Variance" is the residual here."""
    iterates = as_sas_iterates(fev([]), ByGroup(CompoundSymmetry()))
    stopped = iterates[-1][0]
    assert [at.point.deviance for at, _ in iterates[1:]] == pytest.approx([3915.42143509, 3915.41985780], abs=5.1e-9)
    assert stopped.theta == pytest.approx([3.2130, 74.8951, 9.0248, 87.3254], abs=5.1e-5)
    beta, error, freedom = as_sas_answers(stopped, np.ones(1), Satterthwaite())
    assert (beta, error) == pytest.approx((41.9734, 0.4247), abs=5.1e-5)
    assert freedom == pytest.approx(183, abs=0.51)


def test_exponential_is_that_of_sas() -> None:
    """SAS/sas_sp_exp_reml.txt: FEV1 = intercept, TYPE=SP(EXP) on the visit's number."""
    fit = Mmrm(covariance=Exponential(), freedom=Satterthwaite()).fit(fev([]))
    assert fit.criteria.deviance == pytest.approx(3875.49946734, abs=1.4e-5)
    assert fit.theta == pytest.approx([88.9768, 1.1751], rel=5e-4)
    found = fit.contrast([1.0], "intercept")
    assert (found.estimate, found.se) == pytest.approx((42.3254, 0.5012), rel=3e-4)
    assert found.df == pytest.approx(188, abs=0.5)


def test_range_is_the_parameter_that_sas_differentiates_by() -> None:
    """KR/kr1_spexp.csv (full) and ddfm_covtype/kr_spexp.csv (linear): TYPE=SP(EXP)(VISITN VISITN2), FEV1 = ARMCD.

    The coordinates differ between patients, so this is the textbook's formula with θ = (v, r), not our fit.
    """
    data, table = fev(["ARMCD"]), fev_table()
    used = [place for place, value in enumerate(table["FEV1"]) if value]
    at = np.array([[float(table[name][place]) for name in ("VISITN", "VISITN2")] for place in used])
    apart = np.sqrt(((at[:, None] - at[None, :]) ** 2).sum(axis=-1))
    variance, span = 83.36486419, 1.08978586  # where its likelihood is highest
    same = data.subject[:, None] == data.subject[None, :]
    correlation = np.where(same, np.exp(-apart / span), 0.0)
    x, y = data.design, data.response
    inverse = np.linalg.inv(variance * correlation)
    phi = np.linalg.inv(x.T @ inverse @ x)
    projected = inverse - inverse @ x @ phi @ x.T @ inverse
    u = projected @ y
    relative = apart / span
    first = [correlation, variance * correlation * relative / span]
    mixed = correlation * relative / span
    second = [[0.0 * mixed, mixed], [mixed, variance * correlation * relative * (relative - 2.0) / span**2]]
    hessian = np.empty((2, 2))
    for j in range(2):
        for k in range(2):
            hessian[j, k] = np.sum(projected * second[j][k]) - np.sum((projected @ first[j]) * (projected @ first[k]).T)
            hessian[j, k] += 2.0 * u @ first[j] @ projected @ first[k] @ u - u @ second[j][k] @ u
    w = 2.0 * np.linalg.inv(hessian)
    carried = [inverse @ one @ inverse @ x for one in first]
    p = [-x.T @ one for one in carried]
    for is_linear, printed in ((False, 0.90527620094771), (True, 0.90552903839818)):
        bias = np.zeros((2, 2))
        for j in range(2):
            for k in range(2):
                r_jk = x.T @ inverse @ second[j][k] @ inverse @ x
                q_jk = carried[j].T @ first[k] @ inverse @ x
                bias += w[j, k] * (q_jk - p[j] @ phi @ p[k] - (0.0 if is_linear else r_jk / 4.0))
        adjusted = phi + 2.0 * phi @ bias @ phi
        assert np.sqrt(adjusted[1, 1]) == pytest.approx(printed, rel=5e-6)


@pytest.mark.parametrize(
    ("structure", "of_intercept", "of_arm"),
    [
        # variances of the coefficients by EMPIRICAL, carried from tests/testthat/test-empirical.R, which cites SAS
        (Autoregressive(), 0.27666930670945, 0.68196697308307),
        (Autoregressive(is_heterogeneous=True), 0.19106397930347, 0.46203608554929),
        (CompoundSymmetry(), 0.26910953746582, 0.6297163326325),
        (CompoundSymmetry(is_heterogeneous=True), 0.19635239056617, 0.46038132267959),
        (Toeplitz(), 0.30022945455349, 0.76371849328831),
        (Toeplitz(is_heterogeneous=True), 0.18350201218893, 0.46360435395588),
        (Antedependence(is_heterogeneous=True), 0.17350223093416, 0.41552647969341),
        (Unstructured(), 0.16725909903518, 0.40908637028234),
    ],
)
def test_sandwich_is_that_of_sas(structure: Structure, of_intercept: float, of_arm: float) -> None:
    """PROC MIXED EMPIRICAL is CR0."""
    fit = Mmrm(covariance=structure, freedom=Residual(), empirical=Empirical.CR0).fit(fev(["ARMCD"]))
    assert fit.covariance[0, 0] == pytest.approx(of_intercept, rel=1e-4)
    assert fit.covariance[0, 1] == pytest.approx(-of_intercept, rel=1e-4)
    assert fit.covariance[1, 1] == pytest.approx(of_arm, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "of_intercept", "of_arm"),
    [
        (Empirical.CR2, 0.27938383855849, 0.689265455017577),
        (Empirical.CR3, 0.282126502688394, 0.696645916580453),
    ],
)
def test_bias_reduced_and_jackknife_are_those_of_the_r_package(
    kind: Empirical, of_intercept: float, of_arm: float
) -> None:
    """openpharma/mmrm (R), tests/testthat/_snaps/empirical.md: FEV1 ~ ARMCD, AR(1)."""
    fit = Mmrm(covariance=Autoregressive(), freedom=Residual(), empirical=kind).fit(fev(["ARMCD"]))
    assert fit.covariance[0, 0] == pytest.approx(of_intercept, rel=2e-6)
    assert fit.covariance[1, 1] == pytest.approx(of_arm, rel=2e-6)


def test_homogeneous_antedependence_is_that_of_the_r_package() -> None:
    """SAS has none; openpharma/mmrm (R), design/SAS/mmrm_ad_reml.txt: FEV1 ~ 1."""
    fit = Mmrm(covariance=Antedependence(), freedom=Satterthwaite()).fit(fev([]))
    assert fit.criteria.deviance == pytest.approx(3855.3383, abs=6e-5)
    assert fit.sigma[0][0] == pytest.approx([93.9422, 63.5120, 37.4606, 7.0603], rel=2e-4)  # its optimiser's tolerance
    found = fit.contrast([1.0], "intercept")
    assert (found.estimate, found.se) == pytest.approx((43.0560, 0.5236), abs=6e-5)
    assert found.df == pytest.approx(179.18, rel=1e-4)


FULL_MODEL = {
    # SAS/sas_log_reml.txt: FEV1 = RACE SEX ARMCD*AVISIT, unstructured, Satterthwaite: estimate, standard error, df
    "intercept": (30.7774, 0.8865, 219),
    "VIS2": (4.8396, 0.8016, 144),
    "VIS3": (10.3422, 0.8227, 156),
    "VIS4": (15.0537, 1.3129, 138),
    "TRT": (3.7745, 1.0741, 146),
    "TRT × VIS2": (-0.04231, 1.1292, 139),
    "TRT × VIS3": (-0.6939, 1.1876, 158),
    "TRT × VIS4": (0.6240, 1.8510, 130),
    "RACE Black or African American": (1.5305, 0.6244, 169),
    "RACE White": (5.6436, 0.6656, 157),
    "SEX Female": (0.3262, 0.5319, 166),
}


def test_model_of_the_vignette_is_that_of_sas() -> None:
    """Every printed digit where SAS stops; its iterations end at 3386.44987722."""
    trial = fev_trial()
    iterates = as_sas_iterates(trial.data, Unstructured())
    stopped = iterates[-1][0]
    assert [at.point.deviance for at, _ in iterates[1:]] == pytest.approx([3386.46126144, 3386.44987722], abs=5.1e-9)
    fit = Mmrm(freedom=Satterthwaite()).fit(trial.data)
    assert fit.columns == tuple(FULL_MODEL)
    assert 0.0 <= stopped.point.deviance - fit.criteria.deviance <= 1.4e-5
    for row, name in zip(np.eye(len(FULL_MODEL)), fit.columns, strict=True):
        estimate, se, df = FULL_MODEL[name]
        beta, error, freedom = as_sas_answers(stopped, row, Satterthwaite())
        assert (beta, error) == pytest.approx((estimate, se), abs=5.1e-5)
        assert freedom == pytest.approx(df, abs=0.51)
        found = fit.contrast(row, name)
        assert found.estimate == pytest.approx(estimate, abs=1e-3 * se)
        assert found.se == pytest.approx(se, rel=3e-4)
        assert found.df == pytest.approx(df, abs=0.6)


def test_type_3_tests_of_the_vignettes_model_are_those_of_sas() -> None:
    """Rows built from least-squares means give SAS's F and denominator degrees of freedom."""
    trial = fev_trial()
    fit = Mmrm(freedom=Satterthwaite()).fit(trial.data)
    visits = trial.data.visits
    apart = {visit: trial.difference("TRT", "PBO", visit) for visit in visits}
    middle = {visit: (trial.mean("TRT", visit) + trial.mean("PBO", visit)) / 2.0 for visit in visits}
    unit = np.eye(len(fit.columns))
    questions: dict[str, tuple[list[Array], float, float]] = {
        "ARMCD": ([trial.difference("TRT", "PBO")], 31.67, 169),
        "AVISIT": ([middle[visit] - middle["VIS1"] for visit in visits[1:]], 142.11, 148),
        "AVISIT*ARMCD": ([apart[visit] - apart["VIS1"] for visit in visits[1:]], 0.26, 148),
        "RACE": ([unit[8], unit[9]], 36.92, 166),
        "SEX": ([unit[10]], 0.38, 166),
    }
    for name, (rows, statistic, df) in questions.items():
        found = fit.joint(rows, name)
        assert found.statistic == pytest.approx(statistic, abs=0.01)
        assert found.df_denominator == pytest.approx(df, abs=0.55)


def test_between_within_counts_as_the_r_package_does_for_slopes() -> None:
    """openpharma/mmrm (R), vignettes/between_within.Rmd: 192 between and 334 within; SAS: between under TYPE=UN."""
    trial = fev_trial()
    unit = np.eye(len(trial.data.columns))
    structured = Mmrm(covariance=Toeplitz(is_heterogeneous=True), freedom=BetweenWithin()).fit(trial.data)
    assert structured.contrast(unit[4], "TRT").df == 192.0
    assert structured.contrast(unit[1], "VIS2").df == 334.0
    unstructured = Mmrm(freedom=BetweenWithin()).fit(trial.data)
    assert unstructured.contrast(unit[1], "VIS2").df == 192.0


def test_who_was_left_out_is_counted() -> None:
    """SAS: 800 measurements read, 537 used, 200 patients; 3 of them without a measurement."""
    counts = Mmrm().fit(fev(["ARMCD"])).counts
    assert len(fev_table()["FEV1"]) == 800
    assert (counts.n_observations, counts.n_patients, counts.n_patients_left_out) == (537, 197, 3)
    assert [(one.reason, one.n_observations) for one in counts.left_out] == [("response missing", 263)]


def test_bic_without_the_patients_left_out_is_the_r_packages() -> None:
    """It counts the 197 patients used, SAS all 200: 10 covariance parameters make that 10·log(200/197) apart."""
    data = fev(["ARMCD"])
    all_counted = Mmrm().fit(data).criteria.bic
    used_only = Mmrm().fit(replace(data, n_patients_left_out=0)).criteria.bic
    assert all_counted - used_only == pytest.approx(10.0 * np.log(200.0 / 197.0))
