"""A small trial written out, and one planned analysis of it at a time: what tests of the plan's methods share."""

from collections.abc import Sequence

import numpy as np
import yaml

from sevenfold.analysis.trial.answering import answer
from sevenfold.analysis.trial.estimates import Answer
from sevenfold.cohort.cohort import Assignment, Cohort, Missing, Subject
from sevenfold.protocol.load import parse
from sevenfold.protocol.protocol import Protocol

N = 40
QUESTIONS = {
    "ancova": ("change", "difference of means", "in those alive"),
    "repeated measures": ("change", "difference of means", "hypothetical"),
    "multiple imputation": ("change", "difference of means", "hypothetical"),
    "conditional mean imputation": ("change", "difference of means", "hypothetical"),
    "stratified rank sum": ("change", "shift of location", "in those alive"),
    "randomisation test": ("change", "shift of location", "in those alive"),
    "win ratio": ("change", "win ratio", "composite"),
    "standardised logistic regression": ("response", "difference of proportions", "composite"),
    "exact unconditional test": ("response", "difference of proportions", "composite"),
    "cumulative incidence": ("dead", "difference of proportions", "composite"),
    "proportional hazards": ("death", "hazard ratio", "composite"),
    "log-rank": ("death", "hazard ratio", "composite"),
}


def small_cohort() -> Cohort:
    """Forty subjects with an effect of about -3; six are not seen at the end, two of them (S13, S30) dead."""
    rng = np.random.default_rng(5)
    arm = np.tile([0, 1, 1, 0], N // 4)
    base = rng.normal(20.0, 4.0, N)
    grid = np.stack(
        [base, base + rng.normal(0, 2, N) - 1.5 * (arm == 0), base + rng.normal(0, 3, N) - 3 * (arm == 0)], 1
    )
    missing = np.full(grid.shape, int(Missing.PRESENT))
    death = np.full(N, np.inf)
    for who in (1, 6, 13, 22, 30, 35):
        grid[who, 2], missing[who, 2] = np.nan, int(Missing.WITHDRAWN)
    grid[6, 1], missing[6, 1] = np.nan, int(Missing.WITHDRAWN)
    for who, day in ((13, 40.0), (30, 50.0)):
        death[who], missing[who, 2] = day, int(Missing.DEAD)
    last = np.where(np.isfinite(death), death, 60.0)
    return Cohort(
        subjects=tuple(
            Subject(
                subject=f"S{i}",
                site="",
                country="",
                age_year=50.0,
                sex=("female", "male")[i // 2 % 2],
                weight_kg=np.nan,
            )
            for i in range(N)
        ),
        visits=("baseline", "week 4", "week 8"),
        values={"score": grid[None]},
        missing={"score": missing[None]},
        baseline={"score": base[None]},
        measured_day=np.tile([0.0, 27.0, 55.0], (1, N, 1)),
        death_day=death[None],
        last_day=last[None],
        discharge_day=np.full((1, N), np.inf),
        first_event_day={},
        n_doses=np.ones((1, N), dtype=np.int64),
        adverse_events=(),
        assignment=Assignment(arms=("drug", "control"), arm=arm[None]),
    )


def planned(
    method: str,
    *,
    covariates: Sequence[str] = ("baseline",),
    is_ratio: bool = False,
    analysis_set: str = "randomised",
    assumption: str = "jump to reference",
    tipping_to: float | None = None,
) -> Protocol:
    """A plan with this analysis beside its primary one; covariates only where the method can have a baseline."""
    endpoint, summary, death = QUESTIONS[method]
    if is_ratio:
        endpoint, summary = "fold", "ratio of geometric means"
    adjusts = method in ("ancova", "repeated measures", "standardised logistic regression") or "imputation" in method
    analysis: dict[str, object] = {"estimand": "asked", "method": method}
    analysis["covariates"] = [name for name in covariates if adjusts or name != "baseline"]
    if "imputation" in method:
        analysis["assumption"] = assumption
        analysis |= {} if tipping_to is None else {"tipping_to": tipping_to}
    if method == "win ratio":
        analysis["better"] = "lower"
    intercurrent = {"death": death}
    if method == "repeated measures":
        intercurrent["withdrawal"] = "hypothetical"
    if "imputation" in method:
        intercurrent["withdrawal"] = "hypothetical" if assumption == "missing at random" else "treatment policy"

    def estimand(name: str, role: str, endpoint: str, summary: str, intercurrent: dict[str, str]) -> dict[str, object]:
        return {
            "id": name,
            "label": name.title(),
            "role": role,
            "endpoint": endpoint,
            "analysis_set": "randomised",
            "compare": ["drug", "control"],
            "summary": summary,
            "intercurrent": intercurrent,
        }

    visits = [{"id": "baseline", "day": 1}, {"id": "week 4", "day": 28}, {"id": "week 8", "day": 56}]
    values = {
        "format": 1,
        "name": "small",
        "title": "A small trial",
        "phase": "2",
        "aim": "To try the plan's methods",
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
        "variables": [{"id": "score", "label": "Score", "kind": "score", "unit": "points"}],
        "arms": [
            {"id": "drug", "label": "Drug", "treatment": "a drug"},
            {"id": "control", "label": "Control", "treatment": "nothing"},
        ],
        "groups": {"drug": ["drug"], "control": ["control"]},
        "masking": {"blind": ["participant"]},
        "randomisation": {"ratio": {"drug": 1, "control": 1}, "block_repeats": [2]},
        "schedule": {"visits": [{**visit, "assessments": ["score"]} for visit in visits]},
        "baseline": {"visit": "baseline"},
        "endpoints": [
            {"id": "change", "label": "Change", "change": "score", "visit": "week 8"},
            {"id": "fold", "label": "Fold", "fold": "score", "visit": "week 8"},
            {
                "id": "response",
                "label": "Response",
                "responder": "score",
                "rise_at_least": "10 %",
                "visit": "week 8",
            },
            {"id": "dead", "label": "Dead", "event": "death", "by_day": 56},
            {"id": "death", "label": "Time to death", "time_to": "death"},
        ],
        "estimands": [
            estimand("first", "primary", "change", "difference of means", {"death": "in those alive"}),
            estimand("asked", "secondary", endpoint, summary, intercurrent) | {"analysis_set": analysis_set},
        ],
        "analyses": [{"estimand": "first", "method": "ancova", "covariates": ["baseline"]}, analysis],
    }
    return parse(yaml.safe_dump(values, allow_unicode=True), "small.yaml").protocol


def answered(
    cohort: Cohort,
    method: str,
    *,
    covariates: Sequence[str] = ("baseline",),
    is_ratio: bool = False,
    analysis_set: str = "randomised",
    assumption: str = "jump to reference",
    tipping_to: float | None = None,
) -> Answer:
    """The answer to this analysis."""
    protocol = planned(
        method,
        covariates=covariates,
        is_ratio=is_ratio,
        analysis_set=analysis_set,
        assumption=assumption,
        tipping_to=tipping_to,
    )
    return answer(protocol.analyses[1], cohort, protocol, 1)


def closes(answer: Answer) -> bool:
    """Each group's subjects are used or left out for a reason, and arms say the same as groups."""
    n, n_used = sum(g.n for g in answer.groups), sum(g.n_used for g in answer.groups)
    by_arm = sum((answer.n_used_by_arm or {}).values())
    return n - n_used == sum((answer.left_out or {}).values()) and n_used == by_arm
