"""The investigator's own copy: the site's subjects and no other's, held against the ledger by its hash, at any time."""

import csv
import hashlib
import io
import json
import threading
import zipfile
from pathlib import Path

from served import SITE, Served, Visitor, eligible, enrolled, serve_new, signed

from sevenfold.record.payloads import CopyTaken, LostToFollowUp, read_payload
from sevenfold.record.verify import verify
from sevenfold.service.own_copy import copy_of
from sevenfold.service.role import Role
from sevenfold.trial.closing import lock_database


def taken(investigator: Visitor) -> zipfile.ZipFile:
    """A copy, as the browser gets it."""
    investigator.get("/copy")
    answer = investigator.client.post("/copy", data={"form_key": investigator.form_key})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    return zipfile.ZipFile(io.BytesIO(answer.content))


def hashed_by_hand(event: dict[str, object]) -> str:
    """An event's own hash, as the copy's README says."""
    names = ("sequence", "type", "schema_version", "subject", "site", "actor", "happened_at", "recorded_at")
    payload = hashlib.sha256(str(event["payload"]).encode()).hexdigest()
    envelope = [1, *(event[name] for name in names), payload, event["previous_hash"]]
    return hashlib.sha256(json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def another_site(served: Served) -> str:
    """A candidate of the second French site."""
    sponsor, other = served.as_a(Role.SPONSOR), served.as_a(Role.INVESTIGATOR, "FR-2")
    sponsor.get("/progress")
    sponsor.post("/sites/FR-2/open")
    other.get("/screen")
    other.post("/screen", {**eligible(served), "subject": "FR-2-001"})
    return "FR-2-001"


def test_a_copy_holds_the_site_and_no_other_and_the_ledger_knows_it(tmp_path: Path) -> None:
    """Every event with a hash that can be recomputed, tables of the same, and an event with the copy's own hash."""
    served = serve_new(tmp_path / "trial")
    names = enrolled(served, 2)
    stranger = another_site(served)
    kept = taken(served.as_a(Role.INVESTIGATOR))
    lines = kept.read("events.jsonl")
    events = [json.loads(line) for line in lines.splitlines()]
    ledger = served.room.conduct.ledger
    assert [one["sequence"] for one in events] == [e.sequence for e in ledger.events() if e.subject in names]
    assert all(hashed_by_hand(one) == one["hash"] for one in events)
    said = read_payload(ledger.of_type(CopyTaken.__name__)[0])
    assert isinstance(said, CopyTaken)
    assert (said.digest, said.n_events) == (hashlib.sha256(lines).hexdigest(), len(events))
    assert said.digest in kept.read("README.txt").decode()
    subjects = list(csv.DictReader(io.StringIO(kept.read("tables/subjects.csv").decode())))
    assert [one["subject"] for one in subjects] == names
    assert not any(stranger.encode() in kept.read(name) for name in kept.namelist())
    assert said.digest in served.as_a(Role.INVESTIGATOR).get("/copy")
    assert said.digest not in served.as_a(Role.INVESTIGATOR, "FR-2").get("/copy")
    served.as_a(Role.SPONSOR).get("/copy", 403)


def test_a_copy_is_taken_after_the_lock_and_names_no_arm_before_the_unblinding(tmp_path: Path) -> None:
    """A lock takes nothing from the site; the ledger is whole with the head that says that it is locked."""
    served = serve_new(tmp_path / "trial")
    (name,) = enrolled(served, 1)
    room = served.room
    with room.step(None) as conduct:
        conduct.record(name, LostToFollowUp(), "investigator", room.clock.now())
    signed(served, name)
    with room.step(None) as conduct:
        lock_database(conduct, room.clock.now())
    kept = taken(served.as_a(Role.INVESTIGATOR))
    assert json.loads(kept.read("head.json"))["state"] == "locked"
    (row,) = csv.DictReader(io.StringIO(kept.read("tables/subjects.csv").decode()))
    assert not row.get("arm")
    assert verify(served.folder / "trial.db").is_whole


def test_two_copies_of_one_moment_hold_the_same_events(tmp_path: Path) -> None:
    """Taking one changes nothing of what the next holds: that a copy was taken is no event of a subject."""
    served = serve_new(tmp_path / "trial")
    enrolled(served, 1)
    investigator = served.as_a(Role.INVESTIGATOR)
    one, other = taken(investigator), taken(investigator)
    assert one.read("events.jsonl") == other.read("events.jsonl")
    assert {info.date_time for info in (*one.infolist(), *other.infolist())} == {(1980, 1, 1, 0, 0, 0)}
    assert len(served.room.conduct.ledger.of_type(CopyTaken.__name__)) == 2


def test_a_copy_waits_for_no_step_and_keeps_no_step_waiting(tmp_path: Path) -> None:
    """It is made while somebody holds the room: that it was taken is the only step of it."""
    served = serve_new(tmp_path / "trial")
    enrolled(served, 1)
    made: list[int] = []
    with served.room.step(None):
        other = threading.Thread(target=lambda: made.append(copy_of(served.room, SITE).n_events))
        other.start()
        other.join(timeout=30)
    assert made == [sum(event.subject is not None for event in served.room.conduct.ledger.events())]


def test_what_a_person_typed_is_no_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    """A term that begins with = stands behind an apostrophe in the table, and as it was typed in the events."""
    served = serve_new(tmp_path / "trial")
    (name,) = enrolled(served, 1)
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get(f"/subjects/{name}/event")
    event = {
        "number": "1", "term": '=HYPERLINK("http://evil.example")', "grade": "1", "serious": "no",
        "relation": "possible", "outcome": "recovered", "began": served.here(),
    }  # fmt: skip
    investigator.post(f"/subjects/{name}/event", event)
    kept = taken(investigator)
    (row,) = csv.DictReader(io.StringIO(kept.read("tables/adverse_events.csv").decode()))
    assert row["term"] == f"'{event['term']}"
    events = [json.loads(line) for line in kept.read("events.jsonl").splitlines()]
    assert event["term"] in [json.loads(one["payload"]).get("term") for one in events]
