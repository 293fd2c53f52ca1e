"""The investigator's own copy of the site's data: taken at any time, kept by the site."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from sevenfold.record.payloads import CopyTaken, read_payload
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.own_copy import copy_of
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter(prefix="/copy")


@routes.get("")
def copies(request: Request, seat: Annotated[Seat, Depends(seated(Right.TAKE_COPY))]) -> HTMLResponse:
    """The copies that this site took, and a button for another."""
    ledger = seat.room.conduct.ledger
    taken = [(one, read_payload(one)) for one in ledger.of_type(CopyTaken.__name__) if one.site == seat.person.site]
    return page(request, "copy", seat, taken=taken[::-1])


@routes.post("")
def take(form: Annotated[Form, Depends(posted(Right.TAKE_COPY))]) -> Response:
    """A copy as of now; that it was taken stands in the ledger before it is sent."""
    room, person = form.seat.room, form.seat.person
    site = str(person.site)
    made = copy_of(room, site)
    with room.step(person) as conduct:
        said = CopyTaken(name=person.name, n_events=made.n_events, digest=made.digest)
        conduct.say_of_trial(said, "investigator", room.clock.now(), site)
    name = f"{room.protocol.name}-{site}.zip"
    kept = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(made.content, media_type="application/zip", headers=kept)
