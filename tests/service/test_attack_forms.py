"""Attacks through requests: forged forms, injected text, too much of it, forged hosts, errors that tell too much."""

import argparse
import re
from pathlib import Path

import pytest
import uvicorn
from served import HERE, SITE, Served, enrolled, serve_new

from sevenfold.cli import serve as serving
from sevenfold.edge.keys import key_beside
from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import AdverseEventReported, read_payload
from sevenfold.record.verify import verify
from sevenfold.service.headers import MOST_BYTES
from sevenfold.service.opening import opened
from sevenfold.service.role import Role
from sevenfold.service.room import Room

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>\"'",
    "template": "{{ 7*7 }}{% raw %}{name}{0}${7*7}#{7*7}%(x)s",
    "sql": "'; DROP TABLE event; -- \" OR 1=1",
    "long": "x" * 20_000,
    "right to left": "חום גבוה مريض",
    "emoji": "👩‍⚕️ fever 🌡️ \N{COMBINING ACUTE ACCENT}e\N{COMBINING ACUTE ACCENT}",
    "lines": "one\r\ntwo\tthree",
}
UNSEEN = ["nu\x00ll", "bell\x07", "escape\x1b[2J", "turned \u202egnp.exe", "isolated \u2066x", "\x7f"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A trial with one randomised subject."""
    one = serve_new(tmp_path_factory.mktemp("forms") / "trial")
    enrolled(one, 1)
    return one


def event(served: Served, **other: str) -> dict[str, str]:
    """An adverse event, the next of the subject."""
    n = served.room.conduct.standings[f"{SITE}-001"].n_adverse_events + 1
    return {
        "number": str(n), "term": "Fever", "grade": "1", "serious": "no", "relation": "possible",
        "outcome": "recovered", "began": served.here(), **other,
    }  # fmt: skip


def test_a_form_without_the_sessions_key_or_with_anothers_is_refused(served: Served) -> None:
    """Another site can't know the key; nothing is recorded."""
    visitor, other = served.as_a(Role.INVESTIGATOR), served.as_a(Role.NURSE)
    before = served.room.conduct.ledger.head.count
    for key in ("", "guessed", other.form_key, visitor.form_key[:-1], visitor.form_key + "x", "ключ"):
        visitor.client.post(f"/subjects/{SITE}-001/event", data=event(served, form_key=key))
        answer = visitor.client.post(f"/subjects/{SITE}-001/event", data=event(served, form_key=key))
        assert answer.status_code == 403, key
    assert served.room.conduct.ledger.head.count == before


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"{HERE}.evil.example"}, {"Origin": "http://"},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)  # fmt: skip
def test_a_form_that_another_site_sends_is_refused_even_with_the_key(served: Served, sent: dict[str, str]) -> None:
    """The browser says where it comes from; the login and the choice of a language are refused as well."""
    visitor = served.as_a(Role.INVESTIGATOR)
    before = served.room.conduct.ledger.head.count
    said = event(served, form_key=visitor.form_key)
    assert visitor.client.post(f"/subjects/{SITE}-001/event", data=said, headers=sent).status_code == 403
    assert visitor.client.post("/login", data={"login": "x"}, headers=sent).status_code == 403
    assert visitor.client.post("/language", data={"language": "fr"}, headers=sent).status_code == 403
    assert served.room.conduct.ledger.head.count == before


def test_a_form_of_ours_is_taken(served: Served) -> None:
    """So that the refusals above are not refusals of everything."""
    visitor = served.as_a(Role.INVESTIGATOR)
    said = event(served, form_key=visitor.form_key)
    sent = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}
    answer = visitor.client.post(f"/subjects/{SITE}-001/event", data=said, headers=sent, follow_redirects=False)
    assert answer.status_code == 303


def test_a_question_changes_nothing(served: Served) -> None:
    """A link that somebody is made to follow is a GET: no page's GET appends an event or lets somebody out."""
    visitor = served.as_a(Role.INVESTIGATOR)
    before = served.room.conduct.ledger.head.count
    for address in (f"/subjects/{SITE}-001/randomise", "/logout", f"/subjects/{SITE}-001/step", "/language"):
        assert visitor.client.get(address).status_code == 405
    visitor.get(f"/subjects/{SITE}-001")
    assert served.room.conduct.ledger.head.count == before


def test_every_answer_carries_the_headers(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages, redirections, files, refusals, errors of every kind, and a program that breaks."""
    visitor = served.as_a(Role.INVESTIGATOR)

    def broken(*_: object) -> None:
        raise RuntimeError("secret of the program: placebo")

    monkeypatch.setattr(Room, "zone", broken)
    ask = visitor.client.request
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = {
        200: ask("GET", f"/subjects/{SITE}-001/data"), 303: ask("GET", "/", follow_redirects=False),
        403: ask("GET", "/people"), 404: ask("GET", "/nowhere"), 405: ask("POST", "/ledger"),
        413: ask("POST", "/login", content=b"x" * (MOST_BYTES + 1), headers=form),
        422: ask("GET", f"/subjects/{SITE}-999"), 500: ask("GET", "/screen"),
        401: ask("POST", "/login", data={"login": "x"}),
    }  # fmt: skip
    answers |= {1: ask("GET", "/static/nothing"), 2: ask("GET", "/static/style.css")}
    for status, answer in answers.items():
        assert answer.status_code == status or status < 100
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "server" not in answer.headers
        kept = "public, max-age=3600" if status == 2 else "no-store"
        assert answer.headers["cache-control"] == kept, status


def test_pages_bear_no_script_or_style_of_their_own_and_load_nothing_from_elsewhere(served: Served) -> None:
    """So that the policy of the headers holds them up nowhere."""
    for role in Role:
        text = served.as_a(role).get("/")
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", text)
        assert not re.search(r'(?:src|href|action)="(?!/|#)[^"]*"', text), role


def test_no_error_tells_how_the_program_is_made(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trace, no file's name, no text of the exception; the page says what to do."""

    def broken(*_: object) -> None:
        raise RuntimeError("secret of the program: placebo")

    visitor = served.as_a(Role.INVESTIGATOR)
    visitor.get(f"/subjects/{SITE}-001/event")
    texts = [
        visitor.get(address, status)
        for address, status in (
            ("/nowhere", 404), (f"/subjects/{SITE}-001/visits/never", 422), ("/subjects/%00", 422), ("/people", 403),
            ("/subjects/..%2f..%2fetc%2fpasswd", 404), ("/static/..%2f..%2fapp.py", 404), ("/begin/x", 422),
        )
    ]  # fmt: skip
    texts.append(visitor.post(f"/subjects/{SITE}-001/event", {"began": "never"}, 422))
    texts.append(visitor.post(f"/subjects/{SITE}-001/data/correct/nine", {}, 422))
    monkeypatch.setattr(Room, "subject", broken)
    texts.append(visitor.get(f"/subjects/{SITE}-001", 500))
    for text in texts:
        assert not re.search(
            r"Traceback|File &#34;|File \"|site-packages|RuntimeError|secret of the program|pydantic", text
        ), text


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_stays_text_wherever_it_is_shown(served: Served, kind: str) -> None:
    """As a term, a reason, a question and a name: recorded to the letter, shown escaped, filled into no template."""
    hostile = HOSTILE[kind]
    name = f"{SITE}-001"
    investigator, manager = served.as_a(Role.INVESTIGATOR), served.as_a(Role.DATA_MANAGER)
    investigator.get(f"/subjects/{name}/event")
    investigator.post(f"/subjects/{name}/event", event(served, term=hostile, system=hostile))
    manager.get(f"/subjects/{name}/data")
    manager.post(f"/subjects/{name}/data/query", {"text": hostile})
    events = served.room.conduct.ledger.events_of(name)
    assert served.room.conduct.ledger.head.count > len(events)
    reported = [one for one in events if one.type == "AdverseEventReported"][-1]
    said = read_payload(reported)
    assert isinstance(said, AdverseEventReported)
    assert said.term == hostile.strip()
    administrator = served.as_a(Role.ADMINISTRATOR)
    administrator.get("/people")
    long = len(hostile) > 200
    form = {"name": hostile, "login": f"{kind}@site.example", "role": "nurse", "site": SITE}
    administrator.post("/people", form, 422 if long else 200)
    pages = [
        investigator.get(f"/subjects/{name}"), manager.get(f"/subjects/{name}/data"), administrator.get("/people"),
        served.as_a(Role.MEDICAL_MONITOR).get("/safety"), served.as_a(Role.AUDITOR).get("/ledger"),
    ]  # fmt: skip
    for text in pages:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "49{" not in text
        assert 'DROP TABLE event; -- " OR' not in text
    assert verify(served.folder / "trial.db").is_whole


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_what_cannot_be_seen_is_refused(served: Served, unseen: str) -> None:
    """A record must read as it was typed: controls and letters that turn the direction around are told, not dropped."""
    investigator, administrator = served.as_a(Role.INVESTIGATOR), served.as_a(Role.ADMINISTRATOR)
    before = served.room.conduct.ledger.head.count
    investigator.get(f"/subjects/{SITE}-001/event")
    assert "can&#39;t be seen" in investigator.post(f"/subjects/{SITE}-001/event", event(served, term=unseen), 422)
    administrator.get("/people")
    administrator.post("/people", {"name": unseen, "login": "u@site.example", "role": "nurse", "site": SITE}, 422)
    assert served.room.conduct.ledger.head.count == before


def test_too_much_is_refused_whether_or_not_its_length_is_said(served: Served) -> None:
    """By the length that is said, by what comes, by the number of fields, by a field's length, by a file."""
    visitor = served.as_a(Role.INVESTIGATOR)
    address, key = f"/subjects/{SITE}-001/event", visitor.form_key
    much = b"x" * (MOST_BYTES + 1)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    ask = visitor.client.post
    assert ask(address, content=much, headers=form).status_code == 413
    assert ask(address, content=iter([much[:70_000]] * 70), headers=form).status_code == 413
    assert (
        ask(address, content=b"a=1", headers={**form, "Content-Length": "99999999999999999999999"}).status_code == 413
    )
    assert ask(address, data={f"f{n}": "" for n in range(601)}).status_code == 400
    assert ask(address, data={"form_key": key, "term": "x" * 20_001}).status_code == 422
    assert ask(address, data={"form_key": key}, files={"term": ("x.txt", b"x")}).status_code == 400
    assert ask(address, content=b"\xff\xfe%%%&&&===", headers=form).status_code == 403
    assert ask(address, content=b"--x", headers={"Content-Type": "multipart/form-data"}).status_code in (400, 403)


def test_a_forged_host_gets_into_no_link(tmp_path: Path) -> None:
    """The invitation's link begins with the address that the server was told, else with its path."""
    served = serve_new(tmp_path / "trial")
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    for address in ("", "https://trial.example"):
        served.room.address = address
        administrator = served.as_a(Role.ADMINISTRATOR)
        administrator.get("/people")
        said = {
            "name": "N",
            "login": f"n{len(address)}@site.example",
            "role": "sponsor",
            "form_key": administrator.form_key,
        }
        answer = administrator.client.post("/people", data=said, headers=forged)
        assert answer.status_code == 200
        assert "evil" not in answer.text
        assert f'class="link">{address}/begin/' in answer.text
    for path in ("/", "/people", "/static", "/subjects/"):
        answer = served.as_a(Role.ADMINISTRATOR).client.get(path, headers=forged, follow_redirects=False)
        assert "evil" not in answer.text + answer.headers.get("location", "")


def test_behind_tls_a_form_must_come_from_the_address_that_the_server_was_told(tmp_path: Path) -> None:
    """Whatever host the proxy passes on, and over TLS."""
    served = serve_new(tmp_path / "trial")
    served.room.close()
    served.room = opened(served.folder, key_beside(served.folder), is_behind_tls=True, address="https://trial.example")
    ask = served.anybody().client.post
    said = {"language": "fr"}
    for origin, status in (
        ("https://trial.example", 303), ("http://trial.example", 403), (HERE, 403), ("https://evil.example", 403),
    ):  # fmt: skip
        headers = {"Origin": origin, "Host": "10.0.0.7:8707"}
        assert ask("/language", data=said, headers=headers, follow_redirects=False).status_code == status


@pytest.mark.parametrize("is_behind_tls", [False, True])
def test_forwarded_headers_are_believed_behind_tls_alone(
    tmp_path: Path, is_behind_tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a proxy anybody could say who they are with them."""
    seen: dict[str, object] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _app, **said: seen.update(said))
    monkeypatch.setattr(serving, "start_logging", lambda: None)
    chosen = argparse.Namespace(
        host="127.0.0.1", port=0, behind_tls=is_behind_tls, address=None, folder=str(tmp_path / "trial"), key=None,
        database=None, protocol="iris-7", demo=False, quiet=True,
    )  # fmt: skip
    assert serving.serve(chosen) == 0
    assert seen["proxy_headers"] is is_behind_tls
    assert seen["server_header"] is False


@pytest.mark.parametrize("address", ["trial.example", "ftp://x", "https://x/path", "https://", "http://trial.example"])
def test_an_address_that_is_none_or_is_not_tls_is_refused(address: str) -> None:
    """It goes into every link."""
    chosen = argparse.Namespace(address=address, behind_tls=True, host="127.0.0.1", port=0)
    with pytest.raises(InvalidInput, match="--address"):
        serving._address_of(chosen)
    chosen.address = "https://trial.example/"
    assert serving._address_of(chosen) == "https://trial.example"


def test_the_choice_of_a_language_leads_to_our_own_pages_alone(served: Served) -> None:
    """Browsers read a backslash as a slash and drop tabs and line ends."""
    visitor = served.anybody()
    for back in (
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "evil",
        "/\n/evil.example", "javascript:alert(1)", " //evil.example", "///evil.example", "",
    ):  # fmt: skip
        answer = visitor.client.post("/language", data={"language": "fr", "back": back}, follow_redirects=False)
        assert answer.headers.get("location", "/") == "/", back
    answer = visitor.client.post(
        "/language", data={"back": f"/subjects/{SITE}-001/visits/day 1"}, follow_redirects=False
    )
    assert answer.headers["location"] == f"/subjects/{SITE}-001/visits/day%201"
