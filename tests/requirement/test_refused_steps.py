"""Steps that must be refused in a sentence and leave no trace, and what a hold, a stop or Ctrl-C leave behind."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from math import nan
from pathlib import Path

import pytest

import sevenfold
from requirement.scripted import AT, Desk, screening
from sevenfold.cli import main
from sevenfold.errors import OutOfOrder, SevenfoldError
from sevenfold.protocol.treatment import Action
from sevenfold.record.head import LedgerState
from sevenfold.record.payloads import (
    ConsentWithdrawn,
    DatabaseLocked,
    DoseNotGiven,
    LeftHospital,
    MaskedResults,
    Payload,
    Unblinded,
)
from sevenfold.record.reading import read_events, read_head
from sevenfold.sealing import derived_key, open_sealed, seal
from sevenfold.trial.closing import lock_database, unblind_trial
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.enrolling import randomise_subject, screen_candidate
from sevenfold.trial.opening import open_site, open_trial


@pytest.mark.requirement("ALLOC-18")
def test_a_refused_second_screening_moves_nobody_to_another_stratum(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.consented("FR-1-001")
    with pytest.raises(OutOfOrder):
        screen_candidate(trial.conduct, "FR-1-001", "US-1", screening(AT))
    randomise_subject(trial.conduct, "FR-1-001", AT)
    trial.conduct.ledger.commit()
    event = read_events(trial.ledger)[-1]
    assert event.site == "FR-1"
    assert json.loads(event.payload)["stratum"] == "France"


@pytest.mark.requirement("PRIMARY-7")
def test_a_visit_far_outside_its_window_does_not_count_as_that_visit(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.randomised()
    trial.dosed("FR-1-001", 1)
    with pytest.raises(SevenfoldError):
        trial.seen("FR-1-001", "day 29", 12, alc=5000.0)


@pytest.mark.requirement("BLIND-12")
def test_a_masked_hold_stays_until_a_new_count_lifts_it(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk(27)
    protocol = trial.file.protocol
    (rule,) = protocol.dosing.interruptions
    dosing = protocol.dosing.model_copy(update={"interruptions": (rule.model_copy(update={"action": Action.HOLD}),)})
    trial.conduct.file = dataclasses.replace(trial.file, protocol=protocol.model_copy(update={"dosing": dosing}))
    for k in range(1, 28):
        subject = trial.randomised(f"FR-1-{k:03d}")
        number = str(trial.conduct.standings[subject].number)
        if trial.vault.reveal(is_locked=True).assignments[number] == "high":
            break
    trial.seen(subject, "day 4", 4, alc=12_000.0)
    assert trial.vault.contents(trial.dosed(subject, 4)) == "placebo"
    trial.seen(subject, "day 8", 8, il7=1.0, platelets=90_000.0)  # the count was not measured
    assert trial.vault.contents(trial.dosed(subject, 8)) == "placebo"


@pytest.mark.requirement("ALLOC-19")
def test_consent_withdrawn_before_randomisation_keeps_the_subject_out(
    open_desk: Callable[..., Desk],
) -> None:
    trial = open_desk()
    trial.consented()
    trial.conduct.record("FR-1-001", ConsentWithdrawn(), "investigator", AT)
    with pytest.raises(OutOfOrder):
        randomise_subject(trial.conduct, "FR-1-001", AT)


@pytest.mark.requirement("AUDIT-16")
@pytest.mark.parametrize(
    "step",
    [
        lambda t: screen_candidate(t.conduct, "FR-1-009", "FR-1", screening(AT)),
        lambda t: open_site(t.conduct, "FR-2", AT),
        lambda t: open_trial(t.conduct, AT, is_rehearsal=True),
        lambda t: lock_database(t.conduct, AT),
    ],
    ids=["screening", "another site", "another opening", "another lock"],
)
def test_after_the_lock_nothing_but_the_unblinding_is_recorded(
    open_desk: Callable[..., Desk], step: Callable[[Desk], object]
) -> None:
    trial = open_desk()
    trial.randomised()
    trial.locked()
    with pytest.raises(OutOfOrder):
        step(trial)


@pytest.mark.requirement("AUDIT-16")
def test_a_trial_is_unblinded_once(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.randomised()
    trial.locked()
    shown = trial.vault.reveal(is_locked=True)
    said = (shown.assignments, shown.allocation_list, shown.nonce, shown.results_key, AT)
    unblind_trial(trial.conduct, *said)
    with pytest.raises(OutOfOrder):
        unblind_trial(trial.conduct, *said)


@pytest.mark.requirement("AUDIT-18")
@pytest.mark.parametrize(
    "said",
    [
        Unblinded(assignments={"FR-1-001": "high"}, allocation_list={}, commitment_nonce="", results_key=""),
        DatabaseLocked(n_subjects=1),
    ],
    ids=["unblinding", "lock"],
)
def test_an_event_of_the_trial_is_not_recorded_of_a_subject(open_desk: Callable[..., Desk], said: Payload) -> None:
    trial = open_desk()
    trial.randomised()
    with pytest.raises(OutOfOrder):
        trial.conduct.record("FR-1-001", said, "nurse", AT)


@pytest.mark.requirement("AUDIT-19")
def test_nobody_is_screened_before_trial_and_site_are_open(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    with pytest.raises(OutOfOrder):
        screen_candidate(trial.conduct, "FR-2-001", "FR-2", screening(AT))


@pytest.mark.requirement("AUDIT-19")
def test_a_trial_and_a_site_open_once(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    with pytest.raises(OutOfOrder):
        open_site(trial.conduct, "FR-1", AT)
    with pytest.raises(OutOfOrder):
        open_trial(trial.conduct, AT, is_rehearsal=True)


@pytest.mark.requirement("ALLOC-17")
def test_a_randomisation_refused_after_the_lock_takes_no_place(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.randomised("FR-1-001")
    trial.consented("FR-1-002")
    trial.locked()
    with pytest.raises(OutOfOrder):
        randomise_subject(trial.conduct, "FR-1-002", AT)
    assert set(trial.vault.reveal(is_locked=True).assignments) == {"A-001"}


@pytest.mark.requirement("AUDIT-20")
def test_only_the_kit_that_was_dispensed_is_given(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.randomised()
    prepared = prepare_dose(trial.conduct, "FR-1-001", 1, AT)
    assert prepared is not None
    with pytest.raises(OutOfOrder):
        give_dose(trial.conduct, "FR-1-001", 1, "1234566", prepared[1], AT)


@pytest.mark.requirement("AUDIT-20")
def test_a_dose_that_was_given_is_not_recorded_as_not_given(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.randomised()
    trial.dosed("FR-1-001", 1)
    with pytest.raises(OutOfOrder):
        trial.conduct.record("FR-1-001", DoseNotGiven(study_day=1, reason="x"), "nurse", AT)


@pytest.mark.requirement("AUDIT-20")
@pytest.mark.parametrize(
    "said",
    [LeftHospital(), MaskedResults(visit="day 4", study_day=4, sealed=""), DoseNotGiven(study_day=4, reason="x")],
    ids=lambda said: type(said).__name__,
)
def test_what_happens_once_is_recorded_once(open_desk: Callable[..., Desk], said: Payload) -> None:
    trial = open_desk()
    trial.randomised()
    trial.conduct.record("FR-1-001", said, "nurse", AT)
    with pytest.raises(OutOfOrder):
        trial.conduct.record("FR-1-001", said, "nurse", AT)


@pytest.mark.requirement("AUDIT-21")
def test_a_visit_with_a_value_that_cannot_be_recorded_leaves_no_trace(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.randomised()
    before = trial.conduct.ledger.commit().count
    with pytest.raises(SevenfoldError):
        trial.seen("FR-1-001", "day 4", 4, alc=nan, platelets=90_000.0)
    assert trial.conduct.ledger.commit().count == before


@pytest.mark.requirement("AUDIT-13")
@pytest.mark.parametrize("waits_for", ["vault.db", "trial.db"])
def test_ctrl_c_at_the_very_beginning_leaves_a_ledger_that_says_interrupted(tmp_path: Path, waits_for: str) -> None:
    source = str(Path(sevenfold.__file__).parents[1])
    out = tmp_path / "out"
    going = subprocess.Popen(
        [sys.executable, "-m", "sevenfold", "run", "iris-7", "--quiet", "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    while going.poll() is None and not (out / "unfinished" / waits_for).exists():
        time.sleep(0.002)
    going.send_signal(signal.SIGINT)
    going.communicate(timeout=100)
    assert going.returncode == 2
    assert main(["verify", str(out / "trial.db")]) == 0
    assert json.loads((out / "run.json").read_text())["state"] == "interrupted"
    assert read_head(out / "trial.db").state is LedgerState.INTERRUPTED


@pytest.mark.requirement("BLIND-5")
@pytest.mark.parametrize(
    "altered",
    [
        lambda s: s[:9] + "\n" + s[9:],
        lambda s: "*" + s,
        lambda s: s + "and more",
        lambda s: s[:-2] + chr(ord(s[-2]) + 1) + "=",
    ],
)
def test_a_sealed_text_with_any_character_changed_does_not_open(altered: Callable[[str], str]) -> None:
    key = derived_key(bytes(32), "test")
    sealed = seal(key, "place", {"alc": 700})
    with pytest.raises(SevenfoldError):
        open_sealed(key, "place", altered(sealed))


@pytest.mark.requirement("BLIND-13")
def test_a_masked_result_that_was_not_planned_at_a_visit_is_sealed_and_not_lost(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.randomised()
    trial.seen("FR-1-001", "day 60", 60, alc=700.0, il7=3.25)
    trial.conduct.ledger.commit()
    event = next(event for event in read_events(trial.ledger) if event.type == "MaskedResults")
    opened = trial.vault.open("results FR-1-001 day 60", json.loads(event.payload)["sealed"])
    assert opened.keys() == {"alc", "il7"}


@pytest.mark.requirement("AUDIT-22")
@pytest.mark.parametrize(
    "step",
    [
        lambda t: prepare_dose(t.conduct, "FR-1-001", 2, AT),
        lambda t: t.seen("FR-1-001", "day 5", 5, alc=700.0),
        lambda t: randomise_subject(t.conduct, "FR-1-999", AT),
        lambda t: screen_candidate(t.conduct, "XX-1-001", "XX-1", screening(AT)),
        lambda t: t.vault.contents("0000000"),
        lambda t: t.vault.dispense("A-004", 1),
    ],
    ids=[
        "dose on a day without one",
        "visit that is not planned",
        "subject unknown",
        "site unknown",
        "kit unknown",
        "place not taken",
    ],
)
def test_what_the_protocol_does_not_know_is_refused_in_a_sentence(
    open_desk: Callable[..., Desk], step: Callable[[Desk], object]
) -> None:
    trial = open_desk()
    trial.randomised()
    with pytest.raises(SevenfoldError):
        step(trial)


@pytest.mark.requirement("AUDIT-9")
def test_nothing_happens_after_it_was_recorded(open_desk: Callable[..., Desk]) -> None:
    trial = open_desk()
    trial.randomised()
    with pytest.raises(SevenfoldError):
        trial.conduct.record("FR-1-001", LeftHospital(), "nurse", AT + timedelta(days=400))
