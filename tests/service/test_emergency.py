"""Emergencies: no lock and no end bars one, the sponsor takes note of it without the arm, envelopes open without us."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, Page
from served import SITE, Served, Visitor, enrolled, serve_new, signed

from sevenfold.cli import main
from sevenfold.edge.keys import key_beside
from sevenfold.record.payloads import DataLocked, LostToFollowUp
from sevenfold.service.identities.identity import Identity
from sevenfold.service.role import Role
from sevenfold.trial.closing import lock_database
from sevenfold.vault.envelopes import open_envelope

ASKED = {"asked_by": "The surgeon", "reason": "bleeding"}


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial that is no demonstration in which nobody is asked again: confirming has its own tests."""
    made = serve_new(tmp_path / "trial")
    made.room.is_demo = True
    return made


def shown(visitor: Visitor, name: str) -> str:
    """The arm that an emergency shows."""
    visitor.get(f"/subjects/{name}/unblind")
    text = visitor.post(f"/subjects/{name}/unblind", ASKED)
    found = re.search(r'class="headline">([^<]+)<', text)
    assert found is not None
    return found[1].strip()


def test_no_lock_and_no_end_of_a_part_bars_an_emergency(served: Served) -> None:
    """A locked subject, one who was lost, and a locked database: the treatment is shown, on the record."""
    (name,) = enrolled(served, 1)
    investigator, room = served.as_a(Role.INVESTIGATOR), served.room
    labels = {arm.label for arm in room.protocol.arms}
    with room.step(None) as conduct:
        conduct.record(name, LostToFollowUp(), "investigator", room.clock.now())
    arms = [shown(investigator, name)]
    signed(served, name)
    with room.step(None) as conduct:
        conduct.record(name, DataLocked(scope="subject", name=name), "data manager", room.clock.now())
    arms.append(shown(investigator, name))
    signed(served, name)  # again: the emergency came after
    with room.step(None) as conduct:
        lock_database(conduct, room.clock.now())
    arms.append(shown(investigator, name))
    assert len(set(arms)) == 1
    assert arms[0] in labels
    assert len(room.conduct.ledger.of_type("EmergencyUnblinded")) == 3


@pytest.mark.parametrize("wrong", ["nothing", "entry", "entries", "keys", "no keys", "empty keys"])
def test_no_list_of_identities_bars_an_emergency(served: Served, wrong: str) -> None:
    """Neither a name of the subject's in its texts, which another may bear, nor whatever is wrong with the list."""
    (name,) = enrolled(served, 1)
    identities = served.room.identities
    identities.keep(name, Identity(family_name="Surgeon", given_name="Anne", born="1961-03-31", hospital_number="4711"))
    kept = identities.of(name)
    assert kept is not None
    assert kept.is_told_by(ASKED["asked_by"])
    garbage = b"no database" * 1000
    match wrong:
        case "entry":
            with closing(sqlite3.connect(identities.path)) as connection, connection:
                connection.execute("UPDATE identity SET sealed = 'altered'")
        case "entries":
            identities.path.write_bytes(garbage)
        case "keys":
            identities.keys.path.write_bytes(garbage)
        case "no keys":
            identities.keys.path.unlink()
        case "empty keys":
            identities.keys.path.write_bytes(b"")
    investigator = served.as_a(Role.INVESTIGATOR)
    assert shown(investigator, name) in {arm.label for arm in served.room.protocol.arms}
    said = {"opened_by": "The surgeon", "why": "Anne, 4711, bleeds", "at": served.here()}
    investigator.post(f"/subjects/{name}/unblind/envelope", said)
    ledger = served.room.conduct.ledger
    assert len(ledger.of_type("EmergencyUnblinded")) == len(ledger.of_type("EnvelopeOpened")) == 1


def test_nobody_who_is_not_randomised_is_unblinded(served: Served) -> None:
    """There is nothing to show, and nothing is recorded."""
    served.as_a(Role.SPONSOR).post(f"/sites/{SITE}/open")
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get("/screen")
    count = served.room.conduct.ledger.head.count
    investigator.post(f"/subjects/{SITE}-001/unblind", ASKED, 422)
    assert served.room.conduct.ledger.head.count == count


def test_the_sponsor_is_told_without_the_arm_and_takes_note_once(served: Served) -> None:
    """The notice says who, why and when; the tile of the first screen goes when it was read."""
    (name,) = enrolled(served, 1)
    arm = shown(served.as_a(Role.INVESTIGATOR), name)
    sponsor = served.as_a(Role.SPONSOR)
    assert "shown in an emergency; 1 notices" in sponsor.get("/progress")
    page = sponsor.get("/notices")
    assert all(word in page for word in (name, *ASKED.values(), "on the server"))
    assert arm not in page
    of = served.room.conduct.ledger.of_type("EmergencyUnblinded")[0].sequence
    served.as_a(Role.MONITOR).get("/notices")
    served.as_a(Role.MONITOR).post(f"/notices/{of}", status=403)
    sponsor.get("/notices")
    assert "has taken note" in sponsor.post(f"/notices/{of}")
    sponsor.post(f"/notices/{of}", status=422)
    assert "wait to be read" not in sponsor.get("/progress")


def test_an_opened_envelope_is_recorded_afterwards_with_its_own_time(served: Served) -> None:
    """Not before the randomisation, not in the future; and it stands among the emergencies."""
    (name,) = enrolled(served, 1)
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get(f"/subjects/{name}/unblind")
    said = {"opened_by": "The surgeon", "why": "server down"}
    at = f"/subjects/{name}/unblind/envelope"
    assert "was randomised later" in investigator.post(at, {**said, "at": served.here(hours=5)}, 422)
    investigator.post(at, {**said, "at": served.here(hours=-5)}, 409)
    investigator.post(at, {**said, "at": served.here()})
    page = served.as_a(Role.SPONSOR).get("/notices")
    assert all(word in page for word in (name, *said.values(), "sealed envelope"))


def envelopes(served: Served, tmp_path: Path, *more: str) -> tuple[Path, dict[str, str]]:
    """The page that opens, and the codes by number, as the command writes them."""
    to, folder = tmp_path / "envelopes", served.folder
    told = ["envelopes", str(folder), "--key", str(key_beside(folder)), "--site", SITE, "--to", str(to), *more]
    assert main(told) == 0
    cards = (to / f"codes-{SITE}.html").read_text(encoding="utf-8")
    codes = re.findall(r"· ([A-Z]+-\d{3})</strong></p>\s*<p class=\"code\">([0-9A-Z-]{19})<", cards)
    for path in to.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text(encoding="utf-8")
        arms = served.room.protocol.arms
        assert not any(re.search(rf"\b{re.escape(word)}\b", text) for arm in arms for word in (arm.id, arm.label))
    return to / f"envelopes-{SITE}.html", dict(codes)


def test_the_envelope_of_a_subject_says_what_the_server_says(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the server runs and holds the trial; every place of the site's stratum has one; nothing is overwritten."""
    (name,) = enrolled(served, 1)
    page, codes = envelopes(served, tmp_path)
    number = str(served.room.conduct.standings[name].number)
    found = re.search(r'<script id="given" type="application/json">(.*)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    sealed = json.loads(found[1])["sealed"]
    assert set(sealed) == set(codes)
    assert len(codes) == served.room.protocol.population.planned
    arm = shown(served.as_a(Role.INVESTIGATOR), name)
    assert open_envelope(number, codes[number], sealed[number]) == arm
    folder = served.folder
    again = ["envelopes", str(folder), "--key", str(key_beside(folder)), "--site", SITE, "--to", str(page.parent)]
    assert main(again) == 2
    assert main([*again[:-1], str(tmp_path / "x"), "--site", "XX-1"]) == 2
    assert "has no site" in capsys.readouterr().err


def grave_faults(page: Page) -> list[str]:
    """What keeps somebody from using a page who sees badly or not at all."""
    found = Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_browser_without_a_network_opens_an_envelope(
    served: Served, tmp_path: Path, browser: Browser, language: str
) -> None:
    """From the file itself: a wrong code says so, the right one shows the arm and what to record."""
    (name,) = enrolled(served, 1)
    path, codes = envelopes(served, tmp_path, "--language", language)
    number = str(served.room.conduct.standings[name].number)
    arm = shown(served.as_a(Role.INVESTIGATOR), name)
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 800})
    page, faults = context.new_page(), list[str]()
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(path.with_name(f"codes-{SITE}.html").as_uri())
    assert grave_faults(page) == []
    page.goto(path.as_uri())
    assert grave_faults(page) == []
    page.select_option("#number", number)
    page.fill("#who", "The surgeon")
    page.fill("#why", "server down")
    page.fill("#code", next(code for other, code in codes.items() if other != number))
    page.click("button")
    page.wait_for_selector("#fault:not([hidden])")
    assert page.inner_text("#arm") == ""
    page.fill("#code", codes[number].lower().replace("-", " "))
    page.click("button")
    page.wait_for_selector("#shown:not([hidden])")
    assert page.inner_text("#arm") == arm
    assert all(word in page.inner_text("#record") for word in (number, "The surgeon", "server down"))
    assert faults == []
    context.close()
