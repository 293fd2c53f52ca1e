"""The screen of the second person: who waits to be confirmed, and the code that only the confirmer is told."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from sevenfold.errors import InvalidInput
from sevenfold.service.admitting import KNOWN_BY, attest, by_one_hand, waiting
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.log import noted
from sevenfold.service.people.invitations import may_attest
from sevenfold.service.people.person import Person
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter(prefix="/attest")


@routes.get("")
def who_waits(request: Request, seat: Annotated[Seat, Depends(seated(Right.ATTEST))]) -> HTMLResponse:
    """Whose links wait for the one who asks, and who was admitted by one hand."""
    return _page(request, seat)


@routes.post("/{key}")
def confirm(request: Request, key: str, form: Annotated[Form, Depends(posted(Right.ATTEST))]) -> HTMLResponse:
    """Say that somebody is who the link is for; the page shows the code once."""
    seat, room = form.seat, form.seat.room
    person = room.accounts.person(key)
    if person is None:
        raise InvalidInput("There is nobody with that id.")
    if form["known by"] not in KNOWN_BY:
        raise InvalidInput("Say how you know who it is: you met them, or you called them.")
    room.confirm(seat.session, form["password"], form["code"])
    code = attest(room, seat.session, person, form["known by"])
    noted("person.attested", person=person.id, by=seat.person.id)
    return _page(request, seat, person, code)


def _page(request: Request, seat: Seat, attested: Person | None = None, code: str | None = None) -> HTMLResponse:
    people = {one.id: one for one in seat.room.accounts.people()}
    mine = [one for one in waiting(seat.room) if may_attest(seat.person, one.person, str(one.asked_by))]
    shown = [one for one in by_one_hand(seat.room) if seat.person.sees(one.site)]
    return page(
        request, "attest", seat, attested=attested, code=code, alone=shown,
        rows=[(one, people.get(str(one.asked_by))) for one in mine],
    )  # fmt: skip
