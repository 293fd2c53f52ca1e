"""The door: taking up an invitation, coming in, going out, and the choice of a language."""

import logging
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.service import language
from sevenfold.service.admitting import take_up
from sevenfold.service.cookies import Cookie, cookie_of, drop_cookie, keep_cookie
from sevenfold.service.gate import Form, posted, posted_openly, room_of
from sevenfold.service.log import noted
from sevenfold.service.people.browser import browser_of
from sevenfold.service.people.devices import KNOWN_FOR_S
from sevenfold.service.people.factor import factor_picture, is_factor, new_factor
from sevenfold.service.people.invitations import Invitation
from sevenfold.service.people.person import Person
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["home_of", "know_browser", "routes"]

routes = APIRouter()
Said = Annotated[Mapping[str, str], Depends(posted_openly)]

_PATH: Final = re.compile(r"/(?![/\\])[^\\\x00-\x1f]*\Z")  # of our own pages; a browser reads a backslash as a slash
_HOMES = (
    (Right.MANAGE_PEOPLE, "/people"),
    (Right.DISPENSE, "/pharmacy"),
    (Right.SEND_MASKED, "/laboratory"),
    (Right.SEE_MASKED, "/masked"),
    (Right.REVIEW_SAFETY, "/safety"),
    (Right.READ_AUDIT, "/ledger"),
    (Right.READ_SUBJECTS, "/subjects"),
)


def home_of(person: Person) -> str:
    """The screen that a role begins with."""
    return next((address for right, address in _HOMES if person.may(right)), "/progress")


@routes.get("/")
def home(request: Request) -> Response:
    """To the role's screen, or to the login."""
    room = room_of(request)
    session = room.sessions.of(cookie_of(request, Cookie.SESSION), room.now_s())
    return RedirectResponse("/login" if session is None else home_of(session.person), 303)


@routes.get("/login")
def login(request: Request) -> HTMLResponse:
    """Who are you?"""
    room = room_of(request)
    people = room.accounts.people() if room.is_demo else []
    return page(request, "login", people=people, fault=None, login="")


@routes.post("/login")
def come_in(request: Request, said: Said) -> Response:
    """In, or the same page again: what was wrong is not told."""
    room = room_of(request)
    login = said.get("login", "")
    device = cookie_of(request, Cookie.DEVICE)
    room.settle()
    person = room.door.recognised(login, said.get("password", ""), said.get("code", ""), room.now_s(), device)
    if person is None:
        noted("login.failed", level=logging.WARNING, person=room.accounts.known(login))
        fault = (
            "Login, password and six digits do not belong together, or too many tries failed and the door is shut for "
            "a while: a quarter of an hour at first, longer each time, at most a day. It may be open in a browser from "
            "which you came in before; and a new link opens it at once, which the administrator makes and a second "
            "person confirms. An emergency unblinding need not wait for that: open the sealed envelope."
        )
        return page(request, "login", status=401, people=[], fault=fault, login=login)
    return _in(request, person)


@routes.post("/login/as")
def come_in_as(request: Request, said: Said) -> Response:
    """In a demonstration, in as anybody."""
    room = room_of(request)
    person = room.accounts.person(said.get("person", "")) if room.is_demo else None
    if person is None or person.is_suspended:
        raise InvalidInput("Only in a demonstration does one come in without a password.")
    return _in(request, person)


@routes.post("/logout")
def go_out(request: Request, form: Annotated[Form, Depends(posted(None))]) -> Response:
    """Out."""
    form.seat.room.sessions.end(cookie_of(request, Cookie.SESSION))
    noted("session.ended", person=form.seat.person.id)
    answer = RedirectResponse("/login", 303)
    drop_cookie(request, answer, Cookie.SESSION)
    return answer


@routes.get("/begin/{token}")
def invited(request: Request, token: str) -> HTMLResponse:
    """Choose a password, scan the second factor."""
    room = room_of(request)
    return _begin_page(request, room.invitations.opened_by(token, room.now_s()), token, new_factor(), None)


@routes.post("/begin/{token}")
def begin(request: Request, token: str, said: Said) -> Response:
    """Password and second factor are set, and the person is in."""
    room = room_of(request)
    one = room.invitations.opened_by(token, room.now_s())
    factor, told = said.get("factor", ""), said.get("told", "")
    if not is_factor(factor):
        raise InvalidInput("This link was used already or is too old; ask the administrator for a new one.")
    if said.get("password") != said.get("again"):
        return _begin_page(request, one, token, factor, "The two passwords are not the same.", told)
    try:
        begun = take_up(room, token, told, said.get("password", ""), factor, said.get("code", ""))
    except InvalidInput as error:
        noted("invitation.not_taken_up", level=logging.WARNING, person=one.person.id)
        if room.invitations.of(token, room.now_s()) is None:
            raise
        return _begin_page(request, one, token, factor, str(error), told)
    noted("invitation.taken_up", person=one.person.id)
    return _in(request, begun)


@routes.post("/language")
def choose_language(request: Request, said: Said) -> Response:
    """Show the pages in another language from now on."""
    chosen = said.get("language", "")
    back = said.get("back", "/")
    answer = RedirectResponse(back if _PATH.match(back) else "/", 303)
    if chosen in language.LANGUAGES:
        keep_cookie(request, answer, Cookie.LANGUAGE, chosen, 31_536_000)
    return answer


def _in(request: Request, person: Person) -> Response:
    room = room_of(request)
    room.sessions.end(cookie_of(request, Cookie.SESSION))
    token = room.sessions.begin(person, room.now_s(), browser_of(request.headers.get("user-agent")))
    noted("session.begun", person=person.id, role=person.role.value)
    answer = RedirectResponse(home_of(person), 303)
    keep_cookie(request, answer, Cookie.SESSION, token)
    if not room.is_demo:
        know_browser(request, answer, person)
    return answer


def know_browser(request: Request, answer: Response, person: Person) -> None:
    """Let the browser be one from which the person came in before."""
    room = room_of(request)
    cookie = room.devices.know(person, cookie_of(request, Cookie.DEVICE), room.now_s())
    keep_cookie(request, answer, Cookie.DEVICE, cookie, KNOWN_FOR_S)


def _begin_page(
    request: Request, one: Invitation, token: str, factor: str, fault: str | None, told: str = ""
) -> HTMLResponse:
    shown: dict[str, Any] = {
        "invited": one.person,
        "one": one,
        "token": token,
        "told": told,
        "factor": factor,
        "picture": factor_picture(factor, one.person.login),
    }
    return page(request, "begin", status=200 if fault is None else 422, fault=fault, **shown)
