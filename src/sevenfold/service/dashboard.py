"""What the trial's first screen tells: enrolment against the plan, what is overdue, queries, safety. Never an arm."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import final

from sevenfold.protocol.registered import RegisteredTrial, Site
from sevenfold.record.payloads import AdverseEventReported, read_payload
from sevenfold.report.enrolment_figure import Enrolment, enrolment_figure
from sevenfold.service.people.person import Person
from sevenfold.service.room import Room
from sevenfold.trial.subject import Disposition
from sevenfold.trial.timing import study_day_of

__all__ = [
    "Overdue",
    "SafetyCounts",
    "SiteEnrolment",
    "enrolment_by_site",
    "enrolment_shown",
    "overdue_visits",
    "safety_counts",
]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A visit whose window has passed and of which nothing is recorded."""

    subject: str
    visit: str
    n_days: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyCounts:
    """Of those a person may see, all arms together."""

    n_randomised: int
    n_events: int
    n_serious: int
    n_severe: int
    n_died: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEnrolment:
    """How many of a site were screened and randomised, and whether it may screen."""

    trial: RegisteredTrial
    site: Site
    is_open: bool
    n_screened: int
    n_randomised: int


def enrolment_by_site(room: Room, person: Person) -> list[SiteEnrolment]:
    """Of the sites that a person may see, in the protocol's order."""
    screened: Counter[str] = Counter()
    randomised: Counter[str] = Counter()
    for name, standing in list(room.conduct.standings.items()):
        site = str(room.conduct.site_of(name))
        screened[site] += 1
        randomised[site] += standing.number is not None
    return [
        SiteEnrolment(
            trial=trial,
            site=place,
            is_open=name in room.conduct.whole.sites,
            n_screened=screened[name],
            n_randomised=randomised[name],
        )
        for name, (trial, place) in room.protocol.sites.items()
        if person.sees(name)
    ]


def overdue_visits(room: Room, person: Person) -> list[Overdue]:
    """The longest overdue first."""
    found = []
    for name in room.subjects(person):
        standing = room.conduct.standings[name]
        if standing.number is None or standing.is_over:
            continue
        today = study_day_of(standing, room.clock.now(), room.zone(person, name))
        if today is None:
            continue
        found += [
            Overdue(subject=name, visit=visit.id, n_days=today - visit.last_day)
            for visit in room.protocol.schedule.visits
            if visit.last_day < today and visit.id not in standing.visits
        ]
    return sorted(found, key=lambda one: (-one.n_days, one.subject, one.visit))


def safety_counts(room: Room, person: Person) -> SafetyCounts:
    """Adverse events as they were reported first, and deaths."""
    seen = set(room.subjects(person))
    said = [
        read_payload(event)
        for event in room.conduct.ledger.of_type(AdverseEventReported.__name__)
        if event.subject in seen
    ]
    reported = [one for one in said if isinstance(one, AdverseEventReported)]
    standings = [room.conduct.standings[name] for name in seen]
    return SafetyCounts(
        n_randomised=sum(one.number is not None for one in standings),
        n_events=len(reported),
        n_serious=sum(one.is_serious for one in reported),
        n_severe=sum(one.grade >= 3 for one in reported),
        n_died=sum(one.disposition is Disposition.DIED for one in standings),
    )


def enrolment_shown(room: Room, say: Callable[[str], str]) -> str:
    """The whole trial's enrolment as a figure."""
    conduct, sites = room.conduct, room.protocol.sites
    opened = [
        (datetime.fromisoformat(event.happened_at), sites[str(event.site)][1].screened_per_month)
        for event in conduct.ledger.of_type("SiteOpened")
    ]
    dates = [datetime.fromisoformat(event.happened_at) for event in conduct.ledger.of_type("CandidateScreened")]
    randomised = [one.randomised_at for one in list(conduct.standings.values()) if one.randomised_at is not None]
    locked = [datetime.fromisoformat(event.happened_at) for event in conduct.ledger.of_type("DatabaseLocked")]
    shown = Enrolment(
        screened=dates,
        randomised=randomised,
        opened=opened,
        planned=room.protocol.population.planned,
        until=locked[0] if locked else room.clock.now(),
    )
    return enrolment_figure(shown, say)
