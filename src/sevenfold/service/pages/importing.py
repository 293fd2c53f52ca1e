"""Results from a file: sent, shown against the record, and recorded when somebody has looked and confirmed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from sevenfold.errors import SevenfoldError
from sevenfold.service.gate import Form, Seat, posted, posted_with_file, seated
from sevenfold.service.importing.plan import Plan, State, shown
from sevenfold.service.importing.planning import plan_of
from sevenfold.service.importing.reading import DECIMALS, ENCODINGS, MOST_ROWS, Upload
from sevenfold.service.importing.recording import Uploads, record_plan
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter(prefix="/import")
_SHOWN = 200  # rows of a kind on the page


@routes.get("")
def choose_file(request: Request, seat: Annotated[Seat, Depends(seated(Right.IMPORT))]) -> HTMLResponse:
    """What a file must hold, and the form that sends one."""
    return _page(request, seat)


@routes.post("")
async def look_at_file(
    request: Request, form: Annotated[Form, Depends(posted_with_file(Right.IMPORT, "file"))]
) -> HTMLResponse:
    """What the file would change; nothing is recorded yet."""
    return await run_in_threadpool(_looked_at, request, form)


@routes.post("/confirm")
def confirm_file(request: Request, form: Annotated[Form, Depends(posted(Right.IMPORT))]) -> HTMLResponse:
    """Record what was looked at."""
    seat, uploads = form.seat, _uploads(request)
    upload = uploads.take(seat.person, seat.room.now_s())
    return _page(request, seat, done=record_plan(seat.room, seat.person, upload, form["digest"]))


def _looked_at(request: Request, form: Form) -> HTMLResponse:
    seat = form.seat
    if not form.file:
        fault = "No file was sent, or an empty one."
        return _page(request, seat, status=422, fault=fault, said=form.said)
    upload = Upload(raw=form.file, encoding=form["encoding"], decimal=form["decimal"])
    try:
        with seat.room.alone():
            plan = plan_of(seat.room, seat.person, upload)
    except SevenfoldError as error:
        return _page(request, seat, status=422, fault=str(error), said=form.said)
    _uploads(request).keep(seat.person, upload, seat.room.now_s())
    return _page(request, seat, plan=plan, said=form.said)


def _uploads(request: Request) -> Uploads:
    found = request.app.state.uploads
    assert isinstance(found, Uploads)
    return found


def _page(request: Request, seat: Seat, status: int = 200, **shown_too: Any) -> HTMLResponse:
    masked = seat.person.may(Right.SEND_MASKED)
    protocol = seat.room.protocol
    known = protocol.known_variables
    tests = [known[name] for name in protocol.masking.assessments] if masked else []
    asked: dict[str, Any] = {"plan": None, "done": None, "fault": None, "said": {}, **shown_too}
    plan: Plan | None = asked["plan"] or asked["done"]
    rows = [] if plan is None else [(state, plan.of(state)) for state in State]
    return page(
        request,
        "import",
        seat,
        status=status,
        holds_masked=masked,
        tests=tests,
        known=known,
        rows=rows,
        most=_SHOWN,
        most_rows=MOST_ROWS,
        encodings=ENCODINGS,
        decimals=DECIMALS,
        shown=shown,
        New=State.NEW,
        **asked,
    )
