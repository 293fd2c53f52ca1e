"""The gate that every request passes: who asks, whether the role may, and whether a form came from one of our pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast, final
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from sevenfold.errors import InvalidInput
from sevenfold.service.people.person import Person
from sevenfold.service.people.sessions import Session
from sevenfold.service.role import Right
from sevenfold.service.room import Room

__all__ = ["COOKIE", "Forbidden", "Form", "Outside", "Seat", "posted", "posted_openly", "room_of", "seated"]

COOKIE: Final = "sevenfold"
_FIELDS: Final = 600  # of a form, at most
_LONGEST: Final = 20_000  # letters of a field


class Outside(Exception):
    """Nobody is in: the login page comes first."""


class Forbidden(Exception):
    """Somebody is in and may not."""


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
    """What was filled in, by somebody who may."""

    seat: Seat
    said: Mapping[str, str]

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
        session = room.sessions.of(request.cookies.get(COOKIE), room.now_s())
        if session is None:
            raise Outside
        if right is not None and not session.person.may(right):
            raise Forbidden
        return Seat(room, session)

    check.right = right  # type: ignore[attr-defined]  # read by the test that goes through every route
    return check


def posted(right: Right | None) -> Callable[[Request], object]:
    """A dependency that takes a form from whoever has a right, if it came from one of our pages."""
    let_in = seated(right)

    async def check(request: Request) -> Form:
        seat = await run_in_threadpool(let_in, request)
        said = await _fields(request)
        if said.get("form_key") != seat.session.form_key or not _is_from_here(request):
            raise Forbidden
        return Form(seat, said)

    check.right = right  # type: ignore[attr-defined]
    return check


async def posted_openly(request: Request) -> Mapping[str, str]:
    """A dependency that takes a form from whoever is not in yet: the login's and the invitation's."""
    if not _is_from_here(request):
        raise Forbidden
    return await _fields(request)


async def _fields(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=_FIELDS) as form:
        said = {name: value for name, value in form.multi_items() if not isinstance(value, UploadFile)}
    too_long = next((name for name, value in said.items() if len(value) > _LONGEST), None)
    if too_long is not None:
        raise InvalidInput(f"{too_long}: at most {_LONGEST} letters.")
    return {name: value.replace("\x00", "") for name, value in said.items()}


def _is_from_here(request: Request) -> bool:
    """Whether a form was sent by a page of this host, as far as the browser says."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")
