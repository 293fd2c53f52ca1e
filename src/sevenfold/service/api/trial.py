"""The trial as a whole: enrolment."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends

from sevenfold.service.api.gate import bearing
from sevenfold.service.api.models import Progress, SiteProgress
from sevenfold.service.gate import Seat
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter()


@routes.get("/progress")
def progress(seat: Annotated[Seat, Depends(bearing(Right.SEE_PROGRESS))]) -> Progress:
    """Enrolment by site; never an arm."""
    room = seat.room
    screened: Counter[str] = Counter()
    randomised: Counter[str] = Counter()
    for name, standing in list(room.conduct.standings.items()):
        site = str(room.conduct.site_of(name))
        screened[site] += 1
        randomised[site] += standing.number is not None
    sites = [
        SiteProgress(
            site=site, is_open=site in room.conduct.whole.sites, screened=screened[site], randomised=randomised[site]
        )
        for site in room.protocol.sites
        if seat.person.sees(site)
    ]
    planned = room.protocol.population.planned
    return Progress(planned=planned, randomised=room.conduct.n_randomised, sites=sites)
