"""The subjects: a list, and one page a subject with everything that may be done next."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from sevenfold.record.tables import disposition
from sevenfold.report.subject_figure import subject_figure
from sevenfold.service.gate import Seat, seated
from sevenfold.service.language import language_of, translator
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.service.timeline import course_of, doses_to_come, timeline, visits_to_come

__all__ = ["routes"]

routes = APIRouter(prefix="/subjects")
Reader = Annotated[Seat, Depends(seated(Right.READ_SUBJECTS))]


@routes.get("")
def subjects(request: Request, seat: Reader) -> HTMLResponse:
    """Everybody whom the person may see, the latest first."""
    conduct = seat.room.conduct
    rows = [(conduct.standings[name], conduct.site_of(name)) for name in seat.room.subjects(seat.person)]
    return page(request, "subjects", seat, rows=rows[::-1])


@routes.get("/{name}")
def subject(request: Request, name: str, seat: Reader) -> HTMLResponse:
    """One subject: what happened, and what may be done next."""
    room = seat.room
    one = room.subject(name, seat.person)
    standing = room.conduct.standings[name]
    say = translator(language_of(request))
    course = course_of(one, room.protocol, room.clock.now())
    return page(
        request,
        "subject",
        seat,
        one=one,
        standing=standing,
        disposition=disposition(one),
        entries=timeline(one, room.protocol, say)[::-1],
        visits=visits_to_come(one, room.protocol),
        doses=doses_to_come(one, room.protocol),
        figure="" if course is None else subject_figure(course, say),
        handed=standing.dispensed,
        here=room.here_and_now(seat.person, name),
    )
