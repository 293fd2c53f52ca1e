"""Emergency unblinding: any hour, one subject, two questions and the second factor; recorded before it is shown."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import EmergencyUnblinded, EnvelopeOpened
from sevenfold.service.fields import moment_of
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter(prefix="/subjects/{name}/unblind")


@routes.get("")
def questions(request: Request, name: str, seat: Annotated[Seat, Depends(seated(Right.UNBLIND_ONE))]) -> HTMLResponse:
    """Who asks, and why."""
    one = seat.room.subject(name, seat.person)
    return page(request, "unblind", seat, one=one, arm=None, now=seat.room.here_and_now(seat.person, name))


@routes.post("")
def unblind(request: Request, name: str, form: Annotated[Form, Depends(posted(Right.UNBLIND_ONE))]) -> HTMLResponse:
    """The arm, shown once to the one who asked; the request stands in the ledger first."""
    seat = form.seat
    room = seat.room
    one = room.subject(name, seat.person)
    asked_by, reason = form.required("asked_by", "Who must know"), form.required("reason", "Reason")
    room.confirm(seat.session, form["password"], form["code"])
    with room.step(seat.person) as conduct:
        said = EmergencyUnblinded(asked_by=asked_by, reason=reason)
        conduct.record(name, said, "investigator", room.here_and_now(seat.person, name))
        number = str(conduct.standings[name].number)
    arm = room.protocol.arm(room.vault.reveal_one(number))
    return page(request, "unblind", seat, one=one, arm=arm, now=None)


@routes.post("/envelope")
def record_envelope(name: str, form: Annotated[Form, Depends(posted(Right.UNBLIND_ONE))]) -> Response:
    """A sealed envelope was opened without the server, and is recorded now."""
    room, person = form.seat.room, form.seat.person
    room.subject(name, person)
    said = EnvelopeOpened(asked_by=form.required("opened_by", "Who opened it"), reason=form.required("why", "Why then"))
    at = moment_of("When it was opened", form["at"], room.zone(person, name))
    with room.step(person) as conduct:
        randomised_at = conduct.standings[name].randomised_at
        if randomised_at is not None and at < randomised_at:
            raise InvalidInput(f"When it was opened: {name} was randomised later, at {randomised_at:%Y-%m-%d %H:%M}.")
        conduct.record(name, said, "investigator", at)
    return RedirectResponse(f"/subjects/{name}", 303)
