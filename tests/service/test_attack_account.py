"""Your account: one's own password and one's own sessions, and nobody else's."""

import re

import pytest
from attacked import PASSWORD, Member, Watch, link_of, member, nina, served, watch  # noqa: F401 (fixtures)
from served import Served, Visitor

from sevenfold.record.payloads import PersonChanged
from sevenfold.service.people.browser import browser_of
from sevenfold.service.role import Role

NEW = "another sentence of mine"


def is_in(visitor: Visitor) -> bool:
    """Whether a browser's session opens anything."""
    return visitor.client.get("/account", follow_redirects=False).status_code == 200


def asked(nina: Member, **other: str) -> dict[str, str]:
    """The form for a new password."""
    return {"password": PASSWORD, "new": NEW, "again": NEW, "code": nina.code(), **other}


def keys(text: str) -> list[str]:
    """The sessions that a page offers to end."""
    return re.findall(r'action="/account/sessions/(\w+)/end"', text)


def test_who_shows_the_present_password_and_six_digits_gets_a_new_one(
    served: Served, nina: Member, watch: Watch
) -> None:
    """The old one opens nothing, other sessions and known browsers are gone, this one stays; the ledger says so."""
    other, own = nina.come_in(), served.anybody()
    watch.at_s += 60
    own.post("/login", nina.said())
    watch.at_s += 60
    elsewhere = other.client.cookies["sevenfold_device"]
    own.get("/account")
    before = served.room.conduct.ledger.head.count
    assert "Your password was changed" in own.post("/account/password", asked(nina))
    assert is_in(own)
    assert not is_in(other)
    is_known = served.room.devices.is_known
    assert not is_known(nina.person.id, elsewhere, watch.at_s)
    assert is_known(nina.person.id, own.client.cookies["sevenfold_device"], watch.at_s)
    assert served.room.conduct.ledger.head.count == before + 1
    event = served.room.conduct.ledger.of_type("PersonChanged")[-1]
    said = PersonChanged.model_validate_json(event.payload)
    assert (said.person, said.change) == (nina.person.id, "password changed")
    assert NEW.encode() not in event.payload
    watch.at_s += 60
    served.anybody().post("/login", nina.said(), 401)
    served.anybody().post("/login", nina.said(password=NEW))


def test_a_new_password_is_refused_without_the_present_one_the_digits_or_what_every_password_must_be(
    served: Served, nina: Member, watch: Watch
) -> None:
    """Nothing is changed or recorded, and the form is shown again; guessing here ends the session at the fifth."""
    own = nina.come_in()
    watch.at_s += 60
    own.get("/account")
    before = served.room.conduct.ledger.head.count
    for wrong, told in (
        ({"again": "something else altogether"}, "not the same"),
        ({"new": "short", "again": "short"}, "12 to 256"),
        ({"new": PASSWORD, "again": PASSWORD}, "the present one"),
        ({"new": nina.person.login, "again": nina.person.login}, "guessed at once"),
        ({"password": "not my sentence"}, "do not belong together"),
        ({"code": "000000"}, "do not belong together"),
    ):
        text = own.post("/account/password", asked(nina, **wrong), 422)
        assert told in text
        assert 'action="/account/password"' in text
        assert PASSWORD not in text
    for _ in range(2):
        own.post("/account/password", asked(nina, password="not my sentence"), 422)
    assert "Log in again" in own.post("/account/password", asked(nina, password="not my sentence"), 422)
    assert not is_in(own)
    assert served.room.conduct.ledger.head.count == before
    nina.come_in()


def renewing(nina: Member, own: Visitor, **other: str) -> tuple[str, dict[str, str]]:
    """The new secret that the page shows, and the form filled in."""
    found = re.search(r'name="factor" value="([A-Z2-7]{32})"', own.get("/account/factor"))
    assert found is not None
    digits = Member(nina.served, nina.person, found[1]).code()
    said = {"factor": found[1], "password": PASSWORD, "code": nina.code(), "new code": digits}
    return found[1], said | {name.replace("_", " "): value for name, value in other.items()}


def test_who_shows_the_password_and_six_digits_of_both_gets_a_new_second_factor(
    served: Served, nina: Member, watch: Watch
) -> None:
    """The old one opens nothing; other sessions, browsers and links are gone, this session stays; it is recorded."""
    other, own = nina.come_in(), served.anybody()
    watch.at_s += 60
    own.post("/login", nina.said())
    elsewhere, here = other.client.cookies["sevenfold_device"], own.client.cookies["sevenfold_device"]
    watch.at_s += 60
    new, said = renewing(nina, own)
    assert new != nina.factor
    assert new not in own.get("/account/factor")
    link, _ = link_of(served, watch, nina.person)
    before = served.room.conduct.ledger.head.count
    assert "Your second factor was renewed" in own.post("/account/factor", said)
    assert is_in(own)
    assert not is_in(other)
    assert not served.room.devices.is_known(nina.person.id, elsewhere, watch.at_s)
    assert own.client.cookies["sevenfold_device"] != here
    assert served.room.devices.is_known(nina.person.id, own.client.cookies["sevenfold_device"], watch.at_s)
    assert served.room.invitations.of(link, watch.at_s) is None
    assert served.room.conduct.ledger.head.count == before + 1
    event = served.room.conduct.ledger.of_type("PersonChanged")[-1]
    told = PersonChanged.model_validate_json(event.payload)
    assert (told.person, told.change, event.actor) == (nina.person.id, "second factor renewed", nina.person.actor)
    held = b"".join(path.read_bytes() for path in served.folder.glob("*.db*"))
    assert new.encode() not in held
    renewed = Member(served, nina.person, new)
    served.anybody().post("/login", renewed.said(), 401)  # the code that showed that it works
    watch.at_s += 60
    served.anybody().post("/login", nina.said(), 401)
    renewed.come_in()


def test_a_second_factor_is_not_renewed_without_the_password_the_present_digits_and_the_new_ones(
    served: Served, nina: Member, watch: Watch
) -> None:
    """Nothing is changed or recorded, the same picture is shown again, and guessing ends the session at the fifth."""
    own = nina.come_in()
    watch.at_s += 60
    before = served.room.conduct.ledger.head.count
    for wrong, told in (
        ({"new_code": "000000"}, "other digits"),
        ({"password": "not my sentence"}, "do not belong together"),
        ({"code": "000000"}, "do not belong together"),
    ):
        new, said = renewing(nina, own, **wrong)
        text = own.post("/account/factor", said, 422)
        assert told in text
        assert new in text
        assert PASSWORD not in text
    for odd in ("", "x" * 32, "A" * 31, nina.factor.lower()):
        own.post("/account/factor", renewing(nina, own)[1] | {"factor": odd}, 422)
    for _ in range(2):
        own.post("/account/factor", renewing(nina, own, code="000000")[1], 422)
    assert "Log in again" in own.post("/account/factor", renewing(nina, own, code="000000")[1], 422)
    assert not is_in(own)
    assert served.room.conduct.ledger.head.count == before
    nina.come_in()


def test_everybody_sees_their_own_sessions_since_when_and_ends_any_or_all_others(
    served: Served, nina: Member, watch: Watch
) -> None:
    """This one is named, and goes on."""
    first, second = nina.come_in(), served.anybody()
    watch.at_s += 25 * 60
    second.post("/login", nina.said())
    watch.at_s += 60
    third = nina.come_in()
    text = third.get("/account")
    assert len(keys(text)) == 2
    assert text.count("this one") == 1
    assert re.findall(r"Since 2027-01-15 (\d\d:\d\d), last used 2027-01-15 (\d\d:\d\d)", text) == [
        ("09:27", "09:27"), ("09:26", "09:26"), ("09:01", "09:01"),
    ]  # fmt: skip
    third.post(f"/account/sessions/{keys(text)[-1]}/end")  # the one used longest ago stands last
    assert [is_in(first), is_in(second), is_in(third)] == [False, True, True]
    third.post(f"/account/sessions/{keys(text)[-1]}/end", None, 422)
    watch.at_s += 60
    fourth = nina.come_in()
    third.get("/account")
    third.post("/account/sessions/end-others")
    assert [is_in(second), is_in(fourth), is_in(third)] == [False, False, True]
    assert keys(third.get("/account")) == []


def test_nobody_sees_or_ends_the_sessions_of_somebody_else(served: Served, nina: Member, watch: Watch) -> None:
    """Not by a key that was guessed or seen, and not by ending all others; a session that is over is not listed."""
    hers = nina.come_in()
    watch.at_s += 60
    second = nina.come_in()
    (key,) = keys(second.get("/account"))
    paul = member(served, watch, Role.INVESTIGATOR).come_in()
    assert keys(paul.get("/account")) == []
    paul.post(f"/account/sessions/{key}/end", None, 422)
    paul.post("/account/sessions/end-others")
    assert is_in(hers)
    watch.at_s += 29 * 60
    assert is_in(second)
    watch.at_s += 2 * 60
    assert keys(second.get("/account")) == []


def test_what_the_list_calls_a_session_opens_nothing(served: Served, nina: Member, watch: Watch) -> None:
    """It is a part of a hash; neither it nor the whole hash is a cookie."""
    cookie = nina.come_in().client.cookies["sevenfold"]
    watch.at_s += 60
    (key,) = keys(nina.come_in().get("/account"))
    session = served.room.sessions.of(cookie, watch.at_s)
    assert session is not None
    assert session.key.startswith(key)
    for tried in (key, session.key):
        visitor = served.anybody()
        visitor.client.cookies.set("sevenfold", tried)
        assert not is_in(visitor)


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.5 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
         "Safari/537.36 Edg/138.0.0.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile "
         "Safari/537.36", "Chrome, Android"),
        ("<script>alert(1)</script>", None), ("\t" * 9000, None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_two_words_and_nothing_else_of_what_it_says(agent: str | None, told: str | None) -> None:
    """What a browser says of itself is anybody's text: known names are picked out of it."""
    assert browser_of(agent) == told


def test_the_list_of_sessions_says_from_which_browser_each_was_begun(nina: Member) -> None:
    """So that somebody knows which one is not theirs."""
    visitor = nina.served.anybody()
    visitor.client.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    visitor.post("/login", nina.said())
    assert "<strong>Firefox, Linux</strong>" in visitor.get("/account")
