"""What happens between visits: adverse events, and how a subject's part ends."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sevenfold.clock import hours_between
from sevenfold.errors import InvalidInput
from sevenfold.record.payloads import (
    AdverseEventReported,
    ConsentWithdrawn,
    Died,
    DosingStopped,
    LeftHospital,
    LeftIcu,
    LostToFollowUp,
    Payload,
    PossiblyUnblinded,
    Reconsented,
    ReconsentRefused,
    TreatmentGuessed,
)
from sevenfold.service.fields import moment_of
from sevenfold.service.gate import Form, Seat, posted, seated
from sevenfold.service.rendering import page
from sevenfold.service.role import Right

__all__ = ["routes"]

routes = APIRouter(prefix="/subjects/{name}")
_RELATIONS: Final = ("not related", "unlikely", "possible", "probable")
_GUESSERS: Final = ("patient", "investigator", "nurse")
_GUESSES: Final = ("active", "comparator", "does not know")
_OUTCOMES: Final = ("recovered", "recovering", "not recovered", "recovered with sequelae", "fatal", "unknown")


@routes.get("/event")
def event_form(request: Request, name: str, seat: Annotated[Seat, Depends(seated(Right.REPORT_EVENT))]) -> HTMLResponse:
    """An adverse event's form."""
    return _page(request, seat, name)


@routes.post("/event")
def report_event(name: str, form: Annotated[Form, Depends(posted(Right.REPORT_EVENT))]) -> Response:
    """Report an adverse event; the protocol's monitoring rules are held against it at once."""
    room = form.seat.room
    one = room.subject(name, form.seat.person)
    began = moment_of("Beginning", form["began"], room.zone(form.seat.person, name))
    doses = [at for at, dose in one.doses if type(dose).__name__ == "DoseGiven" and at <= began]
    if not form["grade"].isdecimal() or form["relation"] not in _RELATIONS or form["outcome"] not in _OUTCOMES:
        raise InvalidInput("Grade (1 to 5), relation and outcome are chosen from the lists.")
    said = AdverseEventReported.model_validate(
        {
            "number": int(form["number"]) if form["number"].isdecimal() else 0,
            "term": form.required("term", "Term"),
            "system": form["system"] or "not coded",
            "grade": min(max(int(form["grade"]), 1), 5),
            "is_serious": form["serious"] == "yes",
            "relation": form["relation"],
            "began_at": began.isoformat(timespec="minutes"),
            "hours_after_dose": round(hours_between(doses[-1], began), 2) if doses else None,
            "outcome": form["outcome"],
        }
    )
    with room.step(form.seat.person) as conduct:
        n = conduct.standings[name].n_adverse_events
        if said.number != n + 1:
            raise InvalidInput(
                f"Event {said.number} of {name} was recorded already; look at the subject's page before you send again."
            )
        conduct.record(name, said, "investigator", room.here_and_now(form.seat.person, name))
    return RedirectResponse(f"/subjects/{name}", 303)


@routes.post("/step")
def take_step(name: str, form: Annotated[Form, Depends(posted(Right.END_PART))]) -> Response:
    """Record a change in the subject's part: discharge, death, withdrawal, loss, a stop of dosing."""
    room = form.seat.room
    room.subject(name, form.seat.person)
    at = moment_of("Time", form["at"], room.zone(form.seat.person, name))
    with room.step(form.seat.person) as conduct:
        conduct.record(name, _said(form), "investigator", at)
    return RedirectResponse(f"/subjects/{name}", 303)


@routes.post("/reconsent")
def ask_again(name: str, form: Annotated[Form, Depends(posted(Right.END_PART))]) -> Response:
    """The recovered patient confirms what a representative consented to, or refuses it and says of the data."""
    room, person = form.seat.room, form.seat.person
    room.subject(name, person)
    answers: dict[str, Payload] = {
        "confirmed": Reconsented(),
        "refused, use": ReconsentRefused(may_use_data=True),
        "refused, no use": ReconsentRefused(may_use_data=False),
    }
    if form["answer"] not in answers:
        raise InvalidInput("Choose what the patient said.")
    at = moment_of("Time", form["at"], room.zone(person, name))
    with room.step(person) as conduct:
        conduct.record(name, answers[form["answer"]], "investigator", at)
    return RedirectResponse(f"/subjects/{name}", 303)


@routes.post("/blind")
def about_the_blind(name: str, form: Annotated[Form, Depends(posted(Right.GUESS))]) -> Response:
    """What somebody takes the treatment to be; or that somebody has seen what may betray it."""
    room = form.seat.room
    room.subject(name, form.seat.person)
    said: Payload
    if form["seen"]:
        said = PossiblyUnblinded(who=form.required("who", "Who"), what=form["seen"])
    elif form["by"] in _GUESSERS and form["guess"] in _GUESSES:
        said = TreatmentGuessed.model_validate({"by": form["by"], "guess": form["guess"]})
    else:
        raise InvalidInput("Choose who guesses, and what; or say what was seen.")
    with room.step(form.seat.person) as conduct:
        conduct.record(name, said, form.seat.person.role.value, room.here_and_now(form.seat.person, name))
    return RedirectResponse(f"/subjects/{name}", 303)


def _said(form: Form) -> Payload:
    match form["step"]:
        case "died":
            return Died(cause=form.required("detail", "Cause of death"))
        case "stopped dosing":
            return DosingStopped(reason=form.required("detail", "Reason"))
        case "withdrew":
            return ConsentWithdrawn()
        case "lost":
            return LostToFollowUp()
        case "left icu":
            return LeftIcu()
        case "left hospital":
            return LeftHospital()
        case "reconsented":
            return Reconsented()
    raise InvalidInput("Choose what happened.")


def _page(request: Request, seat: Seat, name: str) -> HTMLResponse:
    room = seat.room
    shown: dict[str, Any] = {
        "one": room.subject(name, seat.person),
        "number": room.conduct.standings[name].n_adverse_events + 1,
        "now": room.here_and_now(seat.person, name),
        "relations": _RELATIONS,
        "outcomes": _OUTCOMES,
    }
    return page(request, "event", seat, **shown)
