"""Notices of emergencies: who was told that a treatment was shown, and never which."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import NoticeSeen
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.notices import notices
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter(prefix="/notices")


@routes.get("")
def all_of_them(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEE_NOTICES))]) -> HTMLResponse:
    """Every emergency, and whether the sponsor has taken note."""
    return page(request, "notices", seat, notices=notices(seat.room))


@routes.post("/{of}")
def take_note(of: int, form: Annotated[Form, Depends(posted(Right.TAKE_NOTE))]) -> Response:
    """The sponsor has read it."""
    room = form.seat.room
    with room.step(form.seat.person) as conduct:
        found = next((one for one in notices(room) if one.of == of), None)
        if found is None or found.is_seen:
            raise InvalidInput("There is no such notice that waits to be read.")
        conduct.record(found.subject, NoticeSeen(of=of), "sponsor", room.clock.now())
    return RedirectResponse("/notices", 303)
