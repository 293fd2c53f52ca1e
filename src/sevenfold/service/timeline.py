"""What happened to a subject, in words and in order of time: what everybody who sees the subject may know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import final

from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.visit import Visit, study_day_on, time_day
from sevenfold.record.history import SubjectHistory
from sevenfold.record.payloads import DoseGiven
from sevenfold.report.subject_figure import Course, PlannedVisit

__all__ = ["Entry", "course_of", "doses_to_come", "timeline", "visits_to_come"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened.

    Args:
        day: the study day, by the site's calendar; None before it is known.
        kind: ``visit``, ``dose``, ``event``, ``alert`` or ``step``; gives the colour and the sign.
    """

    at: datetime
    day: int | None
    kind: str
    what: str
    more: str = ""


def timeline(one: SubjectHistory, protocol: Protocol, say: Callable[..., str]) -> list[Entry]:
    """Everything open that happened, in order.

    Args:
        say: sentences in the reader's language; the words of the protocol and of people stay theirs.
    """
    known = protocol.known_variables
    entries: list[Entry] = []
    start = one.day_one_at or one.randomised_at

    def add(at: datetime | None, kind: str, what: str, more: str = "") -> None:
        if at is not None:
            day = None if start is None else study_day_on(at.date(), start.date())
            entries.append(Entry(at=at, day=day, kind=kind, what=what, more=more))

    unmet = "; ".join(f"{found.criterion}: {found.reason}" for found in one.screened.unmet)
    add(one.screened_at, "step", say("Screening"), unmet or say("every criterion is met"))
    by = {"patient": say("Consent by the patient"), "representative": say("Consent by the representative")}
    add(one.consented_at, "step", by.get(str(one.consent_by), ""))
    add(one.randomised_at, "step", say("Randomised as {number}", number=one.number))
    add(one.reconsented_at, "step", say("Consent confirmed by the patient"))
    for seen in one.visits:
        if seen.reason is not None:
            add(seen.at, "visit", say("Visit {visit} missed", visit=seen.visit), seen.reason)
            continue
        values = [f"{known[name].label} {r.qualifier}{r.value:g} {r.unit}" for name, r in seen.results.items()]
        add(seen.at, "visit", say("Visit {visit}", visit=seen.visit), ", ".join(values))
    for at, dose in one.doses:
        if isinstance(dose, DoseGiven):
            of = say("kit {kit}, {volume} mL {route}", kit=dose.kit, volume=f"{dose.volume_ml:g}", route=dose.route)
            add(at, "dose", say("Dose of day {day} given", day=dose.study_day), of)
        else:
            add(at, "dose", say("Dose of day {day} not given", day=dose.study_day), dose.reason)
    for at, event in one.adverse_events:
        sentence = "{term}, grade {grade}, serious" if event.is_serious else "{term}, grade {grade}"
        what = say(sentence, term=event.term, grade=event.grade)
        add(at, "event", what, f"{say(event.relation)}; {say(event.outcome)}")
    for at, infection in one.infections:
        add(at, "event", say("Secondary infection"), infection.site)
    for at, support in one.supports:
        add(at, "step", say(f"{support.support.capitalize()}: {support.change}"))
    for at, raised in one.raised:
        add(at, "alert", f"{raised.rule} ({say(raised.to)})", f"{raised.because}: {raised.action}")
    if one.dosing_stopped is not None:
        add(one.dosing_stopped[0], "step", say("Dosing stopped"), one.dosing_stopped[1])
    add(one.left_icu_at, "step", say("Left intensive care"))
    add(one.left_hospital_at, "step", say("Left hospital"))
    for at, asked_by in one.unblindings:
        add(at, "alert", say("Unblinded in an emergency"), asked_by)
    objects = "" if one.may_use_data else say("objects to the use of what was collected")
    add(one.ended_at, "step", say(one.ended or "").capitalize(), one.cause_of_death or objects)
    return sorted(entries, key=lambda entry: entry.at)


def visits_to_come(one: SubjectHistory, protocol: Protocol) -> list[Visit]:
    """Planned visits of which nothing is recorded."""
    done = {seen.visit for seen in one.visits}
    return [visit for visit in protocol.schedule.visits if visit.id not in done]


def doses_to_come(one: SubjectHistory, protocol: Protocol) -> list[int]:
    """Dosing days of which nothing is recorded."""
    if not one.is_randomised or one.dosing_stopped is not None or one.ended is not None:
        return []
    done = {dose.study_day for _, dose in one.doses}
    return [day for day in protocol.dosing_days if day not in done]


def course_of(one: SubjectHistory, protocol: Protocol, now: datetime) -> Course | None:
    """What the subject's figure shows; None before randomisation."""
    if not one.is_randomised:
        return None
    seen = {seen.visit: seen for seen in one.visits}
    visits = []
    for visit in protocol.schedule.visits:
        found = seen.get(visit.id)
        first, last = time_day(visit.first_day), time_day(visit.last_day)
        is_held = found is not None and found.reason is None
        visits.append(
            PlannedVisit(
                name=visit.id,
                first=first,
                last=last + 1.0,
                held=one.day(found.at) if found is not None and is_held else None,
                is_missed=found is not None and not is_held,
            )
        )
    return Course(
        visits=visits,
        doses=[(one.day(at) or 0.0, isinstance(dose, DoseGiven)) for at, dose in one.doses],
        events=[
            (one.day(at) or 0.0, f"{event.term}, grade {event.grade}", event.is_serious)
            for at, event in one.adverse_events
        ],
        now=one.day(one.ended_at or now) or 0.0,
        has_died=one.ended == "died",
    )
