"""Subjects: who there is, and every step that a program may take with one."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from sevenfold.clock import hours_between
from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.protocol.variable import Variable
from sevenfold.record.payloads import AdverseEventReported, DoseGiven, Result, VisitMissed
from sevenfold.service.api.gate import NotThere, bearing, check_seen
from sevenfold.service.api.models import (
    AdverseEventSent,
    Candidate,
    Consent,
    Entry,
    MaskedSent,
    Randomised,
    Recorded,
    Sample,
    Screened,
    Subject,
    SubjectInList,
    Subjects,
    Value,
    VisitSent,
    plain,
    typed,
)
from sevenfold.service.fields import number_of
from sevenfold.service.gate import Seat
from sevenfold.service.language import translator
from sevenfold.service.role import Right
from sevenfold.service.screening_form import Asked, asked_at, screening_of
from sevenfold.service.timeline import doses_to_come, timeline, visits_to_come
from sevenfold.trial.enrolling import randomise_subject, record_consent, screen_candidate
from sevenfold.trial.subject import Standing
from sevenfold.trial.visiting import receive_masked, record_visit

__all__ = ["routes"]

routes = APIRouter(prefix="/subjects")
Name = Annotated[str, Path(max_length=100)]
Reader = Annotated[Seat, Depends(bearing(Right.READ_SUBJECTS))]


@routes.get("")
def subjects(seat: Reader) -> Subjects:
    """Everybody whom the person may see, in the order in which they came."""
    conduct = seat.room.conduct
    found = seat.room.subjects(seat.person)
    return Subjects(subjects=[_shortly(conduct.standings[name], str(conduct.site_of(name))) for name in found])


@routes.get("/{name}")
def subject(name: Name, seat: Reader) -> Subject:
    """One subject: what happened, never the treatment or a masked result."""
    check_seen(seat, name)
    room = seat.room
    one, standing = room.subject(name, seat.person), room.conduct.standings[name]
    entries = [
        Entry(at=e.at.isoformat(timespec="minutes"), study_day=e.day, kind=e.kind, what=e.what, more=e.more)
        for e in timeline(one, room.protocol, translator("en"))
    ]
    return Subject(
        **_shortly(standing, one.site).model_dump(),
        n_adverse_events=standing.n_adverse_events,
        timeline=entries,
        visits_to_come=[visit.id for visit in visits_to_come(one, room.protocol)],
        doses_to_come=doses_to_come(one, room.protocol),
    )


@routes.post("", status_code=201)
def screen(said: Candidate, seat: Annotated[Seat, Depends(bearing(Right.SCREEN))]) -> Screened:
    """Hold a candidate against the criteria in force at the person's site; eligible or not, it is recorded."""
    room, site = seat.room, str(seat.person.site)
    zone = room.zone(seat.person)
    at = said.at.astimezone(zone)
    asked = asked_at(room.protocol, site, at)
    _check_asked(said, asked)
    known, faults = screening_of(asked, _as_form(said), at, zone)
    if faults:
        raise InvalidInput(" ".join(faults.values()))
    with room.step(seat.person) as conduct:
        subject = room.next_subject(site)
        if said.subject != subject:
            raise OutOfOrder(f"The next subject of the site is {subject}, not {said.subject!r}; was this sent twice?")
        unmet = screen_candidate(conduct, subject, site, known)
    reasons = [{"criterion": one.criterion, "reason": one.reason, "is_unknown": one.is_unknown} for one in unmet]
    return Screened(subject=subject, is_eligible=not unmet, unmet=reasons)


@routes.post("/{name}/consent", status_code=201)
def consent(name: Name, said: Consent, seat: Annotated[Seat, Depends(bearing(Right.SCREEN))]) -> Recorded:
    """Consent, by whom; or a refusal."""
    check_seen(seat, name)
    with seat.room.step(seat.person) as conduct:
        record_consent(conduct, name, None if said.by == "refused" else said.by, said.at)
    return Recorded(subject=name, recorded="consent")


@routes.post("/{name}/randomise", status_code=201)
def randomise(name: Name, seat: Annotated[Seat, Depends(bearing(Right.RANDOMISE))]) -> Randomised:
    """The next number of the subject's stratum."""
    check_seen(seat, name)
    with seat.room.step(seat.person) as conduct:
        number = randomise_subject(conduct, name, seat.room.here_and_now(seat.person, name))
    return Randomised(subject=name, number=number)


@routes.post("/{name}/visits/{visit}", status_code=201)
def hold_visit(
    name: Name, visit: Name, said: VisitSent, seat: Annotated[Seat, Depends(bearing(Right.RECORD_VISIT))]
) -> Recorded:
    """A visit with its open results, or that it was missed; what the protocol masks is refused."""
    check_seen(seat, name)
    room = seat.room
    planned = next((one for one in room.protocol.schedule.visits if one.id == visit), None)
    if planned is None:
        raise NotThere(f"No visit {visit[:40]!r} is planned.")
    known = room.protocol.known_variables
    masked = set(room.protocol.masking.assessments) if room.conduct.standings[name].number is not None else set()
    asked = {part for one in planned.assessments for part in known[one].components or (one,)} - masked
    results = _results(said.results, (known[one] for one in asked))
    with room.step(seat.person) as conduct:
        if said.missed_because is not None:
            conduct.record(name, VisitMissed(visit=visit, reason=said.missed_because), "nurse", said.at)
        else:
            record_visit(conduct, name, visit, results, said.at, with_masked=False)
    return Recorded(subject=name, recorded=f"visit {visit}")


@routes.post("/{name}/laboratory/{visit}", status_code=201)
def send_masked(
    name: Name, visit: Name, said: MaskedSent, seat: Annotated[Seat, Depends(bearing(Right.SEND_MASKED))]
) -> Recorded:
    """Masked results of a visit: sealed at once, and reviewed by the rules behind the blind."""
    check_seen(seat, name)
    room = seat.room
    if visit not in room.protocol.schedule.names:
        raise NotThere(f"No visit {visit[:40]!r} is planned.")
    masked = [room.protocol.known_variables[one] for one in room.protocol.masking.assessments]
    results = _results(said.results, masked)
    with room.step(seat.person) as conduct:
        receive_masked(conduct, name, visit, results, said.at)
    return Recorded(subject=name, recorded=f"masked results of visit {visit}")


@routes.post("/{name}/adverse-events", status_code=201)
def report_event(
    name: Name, said: AdverseEventSent, seat: Annotated[Seat, Depends(bearing(Right.REPORT_EVENT))]
) -> Recorded:
    """An adverse event; the protocol's monitoring rules are held against it at once."""
    check_seen(seat, name)
    room = seat.room
    began = said.began_at.astimezone(room.zone(seat.person, name))
    one = room.subject(name, seat.person)
    doses = [at for at, dose in one.doses if isinstance(dose, DoseGiven) and at <= began]
    event = AdverseEventReported(
        number=said.number,
        term=said.term.strip(),
        system=said.system.strip(),
        grade=said.grade,
        is_serious=said.is_serious,
        relation=said.relation,
        began_at=began.isoformat(timespec="minutes"),
        hours_after_dose=round(hours_between(doses[-1], began), 2) if doses else None,
        outcome=said.outcome,
    )
    with room.step(seat.person) as conduct:
        n = conduct.standings[name].n_adverse_events
        if said.number != n + 1:
            raise OutOfOrder(f"The next event of {name} is {n + 1}, not {said.number}; was this sent twice?")
        conduct.record(name, event, "investigator", room.here_and_now(seat.person, name))
    return Recorded(subject=name, recorded=f"adverse event {said.number}")


def _shortly(standing: Standing, site: str) -> SubjectInList:
    return SubjectInList(
        subject=standing.subject, site=site, number=standing.number, disposition=standing.disposition.value
    )


def _results(sent: Mapping[str, Value], asked: Iterable[Variable]) -> dict[str, Result]:
    """What was sent, in the protocol's units.

    Raises:
        InvalidInput: something is not asked for here, or cannot be.
    """
    known = {one.id: one for one in asked}
    other = sorted(set(sent) - set(known))
    if other:
        raise InvalidInput(f"{other[0][:40]!r} is not asked for with this visit.")
    found = {}
    for name, value in sent.items():
        reading = number_of(known[name], typed(value), value.unit)
        if reading is None or (not value.unit and known[name].unit):
            raise InvalidInput(f"{known[name].label}: the unit is missing; it is {known[name].unit}.")
        found[name] = Result.model_validate(reading.as_result())
    return found


def _check_asked(said: Candidate, asked: Asked) -> None:
    """Refuse what the criteria do not ask for, so that nothing is sent that is silently dropped."""
    places: dict[str, tuple[set[str], Mapping[str, object]]] = {
        "fact": ({one.id for one in asked.facts}, said.facts),
        "number": ({one.id for one in asked.numbers}, said.numbers),
        "laboratory value": ({one.id for one, _ in asked.laboratory}, said.laboratory),
        "infusion": ({one.id for one in asked.infusions}, said.infusions),
    }
    for kind, (known, sent) in places.items():
        other = sorted(set(sent) - known)
        if other:
            raise InvalidInput(f"The {kind} {other[0][:40]!r} is not asked for; asked are {', '.join(sorted(known))}.")
    units = {one.id: one.unit for one in asked.numbers} | {one.id: one.unit for one, _ in asked.laboratory}
    values: list[tuple[str, Value | Sample]] = list(said.numbers.items())
    values += [(name, sample) for name, samples in said.laboratory.items() for sample in samples]
    for name, value in values:
        if not value.unit and units[name]:
            raise InvalidInput(f"{name}: the unit is missing; it is {units[name]}.")
    most = {one.id: n for one, n in asked.laboratory} | {one.id: asked.n_spans for one in asked.infusions}
    many: list[tuple[str, int]] = [(name, len(values)) for name, values in said.laboratory.items()]
    many += [(name, len(values)) for name, values in said.infusions.items()]
    for name, n in many:
        if n > most[name]:
            raise InvalidInput(f"{name}: at most {most[name]} are asked for, {n} were sent.")


def _as_form(said: Candidate) -> dict[str, str]:
    """As the screening form would have it typed, so that the same rules read it."""
    form = {f"fact {name}": "yes" if fact else "no" for name, fact in said.facts.items()}
    for name, value in said.numbers.items():
        form |= {f"number {name}": typed(value), f"number {name} unit": value.unit}
    for name, samples in said.laboratory.items():
        for place, sample in enumerate(samples):
            field = f"laboratory {name} {place}"
            form |= {field: typed(sample), f"{field} unit": sample.unit, f"{field} at": sample.taken_at.isoformat()}
    for name, spans in said.infusions.items():
        for place, span in enumerate(spans):
            field = f"infusion {name} {place}"
            form |= {field: plain(span.rate), f"{field} from": span.began_at.isoformat()}
            form[f"{field} to"] = span.ended_at.isoformat()
    return form
