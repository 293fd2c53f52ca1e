"""A visit outside its window counts as the visit it was recorded under; a baseline after the first dose is none."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearsals import with_planned
from sevenfold.cli.rehearsal import StagedTrial, stage
from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.cohort.from_record import from_record
from sevenfold.protocol.load import load
from sevenfold.record.history import read_history
from sevenfold.record.payloads import Result
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.trial.visiting import record_visit

AT = datetime(2016, 5, 2, 9, tzinfo=UTC)


@pytest.fixture
def trial(tmp_path: Path) -> StagedTrial:
    """A trial with one randomised subject."""
    staged = stage(with_planned(load("iris-7"), 1), tmp_path, 1, shipped())
    staged.clock.move_to(AT + timedelta(days=365))
    open_trial(staged.conduct, AT, is_rehearsal=True)
    open_site(staged.conduct, "FR-1", AT)
    names = (f"FR-1-{number:03d}" for number in range(1, 200))
    subject = next(
        name
        for name in names
        if not screen_candidate(staged.conduct, name, "FR-1", staged.nature.candidate(name, "FR-1", AT).screening)
    )
    record_consent(staged.conduct, subject, "patient", AT)
    randomise_subject(staged.conduct, subject, AT)
    return staged


def seen(trial: StagedTrial, visit: str, day: int, platelets: float) -> None:
    """A visit with a count of platelets."""
    (subject,) = (name for name, one in trial.conduct.standings.items() if one.number is not None)
    results = {"platelets": Result(value=platelets, unit="cells/µL")}
    record_visit(trial.conduct, subject, visit, results, AT + timedelta(days=day - 1), with_masked=False)


def dosed(trial: StagedTrial) -> None:
    """The first dose, on day 1."""
    (subject,) = (name for name, one in trial.conduct.standings.items() if one.number is not None)
    prepared = prepare_dose(trial.conduct, subject, 1, AT)
    assert prepared is not None
    give_dose(trial.conduct, subject, 1, *prepared, AT)


def cohort(trial: StagedTrial) -> Cohort:
    """What is analysed."""
    trial.conduct.commit()
    return from_record(read_history(trial.conduct.ledger.events()), trial.conduct.file.protocol)


def test_a_late_visit_counts_as_its_own_on_the_day_on_which_it_took_place(trial: StagedTrial) -> None:
    dosed(trial)
    seen(trial, "day 42", 50, 123_000.0)
    found = cohort(trial)
    place = (0, 0, found.visits.index("day 42"))
    assert found.values["platelets"][place] == 123_000.0
    assert found.missing["platelets"][place] == Missing.PRESENT
    assert found.measured_day[place] == 49.0


@pytest.mark.parametrize(("is_dosed", "day"), [(True, 1), (True, 2), (False, 2)])
def test_a_baseline_visit_after_the_first_dose_was_given_is_no_baseline(
    trial: StagedTrial, is_dosed: bool, day: int
) -> None:
    """Of whom no dose was given, and on the planned day, it is one."""
    if is_dosed:
        dosed(trial)
    seen(trial, "day 1", day, 123_000.0)
    found = cohort(trial)
    assert found.values["platelets"][0, 0, found.visits.index("day 1")] == 123_000.0
    baseline = found.baseline["platelets"][0, 0]
    assert math.isnan(baseline) if is_dosed and day > 1 else baseline == 123_000.0
