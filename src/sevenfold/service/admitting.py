"""Letting somebody in: by one hand while the trial is being set up, by two once it is under way.

A trial is under way when its first site is open: nothing about a subject can be recorded before. From then on, and
always for somebody who has begun already, the administrator asks for a link, and a second person attests who it is for.
"""

from typing import Final

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import PersonAdmitted
from sevenfold.service.people.changes import Prepared
from sevenfold.service.people.invitations import Invitation, may_attest
from sevenfold.service.people.person import Person
from sevenfold.service.people.sessions import Session
from sevenfold.service.role import Role
from sevenfold.service.room import Room

__all__ = [
    "KNOWN_BY",
    "admit",
    "attest",
    "by_one_hand",
    "link_for",
    "needs_two",
    "take_up",
    "waiting",
    "who_may_attest",
]

KNOWN_BY: Final = {"met": "met in person", "called": "called on a number known before"}
"""How somebody knows who it is, as a form says it and as the record does."""


def needs_two(room: Room, person: Person | None = None) -> bool:
    """Whether a link takes two people.

    Args:
        person: for whom; None: for somebody new.
    """
    return bool(room.conduct.whole.sites) or (person is not None and person.has_begun)


def who_may_attest(room: Room, person: Person, by: Person) -> list[Person]:
    """Those who may attest who a person is, if somebody asks."""
    return [one for one in room.accounts.people() if may_attest(one, person, by.id)]


def admit(room: Room, login: str, name: str, role: Role, site: str | None, by: Person) -> tuple[Person, str]:
    """Admit somebody; answers them and what their link holds.

    Raises:
        InvalidInput: the login is taken, or role and site do not go together, or nobody could attest who it is.
    """
    accounts = room.accounts
    person = accounts.admit(login, name, role, site, tuple(room.protocol.sites))
    try:
        if needs_two(room):
            _check_somebody_may(room, person, by)
        room.admitted(person, by, is_by_one_hand=not needs_two(room))
    except BaseException:
        accounts.take_back(person)
        raise
    with room.alone():
        return person, _link(room, person, by, "")


def link_for(room: Room, person: Person, reason: str, by: Person) -> str:
    """What a new link holds for somebody who has not taken one up, or who lost the password or the second factor.

    Raises:
        InvalidInput: nobody could attest who it is.
    """
    if needs_two(room, person):
        _check_somebody_may(room, person, by)
    if person.has_begun:
        room.changed(person, "renewal asked", reason, by)
    with room.alone():
        return _link(room, person, by, reason)


def attest(room: Room, session: Session, person: Person, known_by: str) -> str:
    """Attest who a person is; answers the code that goes with their link.

    Raises:
        InvalidInput: no link waits for this person to say so, or it was not said how they know.
    """
    by = session.person
    if known_by not in KNOWN_BY:
        raise InvalidInput("Say how you know who it is: you met them, or you called them.")
    with room.alone():
        if not any(one.person.id == person.id and may_attest(by, person, str(one.asked_by)) for one in waiting(room)):
            raise InvalidInput("No link waits for you to confirm whose it is; load the page again.")
        room.changed(person, "attested", KNOWN_BY[known_by], by)
        return room.invitations.attest(person, by, room.now_s())


def take_up(room: Room, token: str, told: str, password: str, factor: str, digits: str) -> Person:
    """Take up a link: password and second factor are set. Of somebody who had begun before the record tells it.

    Raises:
        InvalidInput: what was wrong.
    """
    with room.alone():
        room.settle()
        one = room.invitations.opened_by(token, room.now_s())
        if one.is_by_one_hand and needs_two(room) and _has_an_administrator(room):
            raise InvalidInput(
                "This link was made by one person before the first site was opened, and takes two since; ask the "
                "administrator for a new one."
            )
        person, access = one.person, room.invitations.taken_up(one, told, password, factor, digits, room.now_s())
        if person.has_begun:
            room.change(person, "second factor renewed", "by the person, with a new link", person, access)
        else:
            room.changes.make(Prepared(person=person.id, place=0, change="begun", access=access))
        return room.accounts.person(person.id) or person


def waiting(room: Room) -> list[Invitation]:
    """The links that wait for a second person, whoever that may be."""
    return [one for one in room.invitations.out(room.now_s()) if one.waits]


def by_one_hand(room: Room) -> list[Person]:
    """Those who were admitted by one hand, as the record tells."""
    said = [PersonAdmitted.model_validate_json(one.payload) for one in room.conduct.ledger.of_type("PersonAdmitted")]
    alone = {one.person for one in said if one.is_by_one_hand}
    return [one for one in room.accounts.people() if one.id in alone]


def _link(room: Room, person: Person, by: Person, reason: str) -> str:
    if needs_two(room, person):
        return room.invitations.ask(person, by, reason, room.now_s())
    return room.invitations.invite(person, room.now_s())


def _has_an_administrator(room: Room) -> bool:
    """Whether somebody can ask for links; the console lets the first one in."""
    return any(one.role is Role.ADMINISTRATOR and one.has_begun for one in room.accounts.people())


def _check_somebody_may(room: Room, person: Person, by: Person) -> None:
    if not who_may_attest(room, person, by):
        raise InvalidInput(
            "Nobody could confirm who it is: that takes another administrator, the sponsor, a monitor or medical "
            "monitor, or at a site its investigator, who is not suspended."
        )
