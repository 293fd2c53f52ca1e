"""Attacks by trying again and again: guessing is stopped, and can't be turned against the one whose login is tried."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from attacked import PASSWORD, Member, Watch, member, served, suspend, take_up_link, watch  # noqa: F401 (fixtures)
from hypothesis import given
from hypothesis import strategies as st
from served import SITE, Served, Visitor, enrolled, serve_new

from sevenfold.edge.keys import key_beside
from sevenfold.service.opening import opened
from sevenfold.service.people.accounts import hashed
from sevenfold.service.people.devices import KNOWN_FOR_S
from sevenfold.service.people.tables import DEVICE, PEOPLE, PERSON, SESSION
from sevenfold.service.people.tries import TOGETHER, Tries, shut_for_s
from sevenfold.service.role import Role

WRONG = "not my sentence"
COOKIE = "sevenfold_device"
YEAR_S = 365 * 86_400


def attacked(served: Served, whose: Member, n: int = TOGETHER) -> None:
    """Strangers try somebody's login."""
    visitor = served.anybody()
    for _ in range(n):
        visitor.post("/login", whose.said(password=WRONG), 401)


def comes_in(visitor: Visitor, said: dict[str, str]) -> bool:
    """Whether the door opens."""
    answer = visitor.client.post("/login", data=said, follow_redirects=False)
    assert answer.status_code in (303, 401)
    return answer.status_code == 303


def with_cookie(served: Served, cookie: str) -> Visitor:
    """A browser that has a cookie of a known one, and no session."""
    visitor = served.anybody()
    visitor.client.cookies.set(COOKIE, cookie)
    return visitor


def test_strangers_failures_do_not_shut_a_browser_from_which_the_person_came_in_before(
    served: Served, watch: Watch
) -> None:
    """Whoever knows a login can shut the door of strangers, for days; its owner's own browser stays open."""
    nina = member(served, watch)
    known = nina.come_in()
    known.post("/logout")
    for _ in range(8):
        watch.at_s += 2 * 86_400
        attacked(served, nina)
        assert comes_in(known, nina.said())
        watch.at_s += 60
        assert not comes_in(served.anybody(), nina.said())
    watch.at_s += 86_400
    assert comes_in(served.anybody(), nina.said())


def test_whoever_is_shut_out_is_told_what_to_do(served: Served, watch: Watch) -> None:
    """Wait, take the browser of before, or ask the administrator, whose new link opens at once."""
    nina = member(served, watch)
    attacked(served, nina)
    text = served.anybody().post("/login", nina.said(), 401)
    for way in ("a quarter of an hour at first", "a browser from which you came in before", "administrator"):
        assert way in text
    take_up_link(served, watch, nina.person, PASSWORD, nina.factor)
    watch.at_s += 60
    assert comes_in(served.anybody(), nina.said())


def test_strangers_failures_bar_nobody_who_is_in_from_an_emergency_unblinding(served: Served, watch: Watch) -> None:
    """A treatment that must be known now is known now, whoever tries that login in the meantime."""
    (name,) = enrolled(served, 1)
    investigator = member(served, watch, Role.INVESTIGATOR)
    visitor = investigator.come_in()
    attacked(served, investigator)
    watch.at_s += 60
    visitor.get(f"/subjects/{name}/unblind")
    said = {"asked_by": "The surgeon", "reason": "bleeding", "password": PASSWORD, "code": investigator.code()}
    visitor.post(f"/subjects/{name}/unblind", said)
    assert served.room.conduct.ledger.events_of(name)[-1].type == "EmergencyUnblinded"


def test_the_fifth_failed_confirmation_in_a_row_ends_that_session_alone(served: Served, watch: Watch) -> None:
    """A stolen session can't be used to guess; neither the owner's other session nor the door counts what failed."""
    (name,) = enrolled(served, 1)
    investigator = member(served, watch, Role.INVESTIGATOR)
    stolen = investigator.come_in()
    watch.at_s += 60
    own = investigator.come_in()
    before = served.room.conduct.ledger.head.count

    def asks(visitor: Visitor, password: str, status: int = 422) -> str:
        said = {"asked_by": "I", "reason": "why", "password": password, "code": investigator.code()}
        return visitor.post(f"/subjects/{name}/unblind", said, status)

    for visitor in (stolen, own):
        visitor.get(f"/subjects/{name}/unblind")
    for _ in range(4):
        assert "Log in again" not in asks(stolen, WRONG)
    watch.at_s += 60
    asks(stolen, PASSWORD, 200)  # gives the tries back
    after = served.room.conduct.ledger.head.count
    assert after == before + 1
    for _ in range(4):
        asks(stolen, WRONG)
    watch.at_s += 60
    stolen.get("/subjects")
    assert "Log in again" in asks(stolen, WRONG)
    answer = stolen.client.get("/subjects", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert served.room.conduct.ledger.head.count == after
    own.get("/subjects")
    asks(own, PASSWORD, 200)
    watch.at_s += 60
    assert comes_in(served.anybody(), investigator.said())


def test_failures_in_a_known_browser_shut_it_and_not_the_door_of_strangers(served: Served, watch: Watch) -> None:
    """Its cookie gives nobody more tries than strangers have; and it says no more than they are told."""
    nina = member(served, watch)
    known = nina.come_in()
    texts = {served.anybody().post("/login", nina.said(password=WRONG), 401)}
    for _ in range(TOGETHER):
        texts.add(known.post("/login", nina.said(password=WRONG), 401))
    watch.at_s += 60
    texts.add(known.post("/login", nina.said(), 401))
    assert len(texts) == 1
    assert comes_in(served.anybody(), nina.said())
    watch.at_s += 15 * 60
    assert comes_in(known, nina.said())


def test_a_known_browser_is_known_for_the_one_who_came_in_from_it_alone(served: Served, watch: Watch) -> None:
    """A member of the trial can't use their own cookie to try a colleague's login apart from strangers."""
    nina, paul = member(served, watch), member(served, watch)
    own = paul.come_in()
    attacked(served, nina)
    watch.at_s += 60
    assert not comes_in(own, nina.said())
    assert served.room.devices.is_known(paul.person.id, own.client.cookies[COOKIE], watch.at_s)


def test_a_ward_s_computer_is_known_for_everybody_who_comes_in_from_it(served: Served, watch: Watch) -> None:
    """One browser, one cookie; who comes in later does not make those before strangers."""
    people = [member(served, watch) for _ in range(3)]
    ward = served.anybody()
    for one in people:
        ward.post("/login", one.said())
    for one in people:
        attacked(served, one)
    watch.at_s += 60
    assert all(comes_in(ward, one.said()) for one in people)


def test_the_cookie_of_a_browser_is_new_each_time_and_one_planted_or_copied_before_is_nobodys(
    served: Served, watch: Watch
) -> None:
    """It has 256 bits and lies hashed in the database; it opens nothing by itself."""
    nina = member(served, watch)
    ward = with_cookie(served, "planted")
    ward.post("/login", nina.said())
    first = next(one.value for one in ward.client.cookies.jar if one.name == COOKIE and one.value != "planted")
    assert first is not None
    assert len(first) == 43
    people = b"".join(path.read_bytes() for path in served.folder.glob("people.db*"))
    assert first.encode() not in people
    assert hashed(first).encode() in people
    assert with_cookie(served, first).client.get("/subjects", follow_redirects=False).status_code == 303
    watch.at_s += 60
    copied = with_cookie(served, first)
    assert comes_in(with_cookie(served, first), nina.said())
    attacked(served, nina)
    watch.at_s += 60
    assert not comes_in(copied, nina.said())
    assert not comes_in(with_cookie(served, "planted"), nina.said())


def test_the_cookie_of_a_browser_is_kept_from_scripts_other_sites_and_clear_text(served: Served, watch: Watch) -> None:
    """HttpOnly, SameSite=Strict, of the host alone, for a year; Secure where TLS is; none after a failure."""
    nina = member(served, watch)
    for is_behind_tls in (False, True):
        if is_behind_tls:
            served.room.close()
            served.room = opened(served.folder, key_beside(served.folder), is_behind_tls=True)
        failed = served.anybody().client.post("/login", data=nina.said(password=WRONG), follow_redirects=False)
        assert "set-cookie" not in failed.headers
        answer = served.anybody().client.post("/login", data=nina.said(), follow_redirects=False)
        name = f"__Host-{COOKIE}" if is_behind_tls else COOKIE
        (said,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}=")]
        words = {word.strip().lower() for word in said.split(";")[1:]}
        secure = {"secure"} if is_behind_tls else set()
        assert words == {"httponly", "samesite=strict", "path=/", f"max-age={YEAR_S}"} | secure
        watch.at_s += 60


def test_a_browser_is_forgotten_after_a_year_at_a_suspension_and_with_a_new_link(served: Served, watch: Watch) -> None:
    """The row is gone, and the browser is a stranger's."""
    nina = member(served, watch)
    accounts, is_known = served.room.accounts, served.room.devices.is_known
    cookie = nina.come_in().client.cookies[COOKIE]
    assert is_known(nina.person.id, cookie, watch.at_s + KNOWN_FOR_S - 1)
    assert not is_known(nina.person.id, cookie, watch.at_s + KNOWN_FOR_S)
    suspend(served, nina.person)
    suspend(served, nina.person, is_suspended=False)
    assert not is_known(nina.person.id, cookie, watch.at_s)
    watch.at_s += 60
    again = nina.come_in().client.cookies[COOKIE]
    watch.at_s += 60
    take_up_link(served, watch, nina.person, PASSWORD, nina.factor)
    assert not is_known(nina.person.id, again, watch.at_s)
    watch.at_s += KNOWN_FOR_S
    nina.come_in()
    with accounts.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(DEVICE)).scalar_one() == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_hundred_tries_at_once_are_five(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    """The database counts before the password is looked at, so none slips through between looking and counting."""
    database = request.getfixturevalue("cluster").new() if kind == "postgresql" else None
    served = serve_new(tmp_path / "trial", database=database)
    person = served.room.accounts.admit("nina@site.example", "Nina", Role.NURSE, SITE, (SITE,))
    tries = Tries(served.room.accounts.engine, PERSON, PERSON.c.id == person.id, person.id)
    together = threading.Barrier(10)

    def several(_: int) -> list[int | None]:
        together.wait()
        return [tries.take(1e9) for _ in range(10)]

    with ThreadPoolExecutor(10) as threads:
        taken = [one for some in threads.map(several, range(10)) for one in some]
    assert sorted(one for one in taken if one is not None) == [1, 2, 3, 4, 5]
    served.room.close()


def test_two_failed_confirmations_at_once_are_two(served: Served, watch: Watch) -> None:
    """Ten at once are five, and the session has ended."""
    nina = member(served, watch)
    cookie = nina.come_in().client.cookies["sevenfold"]
    session = served.room.sessions.of(cookie, watch.at_s)
    assert session is not None
    with ThreadPoolExecutor(10) as threads:
        answers = list(
            threads.map(lambda _: served.room.door.confirms(session, WRONG, "000000", watch.at_s), range(10))
        )
    assert not any(answers)
    assert served.room.sessions.of(cookie, watch.at_s) is None
    with served.room.accounts.engine.connect() as connection:
        assert connection.execute(sa.select(SESSION.c.token).where(SESSION.c.person == nina.person.id)).all() == []


@given(n=st.integers(0, 100_000))
def test_a_door_is_shut_with_every_fifth_failure_for_longer_and_for_a_day_at_most(n: int) -> None:
    """A quarter of an hour first, then twice as long as before."""
    assert (shut_for_s(n) > 0) == (n > 0 and n % TOGETHER == 0)
    assert shut_for_s(n) <= 86_400
    if shut_for_s(n):
        assert shut_for_s(n + TOGETHER) in (2 * shut_for_s(n), 86_400)
    assert shut_for_s(TOGETHER) == 900


def test_whoever_never_tires_has_fewer_than_1860_tries_in_a_year() -> None:
    """And with three codes of a million right at a time, that is hopeless even where the password is known: 0.6 %."""
    engine = sa.create_engine("sqlite://")
    PEOPLE.create_all(engine)
    said = {"id": "p1", "login": "nina", "name": "Nina", "role": "nurse"}
    with engine.begin() as connection:
        connection.execute(sa.insert(PERSON).values(**said))
    tries = Tries(engine, PERSON, PERSON.c.id == "p1", "p1")
    n, n_first, at_s = 0, 0, 0.0
    while at_s < YEAR_S:
        while tries.take(at_s) is not None:
            n += 1
        n_first = n if at_s < 32 * 3600 else n_first
        with engine.connect() as connection:
            opens_s = float(connection.execute(sa.select(PERSON.c.locked_until)).scalar_one())
        assert tries.take(opens_s - 1) is None
        at_s = opens_s
    assert n_first == 40
    assert 1800 < n < 1860
    assert 3e-6 * n < 0.006
