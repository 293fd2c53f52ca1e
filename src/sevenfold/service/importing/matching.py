"""A row matched with the record: whose it is, of which visit and test, and whether its value is recorded already."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import final
from zoneinfo import ZoneInfo

from sevenfold.cohort.imported.cell import Unreadable
from sevenfold.protocol.variable import Variable
from sevenfold.protocol.visit import study_day_on
from sevenfold.record.data import data_of
from sevenfold.record.payloads import Result, VisitHeld
from sevenfold.rules.visiting import last_day_of
from sevenfold.service.importing.plan import Found, State, is_same, question
from sevenfold.service.importing.reading import Line, Trouble, as_result, moment_in, unreadable
from sevenfold.service.people.person import Person
from sevenfold.service.room import Room
from sevenfold.trial.sealed_queries import sealed_queries
from sevenfold.trial.subject import Standing

__all__ = ["Matcher"]


@final
@dataclass(frozen=True, slots=True)
class _Sample:
    """What a row says, understood: whose sample, of which visit and test, the result, and when it was taken.

    Args:
        taken: None where the row does not say.
        zone: in which the row tells times.
    """

    standing: Standing
    visit: str
    variable: Variable
    result: Result
    taken: datetime | date | None
    zone: ZoneInfo


@final
@dataclass(slots=True)
class Matcher:
    """Matches the rows of one file, as a person may see the record.

    Args:
        holds_masked: whether the file comes from the laboratory and holds masked results.
    """

    room: Room
    person: Person
    holds_masked: bool
    subjects: dict[str, str] = field(init=False)  # by name and by randomisation number
    tests: dict[str, Variable] = field(init=False)  # by name and label, folded
    _held: dict[str, dict[str, tuple[int, VisitHeld, set[str]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        standings = self.room.conduct.standings
        names = self.room.subjects(self.person)
        numbers = {str(standings[name].number): name for name in names if standings[name].number is not None}
        self.subjects = {**numbers, **{name: name for name in names}}
        known = self.room.protocol.known_variables.values()
        self.tests = {
            **{one.label.casefold(): one for one in known},
            **{one.id.casefold(): one for one in known},
        }

    def match(self, row: Line) -> Found | Trouble:
        """The row as what it is to the record, or what is wrong with it."""
        name = self.subjects.get(row["subject"])
        if name is None:
            return row.trouble(
                "subject", f"{row['subject'][:40]!r} is none here", "a subject's name or randomisation number"
            )
        variable = self.tests.get(row["test"].casefold())
        if variable is None:
            return row.trouble("test", f"{row['test'][:40]!r} is not measured in this trial", "a test of the protocol")
        standing, zone = self.room.conduct.standings[name], self.room.zone(self.person, name)
        try:
            taken = moment_in(row, zone)
            visit = self._visit_of(row, standing, taken, zone)
            result = as_result(row, variable)
            sample = _Sample(standing, visit, variable, result, taken, zone)
            return self._masked(row, sample) if self.holds_masked else self._open(row, sample)
        except Unreadable as fault:
            return row.trouble(fault.column or "value", fault.found, fault.wanted)

    def _visit_of(self, row: Line, standing: Standing, taken: datetime | date | None, zone: ZoneInfo) -> str:
        """The visit that a row names, or in whose window alone its sample was taken."""
        visits = self.room.protocol.schedule.visits
        if row["visit"]:
            named = [visit.id for visit in visits if visit.id.casefold() == row["visit"].casefold()]
            if named:
                return named[0]
            raise unreadable(
                "visit", f"{row['visit'][:40]!r} is not planned", f"one of {', '.join(one.id for one in visits)}"
            )
        day_one = standing.day_one_at or standing.randomised_at
        if taken is None or day_one is None:
            raise unreadable("visit", "there is no visit", "the visit, or when the sample was taken")
        day = study_day_on(_day(taken, zone), day_one.astimezone(zone).date())
        inside = [one for one in visits if one.first_day <= day <= last_day_of(one)]
        if len(inside) != 1:
            which = " and ".join(one.id for one in inside) or "no visit"
            raise unreadable("visit", f"day {day} lies in the window of {which}", "the visit by its name")
        return inside[0].id

    def _masked(self, row: Line, sample: _Sample) -> Found:
        standing, visit, variable, result = sample.standing, sample.visit, sample.variable, sample.result
        name, taken = standing.subject, sample.taken
        if variable.id not in self.room.protocol.masking.assessments:
            raise unreadable("test", f"{variable.label} is not masked", "a masked test; the site records the others")
        if standing.number is None:
            raise unreadable("subject", f"{name} is not randomised", "a randomised subject; the site records it")
        held = standing.held_at.get(visit)
        if isinstance(taken, datetime):
            at = taken
        elif taken is not None and held is not None and _day(held, sample.zone) == taken:
            at = held
        else:
            raise unreadable("taken", "no time of day is said", "date and time, such as 2026-03-01 14:30")
        recorded = self.room.conduct.followed.reviewer.sent(name, visit).get(variable.id)
        if recorded is None and visit in self.held_visits(name):
            recorded = self.held_visits(name)[visit][1].results.get(variable.id)
        found = Found(
            line=row.line, subject=name, visit=visit, at=at, test=variable.id, result=result, recorded=recorded,
            about=0, state=_state(result, recorded),
        )  # fmt: skip
        asked = (
            query.visit == visit and query.test == variable.id and is_same(query.sent, result)
            for query in (sealed_queries(self.room.conduct, name) if found.state is State.DIFFERS else ())
        )
        return replace(found, state=State.ASKED) if any(asked) else found

    def _open(self, row: Line, sample: _Sample) -> Found:
        standing, visit, variable, result = sample.standing, sample.visit, sample.variable, sample.result
        protocol, name, taken = self.room.protocol, standing.subject, sample.taken
        if standing.number is not None and variable.id in protocol.masking.assessments:
            raise unreadable("test", f"{variable.label} is masked", "an open test; the laboratory sends the others")
        known = protocol.known_variables
        asked = {
            part for one in protocol.schedule.visit(visit).assessments for part in (known[one].components or (one,))
        }
        if variable.id not in asked:
            raise unreadable("test", f"{variable.label} is not measured at visit {visit!r}", "a test of this visit")
        if visit not in self.held_visits(name):
            raise unreadable("visit", f"visit {visit!r} is not recorded", "a visit that is; record the visit first")
        about, held, questions = self.held_visits(name)[visit]
        at = standing.held_at[visit]
        if taken is not None and _day(taken, sample.zone) != _day(at, sample.zone):
            days = _day(taken, sample.zone), _day(at, sample.zone)
            raise unreadable("taken", f"the sample is of {days[0]}, and the visit of {days[1]}", "the same day")
        recorded = held.results.get(variable.id)
        found = Found(
            line=row.line, subject=name, visit=visit, at=at, test=variable.id, result=result, recorded=recorded,
            about=about, state=_state(result, recorded),
        )  # fmt: skip
        is_asked = found.state is State.DIFFERS and question(variable, found) in questions
        return replace(found, state=State.ASKED) if is_asked else found

    def held_visits(self, name: str) -> dict[str, tuple[int, VisitHeld, set[str]]]:
        """By visit that took place: its event, what it says now, and what was asked of the subject's data."""
        if name not in self._held:
            found = data_of(self.room.conduct.ledger.events_of(name))
            questions = {query.said.text for query in found.queries.values()}
            self._held[name] = {
                datum.said.visit: (number, datum.said, questions)
                for number, datum in found.data.items()
                if isinstance(datum.said, VisitHeld)
            }
        return self._held[name]


def _state(result: Result, recorded: Result | None) -> State:
    if recorded is None:
        return State.NEW
    return State.SAME if is_same(result, recorded) else State.DIFFERS


def _day(moment: datetime | date, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
