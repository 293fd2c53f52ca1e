"""Electronic signatures: what they say, what they hold to, what it takes to give one (21 CFR Part 11, subpart C)."""

import re
from html import unescape
from pathlib import Path

import pyotp
import pytest
from attacked import PASSWORD, Watch, member, suspend, watch  # noqa: F401 (fixtures)
from served import SITE, Served, consenting, serve_new

from sevenfold.cli import main
from sevenfold.errors import InvalidInput
from sevenfold.record.data import data_of
from sevenfold.record.payloads import Signed, read_payload
from sevenfold.service.people.accounts import Accounts
from sevenfold.service.people.factor import new_factor
from sevenfold.service.role import RIGHTS, Right, Role

WHO, OTHER = "/subjects/FR-1-001", "FR-1-002"
MEANING = "I have reviewed these data and they are true"
SIGNED = {"visit": "day 1", "meaning": MEANING}


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial with two consenting subjects of whom the same was recorded."""
    one = serve_new(tmp_path / "trial")
    consenting(one, 2)
    nurse = one.as_a(Role.NURSE)
    for who in (WHO, f"/subjects/{OTHER}"):
        nurse.get(f"{who}/visits/day 1")
        nurse.post(f"{who}/visits/day 1", {"at": one.here(), "inr": "1.2"})
    return one


def signatures(served: Served, subject: str = "FR-1-001") -> list[Signed]:
    """Those in the record of a subject."""
    said = [read_payload(event) for event in served.room.conduct.ledger.events_of(subject)]
    return [one for one in said if isinstance(one, Signed)]


def test_a_signature_says_who_signed_when_and_what_it_means(served: Served, watch: Watch) -> None:
    """11.50: printed name, date and time with their zone, meaning; wherever the data are read."""
    ida = member(served, watch, Role.INVESTIGATOR)
    visitor = ida.come_in()
    visitor.get(f"{WHO}/data")
    watch.at_s += 60
    visitor.post(f"{WHO}/data/sign", {**SIGNED, "password": PASSWORD, "code": ida.code()})
    event = served.room.conduct.ledger.events_of("FR-1-001")[-1]
    (said,) = signatures(served)
    assert (said.name, said.meaning, said.visit, event.actor) == (ida.person.name, MEANING, "day 1", ida.person.actor)
    at = f"{event.recorded_at[:10]} {event.recorded_at[11:16]} UTC"
    readers = [role for role in Role if Right.READ_SUBJECTS in RIGHTS[role]]
    assert len(readers) > 4
    for role in readers:
        text = unescape(served.as_a(role).get(f"{WHO}/data"))
        assert re.search(rf"<strong>{ida.person.name}</strong>, {at}: “{MEANING}” \(day 1\)", text), role


def test_every_signature_asks_for_password_and_six_digits_anew(served: Served, watch: Watch) -> None:
    """11.200(a)(1): both components for each signing, within a session too; without one of them nothing is recorded."""
    ida = member(served, watch, Role.INVESTIGATOR)
    visitor = ida.come_in()
    visitor.get(f"{WHO}/data")
    watch.at_s += 60
    right = {"password": PASSWORD, "code": ida.code()}
    for wrong in ({}, {"code": right["code"]}, {"password": PASSWORD}, right | {"password": "not my sentence"}):
        visitor.post(f"{WHO}/data/sign", {**SIGNED, **wrong}, 422)
    assert signatures(served) == []
    visitor.post(f"{WHO}/data/sign", {**SIGNED, **right})
    visitor.post(f"{WHO}/data/sign", {**SIGNED, **right}, 422)
    assert len(signatures(served)) == 1
    watch.at_s += 60
    visitor.post(f"{WHO}/data/sign", {**SIGNED, "visit": "", "password": PASSWORD, "code": ida.code()})
    assert len(signatures(served)) == 2


def test_a_signature_of_one_visit_says_nothing_of_another(served: Served) -> None:
    """11.70: copied to a subject of whom the same was recorded, or to another scope, it is void."""
    served.room.is_demo = True  # nobody has a password there: what follows is about what is signed
    investigator = served.as_a(Role.INVESTIGATOR)
    investigator.get(f"{WHO}/data")
    investigator.post(f"{WHO}/data/sign", SIGNED)
    (said,) = signatures(served)
    now = served.room.clock.now()
    with served.room.step(None) as conduct:
        conduct.record(OTHER, said, "investigator", now)
        conduct.record("FR-1-001", said.model_copy(update={"visit": None}), "investigator", now)
    ledger = served.room.conduct.ledger
    assert [one.is_void for one in data_of(ledger.events_of("FR-1-001")).signatures] == [False, True]
    assert [one.is_void for one in data_of(ledger.events_of(OTHER)).signatures] == [True]


def test_a_login_is_one_person_s_and_is_never_given_to_another(served: Served) -> None:
    """11.100(a): however it is written, and after its owner was suspended; nobody is ever taken off the list."""
    accounts = served.room.accounts
    first = accounts.admit("ida@site.example", "Ida Roth", Role.INVESTIGATOR, SITE, (SITE,))
    administrator = served.as_a(Role.ADMINISTRATOR)
    for is_suspended in (False, True):
        suspend(served, first, is_suspended=is_suspended)
        for login in ("ida@site.example", " IDA@Site.example "):
            with pytest.raises(InvalidInput, match="Somebody has the login"):
                accounts.admit(login, "Another Ida", Role.NURSE, SITE, (SITE,))
            administrator.get("/people")
            said = {"name": "Another Ida", "login": login, "role": "nurse", "site": SITE}
            administrator.post("/people", said, 422)
    people = accounts.people()
    assert len({one.id for one in people}) == len(people)
    assert [one.name for one in people if one.login == "ida@site.example"] == ["Ida Roth"]
    assert not [name for name in vars(Accounts) if "delete" in name or "remove" in name]


def test_the_people_s_database_gives_neither_password_nor_factor(served: Served, watch: Watch) -> None:
    """Whoever reads it can't sign as somebody: a hash that takes its time, and a secret that is sealed."""
    ida = member(served, watch, Role.INVESTIGATOR)
    held = b"".join(path.read_bytes() for path in served.folder.glob("people.db*"))
    assert ida.person.login.encode() in held  # the same search finds what is there
    assert b"$argon2id$" in held
    for secret in (PASSWORD, ida.factor):
        assert secret.encode() not in held


def test_an_authenticator_is_tried_before_it_counts(served: Served, watch: Watch) -> None:
    """11.300(e): a link is taken up only with the digits that the new authenticator shows."""
    person = served.room.accounts.admit("new@site.example", "New", Role.NURSE, SITE, (SITE,))
    token, factor = served.room.invitations.invite(person, watch.at_s), new_factor()
    code = pyotp.TOTP(factor).at(int(watch.at_s))
    said = {"factor": factor, "password": PASSWORD, "again": PASSWORD}
    for wrong in ("", f"{(int(code) + 1) % 10**6:06d}", pyotp.TOTP(new_factor()).at(int(watch.at_s))):
        served.anybody().post(f"/begin/{token}", said | {"code": wrong}, 422)
        found = served.room.accounts.person(person.id)
        assert found is not None
        assert not found.has_begun
    served.anybody().post(f"/begin/{token}", said | {"code": code})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "trial.example"])
def test_other_machines_are_served_behind_tls_alone(
    tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """11.30: passwords and data would travel in clear; nothing is made or served."""
    folder = tmp_path / "trial"
    assert main(["serve", "--protocol", "iris-7", "--folder", str(folder), "--host", host]) == 2
    assert "--behind-tls" in capsys.readouterr().err
    assert not folder.exists()
