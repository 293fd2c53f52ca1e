"""The gate of the HTTP interface: a token lets a program act for a person, in some of what the person may do."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from sevenfold.service.gate import Forbidden, Outside, Seat, room_of
from sevenfold.service.people.sessions import Session
from sevenfold.service.role import Right

__all__ = ["NotThere", "bearing", "check_seen"]

_BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="token", description="A token that the administrator granted a person, who took it."
)


class NotThere(Exception):
    """There is no such thing that the person may see; it is not told whether there is another."""


def bearing(right: Right) -> Callable[..., Seat]:
    """A dependency that lets in a program whose token has a right."""

    def check(request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Seat:
        room = room_of(request)
        token = None if shown is None else room.tokens.of(shown.credentials, room.now_s())
        if token is None:
            raise Outside
        if right not in token.rights:
            raise Forbidden("right")
        return Seat(room, Session(person=token.person, form_key=""))

    check.right = right  # type: ignore[attr-defined]  # read by the check that every route asks for one
    return check


def check_seen(seat: Seat, subject: str) -> None:
    """Refuse a subject whom the person may not see as one who is not there.

    Raises:
        NotThere: so it is.
    """
    conduct = seat.room.conduct
    if subject not in conduct.standings or not seat.person.sees(conduct.site_of(subject)):
        raise NotThere(f"There is no subject {subject[:40]!r} here.")
