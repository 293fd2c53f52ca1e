"""The application: every screen behind its gate, one answer for each kind of refusal."""

import logging
import sqlite3
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from sevenfold.errors import BlindBroken, InvalidInput, OutOfOrder, SevenfoldError, Unavailable
from sevenfold.service.api.app import api_of, problem
from sevenfold.service.cookies import Cookie, cookie_of
from sevenfold.service.declared import check_declared
from sevenfold.service.final import FinalReport
from sevenfold.service.gate import Forbidden, Outside, Seat, room_of
from sevenfold.service.headers import Bounded, guarded, with_headers
from sevenfold.service.importing.recording import Uploads
from sevenfold.service.log import noted
from sevenfold.service.pages import (
    account,
    attesting,
    boundary,
    closing,
    copies,
    data,
    door,
    doses,
    emergency,
    events,
    identities,
    importing,
    ledger,
    monitoring,
    notices,
    people,
    safety,
    screening,
    serious,
    stock,
    subjects,
    trial,
    visits,
)
from sevenfold.service.rendering import page
from sevenfold.service.room import Room

__all__ = ["app_of"]

_TOLD = {404: "There is no such page.", 413: "Too much was sent at once."}
_PAGES = (
    door, account, people, attesting, subjects, data, screening, visits, events, stock, doses, safety, identities,
    importing, serious, trial, monitoring, closing, emergency, notices, boundary, copies, ledger,
)  # fmt: skip


def app_of(room: Room) -> FastAPI:
    """The web application of a trial."""
    app = FastAPI(title="Sevenfold", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.room = room
    app.add_middleware(Bounded)
    app.state.final = FinalReport(room)
    app.state.uploads = Uploads()
    app.middleware("http")(guarded)
    app.mount("/static", StaticFiles(directory=str(files("sevenfold.service") / "static")), name="static")
    for one in _PAGES:
        app.include_router(one.routes)
    app.mount("/api/v1", api_of(room))
    check_declared(app)

    @app.exception_handler(Outside)
    async def _not_in(_request: Request, _error: Exception) -> Response:
        return RedirectResponse("/login", 303)

    @app.exception_handler(Forbidden)
    async def _forbidden(request: Request, error: Exception) -> Response:
        asked = f"{request.method} {_route_of(request)}"
        noted("request.refused", level=logging.WARNING, why=str(error), asked=asked, person=_whoever(request))
        told = "This is not among what your role does, or the page was open too long; go back and load it again."
        return _refused(request, 403, told)

    @app.exception_handler(SevenfoldError)
    async def _said(request: Request, error: Exception) -> Response:
        status = (
            409 if isinstance(error, OutOfOrder) else 422 if isinstance(error, (InvalidInput, BlindBroken)) else 500
        )
        return _refused(request, status, str(error))

    @app.exception_handler(SQLAlchemyError)
    @app.exception_handler(sqlite3.Error)
    @app.exception_handler(OSError)
    @app.exception_handler(Unavailable)
    async def _not_kept(request: Request, error: Exception) -> Response:
        noted("step.not_kept", level=logging.ERROR, kind=type(error).__name__)
        told = (
            "The database can't be reached or written just now, and what was sent may not have been recorded. Look "
            "before you send it again."
        )
        if request.scope["path"].endswith("/unblind"):
            told += " The sealed envelope of the subject opens without this server."
        return _refused(request, 503, told)

    @app.exception_handler(RequestValidationError)
    async def _mistyped(request: Request, _error: Exception) -> Response:
        return _refused(request, 422, "The address or the form is not one of ours.")

    @app.exception_handler(HTTPException)
    async def _none(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if request.scope["path"].startswith("/api/"):
            return problem(status)  # a line's end in an address leads past what is mounted there
        return _refused(request, status, _TOLD.get(status, "This can't be done here."))

    @app.exception_handler(Exception)
    async def _broken(request: Request, error: Exception) -> Response:
        asked = f"{request.method} {_route_of(request)}"
        noted("program.broken", level=logging.ERROR, kind=type(error).__name__, asked=asked)
        told = "Something is wrong with the program; its log says what. Tell the administrator."
        return with_headers(request, _refused(request, 500, told))

    return app


def _route_of(request: Request) -> str:
    """The route that was asked, without what stands in its gaps."""
    return str(getattr(request.scope.get("route"), "path", "elsewhere"))


def _whoever(request: Request) -> str:
    room = room_of(request)
    session = room.sessions.of(cookie_of(request, Cookie.SESSION), room.now_s())
    return "nobody" if session is None else session.person.id


def _refused(request: Request, status: int, told: str) -> Response:
    """Say what was found and that nothing was recorded, to whoever is in or not."""
    room = room_of(request)
    try:
        session = room.sessions.of(cookie_of(request, Cookie.SESSION), room.now_s())
    except (SQLAlchemyError, OSError, Unavailable):
        session = None
    seat = None if session is None else Seat(room, session)
    return page(request, "refused", seat, status=status, told=told, code=status)
