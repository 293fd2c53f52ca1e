"""A site's lock: every subject of the site at once, after signatures and queries, opened again with a reason."""

from pathlib import Path

import pytest
from served import SITE, Served, ended, enrolled, serve_again, serve_new, signed

from sevenfold.errors import OutOfOrder
from sevenfold.record.history import read_history
from sevenfold.record.payloads import DataLocked, EmergencyUnblinded, VisitMissed, read_payload
from sevenfold.service.role import Role
from sevenfold.trial.closing import lock_database

WHY = "the site was closed and its investigator has died"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """Two randomised subjects of the first French site whose parts are over."""
    served = serve_new(tmp_path / "trial")
    ended(served, 2)
    return served


def lock(served: Served, status: int = 200, /, **said: str) -> str:
    """Press the button."""
    manager = served.as_a(Role.DATA_MANAGER)
    manager.get("/progress")
    return manager.post(f"/sites/{SITE}/lock", said, status)


def test_a_site_is_locked_once_its_subjects_are_signed_and_nothing_is_added_there(served: Served) -> None:
    """One event; no visit, correction, query or candidate of the site after it, in a server started anew neither."""
    assert "no investigator" in lock(served, 409)
    signed(served, "FR-1-001", "FR-1-002")
    assert ">locked<" in lock(served)
    (event,) = served.room.conduct.ledger.of_type("DataLocked")
    assert (event.subject, event.site) == (None, SITE)
    assert read_payload(event) == DataLocked(scope="site", name=SITE)
    again = serve_again(served)
    assert "locked already" in lock(again, 409)
    now = again.room.clock.now()
    with pytest.raises(OutOfOrder, match=f"the data of site {SITE} are locked"), again.room.step(None) as conduct:
        conduct.record("FR-1-001", VisitMissed(visit="day 8", reason="moved"), "nurse", now)
    with pytest.raises(AssertionError, match=f"the data of site {SITE} are locked"):
        enrolled(again, 1)
    with again.room.step(None) as conduct:  # an emergency is never barred
        conduct.record("FR-1-001", EmergencyUnblinded(asked_by="surgeon", reason="bleeding"), "investigator", now)
    assert read_history(again.room.conduct.ledger.events()).subjects["FR-1-001"].number is not None


def test_a_site_is_opened_again_with_a_reason(served: Served) -> None:
    """And locked once more; without a reason nothing happens."""
    signed(served, "FR-1-001", "FR-1-002")
    lock(served)
    lock(served, 422, unlock="yes", reason=" ")
    lock(served, unlock="yes", reason="a value was misread")
    assert served.room.conduct.whole.locked_sites == {}
    assert "is not locked" in lock(served, 409, unlock="yes", reason="again")
    lock(served)


def test_where_nobody_can_sign_the_site_s_reason_serves_the_database_s_lock(served: Served) -> None:
    """It is given once."""
    lock(served, 200, **{f"unsigned {SITE}": WHY})
    assert served.room.conduct.whole.locked_sites == {SITE: WHY}
    with served.room.step(None) as conduct:
        lock_database(conduct, served.room.clock.now())
    assert served.room.conduct.whole.unsigned == {"FR-1-001": WHY, "FR-1-002": WHY}


def test_a_site_with_somebody_still_in_the_trial_or_a_query_open_is_not_locked(served: Served) -> None:
    """Nor one that is not open or not of the protocol; another site's lock bars nobody here."""
    signed(served, "FR-1-001", "FR-1-002")
    manager = served.as_a(Role.DATA_MANAGER)
    manager.get("/subjects/FR-1-001/data")
    manager.post("/subjects/FR-1-001/data/query", {"text": "which day?"})
    assert "1 queries are open" in lock(served, 409)
    (name,) = enrolled(served, 1)
    assert f"{name} and 0 more are still in the trial" in lock(served, 409)
    for site in ("US-1", "nowhere"):
        manager.get("/progress")
        assert f"site {site} is not open" in manager.post(f"/sites/{site}/lock", status=409)
