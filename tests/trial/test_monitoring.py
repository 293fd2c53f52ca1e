"""Monitoring rules are held against every event, and what they find lands in the queue of the role that must act."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearsals import rehearsed, with_planned
from sevenfold.cli.rehearsal import StagedTrial, stage
from sevenfold.protocol.load import load
from sevenfold.protocol.plan import MonitoringRule
from sevenfold.protocol.protocol import Protocol
from sevenfold.record.history import read_history
from sevenfold.record.monitoring import monitoring_counts
from sevenfold.record.payloads import AdverseEventReported, Result
from sevenfold.record.reading import read_events
from sevenfold.record.tables import tables
from sevenfold.rules.monitoring import raised_by_event, raised_by_results
from sevenfold.trial.closing import lock_database
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.trial.signing import MEANINGS, sign_data
from sevenfold.trial.visiting import record_visit

AT = datetime(2019, 7, 2, 9, tzinfo=UTC)


@pytest.fixture
def trial(tmp_path: Path) -> tuple[StagedTrial, str]:
    """IRIS-7C with one randomised subject."""
    staged = stage(with_planned(load("iris-7c"), 4), tmp_path, 1, shipped())
    staged.clock.move_to(AT + timedelta(days=365))
    conduct = staged.conduct
    open_trial(conduct, AT, is_rehearsal=True)
    open_site(conduct, "FR-1", AT)
    for number in range(1, 200):
        name = f"FR-1-{number:03d}"
        if not screen_candidate(conduct, name, "FR-1", staged.nature.candidate(name, "FR-1", AT).screening):
            record_consent(conduct, name, "patient", AT)
            randomise_subject(conduct, name, AT)
            return staged, name
    raise AssertionError("no eligible candidate among 200")


def event(term: str, grade: int, hours: float | None) -> AdverseEventReported:
    return AdverseEventReported(
        number=1, term=term, system="Lungs", grade=grade, is_serious=True, relation="probable",
        began_at="2019-07-02T15:00+02:00", hours_after_dose=hours, outcome="recovered",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("term", "grade", "hours", "rules"),
    [
        ("Respiratory distress", 2, 6.0, {"reaction after the dose"}),
        ("Respiratory distress", 2, 8.0, {"reaction after the dose"}),
        ("Respiratory distress", 2, 8.5, set()),
        ("Respiratory distress", 2, None, set()),
        ("Respiratory distress", 4, 6.0, {"reaction after the dose", "severe event"}),
        ("Cardiac arrest", 4, None, {"severe event"}),
        ("Fever", 3, 6.0, set()),
    ],
)
def test_iris_7c_s_rules_find_what_they_look_for(
    trial: tuple[StagedTrial, str], term: str, grade: int, hours: float | None, rules: set[str]
) -> None:
    staged, subject = trial
    staged.conduct.record(subject, event(term, grade, hours), "investigator", AT + timedelta(hours=6))
    raised = [json.loads(e.payload) for e in staged.conduct.ledger._waiting if e.type == "MonitoringRaised"]
    assert {one["rule"] for one in raised} == rules
    assert {one["to"] for one in raised} <= {"medical monitor"}
    protocol = staged.conduct.file.protocol
    assert {one.rule.id for one in raised_by_event(protocol, term, grade, hours)} == rules


def with_rule(protocol: Protocol, **words: object) -> Protocol:
    rule = MonitoringRule.model_validate({"id": "own", "to": "medical monitor", "action": "look", **words})
    return protocol.model_copy(update={"monitoring": (rule,)})


def test_a_rule_about_values_is_raised_by_each_new_value_and_by_no_other() -> None:
    protocol = with_rule(load("iris-7").protocol, when={"number": "platelets", "below": "35000 cells/µL"})
    latest = {"platelets": 30_000.0, "inr": 1.1}
    (found,) = raised_by_results(protocol, {"platelets": 30_000.0}, latest, masked=False)
    assert (found.rule.id, found.because) == ("own", "Platelets 30,000 cells/µL")
    assert not raised_by_results(protocol, {"inr": 1.1}, latest, masked=False)
    assert not raised_by_results(protocol, {"platelets": 90_000.0}, {"platelets": 90_000.0}, masked=False)
    assert not raised_by_results(protocol, {"platelets": 30_000.0}, latest, masked=True)


def test_what_a_masked_rule_finds_is_sealed_until_unblinding(trial: tuple[StagedTrial, str]) -> None:
    """The same events, of the same length, whether the count is high or not; afterwards it stands in the table."""
    staged, subject = trial
    high = {"alc": Result(value=12_000.0, unit="cells/µL"), "platelets": Result(value=90_000.0, unit="cells/µL")}
    record_visit(staged.conduct, subject, "day 4", high, AT + timedelta(days=3))
    assert not any(e.type == "MonitoringRaised" for e in staged.conduct.ledger._waiting)
    staged.conduct.commit()
    path = staged.vault.path.parent / "trial.db"
    protocol = staged.conduct.file.protocol
    blind = read_history(read_events(path))
    assert monitoring_counts(blind, protocol)["lymphocytes above 2.5 x ULN"] is None
    assert tables(blind, protocol)["monitoring"] == []
    staged.conduct.ending(subject, AT + timedelta(days=100))
    sign_data(staged.conduct, subject, "Dr Ida", MEANINGS[0], None, AT + timedelta(days=100))
    lock_database(staged.conduct, AT + timedelta(days=100))
    staged.unblind()
    staged.conduct.commit()
    shown = read_history(read_events(path))
    assert monitoring_counts(shown, protocol)["lymphocytes above 2.5 x ULN"] == 1
    (row,) = tables(shown, protocol)["monitoring"]
    assert (row["to"], row["was_sealed"], row["day"]) == ("safety reviewer", True, pytest.approx(3.0))


@pytest.mark.slow
def test_in_a_rehearsal_of_iris_7c_respiratory_distress_is_raised_and_nothing_names_an_arm(tmp_path: Path) -> None:
    """Every distress within 8 h of a dose, each once; three of fifteen had one in print."""
    trial = rehearsed(with_planned(load("iris-7c"), 60), tmp_path, seed=2)
    rows = tables(trial.history, trial.file.protocol)
    raised = [row["subject"] for row in rows["monitoring"] if row["rule"] == "reaction after the dose"]
    distress = [row["subject"] for row in rows["adverse_events"] if row["term"] == "Respiratory distress"]
    assert raised == distress
    assert len(raised) > 2
    payloads = [e.payload for e in read_events(tmp_path / "trial.db") if e.type == "MonitoringRaised"]
    assert not any(word in payload for payload in payloads for word in (b"cyt107", b"placebo"))
