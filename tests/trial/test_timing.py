"""Doses and visits are of the day on which they happened, and a dose is the one that was dispensed."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearsals import with_planned
from sevenfold.cli.rehearsal import StagedTrial, stage
from sevenfold.clock import hours_between, later
from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.protocol.load import load
from sevenfold.protocol.treatment import Interruption, Route
from sevenfold.record.history import read_history
from sevenfold.record.payloads import DoseGiven, DoseNotGiven, Result, VisitHeld
from sevenfold.record.reading import read_events
from sevenfold.rules.screening import InfusionSpan
from sevenfold.trial.closing import lock_database
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.icu.assumptions import shipped
from sevenfold.trial.opening import open_site, open_trial
from sevenfold.trial.signing import MEANINGS, sign_data
from sevenfold.trial.subject import Disposition
from sevenfold.trial.visiting import record_visit

AT = datetime(2016, 5, 2, 9, tzinfo=UTC)


def day(number: float) -> datetime:
    """The same hour on another study day."""
    return AT + timedelta(days=number - 1)


@pytest.fixture
def trial(tmp_path: Path) -> StagedTrial:
    """A trial with one randomised subject, FR-1's first who is eligible."""
    staged = stage(with_planned(load("iris-7"), 4), tmp_path, 1, shipped())
    staged.clock.move_to(AT + timedelta(days=365))
    open_trial(staged.conduct, AT, is_rehearsal=True)
    open_site(staged.conduct, "FR-1", AT)
    return staged


@pytest.fixture
def subject(trial: StagedTrial) -> str:
    return randomised(trial)


def randomised(trial: StagedTrial, at: datetime = AT) -> str:
    for number in range(1, 200):
        name = f"FR-1-{number:03d}"
        if name not in trial.conduct.standings and not screen_candidate(
            trial.conduct, name, "FR-1", trial.nature.candidate(name, "FR-1", at).screening
        ):
            record_consent(trial.conduct, name, "patient", at)
            randomise_subject(trial.conduct, name, at)
            return name
    raise AssertionError("no eligible candidate among 200")


def given(trial: StagedTrial, subject: str, number: int, at: datetime | None = None) -> None:
    prepared = prepare_dose(trial.conduct, subject, number, at or day(number))
    assert prepared is not None
    give_dose(trial.conduct, subject, number, *prepared, at or day(number))


@pytest.mark.parametrize(
    ("number", "at", "says"),
    [
        (25, day(1), "given on days 24 to 26, and this is day 1"),
        (4, day(8), "given on days 3 to 5, and this is day 8"),
        (1, day(-29), "before the subject was randomised"),
        (1, day(5), "given on days 1 to 2, and this is day 5"),
    ],
)
def test_a_dose_on_another_day_than_its_own_is_refused(
    trial: StagedTrial, subject: str, number: int, at: datetime, says: str
) -> None:
    n = len(trial.conduct.ledger._waiting)
    with pytest.raises(OutOfOrder, match=says):
        prepare_dose(trial.conduct, subject, number, at)
    assert len(trial.conduct.ledger._waiting) == n
    assert not trial.vault._contents


def test_a_dose_may_move_within_the_window_of_its_visit(trial: StagedTrial, subject: str) -> None:
    given(trial, subject, 1)
    given(trial, subject, 4, day(5))
    with pytest.raises(OutOfOrder, match="given on days 7 to 9"):
        prepare_dose(trial.conduct, subject, 8, day(10))


def test_kits_are_dispensed_in_order_and_given_after_that(trial: StagedTrial, subject: str) -> None:
    given(trial, subject, 4)
    with pytest.raises(OutOfOrder, match="a kit for day 4 was dispensed before it"):
        prepare_dose(trial.conduct, subject, 1, day(1))
    prepared = prepare_dose(trial.conduct, subject, 8, day(8))
    assert prepared is not None
    with pytest.raises(OutOfOrder, match="its kit was dispensed at"):
        give_dose(trial.conduct, subject, 8, *prepared, day(8) - timedelta(hours=1))


@pytest.mark.parametrize("changed", [{"volume_ml": 9.9}, {"route": Route.IV}])
def test_only_what_was_dispensed_is_given(trial: StagedTrial, subject: str, changed: dict[str, object]) -> None:
    prepared = prepare_dose(trial.conduct, subject, 1, day(1))
    assert prepared is not None
    kit, injected = prepared
    with pytest.raises(OutOfOrder, match=f"kit {kit} was dispensed as .* mL IM, not"):
        give_dose(trial.conduct, subject, 1, kit, dataclasses.replace(injected, **changed), day(1))  # type: ignore[arg-type]
    give_dose(trial.conduct, subject, 1, kit, injected, day(1))


def test_a_visit_is_of_the_day_on_which_it_happened(trial: StagedTrial, subject: str) -> None:
    results = {"platelets": Result(value=90_000.0, unit="cells/µL")}
    with pytest.raises(InvalidInput, match="planned for days 27 to 32 and cannot be recorded for day 2"):
        record_visit(trial.conduct, subject, "day 29", results, day(2))
    with pytest.raises(OutOfOrder, match="said to be of day 29, and happened on day 2"):
        trial.conduct.record(subject, VisitHeld(visit="day 29", study_day=29, results={}), "nurse", day(2))
    record_visit(trial.conduct, subject, "day 4", results, day(5))
    payloads = [event.payload for event in trial.conduct.ledger._waiting if event.type == "VisitHeld"]
    assert b'"study_day":5' in payloads[-1]


@pytest.mark.parametrize(
    "first",
    [
        lambda t, s: given(t, s, 1, AT + timedelta(days=1)),
        lambda t, s: t.conduct.record(s, DoseNotGiven(study_day=1, reason="x"), "nurse", AT + timedelta(days=1)),
    ],
    ids=["given", "not given"],
)
def test_day_1_is_the_day_of_the_first_dose_given_or_not(
    trial: StagedTrial, subject: str, first: Callable[[StagedTrial, str], None]
) -> None:
    """The record's days and the conduct's are the same days: a first dose that could not be given shifts nothing."""
    first(trial, subject)
    record_visit(trial.conduct, subject, "day 4", {}, AT + timedelta(days=4))
    given(trial, subject, 4, AT + timedelta(days=4))
    trial.conduct.ledger.commit()
    one = read_history(read_events(trial.vault.path.parent / "trial.db")).subjects[subject]
    seen = next(seen for seen in one.visits if seen.visit == "day 4")
    assert seen.study_day == 4
    assert one.day(seen.at) == pytest.approx(3.0)


def test_days_are_calendar_days_at_the_site(trial: StagedTrial) -> None:
    """Randomised at 23:30 in Limoges, dosed at 00:30: day 1 is the second day."""
    late = datetime(2016, 5, 2, 21, 30, tzinfo=UTC)
    subject = randomised(trial, late)
    given(trial, subject, 1, late + timedelta(hours=1))
    record_visit(trial.conduct, subject, "day 4", {}, datetime(2016, 5, 6, 9, tzinfo=UTC))
    assert b'"study_day":4' in next(e.payload for e in trial.conduct.ledger._waiting if e.type == "VisitHeld")


def with_rule(trial: StagedTrial, action: str) -> None:
    """Platelets below 35 000 hold or stop dosing, for everybody to see."""
    rule = Interruption.model_validate(
        {"id": "platelets", "when": {"number": "platelets", "below": "35000 cells/µL"}, "action": action}
    )
    protocol = trial.conduct.file.protocol
    dosing = protocol.dosing.model_copy(update={"interruptions": (*protocol.dosing.interruptions, rule)})
    changed = protocol.model_copy(update={"dosing": dosing})
    trial.conduct.file = dataclasses.replace(trial.conduct.file, protocol=changed)


@pytest.mark.parametrize(("action", "goes_on"), [("stop", False), ("hold", True)])
def test_an_open_rule_that_stops_dosing_stops_it_for_good_and_one_that_holds_does_not(
    trial: StagedTrial, subject: str, action: str, goes_on: bool
) -> None:
    with_rule(trial, action)
    given(trial, subject, 1)
    for number, platelets in ((4, 30_000.0), (8, 90_000.0)):
        results = {"platelets": Result(value=platelets, unit="cells/µL")}
        record_visit(trial.conduct, subject, f"day {number}", results, day(number))
        if number == 4 and goes_on:
            assert prepare_dose(trial.conduct, subject, 4, day(4)) is None
            trial.conduct.record(subject, DoseNotGiven(study_day=4, reason="held"), "nurse", day(4))
    stops = [event.payload for event in trial.conduct.ledger._waiting if event.type == "DosingStopped"]
    assert trial.conduct.standings[subject].is_dosing is goes_on
    if goes_on:
        assert not stops
        given(trial, subject, 8)
    else:
        assert stops == [b'{"reason":"rule of the protocol: platelets"}']
        with pytest.raises(OutOfOrder, match="dosing was stopped"):
            prepare_dose(trial.conduct, subject, 8, day(8))
        trial.conduct.record(subject, DoseNotGiven(study_day=8, reason="stopped"), "nurse", day(8))


def test_a_stop_that_holds_before_the_first_dose_is_recorded_when_it_is_prepared(trial: StagedTrial) -> None:
    with_rule(trial, "stop")
    subject = randomised(trial)
    trial.conduct.standings[subject].latest["platelets"] = 20_000.0
    assert prepare_dose(trial.conduct, subject, 1, day(1)) is None
    assert not trial.conduct.standings[subject].is_dosing
    assert trial.conduct.ledger._waiting[-1].type == "DosingStopped"


def test_whoever_is_not_randomised_at_the_lock_is_said_to_be_so(trial: StagedTrial, subject: str) -> None:
    name = next(
        name
        for name in (f"FR-1-{number:03d}" for number in range(100, 400))
        if not screen_candidate(trial.conduct, name, "FR-1", trial.nature.candidate(name, "FR-1", AT).screening)
    )
    record_consent(trial.conduct, name, "patient", AT)
    trial.conduct.ending(subject, AT)
    sign_data(trial.conduct, subject, "Dr Ida", MEANINGS[0], None, AT)
    lock_database(trial.conduct, AT)
    assert trial.conduct.standings[name].disposition is Disposition.NOT_RANDOMISED
    assert all(one.disposition is not Disposition.ONGOING for one in trial.conduct.standings.values())


def test_a_trial_is_gone_on_with_from_its_ledger(trial: StagedTrial, subject: str) -> None:
    """Everybody stands where they stood, masked values included."""
    given(trial, subject, 1)
    high = {"alc": Result(value=12_000.0, unit="cells/µL"), "platelets": Result(value=90_000.0, unit="cells/µL")}
    record_visit(trial.conduct, subject, "day 4", high, day(4))
    trial.conduct.commit()
    again = Conduct.resumed(trial.conduct.file, trial.conduct.ledger, trial.vault)
    assert again.standings == trial.conduct.standings
    assert again.whole == trial.conduct.whole
    assert again.followed.reviewer._latest == trial.conduct.followed.reviewer._latest
    with pytest.raises(OutOfOrder, match="day 1 was recorded already"):
        again.record(subject, DoseGiven(study_day=1, kit="1", volume_ml=0.4, route="IM"), "nurse", day(1))


def test_summer_time_moves_no_hour() -> None:
    """Paris, the night to 27 March 2016: a day later it is 15:00 on the clock, and 24 hours have passed."""
    zone = load("iris-7").protocol.sites["FR-1"][1].time_zone
    from zoneinfo import ZoneInfo

    before = datetime(2016, 3, 26, 14, tzinfo=ZoneInfo(zone))
    after = later(before, timedelta(days=1))
    assert after.isoformat() == "2016-03-27T15:00:00+02:00"
    assert hours_between(before, after) == 24.0
    assert InfusionSpan(rate=0.1, began_at=before, ended_at=after).hours == 24.0
