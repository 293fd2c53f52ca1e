"""The administrator's screen: people, and never data."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.service import admitting
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.log import noted
from sevenfold.service.people.changes import Access
from sevenfold.service.people.person import Person
from sevenfold.service.people.tokens import OFFERED
from sevenfold.service.rendering import page
from sevenfold.service.role import AT_A_SITE, RIGHTS, Right, Role

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
    person, link = admitting.admit(room, form["login"], form["name"], Role(form["role"]), site, form.seat.person)
    noted("person.admitted", person=person.id, role=person.role.value, by=form.seat.person.id)
    return _page(request, form.seat, person, link)


@routes.post("/{key}/invite")
def invite(request: Request, key: str, form: Filled) -> Response:
    """A new link: for somebody who lost the password or the second factor, or the first link."""
    room, person = form.seat.room, _somebody(form, key)
    reason = form.required("reason", "Reason") if person.has_begun else ""
    link = admitting.link_for(room, person, reason, form.seat.person)
    noted("person.invited", person=person.id, by=form.seat.person.id)
    return _page(request, form.seat, person, link)


@routes.post("/{key}/access")
def change_access(key: str, form: Filled) -> Response:
    """Suspend somebody, or let them in again."""
    room, person = form.seat.room, _somebody(form, key)
    if person.id == form.seat.person.id:
        raise InvalidInput("Nobody suspends themselves: another administrator can.")
    is_suspended = not person.is_suspended
    change, reason = "suspended" if is_suspended else "restored", form.required("reason", "Reason")
    room.change(person, change, reason, form.seat.person, Access(is_suspended=is_suspended))
    noted("person.suspended" if is_suspended else "person.restored", person=person.id, by=form.seat.person.id)
    return RedirectResponse("/people", 303)


@routes.post("/{key}/token")
def make_token(request: Request, key: str, form: Filled) -> Response:
    """A token with which a program acts for somebody, who takes it on their own page; it is shown to nobody else."""
    room, person = form.seat.room, _somebody(form, key)
    reason, days = form.required("reason", "Reason"), form["days"]
    rights = [right for right in OFFERED if form[f"right {right}"]]
    token = room.tokens.grant(person, rights, int(days) if days.isdecimal() else 0, room.now_s())
    until = datetime.fromtimestamp(token.expires_at, UTC).date().isoformat()
    told = f"{reason} ({token.id}, until {until}: {', '.join(sorted(token.rights))})"
    try:
        room.changed(person, "token made", told, form.seat.person)
    except BaseException:
        room.tokens.revoke(token.id)
        raise
    noted("token.made", token=token.id, person=person.id, by=form.seat.person.id)
    return _page(request, form.seat, granted=person)


@routes.post("/tokens/{token}/revoke")
def revoke_token(token: str, form: Filled) -> Response:
    """The token opens nothing any more."""
    room, reason = form.seat.room, form.required("reason", "Reason")
    found = room.tokens.revoke(token)
    room.changed(found.person, "token revoked", f"{reason} ({found.id})", form.seat.person)
    noted("token.revoked", token=found.id, person=found.person.id, by=form.seat.person.id)
    return RedirectResponse("/people", 303)


def _somebody(form: Form, key: str) -> Person:
    person = form.seat.room.accounts.person(key)
    if person is None:
        raise InvalidInput("There is nobody with that id.")
    return person


def _page(
    request: Request, seat: Seat, invited: Person | None = None, token: str | None = None, granted: Person | None = None
) -> HTMLResponse:
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
        takes_two=invited is not None and admitting.needs_two(seat.room, invited),
        others=[] if invited is None else admitting.who_may_attest(seat.room, invited, seat.person),
        links={one.person.id: one for one in seat.room.invitations.out(seat.room.now_s())},
        granted=granted,
        tokens=[one for one in seat.room.tokens.all() if one.is_open(seat.room.now_s())],
        offered=OFFERED,
        rights_of=RIGHTS,
    )
