"""The investigator's first steps: screen, take consent, randomise."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.service.fields import kept, moment_of, units_for
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.service.screening_form import asked_at, screening_of
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate

__all__ = ["routes"]

routes = APIRouter()


@routes.get("/screen")
def screening_form(request: Request, seat: Annotated[Seat, Depends(seated(Right.SCREEN))]) -> HTMLResponse:
    """An empty screening form, with what the criteria in force today ask for."""
    return _page(request, seat, {}, {})


@routes.post("/screen")
def screen(request: Request, form: Annotated[Form, Depends(posted(Right.SCREEN))]) -> Response:
    """Hold the candidate against the criteria; eligible or not, it is recorded with the reasons."""
    seat = form.seat
    room, site = seat.room, str(seat.person.site)
    zone = room.zone(seat.person)
    try:
        at = moment_of("Time of screening", form["at"], zone)
    except InvalidInput as error:
        return _page(request, seat, form.said, {"at": str(error)})
    known, faults = screening_of(asked_at(room.protocol, site, at), form.said, at, zone)
    if faults:
        return _page(request, seat, form.said, faults)
    with room.step(seat.person) as conduct:
        subject = room.next_subject(site)
        if form["subject"] != subject:
            return _page(request, seat, form.said, {"subject": f"The next subject of the site is {subject}; was this "
                "form sent twice? Look at the list of subjects before you send it again."})  # fmt: skip
        screen_candidate(conduct, subject, site, known)
    return RedirectResponse(f"/subjects/{subject}", 303)


@routes.post("/subjects/{name}/consent")
def consent(name: str, form: Annotated[Form, Depends(posted(Right.SCREEN))]) -> Response:
    """Consent, by whom; or a refusal."""
    seat = form.seat
    seat.room.subject(name, seat.person)
    by = form["by"]
    if by not in ("patient", "representative", "refused"):
        raise InvalidInput("Consent by whom? Choose the patient, a representative, or a refusal.")
    at = moment_of("Time of consent", form["at"], seat.room.zone(seat.person, name))
    with seat.room.step(seat.person) as conduct:
        record_consent(conduct, name, None if by == "refused" else by, at)
    return RedirectResponse(f"/subjects/{name}", 303)


@routes.post("/subjects/{name}/randomise")
def randomise(name: str, form: Annotated[Form, Depends(posted(Right.RANDOMISE))]) -> Response:
    """The next number of the subject's stratum."""
    seat = form.seat
    seat.room.subject(name, seat.person)
    with seat.room.step(seat.person) as conduct:
        randomise_subject(conduct, name, seat.room.here_and_now(seat.person, name))
    return RedirectResponse(f"/subjects/{name}", 303)


def _page(request: Request, seat: Seat, said: Mapping[str, str], faults: dict[str, str]) -> HTMLResponse:
    room, site = seat.room, str(seat.person.site)
    now = room.here_and_now(seat.person)
    return page(
        request,
        "screen",
        seat,
        status=422 if faults else 200,
        asked=asked_at(room.protocol, site, now),
        criteria=room.protocol.criteria_at(site, now.date()),
        units_for=units_for,
        said=kept(said),
        faults=faults,
        now=now,
        subject=room.next_subject(site),
    )
