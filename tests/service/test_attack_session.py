"""Attacks on sessions: planting, stealing, outliving; and what is asked again before a signature or an unblinding."""

from attacked import Member, Watch, member, nina, served, watch  # noqa: F401 (fixtures)
from fastapi.testclient import TestClient
from httpx2 import Response
from served import SITE, Served, Visitor, enrolled

from sevenfold.edge.keys import key_beside
from sevenfold.service.app import app_of
from sevenfold.service.opening import opened
from sevenfold.service.role import Role


def cookie_of(answer_header: str) -> dict[str, str]:
    """The words of a Set-Cookie header."""
    words = [word.strip().partition("=") for word in answer_header.split(";")]
    return {name.lower(): value for name, _, value in words}


def header_of(answer: Response, name: str) -> str:
    """The one Set-Cookie header that sets a cookie."""
    (found,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}=")]
    return str(found)


def status_of(served: Served, cookie: str) -> int:
    """What a cookie opens: 200 where somebody is in, else 303, to the login."""
    visitor = served.anybody()
    visitor.client.cookies.set("sevenfold", cookie)
    return visitor.client.get("/subjects", follow_redirects=False).status_code


def test_a_session_that_was_planted_before_the_login_is_nobodys(served: Served, nina: Member) -> None:
    """The cookie is new at each login, has 256 bits, lies hashed in the database; that of before is ended."""
    visitor = served.anybody()
    visitor.client.cookies.set("sevenfold", "planted")
    visitor.post("/login", nina.said())
    assert status_of(served, "planted") == 303
    first = next(one.value for one in visitor.client.cookies.jar if one.name == "sevenfold" and one.value != "planted")
    assert first is not None
    assert len(first) == 43
    people = b"".join(path.read_bytes() for path in served.folder.glob("people.db*"))
    assert first.encode() not in people
    assert status_of(served, first) == 200


def test_a_login_over_a_session_ends_it(served: Served, nina: Member, watch: Watch) -> None:
    """Whoever had the older cookie has nothing any more."""
    visitor = nina.come_in()
    first = visitor.client.cookies["sevenfold"]
    watch.at_s += 60
    visitor.post("/login", nina.said())
    assert visitor.client.cookies["sevenfold"] != first
    assert status_of(served, first) == 303


def test_a_session_is_over_after_half_an_hour_without_use(served: Served, nina: Member, watch: Watch) -> None:
    """Use keeps it; thirty minutes without, and it opens nothing."""
    cookie = nina.come_in().client.cookies["sevenfold"]
    for _ in range(4):
        watch.at_s += 29 * 60
        assert status_of(served, cookie) == 200
    watch.at_s += 30 * 60 + 1
    assert status_of(served, cookie) == 303


def test_a_session_is_over_after_twelve_hours_whatever_its_use(served: Served, nina: Member, watch: Watch) -> None:
    """A day's work is done by then."""
    cookie = nina.come_in().client.cookies["sevenfold"]
    for _ in range(36):
        watch.at_s += 20 * 60
        assert status_of(served, cookie) == 200
    watch.at_s += 1
    assert status_of(served, cookie) == 303


def test_logging_out_ends_the_session_on_the_server(served: Served, nina: Member) -> None:
    """A copy of the cookie opens nothing after it; every page of whoever is in offers it."""
    visitor = nina.come_in()
    cookie = visitor.client.cookies["sevenfold"]
    assert 'action="/logout"' in visitor.get("/subjects")
    visitor.post("/logout")
    assert status_of(served, cookie) == 303


def test_suspending_somebody_ends_every_session_at_once(served: Served, nina: Member, watch: Watch) -> None:
    """And letting them in again does not bring it back."""
    first = nina.come_in().client.cookies["sevenfold"]
    watch.at_s += 60
    second = nina.come_in().client.cookies["sevenfold"]
    administrator = served.as_a(Role.ADMINISTRATOR)
    administrator.get("/people")
    administrator.post(f"/people/{nina.person.id}/access", {"reason": "left the site"})
    assert {status_of(served, first), status_of(served, second)} == {303}
    administrator.post(f"/people/{nina.person.id}/access", {"reason": "came back"})
    assert {status_of(served, first), status_of(served, second)} == {303}
    served.anybody().post("/login", nina.said(), 401)  # the code of the last login
    watch.at_s += 60
    nina.come_in()


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_behind_tls_from_clear_text(
    served: Served, nina: Member, watch: Watch
) -> None:
    """HttpOnly, SameSite=Strict, of the host alone, over when the browser is closed; Secure where TLS is."""
    answer = served.anybody().client.post("/login", data=nina.said(), follow_redirects=False)
    cookie = cookie_of(header_of(answer, "sevenfold"))
    assert {"httponly", "samesite", "path"} <= cookie.keys()
    assert cookie["samesite"] == "strict"
    assert cookie.keys().isdisjoint({"domain", "secure", "max-age", "expires"})
    served.room.close()
    served.room = opened(served.folder, key_beside(served.folder), is_behind_tls=True)
    watch.at_s += 60
    answer = served.anybody().client.post("/login", data=nina.said(), follow_redirects=False)
    assert "secure" in cookie_of(header_of(answer, "__Host-sevenfold"))
    answer = served.anybody().client.post("/language", data={"language": "fr"}, follow_redirects=False)
    assert {"secure", "httponly", "__host-language"} <= cookie_of(answer.headers["set-cookie"]).keys()
    assert "max-age" in answer.headers["strict-transport-security"]


def test_behind_tls_every_cookie_is_of_this_host_alone_and_one_without_the_prefix_opens_nothing(
    served: Served, nina: Member, watch: Watch
) -> None:
    """As browsers take ``__Host-``: Secure, Path=/, no Domain, on setting and on dropping; another machine of the
    domain can plant a plain name alone, which is not read.
    """
    served.room.close()
    served.room = opened(served.folder, key_beside(served.folder), is_behind_tls=True)
    visitor = Visitor(TestClient(app_of(served.room), base_url="https://testserver"))
    answers = [
        visitor.client.post("/login", data=nina.said(), follow_redirects=False),
        visitor.client.post("/language", data={"language": "fr"}, follow_redirects=False),
    ]
    visitor.get("/account")
    assert set(visitor.client.cookies) == {"__Host-sevenfold", "__Host-sevenfold_device", "__Host-language"}
    session = visitor.client.cookies["__Host-sevenfold"]
    for name, status in (("sevenfold", 303), ("__Host-sevenfold", 200)):
        other = TestClient(app_of(served.room), base_url="https://testserver", cookies={name: session})
        assert other.get("/account", follow_redirects=False).status_code == status
    answers.append(visitor.client.post("/logout", data={"form_key": visitor.form_key}, follow_redirects=False))
    sent = [said for answer in answers for said in answer.headers.get_list("set-cookie")]
    assert len(sent) == 4
    for said in sent:
        words = cookie_of(said)
        assert said.startswith("__Host-")
        assert {"secure", "httponly", "samesite", "path"} <= words.keys()
        assert words["path"] == "/"
        assert "domain" not in words
    assert "__Host-sevenfold" not in visitor.client.cookies


def test_an_unblinding_asks_again_for_password_and_factor(served: Served, watch: Watch) -> None:
    """A session that was left open shows no arm; a refusal leaves nothing in the ledger."""
    (name,) = enrolled(served, 1)
    investigator = member(served, watch, Role.INVESTIGATOR)
    visitor = investigator.come_in()
    watch.at_s += 60
    visitor.get(f"/subjects/{name}/unblind")
    asked = {"asked_by": "The surgeon", "reason": "bleeding"}
    before = served.room.conduct.ledger.head.count
    for wrong in ({}, investigator.said(password="not my sentence"), investigator.said(code="000000")):
        said = {key: value for key, value in wrong.items() if key != "login"}
        visitor.post(f"/subjects/{name}/unblind", {**asked, **said}, 422)
    assert served.room.conduct.ledger.head.count == before
    visitor.post(f"/subjects/{name}/unblind", {**asked, **investigator.said()})
    assert served.room.conduct.ledger.events_of(name)[-1].type == "EmergencyUnblinded"
    assert SITE in name
