"""What monitoring raised, for the role that must act; and the masked results, for those outside the trial team."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.record.history import sealed_place
from sevenfold.record.payloads import MaskedResults, MonitoringRaised, Result, SafetyReviewed, read_payload
from sevenfold.service.fields import moment_of, number_of, units_for
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter()


@routes.get("/safety")
def safety(request: Request, seat: Annotated[Seat, Depends(seated(Right.REVIEW_SAFETY))]) -> HTMLResponse:
    """What open rules raised for the person's role, the latest first, and every serious event."""
    raised = []
    for event in seat.room.conduct.ledger.of_type(MonitoringRaised.__name__):
        said = read_payload(event)
        assert isinstance(said, MonitoringRaised)
        if said.to == seat.person.role.value:
            raised.append((event, said))
    return page(request, "safety", seat, raised=raised[::-1])


@routes.get("/laboratory")
def laboratory(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEND_MASKED))]) -> HTMLResponse:
    """The form of the laboratory: masked results of a subject's visit."""
    room = seat.room
    names = [name for name, one in list(room.conduct.standings.items()) if one.number is not None and not one.is_over]
    known = room.protocol.known_variables
    masked = [known[name] for name in room.protocol.masking.assessments]
    return page(request, "laboratory", seat, subjects=names, masked=masked, units_for=units_for)


@routes.post("/laboratory")
def send_masked(form: Annotated[Form, Depends(posted(Right.SEND_MASKED))]) -> Response:
    """Masked results of a visit: sealed at once, and reviewed by the rules behind the blind."""
    room = form.seat.room
    name, visit = form["subject"], form["visit"]
    if name not in room.conduct.standings or visit not in room.protocol.schedule.names:
        raise InvalidInput("Choose a subject and a visit.")
    at = moment_of("Time of the sample", form["at"], room.zone(form.seat.person, name))
    results = {}
    for variable in (room.protocol.known_variables[one] for one in room.protocol.masking.assessments):
        reading = number_of(variable, form[variable.id], form[f"{variable.id} unit"])
        if reading is not None:
            results[variable.id] = Result.model_validate(reading.as_result())
    if not results:
        raise InvalidInput("No result was filled in.")
    with room.step(form.seat.person) as conduct:
        conduct.receive_masked(name, visit, results, at)
    return RedirectResponse("/laboratory", 303)


@routes.get("/masked")
def masked(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEE_MASKED))]) -> HTMLResponse:
    """Every masked result, opened, and what the rules made of it."""
    room = seat.room
    rows = []
    ledger = room.conduct.ledger
    kinds = (MaskedResults.__name__, SafetyReviewed.__name__)
    for event in sorted((e for kind in kinds for e in ledger.of_type(kind)), key=lambda event: event.sequence):
        said = read_payload(event)
        assert isinstance(said, (MaskedResults, SafetyReviewed))
        kind = "results" if isinstance(said, MaskedResults) else "review"
        plain = room.vault.open(sealed_place(kind, str(event.subject), said.visit), said.sealed)
        rows.append((event, said.visit, kind, plain))
    return page(request, "masked", seat, rows=rows[::-1], known=room.protocol.known_variables)
