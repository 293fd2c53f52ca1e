"""The trial as a whole: enrolment."""

from typing import Annotated

from fastapi import APIRouter, Depends

from sevenfold.service.api.gate import bearing
from sevenfold.service.api.models import Progress, SiteProgress
from sevenfold.service.dashboard import enrolment_by_site
from sevenfold.service.gate import Seat
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter()


@routes.get("/progress")
def progress(seat: Annotated[Seat, Depends(bearing(Right.SEE_PROGRESS))]) -> Progress:
    """Enrolment by site; never an arm."""
    room = seat.room
    sites = [
        SiteProgress(site=one.site.id, is_open=one.is_open, screened=one.n_screened, randomised=one.n_randomised)
        for one in enrolment_by_site(room, seat.person)
    ]
    planned = room.protocol.population.planned
    return Progress(planned=planned, randomised=room.conduct.n_randomised, sites=sites)
