"""The end of a trial: the planned unblinding by two people after lock, and the final report."""

import re
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from sevenfold.edge.unblinding import reveal
from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.record.payloads import UnblindingAsked
from sevenfold.service.final import FinalReport
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.service.unsigned import unsigned

__all__ = ["routes"]

routes = APIRouter(prefix="/report")
Reader = Annotated[Seat, Depends(seated(Right.READ_REPORT))]
_POLICY: Final = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')


@routes.get("")
def closing(request: Request, seat: Reader) -> HTMLResponse:
    """How far the end has come: locked, asked for, unblinded, reported."""
    report = _report(request)
    report.begin()
    room = seat.room
    wanting = unsigned(room, seat.person)
    return page(request, "closing", seat, whole=room.conduct.whole, report=report, wanting=wanting)


@routes.post("/ask")
def ask(form: Annotated[Form, Depends(posted(Right.ASK_UNBLINDING))]) -> Response:
    """The first of the two: ask for the unblinding."""
    room, person = form.seat.room, form.seat.person
    room.confirm(form.seat.session, form["password"], form["code"])
    with room.step(person) as conduct:
        said = UnblindingAsked(person=person.id, name=person.name)
        conduct.say_of_trial(said, person.role.value, room.here_and_now(person))
    return RedirectResponse("/report", 303)


@routes.post("/confirm")
def confirm(request: Request, form: Annotated[Form, Depends(posted(Right.UNBLIND_ALL))]) -> Response:
    """The second: confirm it. Who received what is recorded with the keys that check it, and the report is made."""
    room, person = form.seat.room, form.seat.person
    room.confirm(form.seat.session, form["password"], form["code"])
    with room.step(person) as conduct:
        asked = conduct.whole.asked
        if asked is None and not conduct.whole.is_unblinded:
            raise OutOfOrder("Nobody has asked for the unblinding; the sponsor asks first, after lock.")
        if asked is not None and asked.person == person.id:
            raise InvalidInput("You asked for the unblinding; another person confirms it.")
        reveal(conduct, room.vault, room.here_and_now(person))
    _report(request).begin()
    return RedirectResponse("/report", 303)


@routes.get("/final")
def final_report(request: Request, seat: Reader) -> HTMLResponse:
    """The report as it was made, letting in its own style and script alone."""
    report = _made(request, seat)
    text = (report.folder / "report.html").read_text(encoding="utf-8")
    policy = _POLICY.search(text)
    own = f"{policy[1]}; frame-ancestors 'none'" if policy is not None else "default-src 'none'"
    return HTMLResponse(text, headers={"Content-Security-Policy": own})


@routes.get("/estimates.json")
def estimates(request: Request, seat: Reader) -> FileResponse:
    """Every estimate, for programs."""
    return FileResponse(_made(request, seat).folder / "estimates.json", media_type="application/json")


def _report(request: Request) -> FinalReport:
    return cast(FinalReport, request.app.state.final)


def _made(request: Request, seat: Seat) -> FinalReport:
    report = _report(request)
    if not seat.room.conduct.whole.is_unblinded or not report.is_there:
        raise OutOfOrder("There is no final report yet: it is made after lock and unblinding.")
    return report
