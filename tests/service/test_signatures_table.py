"""Signatures in the open formats: whoever reads a table without Sevenfold reads who signed it, and can hold it true."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from served import SITE, Served, Visitor, eligible, enrolled, serve_new

from rehearsals import Rehearsed
from sevenfold.record.data import data_of
from sevenfold.record.payloads import VisitMissed
from sevenfold.service.archive import archive
from sevenfold.service.own_copy import copy_of
from sevenfold.service.role import Role

MEANING = "I have reviewed these data and they are true"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial with two randomised subjects of whom a visit is recorded; nobody has a password in it."""
    one = serve_new(tmp_path / "trial")
    one.room.is_demo = True
    enrolled(one, 2)
    nurse = one.as_a(Role.NURSE)
    for name in ("FR-1-001", "FR-1-002"):
        nurse.get(f"/subjects/{name}/visits/day 1")
        nurse.post(f"/subjects/{name}/visits/day 1", {"at": one.here(), "inr": "1.2"})
    return one


def sign(investigator: Visitor, subject: str, visit: str) -> None:
    """Sign a visit, or everything."""
    investigator.get(f"/subjects/{subject}/data")
    investigator.post(f"/subjects/{subject}/data/sign", {"visit": visit, "meaning": MEANING})


def archived(served: Served, path: Path) -> zipfile.ZipFile:
    """The trial's archive."""
    archive(served.folder / "trial.db", served.folder / "protocol.yaml", path)
    return zipfile.ZipFile(path)


def rows(kept: zipfile.ZipFile) -> list[dict[str, str]]:
    """The table."""
    return list(csv.DictReader(io.StringIO(kept.read("signatures.csv").decode())))


def digest_by_hand(row: dict[str, str], kept: zipfile.ZipFile) -> str:
    """What was signed, as the README says, from the events alone."""
    hashes = {event["sequence"]: event["hash"] for event in map(json.loads, kept.read("events.jsonl").splitlines())}
    under = [hashes[int(n)] for n in row["signed_events"].split()]
    text = json.dumps(["sevenfold signed", 1, row["visit"] or None, under], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def test_tables_come_with_name_time_and_meaning_of_each_signature(served: Served, tmp_path: Path) -> None:
    """11.50(b): printed name, role, person, UTC and the site's clock, meaning, what was signed; in archive and copy."""
    investigator = served.as_a(Role.INVESTIGATOR)
    sign(investigator, "FR-1-001", "day 1")
    sign(investigator, "FR-1-002", "")
    ida = next(one for one in served.room.accounts.people() if one.role is Role.INVESTIGATOR)
    events = {event.sequence: event for event in served.room.conduct.ledger.events()}
    kept = archived(served, tmp_path / "trial.zip")
    copied = zipfile.ZipFile(io.BytesIO(copy_of(served.room, SITE).content))
    found = rows(kept)
    assert rows(copied) == found
    assert [(row["subject"], row["visit"]) for row in found] == [("FR-1-001", "day 1"), ("FR-1-002", "")]
    for row in found:
        event = events[int(row["signature"])]
        assert (row["printed_name"], row["role"], row["person"]) == (ida.name, "investigator", ida.id)
        assert (row["meaning"], row["site"], row["stands"]) == (MEANING, SITE, "True")
        assert (row["signed_at_utc"], row["signed_at_site"]) == (event.recorded_at, event.happened_at)
        assert row["signed_at_utc"].endswith("Z")
        assert row["signed_at_site"][-6:] in ("+01:00", "+02:00")
    for readme in (kept.read("README.txt").decode(), copied.read("README.txt").decode()):
        assert "signatures.csv" in readme
        assert "sevenfold signed" in readme


def test_a_signature_is_tied_to_its_events_by_a_hash_that_anybody_can_make(served: Served, tmp_path: Path) -> None:
    """11.70: from the archive alone, and from a site's copy; a changed event makes another hash."""
    investigator = served.as_a(Role.INVESTIGATOR)
    sign(investigator, "FR-1-001", "day 1")
    sign(investigator, "FR-1-002", "")
    kept = archived(served, tmp_path / "trial.zip")
    for holder in (kept, zipfile.ZipFile(io.BytesIO(copy_of(served.room, SITE).content))):
        assert [digest_by_hand(row, holder) for row in rows(holder)] == [row["digest"] for row in rows(holder)]
    everything = rows(kept)[1]
    held = {event["sequence"]: event for event in map(json.loads, kept.read("events.jsonl").splitlines())}
    signed = {held[int(n)]["type"] for n in everything["signed_events"].split()}
    assert signed == {"CandidateScreened", "ConsentGiven", "Randomised", "VisitHeld"}
    assert {held[int(n)]["subject"] for n in everything["signed_events"].split()} == {"FR-1-002"}
    fewer = {**everything, "signed_events": everything["signed_events"].rpartition(" ")[0]}
    assert digest_by_hand(fewer, kept) != everything["digest"]


def test_a_void_signature_says_since_which_event(served: Served, tmp_path: Path) -> None:
    """A correction of its visit voids it, one of another does not; a second signature stands beside the first."""
    investigator, nurse = served.as_a(Role.INVESTIGATOR), served.as_a(Role.NURSE)
    ledger = served.room.conduct.ledger
    with served.room.step(None) as conduct:
        missed = VisitMissed(visit="day 4", reason="transferred")
        conduct.record("FR-1-001", missed, "nurse", served.room.clock.now())
    for visit in ("day 1", "day 4", ""):
        sign(investigator, "FR-1-001", visit)
    of = next(event.sequence for event in ledger.events_of("FR-1-001") if event.type == "VisitHeld")
    nurse.get("/subjects/FR-1-001/data")
    said = {"field": "results.inr", "after": "1.3", "reason": "misread"}
    nurse.post(f"/subjects/FR-1-001/data/correct/{of}", said)
    correction = ledger.events_of("FR-1-001")[-1]
    assert correction.type == "Corrected"
    nurse.post(f"/subjects/FR-1-001/data/correct/{of}", said | {"after": "1.4"})
    sign(investigator, "FR-1-001", "")
    found = rows(archived(served, tmp_path / "trial.zip"))
    assert [(row["visit"], row["stands"]) for row in found] == [
        ("day 1", "False"), ("day 4", "True"), ("", "False"), ("", "True"),
    ]  # fmt: skip
    since = (str(correction.sequence), correction.recorded_at)
    assert [(row["void_since_event"], row["void_since_utc"]) for row in found] == [since, ("", ""), since, ("", "")]
    assert [one.is_void for one in data_of(ledger.events_of("FR-1-001")).signatures] == [True, False, True, False]


def test_a_copy_holds_the_signatures_of_its_own_site_alone(served: Served) -> None:
    """A signature at another site is in that site's copy."""
    sponsor, other = served.as_a(Role.SPONSOR), served.as_a(Role.INVESTIGATOR, "FR-2")
    sponsor.get("/progress")
    sponsor.post("/sites/FR-2/open")
    other.get("/screen")
    other.post("/screen", {**eligible(served), "subject": "FR-2-001"})
    sign(other, "FR-2-001", "")
    sign(served.as_a(Role.INVESTIGATOR), "FR-1-001", "")
    for site in (SITE, "FR-2"):
        copied = zipfile.ZipFile(io.BytesIO(copy_of(served.room, site).content))
        assert [row["subject"] for row in rows(copied)] == [f"{site}-001"]


def test_a_signer_s_name_is_no_formula_in_a_spreadsheet(served: Served, tmp_path: Path) -> None:
    """As in every other table."""
    room = served.room
    person = room.accounts.admit("odd", "=1+1", Role.INVESTIGATOR, SITE, (SITE,))
    room.admitted(person, None)
    visitor = served.anybody()
    visitor.client.cookies.set("sevenfold", room.sessions.begin(person, room.now_s()))
    sign(visitor, "FR-1-001", "")
    (row,) = rows(archived(served, tmp_path / "trial.zip"))
    assert row["printed_name"] == "'=1+1"


def test_no_signature_tells_an_arm(small_trial: Rehearsed, tmp_path: Path) -> None:
    """Even once the trial is unblinded: who signed what depends on no arm, and what is sealed is not under it."""
    file = tmp_path / "protocol.yaml"
    file.write_text(small_trial.file.text)
    archive(small_trial.folder / "trial.db", file, tmp_path / "trial.zip")
    kept = zipfile.ZipFile(tmp_path / "trial.zip")
    text = kept.read("signatures.csv").decode()
    arms = small_trial.file.protocol.arms
    assert not any(word in text for arm in arms for word in (arm.id, arm.label))
    sealed = {"MaskedResults", "FurtherMaskedResults", "SafetyReviewed", "Dispensed"}
    kinds = {event["sequence"]: event["type"] for event in map(json.loads, kept.read("events.jsonl").splitlines())}
    under = {kinds[int(n)] for row in rows(kept) for n in row["signed_events"].split()}
    assert not under & sealed
