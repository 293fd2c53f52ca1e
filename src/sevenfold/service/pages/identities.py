"""Who the subjects of a site are: seen, kept and destroyed by those who treat them, and by nobody else."""

from typing import Annotated, Final, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.errors import InvalidInput
from sevenfold.record.kinds.identity import DestroyedBecause
from sevenfold.record.payloads import IdentityDestroyed, IdentityKept
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.identities.identities import Entry
from sevenfold.service.identities.identity import Identity
from sevenfold.service.identities.recorded import entries_of, recorded
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["REASONS", "routes"]

routes = APIRouter(prefix="/identities")
REASONS: Final[tuple[str, ...]] = get_args(DestroyedBecause)


@routes.get("")
def identities(request: Request, seat: Annotated[Seat, Depends(seated(Right.SEE_IDENTITY))]) -> HTMLResponse:
    """The site's list: every subject with who it is, as far as that is kept."""
    room = seat.room
    entries = entries_of(room.conduct.ledger, room.identities, room.subjects(seat.person)[::-1])
    return page(
        request,
        "identities",
        seat,
        entries=entries,
        any_closed=any(entry.is_closed for entry in entries.values()),
        has_keys=room.identities.keys.is_there,
    )


@routes.get("/{name}")
def identity(request: Request, name: str, seat: Annotated[Seat, Depends(seated(Right.SEE_IDENTITY))]) -> HTMLResponse:
    """Who a subject is, and the form that keeps it."""
    return _page(request, seat, name, None, {})


@routes.post("/{name}")
def keep(request: Request, name: str, form: Annotated[Form, Depends(posted(Right.SEE_IDENTITY))]) -> Response:
    """Keep who a subject is; the record says that it is kept and nothing of it."""
    seat = form.seat
    seat.room.subject(name, seat.person)
    fields = ("family_name", "given_name", "born", "hospital_number")
    try:
        said = Identity.typed(**{field: form[field] for field in fields})
    except InvalidInput as error:
        return _page(request, seat, name, str(error), {field: form[field] for field in fields})
    with seat.room.step(seat.person) as conduct:
        conduct.record(name, IdentityKept(), seat.person.role.value, seat.room.here_and_now(seat.person, name))
        seat.room.identities.keep(name, said)
    return RedirectResponse(f"/identities/{name}", 303)


@routes.post("/{name}/destroy")
def destroy(name: str, form: Annotated[Form, Depends(posted(Right.DESTROY_IDENTITY))]) -> Response:
    """Destroy the key of an entry, with password and six digits: nobody can open it again, here or in a backup."""
    room, person = form.seat.room, form.seat.person
    room.subject(name, person)
    if form["reason"] not in REASONS:
        raise InvalidInput("Choose why the entry is destroyed.")
    if not _is_kept(form.seat, name, _entry(form.seat, name)):
        raise InvalidInput(f"Nothing that could be destroyed is kept of who {name} is.")
    if not room.identities.keys.knows(name):
        raise InvalidInput(
            f"No key of {name}'s entry is here, so none can be destroyed; it may lie elsewhere. Have the file of keys "
            "put back, or keep the entry anew first and destroy every copy of the old file."
        )
    room.confirm(form.seat.session, form["password"], form["code"])
    at = room.here_and_now(person, name)
    with room.step(person) as conduct:
        said = IdentityDestroyed.model_validate({"reason": form["reason"]})
        conduct.record(name, said, person.role.value, at)
        room.identities.destroy(name, at.isoformat(timespec="minutes"), form["reason"])
    return RedirectResponse(f"/identities/{name}", 303)


def _entry(seat: Seat, name: str) -> Entry:
    return entries_of(seat.room.conduct.ledger, seat.room.identities, [name])[name]


def _is_kept(seat: Seat, name: str, entry: Entry) -> bool:
    """Whether there is an entry; or the record says so, where a step was broken off when its key was gone."""
    return entry.identity is not None or entry.is_closed or name in recorded(seat.room.conduct.ledger)


def _page(request: Request, seat: Seat, name: str, fault: str | None, said: dict[str, str]) -> HTMLResponse:
    seat.room.subject(name, seat.person)
    entry = _entry(seat, name)
    has_keys = seat.room.identities.keys.is_there
    kept = {} if entry.identity is None else entry.identity.as_plain()
    return page(
        request,
        "identity",
        seat,
        status=200 if fault is None else 422,
        name=name,
        entry=entry,
        can_be_destroyed=has_keys and _is_kept(seat, name, entry),
        has_keys=has_keys,
        reasons=REASONS,
        said=said or kept,
        fault=fault,
    )
