"""The primary analyses, worked out a second time from what is exported; and everybody counted."""

import base64
import csv
import dataclasses
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from math import exp, log
from pathlib import Path
from statistics import fmean
from typing import Any, final

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from scipy import stats

from requirement.by_hand import Difference, Row, boschloo_p, is_kept_by_both_sides, ratio_of_means
from requirement.conftest import Run
from requirement.scripted import SUPPLY, Fate, World, acted, planned
from sevenfold.analysis.answer import Alternative
from sevenfold.analysis.exact_test import boschloo
from sevenfold.analysis.proportion_difference import chan_zhang
from sevenfold.analysis.trial.answering import answer
from sevenfold.analysis.trial.estimates import Answer
from sevenfold.analysis.two_binomials import Table
from sevenfold.cohort.from_record import from_record
from sevenfold.export import write_tables
from sevenfold.protocol.load import load
from sevenfold.record.history import read_history
from sevenfold.record.reading import read_events
from sevenfold.record.tables import tables
from sevenfold.trial.ports import Event

EXACT = 1e-9  # of estimates, intervals and p-values that are formulas
ROUNDING = 1e-12  # of sums of probabilities; the p-value errs upwards, by 1e-9 at most
LIMIT = 2e-6  # of the exact interval's ends: refined to 1e-6, outwards (docs/theory/two-proportions.md)
ACTIVE = {"iris-7": {"high", "low"}, "iris-7c": {"cyt107"}}
DUE = 28.0  # days from the first dose to day 29: day 1 is the first dose


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A trial's exported tables, and what was known at screening, which only the events tell."""

    subjects: list[Row]
    labs: list[Row]
    visits: list[Row]
    doses: list[Row]
    vital: dict[str, Row]
    qualifying: dict[str, list[float]]

    @property
    def randomised(self) -> list[Row]:
        """In order of randomisation number."""
        return sorted((r for r in self.subjects if r["randomisation_number"]), key=lambda r: r["randomisation_number"])

    def value(self, subject: str, visit: str, test: str = "alc") -> float | None:
        """A laboratory value, None where there is none."""
        found = [r for r in self.labs if (r["subject"], r["visit"], r["test"]) == (subject, visit, test)]
        assert len(found) <= 1
        return float(found[0]["value"]) if found else None

    def last_value(self, subject: str, until_day: float, test: str = "alc") -> float | None:
        """The last value after the first dose and until a day."""
        first = min(r["at"] for r in self.doses if r["subject"] == subject and r["was_given"] == "true")
        start = datetime.fromisoformat(first)
        last = None
        for row in self.visits:  # in the order of the plan
            if row["subject"] != subject or row["was_held"] != "true":
                continue
            day = (datetime.fromisoformat(row["at"]) - start).total_seconds() / 86_400.0
            value = self.value(subject, row["visit"], test)
            if value is not None and 0.0 < day <= until_day:
                last = value
        return last

    def day(self, subject: str, of: str) -> float | None:
        """A day of ``vital_status``, None where it never came."""
        text = self.vital[subject][of]
        return float(text) if text else None


def exported(tables_by_name: Mapping[str, list[Row]], events: Iterable[Mapping[str, Any]]) -> Exported:
    """From tables of text and events."""
    qualifying = {
        str(event["subject"]): [one["value"] for one in event["payload"]["known"]["laboratory"]["alc"]]
        for event in events
        if event["type"] == "CandidateScreened"
    }
    return Exported(
        subjects=tables_by_name["subjects"],
        labs=tables_by_name["labs"],
        visits=tables_by_name["visits"],
        doses=tables_by_name["doses"],
        vital={row["subject"]: row for row in tables_by_name["vital_status"]},
        qualifying=qualifying,
    )


def of_run(run: Run) -> Exported:
    """What a run left behind."""
    return exported({n: run.table(n) for n in ("subjects", "labs", "visits", "doses", "vital_status")}, run.events)


def ratios(data: Exported, name: str) -> tuple[list[tuple[bool, float, float, str]], Counter[str]]:
    """IRIS-7's primary: (is active, ratio, baseline, country) of those who have a ratio, and why others have none."""
    used, left_out = [], Counter[str]()
    for row in data.randomised:
        subject = row["subject"]
        baseline, value = data.value(subject, "day 1"), data.value(subject, "day 29")
        if baseline is not None and value is not None:
            used.append((row["arm"] in ACTIVE[name], value / baseline, baseline, row["country"]))
        else:
            left_out[reason(data, subject, "day 29")] += 1
    return used, left_out


def reason(data: Exported, subject: str, visit: str) -> str:
    """Why there is no value: it was due and not measured, or the subject's part was over before."""
    if any(row["subject"] == subject and row["visit"] == visit for row in data.visits):
        return "visit or test missed"
    ended = next(row["disposition"] for row in data.subjects if row["subject"] == subject)
    return {"died": "dead", "withdrew consent": "consent withdrawn", "lost to follow-up": "lost to follow-up"}[ended]


def responders(data: Exported) -> tuple[dict[str, tuple[bool, bool]], Counter[str]]:
    """IRIS-7C's primary: subject -> (is active, responded); and why others have no answer.

    A rise by half or more over the mean of the two qualifying counts, on day 29 or, for who was discharged before, at
    discharge; the dead by day 29 and those who withdrew before count as no.
    """
    said: dict[str, tuple[bool, bool]] = {}
    left_out = Counter[str]()
    for row in data.randomised:
        subject = row["subject"]
        death, home = data.day(subject, "death_day"), data.day(subject, "left_hospital_day")
        value = data.value(subject, "day 29")
        if home is not None and home < DUE:
            at_discharge = data.last_value(subject, home)
            value = value if at_discharge is None else at_discharge
        is_active = row["arm"] in ACTIVE["iris-7c"]
        if death is not None and death <= DUE:
            said[subject] = is_active, False
        elif value is not None:
            said[subject] = is_active, value / fmean(data.qualifying[subject][-2:]) >= 1.5
        elif (why := reason(data, subject, "day 29")) in ("dead", "consent withdrawn"):
            said[subject] = is_active, False
        else:
            left_out[why] += 1
    return said, left_out


def assert_ratio(found: Mapping[str, Any], data: Exported) -> Difference | None:
    """The answer to IRIS-7's primary question against the one by hand; None where there is none and says so."""
    used, left_out = ratios(data, "iris-7")
    n = Counter(row["arm"] in ACTIVE["iris-7"] for row in data.randomised)
    n_used = Counter(is_active for is_active, *_ in used)
    assert [(g["group"], g["n"], g["n_used"]) for g in found["groups"]] == [
        ("cyt107", n[True], n_used[True]),
        ("placebo", n[False], n_used[False]),
    ]
    assert found["left_out"] == dict(left_out)
    assert sum(g["n_used"] for g in found["groups"]) + sum(found["left_out"].values()) == len(data.randomised)
    for group, side in zip(found["groups"], (True, False), strict=True):
        values = [ratio for is_active, ratio, *_ in used if is_active is side]
        if values:
            assert group["value"] == pytest.approx(exp(fmean(log(v) for v in values)), rel=EXACT)
    countries = {country for *_, country in used}
    n_parameters = 2 + len(countries)
    if min(n_used[True], n_used[False]) == 0 or len(used) <= n_parameters:
        assert found["status"] != "ok"
        assert found["value"] is found["lower"] is found["upper"] is found["p_value"] is None
        return None
    expected = ratio_of_means(
        [one[1] for one in used], [one[2] for one in used], [one[0] for one in used], [one[3] for one in used]
    )
    assert found["status"] == "ok"
    for name in ("value", "lower", "upper", "p_value"):
        assert found[name] == pytest.approx(getattr(expected, name), rel=EXACT), name
    assert f"{expected.df} degrees of freedom" in found["test"]
    assert found["scale"] == "ratio"
    return expected


def assert_responders(found: Mapping[str, Any], data: Exported) -> None:
    """The answer to IRIS-7C's primary question against the one by hand."""
    said, left_out = responders(data)
    n = Counter(row["arm"] in ACTIVE["iris-7c"] for row in data.randomised)
    counts = []
    for group, side in zip(found["groups"], (True, False), strict=True):
        outcomes = [responded for is_active, responded in said.values() if is_active is side]
        events, known = sum(outcomes), len(outcomes)
        assert (group["n"], group["n_used"], group["n_events"]) == (n[side], known, events)
        assert group["value"] == pytest.approx(events / known, rel=EXACT)
        exact = stats.binomtest(events, known).proportion_ci(method="exact")
        assert (group["lower"], group["upper"]) == pytest.approx((exact.low, exact.high), abs=EXACT)
        counts += [events, known]
    assert found["left_out"] == dict(left_out)
    assert sum(g["n_used"] for g in found["groups"]) + sum(left_out.values()) == len(data.randomised)
    a, n_a, b, n_b = counts
    assert found["status"] == "ok"
    assert found["value"] == pytest.approx(a / n_a - b / n_b, abs=EXACT)
    assert 0.0 <= found["p_value"] - boschloo_p(a, n_a, b, n_b) + ROUNDING <= EXACT + 2 * ROUNDING
    assert found["p_value"] <= stats.fisher_exact(np.array([[a, n_a - a], [b, n_b - b]])).pvalue + EXACT
    assert_one_sided((a, n_a, b, n_b))
    assert_limits(found["lower"], found["upper"], (a, n_a, b, n_b))


def assert_one_sided(counts: tuple[int, int, int, int]) -> None:
    """Both one-sided tests against SciPy, which searches a grid. (Its two-sided one doubles the smaller of them.)"""
    a, n_a, b, n_b = counts
    of = Table(events_a=a, n_a=n_a, events_b=b, n_b=n_b)
    columns = [[a, b], [n_a - a, n_b - b]]
    greater = stats.boschloo_exact(columns, alternative="greater", n=256).pvalue
    less = stats.boschloo_exact(columns, alternative="less", n=256).pvalue
    assert boschloo(of, Alternative.GREATER).p_value == pytest.approx(greater, abs=1e-6)
    assert boschloo(of, Alternative.LESS).p_value == pytest.approx(less, abs=1e-6)


def assert_limits(lower: float, upper: float, counts: tuple[int, int, int, int]) -> None:
    """The ends of the exact interval: kept just inside, rejected just outside and everywhere beyond."""
    assert -1.0 <= lower <= counts[0] / counts[1] - counts[2] / counts[3] <= upper <= 1.0
    for end, outwards, bound in ((lower, -1.0, -1.0), (upper, 1.0, 1.0)):
        assert is_kept_by_both_sides(end - outwards * LIMIT, *counts)
        beyond, step = end + outwards * LIMIT, 0.04 * outwards
        while end != bound and abs(beyond) < 1.0:
            assert not is_kept_by_both_sides(beyond, *counts)
            beyond += step


@pytest.mark.requirement("PRIMARY-1")
def test_the_primary_estimate_of_iris_7_is_least_squares_on_its_exported_tables(open_runs: tuple[Run, ...]) -> None:
    """Log ratio of day 29 to day 1 on treatment, log baseline and country: estimate, interval and p to 1e-9."""
    runs = [run for run in open_runs if run.name == "iris-7"]
    assert len(runs) == 2
    for run in runs:
        assert_ratio(run.primary, of_run(run))


@pytest.mark.requirement("PRIMARY-2")
def test_the_primary_estimate_of_iris_7c_is_exact_on_its_exported_tables(open_runs: tuple[Run, ...]) -> None:
    """Responders counted by the protocol's words; Boschloo's test and the exact interval over all tables."""
    runs = [run for run in open_runs if run.name == "iris-7c"]
    assert len(runs) == 2
    for run in runs:
        assert_responders(run.primary, of_run(run))


def scripted(folder: Path, name: str, fates: list[Fate]) -> tuple[World, Exported, dict[str, Any]]:
    """A trial acted out with these fates; what it exports; and its primary answer as it is written."""
    n = len(fates)
    supply = dataclasses.replace(SUPPLY[name], n_planned=n)
    world = acted(planned(name, n), folder, supply, lambda k: fates[k] if k < n else Fate())
    world.unblind()
    events = read_events(world.ledger)
    history, protocol = read_history(events), world.file.protocol
    write_tables(tables(history, protocol), folder / "data")
    read = {
        path.stem: list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        for path in (folder / "data").glob("*.csv")
    }
    plan = next(a for a in protocol.analyses if protocol.estimand(a.estimand).role == "primary")
    said: Answer = answer(plan, from_record(history, protocol), protocol, 1)
    told = [{"type": e.type, "subject": e.subject, "payload": json.loads(e.payload)} for e in events]
    return world, exported(read, told), dataclasses.asdict(said) | {"status": said.status.value}


def happens(time_day: float, kind: str) -> Event:
    """What happens to a subject, in few words."""
    return Event(time_day=time_day, kind=kind, detail={"cause": "septic shock"} if kind == "death" else {})


def counted(alc: float, *events: Event, missed: Iterable[str] = (), **more: float) -> Fate:
    """A count on day 29, others on days 15 and 18 (``day_15=``), and what happens."""
    values = {("day 29", "alc"): alc} | {(name.replace("_", " "), "alc"): value for name, value in more.items()}
    return Fate(events=events, values=values, missed=frozenset(missed))


@pytest.mark.requirement("PRIMARY-1")
@pytest.mark.requirement("PRIMARY-3")
def test_iris_7_by_script_leaves_out_each_for_the_reason_and_fits_the_others(tmp_path: Path) -> None:
    """Dead, withdrawn, lost, a visit missed; a stop of dosing and a discharge leave nobody out. Values and baselines
    are all different, so that a wrong visit or a wrong baseline would show.
    """
    fates = [
        Fate(
            values={("day 1", "alc"): 500.0 + 37.0 * (k % 7), ("day 29", "alc"): 900.0 + 113.0 * ((5 * k) % 11)},
            qualifying=(300.0, 400.0),
        )
        for k in range(18)
    ]
    fates[1] = dataclasses.replace(fates[1], events=(happens(9.0, "death"),))
    fates[4] = dataclasses.replace(fates[4], events=(happens(20.5, "withdrawn"),))
    fates[6] = dataclasses.replace(fates[6], events=(happens(15.5, "lost"),))
    fates[8] = dataclasses.replace(fates[8], missed=frozenset({"day 29"}))
    fates[9] = dataclasses.replace(fates[9], events=(happens(11.5, "left hospital"),))
    fates[10] = dataclasses.replace(
        fates[10], events=(Event(time_day=8.0, kind="stopped dosing", detail={"reason": "adverse event"}),)
    )
    fates[11] = dataclasses.replace(fates[11], events=(happens(50.0, "death"),))
    _, data, found = scripted(tmp_path, "iris-7", fates)
    expected = assert_ratio(found, data)
    assert expected is not None
    assert found["left_out"] == {
        "consent withdrawn": 1, "dead": 1, "lost to follow-up": 1, "visit or test missed": 1
    }  # fmt: skip
    assert len({row["country"] for row in data.randomised}) == 2
    assert expected.df == 18 - 4 - 4


RESPONSES: dict[str, tuple[Fate, bool | str]] = {
    "rose by 60 %": (counted(1280.0), True),
    "rose by exactly half": (counted(1200.0), True),
    "rose by a little less than half": (counted(1199.0), False),
    "fell": (counted(400.0), False),
    "rose, and had been low before": (counted(1300.0, day_15=300.0, day_22=300.0), True),
    "died in the first week": (counted(2000.0, happens(5.2, "death")), False),
    "died the day before day 29": (counted(2000.0, happens(27.5, "death")), False),
    "died after day 29": (counted(2000.0, happens(40.0, "death")), True),
    "went home with a rise, low on day 29": (counted(800.0, happens(16.0, "left hospital"), day_15=1440.0), True),
    "went home low, a rise on day 29": (counted(2000.0, happens(20.0, "left hospital"), day_18=900.0), False),
    "went home with a rise and died by day 29": (
        counted(2000.0, happens(16.0, "left hospital"), happens(25.0, "death"), day_15=1440.0), False
    ),
    "went home after day 29": (counted(1280.0, happens(35.0, "left hospital"), day_22=300.0), True),
    "went home, last visit before that missed": (
        counted(800.0, happens(18.5, "left hospital"), missed=["day 18"], day_15=1440.0), True
    ),
    "withdrew before day 29": (counted(2000.0, happens(12.0, "withdrawn")), False),
    "withdrew after day 29": (counted(1280.0, happens(40.0, "withdrawn")), True),
    "lost before day 29": (counted(2000.0, happens(12.0, "lost")), "lost to follow-up"),
    "day 29 missed": (counted(2000.0, missed=["day 29"]), "visit or test missed"),
    "stopped dosing, rose": (
        counted(1280.0, Event(time_day=5.0, kind="stopped dosing", detail={"reason": "adverse event"})), True
    ),
}  # fmt: skip


@pytest.mark.requirement("PRIMARY-2")
@pytest.mark.requirement("PRIMARY-3")
def test_iris_7c_by_script_counts_every_fate_as_the_protocol_says(tmp_path: Path) -> None:
    """The baseline is the mean of the two qualifying counts, 800; the count on day 1 is another one, 500."""
    fates = [
        dataclasses.replace(fate, values={("day 1", "alc"): 500.0, **fate.values}) for fate, _ in RESPONSES.values()
    ]
    world, data, found = scripted(tmp_path, "iris-7c", fates)
    assert_responders(found, data)
    said, left_out = responders(data)
    n_left_out = Counter(expected for _, expected in RESPONSES.values() if isinstance(expected, str))
    assert left_out == n_left_out
    assert found["left_out"] == dict(n_left_out)
    for subject, (what, (_, expected)) in zip(world.nature.fates, RESPONSES.items(), strict=False):
        if isinstance(expected, bool):
            assert said[subject][1] is expected, what
    n_events = sum(group["n_events"] for group in found["groups"])
    assert n_events == sum(expected is True for _, expected in RESPONSES.values())


@pytest.mark.parametrize(
    "counts",
    [(4, 6, 1, 2), (6, 6, 0, 2), (0, 6, 2, 2), (3, 3, 3, 3), (0, 4, 0, 2), (9, 12, 1, 5), (1, 8, 3, 4), (16, 20, 3, 7)],
)
@pytest.mark.requirement("PRIMARY-2")
def test_the_exact_test_and_interval_hold_for_tables_at_the_edge(counts: tuple[int, int, int, int]) -> None:
    """Nobody, everybody, one arm only: the same two computations as for the trial, and SciPy's one-sided Boschloo."""
    a, n_a, b, n_b = counts
    of = Table(events_a=a, n_a=n_a, events_b=b, n_b=n_b)
    assert 0.0 <= boschloo(of).p_value - boschloo_p(*counts) + ROUNDING <= EXACT + 2 * ROUNDING
    assert_one_sided(counts)
    interval = chan_zhang(of).interval
    assert_limits(interval.lower, interval.upper, counts)


@pytest.mark.requirement("PRIMARY-4")
def test_the_exported_counts_are_those_that_were_sealed(open_runs: tuple[Run, ...]) -> None:
    """Every sealed text opened with the key that the unblinding reveals, by the cipher's own implementation."""
    for run in open_runs:
        events = run.events
        key = AESSIV(bytes.fromhex(events[-1]["payload"]["results_key"]))
        rows = {(r["subject"], r["visit"], r["test"]): r for r in run.table("labs") if r["was_sealed"] == "true"}
        n_seen = 0
        for event in events:
            if event["type"] != "MaskedResults":
                continue
            place = f"results {event['subject']} {event['payload']['visit']}"
            padded = key.decrypt(base64.b64decode(event["payload"]["sealed"]), [place.encode()])
            results = json.loads(padded[4 : 4 + int.from_bytes(padded[:4], "big")])
            for test, result in results.items():
                row = rows[event["subject"], event["payload"]["visit"], test]
                assert (float(row["value"]), row["unit"]) == (result["value"], result["unit"])
                n_seen += 1
        assert n_seen == len(rows) > 100


@pytest.mark.requirement("PRIMARY-4")
def test_the_arms_analysed_are_those_randomised(open_runs: tuple[Run, ...]) -> None:
    """By the list and the randomisation number, whatever a subject received."""
    for run in open_runs:
        events = run.events
        revealed = events[-1]["payload"]
        for event in events:
            if event["type"] != "Randomised":
                continue
            stratum, number = event["payload"]["stratum"], event["payload"]["number"]
            arm = revealed["allocation_list"][stratum][int(number.split("-")[1]) - 1]
            assert revealed["assignments"][event["subject"]] == arm
            row = next(row for row in run.table("subjects") if row["subject"] == event["subject"])
            assert (row["arm"], row["stratum"], row["randomisation_number"]) == (arm, stratum, number)


@pytest.mark.requirement("PRIMARY-5")
def test_the_plan_is_what_the_protocol_says() -> None:
    """Primary estimand and analysis of both trials: endpoint, visit, comparison, death, method and covariates."""
    found = {}
    for name in ("iris-7", "iris-7c"):
        protocol = load(name).protocol
        (estimand,) = [one for one in protocol.estimands if one.role == "primary"]
        plan = next(one for one in protocol.analyses if one.estimand == estimand.id)
        endpoint = protocol.endpoint(estimand.endpoint).model_dump()
        found[name] = (
            endpoint["visit"], endpoint.get("or_at_discharge"), estimand.analysis_set.value, estimand.compare,
            estimand.summary.value, {k.value: v.value for k, v in estimand.intercurrent.items()}["death"],
            plan.method.value, tuple(plan.covariates), protocol.baseline.visit, protocol.baseline.qualifying_mean,
        )  # fmt: skip
    assert found["iris-7"] == (
        "day 29", False, "randomised", ("cyt107", "placebo"), "ratio of geometric means", "in those alive",
        "ancova", ("baseline", "country"), "day 1", (),
    )  # fmt: skip
    assert found["iris-7c"] == (
        "day 29", True, "randomised", ("cyt107", "placebo"), "difference of proportions", "composite",
        "exact unconditional test", (), "day 1", ("alc",),
    )  # fmt: skip


def words_of(run: Run) -> str:
    """The report as text, every tag a bar."""
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    page = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "|", page)))


@pytest.mark.requirement("PRIMARY-6")
def test_the_flow_of_participants_in_the_report_is_that_of_the_exported_subjects(open_runs: tuple[Run, ...]) -> None:
    """Screened, excluded by the first criterion not met, randomised, dosed and ended, arm by arm; and it closes."""
    for run in open_runs:
        rows, words = run.table("subjects"), words_of(run)
        randomised = [row for row in rows if row["randomisation_number"]]
        excluded = [row for row in rows if not row["randomisation_number"]]
        assert len(rows) == len(randomised) + len(excluded)
        assert f"{len(rows)} screened = {len(excluded)} excluded + {len(randomised)} randomised" in words
        assert f"Assessed for eligibility (n = {len(rows)})" in words
        assert f"Excluded (n = {len(excluded)})" in words
        assert f"Randomised (n = {len(randomised)})" in words
        kinds = Counter(row["disposition"] for row in excluded)
        assert set(kinds) <= {"not eligible", "declined to take part", "eligible, not randomised"}
        assert sum(kinds.values()) == len(excluded)
        assert kinds["not eligible"] == sum(row["is_eligible"] == "false" for row in rows)
        shown = words[words.index("Excluded (n") : words.index(f"Randomised (n = {len(randomised)})")]
        listed = [int(number) for number in re.findall(r"\|(\d+) ", shown)]
        assert sum(listed) == len(excluded)
        if kinds["declined to take part"]:
            assert f"|{kinds['declined to take part']} declined to take part" in shown
        first = Counter(row["criteria_not_met"].split("; ")[0] for row in rows if row["is_eligible"] == "false")
        texts = {criterion.id: criterion.text for criterion in load(run.name).protocol.population.criteria}
        for criterion, count in first.most_common(3):
            assert f"|{count} on “{texts[criterion][:30]}" in shown
        dosed = {row["subject"] for row in run.table("doses") if row["was_given"] == "true"}
        for arm in load(run.name).protocol.arms:
            members = [row for row in randomised if row["arm"] == arm.id]
            ends = Counter(row["disposition"] for row in members)
            assert sum(ends.values()) == len(members)
            told = ", ".join(f"{count} {what}" for what, count in sorted(ends.items()))
            assert f"{arm.label}: {len(members)} randomised, {told}" in words
            n_dosed = sum(row["subject"] in dosed for row in members)
            assert f"Randomised (n = {len(members)})||Received at least one dose (n = {n_dosed})" in words


@pytest.mark.requirement("PRIMARY-6")
def test_every_subject_ends_once_and_nobody_is_seen_after_the_end(open_runs: tuple[Run, ...]) -> None:
    """From the tables alone: one row each, one end each, and no visit, dose or result later than that."""
    for run in open_runs:
        rows = run.table("subjects")
        assert len({row["subject"] for row in rows}) == len(rows)
        ends = {row["subject"]: row for row in rows if row["randomisation_number"]}
        vital = {row["subject"]: row for row in run.table("vital_status")}
        assert vital.keys() == ends.keys()
        for subject, row in ends.items():
            is_dead = row["disposition"] == "died"
            assert (vital[subject]["status"] == "dead") is is_dead
            assert (vital[subject]["death_day"] == row["disposition_day"]) is is_dead
            assert row["disposition"] in {"died", "completed follow-up", "withdrew consent", "lost to follow-up"}
        starts = {
            subject: datetime.fromisoformat(min(d["at"] for d in run.table("doses") if d["subject"] == subject))
            for subject in ends
        }
        for row in [*run.table("visits"), *run.table("doses")]:
            day = (datetime.fromisoformat(row["at"]) - starts[row["subject"]]).total_seconds() / 86_400.0
            assert day <= float(ends[row["subject"]]["disposition_day"]) + 1e-3
