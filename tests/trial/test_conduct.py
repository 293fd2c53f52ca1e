"""What may happen next: steps out of order are refused by the same rule, whoever asks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearsals import with_planned
from sevenfold.cli.rehearsal import StagedTrial, stage
from sevenfold.errors import BlindBroken, InvalidDesign, OutOfOrder
from sevenfold.protocol.load import load
from sevenfold.record.payloads import (
    ConsentGiven,
    Died,
    DoseGiven,
    DosingStopped,
    Randomised,
    Reconsented,
    Result,
    VisitHeld,
    VisitMissed,
)
from sevenfold.trial.closing import lock_database, unblind_trial
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.trial.signing import MEANINGS, sign_data
from sevenfold.trial.subject import Disposition
from sevenfold.trial.visiting import record_visit

AT = datetime(2016, 5, 2, 9, tzinfo=UTC)


@pytest.fixture
def trial(tmp_path: Path) -> StagedTrial:
    """A trial for two subjects, open."""
    staged = stage(with_planned(load("iris-7"), 2), tmp_path, 1, shipped())
    staged.clock.move_to(AT + timedelta(days=365))
    open_trial(staged.conduct, AT, is_rehearsal=True)
    open_site(staged.conduct, "FR-1", AT)
    return staged


def eligible(trial: StagedTrial, skip: int = 0) -> str:
    """Screen candidates until one is eligible; answers the subject."""
    for number in range(1, 200):
        subject = f"FR-1-{number:03d}"
        if subject in trial.conduct.standings:
            continue
        known = trial.nature.candidate(subject, "FR-1", AT).screening
        if not screen_candidate(trial.conduct, subject, "FR-1", known):
            if not skip:
                return subject
            skip -= 1
    raise AssertionError("no eligible candidate among 200")


def randomised(trial: StagedTrial) -> str:
    subject = eligible(trial)
    record_consent(trial.conduct, subject, "representative", AT)
    randomise_subject(trial.conduct, subject, AT)
    return subject


def visit(name: str = "day 4") -> VisitHeld:
    return VisitHeld(visit=name, study_day=4, results={})


def test_nothing_before_screening_and_one_screening_only(trial: StagedTrial) -> None:
    with pytest.raises(OutOfOrder, match="was never screened"):
        trial.conduct.record("FR-1-001", ConsentGiven(by="patient"), "investigator", AT)
    subject = eligible(trial)
    with pytest.raises(OutOfOrder, match="was screened already"):
        screen_candidate(trial.conduct, subject, "FR-1", trial.nature.candidate(subject, "FR-1", AT).screening)


def test_no_consent_of_who_is_not_eligible(trial: StagedTrial) -> None:
    for _ in range(6):
        eligible(trial)
    outsider = next(s for s in trial.conduct.standings.values() if not s.is_eligible)
    with pytest.raises(OutOfOrder, match="not eligible"):
        record_consent(trial.conduct, outsider.subject, "patient", AT)


def test_no_randomisation_without_consent_and_no_second_one(trial: StagedTrial) -> None:
    subject = eligible(trial)
    with pytest.raises(OutOfOrder, match="there is no consent"):
        randomise_subject(trial.conduct, subject, AT)
    record_consent(trial.conduct, subject, "patient", AT)
    number = randomise_subject(trial.conduct, subject, AT)
    with pytest.raises(OutOfOrder, match=f"randomised already, as {number}"):
        randomise_subject(trial.conduct, subject, AT)
    assert trial.conduct.n_randomised == 1


def test_no_more_than_planned(trial: StagedTrial) -> None:
    for _ in range(2):
        randomised(trial)
    third = eligible(trial)
    record_consent(trial.conduct, third, "patient", AT)
    with pytest.raises(OutOfOrder, match="the planned 2 subjects have been"):
        randomise_subject(trial.conduct, third, AT)


def test_no_dose_before_randomisation_none_without_a_kit_none_twice(trial: StagedTrial) -> None:
    subject = eligible(trial)
    record_consent(trial.conduct, subject, "patient", AT)
    with pytest.raises(OutOfOrder, match="not randomised"):
        prepare_dose(trial.conduct, subject, 1, AT)
    randomise_subject(trial.conduct, subject, AT)
    given = DoseGiven(study_day=1, kit="1", volume_ml=0.4, route="IM")
    with pytest.raises(OutOfOrder, match="no kit was dispensed for day 1"):
        trial.conduct.record(subject, given, "nurse", AT)
    prepared = prepare_dose(trial.conduct, subject, 1, AT)
    assert prepared is not None
    give_dose(trial.conduct, subject, 1, *prepared, AT)
    with pytest.raises(OutOfOrder, match="day 1 was recorded already"):
        give_dose(trial.conduct, subject, 1, *prepared, AT)
    with pytest.raises(OutOfOrder, match=r"recorded already|dispensed already"):
        prepare_dose(trial.conduct, subject, 1, AT)


def test_no_dose_after_dosing_was_stopped(trial: StagedTrial) -> None:
    subject = randomised(trial)
    trial.conduct.record(subject, DosingStopped(reason="adverse event"), "investigator", AT)
    with pytest.raises(OutOfOrder, match="dosing was stopped"):
        prepare_dose(trial.conduct, subject, 1, AT)


def test_nothing_after_death(trial: StagedTrial) -> None:
    subject = randomised(trial)
    trial.conduct.record(subject, Died(cause="other"), "investigator", AT)
    assert trial.conduct.standings[subject].disposition is Disposition.DIED
    for said in (visit(), VisitMissed(visit="day 8", reason="x"), Died(cause="other"), Reconsented()):
        with pytest.raises(OutOfOrder, match=r"part is over \(died\)"):
            trial.conduct.record(subject, said, "nurse", AT)


def test_a_visit_is_recorded_once(trial: StagedTrial) -> None:
    subject = randomised(trial)
    trial.conduct.record(subject, visit(), "nurse", AT + timedelta(days=3))
    with pytest.raises(OutOfOrder, match="'day 4' was recorded already"):
        trial.conduct.record(subject, VisitMissed(visit="day 4", reason="x"), "nurse", AT)


def test_lock_wants_everybody_at_an_end_and_ends_recording(trial: StagedTrial) -> None:
    subject = randomised(trial)
    with pytest.raises(OutOfOrder, match="still in the trial"):
        lock_database(trial.conduct, AT)
    with pytest.raises(BlindBroken, match="after database lock"):
        trial.unblind()
    with pytest.raises(OutOfOrder, match="before the database is locked"):
        unblind_trial(trial.conduct, {}, {}, "", "", AT)
    trial.conduct.ending(subject, AT)
    sign_data(trial.conduct, subject, "Dr Ida", MEANINGS[0], None, AT)
    lock_database(trial.conduct, AT)
    with pytest.raises(OutOfOrder, match="the database is locked"):
        trial.conduct.record(subject, Reconsented(), "investigator", AT)


def test_a_refused_step_leaves_no_trace(trial: StagedTrial) -> None:
    subject = eligible(trial)
    count = len(trial.conduct.ledger._waiting)
    with pytest.raises(OutOfOrder):
        randomise_subject(trial.conduct, subject, AT)
    assert len(trial.conduct.ledger._waiting) == count
    assert not trial.vault._taken


def test_a_high_count_is_answered_behind_the_blind(trial: StagedTrial) -> None:
    """ALC above 2.5 x ULN: from then on placebo is in the kits, and the site sees what it would have seen anyway."""
    subject = randomised(trial)
    number = str(trial.conduct.standings[subject].number)
    trial.vault._taken[number] = "high"
    high = {"alc": Result(value=12_000.0, unit="cells/µL"), "platelets": Result(value=90_000.0, unit="cells/µL")}
    first = prepare_dose(trial.conduct, subject, 1, AT)
    assert first is not None
    assert trial.vault.contents(first[0]) == "cyt107"
    record_visit(trial.conduct, subject, "day 4", high, AT + timedelta(days=3))
    second = prepare_dose(trial.conduct, subject, 4, AT + timedelta(days=3))
    assert second is not None
    assert trial.vault.contents(second[0]) == "placebo"
    calm = {"alc": Result(value=900.0, unit="cells/µL")}
    record_visit(trial.conduct, subject, "day 8", calm, AT + timedelta(days=7))
    third = prepare_dose(trial.conduct, subject, 8, AT + timedelta(days=7))
    assert third is not None
    assert trial.vault.contents(third[0]) == "placebo", "a stop is for good"
    payloads = [e.payload for e in trial.conduct.ledger._waiting if e.subject == subject]
    assert not any(b"12000" in payload or b"withhold" in payload for payload in payloads)
    assert any(b"90000" in payload for payload in payloads), "open results stay readable"


def test_randomised_numbers_are_taken_in_order(trial: StagedTrial) -> None:
    assert [str(trial.conduct.standings[randomised(trial)].number) for _ in range(2)] == ["A-001", "A-002"]
    with pytest.raises(InvalidDesign, match="used up"):
        trial.vault.allocate("France")
    with pytest.raises(InvalidDesign, match="no stratum 'Spain'"):
        trial.vault.allocate("Spain")


def test_what_is_said_of_nobody_known_is_refused(trial: StagedTrial) -> None:
    with pytest.raises(OutOfOrder):
        trial.conduct.record("FR-1-999", Randomised(number="A-001", stratum="France"), "investigator", AT)
