"""Stock: what a site's pharmacist receives, sets aside, decides on, returns, destroys and counts. It names products,
and so it is behind the pharmacist's door alone.
"""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.report.resupply_figure import resupply_figure
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.language import language_of, translator
from sevenfold.service.rendering import page
from sevenfold.service.role import Right
from sevenfold.service.spreadsheet import safe_cell
from sevenfold.trial.accountability import COLUMNS, accountability
from sevenfold.trial.outlook import ahead_of
from sevenfold.trial.resupply import Forecast, forecast, needed
from sevenfold.trial.stock import StockedLot
from sevenfold.trial.supplying import count_vials, destroy_kit, move_vials, receive_consignment, return_kit, said_as
from sevenfold.trial.vials import Consignment, Destroyed, Judged, Lot, Moved, Quarantined, Returned, VialStatus

__all__ = ["routes"]

routes = APIRouter(prefix="/pharmacy")
Filled = Annotated[Form, Depends(posted(Right.DISPENSE))]
Pharmacist = Annotated[Seat, Depends(seated(Right.DISPENSE))]
_LINES: Final = 2  # of a delivery's form, for each product
_SOON_DAYS: Final = 30
_STATUSES: Final = tuple(VialStatus)


@routes.get("/stock")
def stock(request: Request, seat: Pharmacist) -> HTMLResponse:
    """The site's vials by product, lot and expiry, and what can be done with them."""
    room, site = seat.room, str(seat.person.site)
    lots = sorted(room.conduct.stock.at(site), key=lambda one: (one.product, one.expires))
    today = room.here_and_now(seat.person).date()
    horizon, lead, risk = _asked(request)
    say = translator(language_of(request))
    return page(
        request,
        "stock",
        seat,
        lots=lots,
        expiry={one.key: _expiry(one, today) for one in lots},
        there={status: [one for one in lots if one[status]] for status in _STATUSES},
        lines=range(1, _LINES + 1),
        statuses=_STATUSES,
        VialStatus=VialStatus,
        n_uncounted=room.conduct.stock.n_uncounted.get(site, 0),
        site=site,
        ahead=_ahead(seat, site, today, horizon, lead, risk, say) if lots and not room.conduct.is_locked else [],
        horizon=horizon,
        lead=lead,
        risk=risk,
    )


def _asked(request: Request) -> tuple[int, int, int]:
    """Horizon and time to a delivery [day] and the accepted probability of running out [%]; as usual where not said."""
    found = []
    for name, usual, least, most in (("horizon", 90, 2, 730), ("lead", 14, 1, 365), ("risk", 5, 1, 50)):
        typed = request.query_params.get(name, "")
        value = _count(name, typed) if typed else usual
        if not least <= value <= most:
            raise InvalidInput(f"{name}: {value} is not between {least} and {most}.")
        found.append(value)
    horizon, lead, risk = found
    if lead >= horizon:
        raise InvalidInput(f"The forecast looks {horizon} days ahead; the next delivery, in {lead}, must be sooner.")
    return horizon, lead, risk


def _ahead(
    seat: Seat, site: str, today: date, horizon: int, lead: int, risk: int, say: Callable[..., str]
) -> list[tuple[str, Forecast, str]]:
    """Of every product: its id, the forecast, and its figure."""
    room = seat.room
    ahead = ahead_of(room.conduct, site, room.clock.now())
    need = needed(ahead, horizon, room.protocol.name.encode())
    found = []
    for number, (product, vials) in enumerate(need.items()):
        lots = room.conduct.stock.usable(site, product, today)
        stock = [(one[VialStatus.IN_STOCK], (one.expires - today).days) for one in lots]
        one = forecast(vials, stock, lead, risk / 100)
        label = room.protocol.products[product].label
        drawn = resupply_figure(label, one.by_day.tolist(), one.usable.tolist(), lead, number, say)
        found.append((product, one, drawn))
    return found


@routes.get("/stock/log")
def log(request: Request, seat: Pharmacist) -> HTMLResponse:
    """The accountability log, to be printed."""
    site = str(seat.person.site)
    conduct = seat.room.conduct
    n_uncounted = conduct.stock.n_uncounted.get(site, 0)
    return page(
        request, "accountability", seat, entries=accountability(conduct, site), site=site, n_uncounted=n_uncounted
    )


@routes.get("/stock/log.csv")
def log_as_table(seat: Pharmacist) -> Response:
    """The accountability log as a table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    site = str(seat.person.site)
    for one in accountability(seat.room.conduct, site):
        writer.writerow([safe_cell(getattr(one, name)) for name in COLUMNS])
    headers = {"Content-Disposition": f'attachment; filename="accountability-{site}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@routes.post("/stock/receive")
def receive(form: Filled) -> Response:
    """A consignment came."""
    room, person = form.seat.room, form.seat.person
    lots = [
        said_as(
            Lot,
            {
                "product": product,
                "batch": form.required(f"batch {product} {line}", "Batch"),
                "expires": _day("Expires", form.required(f"expires {product} {line}", "Expires")),
                "n_vials": _count("Vials", form.required(f"vials {product} {line}", "Vials")),
            },
        )
        for product in room.protocol.products
        for line in range(1, _LINES + 1)
        if any(form[f"{name} {product} {line}"] for name in ("batch", "expires", "vials"))
    ]
    came = said_as(
        Consignment,
        {"reference": form.required("reference", "Delivery note"), **_temperatures(form), "lots": lots},
    )
    with room.step(person) as conduct:
        receive_consignment(conduct, str(person.site), came, room.here_and_now(person))
    return RedirectResponse("/pharmacy/stock", 303)


@routes.post("/stock/quarantine")
def quarantine(form: Filled) -> Response:
    """Vials are set aside after a deviation."""
    minutes = _count("Minutes", form.required("minutes", "Minutes"))
    more = {**_temperatures(form), "minutes": minutes, "reason": form.required("reason", "Reason")}
    return _moved(form, Quarantined, more)


@routes.post("/stock/judge")
def judge(form: Filled) -> Response:
    """Somebody has decided on vials in quarantine."""
    if form["decision"] not in ("release", "reject"):
        raise InvalidInput("Choose whether the vials are released or rejected.")
    decided_by, reason = form.required("decided_by", "Decided by"), form.required("reason", "Reason")
    return _moved(
        form, Judged, {"is_released": form["decision"] == "release", "decided_by": decided_by, "reason": reason}
    )


@routes.post("/stock/return")
def send_back(form: Filled) -> Response:
    """Vials go back to where they came from."""
    recipient, reference = form.required("recipient", "To whom"), form.required("reference", "Reference")
    return _moved(form, Returned, {"come_from": form["come_from"], "recipient": recipient, "reference": reference})


@routes.post("/stock/destroy")
def destroy(form: Filled) -> Response:
    """Vials are destroyed."""
    witness, certificate = form.required("witness", "Witness"), form.required("certificate", "Certificate")
    return _moved(form, Destroyed, {"come_from": form["come_from"], "witness": witness, "certificate": certificate})


@routes.post("/stock/count")
def count(form: Filled) -> Response:
    """Vials in stock were counted, before a witness; a lot that was left out was not."""
    room, person = form.seat.room, form.seat.person
    counted = {key: _count("Vials", typed) for key, typed in _by_lot(form, "counted ").items()}
    if not counted:
        raise InvalidInput("Vials: nothing was filled in; say of a lot how many.")
    stood = {key: _count("Expected", form.required(f"stood {key}", "Expected")) for key in counted}
    reason, witness = form.required("reason", "Reason"), form.required("witness", "Witness")
    if witness.casefold() in (person.name.casefold(), person.login.casefold(), person.id.casefold()):
        raise InvalidInput("Witness: name a second person, who saw the count; you recorded it.")
    with room.step(person) as conduct:
        count_vials(conduct, str(person.site), counted, stood, reason, witness, room.here_and_now(person))
    return RedirectResponse("/pharmacy/stock", 303)


@routes.post("/kits/{name}/{day}/return")
def kit_returned(name: str, day: int, form: Filled) -> Response:
    """A kit that was not given came back."""
    room, person = form.seat.room, form.seat.person
    room.subject(name, person)
    with room.step(person) as conduct:
        return_kit(conduct, name, day, form.required("reason", "Reason"), room.here_and_now(person, name))
    return RedirectResponse("/pharmacy", 303)


@routes.post("/kits/{name}/{day}/destroy")
def kit_destroyed(name: str, day: int, form: Filled) -> Response:
    """A kit that came back is destroyed."""
    room, person = form.seat.room, form.seat.person
    room.subject(name, person)
    witness, certificate = form.required("witness", "Witness"), form.required("certificate", "Certificate")
    with room.step(person) as conduct:
        destroy_kit(conduct, name, day, witness, certificate, room.here_and_now(person, name))
    return RedirectResponse("/pharmacy", 303)


def _moved(form: Form, kind: type[Moved], more: Mapping[str, object]) -> Response:
    """Move the vials that were counted in a form: its fields ``vials 2.1``."""
    vials = {key: _count("Vials", typed) for key, typed in _by_lot(form, "vials ").items() if typed != "0"}
    if not vials:
        raise InvalidInput("Vials: nothing was filled in; say of a lot how many.")
    room, person = form.seat.room, form.seat.person
    moved = said_as(kind, {"vials": vials, **more})
    with room.step(person) as conduct:
        move_vials(conduct, str(person.site), moved, room.here_and_now(person))
    return RedirectResponse("/pharmacy/stock", 303)


def _by_lot(form: Form, field: str) -> dict[str, str]:
    """What was typed in the fields of a name, such as ``vials 2.1``, by lot; blank ones are left out."""
    typed = {name.removeprefix(field): form[name] for name in form.said if name.startswith(field)}
    return {key: one for key, one in typed.items() if one}


def _expiry(one: StockedLot, today: date) -> str:
    """Whether a lot has expired, does so soon, or neither."""
    days = (one.expires - today).days
    return "expired" if days < 0 else "soon" if days <= _SOON_DAYS else ""


def _temperatures(form: Form) -> dict[str, float]:
    labels = (("lowest", "Lowest temperature"), ("highest", "Highest temperature"))
    found = {f"{name}_celsius": _celsius(label, form.required(name, label)) for name, label in labels}
    if found["lowest_celsius"] > found["highest_celsius"]:
        raise InvalidInput(
            f"The lowest temperature, {found['lowest_celsius']:g} °C, is above the highest, "
            f"{found['highest_celsius']:g} °C."
        )
    return found


def _celsius(label: str, typed: str) -> float:
    try:
        return float(typed.replace(",", ".").replace("\u2212", "-"))
    except ValueError:
        raise InvalidInput(f"{label}: {typed[:20]!r} is not a temperature in °C; write it like 4.5.") from None


def _count(label: str, typed: str) -> int:
    if not (typed.strip().isascii() and typed.strip().isdecimal() and len(typed.strip()) <= 7):
        raise InvalidInput(f"{label}: {typed[:20]!r} is not a whole number.")
    return int(typed)


def _day(label: str, typed: str) -> str:
    try:
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        raise InvalidInput(f"{label}: {typed[:20]!r} is not a day; write it like 2027-03-31.") from None
