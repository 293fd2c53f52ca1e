"""The service's log: who came in, who did not, what was refused; and what never stands in it."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacked import PASSWORD, Watch, member
from served import SITE, enrolled, serve_new

from sevenfold.service import log
from sevenfold.service.role import Role
from sevenfold.service.room import Room

LINE = re.compile(r'[a-z_]+\.[a-z_]+( [a-z_]+=([\w./{}:-]+|"[^"\n]*"))*\Z')


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the service logs."""
    found: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, handler = logging.getLogger("sevenfold.service"), Kept()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_who_comes_in_who_does_not_and_who_goes_out_stand_in_the_log(
    tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the person's id; an unknown login is nobody's, because a password may have been typed into its field."""
    watch = Watch().put_on(monkeypatch)
    served = serve_new(tmp_path / "trial")
    nina = member(served, watch)
    lines.clear()
    served.anybody().post("/login", {"login": PASSWORD, "password": "x", "code": "1"}, 401)
    for _ in range(5):
        served.anybody().post("/login", nina.said(password="not my sentence"), 401)
    watch.at_s += 16 * 60
    nina.come_in().post("/logout")
    whose = f"person={nina.person.id}"
    assert lines == [
        "login.failed person=nobody",
        *[f"login.failed {whose}"] * 4,
        f"login.shut {whose}",
        f"login.failed {whose}",
        f"session.begun {whose} role=nurse",
        f"session.ended {whose}",
    ]


def test_refusals_changes_of_access_and_a_broken_program_stand_in_the_log(
    tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what was asked, as the route is written, and who asked."""
    served = serve_new(tmp_path / "trial")
    nurse = served.as_a(Role.NURSE)
    whose = next(one.id for one in served.room.accounts.people())
    lines.clear()
    nurse.get("/people", 403)
    nurse.client.post(f"/subjects/{SITE}-001/visits/x", data={"form_key": "x"})
    nurse.client.post("/language", data={}, headers={"Origin": "https://evil.example"})
    assert lines[0] == f'request.refused why=right asked="GET /people" person={whose}'
    assert lines[1].startswith('request.refused why="form key" asked="POST /subjects/{name}/visits/{visit}"')
    assert lines[2] == f'request.refused why=origin asked="POST /language" person={whose}'
    administrator = served.as_a(Role.ADMINISTRATOR)
    by = next(one.id for one in served.room.accounts.people() if one.role is Role.ADMINISTRATOR)
    administrator.get("/people")
    administrator.post(f"/people/{whose}/access", {"reason": "left"})
    assert lines[-1] == f"person.suspended person={whose} by={by}"

    def broken(*_: object) -> None:
        raise RuntimeError("placebo")

    monkeypatch.setattr(Room, "subjects", broken)
    served.as_a(Role.AUDITOR).get("/subjects", 500)
    assert lines[-1] == 'program.broken kind=RuntimeError asked="GET /subjects"'
    assert all(LINE.match(line) for line in lines), lines


def test_a_link_of_two_people_stands_in_the_log_by_its_steps_and_without_link_or_code(
    tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asked, who confirmed, wrong codes and the fifth of them; nothing that opens anything."""
    watch = Watch().put_on(monkeypatch)
    served = serve_new(tmp_path / "trial")
    nina, adam, sara = (member(served, watch, role) for role in (Role.NURSE, Role.ADMINISTRATOR, Role.SPONSOR))
    whose = f"person={nina.person.id}"
    page, confirming = adam.come_in(), sara.come_in()
    watch.at_s += 60
    page.get("/people")
    lines.clear()
    link = re.search(r'class="link">([^<]+)<', page.post(f"/people/{nina.person.id}/invite", {"reason": "lost"}))
    confirming.get("/attest")
    known = {"known by": "met", "password": PASSWORD, "code": sara.code()}
    code = re.search(r'class="half">([^<]+)<', confirming.post(f"/attest/{nina.person.id}", known))
    assert link is not None
    assert code is not None
    stranger = served.anybody()
    for told in ["00000-00000"] * 5:
        said = {"factor": nina.factor, "password": PASSWORD, "again": PASSWORD, "code": nina.code(), "told": told}
        stranger.post(link[1], said, 422)
    assert lines == [
        f"person.invited {whose} by={adam.person.id}",
        f"person.attested {whose} by={sara.person.id}",
        *[f"invitation.not_taken_up {whose}"] * 4,
        f"invitation.shut {whose}",
        f"invitation.not_taken_up {whose}",
    ]
    for secret in (link[1].rpartition("/")[2], code[1], code[1].replace("-", "")):
        assert not any(secret in line for line in lines)


def test_no_line_holds_a_name_a_login_an_arm_or_what_was_typed(tmp_path: Path, lines: list[str]) -> None:
    """Whatever is tried: a subject's whole way in, and hostile text at the door."""
    served = serve_new(tmp_path / "trial")
    enrolled(served, 2)
    visitor = served.anybody()
    visitor.post("/login", {"login": "x\nsession.begun person=forged", "password": "x", "code": "1"}, 401)
    served.as_a(Role.NURSE).get("/subjects/x%0Asession.begun/visits/x", 422)
    visitor.get("/people%0Aforged", 404)
    assert lines
    told = {one.name.lower() for one in served.room.accounts.people()}
    arms = {arm.label.lower() for arm in served.room.protocol.arms} | {"cyt107", "placebo"}
    for line in lines:
        assert LINE.match(line), line
        assert not any(word in line.lower().replace("role=", "") for word in arms | {"forged"})
        assert not any(f'"{word}"' in line.lower() for word in told)


def test_a_line_is_one_line_with_its_time_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    """A value with a line's end, a quotation mark or a space is written as a JSON string."""
    logger = logging.getLogger("sevenfold.service")
    before = (logger.handlers[:], logger.level, logger.propagate)
    try:
        log.start_logging()
        log.noted("a.thing", level=logging.WARNING, why='x" y\nb.other z=1', who="é" * 300)
    finally:
        logger.handlers[:], logger.level, logger.propagate = before
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ WARNING a\.thing why=", line)
    assert r'why="x\" y\nb.other z=1"' in line
