"""The ledger as the auditor reads it: searched, newest events first, in pages that each have an address."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import KIND_NAMES
from sevenfold.record.searching import Wanted
from sevenfold.service.gate import Seat, seated
from sevenfold.service.people.person import Person
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter()
_FILTERS: Final = ("number", "kind", "subject", "site", "who", "from", "to")
_LONGEST: Final = 200  # letters of a filter
_DIGITS: Final = 15  # of a number
T = TypeVar("T")


@routes.get("/ledger")
def ledger(request: Request, seat: Annotated[Seat, Depends(seated(Right.READ_AUDIT))]) -> HTMLResponse:
    """The events that were asked for, and the signed head. Where a filter can't be, nothing is looked for."""
    room = seat.room
    asked = {name: _typed(request, name) for name in (*_FILTERS, "below", "above")}
    people = room.accounts.people()
    faults: dict[str, str] = {}
    numbers = {name: _read(_number, name, asked, faults) for name in ("number", "below", "above")}
    days = {name: _read(_day, name, asked, faults) for name in ("from", "to")}
    if days["from"] and days["to"] and days["from"] > days["to"]:
        faults["to"] = "The last day lies before the first."
    wanted = Wanted(
        number=numbers["number"],
        kind=asked["kind"] or None,
        subject=asked["subject"] or None,
        site=asked["site"] or None,
        actors=_actors(people, asked["who"]),
        acted=asked["who"] or None,
        first_day=days["from"],
        last_day=days["to"],
        below=numbers["below"],
        above=numbers["above"],
    )
    return page(
        request,
        "ledger",
        seat,
        asked=asked,
        faults=faults,
        found=None if faults else room.conduct.ledger.search(wanted),
        head=room.conduct.ledger.head,
        kinds=KIND_NAMES,
        names={one.actor: one.name for one in people},
        address=lambda **other: _address(asked, other),
        is_filtered=any(asked[name] for name in _FILTERS),
    )


def _typed(request: Request, name: str) -> str:
    """What was typed, without what can't be seen: no event holds that, and a database may refuse it."""
    typed = request.query_params.get(name, "")[:_LONGEST]
    return "".join(letter for letter in typed if letter.isprintable()).strip()


def _read(what: Callable[[str], T], name: str, asked: Mapping[str, str], faults: dict[str, str]) -> T | None:
    """What a filter says; None where it says nothing, or nothing that can be, which is then among the faults."""
    try:
        return what(asked[name]) if asked[name] else None
    except InvalidInput as error:
        faults[name] = str(error)
        return None


def _number(typed: str) -> int:
    if not typed.isdecimal() or len(typed) > _DIGITS:
        raise InvalidInput(f"{typed[:30]!r} is not a whole number.")
    return int(typed)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise InvalidInput(f"{typed[:30]!r} is not a day; write it like 2016-03-01.") from None


def _actors(people: list[Person], who: str) -> tuple[str, ...]:
    """Everybody whose printed name has these letters, as events name them."""
    return tuple(one.actor for one in people if who and who.lower() in one.name.lower())


def _address(asked: Mapping[str, str], other: Mapping[str, int]) -> str:
    """The address of another page of the same search."""
    said = {name: asked[name] for name in _FILTERS if asked[name]} | {name: str(n) for name, n in other.items()}
    return f"/ledger?{urlencode(said)}" if said else "/ledger"
