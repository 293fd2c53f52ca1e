"""Somebody with a password and a second factor, and a clock that can be put forward: what attacks on the door share.

The fixtures here are imported by the tests that ask for them.
"""

from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from served import SITE, Served, Visitor, serve_new

from sevenfold.service.admitting import needs_two, take_up
from sevenfold.service.people.changes import Access
from sevenfold.service.people.factor import new_factor
from sevenfold.service.people.person import Person
from sevenfold.service.role import AT_A_SITE, Role
from sevenfold.service.room import Room

__all__ = ["PASSWORD", "Member", "Watch", "link_of", "member", "nina", "served", "suspend", "take_up_link", "watch"]

PASSWORD = "a sentence of my own"


@dataclass(slots=True)
class Watch:
    """The machine's time as sessions and second factors see it [s]."""

    at_s: float = 1_800_000_000.0

    def put_on(self, monkeypatch: pytest.MonkeyPatch) -> "Watch":
        """Let every room go by this watch."""
        monkeypatch.setattr(Room, "now_s", staticmethod(lambda: self.at_s))
        return self


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who took up an invitation."""

    served: Served
    person: Person
    factor: str

    def code(self) -> str:
        """The six digits of a step that was not used: time goes on by a minute."""
        return pyotp.TOTP(self.factor).at(int(self.served.room.now_s()))

    def said(self, **other: str) -> dict[str, str]:
        """What they type at the door."""
        return {"login": self.person.login, "password": PASSWORD, "code": self.code(), **other}

    def come_in(self) -> Visitor:
        """In, through the door."""
        visitor = self.served.anybody()
        visitor.post("/login", self.said())
        return visitor


def suspend(served: Served, person: Person, *, is_suspended: bool = True) -> None:
    """Shut somebody out, or let them in again, as an administrator's page does."""
    change = "suspended" if is_suspended else "restored"
    served.room.change(person, change, "a test", person, Access(is_suspended=is_suspended))


def link_of(served: Served, watch: Watch, person: Person) -> tuple[str, str]:
    """What a link for somebody holds, and the code that goes with it: of two people, where it takes two."""
    invitations, people = served.room.invitations, served.room.accounts
    current = people.person(person.id)
    assert current is not None
    if not needs_two(served.room, current):
        return invitations.invite(current, watch.at_s), ""
    n = len(people.people())
    asker, other = (people.admit(f"a{n}{one}", f"A {n}{one}", Role.ADMINISTRATOR, None, ()) for one in "bc")
    token = invitations.ask(current, asker, "a test", watch.at_s)
    return token, invitations.attest(current, other, watch.at_s)


def take_up_link(served: Served, watch: Watch, person: Person, password: str, factor: str) -> None:
    """Let somebody take up a link, whether they had begun before or not."""
    token, told = link_of(served, watch, person)
    take_up(served.room, token, told, password, factor, pyotp.TOTP(factor).at(int(watch.at_s)))


def member(served: Served, watch: Watch, role: Role = Role.NURSE) -> Member:
    """Admit somebody, who chooses the password of these tests; then a minute goes by, so that a new code shows."""
    site = SITE if role in AT_A_SITE else None
    accounts, n = served.room.accounts, len(served.room.accounts.people())
    person = accounts.admit(f"somebody{n}@site.example", f"Somebody {n}", role, site, tuple(served.room.protocol.sites))
    factor = new_factor()
    take_up_link(served, watch, person, PASSWORD, factor)
    watch.at_s += 60
    return Member(served, person, factor)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """A clock that can be put forward."""
    return Watch().put_on(monkeypatch)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    """A new trial."""
    return serve_new(tmp_path / "trial")


@pytest.fixture
def nina(served: Served, watch: Watch) -> Member:
    """A nurse."""
    return member(served, watch)
