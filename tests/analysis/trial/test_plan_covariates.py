"""What a plan adjusts for or stratifies by is done, or refused: never printed and left undone."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.estimates import Answer
from sevenfold.cohort.from_frame import from_frame
from sevenfold.cohort.imported.mapping import Mapping
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import ProtocolFile, parse
from sevenfold.report.shared import shared_context

N = 80
QUESTIONS = {
    "ratio of geometric means": ("fold", "in those alive"),
    "shift of location": ("change", "in those alive"),
    "difference of means": ("change", "hypothetical"),
    "hazard ratio": ("relapse-time", "while alive"),
    "difference of restricted means": ("relapse-free", "composite"),
    "difference of proportions": ("relapse-50", "while alive"),
    "win ratio": ("change", "composite"),
}


def plan(*analyses: tuple[str, str, list[str]]) -> ProtocolFile:
    """A protocol with an analysis (summary, method, covariates) beside its primary one."""
    asked = [("ratio of geometric means", "ancova", ["baseline"]), *analyses]
    values = {
        "format": 1,
        "name": "small",
        "title": "A small trial",
        "phase": "2",
        "aim": "To try",
        "registered_trials": [
            {"id": "S", "registry": "none", "registry_id": "S", "country": "France", "sponsor": "nobody"}
        ],
        "population": {
            "description": "Adults",
            "planned": N,
            "criteria": [
                {"id": "age", "kind": "inclusion", "text": "adults", "rule": {"number": "age", "at_least": "18 years"}}
            ],
        },
        "variables": [
            {
                "id": "alc",
                "label": "Lymphocytes",
                "kind": "laboratory",
                "unit": "cells/µL",
                "lower": 0,
                "upper": 500000,
            },
            {"id": "stratum", "label": "Stratum", "kind": "category"},
            {"id": "frailty", "label": "Frailty", "kind": "number", "unit": "points"},
            {"id": "relapse", "label": "Relapse", "kind": "event"},
        ],
        "arms": [
            {"id": "drug", "label": "Drug", "treatment": "a drug"},
            {"id": "control", "label": "Control", "treatment": "nothing"},
        ],
        "groups": {"drug": ["drug"], "control": ["control"]},
        "masking": {"blind": ["participant"]},
        "randomisation": {"ratio": {"drug": 1, "control": 1}},
        "schedule": {
            "visits": [
                {"id": "baseline", "day": 1, "assessments": ["alc"]},
                {"id": "week 8", "day": 56, "window": [-7, 7], "assessments": ["alc"]},
            ]
        },
        "baseline": {"visit": "baseline"},
        "endpoints": [
            {"id": "fold", "label": "Fold", "fold": "alc", "visit": "week 8"},
            {"id": "change", "label": "Change", "change": "alc", "visit": "week 8"},
            {"id": "relapse-time", "label": "Time to relapse", "time_to": "relapse"},
            {"id": "relapse-free", "label": "Days free", "time_to": "relapse", "until_day": 50},
            {"id": "relapse-50", "label": "Relapse by day 50", "event": "relapse", "by_day": 50},
        ],
        "estimands": [
            {
                "id": f"q{place}",
                "label": f"Q{place}",
                "role": "secondary" if place else "primary",
                "endpoint": QUESTIONS[summary][0],
                "analysis_set": "randomised",
                "compare": ["drug", "control"],
                "summary": summary,
                "intercurrent": {"death": QUESTIONS[summary][1]}
                | ({"withdrawal": "hypothetical"} if method == "repeated measures" else {}),
            }
            for place, (summary, method, _) in enumerate(asked)
        ],
        "analyses": [
            {"estimand": f"q{place}", "method": method, "covariates": covariates}
            | ({"better": "higher"} if method == "win ratio" else {})
            for place, (_, method, covariates) in enumerate(asked)
        ],
    }
    return parse(yaml.safe_dump(values, allow_unicode=True), "small.yaml")


@pytest.mark.parametrize(
    ("summary", "method", "covariate", "said"),
    [
        ("hazard ratio", "log-rank", "age", "strata, and 'age' is a number"),
        ("hazard ratio", "log-rank", "frailty", "strata, and 'frailty' is a number"),
        ("hazard ratio", "log-rank", "baseline", "strata, and 'baseline' is a number"),
        ("shift of location", "stratified rank sum", "baseline", "strata, and 'baseline' is a number"),
        ("win ratio", "win ratio", "weight", "strata, and 'weight' is a number"),
        ("hazard ratio", "proportional hazards", "baseline", "has no baseline"),
        ("difference of restricted means", "restricted mean", "age", "not adjusted or stratified; leave 'age' out"),
        ("difference of proportions", "exact unconditional test", "age", "not adjusted or stratified"),
        ("difference of proportions", "cumulative incidence", "stratum", "not adjusted or stratified"),
        ("shift of location", "randomisation test", "stratum", "not adjusted or stratified"),
    ],
)
def test_a_covariate_that_a_method_would_ignore_is_refused(
    summary: str, method: str, covariate: str, said: str
) -> None:
    """Printed as 'stratified by age' it would claim what was not done."""
    with pytest.raises(InvalidInput, match=said):
        plan((summary, method, [covariate]))


def test_words_and_facts_are_strata() -> None:
    assert plan(("hazard ratio", "log-rank", ["stratum", "sex"])).protocol.analyses[1].covariates == ("stratum", "sex")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Eighty subjects; one in two relapses; those who do not were looked at until some day before day 50."""
    rng = np.random.default_rng(3)
    event = rng.random(N) < 0.5
    pl.DataFrame(
        {
            "id": [f"P{i}" for i in range(N)],
            "arm": ["drug" if i % 2 else "control" for i in range(N)],
            "stratum": ["" if i < 3 else "xy"[(i // 3) % 2] for i in range(N)],
            "frailty": ["" if i == 4 else str(i % 5) for i in range(N)],
            "before": [f"{x:.0f}" for x in rng.lognormal(6.5, 0.3, N)],
            "after": [f"{x:.0f}" for x in rng.lognormal(6.6, 0.3, N)],
            "day": [str(day) for day in rng.integers(2, 60, N)],
            "relapsed": ["yes" if one else "no" for one in event],
        }
    ).write_csv(tmp_path / "all.csv")
    return tmp_path / "all.csv"


MAPPING = """
format: 1
protocol: small
subjects: {subject: id, arm: arm, covariates: {stratum: stratum, frailty: frailty}}
measurements: [{variable: alc, unit: cells/µL, visits: {baseline: before, week 8: after}}]
events: [{event: relapse, day: day, happened: relapsed}]
"""


def analysed(data: Path, file: ProtocolFile) -> dict[str, Answer]:
    protocol = file.protocol
    cohort, _ = from_frame(data, Mapping.model_validate(yaml.safe_load(MAPPING), strict=False), protocol)
    estimates = analyse(cohort, None, protocol, 1)
    return {answer.method: answer for answer in estimates.answers}


def test_incidence_follows_nobody_longer_than_was_looked(data: Path) -> None:
    """Two ways: product-limit by hand, over the days until which each was looked at."""
    answers = analysed(data, plan(("difference of proportions", "cumulative incidence", [])))
    frame = pl.read_csv(data)

    def by_day_50(arm: str) -> float:
        mine = frame.filter(pl.col("arm") == arm)
        free = 1.0
        for day in sorted(set(mine.filter(pl.col("relapsed") == "yes")["day"].to_list())):
            if day <= 50:
                n = mine.filter(pl.col("day") >= day).height
                free *= 1.0 - mine.filter((pl.col("day") == day) & (pl.col("relapsed") == "yes")).height / n
        return 1.0 - free

    found = answers["cumulative incidence"].value
    assert found == pytest.approx(by_day_50("drug") - by_day_50("control"), abs=1e-12)


def test_who_has_no_covariate_is_left_out_for_that_reason_by_every_model(data: Path) -> None:
    """Three have no stratum and a fourth no frailty; all have later values."""
    covariates = ["baseline", "stratum", "frailty"]
    answers = analysed(
        data, plan(("difference of means", "repeated measures", covariates), ("win ratio", "win ratio", ["stratum"]))
    )
    assert answers["repeated measures"].left_out == {"a covariate is not known": 4}
    assert sum(group.n_used for group in answers["repeated measures"].groups) == N - 4


def test_a_log_rank_test_without_a_hazard_ratio_says_whose_p_it_is(data: Path) -> None:
    """Where one arm has every event the ratio is infinite and the test stands."""
    frame = pl.read_csv(data, infer_schema=False)
    alone = pl.when(pl.col("arm") == "drug").then(pl.lit("no")).otherwise("relapsed")
    frame.with_columns(alone.alias("relapsed")).write_csv(data)
    answers = analysed(data, plan(("hazard ratio", "log-rank", ["stratum"])))
    answer = answers["log-rank"]
    assert answer.value is None
    assert answer.p_value is not None
    assert answer.test == "log-rank, stratified by stratum"


def test_an_answer_is_called_hypothetical_for_what_it_supposes(data: Path) -> None:
    """Nobody died here, so nobody would have lived; the curves of another question do not lead."""
    file = plan(("difference of means", "repeated measures", ["baseline"]), ("hazard ratio", "log-rank", []))
    protocol = file.protocol
    cohort, _ = from_frame(data, Mapping.model_validate(yaml.safe_load(MAPPING), strict=False), protocol)
    context = shared_context(file, cohort, analyse(cohort, None, protocol, 1), is_rehearsed=False)
    assert [row["supposed"] for row in context["answers"]] == ["", "had all stayed", ""]
    assert context["survival"]
    assert not context["leads_with_curves"]
