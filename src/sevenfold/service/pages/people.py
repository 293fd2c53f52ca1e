"""The administrator's screen: people, and never data."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.log import noted
from sevenfold.service.people.person import Person
from sevenfold.service.rendering import page
from sevenfold.service.role import AT_A_SITE, Right, Role

__all__ = ["routes"]

routes = APIRouter(prefix="/people")
Filled = Annotated[Form, Depends(posted(Right.MANAGE_PEOPLE))]


@routes.get("")
def people(request: Request, seat: Annotated[Seat, Depends(seated(Right.MANAGE_PEOPLE))]) -> HTMLResponse:
    """Everybody, and a form to admit somebody."""
    return _page(request, seat)


@routes.post("")
def admit(request: Request, form: Filled) -> Response:
    """Admit somebody; the page shows the link to hand over."""
    room = form.seat.room
    if form["role"] not in {role.value for role in Role}:
        raise InvalidInput("Choose a role.")
    site = form["site"] or None
    person = room.accounts.admit(form["login"], form["name"], Role(form["role"]), site, tuple(room.protocol.sites))
    room.admitted(person, form.seat.person)
    noted("person.admitted", person=person.id, role=person.role.value, by=form.seat.person.id)
    return _page(request, form.seat, person, room.accounts.invite(person, room.now_s()))


@routes.post("/{key}/invite")
def invite(request: Request, key: str, form: Filled) -> Response:
    """A new link: for somebody who lost the password or the second factor."""
    room, person = form.seat.room, _somebody(form, key)
    if person.has_begun:
        room.changed(person, "second factor renewed", form.required("reason", "Reason"), form.seat.person)
    noted("person.invited", person=person.id, by=form.seat.person.id)
    return _page(request, form.seat, person, room.accounts.invite(person, room.now_s()))


@routes.post("/{key}/access")
def change_access(key: str, form: Filled) -> Response:
    """Suspend somebody, or let them in again."""
    room, person = form.seat.room, _somebody(form, key)
    if person.id == form.seat.person.id:
        raise InvalidInput("Nobody suspends themselves: another administrator can.")
    is_suspended = not person.is_suspended
    room.changed(
        person, "suspended" if is_suspended else "restored", form.required("reason", "Reason"), form.seat.person
    )
    room.accounts.suspend(person, is_suspended=is_suspended)
    noted("person.suspended" if is_suspended else "person.restored", person=person.id, by=form.seat.person.id)
    return RedirectResponse("/people", 303)


def _somebody(form: Form, key: str) -> Person:
    person = form.seat.room.accounts.person(key)
    if person is None:
        raise InvalidInput("There is nobody with that id.")
    return person


def _page(request: Request, seat: Seat, invited: Person | None = None, token: str | None = None) -> HTMLResponse:
    link = None if token is None else f"{seat.room.address}/begin/{token}"
    return page(
        request,
        "people",
        seat,
        people=seat.room.accounts.people(),
        roles=list(Role),
        at_a_site=AT_A_SITE,
        invited=invited,
        link=link,
    )
