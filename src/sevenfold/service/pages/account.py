"""Your account: whoever is in changes their own password and second factor, and sees and ends their own sessions."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.service.cookies import Cookie, cookie_of
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.log import noted
from sevenfold.service.pages.door import know_browser
from sevenfold.service.people.accounts import hashed
from sevenfold.service.people.changes import Access
from sevenfold.service.people.factor import factor_picture, factor_step, is_factor, new_factor
from sevenfold.service.people.passwords import check_password, kept_of
from sevenfold.service.rendering import page

__all__ = ["routes"]

routes = APIRouter(prefix="/account")
Filled = Annotated[Form, Depends(posted(None))]


@routes.get("")
def account(request: Request, seat: Annotated[Seat, Depends(seated(None))]) -> HTMLResponse:
    """Who you are here, a form for a new password, and your sessions."""
    return _page(request, seat)


@routes.post("/password")
def change_password(request: Request, form: Filled) -> Response:
    """A new password, for whoever shows the present one and six digits; every other session ends."""
    seat, room = form.seat, form.seat.room
    _check_no_demo(seat)
    new = form.said.get("new", "")
    try:
        _check_new(form, new)
        room.confirm(seat.session, form.said.get("password", ""), form["code"])
    except InvalidInput as error:
        if not room.sessions.is_there(seat.session):
            raise
        return _page(request, seat, fault=str(error))
    access = Access(password=kept_of(new), session=seat.session.key, device=_device(request))
    room.change(seat.person, "password changed", "by the person", seat.person, access)
    noted("password.changed", person=seat.person.id)
    answer = _page(request, seat, changed="password")
    know_browser(request, answer, seat.person)
    return answer


@routes.get("/factor")
def factor(request: Request, seat: Annotated[Seat, Depends(seated(None))]) -> HTMLResponse:
    """A new second factor to scan, and a form for it."""
    _check_no_demo(seat)
    return _factor_page(request, seat, new_factor())


@routes.post("/factor")
def renew_factor(request: Request, form: Filled) -> Response:
    """A new second factor, for whoever shows the password, six digits of the present one and six of the new one; every
    other session ends.
    """
    seat, room, new = form.seat, form.seat.room, form["factor"]
    _check_no_demo(seat)
    if not is_factor(new):
        raise InvalidInput("The new second factor is not one of ours; load the page again.")
    try:
        step = _checked_step(form, new)
        room.confirm(seat.session, form.said.get("password", ""), form["code"])
    except InvalidInput as error:
        if not room.sessions.is_there(seat.session):
            raise
        return _factor_page(request, seat, new, str(error))
    access = Access(
        factor=room.accounts.sealed_factor(seat.person, new), factor_used_at=step, session=seat.session.key,
        device=_device(request),
    )  # fmt: skip
    room.change(seat.person, "second factor renewed", "by the person", seat.person, access)
    noted("factor.renewed", person=seat.person.id)
    answer = _page(request, seat, changed="factor")
    know_browser(request, answer, seat.person)
    return answer


@routes.post("/sessions/{key}/end")
def end_session(key: str, form: Filled) -> Response:
    """One of your other sessions ends."""
    seat = form.seat
    if not seat.room.sessions.end_one(seat.session, key):
        raise InvalidInput("That session has ended already.")
    noted("session.ended", person=seat.person.id)
    return RedirectResponse("/account", 303)


@routes.post("/sessions/end-others")
def end_others(form: Filled) -> Response:
    """All your sessions but this one end."""
    seat = form.seat
    for _ in range(seat.room.sessions.end_others(seat.session)):
        noted("session.ended", person=seat.person.id)
    return RedirectResponse("/account", 303)


@routes.post("/tokens/{token}/take")
def take_token(request: Request, token: str, form: Filled) -> Response:
    """A token that the administrator granted you, shown once to you alone."""
    seat, room = form.seat, form.seat.room
    if not any(one.id == token for one in room.tokens.waiting(seat.person, room.now_s())):
        raise InvalidInput("There is no such token.")
    try:
        room.confirm(seat.session, form.said.get("password", ""), form["code"])
    except InvalidInput as error:
        if not room.sessions.is_there(seat.session):
            raise
        return _page(request, seat, token_fault=str(error))
    room.changed(seat.person, "token taken", f"by the person ({token})", seat.person)
    shown = room.tokens.take(token, seat.person, room.now_s())
    noted("token.taken", token=token, person=seat.person.id)
    return _page(request, seat, shown=shown)


def _check_new(form: Form, new: str) -> None:
    if new != form.said.get("again", ""):
        raise InvalidInput("The two passwords are not the same.")
    if new == form.said.get("password", ""):
        raise InvalidInput("The new password is the present one; choose another.")
    check_password(new, form.seat.person)


def _checked_step(form: Form, new: str) -> int:
    step = factor_step(new, form["new code"], form.seat.room.now_s(), 0)
    if step is None:
        raise InvalidInput("The new authenticator shows other digits now; type the present ones of both.")
    return step


def _check_no_demo(seat: Seat) -> None:
    if seat.room.is_demo:
        raise InvalidInput("In a demonstration nobody has a password.")


def _device(request: Request) -> str | None:
    device = cookie_of(request, Cookie.DEVICE)
    return None if device is None else hashed(device)


def _factor_page(request: Request, seat: Seat, new: str, fault: str | None = None) -> HTMLResponse:
    return page(
        request, "factor", seat, status=200 if fault is None else 422, fault=fault, factor=new,
        picture=factor_picture(new, seat.person.login),
    )  # fmt: skip


def _page(
    request: Request,
    seat: Seat,
    *,
    fault: str | None = None,
    token_fault: str | None = None,
    changed: str = "",
    shown: str | None = None,
) -> HTMLResponse:
    room, zone = seat.room, seat.room.zone(seat.person)
    rows = [
        (one, datetime.fromtimestamp(one.began_at, zone), datetime.fromtimestamp(one.seen_at, zone))
        for one in room.sessions.all_of(seat.session, room.now_s())
    ]
    waiting = [
        (one, datetime.fromtimestamp(one.expires_at, zone)) for one in room.tokens.waiting(seat.person, room.now_s())
    ]
    is_well = fault is None and token_fault is None
    return page(
        request, "account", seat, status=200 if is_well else 422, rows=rows, zone=zone.key, fault=fault, shown=shown,
        waiting=waiting, token_fault=token_fault,
        changed=changed,
    )  # fmt: skip
