"""A small trial as tables: six subjects, three visits, one measurement."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from sevenfold.cohort.cohort import Cohort
from sevenfold.cohort.from_frame import from_frame
from sevenfold.cohort.imported.account import Account
from sevenfold.cohort.imported.mapping import load_mapping
from sevenfold.protocol.protocol import Protocol

PROTOCOL = """
format: 1
name: small
title: A small trial
phase: "2"
aim: To try the import
registered_trials: [{id: S, registry: none, registry_id: S, country: France, sponsor: nobody}]
population:
  description: Adults
  planned: 6
  criteria: [{id: age, kind: inclusion, text: adults, rule: {number: age, at_least: 18 years}}]
variables:
  - {id: alc, label: Lymphocytes, kind: laboratory, unit: cells/µL, lower: 0, upper: 500000}
  - {id: stratum, label: Stratum, kind: category}
  - {id: relapse, label: Relapse, kind: event}
arms:
  - {id: drug, label: Drug, treatment: a drug}
  - {id: control, label: Control, treatment: nothing}
groups: {drug: [drug], control: [control]}
masking: {blind: [participant]}
randomisation: {ratio: {drug: 1, control: 1}}
schedule:
  visits:
    - {id: baseline, day: 1, assessments: [alc]}
    - {id: week 4, day: 28, window: [-7, 7], assessments: [alc]}
    - {id: week 8, day: 56, window: [-7, 7], assessments: [alc]}
baseline: {visit: baseline}
endpoints: [{id: fold, label: Fold, fold: alc, visit: week 8}]
estimands:
  - id: primary
    label: P
    role: primary
    endpoint: fold
    analysis_set: randomised
    compare: [drug, control]
    summary: ratio of geometric means
    intercurrent: {death: in those alive}
analyses: [{estimand: primary, method: ancova, covariates: [baseline]}]
"""
MAPPING = """
format: 1
protocol: small
subjects:
  file: people
  subject: ID
  arm: {column: ARM, values: {A: drug, B: control}}
  first_dose: DAY1
  covariates: {stratum: STRATUM}
measurements:
  - variable: alc
    file: labs
    value: VALUE
    unit_column: UNIT
    day: DAY
    visit: {column: VISIT, values: {base: baseline, w4: week 4, w8: week 8}}
    ignore: [extra]
ends: {file: ends, day: DAY, reason: {column: WHY, values: {done: completed, dead: died, gone: withdrew}}}
"""
PEOPLE = [(f"P{i}", "AB"[i % 2], "2024-02-01", "xy"[i // 3]) for i in range(6)]
DAYS = {"base": 1, "w4": 27, "w8": 57}
Labs = list[list[str]]


def labs() -> Labs:
    """A value for every subject and visit, different everywhere."""
    return [
        [who, visit, str(day), str(500 + 100 * i + 7 * day), "cells/uL"]
        for i, (who, *_) in enumerate(PEOPLE)
        for visit, day in DAYS.items()
    ]


def read(
    folder: Path,
    protocol: Protocol,
    rows: Labs,
    mapping: str = MAPPING,
    people: Sequence[tuple[str, ...]] | None = None,
    ends: Sequence[tuple[str, ...]] | None = None,
) -> tuple[Cohort, Account]:
    """Write the tables, read them through the mapping."""
    pl.DataFrame(people or PEOPLE, schema=["ID", "ARM", "DAY1", "STRATUM"], orient="row").write_csv(
        folder / "people.csv"
    )
    pl.DataFrame(rows, schema=["ID", "VISIT", "DAY", "VALUE", "UNIT"], orient="row").write_csv(folder / "labs.csv")
    done = [(who, "57", "done") for who, *_ in PEOPLE]
    pl.DataFrame(ends or done, schema=["ID", "DAY", "WHY"], orient="row").write_csv(folder / "ends.csv")
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    return from_frame(folder, load_mapping(folder / "mapping.yaml")[0], protocol)
