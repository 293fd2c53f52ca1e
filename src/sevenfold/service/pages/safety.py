"""What monitoring raised, for the role that must act; and the masked results, for those outside the trial team."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import (
    FurtherMaskedResults,
    MaskedResults,
    MonitoringRaised,
    Result,
    SafetyReviewed,
    SealedQueryAnswered,
    SealedQueryRaised,
    read_payload,
)
from sevenfold.record.sealed import Sealed, place_of_sealed
from sevenfold.service.fields import moment_of, number_of, units_for
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.trial.sealed_queries import LONGEST_REASON, answer_sealed_query, open_sealed_queries
from sevenfold.trial.visiting import receive_masked

__all__ = ["routes"]

routes = APIRouter()
_KINDS: Final[dict[type[Sealed], str]] = {
    MaskedResults: "results",
    FurtherMaskedResults: "results",
    SafetyReviewed: "review",
    SealedQueryRaised: "query",
    SealedQueryAnswered: "answer",
}


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
    names = [name for name, one in list(room.conduct.standings.items()) if one.number is not None]
    known = room.protocol.known_variables
    masked = [known[name] for name in room.protocol.masking.assessments]
    return page(
        request,
        "laboratory",
        seat,
        subjects=names,
        masked=masked,
        units_for=units_for,
        known=known,
        asked=open_sealed_queries(room.conduct),
    )


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
        receive_masked(conduct, name, visit, results, at)
    return RedirectResponse("/laboratory", 303)


@routes.post("/laboratory/queries/{name}/{number}")
def answer_sealed(name: str, number: int, form: Annotated[Form, Depends(posted(Right.SEND_MASKED))]) -> Response:
    """Which of two values of a masked test is right, and why."""
    if form["right"] not in ("recorded", "sent"):
        raise InvalidInput("Choose which of the two values is right.")
    reason = form.required("reason", "Reason")
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(f"Reason: at most {LONGEST_REASON} letters.")
    room, person = form.seat.room, form.seat.person
    with room.step(person) as conduct:
        at = room.here_and_now(person, name if name in conduct.standings else None)
        answer_sealed_query(conduct, name, number, right=form["right"], reason=reason, happened=at)
    return RedirectResponse("/laboratory", 303)


@routes.get("/masked")
def masked(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEE_MASKED))]) -> HTMLResponse:
    """Every masked result, opened, and what the rules made of it."""
    room = seat.room
    rows = []
    ledger = room.conduct.ledger
    found = (event for kind in _KINDS for event in ledger.of_type(kind.__name__))
    for event in sorted(found, key=lambda event: event.sequence):
        said = read_payload(event)
        assert isinstance(said, Sealed)
        plain = room.vault.open(place_of_sealed(str(event.subject), said), said.sealed)
        rows.append((event, said.visit, _KINDS[type(said)], plain))
    return page(request, "masked", seat, rows=rows[::-1], known=room.protocol.known_variables)
