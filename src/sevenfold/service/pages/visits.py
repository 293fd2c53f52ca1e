"""Visits: the form that the schedule asks for, without what would betray the treatment."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.protocol.variable import Variable
from sevenfold.protocol.visit import Visit
from sevenfold.record.payloads import Result, VisitMissed
from sevenfold.service.fields import kept, moment_of, number_of, units_for
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.trial.subject import Standing
from sevenfold.trial.visiting import record_visit

__all__ = ["routes"]

routes = APIRouter(prefix="/subjects/{name}/visits")


@routes.get("/{visit}")
def visit_form(
    request: Request, name: str, visit: str, seat: Annotated[Seat, Depends(seated(Right.RECORD_VISIT))]
) -> HTMLResponse:
    """The visit's form."""
    return _page(request, seat, name, _planned(seat, visit), {}, {})


@routes.post("/{visit}")
def hold_visit(
    request: Request, name: str, visit: str, form: Annotated[Form, Depends(posted(Right.RECORD_VISIT))]
) -> Response:
    """Record the visit, or that it was missed and why."""
    seat = form.seat
    room, planned = seat.room, _planned(seat, visit)
    room.subject(name, seat.person)
    at = moment_of("Time of the visit", form["at"], room.zone(seat.person, name))
    if form["missed"]:
        with room.step(seat.person) as conduct:
            conduct.record(name, VisitMissed(visit=visit, reason=form.required("reason", "Reason")), "nurse", at)
        return RedirectResponse(f"/subjects/{name}", 303)
    faults: dict[str, str] = {}
    results: dict[str, Result] = {}
    for variable in _asked(seat, name, planned):
        try:
            reading = number_of(variable, form[variable.id], form[f"{variable.id} unit"])
        except InvalidInput as error:
            faults[variable.id] = str(error)
            continue
        if reading is not None:
            results[variable.id] = Result.model_validate(reading.as_result())
    if faults:
        return _page(request, seat, name, planned, dict(form.said), faults)
    with room.step(seat.person) as conduct:
        record_visit(conduct, name, visit, results, at, with_masked=False)
    return RedirectResponse(f"/subjects/{name}", 303)


def _planned(seat: Seat, visit: str) -> Visit:
    try:
        return seat.room.protocol.schedule.visit(visit)
    except KeyError:
        raise InvalidInput(f"No visit {visit[:40]!r} is planned.") from None


def _asked(seat: Seat, name: str, visit: Visit) -> list[Variable]:
    """What the site measures: scores by their parts; once randomised, nothing that the protocol masks."""
    protocol = seat.room.protocol
    known = protocol.known_variables
    standing: Standing = seat.room.conduct.standings[name]
    masked = set(protocol.masking.assessments) if standing.number is not None else set()
    names: dict[str, None] = {}
    for assessment in visit.assessments:
        names |= dict.fromkeys(known[assessment].components or (assessment,))
    return [known[one] for one in names if one not in masked]


def _page(
    request: Request, seat: Seat, name: str, visit: Visit, said: dict[str, str], faults: dict[str, str]
) -> HTMLResponse:
    one = seat.room.subject(name, seat.person)
    return page(
        request,
        "visit",
        seat,
        status=422 if faults else 200,
        one=one,
        visit=visit,
        asked=_asked(seat, name, visit),
        units_for=units_for,
        said=kept(said),
        faults=faults,
        now=seat.room.here_and_now(seat.person, name),
    )
