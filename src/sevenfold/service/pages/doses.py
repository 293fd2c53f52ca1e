"""Doses: the pharmacist dispenses a kit, the nurse gives it. Only the pharmacist's screen says what a kit holds."""

from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import OutOfOrder
from sevenfold.record.payloads import DoseNotGiven, KitReturned
from sevenfold.rules.dosing import Injected, volume_for
from sevenfold.service.fields import moment_of
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.service.timeline import doses_to_come
from sevenfold.trial.dosing import give_dose, prepare_dose
from sevenfold.trial.subject import Standing
from sevenfold.trial.timing import study_day_of

__all__ = ["routes"]

routes = APIRouter()


@routes.get("/pharmacy")
def pharmacy(request: Request, seat: Annotated[Seat, Depends(seated(Right.DISPENSE))]) -> HTMLResponse:
    """The site's doses to come, and what was dispensed."""
    room = seat.room
    due, handed = [], []
    for name in room.subjects(seat.person):
        standing = room.conduct.standings[name]
        if standing.number is None:
            continue
        one = room.subject(name, seat.person)
        here = room.here_and_now(seat.person, name)
        days = [] if standing.is_over or not standing.is_dosing else doses_to_come(one, room.protocol)
        waiting = [day for day in days if day not in standing.dispensed]
        if waiting:
            due.append(
                (one, waiting[0], study_day_of(standing, here, room.zone(seat.person, name)), standing.weight_kg)
            )
        for at, kit in one.dispensed:
            handed.append((at, one, kit, room.vault.contents(kit.kit), _where(standing, kit.study_day)))
    handed.sort(key=lambda row: row[0], reverse=True)
    site = str(seat.person.site)
    return page(
        request,
        "pharmacy",
        seat,
        due=due,
        handed=handed[:60],
        labels=room.protocol.products,
        is_stock_kept=room.conduct.stock.is_kept_at(site),
        lots=lambda kit: [
            f"{room.conduct.stock.lots[site][key].batch} × {n}" for key, n in room.vault.vials_in(kit).items()
        ],
        reasons=get_args(KitReturned.model_fields["reason"].annotation),
    )


def _where(standing: Standing, day: int) -> str:
    """Where a kit is that was dispensed for a day."""
    if day in standing.given_days:
        return "given"
    if day in standing.destroyed_days:
        return "destroyed"
    return "came back" if day in standing.returned_days else "on the ward"


@routes.post("/pharmacy/{name}/{day}")
def dispense(name: str, day: int, form: Annotated[Form, Depends(posted(Right.DISPENSE))]) -> Response:
    """Hand out the kit of a dose."""
    room = form.seat.room
    room.subject(name, form.seat.person)
    with room.step(form.seat.person) as conduct:
        prepared = prepare_dose(conduct, name, day, room.here_and_now(form.seat.person, name))
    if prepared is None:
        raise OutOfOrder(f"A rule of the protocol holds the dose of day {day} for {name}; no kit was handed out.")
    return RedirectResponse("/pharmacy", 303)


@routes.post("/subjects/{name}/doses/{day}")
def give(name: str, day: int, form: Annotated[Form, Depends(posted(Right.GIVE_DOSE))]) -> Response:
    """The dose was given as it was dispensed, or was not given and why."""
    room, person = form.seat.room, form.seat.person
    one = room.subject(name, person)
    at = moment_of("Time of the dose", form["at"], room.zone(person, name))
    with room.step(person) as conduct:
        if form["given"] == "no":
            said = DoseNotGiven(study_day=day, reason=form.required("reason", "Reason"))
            conduct.record(name, said, "nurse", at)
            return RedirectResponse(f"/subjects/{name}", 303)
        standing = conduct.standings[name]
        handed = standing.dispensed.get(day)
        if handed is None:
            raise OutOfOrder(f"No kit was dispensed for {one.subject} on day {day}; the pharmacist comes first.")
        planned = volume_for(room.protocol, day, standing.weight_kg, standing.latest)
        injected = Injected(
            route=type(planned.route)(handed.route), dose_ug=0.0, volume_ml=handed.volume_ml, over_h=planned.over_h
        )
        give_dose(conduct, name, day, form.required("kit", "Kit number"), injected, at)
    return RedirectResponse(f"/subjects/{name}", 303)
