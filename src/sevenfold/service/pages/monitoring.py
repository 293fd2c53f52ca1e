"""The data monitoring committee's reports: open for all arms together, closed by letters."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from sevenfold.service.gate import Seat, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter(prefix="/committee")


@routes.get("/open")
def open_one(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEE_PROGRESS))]) -> HTMLResponse:
    """Enrolment, safety and endings, all arms together."""
    from sevenfold.service.committee import open_report

    return page(request, "open", seat, report=open_report(seat.room))


@routes.get("/closed")
def closed_one(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEE_BY_ARM))]) -> HTMLResponse:
    """The same by arm, with the masked results; the arms are letters."""
    from sevenfold.service.committee import closed_report

    return page(request, "closed", seat, report=closed_report(seat.room))
