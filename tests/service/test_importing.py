"""Results from a file: shown first, recorded once, nothing overwritten, nothing told to whoever must not know."""

import contextlib
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import SITE, Served, Visitor, enrolled, serve_new

from sevenfold.clock import SimulatedClock
from sevenfold.errors import InvalidInput
from sevenfold.record.data import data_of
from sevenfold.record.history import read_history, unseal
from sevenfold.record.payloads import (
    FurtherMaskedResults,
    LabFileImported,
    MaskedResults,
    SealedQueryAnswered,
    SealedQueryRaised,
    VisitHeld,
    read_payload,
)
from sevenfold.record.sealed import place_of_file, place_of_sealed
from sevenfold.record.verify import verify
from sevenfold.service.importing.reading import MOST_ROWS, MOST_UPLOADED, Upload, lines_of
from sevenfold.service.importing.recording import Uploads
from sevenfold.service.refusals import translated
from sevenfold.service.role import Role
from sevenfold.trial.conduct import Conduct

WHO = f"{SITE}-001"
HEAD = "subject,visit,taken,test,value,unit\n"


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """Two subjects who were randomised fifty days ago, one of them with a visit on day 8."""
    one = serve_new(tmp_path / "trial")
    enrolled(one, 2)
    one.room.clock = one.room.conduct.ledger.clock = SimulatedClock(one.room.clock.now() + timedelta(days=50))
    nurse = one.as_a(Role.NURSE)
    nurse.get(f"/subjects/{WHO}/visits/day 8")
    said = {"at": on(one, 8).replace(" ", "T"), "platelets": "120", "platelets unit": "10^9/L"}
    nurse.post(f"/subjects/{WHO}/visits/day 8", said)
    return one


def on(served: Served, day: int, hours: float = 0.0) -> str:
    """A study day, as a file says it."""
    at = served.room.conduct.standings[WHO].randomised_at
    assert at is not None
    there: datetime = at.astimezone(served.room.conduct.zone(SITE)) + timedelta(days=day - 1, hours=hours)
    return there.strftime("%Y-%m-%d %H:%M")


def somebody(served: Served, role: Role) -> Visitor:
    """Somebody at the page that takes files."""
    one = served.as_a(role)
    one.get("/import")
    return one


def imported(visitor: Visitor, text: str) -> str:
    """A file, sent and confirmed."""
    return visitor.confirm_file(visitor.send_file(text.encode()))


def count(served: Served) -> int:
    """Events in the record."""
    return served.room.conduct.ledger.head.count


def sent(served: Served, visit: str) -> dict[str, tuple[float, str, str | None]]:
    """What the laboratory has sent of a visit of the first subject."""
    found = served.room.conduct.followed.reviewer.sent(WHO, visit)
    return {name: (one.value, one.qualifier, one.entered) for name, one in found.items()}


def masked_of(served: Served) -> str:
    """A file of the laboratory: two tests at one visit, in other units, one below its limit, by number and by name."""
    number = served.room.conduct.standings[WHO].number
    at = on(served, 8)
    return f"{HEAD}{WHO},day 8,{at},alc,0.9,10^9/L\n{number},Day 8,{at},IL-7 in plasma,<5,pg/mL\n"


def test_a_file_is_shown_first_and_records_nothing_until_it_is_confirmed(served: Served) -> None:
    """What it would change, what the record holds by then, in the protocol's units and as it was written."""
    laboratory, n = somebody(served, Role.LABORATORY), count(served)
    page = laboratory.send_file(masked_of(served).encode())
    assert "New (2)" in page
    assert "0.9 10^9/L" in page
    assert count(served) == n
    assert "2 results were recorded" in laboratory.confirm_file(page)
    assert sent(served, "day 8") == {"alc": (900.0, "", "0.9 10^9/L"), "il7": (0.005, "<", "<5 pg/mL")}
    events = [event.type for event in served.room.conduct.ledger.events_of(WHO)]
    assert events[-2:] == ["MaskedResults", "SafetyReviewed"]
    assert verify(served.folder / "trial.db").is_whole


def test_the_same_file_twice_records_nothing_new(served: Served) -> None:
    """Not even that it came again."""
    laboratory = somebody(served, Role.LABORATORY)
    imported(laboratory, masked_of(served))
    n = count(served)
    page = imported(laboratory, masked_of(served))
    assert "No result was new" in page
    assert "Recorded already (2)" in page
    assert count(served) == n


def test_a_later_file_adds_what_is_missing(served: Served) -> None:
    """The safety reviewer looks again, and the analysis reads all of them."""
    laboratory = somebody(served, Role.LABORATORY)
    imported(laboratory, masked_of(served))
    imported(laboratory, masked_of(served) + f"{WHO},day 8,{on(served, 8)},cd4,400,cells/µL\n")
    assert sent(served, "day 8").keys() == {"alc", "il7", "cd4"}
    events = served.room.conduct.ledger.events_of(WHO)
    kinds = [event.type for event in events]
    assert kinds[-2:] == ["FurtherMaskedResults", "SafetyReviewed"]
    history = read_history(served.room.conduct.ledger.events())
    one = history.subjects[WHO]
    for event in events:
        said = read_payload(event)
        if isinstance(said, (MaskedResults, FurtherMaskedResults)):
            plain = served.room.vault.open(place_of_sealed(WHO, said), said.sealed)
            unseal(one, said, datetime.fromisoformat(event.happened_at), plain)
    assert {name for seen in one.visits if seen.visit == "day 8" for name in seen.results} >= {"alc", "il7", "cd4"}


def test_another_masked_value_overwrites_nothing_and_is_asked_of_the_laboratory_alone(served: Served) -> None:
    """The query is sealed: the site sees neither value nor test; the laboratory answers with a reason, sealed too."""
    laboratory = somebody(served, Role.LABORATORY)
    imported(laboratory, masked_of(served))
    other = f"{HEAD}{WHO},day 8,{on(served, 8)},alc,9.1,10^9/L\n"
    assert "Another value is recorded (1)" in imported(laboratory, other)
    assert sent(served, "day 8")["alc"][0] == 900.0
    n = count(served)
    assert "Asked about already (1)" in imported(laboratory, other)
    assert count(served) == n
    assert data_of(served.room.conduct.ledger.events_of(WHO)).queries == {}
    for role in (Role.INVESTIGATOR, Role.NURSE, Role.DATA_MANAGER, Role.MONITOR, Role.AUDITOR):
        page = served.as_a(role).get(f"/subjects/{WHO}/data")
        assert "9.1" not in page
        assert "ymphocyte count" not in page.replace("alc", "")
    assert "9.1 10^9/L" in laboratory.get("/laboratory")
    laboratory.post(f"/laboratory/queries/{WHO}/1", {"right": "sent", "reason": ""}, 422)
    laboratory.post(f"/laboratory/queries/{WHO}/1", {"right": "mine", "reason": "x"}, 422)
    laboratory.post(f"/laboratory/queries/{WHO}/2", {"right": "sent", "reason": "x"}, 422)
    laboratory.post(f"/laboratory/queries/{WHO}/1", {"right": "sent", "reason": "wrong tube"})
    assert sent(served, "day 8")["alc"][0] == 9100.0
    laboratory.post(f"/laboratory/queries/{WHO}/1", {"right": "recorded", "reason": "no"}, 409)
    assert "wrong tube" in served.as_a(Role.SAFETY_REVIEWER).get("/masked")
    assert b"wrong tube" not in (served.folder / "trial.db").read_bytes()
    assert "Recorded already (1)" in imported(laboratory, other)
    assert verify(served.folder / "trial.db").is_whole


def test_after_an_answer_the_analysis_reads_the_value_that_is_right(served: Served) -> None:
    """In the place of the one that was sent first, and once."""
    laboratory = somebody(served, Role.LABORATORY)
    imported(laboratory, masked_of(served))
    imported(laboratory, f"{HEAD}{WHO},day 8,{on(served, 8)},alc,9.1,10^9/L\n")
    laboratory.get("/laboratory")
    laboratory.post(f"/laboratory/queries/{WHO}/1", {"right": "sent", "reason": "wrong tube"})
    one = read_history(served.room.conduct.ledger.events()).subjects[WHO]
    for event in served.room.conduct.ledger.events_of(WHO):
        said = read_payload(event)
        if isinstance(said, (MaskedResults, SealedQueryRaised, SealedQueryAnswered)):
            plain = served.room.vault.open(place_of_sealed(WHO, said), said.sealed)
            unseal(one, said, datetime.fromisoformat(event.happened_at), plain)
    found = [seen.results["alc"].value for seen in one.visits if "alc" in seen.results and seen.visit == "day 8"]
    assert found == [9100.0]


def test_a_question_to_the_laboratory_bars_a_lock_and_tells_no_value(served: Served) -> None:
    """In both languages; the data manager learns whose results wait, and after the answer the visit is locked."""
    laboratory, manager = somebody(served, Role.LABORATORY), served.as_a(Role.DATA_MANAGER)
    imported(laboratory, masked_of(served))
    imported(laboratory, f"{HEAD}{WHO},day 8,{on(served, 8)},alc,9.1,10^9/L\n")
    manager.get(f"/subjects/{WHO}/data")
    for visit in ("day 8", ""):
        page = manager.post(f"/subjects/{WHO}/data/lock", {"visit": visit, "unlock": "", "reason": ""}, 409)
        assert f"the laboratory has a question open on masked results of {WHO}" in page
        assert "9.1" not in page
        assert "900" not in page
    told = f"DataLocked cannot be recorded for {WHO}: the laboratory has a question open on masked results of {WHO}."
    assert "question ouverte" in str(translated(told, "fr"))
    laboratory.get("/laboratory")
    laboratory.post(f"/laboratory/queries/{WHO}/1", {"right": "recorded", "reason": "wrong tube"})
    manager.post(f"/subjects/{WHO}/data/lock", {"visit": "day 8", "unlock": "", "reason": ""})
    assert served.room.conduct.standings[WHO].locked == {"day 8"}


def test_every_file_of_masked_results_has_its_hash_sealed_in_a_place_of_its_own(served: Served) -> None:
    """Sent again, when a row can be read that could not before, the same file is not seen to be the same."""
    laboratory = somebody(served, Role.LABORATORY)
    late = f"{HEAD}{WHO},day 8,{on(served, 8)},cd4,400,cells/µL\n{WHO},day 60,{on(served, 60)},cd4,400,cells/µL\n"
    imported(laboratory, late)
    clock = served.room.clock.now() + timedelta(days=30)
    served.room.clock = served.room.conduct.ledger.clock = SimulatedClock(clock)
    imported(somebody(served, Role.LABORATORY), late)
    said = [read_payload(event) for event in served.room.conduct.ledger.of_type("LabFileImported")]
    files = [one for one in said if isinstance(one, LabFileImported) and one.sealed is not None]
    assert [one.number for one in files] == [1, 2]
    assert len({one.sealed for one in files}) == 2
    hashes = [served.room.vault.open(place_of_file(one), str(one.sealed)) for one in files]
    assert hashes[0] == hashes[1]


def test_a_server_started_anew_knows_what_was_sent_and_answered(served: Served) -> None:
    """It is folded from the ledger, in the order of the samples and not of the post."""
    laboratory = somebody(served, Role.LABORATORY)
    imported(laboratory, f"{HEAD}{WHO},day 22,{on(served, 22)},alc,2,10^9/L\n")
    imported(laboratory, masked_of(served))
    imported(
        laboratory, f"{HEAD}{WHO},day 8,{on(served, 8)},alc,9.1,10^9/L\n{WHO},day 8,{on(served, 8)},cd8,7,cells/µL\n"
    )
    laboratory.get("/laboratory")
    laboratory.post(f"/laboratory/queries/{WHO}/1", {"right": "sent", "reason": "wrong tube"})
    room = served.room
    again = Conduct.resumed(room.file, room.conduct.ledger, room.vault)
    assert again.followed.reviewer.sent(WHO, "day 8") == room.conduct.followed.reviewer.sent(WHO, "day 8")
    assert again.followed.reviewer._latest == room.conduct.followed.reviewer._latest
    assert again.followed.reviewer._latest[WHO]["alc"] == 2000.0
    assert again.standings == room.conduct.standings


def test_what_the_ledger_says_of_a_masked_file_tells_no_value(served: Served) -> None:
    """The hash of a file of one value could be found by trying values; it is sealed."""
    laboratory = somebody(served, Role.LABORATORY)
    text = masked_of(served)
    imported(laboratory, text)
    (event,) = served.room.conduct.ledger.of_type("LabFileImported")
    said = read_payload(event)
    assert isinstance(said, LabFileImported)
    assert (said.holds, said.sha256, said.n_rows, said.n_recorded, said.n_asked) == ("masked", None, 2, 2, 0)
    hashed = Upload(raw=text.encode(), encoding="UTF-8", decimal="point").sha256
    assert hashed.encode() not in (served.folder / "trial.db").read_bytes()
    assert said.sealed is not None
    assert served.room.vault.open(place_of_file(said), said.sealed) == {"sha256": hashed}


def test_a_site_adds_open_results_to_its_visits_and_another_value_becomes_a_query(served: Served) -> None:
    """An addition is a correction of nothing, with its reason; the query says both values, for they are open."""
    nurse = somebody(served, Role.NURSE)
    text = f"subject;visit;test;value;unit\n{WHO};day 8;haemoglobin;10,5;g/dL\n{WHO};day 8;Platelets;90;G/L\n"
    page = nurse.send_file(text.encode(), decimal="comma")
    assert "120 10^9/L" in page
    nurse.confirm_file(page)
    found = data_of(served.room.conduct.ledger.events_of(WHO))
    held = next(datum for datum in found.data.values() if isinstance(datum.said, VisitHeld))
    assert isinstance(held.said, VisitHeld)
    assert held.said.results["haemoglobin"].value == 10.5
    assert held.said.results["haemoglobin"].entered == "10,5 g/dL"
    assert held.said.results["platelets"].value == 120_000.0
    assert found.queries[1].said.about == held.event.sequence
    assert found.queries[1].raised.actor == "system"
    assert "says Platelets 90 G/L at visit 'day 8', and 120 10^9/L is recorded" in found.queries[1].said.text
    n = count(served)
    assert "Asked about already (1)" in nurse.confirm_file(nurse.send_file(text.encode(), decimal="comma"))
    assert count(served) == n
    (event,) = served.room.conduct.ledger.of_type("LabFileImported")
    assert event.site == SITE
    assert json.loads(event.payload)["sha256"] == Upload(raw=text.encode(), encoding="", decimal="").sha256


def test_a_site_sees_and_imports_its_own_subjects_alone(served: Served) -> None:
    """Another site's subject is not there, by whatever name; nor is a masked test or a visit that is not recorded."""
    number = served.room.conduct.standings[WHO].number
    there = served.as_a(Role.NURSE, "FR-2")
    there.get("/import")
    page = there.send_file(f"subject,visit,test,value,unit\n{WHO},day 8,inr,1.1,\n{number},day 8,inr,1.1,\n".encode())
    assert page.count("is none here") == 2
    here = somebody(served, Role.NURSE)
    page = here.send_file(
        f"{HEAD}{WHO},day 8,,alc,1,10^9/L\n{WHO},day 15,,inr,1.1,\n{WHO},day 8,{on(served, 9)},inr,1.1,\n"
        f"{WHO},day 8,,creatinine_clearance,80,mL/min\n".encode()
    )
    for told in ("is masked", "&#39;day 15&#39; is not recorded", "and the visit of", "is not measured at visit"):
        assert told in page, told
    assert "New" not in page.split("What the file holds")[0].split("Can&#39;t be read")[-1]


@pytest.mark.parametrize(
    ("row", "column", "told"),
    [
        ("FR-9-001,day 8,{at},alc,1,10^9/L", "subject", "is none here"),
        ("=cmd|'/c calc'!A1,day 8,{at},alc,1,10^9/L", "subject", "is none here"),
        ("{who},day 9,{at},alc,1,10^9/L", "visit", "is not planned"),
        ("{who},,2031-01-01 10:00,alc,1,10^9/L", "visit", "lies in the window of no visit"),
        ("{who},day 8,{day},alc,1,10^9/L", "", ""),
        ("{who},day 15,{day},alc,1,10^9/L", "taken", "no time of day"),
        ("{who},day 8,,alc,1,10^9/L", "taken", "no time of day"),
        ("{who},day 8,08/03/2026 10:00,alc,1,10^9/L", "taken", "is not a date"),
        ("{who},day 8,2026-03,alc,1,10^9/L", "taken", "partial date"),
        ("{who},day 8,2026-02-30 10:00,alc,1,10^9/L", "taken", "does not exist"),
        ("{who},day 8,{at},lymphos,1,10^9/L", "test", "is not measured in this trial"),
        ("{who},day 8,{at},platelets,1,10^9/L", "test", "is not masked"),
        ("{who},day 8,{at},alc,many,10^9/L", "value", "is not a number"),
        ('{who},day 8,{at},alc,"1,2",10^9/L', "value", "a decimal comma?"),
        ("{who},day 8,{at},alc,-1,10^9/L", "value", "cannot be"),
        ("{who},day 8,{at},alc,1e400,10^9/L", "value", "too large"),
        ("{who},day 8,{at},alc,1,", "unit", "no unit"),
        ("{who},day 8,{at},alc,1,mg/L", "unit", "is wanted here"),
        ("{who},day 8,{at},alc,1,furlongs", "unit", "is not known"),
        ("{who},day 42,{late},alc,1,10^9/L", "visit", "cannot be recorded for day 12"),
        ("{who},day 8,2199-01-01 10:00,alc,1,10^9/L", "visit", "cannot be recorded"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_told_with_its_line_and_column_and_the_others_are_recorded(
    served: Served, row: str, column: str, told: str
) -> None:
    """Nothing of it is guessed; a day without a time is that of the visit which took place on it."""
    laboratory = somebody(served, Role.LABORATORY)
    filled = row.format(who=WHO, at=on(served, 8), day=on(served, 8)[:10], late=on(served, 12))
    text = f"{HEAD}{WHO},day 8,{on(served, 8)},cd4,400,cells/µL\n{filled}\n"
    page = laboratory.send_file(text.encode())
    if told:
        assert "read (1)" in page
        assert f'<td class="n">3</td><td>{column}</td>' in page
        assert told in page
    laboratory.confirm_file(page)
    assert sent(served, "day 8").keys() == ({"cd4"} if told else {"cd4", "alc"})


def test_two_values_of_one_test_in_a_file_are_both_told_and_neither_recorded(served: Served) -> None:
    """The same value twice is one."""
    laboratory, at = somebody(served, Role.LABORATORY), on(served, 8)
    rows = ("alc,1,10^9/L", "alc,1000,cells/µL", "cd4,4,cells/µL", "cd4,5,cells/µL")
    page = laboratory.send_file((HEAD + "".join(f"{WHO},day 8,{at},{row}\n" for row in rows)).encode())
    assert "read (2)" in page
    assert "line 5 says another value" in page
    laboratory.confirm_file(page)
    assert sent(served, "day 8").keys() == {"alc"}


@pytest.mark.parametrize(
    ("raw", "said", "told"),
    [
        (b"", {}, "No file was sent"),
        (b"\xff\xfes\x00", {}, "It may be UTF-16"),
        (b"PK\x03\x04 a workbook", {}, "is not text"),
        (b"\x1f\x8b\x08 compressed", {}, "is not text"),
        (b"subject,visit\nx,y\n", {}, "has no column &#39;test&#39;"),
        (b"subject,test,value,unit\nx,y,1,\n", {}, "neither &#39;visit&#39; nor &#39;taken&#39;"),
        (b"subject,USUBJID,visit,test,value,unit\n", {}, "which are one column"),
        (b"subject,visit,test,value,unit\na,b\n", {}, "2 values, and the table has 5"),
        ("subject,visit,test,value,unit\na,b,c,1,cells/µL\n".encode("cp1252"), {}, "Choose Windows-1252"),
        (b"subject,visit,test,value,unit\n", {"encoding": "EBCDIC"}, "Choose how"),
        (b"subject,visit,test,value,unit\n", {"decimal": "dot"}, "Choose how"),
        (HEAD.encode() + b"a,b,,c,1,x\n" * (MOST_ROWS + 1), {}, "send at most 5000 at once"),
        (b"x" * (MOST_UPLOADED + 1), {}, "1 MiB"),
    ],
    ids=lambda one: repr(one)[:30],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_whole(served: Served, raw: bytes, said: dict[str, str], told: str) -> None:
    """In a sentence, on the page that takes it."""
    laboratory, n = somebody(served, Role.LABORATORY), count(served)
    assert told in laboratory.send_file(raw, 422, **said)
    assert count(served) == n


@pytest.mark.parametrize(
    ("encoding", "codec"), [("UTF-8", "utf-8-sig"), ("Windows-1252", "cp1252"), ("UTF-16", "utf-16")]
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_file_is_read_as_it_is_said_to_be_written(served: Served, encoding: str, codec: str, separator: str) -> None:
    """With a mark at its beginning or without; µ comes through, as do CDISC's names of columns."""
    laboratory = somebody(served, Role.LABORATORY)
    names = ("USUBJID", "VISIT", "LBDTC", "LBTESTCD", "LBORRES", "LBORRESU")
    cells = (WHO, "DAY 8", on(served, 8).replace(" ", "T"), "ALC", "900", "cells/µL")
    text = separator.join(names) + "\r\n" + separator.join(cells) + "\r\n"
    imported_page = laboratory.confirm_file(laboratory.send_file(text.encode(codec), encoding=encoding))
    assert "1 results were recorded" in imported_page
    assert sent(served, "day 8")["alc"][0] == 900.0


def test_the_sample_of_a_subject_who_has_died_is_recorded_and_none_taken_afterwards(served: Served) -> None:
    """The post takes days; after a consent that was withdrawn nothing is recorded."""
    investigator, laboratory = served.as_a(Role.INVESTIGATOR), somebody(served, Role.LABORATORY)
    investigator.get(f"/subjects/{WHO}/event")
    for name, step in ((WHO, "died"), (f"{SITE}-002", "withdrew")):
        said = {"step": step, "detail": "septic shock", "at": on(served, 9).replace(" ", "T")}
        investigator.post(f"/subjects/{name}/step", said)
    rows = (f"{WHO},day 8,{on(served, 8)}", f"{WHO},day 15,{on(served, 15)}", f"{SITE}-002,day 8,{on(served, 8)}")
    page = laboratory.send_file((HEAD + "".join(f"{row},alc,1,10^9/L\n" for row in rows)).encode())
    assert "after the subject&#39;s part was over" in page
    assert "consent was withdrawn" in page
    laboratory.confirm_file(page)
    assert sent(served, "day 8").keys() == {"alc"}


def test_a_record_that_moved_on_since_it_was_shown_is_looked_at_again(served: Served) -> None:
    """Somebody else's entry may have made another value of a new one; a file is confirmed once."""
    laboratory = somebody(served, Role.LABORATORY)
    page = laboratory.send_file(masked_of(served).encode())
    other = served.as_a(Role.LABORATORY)
    other.get("/laboratory")
    said = {"subject": WHO, "visit": "day 8", "at": on(served, 8).replace(" ", "T"), "alc": "7", "alc unit": "10^9/L"}
    other.post("/laboratory", said)
    n = count(served)
    assert "changed since this was shown" in laboratory.confirm_file(page, 422)
    assert "send it again" in laboratory.confirm_file(page, 422)
    assert count(served) == n


def test_a_file_that_nobody_confirms_is_forgotten(served: Served) -> None:
    """After half an hour; it lies in memory alone, one a person."""
    person = next(one for one in served.room.accounts.people() if one.role is Role.NURSE)
    uploads, upload = Uploads(), Upload(raw=b"x", encoding="UTF-8", decimal="point")
    uploads.keep(person, upload, 0.0)
    with pytest.raises(InvalidInput, match="not here any more"):
        uploads.take(person, 1801.0)
    uploads.keep(person, upload, 0.0)
    assert uploads.take(person, 1799.0) is upload
    with pytest.raises(InvalidInput):
        uploads.take(person, 1799.0)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=400), head=st.booleans(), encoding=st.sampled_from(["UTF-8", "Windows-1252", "UTF-16"]))
def test_whatever_a_file_holds_it_is_read_or_refused_in_a_sentence(raw: bytes, head: bool, encoding: str) -> None:
    """No other exception leaves the reader."""
    upload = Upload(raw=(HEAD.encode() if head else b"") + raw, encoding=encoding, decimal="comma")
    with contextlib.suppress(InvalidInput):
        assert len(lines_of(upload)) <= len(raw)
