"""Attacks on the door: guessing, replaying, finding out who there is, passwords, links."""

import re

import pyotp
import pytest
from attacked import PASSWORD, Watch, member, served, suspend, take_up_link, watch  # noqa: F401 (fixtures)
from served import SITE, Served

from sevenfold.errors import InvalidInput
from sevenfold.service.opening import admit_everybody
from sevenfold.service.people import door, passwords
from sevenfold.service.people.factor import new_factor
from sevenfold.service.people.tables import PERSON
from sevenfold.service.role import Role


def test_five_failures_shut_the_door_for_a_quarter_of_an_hour_and_no_longer(served: Served, watch: Watch) -> None:
    """While it is shut the right password and code open nothing; after it they do, and the count begins anew."""
    nina = member(served, watch)
    for _ in range(4):
        served.anybody().post("/login", nina.said(password="not my sentence"), 401)
    nina.come_in()
    for _ in range(5):
        watch.at_s += 60
        served.anybody().post("/login", nina.said(password="not my sentence"), 401)
    watch.at_s += 60
    served.anybody().post("/login", nina.said(), 401)
    watch.at_s += 13 * 60
    served.anybody().post("/login", nina.said(), 401)
    watch.at_s += 61
    nina.come_in()


def test_wrong_codes_with_the_right_password_shut_the_door_as_well(served: Served, watch: Watch) -> None:
    """Six digits could be tried out otherwise."""
    nina = member(served, watch)
    for _ in range(5):
        wrong = f"{(int(nina.code()) + 1) % 10**6:06d}"
        served.anybody().post("/login", nina.said(code=wrong), 401)
    served.anybody().post("/login", nina.said(), 401)


def test_a_code_opens_once_and_not_after_its_minute(served: Served, watch: Watch) -> None:
    """The step of the last code that was taken is kept; codes of it and before it open nothing. RFC 6238, 5.2."""
    nina = member(served, watch)
    said = nina.said()
    nina.served.anybody().post("/login", said)
    nina.served.anybody().post("/login", said, 401)
    late = nina.said(code=pyotp.TOTP(nina.factor).at(int(watch.at_s) + 30))
    watch.at_s += 120
    nina.served.anybody().post("/login", late, 401)
    nina.come_in()


def test_whatever_is_wrong_the_door_says_the_same_and_works_as_much(
    served: Served, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, invited, suspended, shut out, wrong password, wrong code: one text, and the password is hashed once for
    each, so that neither tells who there is. Times are not measured here; the hash is what takes time.
    """
    n_hashed = 0
    matches = passwords.matches

    def counted(kept: str, password: str) -> bool:
        nonlocal n_hashed
        n_hashed += 1
        return matches(kept, password)

    monkeypatch.setattr(door, "matches", counted)
    people = [member(served, watch) for _ in range(3)]
    suspended, shut, open_one = people
    suspend(served, suspended.person)
    for _ in range(5):
        served.anybody().post("/login", shut.said(password="not my sentence"), 401)
    invited = served.room.accounts.admit("invited@site.example", "I", Role.NURSE, SITE, (SITE,))
    n_hashed, texts = 0, set()
    tried = [
        suspended.said(), shut.said(), open_one.said(password="not my sentence"), open_one.said(code="000000"),
        open_one.said(login=invited.login), open_one.said(login="nobody@site.example"), open_one.said(code=""),
    ]  # fmt: skip
    for said in tried:
        texts.add(served.anybody().post("/login", said, 401).replace(said["login"], "it"))
    assert n_hashed == len(tried)
    assert len(texts) == 1


def test_passwords_have_twelve_to_256_letters_of_any_kind_and_are_taken_as_typed(served: Served, watch: Watch) -> None:
    """Not trimmed, not cut, not folded; any letters, no rule of composition; not the login or the name."""
    person = served.room.accounts.admit("nina@site.example", "Nina Weber 1970", Role.NURSE, SITE, (SITE,))

    def begun(password: str) -> None:
        take_up_link(served, watch, person, password, new_factor())

    for refused in ("short", "a" * 11, "aaaaaaaaaaaaaaaa", "x y" * 100, "nina@site.example", "Nina Weber 1970"):
        with pytest.raises(InvalidInput, match="sentence of your own"):
            begun(refused)
    kept = " Ünïcode 漢字 and a space at the end "
    for taken in ("all lower case letters", "1234567890 1234", "x7" + "letter " * 36, kept):
        begun(taken)
    row = served.room.accounts.row(PERSON.c.id == person.id)
    assert row is not None
    assert row["password"].startswith("$argon2id$")
    assert passwords.matches(row["password"], kept)
    for other in (kept.strip(), kept.lower(), kept[:-1]):
        assert not passwords.matches(row["password"], other)


def test_the_fields_of_the_door_hide_the_password_and_let_a_manager_fill_it_in(served: Served) -> None:
    """Type password, autocomplete as managers of passwords know it, nothing that forbids to paste."""
    text = served.anybody().get("/login")
    (field,) = re.findall(r'<input [^>]*name="password"[^>]*>', text)
    assert 'type="password"' in field
    assert 'autocomplete="current-password"' in field
    assert "onpaste" not in text


def test_a_link_opens_once_within_three_days_and_a_newer_one_replaces_it(served: Served, watch: Watch) -> None:
    """Its token has 256 bits from the machine, and the database keeps a hash of it alone."""
    person = served.room.accounts.admit("nina@site.example", "Nina", Role.NURSE, SITE, (SITE,))
    first, second = (served.room.invitations.invite(person, watch.at_s) for _ in range(2))
    assert len(second) == 43  # 32 bytes, base64url
    people = b"".join(path.read_bytes() for path in served.folder.glob("people.db*"))
    assert second.encode() not in people
    served.anybody().get(f"/begin/{first}", 422)
    served.anybody().get(f"/begin/{second}")
    watch.at_s += 72 * 3600 + 1
    served.anybody().get(f"/begin/{second}", 422)


def test_who_gets_a_new_link_loses_sessions_and_the_old_factor_when_it_is_taken_up(
    served: Served, watch: Watch
) -> None:
    """A lost factor is renewed by two people, with a reason in the ledger; the old one opens nothing then."""
    nina, administrator = member(served, watch), served.as_a(Role.ADMINISTRATOR)
    sponsor = member(served, watch, Role.SPONSOR)
    inside = nina.come_in()
    administrator.get("/people")
    administrator.post(f"/people/{nina.person.id}/invite", {}, 422)
    text = administrator.post(f"/people/{nina.person.id}/invite", {"reason": "telephone lost"})
    link = re.search(r'class="link">([^<]+)<', text)
    assert link is not None
    confirming = sponsor.come_in()
    watch.at_s += 60
    confirming.get("/attest")
    known = {"known by": "called", "password": PASSWORD, "code": sponsor.code()}
    told = re.search(r'class="half">([^<]+)<', confirming.post(f"/attest/{nina.person.id}", known))
    assert told is not None
    factor = new_factor()
    code = pyotp.TOTP(factor).at(int(watch.at_s))
    said = {"factor": factor, "password": PASSWORD, "again": PASSWORD, "code": code, "told": told[1]}
    served.anybody().post(link[1], said)
    assert inside.client.get("/subjects", follow_redirects=False).status_code == 303
    watch.at_s += 60
    served.anybody().post("/login", nina.said(), 401)
    assert "PersonChanged" in [event.type for event in served.room.conduct.ledger.events()]


def test_nobody_is_there_until_admitted_and_the_door_of_a_demonstration_is_shut(served: Served) -> None:
    """No account comes with the program; in a trial nobody comes in by choosing who to be."""
    assert served.room.accounts.people() == []
    admit_everybody(served.room)
    for person in served.room.accounts.people():
        served.anybody().post("/login/as", {"person": person.id}, 422)
        served.anybody().post("/login", {"login": person.login, "password": "", "code": ""}, 401)
