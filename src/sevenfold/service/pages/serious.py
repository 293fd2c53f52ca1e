"""Serious events: judged by the medical monitor, blind; told to the authority by the role behind the firewall."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.protocol.treatment import Arm
from sevenfold.record.payloads import AuthorityInformed, Payload, SeriousEventAssessed, SusarUnblinded
from sevenfold.record.serious import SeriousEvent, serious_events
from sevenfold.rules.expedited import Clocks, clocks_of
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.service.room import Room

__all__ = ["routes"]

routes = APIRouter(prefix="/serious")


@routes.get("")
def serious(request: Request, seat: Annotated[Seat, Depends(seated(Right.REVIEW_SAFETY))]) -> HTMLResponse:
    """Every serious event with its clocks, those that are due first."""
    return _page(request, seat, None, None)


@routes.post("/{of}/judge")
def judge(of: int, form: Annotated[Form, Depends(posted(Right.JUDGE_SERIOUS))]) -> Response:
    """Related? Expected? The judgement may be renewed; the earlier one stays in the record."""
    if form["related"] not in ("yes", "no") or form["expected"] not in ("yes", "no"):
        raise InvalidInput("Related and expected: yes or no.")
    said = SeriousEventAssessed(
        of=of, is_related=form["related"] == "yes", is_expected=form["expected"] == "yes", comment=form["comment"]
    )
    return _say(form, _one(form.seat.room, of), said)


@routes.post("/{of}/informed")
def informed(of: int, form: Annotated[Form, Depends(posted(Right.UNBLIND_SUSAR))]) -> Response:
    """A report went to the authority."""
    reference = form.required("reference", "Reference")
    said = AuthorityInformed(of=of, reference=reference, is_follow_up=form["follow_up"] == "yes")
    return _say(form, _one(form.seat.room, of), said)


@routes.post("/{of}/unblind")
def unblind_susar(request: Request, of: int, form: Annotated[Form, Depends(posted(Right.UNBLIND_SUSAR))]) -> Response:
    """The treatment of a SUSAR's subject, for the authority; recorded before it is shown, to this role alone."""
    room, one = form.seat.room, _one(form.seat.room, of)
    if not one.is_susar:
        raise InvalidInput(f"Event {of} is not judged related and unexpected; its treatment is not shown.")
    _say(form, one, SusarUnblinded(of=of))
    number = str(room.conduct.standings[str(one.event.subject)].number)
    return _page(request, form.seat, one, room.protocol.arm(room.vault.reveal_one(number)))


def _say(form: Form, one: SeriousEvent, said: Payload) -> Response:
    seat = form.seat
    name = str(one.event.subject)
    with seat.room.step(seat.person) as conduct:
        conduct.record(name, said, seat.person.role.value, seat.room.here_and_now(seat.person, name))
    return RedirectResponse("/serious", 303)


def _one(room: Room, of: int) -> SeriousEvent:
    found = next((one for one in _all(room) if one.event.sequence == of), None)
    if found is None:
        raise InvalidInput(f"There is no serious event {of}.")
    return found


def _all(room: Room) -> list[SeriousEvent]:
    ledger = room.conduct.ledger
    kinds = ("AdverseEventReported", "Corrected", "SeriousEventAssessed", "AuthorityInformed")
    return serious_events(sorted((e for kind in kinds for e in ledger.of_type(kind)), key=lambda event: event.sequence))


def _clocks(one: SeriousEvent, room: Room) -> Clocks:
    return clocks_of(
        known_at=datetime.fromisoformat(one.event.happened_at),
        grade=one.said.grade,
        is_exempt=one.said.term in room.protocol.safety.expected,
        is_related=one.assessed.is_related if one.assessed else None,
        is_expected=one.assessed.is_expected if one.assessed else None,
    )


def _page(request: Request, seat: Seat, shown: SeriousEvent | None, arm: Arm | None) -> HTMLResponse:
    room = seat.room
    rows = [(one, _clocks(one, room)) for one in _all(room)]
    rows.sort(key=lambda row: (row[0].assessed is not None and not row[0].is_susar, -row[0].event.sequence))
    return page(request, "serious", seat, rows=rows, shown=shown, arm=arm, now=room.clock.now())
