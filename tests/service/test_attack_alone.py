"""Attacks of an administrator who acts alone: signing as somebody else, or letting in somebody who isn't there."""

import re
from pathlib import Path

import pytest
from attacked import PASSWORD, Member, Watch, member, suspend
from served import SITE, Served, Visitor, serve_again, serve_new

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import PersonAdmitted, PersonChanged, read_payload
from sevenfold.service.people.factor import new_factor
from sevenfold.service.people.invitations import may_attest
from sevenfold.service.people.tables import PERSON
from sevenfold.service.role import AT_A_SITE, RIGHTS, Right, Role
from sevenfold.trial.opening import open_site

NEW = "another sentence of mine"


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """A clock that can be put forward."""
    return Watch().put_on(monkeypatch)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A trial that is under way."""
    one = serve_new(tmp_path / "trial")
    sponsor = one.as_a(Role.SPONSOR)
    sponsor.get("/progress")
    sponsor.post(f"/sites/{SITE}/open")
    return one


@pytest.fixture
def nina(served: Served, watch: Watch) -> Member:
    """A nurse who signs, in whose stead somebody would like to sign."""
    return member(served, watch)


@pytest.fixture
def adam(served: Served, watch: Watch) -> Member:
    """An administrator."""
    return member(served, watch, Role.ADMINISTRATOR)


def asked(adam: Member, nina: Member, watch: Watch) -> tuple[Visitor, str]:
    """The administrator's browser, and the link that the page shows to him."""
    watch.at_s += 60
    page = adam.come_in()
    page.get("/people")
    return page, link_in(page.post(f"/people/{nina.person.id}/invite", {"reason": "telephone lost"}))


def link_in(text: str) -> str:
    """The link that a page shows."""
    found = re.search(r'class="link">([^<]+)<', text)
    assert found is not None
    return found[1]


def code_in(text: str) -> str:
    """The code that a page shows."""
    found = re.search(r'class="half">([^<]+)<', text)
    assert found is not None
    return found[1]


def attests(one: Member, nina: Member, watch: Watch, status: int = 200, **other: str) -> str:
    """Somebody comes in and confirms who somebody is; answers the page."""
    watch.at_s += 60
    page = one.come_in()
    watch.at_s += 60
    page.get("/attest")
    said = {"known by": "met", "password": PASSWORD, "code": one.code(), **other}
    return page.post(f"/attest/{nina.person.id}", said, status)


def taking_up(served: Served, watch: Watch, link: str, told: str, status: int = 200) -> str:
    """Whoever has a link and a code tries them; answers the page."""
    watch.at_s += 60
    factor = new_factor()
    digits = Member(served, served.room.accounts.people()[0], factor).code()
    said = {"factor": factor, "password": NEW, "again": NEW, "code": digits, "told": told}
    return served.anybody().post(link, said, status)


def password_of(served: Served, nina: Member) -> object:
    """What is kept of somebody's password."""
    row = served.room.accounts.row(PERSON.c.id == nina.person.id)
    assert row is not None
    return row["password"]


def told_of(served: Served, person: str) -> list[tuple[str, str, str]]:
    """What the ledger tells of somebody's access: what, why, by whom."""
    events = [(read_payload(event), event.actor) for event in served.room.conduct.ledger.of_type("PersonChanged")]
    return [
        (said.change, said.reason, actor)
        for said, actor in events
        if isinstance(said, PersonChanged) and said.person == person
    ]


def test_who_lost_the_telephone_is_in_again_with_the_help_of_two_and_the_ledger_names_both(
    served: Served, nina: Member, adam: Member, watch: Watch
) -> None:
    """The administrator sees the link, the confirmer the code, neither the other's; all three steps are recorded."""
    inside = nina.come_in()
    page, link = asked(adam, nina, watch)
    sponsor = member(served, watch, Role.SPONSOR)
    text = attests(sponsor, nina, watch)
    code = code_in(text)
    assert link not in text
    assert code not in page.get("/people")
    assert [one[2] for one in told_of(served, nina.person.id)] == [adam.person.actor, sponsor.person.actor]
    taking_up(served, watch, link, f" {code.lower().replace('-', ' ')} ")
    assert told_of(served, nina.person.id) == [
        ("renewal asked", "telephone lost", adam.person.actor),
        ("attested", "met in person", sponsor.person.actor),
        ("second factor renewed", "by the person, with a new link", nina.person.actor),
    ]
    assert inside.client.get("/subjects", follow_redirects=False).status_code == 303
    served.anybody().get(link, 422)
    stored = b"".join(path.read_bytes() for path in served.folder.glob("*.db*"))
    assert code.replace("-", "").encode() not in stored


def test_an_administrator_alone_gets_at_nobody_s_signature(
    served: Served, nina: Member, adam: Member, watch: Watch
) -> None:
    """The link opens nothing; he can't confirm what he asked for, nor can the person whom it is for."""
    before = password_of(served, nina)
    _, link = asked(adam, nina, watch)
    assert "second person" in served.anybody().get(link, 422)
    taking_up(served, watch, link, "00000-00000", 422)
    attests(adam, nina, watch, 422)
    ida = member(served, watch, Role.INVESTIGATOR)
    page, link = asked(adam, ida, watch)
    attests(ida, ida, watch, 422)
    watch.at_s += 60
    text = ida.come_in().get("/attest")
    assert f"/attest/{nina.person.id}" in text
    assert f"/attest/{ida.person.id}" not in text
    assert password_of(served, nina) == before
    assert [one[0] for one in told_of(served, nina.person.id)] == ["renewal asked"]
    assert "Nobody waits for you" in page.get("/attest")
    with pytest.raises(InvalidInput, match="takes two people"):
        served.room.invitations.invite(nina.person, watch.at_s)
    watch.at_s += 60
    nina.come_in()


def test_an_administrator_alone_lets_in_nobody_once_the_trial_is_under_way(
    served: Served, adam: Member, watch: Watch
) -> None:
    """Neither an investigator who doesn't exist, nor a second self who would confirm for the first."""
    page = adam.come_in()
    page.get("/people")
    for role, site in (("administrator", ""), ("sponsor", ""), ("investigator", SITE)):
        said = {"name": f"Not {role}", "login": f"not-{role}@site.example", "role": role, "site": site}
        link = link_in(page.post("/people", said))
        taking_up(served, watch, link, "", 422)
        events = served.room.conduct.ledger.of_type("PersonAdmitted")
        admitted = read_payload(events[-1])
        assert isinstance(admitted, PersonAdmitted)
        assert not admitted.is_by_one_hand
        (person,) = [one for one in served.room.accounts.people() if one.id == admitted.person]
        assert not person.has_begun
        page.get("/people")
        again = link_in(page.post(f"/people/{person.id}/invite"))
        taking_up(served, watch, again, "", 422)
    assert not any(one.has_begun for one in served.room.accounts.people() if one.name.startswith("Not "))


def test_while_the_trial_is_set_up_one_admits_alone_and_the_ledger_and_the_others_can_tell(
    tmp_path: Path, watch: Watch
) -> None:
    """Who was admitted so is listed to whoever may confirm people; even then nobody's signature is renewed alone."""
    served = serve_new(tmp_path / "trial")
    adam = member(served, watch, Role.ADMINISTRATOR)
    page = adam.come_in()
    page.get("/people")
    said = {"name": "Sara Lind", "login": "sara@trial.example", "role": "sponsor", "site": ""}
    link = link_in(page.post("/people", said))
    taking_up(served, watch, link, "")
    admitted = read_payload(served.room.conduct.ledger.of_type("PersonAdmitted")[-1])
    assert isinstance(admitted, PersonAdmitted)
    assert admitted.is_by_one_hand
    assert "Sara Lind" in member(served, watch, Role.MONITOR).come_in().get("/attest")
    sara = next(one for one in served.room.accounts.people() if one.name == "Sara Lind")
    assert sara.has_begun
    link = link_in(page.post(f"/people/{sara.id}/invite", {"reason": "telephone lost"}))
    served.anybody().get(link, 422)


def test_where_nobody_could_confirm_nothing_is_asked_for_or_recorded(tmp_path: Path, watch: Watch) -> None:
    """Neither a new link nor somebody new, and the login stays free."""
    served = serve_new(tmp_path / "trial")
    nina, adam = member(served, watch), member(served, watch, Role.ADMINISTRATOR)
    page = adam.come_in()
    page.get("/people")
    n = served.room.conduct.ledger.head.count
    assert "Nobody could confirm" in page.post(f"/people/{nina.person.id}/invite", {"reason": "lost"}, 422)
    with served.room.step(None) as conduct:
        open_site(conduct, SITE, served.room.clock.now())
    said = {"name": "Sara", "login": "sara@trial.example", "role": "sponsor", "site": ""}
    page.post("/people", said, 422)
    assert served.room.conduct.ledger.head.count == n + 1
    member(served, watch, Role.MONITOR)
    page.post("/people", said)


def test_a_code_is_guessed_five_times_at_most(served: Served, nina: Member, adam: Member, watch: Watch) -> None:
    """50 bits, five tries; then the link is gone, and the right code opens nothing."""
    _, link = asked(adam, nina, watch)
    code = code_in(attests(member(served, watch, Role.SPONSOR), nina, watch))
    for _ in range(4):
        assert "not the one" in taking_up(served, watch, link, "00000-00000", 422)
    assert "five times" in taking_up(served, watch, link, "", 422)
    taking_up(served, watch, link, code, 422)
    watch.at_s += 60
    nina.come_in()


def test_a_code_goes_with_one_link_alone(served: Served, nina: Member, adam: Member, watch: Watch) -> None:
    """A link that was asked for again waits for a new confirmation; nobody is told a code twice for one."""
    page, first = asked(adam, nina, watch)
    sponsor = member(served, watch, Role.SPONSOR)
    code = code_in(attests(sponsor, nina, watch))
    attests(sponsor, nina, watch, 422)
    page.get("/people")
    second = link_in(page.post(f"/people/{nina.person.id}/invite", {"reason": "the link was lost"}))
    for link in (first, second):
        taking_up(served, watch, link, code, 422)
    later = code_in(attests(sponsor, nina, watch))
    assert later != code
    taking_up(served, watch, second, code, 422)
    watch.at_s += 72 * 3600
    taking_up(served, watch, second, later, 422)


def test_a_confirmation_asks_for_password_and_six_digits_and_for_how_one_knows(
    served: Served, nina: Member, adam: Member, watch: Watch
) -> None:
    """A session that somebody left open confirms nobody; nothing is recorded."""
    asked(adam, nina, watch)
    sponsor = member(served, watch, Role.SPONSOR)
    attests(sponsor, nina, watch, 422, password="not my sentence")
    attests(sponsor, nina, watch, 422, code="000000")
    attests(sponsor, nina, watch, 422, **{"known by": "guessed"})
    assert [one[0] for one in told_of(served, nina.person.id)] == ["renewal asked"]


def test_whoever_made_a_link_and_is_suspended_made_none(
    served: Served, nina: Member, adam: Member, watch: Watch
) -> None:
    """An administrator or confirmer who turns out to be false takes their links with them; so does the person."""
    sponsor = member(served, watch, Role.SPONSOR)
    for false in (adam, sponsor, nina):
        _, link = asked(adam, nina, watch)
        code = code_in(attests(sponsor, nina, watch))
        served.anybody().get(link)
        suspend(served, false.person)
        taking_up(served, watch, link, code, 422)
        suspend(served, false.person, is_suspended=False)


@pytest.mark.parametrize("role", Role)
def test_who_may_confirm_whom(served: Served, role: Role) -> None:
    """By office; an investigator the people of the own site alone, and nobody themselves or what they asked for."""
    accounts, sites = served.room.accounts, tuple(served.room.protocol.sites)
    one = accounts.admit("one", "One", role, SITE if role in AT_A_SITE else None, sites)
    here = accounts.admit("here", "Here", Role.PHARMACIST, SITE, sites)
    there = accounts.admit("there", "There", Role.NURSE, "FR-2", sites)
    whole = accounts.admit("whole", "Whole", Role.LABORATORY, None, sites)
    is_office = Right.ATTEST in RIGHTS[role]
    assert is_office == (
        role in {Role.ADMINISTRATOR, Role.SPONSOR, Role.MONITOR, Role.MEDICAL_MONITOR, Role.INVESTIGATOR}
    )
    assert may_attest(one, here, whole.id) == is_office
    assert may_attest(one, there, whole.id) == may_attest(one, whole, here.id) == (is_office and role not in AT_A_SITE)
    assert not may_attest(one, one, whole.id)
    assert not may_attest(one, here, one.id)


def test_what_waits_for_a_second_person_does_so_after_a_restart(
    served: Served, nina: Member, adam: Member, watch: Watch
) -> None:
    """Link and confirmation are kept; the code is not."""
    _, link = asked(adam, nina, watch)
    again = serve_again(served)
    sponsor = member(again, watch, Role.SPONSOR)
    code = code_in(attests(sponsor, nina, watch))
    last = serve_again(again)
    taking_up(last, watch, link, code)
    last.room.close()
