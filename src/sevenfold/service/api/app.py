"""The HTTP interface as an application of its own, with its own description, mounted beside the pages."""

import logging
import sqlite3
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from sevenfold import __version__
from sevenfold.errors import BlindBroken, InvalidInput, OutOfOrder, SevenfoldError, Unavailable
from sevenfold.service.api import subjects, trial
from sevenfold.service.api.gate import NotThere
from sevenfold.service.api.models import Problem
from sevenfold.service.gate import Forbidden, Outside
from sevenfold.service.log import noted
from sevenfold.service.room import Room

__all__ = ["api_of", "problem"]

_TYPE: Final = "application/problem+json"
_TOLD: Final = {
    400: "What was sent can't be read as JSON in UTF-8.",
    401: "A token is needed, as Authorization: Bearer.",
    403: "This is not among what the token lets do.",
    404: "There is no such thing here.",
    409: "The record does not allow it now.",
    413: "Too much was sent at once.",
    422: "What was sent cannot be.",
    503: "The database can't be reached or written just now; look before you send it again.",
}


def api_of(room: Room) -> FastAPI:
    """The HTTP interface of a trial."""
    api = FastAPI(
        title="Sevenfold", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False,
        description="Steps and questions of one trial, for programs that act for a person.",
        responses={status: _described(told) for status, told in _TOLD.items()},
    )  # fmt: skip
    api.state.room = room
    for one in (subjects, trial):
        api.include_router(one.routes)

    @api.exception_handler(Outside)
    async def _not_in(request: Request, _error: Exception) -> Response:
        noted("token.refused", level=logging.WARNING, asked=_asked(request))
        return problem(401, _TOLD[401])

    @api.exception_handler(Forbidden)
    async def _forbidden(request: Request, error: Exception) -> Response:
        noted("request.refused", level=logging.WARNING, why=str(error), asked=_asked(request), person="token")
        return problem(403, _TOLD[403])

    @api.exception_handler(NotThere)
    async def _not_there(_request: Request, error: Exception) -> Response:
        return problem(404, str(error))

    @api.exception_handler(SevenfoldError)
    async def _said(_request: Request, error: Exception) -> Response:
        known = 409 if isinstance(error, OutOfOrder) else 422 if isinstance(error, (InvalidInput, BlindBroken)) else 500
        return problem(known, str(error))

    @api.exception_handler(SQLAlchemyError)
    @api.exception_handler(sqlite3.Error)
    @api.exception_handler(OSError)
    @api.exception_handler(Unavailable)
    async def _not_kept(_request: Request, error: Exception) -> Response:
        noted("step.not_kept", level=logging.ERROR, kind=type(error).__name__)
        return problem(503, _TOLD[503])

    @api.exception_handler(RequestValidationError)
    async def _mistyped(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [f"{'.'.join(map(str, one['loc']))[:200]}: {one['msg'][:200]}" for one in error.errors()[:20]]
        return problem(422, "; ".join(faults))

    @api.exception_handler(HTTPException)
    async def _none(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        answer = problem(status)
        answer.headers.update((error.headers if isinstance(error, HTTPException) else None) or {})
        return answer

    @api.exception_handler(Exception)
    async def _broken(request: Request, error: Exception) -> Response:
        noted("program.broken", level=logging.ERROR, kind=type(error).__name__, asked=_asked(request))
        return problem(500, "Something is wrong with the program; its log says what. Nothing was recorded.")

    return api


def _asked(request: Request) -> str:
    return f"{request.method} /api/v1{getattr(request.scope.get('route'), 'path', '/elsewhere')}"


def _described(told: str) -> dict[str, Any]:
    return {"description": told, "content": {_TYPE: {"schema": Problem.model_json_schema()}}}


def problem(status: int, detail: str | None = None) -> JSONResponse:
    """Why nothing was done, as a program reads it."""
    said = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail or _TOLD.get(status, "This can't be done here.")
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(said.model_dump(), status, headers=headers, media_type=_TYPE)
