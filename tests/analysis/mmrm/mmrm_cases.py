"""Data and structures that the tests of the mixed model share, and the slow obvious versions they hold it against."""

import csv
import gzip
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sevenfold.analysis.mmrm import (
    Antedependence,
    Autoregressive,
    ByGroup,
    CompoundSymmetry,
    Covariate,
    Exponential,
    Factor,
    Longitudinal,
    Margins,
    Toeplitz,
    TrialModel,
    Unstructured,
    trial_model,
    without_missing,
)
from sevenfold.analysis.mmrm.covariance.by_group import Stack
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.analysis.mmrm.likelihood import Estimation, derivatives, evaluate
from sevenfold.analysis.mmrm.panel import Panel, arrange
from sevenfold.analysis.mmrm.search import Optimum, search

Array = NDArray[np.float64]

REFERENCE = Path(__file__).parents[2] / "reference" / "mmrm"
DATASETS = Path(__file__).parents[3].parent / "shared" / "datasets" / "mmrm"

STRUCTURES: tuple[Structure, ...] = (
    Unstructured(),
    CompoundSymmetry(),
    CompoundSymmetry(is_heterogeneous=True),
    Autoregressive(),
    Autoregressive(is_heterogeneous=True),
    Toeplitz(),
    Toeplitz(is_heterogeneous=True),
    Antedependence(),
    Antedependence(is_heterogeneous=True),
    Exponential(),
    Exponential(is_heterogeneous=True),
)
COVARIANCES: tuple[Structure | ByGroup, ...] = (*STRUCTURES, *(ByGroup(structure) for structure in STRUCTURES))


def label_of(one: Structure | ByGroup | Estimation) -> str:
    """A test's name for a structure."""
    return one.name if isinstance(one, Estimation) else one.label


def simulated(
    seed: int,
    n_patients: int = 40,
    n_visits: int = 4,
    *,
    fraction_missing: float = 0.2,
    shift: float = 0.0,
    scale: float = 1.0,
) -> TrialModel:
    """A trial of two arms with a baseline, correlated visits of growing variance, some missing at random."""
    rng = np.random.default_rng(seed)
    each = np.arange(n_visits)
    sd = 1.0 + 0.2 * each
    covariance = 0.6 ** np.abs(each[:, None] - each[None, :]) * np.outer(sd, sd)
    values = rng.multivariate_normal(np.zeros(n_visits), covariance, size=n_patients)
    arm = np.arange(n_patients) % 2
    baseline = rng.normal(size=n_patients)
    values += 0.5 * baseline[:, None] + 0.3 * arm[:, None] * each[None, :]
    subject, visit = np.nonzero(rng.random((n_patients, n_visits)) >= fraction_missing)
    return trial_model(
        scale * values[subject, visit] + shift,
        subject=subject,
        arm=arm[subject],
        visit=visit,
        arms=("placebo", "il7"),
        visits=tuple(f"day {7 * one + 7}" for one in each),
        covariates=(Covariate(name="baseline", values=baseline[subject]),),
        times_day=tuple(float(one) for one in (7.0, 14.0, 28.0, 42.0, 60.0, 90.0)[:n_visits]),
    )


@lru_cache(maxsize=1)
def fev_table() -> dict[str, list[str]]:
    """The columns of openpharma/mmrm's fev_data as text."""
    path = DATASETS / "fev_data.csv"
    if not path.exists():
        pytest.skip("fev_data (openpharma/mmrm) is not beside this checkout: shared/datasets/mmrm/fev_data.csv")
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def fev(covariates: Sequence[str]) -> Longitudinal:
    """fev_data with an intercept and any of ARMCD, SEX; patients without a measurement counted as left out."""
    table = fev_table()
    indicators = {"ARMCD": ("ARMCD", "TRT"), "SEX": ("SEX", "Female")}
    columns = [np.ones(len(table["FEV1"]))]
    for name in covariates:
        column, level = indicators[name]
        columns.append(np.array([value == level for value in table[column]], dtype=np.float64))
    return without_missing(
        [float(value) if value else np.nan for value in table["FEV1"]],
        np.column_stack(columns),
        columns=("intercept", *covariates),
        subject=[int(value[2:]) for value in table["USUBJID"]],
        visit=[int(value) - 1 for value in table["VISITN"]],
        visits=("VIS1", "VIS2", "VIS3", "VIS4"),
        times_day=(1.0, 2.0, 3.0, 4.0),
        group=[int(value == "TRT") for value in table["ARMCD"]],
        groups=("PBO", "TRT"),
    )


def fev_trial(margins: Margins = Margins.EQUAL) -> TrialModel:
    """FEV1 ~ RACE + SEX + ARMCD*AVISIT, the model of the vignette of the R package mmrm."""
    table = fev_table()
    races = ("Asian", "Black or African American", "White")
    return trial_model(
        [float(value) if value else np.nan for value in table["FEV1"]],
        subject=[int(value[2:]) for value in table["USUBJID"]],
        arm=[int(value == "TRT") for value in table["ARMCD"]],
        visit=[int(value) - 1 for value in table["VISITN"]],
        arms=("PBO", "TRT"),
        visits=("VIS1", "VIS2", "VIS3", "VIS4"),
        covariates=(
            Factor(name="RACE", values=[races.index(value) for value in table["RACE"]], levels=races),
            Factor(name="SEX", values=[int(value == "Female") for value in table["SEX"]], levels=("Male", "Female")),
        ),
        margins=margins,
    )


def bcva() -> TrialModel:
    """openpharma/mmrm's bcva_data: 1,000 patients, 10 visits; BCVA_CHG ~ BCVA_BL + RACE + ARMCD*AVISIT."""
    path = DATASETS / "bcva_data.csv.gz"
    if not path.exists():
        pytest.skip("bcva_data (openpharma/mmrm) is not beside this checkout: shared/datasets/mmrm/bcva_data.csv.gz")
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    races = sorted({row["RACE"] for row in rows})
    return trial_model(
        [float(row["BCVA_CHG"]) for row in rows],
        subject=[int(row["USUBJID"]) for row in rows],
        arm=[int(row["ARMCD"] == "TRT") for row in rows],
        visit=[int(row["VISITN"]) - 1 for row in rows],
        arms=("CTL", "TRT"),
        visits=tuple(f"VIS{one:02d}" for one in range(1, 11)),
        covariates=(
            Covariate(name="BCVA_BL", values=[float(row["BCVA_BL"]) for row in rows]),
            Factor(name="RACE", values=[races.index(row["RACE"]) for row in rows], levels=tuple(races)),
        ),
    )


@lru_cache(maxsize=1)
def small_trial() -> Longitudinal:
    """tests/reference/mmrm/small_trial.csv with the model response ~ baseline + arm * visit."""
    with (REFERENCE / "small_trial.csv").open() as file:
        rows = list(csv.DictReader(file))
    visit = np.array([int(row["visit"]) - 1 for row in rows])
    arm = np.array([float(row["arm"] == "il7") for row in rows])
    at_visit = np.eye(4)[visit][:, 1:]
    baseline = [float(row["baseline"]) for row in rows]
    design = np.column_stack([np.ones(len(rows)), baseline, arm, at_visit, arm[:, None] * at_visit])
    return Longitudinal(
        np.array([float(row["response"]) for row in rows]),
        design,
        columns=("intercept", "baseline", "il7", "w2", "w3", "w4", "il7 w2", "il7 w3", "il7 w4"),
        subject=np.array([int(row["subject"]) for row in rows]),
        visit=visit,
        visits=("w1", "w2", "w3", "w4"),
    )


def prepared(data: Longitudinal, covariance: Structure | ByGroup) -> tuple[Panel, Stack]:
    """What the search is given."""
    is_by_group = isinstance(covariance, ByGroup)
    structure = covariance.structure if isinstance(covariance, ByGroup) else covariance
    groups = data.groups if is_by_group else ("all",)
    return arrange(data, is_by_group=is_by_group), Stack(structure.on(data.positions), groups)


def optimum_of(
    data: Longitudinal, covariance: Structure | ByGroup, estimation: Estimation = Estimation.REML
) -> Optimum:
    """The optimum, which must exist."""
    found = search(*prepared(data, covariance), estimation)
    assert isinstance(found, Optimum), found
    return found


def optimum_at(panel: Panel, stack: Stack, theta: Array, estimation: Estimation = Estimation.REML) -> Optimum:
    """The values an optimum would carry, at any θ."""
    point = evaluate(panel, stack.sigma(theta), estimation)
    assert point is not None
    slopes, curvatures = stack.slopes(theta), stack.curvatures(theta)
    return Optimum(
        panel=panel,
        point=point,
        derivatives=derivatives(panel, point, slopes, curvatures, estimation),
        theta=theta,
        names=stack.names,
        sigma=stack.sigma(theta),
        slopes=slopes,
        curvatures=curvatures,
        n_steps=0,
    )


def dense(data: Longitudinal, by_group: Array) -> Array:
    """Each group's matrix laid over all measurements, zero between patients  # (observation, observation)."""
    same = data.subject[:, None] == data.subject[None, :]
    group = data.group_of if len(by_group) > 1 else np.zeros(data.n_observations, dtype=np.intp)
    return np.where(same, by_group[group[:, None], data.visit[:, None], data.visit[None, :]], 0.0)


def dense_by_parameter(data: Longitudinal, slopes: Array) -> list[Array]:
    """∂V/∂θ_j over all measurements, for each θ_j of each group."""
    n_groups, n_own = slopes.shape[:2]
    found = []
    for group in range(n_groups):
        for own in range(n_own):
            by_group = np.zeros((n_groups, *slopes.shape[2:]))
            by_group[group] = slopes[group, own]
            found.append(dense(data, by_group))
    return found


def brute_deviance(data: Longitudinal, sigma: Array, estimation: Estimation) -> float:
    """-2 log-likelihood as the textbook writes it, with one matrix V for all measurements."""
    v = dense(data, sigma)
    x, y = data.design, data.response
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    residual = y - x @ np.linalg.solve(information, x.T @ inverse @ y)
    total = float(np.linalg.slogdet(v)[1]) + float(residual @ inverse @ residual)
    if estimation is Estimation.ML:
        return float(total + y.size * np.log(2.0 * np.pi))
    return float(total + (y.size - x.shape[1]) * np.log(2.0 * np.pi) + np.linalg.slogdet(information)[1])


def rows_of(n_rows: int, n_columns: int, seed: int = 0) -> Array:
    """Some contrasts without structure."""
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


__all__ = [
    "COVARIANCES",
    "REFERENCE",
    "STRUCTURES",
    "Array",
    "bcva",
    "brute_deviance",
    "dense",
    "dense_by_parameter",
    "fev",
    "fev_trial",
    "label_of",
    "optimum_at",
    "optimum_of",
    "prepared",
    "rows_of",
    "simulated",
    "small_trial",
]
