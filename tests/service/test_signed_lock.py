"""A lock waits for the investigators' signatures, or for a reason why none can be had: of database and subject."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from served import SITE, Served, Visitor, ended, enrolled, serve_again, serve_new, signed

from rehearsals import Rehearsed
from sevenfold.errors import OutOfOrder
from sevenfold.record.data import data_of, is_signed
from sevenfold.record.history import read_history
from sevenfold.record.payloads import (
    DatabaseLocked,
    DataLocked,
    EmergencyUnblinded,
    LostToFollowUp,
    NoticeSeen,
    Signed,
    VisitMissed,
    read_payload,
)
from sevenfold.record.reading import read_events
from sevenfold.service.role import RIGHTS, Right, Role
from sevenfold.trial.closing import lock_database
from sevenfold.trial.dosing import prepare_dose
from sevenfold.trial.rehearse import _SIGNED_AFTER
from sevenfold.trial.signing import sign_data
from sevenfold.trial.subject import folded
from sevenfold.trial.supplying import return_kit

ONE, TWO = "FR-1-001", "FR-1-002"
WHY = "the site was closed and its investigator has died"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial with two randomised subjects whose parts are over; nobody has a password in it."""
    served = serve_new(tmp_path / "trial")
    ended(served, 2)
    return served


def locking(served: Served) -> Visitor:
    """The data manager, before the lock."""
    manager = served.as_a(Role.DATA_MANAGER)
    manager.get("/report")
    return manager


def corrected(served: Served, name: str) -> None:
    """Something is put right that was signed."""
    room = served.room
    of = next(event.sequence for event in room.conduct.ledger.events_of(name) if event.type == "VisitMissed")
    nurse = served.as_a(Role.NURSE)
    nurse.get(f"/subjects/{name}/data")
    nurse.post(f"/subjects/{name}/data/correct/{of}", {"field": "reason", "after": "moved away", "reason": "typing"})


def test_the_database_is_locked_only_once_investigators_have_signed(served: Served) -> None:
    """ICH E6(R3) 3.16.1(p): whoever is missing is named, on the page with a link, and one signature is not enough."""
    manager, investigator = locking(served), served.as_a(Role.INVESTIGATOR)
    told = manager.post("/lock", status=409)
    assert f"{ONE}, {TWO} (2 in all)" in told
    page = manager.get("/report")
    assert all(f'href="/subjects/{name}/data"' in page for name in (ONE, TWO))
    said = {"visit": "", "meaning": "I have reviewed these data and they are true"}
    for name, others in ((ONE, [TWO]), (TWO, [])):
        assert f'<a href="/subjects/{name}/data">wanted</a>' in investigator.get("/subjects")
        investigator.get(f"/subjects/{name}/data")
        investigator.post(f"/subjects/{name}/data/sign", said)
        page = manager.get("/report")
        assert [one for one in (ONE, TWO) if f'href="/subjects/{one}/data"' in page] == others
        if others:
            assert f"of {TWO} (1 in all)" in manager.post("/lock", status=409)
    assert served.room.conduct.ledger.of_type("DatabaseLocked") == ()
    manager.post("/lock")
    assert served.room.conduct.is_locked
    event = served.room.conduct.ledger.of_type("DatabaseLocked")[0]
    assert json.loads(event.payload) == {"n_subjects": 2}


def test_a_signature_that_is_void_or_of_one_visit_locks_nothing(served: Served) -> None:
    """Nor does one of another subject, nor of somebody who is no investigator."""
    room, name = served.room, ONE
    assert room.conduct.standings[name].is_over
    signed(served, TWO)
    other = next(read_payload(event) for event in room.conduct.ledger.events_of(TWO) if event.type == "Signed")
    assert isinstance(other, Signed)
    with room.step(None) as conduct:
        conduct.record(name, other, "investigator", room.clock.now())  # moved from the other
    locking(served).post("/lock", status=409)
    with room.step(None) as conduct:
        sign_data(conduct, name, "Somebody", other.meaning, None, room.clock.now())  # from the console
    locking(served).post("/lock", status=409)
    with room.step(next(one for one in room.accounts.people() if one.role is Role.INVESTIGATOR)) as conduct:
        sign_data(conduct, name, "Ida", other.meaning, "day 1", room.clock.now())
    locking(served).post("/lock", status=409)
    signed(served, name)
    locking(served).post("/lock")


def test_what_is_changed_after_the_signature_is_signed_again(tmp_path: Path) -> None:
    """A correction opens the question anew."""
    served = serve_new(tmp_path / "trial")
    (name,) = enrolled(served, 1)
    with served.room.step(None) as conduct:
        conduct.record(name, VisitMissed(visit="day 4", reason="moved"), "nurse", served.room.clock.now())
    with served.room.step(None) as conduct:
        conduct.record(name, LostToFollowUp(), "investigator", served.room.clock.now())
    signed(served, name)
    assert "Signatures that the lock waits for" not in locking(served).get("/report")
    corrected(served, name)
    locking(served).post("/lock", status=409)
    signed(served, name)
    locking(served).post("/lock")


def test_where_nobody_can_sign_the_reason_stands_in_the_record_and_on_the_page(served: Served) -> None:
    """Of that site alone, by subject; told to everybody who reads how the end has come, and after a restart."""
    signed(served, TWO)
    manager = locking(served)
    assert f'name="unsigned {SITE}"' in manager.get("/report")
    for wrong in ({"unsigned FR-2": WHY}, {f"unsigned {SITE}": " "}):
        manager.post("/lock", wrong, 409)
    manager.post("/lock", {f"unsigned {SITE}": WHY})
    served = serve_again(served)
    said = read_payload(served.room.conduct.ledger.of_type("DatabaseLocked")[0])
    assert said == DatabaseLocked(n_subjects=2, unsigned={ONE: WHY})
    assert read_history(served.room.conduct.ledger.events()).unsigned == {ONE: WHY}
    for role in Role:
        if Right.READ_REPORT in RIGHTS[role]:
            page = served.as_a(role).get("/report")
            assert WHY in page
            assert (ONE in page) == (Right.READ_SUBJECTS in RIGHTS[role])


def test_a_subject_is_locked_with_a_signature_or_a_reason_which_then_serves_the_database(served: Served) -> None:
    """A visit needs none, and one who was never randomised neither; opening the subject again takes the reason back."""
    manager, address = locking(served), f"/subjects/{ONE}/data/lock"
    manager.get(f"/subjects/{ONE}/data")
    told = manager.post(address, {"visit": ""}, 409)
    assert "no investigator&#39;s signature" in told
    manager.post(address, {"visit": "", "unsigned": WHY})
    assert WHY in manager.get(f"/subjects/{ONE}/data")
    manager.post(address, {"visit": "", "unlock": "yes", "reason": "a query came"})
    manager.post(address, {"visit": ""}, 409)
    manager.post(address, {"visit": "", "unsigned": WHY})
    signed(served, TWO)
    manager.post(f"/subjects/{TWO}/data/lock", {"visit": "", "unsigned": "not needed"})
    locks = [read_payload(event) for event in served.room.conduct.ledger.of_type("DataLocked")]
    assert locks[-1] == DataLocked(scope="subject", name=TWO)
    manager.post("/lock")
    said = read_payload(served.room.conduct.ledger.of_type("DatabaseLocked")[0])
    assert said == DatabaseLocked(n_subjects=2, unsigned={ONE: WHY})


def test_a_reason_that_tells_who_a_subject_is_is_refused(served: Served) -> None:
    """As every other text of the record."""
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get(f"/identities/{ONE}")
    investigator.post(f"/identities/{ONE}", {"family_name": "Morel"})
    signed(served, TWO)
    manager = locking(served)
    told = {f"unsigned {SITE}": "nobody can ask Mrs Morel's doctor"}
    assert "tells who" in manager.post("/lock", told, 422)
    assert not served.room.conduct.is_locked
    manager.get(f"/subjects/{ONE}/data")
    manager.post(f"/subjects/{ONE}/data/lock", {"visit": "", "unsigned": told[f"unsigned {SITE}"]}, 422)


def test_locks_of_before_read_as_they_did() -> None:
    """Without the new fields; and where they say nothing the bytes are the ones of before."""
    assert DatabaseLocked.model_validate_json(b'{"n_subjects":3}').canonical() == b'{"n_subjects":3}'
    before = b'{"name":"day 8","scope":"visit"}'
    assert DataLocked.model_validate_json(before).canonical() == before


def test_in_a_rehearsal_investigators_sign_as_in_a_trial(small_trial: Rehearsed) -> None:
    """The dry run is the real run: everybody randomised, by their own site, a week after the end, before the lock."""
    events = read_events(small_trial.folder / "trial.db")
    locked = next(event for event in events if event.type == "DatabaseLocked")
    randomised = [one.subject for one in small_trial.history.randomised]
    assert len(randomised) == 8
    for name in randomised:
        own = [event for event in events if event.subject == name]
        (one,) = data_of(own).signatures
        assert not one.is_void
        assert (one.said.visit, one.event.actor, one.event.site) == (None, "investigator", own[0].site)
        assert str(one.event.site) in one.said.name
        assert one.event.sequence < locked.sequence
        before = own[own.index(one.event) - 1]
        waited = datetime.fromisoformat(one.event.recorded_at) - datetime.fromisoformat(before.recorded_at)
        assert waited >= _SIGNED_AFTER


def test_a_standing_knows_of_a_signature_what_the_events_say(small_trial: Rehearsed) -> None:
    """After every event of every subject, as long as each signature is put under what was there."""
    events = read_events(small_trial.folder / "trial.db")
    n_signed = 0
    for name in small_trial.history.subjects:
        own = [event for event in events if event.subject == name]
        for k in range(max(1, len(own) - 6), len(own) + 1):
            assert folded(name, own[:k]).is_signed == is_signed(own[:k])
        n_signed += is_signed(own)
    assert n_signed == 8


def test_the_refusal_names_a_few_and_says_how_many(tmp_path: Path) -> None:
    """Of many subjects the first five, and the number of all."""
    served = serve_new(tmp_path / "trial")
    for name in enrolled(served, 6):
        with served.room.step(None) as conduct:
            conduct.record(name, LostToFollowUp(), "investigator", served.room.clock.now())
    with pytest.raises(OutOfOrder, match=rf"of {ONE}, .*FR-1-005, … \(6 in all\)"):
        lock_database(served.room.conduct, served.room.clock.now())


def test_what_is_no_datum_or_what_others_did_makes_no_signature_void(tmp_path: Path) -> None:
    """An emergency, the sponsor's notice of it, and a kit that comes back to the pharmacy: the signer signs once."""
    served = serve_new(tmp_path / "trial")
    (name,) = enrolled(served, 1)
    now = served.room.clock.now()
    with served.room.step(None) as conduct:
        assert prepare_dose(conduct, name, 1, now) is not None
        conduct.record(name, LostToFollowUp(), "investigator", now)
    signed(served, name)
    with served.room.step(None) as conduct:
        conduct.record(name, EmergencyUnblinded(asked_by="surgeon", reason="bleeding"), "investigator", now)
        conduct.record(name, NoticeSeen(of=conduct.ledger.last_sequence), "sponsor", now)
        return_kit(conduct, name, 1, "not given", now)
    kinds = {event.type for event in served.room.conduct.ledger.events_of(name)}
    assert {"EmergencyUnblinded", "NoticeSeen", "KitReturned"} <= kinds
    assert served.room.conduct.standings[name].is_signed
    assert [one.is_void for one in data_of(served.room.conduct.ledger.events_of(name)).signatures] == [False]
    locking(served).post("/lock")
