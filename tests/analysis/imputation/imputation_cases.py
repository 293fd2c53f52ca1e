"""The trials that the tests of imputation share."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from rehearsals import shared
from sevenfold.analysis.ancova import Ancova, Contrast
from sevenfold.analysis.imputation import DROPOUT, Assumption, Courses, ImputationModel, courses_from_rows
from sevenfold.analysis.mmrm.covariance import ByGroup, Unstructured

REFERENCE = Path(__file__).parents[2] / "reference/imputation/oracle.csv"
VISITS = ("4", "5", "6", "7")
ANALYSIS = Ancova(arms=("DRUG", "PLACEBO"), contrasts=(Contrast(name="trt", weights={"PLACEBO": 1.0, "DRUG": -1.0}),))
SMALL = Ancova(
    arms=("active", "control"), contrasts=(Contrast(name="effect", weights={"active": 1.0, "control": -1.0}),)
)


@cache
def antidepressant() -> Courses:
    """The antidepressant trial of the Drug Information Association: 172 patients, change in HAMD17 at four visits."""
    data = pl.read_csv(shared("datasets", "rct", "antidepressant_data.csv"))
    return courses_from_rows(
        data["CHANGE"],
        subject=data["PATIENT"],
        arm=data["THERAPY"],
        visit=data["VISIT"].cast(pl.String),
        visits=VISITS,
        covariates={"basval": data["BASVAL"]},
    )


@cache
def oracle() -> dict[str, float]:
    """What base R and nlme said (tests/reference/imputation/oracle.R)."""
    with REFERENCE.open() as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        next(rows)
        return {what: float(value) for what, value in rows}


def jump(assumption: Assumption = Assumption.JUMP_TO_REFERENCE, reference: str = "PLACEBO") -> ImputationModel:
    """One assumption for whoever dropped out."""
    return ImputationModel(assumptions={DROPOUT: assumption}, reference=reference)


def by_arm(assumption: Assumption, reference: str = "control") -> ImputationModel:
    """The same with a covariance for each arm."""
    covariance = ByGroup(structure=Unstructured())
    return ImputationModel(assumptions={DROPOUT: assumption}, reference=reference, covariance=covariance)


def small_trial(
    n: int = 60, seed: int = 1, missing: float = 0.3, effect: float = 1.0, *, has_gaps: bool = True
) -> Courses:
    """A trial of two arms and three visits with dropout after the first visit or later, and one gap."""
    rng = np.random.default_rng(seed)
    active = np.arange(n) % 2 == 0
    baseline = rng.normal(size=n)
    own = rng.normal(size=n)
    y = np.stack(
        [(v + 1) * 0.3 + effect * (v + 1) / 3 * active + 0.5 * baseline + own + rng.normal(size=n) for v in range(3)],
        axis=1,
    )
    first_after = np.full(n, 3)
    gone = rng.uniform(size=n) < missing
    first_after[gone] = rng.integers(1, 3, size=n)[gone]
    y[np.arange(3) >= first_after[:, None]] = np.nan
    if has_gaps:
        y[np.flatnonzero(first_after == 3)[:2], 1] = np.nan
    return Courses(
        response=y,
        arm=np.where(active, "active", "control"),
        visits=("1", "2", "3"),
        event=np.where(first_after < 3, DROPOUT, ""),
        first_after=first_after,
        covariates={"baseline": baseline},
    )
