"""The trial as a whole: enrolment and sites, and the lock."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.service.dashboard import enrolment_by_site, enrolment_shown, overdue_visits, safety_counts
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.language import language_of, translator
from sevenfold.service.notices import unseen
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.service.unsigned import unsigned
from sevenfold.trial import opening
from sevenfold.trial.closing import lock_database, lock_site, unlock_site

__all__ = ["routes"]

routes = APIRouter()


@routes.get("/progress")
def progress(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEE_PROGRESS))]) -> HTMLResponse:
    """Enrolment against the plan, what is overdue, queries, safety; never an arm."""
    room = seat.room
    return page(
        request,
        "progress",
        seat,
        rows=enrolment_by_site(room, seat.person),
        n=room.conduct.n_randomised,
        figure=enrolment_shown(room, translator(language_of(request))),
        overdue=overdue_visits(room, seat.person),
        safety=safety_counts(room, seat.person),
        n_unseen=unseen(room) if seat.person.may(Right.SEE_NOTICES) else 0,
        wanting=unsigned(room, seat.person),
        n_queries=sum(room.conduct.standings[name].n_open_queries for name in room.subjects(seat.person)),
    )


@routes.post("/sites/{site}/open")
def open_site(site: str, form: Annotated[Form, Depends(posted(Right.OPEN_SITE))]) -> Response:
    """The site may screen from now on."""
    room = form.seat.room
    with room.step(form.seat.person) as conduct:
        opening.open_site(conduct, site, room.clock.now())
    return RedirectResponse("/progress", 303)


@routes.post("/sites/{site}/lock")
def lock_one(site: str, form: Annotated[Form, Depends(posted(Right.LOCK))]) -> Response:
    """Close the data of a site, or open them again with a reason."""
    room = form.seat.room
    with room.step(form.seat.person) as conduct:
        if form["unlock"]:
            unlock_site(conduct, site, form.required("reason", "Reason"), room.clock.now())
        else:
            lock_site(conduct, site, room.clock.now(), form[f"unsigned {site}"] or None)
    return RedirectResponse("/progress", 303)


@routes.post("/lock")
def lock(form: Annotated[Form, Depends(posted(Right.LOCK))]) -> Response:
    """Close the data; for each site whose data nobody can sign, with a reason why."""
    room = form.seat.room
    reasons = {site: form[f"unsigned {site}"] for site in room.protocol.sites if form[f"unsigned {site}"]}
    with room.step(form.seat.person) as conduct:
        lock_database(conduct, room.clock.now(), reasons)
    return RedirectResponse("/progress", 303)
