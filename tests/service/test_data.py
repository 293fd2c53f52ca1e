"""Corrections, queries, verification, signatures and locks through the pages."""

from pathlib import Path

import pytest
from served import Served, consenting, serve_again, serve_new

from sevenfold.record.payloads import VisitHeld
from sevenfold.record.verify import verify
from sevenfold.service.role import Role

WHO = "/subjects/FR-1-001"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial with one consenting subject whose first visit is recorded."""
    one = serve_new(tmp_path / "trial")
    consenting(one, 1)
    nurse = one.as_a(Role.NURSE)
    nurse.get(f"{WHO}/visits/day 1")
    nurse.post(f"{WHO}/visits/day 1", {"at": one.here(), "platelets": "120", "platelets unit": "10^9/L", "inr": "1.2"})
    return one


def visit_of(served: Served) -> int:
    """The number of the event that holds the visit."""
    events = served.room.conduct.ledger.events_of("FR-1-001")
    return next(event.sequence for event in events if event.type == "VisitHeld")


def test_a_correction_leaves_the_old_value_in_the_record_and_the_new_one_in_force(served: Served) -> None:
    """21 CFR 11.10(e): record changes do not obscure what was recorded before."""
    of = visit_of(served)
    nurse = served.as_a(Role.NURSE)
    assert "(120 10^9/L)" in nurse.get(f"{WHO}/data")
    said = {"field": "results.platelets", "after": "30000", "reason": "misread"}
    assert "misread" in nurse.post(f"{WHO}/data/correct/{of}", said)
    events = served.room.conduct.ledger.events_of("FR-1-001")
    held = VisitHeld.model_validate_json(next(e for e in events if e.sequence == of).payload)
    assert held.results["platelets"].value == 120_000.0
    assert served.room.conduct.standings["FR-1-001"].latest["platelets"] == 30_000.0
    assert "30000" in served.as_a(Role.INVESTIGATOR).get(WHO)
    assert verify(served.folder / "trial.db").is_whole


def test_a_correction_back_and_forth_ends_at_the_last_value(served: Served) -> None:
    """The same correction twice, with its opposite between, is three corrections."""
    of, nurse = visit_of(served), served.as_a(Role.NURSE)
    nurse.get(f"{WHO}/data")
    for value in ("30000", "120000", "30000"):
        nurse.post(f"{WHO}/data/correct/{of}", {"field": "results.platelets", "after": value, "reason": "again"})
    assert served.room.conduct.standings["FR-1-001"].latest["platelets"] == 30_000.0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"field": "visit", "after": "day 4", "reason": "x"}, "is not corrected"),
        ({"field": "results.platelets", "after": "120000000", "reason": "x"}, "cannot be"),
        ({"field": "results.platelets", "after": "false", "reason": "x"}, "is not a number"),
        ({"field": "results.platelets", "after": "30000", "reason": ""}, "Reason"),
        ({"field": "results.no_such", "after": "3", "reason": "x"}, "not recorded with this visit"),
    ],
)
def test_what_cannot_be_corrected_is_refused_with_what_would_be_right(
    served: Served, said: dict[str, str], told: str
) -> None:
    """Nothing is recorded of it."""
    of, nurse = visit_of(served), served.as_a(Role.NURSE)
    nurse.get(f"{WHO}/data")
    n = served.room.conduct.ledger.head.count
    assert told in nurse.post(f"{WHO}/data/correct/{of}", said, 422)
    assert served.room.conduct.ledger.head.count == n


def test_a_query_is_asked_answered_and_closed_in_this_order(served: Served) -> None:
    """The site answers, whoever asked closes."""
    manager, nurse = served.as_a(Role.DATA_MANAGER), served.as_a(Role.NURSE)
    manager.get(f"{WHO}/data")
    manager.post(f"{WHO}/data/query", {"about": str(visit_of(served)), "text": "Is INR 1.2?"})
    manager.post(f"{WHO}/data/query/1/close", {}, 409)
    nurse.get(f"{WHO}/data")
    nurse.post(f"{WHO}/data/query/1/close", {}, 403)
    assert "Yes, checked" in nurse.post(f"{WHO}/data/query/1/answer", {"text": "Yes, checked"})
    manager.post(f"{WHO}/data/query/1/close")
    assert served.room.conduct.standings["FR-1-001"].n_open_queries == 0


def test_a_verification_falls_when_the_entry_is_corrected(served: Served) -> None:
    """What was verified is what it said then."""
    monitor, nurse, of = served.as_a(Role.MONITOR), served.as_a(Role.NURSE), visit_of(served)
    monitor.get(f"{WHO}/data")
    assert "<td>verified</td>" in monitor.post(f"{WHO}/data/verify/{of}")
    nurse.get(f"{WHO}/data")
    nurse.post(f"{WHO}/data/correct/{of}", {"field": "results.inr", "after": "1.3", "reason": "misread"})
    assert "<td>verified</td>" not in monitor.get(f"{WHO}/data")


def test_a_signature_needs_the_second_factor_and_is_void_once_the_data_change(served: Served) -> None:
    """21 CFR 11.70: a signature is linked to its record so that it can't be moved to another."""
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get(f"{WHO}/data")
    said = {"visit": "day 1", "meaning": "I have reviewed these data and they are true"}
    investigator.post(f"{WHO}/data/sign", {**said, "password": "x", "code": "000000"}, 422)
    served.room.is_demo = True  # nobody has a password there: what follows is about what is signed
    assert "holds" in investigator.post(f"{WHO}/data/sign", said)
    nurse = served.as_a(Role.NURSE)
    nurse.get(f"{WHO}/data")
    nurse.post(f"{WHO}/data/correct/{visit_of(served)}", {"field": "results.inr", "after": "1.3", "reason": "misread"})
    assert "void" in investigator.get(f"{WHO}/data")


def test_what_is_locked_is_not_corrected_until_it_is_opened_again(served: Served) -> None:
    """Locks are by visit and by subject; opening needs a reason."""
    manager, nurse, of = served.as_a(Role.DATA_MANAGER), served.as_a(Role.NURSE), visit_of(served)
    manager.get(f"{WHO}/data")
    nurse.get(f"{WHO}/data")
    said = {"field": "results.inr", "after": "1.3", "reason": "misread"}
    for visit in ("day 1", ""):
        manager.post(f"{WHO}/data/lock", {"visit": visit})
        nurse.post(f"{WHO}/data/correct/{of}", said, 409)
        manager.post(f"{WHO}/data/lock", {"visit": visit, "unlock": "yes", "reason": ""}, 422)
        manager.post(f"{WHO}/data/lock", {"visit": visit, "unlock": "yes", "reason": "a query came"})
    nurse.post(f"{WHO}/data/correct/{of}", said)


def test_a_trial_reopened_stands_where_it_stood(served: Served) -> None:
    """Corrections, locks and queries are folded from the ledger alone."""
    nurse = served.as_a(Role.NURSE)
    nurse.get(f"{WHO}/data")
    said = {"field": "results.platelets", "after": "30000", "reason": "misread"}
    nurse.post(f"{WHO}/data/correct/{visit_of(served)}", said)
    again = serve_again(served).room
    assert again.conduct.standings == served.room.conduct.standings
