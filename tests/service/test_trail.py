"""The audit trail as people meet it: who did what, when and why; who reads it; what it never holds."""

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from served import SITE, Served, Visitor, eligible, enrolled, serve_new, signed

from sevenfold import __version__
from sevenfold.record.event import Event
from sevenfold.record.payloads import (
    ConsentGiven,
    EmergencyUnblinded,
    PersonAdmitted,
    PersonChanged,
    Reconsented,
    TrialOpened,
    read_payload,
)
from sevenfold.service.archive import archive
from sevenfold.service.role import AT_A_SITE, RIGHTS, Right, Role
from sevenfold.trial.conduct import Conduct

WHO = "/subjects/FR-1-001"
WHOSE = re.compile(r"name|initial|birth|address|street|mail|telephone|phone|insurance|passport|identity", re.IGNORECASE)
"""Words of what would tell who a participant is."""


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial with a randomised subject whose first visit is recorded; nobody has a password in it."""
    one = serve_new(tmp_path / "trial")
    one.room.is_demo = True
    enrolled(one, 1)
    nurse = one.as_a(Role.NURSE)
    nurse.get(f"{WHO}/visits/day 1")
    nurse.post(f"{WHO}/visits/day 1", {"at": one.here(), "platelets": "120", "platelets unit": "10^9/L", "inr": "1.2"})
    return one


def events(served: Served) -> list[Event]:
    """All that was recorded."""
    return list(served.room.conduct.ledger.events())


def visit_of(served: Served) -> int:
    """The number of the event that holds the visit."""
    return next(event.sequence for event in events(served) if event.type == "VisitHeld")


def corrected(served: Served, reason: str = "misread") -> Visitor:
    """The nurse puts the INR right."""
    nurse = served.as_a(Role.NURSE)
    nurse.get(f"{WHO}/data")
    nurse.post(f"{WHO}/data/correct/{visit_of(served)}", {"field": "results.inr", "after": "1.3", "reason": reason})
    return nurse


def test_the_auditor_reads_who_did_what_and_when_and_can_change_nothing(served: Served) -> None:
    """Every event with its number, kind, person, time of happening and of recording, and what it says."""
    corrected(served)
    auditor = served.as_a(Role.AUDITOR)
    text, recorded = auditor.get("/ledger"), events(served)
    rows = {int(row[0]): row for row in re.findall(r'<tr><td class="n">(\d+)</td>(.*?)</tr>', text)}
    assert sorted(rows) == [event.sequence for event in recorded]
    for event in recorded:
        row = rows[event.sequence][1]
        assert all(
            word in row for word in (event.type, event.actor, f"{event.recorded_at[:10]} {event.recorded_at[11:16]}")
        )
    assert "misread" in text
    assert served.room.conduct.ledger.head.hash in text
    auditor.get(f"{WHO}/data")
    for address in (f"data/correct/{visit_of(served)}", "data/query", "data/sign", "data/lock", "event", "step"):
        auditor.post(f"{WHO}/{address}", {"reason": "x", "text": "x", "meaning": "x"}, 403)
    assert events(served) == recorded


def test_a_correction_names_who_made_it_when_and_why(served: Served) -> None:
    """Before and after, person with role, time in UTC, reason: for the site, the monitor and the auditor alike."""
    corrected(served, "the decimal point was wrong")
    event = events(served)[-1]
    at = f"{event.recorded_at[:10]} {event.recorded_at[11:16]} UTC"
    for role in (Role.NURSE, Role.INVESTIGATOR, Role.MONITOR, Role.DATA_MANAGER, Role.AUDITOR):
        text = served.as_a(role).get(f"{WHO}/data")
        told = f'results.inr: 1.2 → 1.3 <span class="soft">the decimal point was wrong ({event.actor}, {at})</span>'
        assert told in text, role
    assert event.actor.startswith("nurse p")


def test_nobody_but_the_site_corrects_what_the_site_entered(served: Served) -> None:
    """Neither sponsor nor data manager nor administrator, nor another site: nothing is recorded of their attempt."""
    may = {role for role in Role if Right.CORRECT in RIGHTS[role]}
    assert may
    assert may <= AT_A_SITE
    said = {"field": "results.inr", "after": "9", "reason": "x"}
    of = visit_of(served)
    for role in set(Role) - may:
        visitor = served.as_a(role)
        n = len(events(served))
        visitor.post(f"{WHO}/data/correct/{of}", said, 403)
        assert len(events(served)) == n, role
    for role in may:
        visitor = served.as_a(role, "FR-2")
        n = len(events(served))
        visitor.get(f"{WHO}/data", 422)
        answer = visitor.client.post(f"{WHO}/data/correct/{of}", data=said | {"form_key": visitor.form_key})
        assert answer.status_code in (403, 404, 422)
        assert len(events(served)) == n, role


def test_an_emergency_stands_in_the_record_with_who_when_and_why_and_not_what_was_shown(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded before anything is shown: where it can't be recorded nothing is."""
    words = [word for arm in served.room.protocol.arms for word in (arm.id, arm.label)]
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get(f"{WHO}/unblind")
    said = {"asked_by": "Dr Ida, surgeon on call", "reason": "bleeding"}

    def broken(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Conduct, "commit", broken)
        text = investigator.post(f"{WHO}/unblind", said, 503)
    title = served.room.protocol.title
    assert not [word for word in words if re.search(rf"\b{re.escape(word)}\b", text.replace(title, ""))]
    assert "EmergencyUnblinded" not in {event.type for event in events(served)}
    shown = investigator.post(f"{WHO}/unblind", said)
    assert [word for word in words if re.search(rf"\b{re.escape(word)}\b", shown.replace(title, ""))]
    event = events(served)[-1]
    told = read_payload(event)
    assert isinstance(told, EmergencyUnblinded)
    assert (told.asked_by, told.reason, event.subject) == (said["asked_by"], said["reason"], "FR-1-001")
    assert event.actor.startswith("investigator p")
    assert not [word for word in words if re.search(rf"\b{re.escape(word)}\b", event.payload.decode())]


def test_after_a_withdrawal_nothing_more_is_collected_and_what_was_stays(served: Served) -> None:
    """Neither an adverse event nor a kit from then on; every event before is as it was, and can be read."""
    investigator, pharmacist = served.as_a(Role.INVESTIGATOR), served.as_a(Role.PHARMACIST)
    investigator.get(WHO)
    investigator.post(f"{WHO}/step", {"step": "withdrew", "at": served.here()})
    before = events(served)
    assert before[-1].type == "ConsentWithdrawn"
    pharmacist.get("/pharmacy")
    pharmacist.post("/pharmacy/FR-1-001/1", {}, 409)
    event = {"number": "1", "term": "Fever", "grade": "1", "relation": "possible", "outcome": "recovered"}
    investigator.post(f"{WHO}/event", event | {"began": served.here()}, 409)
    assert events(served) == before
    assert "120000" in investigator.get(f"{WHO}/data")


def test_a_subject_is_known_by_a_code_and_no_form_asks_for_a_name(served: Served) -> None:
    """Site and a number; no field of a form or of the interface has a place for who it is."""
    assert list(served.room.conduct.standings) == ["FR-1-001"]
    pages = {
        Role.INVESTIGATOR: ("/screen", WHO, f"{WHO}/event", f"{WHO}/data"),
        Role.NURSE: (f"{WHO}/visits/day 4", WHO, f"{WHO}/data"),
        Role.LABORATORY: ("/laboratory",),
        Role.PHARMACIST: ("/pharmacy",),
    }
    asked = set()
    for role, addresses in pages.items():
        visitor = served.as_a(role)
        for address in addresses:
            text = re.sub(
                r'<form[^>]* action="/(language|logout)".*?</form>', "", visitor.get(address), flags=re.DOTALL
            )
            asked |= set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', text))
    assert {"number age", "term", "alc"} <= asked
    assert sorted(name for name in asked if WHOSE.search(name)) == []
    administrator = served.as_a(Role.ADMINISTRATOR).get("/people")
    assert [
        name for name in re.findall(r'<input[^>]* name="([^"]+)"', administrator) if WHOSE.search(name)
    ]  # found there
    described: Any = served.anybody().client.get("/api/v1/openapi.json").json()
    fields = {name for model in described["components"]["schemas"].values() for name in model.get("properties", {})}
    assert {"facts", "numbers", "results"} <= fields
    assert sorted(name for name in fields if WHOSE.search(name)) == []


def test_the_ledger_says_who_was_admitted_suspended_and_let_in_again_by_whom_and_why(served: Served) -> None:
    """Each change of access is an event of the administrator's, with its time and reason."""
    administrator = served.as_a(Role.ADMINISTRATOR)
    administrator.get("/people")
    administrator.post("/people", {"name": "Nina Weber", "login": "nina@site.example", "role": "nurse", "site": SITE})
    nina = next(one for one in served.room.accounts.people() if one.login == "nina@site.example")
    administrator.post(f"/people/{nina.id}/access", {"reason": ""}, 422)
    for reason in ("left the hospital", "came back"):
        administrator.post(f"/people/{nina.id}/access", {"reason": reason})
    admitted, *changes = events(served)[-3:]
    said = read_payload(admitted)
    assert said == PersonAdmitted(person=nina.id, name="Nina Weber", role="nurse", site=SITE, is_by_one_hand=False)
    told = [read_payload(event) for event in changes]
    assert told == [
        PersonChanged(person=nina.id, change="suspended", reason="left the hospital"),
        PersonChanged(person=nina.id, change="restored", reason="came back"),
    ]
    assert all(event.actor.startswith("administrator p") for event in (admitted, *changes))


def test_the_first_event_says_which_program_and_which_protocol(served: Served) -> None:
    """Version, and the hash of the protocol's file as it lies in the folder."""
    said = read_payload(events(served)[0])
    assert isinstance(said, TrialOpened)
    assert said.software == f"sevenfold {__version__}"
    assert said.protocol_sha256 == hashlib.sha256((served.folder / "protocol.yaml").read_bytes()).hexdigest()


def test_an_archive_holds_the_whole_trail_signatures_and_accesses_too(served: Served, tmp_path: Path) -> None:
    """Event by event what the ledger holds: corrections, queries, signatures, locks, people."""
    corrected(served)
    investigator, manager = served.as_a(Role.INVESTIGATOR), served.as_a(Role.DATA_MANAGER)
    manager.get(f"{WHO}/data")
    manager.post(f"{WHO}/data/query", {"about": str(visit_of(served)), "text": "Is it 1.3?"})
    investigator.get(f"{WHO}/data")
    investigator.post(f"{WHO}/data/query/1/answer", {"text": "Yes, checked"})
    manager.post(f"{WHO}/data/query/1/close")
    investigator.post(f"{WHO}/data/sign", {"visit": "day 1", "meaning": "I am responsible for these data"})
    manager.post(f"{WHO}/data/lock", {"visit": "day 1"})
    archive(served.folder / "trial.db", served.folder / "protocol.yaml", tmp_path / "trial.zip")
    lines = zipfile.ZipFile(tmp_path / "trial.zip").read("events.jsonl").decode().splitlines()
    held = [json.loads(line) for line in lines]
    assert [(one["sequence"], one["type"], one["actor"], one["recorded_at"], one["payload"]) for one in held] == [
        (event.sequence, event.type, event.actor, event.recorded_at, event.payload.decode()) for event in events(served)
    ]
    kinds = {one["type"] for one in held}
    assert {"Corrected", "QueryRaised", "Signed", "DataLocked", "PersonAdmitted", "Randomised"} <= kinds
    (signed,) = (json.loads(one["payload"]) for one in held if one["type"] == "Signed")
    assert {"name", "meaning", "digest"} <= signed.keys()


def test_neither_visit_nor_subject_is_locked_while_a_query_is_open(served: Served) -> None:
    """Once it is answered and closed they are."""
    manager, nurse = served.as_a(Role.DATA_MANAGER), served.as_a(Role.NURSE)
    manager.get(f"{WHO}/data")
    manager.post(f"{WHO}/data/query", {"about": str(visit_of(served)), "text": "Is INR 1.2?"})
    for visit in ("day 1", ""):
        manager.post(f"{WHO}/data/lock", {"visit": visit}, 409)
    nurse.get(f"{WHO}/data")
    nurse.post(f"{WHO}/data/query/1/answer", {"text": "Yes"})
    manager.post(f"{WHO}/data/lock", {"visit": "day 1"}, 409)
    manager.post(f"{WHO}/data/query/1/close")
    signed(served, "FR-1-001")
    for visit in ("day 1", ""):
        manager.post(f"{WHO}/data/lock", {"visit": visit})


def test_consent_of_a_representative_is_confirmed_by_the_patient_who_recovered(served: Served) -> None:
    """Not before there is a consent; each says by whom it was given and who recorded it."""
    investigator, who = served.as_a(Role.INVESTIGATOR), "/subjects/FR-1-002"
    investigator.get("/screen")
    investigator.post("/screen", {**eligible(served), "subject": "FR-1-002"})
    confirmed = {"step": "reconsented", "at": served.here()}
    investigator.post(f"{who}/step", confirmed, 409)
    investigator.post(f"{who}/consent", {"by": "representative", "at": served.here()})
    investigator.post(f"{who}/step", confirmed)
    given, again = events(served)[-2:]
    assert read_payload(given) == ConsentGiven(by="representative")
    assert read_payload(again) == Reconsented()
    assert given.actor == again.actor
