"""A visit outside its window and a value outside what is plausible are recorded as they were, and asked about."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from served import SITE, Served, enrolled, serve_new

from sevenfold.clock import SimulatedClock
from sevenfold.record.data import data_of
from sevenfold.record.history import sealed_place
from sevenfold.record.payloads import SafetyReviewed, VisitHeld, read_payload
from sevenfold.record.verify import verify
from sevenfold.service.role import Role

WHO = f"{SITE}-001"
PAGE = f"/subjects/{WHO}"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial with one subject who was randomised a hundred days ago, by the record's clock."""
    one = serve_new(tmp_path / "trial")
    enrolled(one, 1)
    one.room.clock = one.room.conduct.ledger.clock = SimulatedClock(one.room.clock.now() + timedelta(days=100))
    return one


def on(served: Served, day: int) -> str:
    """A study day, as a form says it."""
    at = served.room.conduct.standings[WHO].randomised_at
    assert at is not None
    there: datetime = at.astimezone(served.room.conduct.zone(SITE)) + timedelta(days=day - 1)
    return there.strftime("%Y-%m-%dT%H:%M")


def questions(served: Served) -> list[str]:
    """What the subject's queries ask, in order."""
    return [query.said.text for query in data_of(served.room.conduct.ledger.events_of(WHO)).queries.values()]


COUNT = {"platelets": "200", "platelets unit": "10^9/L"}


def hold(served: Served, visit: str, day: int, results: dict[str, str] | None = None, status: int = 200) -> str:
    """A visit by the nurse."""
    nurse = served.as_a(Role.NURSE)
    nurse.get(f"{PAGE}/visits/{visit}")
    return nurse.post(f"{PAGE}/visits/{visit}", {"at": on(served, day), **(results or {})}, status)


def test_a_late_visit_is_recorded_with_its_day_and_asked_about_by_the_system(served: Served) -> None:
    """The site answers, whoever may close closes: it is a query like any other."""
    hold(served, "day 42", 50, COUNT)
    events = served.room.conduct.ledger.events_of(WHO)
    held = next(event for event in events if event.type == "VisitHeld")
    said = read_payload(held)
    assert isinstance(said, VisitHeld)
    assert (said.visit, said.study_day) == ("day 42", 50)
    query = data_of(events).queries[1]
    assert query.raised.actor == "system"
    assert query.said.about == held.sequence
    assert "planned for days 39 to 45 and is recorded for day 50" in query.said.text
    nurse, manager = served.as_a(Role.NURSE), served.as_a(Role.DATA_MANAGER)
    assert "recorded for day 50" in nurse.get(f"{PAGE}/data")
    nurse.post(f"{PAGE}/data/query/1/answer", {"text": "bank holiday"})
    manager.get(f"{PAGE}/data")
    assert "bank holiday" in manager.post(f"{PAGE}/data/query/1/close")
    assert verify(served.folder / "trial.db").is_whole


def test_a_visit_within_its_window_with_plausible_values_is_not_asked_about(served: Served) -> None:
    hold(served, "day 42", 44, COUNT)
    assert questions(served) == []


@pytest.mark.parametrize(
    ("visit", "day", "told"),
    [
        ("day 29", 12, "is planned for days 27 to 32 and cannot be recorded for day 12"),
        ("day 42", 55, "comes after it, on days 55 to 65"),
        ("day 60", 47, "took place on day 48"),
    ],
)
def test_a_day_that_is_another_visits_is_refused(served: Served, visit: str, day: int, told: str) -> None:
    """And with it one before an earlier visit: nothing is recorded, and nothing asked."""
    hold(served, "day 42", 48)
    n = served.room.conduct.ledger.head.count
    assert told in hold(served, visit, day, status=422)
    assert served.room.conduct.ledger.head.count == n


def test_a_value_that_hardly_can_be_is_recorded_and_asked_about_when_it_comes_and_when_it_is_corrected(
    served: Served,
) -> None:
    """90 cells/µL, where 90·10⁹/L was meant; what is impossible is refused as before."""
    hold(served, "day 42", 42, {"platelets": "90", "haemoglobin": "12"})
    assert questions(served) == [
        "Platelets: 90 cells/µL is recorded, and 2000 to 1.5e+06 cells/µL is expected. Is it right?"
    ]
    of = next(event.sequence for event in served.room.conduct.ledger.events_of(WHO) if event.type == "VisitHeld")
    nurse = served.as_a(Role.NURSE)
    nurse.get(f"{PAGE}/data")
    nurse.post(f"{PAGE}/data/correct/{of}", {"field": "results.platelets", "after": "90000", "reason": "unit"})
    assert len(questions(served)) == 1
    nurse.post(f"{PAGE}/data/correct/{of}", {"field": "results.haemoglobin", "after": "2.5", "reason": "misread"})
    assert "Haemoglobin: 2.5 g/dL is recorded" in questions(served)[1]
    nurse.post(f"{PAGE}/data/correct/{of}", {"field": "results.haemoglobin", "after": "1", "reason": "x"}, 422)


def send(served: Served, visit: str, day: int, value: str) -> None:
    """A masked count from the laboratory."""
    laboratory = served.as_a(Role.LABORATORY)
    laboratory.get("/laboratory")
    said = {"subject": WHO, "visit": visit, "at": on(served, day), "alc": value, "alc unit": "10^9/L"}
    laboratory.post("/laboratory", said)


def test_a_masked_sample_outside_the_window_is_asked_about_by_its_day_and_never_by_its_value(served: Served) -> None:
    """The day stands in clear in the record; the value, and that it is not plausible, are sealed with the review."""
    send(served, "day 42", 50, "80")
    assert questions(served) == [
        "Visit 'day 42' is planned for days 39 to 45 and is recorded for day 50. Is the day right, and why?"
    ]
    event = next(one for one in served.room.conduct.ledger.events_of(WHO) if one.type == "SafetyReviewed")
    said = read_payload(event)
    assert isinstance(said, SafetyReviewed)
    opened = served.room.vault.open(sealed_place("review", WHO, "day 42"), said.sealed)
    assert "80000 cells/µL" in opened["asked"][0]
    assert "80000 cells/µL" in served.as_a(Role.SAFETY_REVIEWER).get("/masked")
    for role in (Role.INVESTIGATOR, Role.DATA_MANAGER, Role.MONITOR):
        page = served.as_a(role).get(f"{PAGE}/data")
        assert "recorded for day 50" in page
        assert "80000" not in page


def test_a_review_is_as_long_whether_or_not_a_value_is_plausible(served: Served) -> None:
    """Else its length would tell what a masked count is."""
    send(served, "day 29", 29, "80")
    send(served, "day 42", 42, "1")
    said = [read_payload(one) for one in served.room.conduct.ledger.events_of(WHO) if one.type == "SafetyReviewed"]
    assert len({len(one.sealed) for one in said if isinstance(one, SafetyReviewed)}) == 1
    assert questions(served) == []


def test_one_day_of_a_visit_is_asked_about_once(served: Served) -> None:
    """The site's visit and the laboratory's sample of the same day are one deviation, of other days two."""
    hold(served, "day 42", 50)
    send(served, "day 42", 50, "1")
    assert len(questions(served)) == 1
    hold(served, "day 90", 99)
    send(served, "day 90", 100, "1")
    assert len(questions(served)) == 3


def test_a_dose_outside_its_window_stays_refused(served: Served) -> None:
    """It must not be given; a visit has taken place."""
    pharmacist = served.as_a(Role.PHARMACIST)
    pharmacist.get("/pharmacy")
    assert "is given on days 3 to 5" in pharmacist.post(f"/pharmacy/{WHO}/4", {}, 409)
