"""A patient who refuses, at re-consent, what a representative consented to: gone, and the data used or not at all."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearsals import with_planned
from sevenfold.cli.rehearsal import StagedTrial, stage
from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.cohort.from_record import from_record
from sevenfold.errors import OutOfOrder
from sevenfold.protocol.load import load
from sevenfold.record.flow import flow_of
from sevenfold.record.history import History, read_history
from sevenfold.record.payloads import AdverseEventReported, Reconsented, ReconsentRefused, Result
from sevenfold.record.tables import tables
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.trial.subject import Disposition
from sevenfold.trial.visiting import record_visit

AT = datetime(2016, 5, 2, 9, tzinfo=UTC)


@pytest.fixture
def trial(tmp_path: Path) -> StagedTrial:
    """A trial with two randomised subjects who have data: a representative consented for the first."""
    staged = stage(with_planned(load("iris-7"), 2), tmp_path, 1, shipped())
    conduct = staged.conduct
    staged.clock.move_to(AT + timedelta(days=365))
    open_trial(conduct, AT, is_rehearsal=True)
    open_site(conduct, "FR-1", AT)
    for number in range(1, 200):
        name = f"FR-1-{number:03d}"
        if conduct.n_randomised < 2 and not screen_candidate(
            conduct, name, "FR-1", staged.nature.candidate(name, "FR-1", AT).screening
        ):
            record_consent(conduct, name, "patient" if conduct.n_randomised else "representative", AT)
            randomise_subject(conduct, name, AT)
            results = {"platelets": Result(value=90_000.0, unit="cells/µL")}
            record_visit(conduct, name, "day 1", results, AT, with_masked=False)
            prepared = prepare_dose(conduct, name, 1, AT)
            assert prepared is not None
            give_dose(conduct, name, 1, *prepared, AT)
            record_visit(conduct, name, "day 4", results, AT + timedelta(days=3), with_masked=False)
            said = AdverseEventReported(
                number=1, term="Fever", system="General", grade=2, is_serious=False, relation="possible",
                began_at=AT.isoformat(), hours_after_dose=1.0, outcome="recovered",
            )  # fmt: skip
            conduct.record(name, said, "investigator", AT + timedelta(days=2))
    return staged


def names(trial: StagedTrial) -> list[str]:
    """Those who were randomised."""
    return [name for name, one in trial.conduct.standings.items() if one.number is not None]


def told(trial: StagedTrial, *, may_use_data: bool) -> tuple[History, Cohort]:
    """After the first has refused on day 6."""
    said = ReconsentRefused(may_use_data=may_use_data)
    trial.conduct.record(names(trial)[0], said, "investigator", AT + timedelta(days=5))
    trial.conduct.commit()
    history = read_history(trial.conduct.ledger.events())
    return history, from_record(history, trial.conduct.file.protocol)


def test_a_refusal_ends_the_part_as_a_withdrawal_whatever_is_said_of_the_data(trial: StagedTrial) -> None:
    """CONSORT counts the subject as randomised and withdrawn."""
    history, cohort = told(trial, may_use_data=False)
    first = names(trial)[0]
    assert trial.conduct.standings[first].disposition is Disposition.WITHDREW
    with pytest.raises(OutOfOrder, match="part is over"):
        record_visit(trial.conduct, first, "day 8", {}, AT + timedelta(days=7), with_masked=False)
    flow = flow_of(history, trial.conduct.file.protocol)
    assert flow.n_randomised == cohort.n_subjects == 2
    assert flow.arms[""].dispositions["withdrew consent"] == 1


def test_data_that_may_be_used_are_used_until_the_refusal(trial: StagedTrial) -> None:
    """As after any withdrawal (Regulation (EU) 536/2014, article 28(3))."""
    _, cohort = told(trial, may_use_data=True)
    day4, day8 = (cohort.visits.index(visit) for visit in ("day 4", "day 8"))
    assert cohort.values["platelets"][0, 0, day4] == 90_000.0
    assert cohort.missing["platelets"][0, 0, day8] == Missing.WITHDRAWN
    assert cohort.baseline["platelets"][0, 0] == 90_000.0
    assert [one.subject for one in cohort.adverse_events] == [0, 1]
    assert cohort.last_day[0, 0] == 5.0


def test_data_whose_use_the_patient_objects_to_are_in_no_analysis_and_no_table(trial: StagedTrial) -> None:
    """The subject stays as randomised, as one who withdrew at once; the other is untouched."""
    history, cohort = told(trial, may_use_data=False)
    first, second = names(trial)
    for name, values in cohort.values.items():
        assert not math.isfinite(cohort.baseline[name][0, 0])
        assert all(math.isnan(value) for value in values[0, 0]), name
        planned = cohort.missing[name][0, 0] != int(Missing.NOT_PLANNED)
        assert set(cohort.missing[name][0, 0][planned]) <= {int(Missing.WITHDRAWN)}, name
    assert math.isnan(cohort.subjects[0].age_year)
    assert cohort.subjects[0].sex == ""
    assert [one.subject for one in cohort.adverse_events] == [1]
    assert list(cohort.n_doses[0]) == [0, 1]
    assert cohort.baseline["platelets"][0, 1] == 90_000.0
    made = tables(history, trial.conduct.file.protocol)
    for name, rows in made.items():
        if name not in ("subjects", "vital_status"):
            assert {row["subject"] for row in rows} <= {second}, name
    row = next(row for row in made["subjects"] if row["subject"] == first)
    assert (row["disposition"], row["age_year"], row["sex"], row["weight_kg"]) == ("withdrew consent", None, None, None)
    assert row["randomisation_number"]


def test_only_a_representatives_consent_is_refused_so_and_only_until_it_was_confirmed(trial: StagedTrial) -> None:
    """Whoever consented withdraws."""
    first, second = names(trial)
    refused = ReconsentRefused(may_use_data=True)
    with pytest.raises(OutOfOrder, match="no representative's consent"):
        trial.conduct.record(second, refused, "investigator", AT + timedelta(days=5))
    trial.conduct.record(first, Reconsented(), "investigator", AT + timedelta(days=5))
    with pytest.raises(OutOfOrder, match="no representative's consent"):
        trial.conduct.record(first, refused, "investigator", AT + timedelta(days=6))
