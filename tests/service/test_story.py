"""The whole story through the pages: from the first administrator's link to an emergency."""

import re
from pathlib import Path

import pyotp
from served import HERE, SITE, eligible, serve_new, take_up

from sevenfold.record.verify import verify
from sevenfold.service.opening import first_link
from sevenfold.service.role import Role


def test_the_first_administrator_begins_by_a_link_that_opens_once(tmp_path: Path) -> None:
    """Nobody can come in before, and nobody by the same link after."""
    served = serve_new(tmp_path / "trial")
    link = first_link(served.room, HERE)
    assert link is not None
    visitor = served.anybody()
    take_up(visitor, link, "a sentence of my own")
    assert "Admit somebody" in visitor.get("/people")
    served.anybody().get(link.removeprefix(HERE), status=422)
    assert first_link(served.room, HERE) is None


def test_somebody_admitted_comes_in_with_password_and_six_digits_once_each(tmp_path: Path) -> None:
    """A code that was used opens nothing a second time, nor does the right code with a wrong password."""
    served = serve_new(tmp_path / "trial")
    administrator = served.as_a(Role.ADMINISTRATOR)
    administrator.get("/people")
    text = administrator.post(
        "/people", {"name": "Nina Weber", "login": "nina@site.example", "role": "nurse", "site": SITE}
    )
    link = re.search(r'class="link">([^<]+)<', text)
    assert link is not None
    factor = take_up(served.anybody(), link[1], "one of my sentences")
    step = served.room.now_s() // 30
    late = pyotp.TOTP(factor).at(int((step + 1) * 30))
    wrong = {"login": "nina@site.example", "password": "not my sentence", "code": late}
    right = wrong | {"password": "one of my sentences"}
    served.anybody().post("/login", wrong, 401)
    nurse = served.anybody()
    assert "Nina Weber" in nurse.post("/login", right)
    served.anybody().post("/login", right, 401)


def test_a_subject_is_screened_randomised_and_dosed_by_those_whose_work_it_is(tmp_path: Path) -> None:
    """Every step is in the ledger with the person who took it, and the chain holds."""
    served = serve_new(tmp_path / "trial")
    sponsor = served.as_a(Role.SPONSOR)
    sponsor.get("/progress")
    sponsor.post(f"/sites/{SITE}/open")
    investigator = served.as_a(Role.INVESTIGATOR)
    assert "FR-1-001" in investigator.get("/screen")
    known = eligible(served)
    unfit = {**known, "subject": "FR-1-001", "number age": "91"}
    assert "Age 91" in investigator.post("/screen", unfit)
    assert "every criterion is met" in investigator.post("/screen", {**known, "subject": "FR-1-002"})
    who = "/subjects/FR-1-002"
    investigator.post(f"{who}/consent", {"by": "representative", "at": served.here()})
    nurse = served.as_a(Role.NURSE)
    assert 'name="alc"' in nurse.get(f"{who}/visits/day 1")
    measured = {"at": served.here(), "alc": "0.45", "alc unit": "10^9/L", "platelets": "120000", "inr": "1.2"}
    nurse.post(f"{who}/visits/day 1", measured)
    investigator.get(who)
    investigator.post(f"{who}/randomise")
    pharmacist = served.as_a(Role.PHARMACIST)
    pharmacist.get("/pharmacy")
    kit = re.search(r"<td>(\d{7})</td>", pharmacist.post("/pharmacy/FR-1-002/1"))
    assert kit is not None
    nurse.get(who)
    nurse.post(f"{who}/doses/1", {"at": served.here(), "kit": "1234567", "given": "yes"}, 409)
    nurse.post(f"{who}/doses/1", {"at": served.here(), "kit": kit[1], "given": "yes"})
    investigator.get(f"{who}/event")
    event = {"number": "1", "term": "Respiratory distress", "grade": "4", "serious": "yes", "relation": "possible"}
    investigator.post(f"{who}/event", {**event, "outcome": "recovering", "began": served.here()})
    assert "severe event" in served.as_a(Role.MEDICAL_MONITOR).get("/safety")
    conduct = served.room.conduct
    said = [(event.type, event.actor.rpartition(" ")[0]) for event in conduct.ledger.events_of("FR-1-002")]
    assert said[:7] == [
        ("CandidateScreened", "investigator"),
        ("ConsentGiven", "investigator"),
        ("VisitHeld", "nurse"),
        ("Randomised", "investigator"),
        ("Dispensed", "unblinded pharmacist"),
        ("DoseGiven", "nurse"),
        ("AdverseEventReported", "investigator"),
    ]
    assert verify(served.folder / "trial.db").is_whole
