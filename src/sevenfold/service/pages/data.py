"""A subject's data: every entry with its corrections, queries, verification against source, signatures and locks."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.record.correcting import said_of
from sevenfold.record.data import Datum, SubjectData, data_of
from sevenfold.record.payloads import (
    Corrected,
    DataLocked,
    DataUnlocked,
    Payload,
    QueryAnswered,
    QueryClosed,
    QueryRaised,
    SourceVerified,
    VisitHeld,
)
from sevenfold.service.fields import number_of
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.trial.correcting import correct_event
from sevenfold.trial.signing import MEANINGS, sign_data

__all__ = ["routes"]

routes = APIRouter(prefix="/subjects/{name}/data")


@routes.get("")
def data(request: Request, name: str, seat: Annotated[Seat, Depends(seated(Right.READ_SUBJECTS))]) -> HTMLResponse:
    """Every entry, and what became of it."""
    return _page(request, seat, name)


@routes.post("/correct/{of}")
def correct(name: str, of: int, form: Annotated[Form, Depends(posted(Right.CORRECT))]) -> Response:
    """Put a field right; the old value stays in the record."""
    datum = _datum(form, name, of)
    field = form.required("field", "Field")
    before = said_of(datum.said, field)
    after = _typed(form, datum.said, field)
    said = Corrected(of=of, field=field, before=before, after=after, reason=form.required("reason", "Reason"))
    seat = form.seat
    with seat.room.step(seat.person) as conduct:
        correct_event(conduct, name, said, seat.room.here_and_now(seat.person, name))
    return _back(name)


@routes.post("/query")
def raise_query(name: str, form: Annotated[Form, Depends(posted(Right.QUERY))]) -> Response:
    """Ask the site about an entry, or about what is missing."""
    about = int(form["about"]) if form["about"].isdecimal() else None
    if about is not None:
        _datum(form, name, about)
    number = len(_seen(form, name).queries) + 1
    return _say(form, name, QueryRaised(number=number, about=about, text=form.required("text", "Question")))


@routes.post("/query/{number}/answer")
def answer_query(name: str, number: int, form: Annotated[Form, Depends(posted(Right.ANSWER_QUERY))]) -> Response:
    """Answer a query."""
    return _say(form, name, QueryAnswered(number=number, text=form.required("text", "Answer")))


@routes.post("/query/{number}/close")
def close_query(name: str, number: int, form: Annotated[Form, Depends(posted(Right.QUERY))]) -> Response:
    """The answer is enough."""
    return _say(form, name, QueryClosed(number=number))


@routes.post("/verify/{of}")
def verify_source(name: str, of: int, form: Annotated[Form, Depends(posted(Right.VERIFY_SOURCE))]) -> Response:
    """The entry was held against its source and is the same."""
    _datum(form, name, of)
    return _say(form, name, SourceVerified(of=of))


@routes.post("/sign")
def sign(name: str, form: Annotated[Form, Depends(posted(Right.SIGN))]) -> Response:
    """Sign a visit or the whole subject, with password and six digits."""
    room, person = form.seat.room, form.seat.person
    _seen(form, name)
    if form["meaning"] not in MEANINGS:
        raise InvalidInput("Choose what the signature means.")
    visit = form["visit"] or None
    if visit is not None and visit not in room.conduct.standings[name].visits:
        raise InvalidInput(f"Nothing is recorded of visit {visit[:40]!r}.")
    if not (form["seen"].isdecimal() and len(form["seen"]) < 16):
        raise InvalidInput("Load the page of the data, look at them, and sign there.")
    room.confirm(form.seat.session, form["password"], form["code"])
    with room.step(person) as conduct:
        now = room.here_and_now(person, name)
        sign_data(conduct, name, person.name, form["meaning"], visit, now, int(form["seen"]))
    return _back(name)


@routes.post("/lock")
def lock(name: str, form: Annotated[Form, Depends(posted(Right.LOCK))]) -> Response:
    """Lock a visit or the whole subject, or open it again with a reason."""
    room = form.seat.room
    _seen(form, name)
    what = form["visit"] or name
    is_visit = what in room.protocol.schedule.names
    if not is_visit and what != name:
        raise InvalidInput("Choose a visit, or everything.")
    scope = "visit" if is_visit else "subject"
    said: Payload
    if form["unlock"]:
        reason = form.required("reason", "Reason")
        said = DataUnlocked.model_validate({"scope": scope, "name": what, "reason": reason})
    else:
        standing = room.conduct.standings[name]
        is_asked = not is_visit and standing.number is not None and not standing.is_signed
        why = (form["unsigned"] or None) if is_asked else None
        said = DataLocked.model_validate({"scope": scope, "name": what, "unsigned_because": why})
    return _say(form, name, said)


def _say(form: Form, name: str, said: Payload) -> Response:
    seat = form.seat
    _seen(form, name)
    with seat.room.step(seat.person) as conduct:
        conduct.record(name, said, seat.person.role.value, seat.room.here_and_now(seat.person, name))
    return _back(name)


def _back(name: str) -> Response:
    return RedirectResponse(f"/subjects/{name}/data", 303)


def _seen(form: Form, name: str) -> SubjectData:
    form.seat.room.subject(name, form.seat.person)
    return data_of(form.seat.room.conduct.ledger.events_of(name))


def _datum(form: Form, name: str, of: int) -> Datum:
    found = _seen(form, name).data.get(of)
    if found is None:
        raise InvalidInput(f"{name} has no entry {of}.")
    return found


def _typed(form: Form, said: Payload, field: str) -> Any:
    """The new value, in the field's own kind: a result by its variable, everything else as it was before."""
    typed = form["after"]
    if isinstance(said, VisitHeld) and field.startswith("results."):
        variable = form.seat.room.protocol.known_variables.get(field.removeprefix("results."))
        masked = form.seat.room.protocol.masking.assessments
        if variable is None or (variable.id in masked and variable.id not in said.results):
            raise InvalidInput("That is not recorded with this visit.")
        reading = number_of(variable, typed, form["unit"])
        return None if reading is None else reading.as_result()
    now = said_of(said, field)
    if isinstance(now, bool):
        if typed not in ("true", "false"):
            raise InvalidInput(f"{field}: true or false.")
        return typed == "true"
    if isinstance(now, int):
        if not typed.isdecimal():
            raise InvalidInput(f"{field}: a whole number.")
        return int(typed)
    return typed or None


def _page(request: Request, seat: Seat, name: str) -> HTMLResponse:
    room = seat.room
    one = room.subject(name, seat.person)
    events = room.conduct.ledger.events_of(name)
    found = data_of(events)
    known = room.protocol.known_variables
    rows = [
        (datum, json.loads(datum.said.canonical()))
        for datum in found.data.values()
        if not hasattr(datum.said, "sealed")
    ]
    return page(
        request,
        "data",
        seat,
        one=one,
        rows=rows[::-1],
        shown={datum.event.sequence for datum, _ in rows},
        found=found,
        standing=room.conduct.standings[name],
        known=known,
        meanings=MEANINGS,
        seen=events[-1].sequence,
    )
