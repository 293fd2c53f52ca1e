"""The gate that every request passes: who asks, whether the role may, and whether a form came from one of our pages."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final, cast, final
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from sevenfold.errors import InvalidInput
from sevenfold.service.cookies import Cookie, cookie_of
from sevenfold.service.headers import MOST_BYTES
from sevenfold.service.people.person import Person
from sevenfold.service.people.sessions import Session
from sevenfold.service.role import Right
from sevenfold.service.room import Room

__all__ = [
    "Forbidden",
    "Form",
    "Outside",
    "Seat",
    "posted",
    "posted_openly",
    "posted_with_file",
    "room_of",
    "seated",
]

_FIELDS: Final = 600  # of a form, at most
_FIELDS_WITH_FILE: Final = 10  # of a form that brings a file
_LONGEST: Final = 20_000  # letters of a field
_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls and what turns the direction of writing around: a record must read as it was typed."""


class Outside(Exception):
    """Nobody is in: the login page comes first."""


class Forbidden(Exception):
    """Somebody may not. It says why for the log: ``right``, ``form key`` or ``origin``."""


@final
@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who may do what was asked for."""

    room: Room
    session: Session

    @property
    def person(self) -> Person:
        """Who it is."""
        return self.session.person


@final
@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in, by somebody who may.

    Args:
        file: what a file that was sent with it holds, on the one page that takes one; its name is not kept.
    """

    seat: Seat
    said: Mapping[str, str]
    file: bytes | None = None

    def __getitem__(self, name: str) -> str:
        """What a field holds, without spaces around it; empty where nothing was filled in."""
        return self.said.get(name, "").strip()

    def required(self, name: str, label: str) -> str:
        """What a field holds, which must be something.

        Raises:
            InvalidInput: nothing.
        """
        value = self[name]
        if not value:
            raise InvalidInput(f"{label}: nothing was filled in.")
        return value


def room_of(request: Request) -> Room:
    """The room that the request is about."""
    return cast(Room, request.app.state.room)


def seated(right: Right | None) -> Callable[[Request], Seat]:
    """A dependency that lets in whoever has a right (None: whoever is in)."""

    def check(request: Request) -> Seat:
        room = room_of(request)
        session = room.sessions.of(cookie_of(request, Cookie.SESSION), room.now_s())
        if session is None:
            raise Outside
        if right is not None and not session.person.may(right):
            raise Forbidden("right")
        return Seat(room, session)

    check.right = right  # type: ignore[attr-defined]  # read by the test that goes through every route
    return check


def posted(right: Right | None) -> Callable[[Request], object]:
    """A dependency that takes a form from whoever has a right, if it came from one of our pages."""
    let_in = seated(right)

    async def check(request: Request) -> Form:
        seat = await run_in_threadpool(let_in, request)
        said = await _fields(request)
        _check_ours(request, seat, said)
        return Form(seat, said)

    check.right = right  # type: ignore[attr-defined]
    return check


def posted_with_file(right: Right, field: str) -> Callable[[Request], object]:
    """A dependency that takes a form with one file, in the field of this name, from whoever has a right.

    The file stays in memory: it may hold what must be written nowhere in clear.
    """
    let_in = seated(right)

    async def check(request: Request) -> Form:
        seat = await run_in_threadpool(let_in, request)
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise HTTPException(400)
        parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=_FIELDS_WITH_FILE)
        parser.spool_max_size = MOST_BYTES
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise HTTPException(400) from error
        try:
            sent = form.get(field)
            odd = [name for name, value in form.multi_items() if isinstance(value, UploadFile) and name != field]
            file = await sent.read() if isinstance(sent, UploadFile) and not odd else None
            said = {name: value for name, value in form.multi_items() if not isinstance(value, UploadFile)}
        finally:
            await form.close()
        _check_fields(said)
        _check_ours(request, seat, said)
        return Form(seat, said, file)

    check.right = right  # type: ignore[attr-defined]
    return check


def _check_ours(request: Request, seat: Seat, said: Mapping[str, str]) -> None:
    if not _is_from_here(request):
        raise Forbidden("origin")
    if not compare_digest(said.get("form_key", "").encode(), seat.session.form_key.encode()):
        raise Forbidden("form key")


async def posted_openly(request: Request) -> Mapping[str, str]:
    """A dependency that takes a form from whoever is not in yet: the login's and the invitation's."""
    if not _is_from_here(request):
        raise Forbidden("origin")
    return await _fields(request)


async def _fields(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=_FIELDS) as form:
        said = {name: value for name, value in form.multi_items() if not isinstance(value, UploadFile)}
    _check_fields(said)
    return said


def _check_fields(said: Mapping[str, str]) -> None:
    too_long = next((name for name, value in said.items() if len(value) > _LONGEST), None)
    if too_long is not None:
        raise InvalidInput(f"{too_long}: at most {_LONGEST} letters.")
    unseen = next((name for name, value in said.items() if _UNSEEN.search(value)), None)
    if unseen is not None:
        raise InvalidInput(f"{unseen[:40]!r} holds a character that can't be seen; type it again.")


def _is_from_here(request: Request) -> bool:
    """Whether a form was sent by one of our pages, as far as the browser says. Behind TLS our address is the one that
    the server was told; a proxy may pass on any host.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    room = room_of(request)
    if origin is None:
        return True
    if room.is_behind_tls and room.address:
        return origin == room.address
    return urlsplit(origin).netloc == request.headers.get("host", "")
