"""Changes of access, whatever fails on the way: people's database and ledger never say two things."""

import sqlite3
from pathlib import Path

import pytest
from attacked import PASSWORD, Member, Watch, member
from served import Served, serve_again, serve_new
from sqlalchemy.exc import OperationalError

from databases import Cluster
from sevenfold.edge.keys import key_beside
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import PersonChanged
from sevenfold.service.backup import back_up, restore
from sevenfold.service.opening import opened
from sevenfold.service.people.changes import Access, Changes, Prepared
from sevenfold.service.people.passwords import kept_of
from sevenfold.service.people.tables import PERSON
from sevenfold.service.room import Room

NEW = "another sentence of mine"
STOPS = ["before it is prepared", "before it is told", "the answer of the ledger is lost", "before it is made"]
TOLD = set(STOPS[2:])


class Killed(BaseException):
    """The machine stops here."""


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """A clock that can be put forward."""
    return Watch().put_on(monkeypatch)


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Served:
    """A new trial in either database."""
    if request.param == "sqlite":
        return serve_new(tmp_path / "trial")
    cluster: Cluster = request.getfixturevalue("cluster")
    return serve_new(tmp_path / "trial", database=cluster.new())


def stop(patched: pytest.MonkeyPatch, where: str, what: BaseException) -> None:
    """Let a change of access fail somewhere."""

    def broken(*_: object) -> None:
        raise what

    def lost(ledger: Ledger, *state: object) -> None:
        commit(ledger, *state)  # type: ignore[arg-type]
        raise what

    commit = Ledger.commit
    match where:
        case "before it is prepared":
            patched.setattr(Changes, "prepare", broken)
        case "before it is told":
            patched.setattr(Ledger, "commit", broken)
        case "the answer of the ledger is lost":
            patched.setattr(Ledger, "commit", lost)
        case _:
            patched.setattr(Changes, "make", broken)


def changes_of(served: Served, person: str) -> list[str]:
    """What the ledger tells of somebody's access."""
    said = [
        PersonChanged.model_validate_json(one.payload) for one in served.room.conduct.ledger.of_type("PersonChanged")
    ]
    return [one.change for one in said if one.person == person]


def agrees(served: Served, nina: Member, watch: Watch) -> bool:
    """Whether the new password opens and the old one does not, if the ledger tells of a change; else the other way.
    Answers whether it tells.
    """
    is_told = "password changed" in changes_of(served, nina.person.id)
    here = Member(served, nina.person, nina.factor)
    for password, is_right in ((PASSWORD, not is_told), (NEW, is_told)):
        watch.at_s += 60
        served.anybody().post("/login", here.said(password=password), 200 if is_right else 401)
    assert served.room.changes.prepared() == []
    return is_told


@pytest.mark.parametrize("where", STOPS)
def test_a_machine_that_stops_within_a_change_of_password_leaves_it_told_and_made_or_neither(
    served: Served, where: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing runs after the stop; the next start finishes or forgets, and what was open before is closed."""
    nina = member(served, watch)
    inside = nina.come_in()
    with monkeypatch.context() as patched:
        stop(patched, where, Killed())
        if where != STOPS[-1]:
            patched.setattr(Room, "settle", lambda _room: None)
        with pytest.raises(Killed):
            served.room.change(nina.person, "password changed", "a test", nina.person, Access(password=kept_of(NEW)))
    again = serve_again(served)
    assert agrees(again, nina, watch) == (where in TOLD)
    session = again.room.sessions.of(inside.client.cookies["sevenfold"], watch.at_s)
    assert (session is None) == (where in TOLD)
    again.room.close()


@pytest.mark.parametrize("where", STOPS)
def test_a_change_of_password_that_fails_is_told_and_made_or_neither_without_a_new_start(
    served: Served, where: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that could not be written for a while: who logs in after, or signs, finds what the ledger tells."""
    nina = member(served, watch)
    own = nina.come_in()
    watch.at_s += 60
    own.get("/account")
    said = {"password": PASSWORD, "new": NEW, "again": NEW, "code": nina.code()}
    with monkeypatch.context() as patched:
        stop(patched, where, OperationalError("x", {}, sqlite3.OperationalError("disk I/O error")))
        own.post("/account/password", said, 503)
    assert agrees(served, nina, watch) == (where in TOLD)
    served.room.close()


def test_a_suspension_that_the_ledger_tells_shuts_out_even_if_the_machine_stopped(
    served: Served, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the record would say that somebody was shut out who was in."""
    nina = member(served, watch)
    with monkeypatch.context() as patched:
        stop(patched, STOPS[-1], Killed())
        with pytest.raises(Killed):
            served.room.change(nina.person, "suspended", "left", nina.person, Access(is_suspended=True))
    again = serve_again(served)
    assert changes_of(again, nina.person.id) == ["suspended"]
    assert [one.is_suspended for one in again.room.accounts.people()] == [True]
    again.room.close()


def test_a_change_of_somebody_else_at_the_same_place_of_the_ledger_is_not_taken_for_ones_own(
    served: Served, watch: Watch
) -> None:
    """What was prepared is held against person and change, not against the place alone."""
    nina, paul = member(served, watch), member(served, watch)
    place = served.room.conduct.ledger.head.count + 1
    access = Access(password=kept_of(NEW))
    served.room.changes.prepare(Prepared(person=nina.person.id, place=place, change="password changed", access=access))
    served.room.changed(paul.person, "password changed", "a test", paul.person)
    again = serve_again(served)
    assert not agrees(again, nina, watch)
    again.room.close()


def test_a_backup_within_a_change_is_settled_where_it_is_restored(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the ledger tells and was not made yet is made there."""
    served = serve_new(tmp_path / "trial")
    nina = member(served, watch)
    with monkeypatch.context() as patched:
        stop(patched, STOPS[-1], Killed())
        with pytest.raises(Killed):
            served.room.change(nina.person, "password changed", "a test", nina.person, Access(password=kept_of(NEW)))
    back_up(served.folder, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    again = Served(opened(tmp_path / "again", key_beside(served.folder)), tmp_path / "again")
    assert agrees(again, nina, watch)
    row = again.room.accounts.row(PERSON.c.id == nina.person.id)
    assert row is not None
    assert row["password"].startswith("$argon2id$")
    again.room.close()
    served.room.close()
