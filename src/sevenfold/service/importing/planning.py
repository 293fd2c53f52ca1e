"""What a file would change: each row held against the record, as new, the same, or another value than is recorded.

Nothing here records anything. A new value is recorded when the plan is confirmed; another value becomes a query and
changes nothing; a row that says what is recorded already is passed over, so that a file sent twice records nothing new.
"""

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from math import isclose
from typing import final
from zoneinfo import ZoneInfo

from sevenfold.cohort.imported.cell import Unreadable
from sevenfold.errors import OutOfOrder, SevenfoldError
from sevenfold.protocol.variable import Variable
from sevenfold.protocol.visit import study_day_on
from sevenfold.record.correcting import check_correction
from sevenfold.record.data import data_of
from sevenfold.record.payloads import Corrected, Result, VisitHeld
from sevenfold.rules.visiting import last_day_of
from sevenfold.sealing import canonical_json
from sevenfold.service.importing.reading import Line, Trouble, Upload, as_result, lines_of, moment_in, unreadable
from sevenfold.service.people.person import Person
from sevenfold.service.role import Right
from sevenfold.service.room import Room
from sevenfold.trial.sealed_queries import sealed_queries
from sevenfold.trial.subject import Standing
from sevenfold.trial.visiting import check_masked

__all__ = ["Found", "Plan", "State", "correction_of", "plan_of", "question", "shown"]


class State(StrEnum):
    """What a row is to the record."""

    NEW = "new"
    SAME = "recorded already"
    DIFFERS = "another value is recorded"
    ASKED = "asked about already"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A row that was read.

    Args:
        at: when the sample was taken; of an open result, when the visit took place.
        recorded: what is in force; None where nothing is.
        about: the event of the visit that an open result belongs to; 0 for a masked one.
    """

    line: int
    subject: str
    visit: str
    at: datetime
    test: str
    result: Result
    recorded: Result | None
    about: int
    state: State


@final
@dataclass(slots=True)
class Plan:
    """What a file would change.

    Args:
        holds_masked: whether it comes from the laboratory and holds masked results.
    """

    sha256: str
    n_rows: int
    holds_masked: bool
    found: list[Found] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def of(self, state: State) -> list[Found]:
        """The rows in a state."""
        return [one for one in self.found if one.state is state]

    def samples(self) -> list[list[Found]]:
        """New rows, those of one sample together: of one subject, visit and time."""
        found: dict[tuple[str, str, datetime], list[Found]] = {}
        for one in self.of(State.NEW):
            found.setdefault((one.subject, one.visit, one.at), []).append(one)
        return list(found.values())

    @property
    def digest(self) -> str:
        """The same for the same file and the same record: what somebody saw before confirming."""
        rows = [[one.line, one.test, one.state.value, one.result.model_dump()] for one in self.found]
        said = [self.sha256, rows, [asdict(trouble) for trouble in self.troubles]]
        return hashlib.sha256(canonical_json(said)).hexdigest()


def plan_of(room: Room, person: Person, upload: Upload) -> Plan:
    """Hold a file against the record, as the person may: the laboratory masked results of everybody randomised, a site
    open ones of its own subjects.

    Raises:
        InvalidInput: the file is no table, or lacks a column.
        OutOfOrder: the database is locked.
    """
    if room.conduct.is_locked:
        raise OutOfOrder("The database is locked; nothing is recorded any more.")
    rows = lines_of(upload)
    plan = Plan(sha256=upload.sha256, n_rows=len(rows), holds_masked=person.may(Right.SEND_MASKED))
    reader = _Reader(room, person, plan)
    for row in rows:
        reader.take(row)
    reader.check()
    plan.troubles.sort(key=lambda trouble: trouble.line)
    return plan


def shown(result: Result) -> str:
    """A value as it was written, or as it is held."""
    return result.entered or f"{result.qualifier}{result.value:g} {result.unit}".strip()


def question(variable: Variable, found: Found) -> str:
    """What the site is asked about an open value."""
    assert found.recorded is not None
    return (
        f"A laboratory file says {variable.label} {shown(found.result)} at visit {found.visit!r}, and "
        f"{shown(found.recorded)} is recorded. Which is right?"
    )


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
class _Reader:
    room: Room
    person: Person
    plan: Plan
    subjects: dict[str, str] = field(init=False)  # by name and by randomisation number
    tests: dict[str, Variable] = field(init=False)  # by name and label, folded
    _held: dict[str, dict[str, tuple[int, VisitHeld, set[str]]]] = field(default_factory=dict)
    _seen: dict[tuple[str, str, str], Found] = field(default_factory=dict)
    _contradicted: set[tuple[str, str, str]] = field(default_factory=set)

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

    def take(self, row: Line) -> None:
        """Read a row, or say what is wrong with it."""
        found = self._read(row)
        if isinstance(found, Trouble):
            self.plan.troubles.append(found)
            return
        key = found.subject, found.visit, found.test
        before = self._seen.setdefault(key, found)
        if before is not found and (key in self._contradicted or not _is_same(before.result, found.result)):
            wanted = "one value of a test at a visit; send the right one alone"
            self.plan.troubles.append(row.trouble("value", f"line {before.line} says another value", wanted))
            if key not in self._contradicted:
                self.plan.found = [one for one in self.plan.found if (one.subject, one.visit, one.test) != key]
                told = f"line {row.line} says another value"
                self.plan.troubles.append(Trouble(line=before.line, column="value", found=told, wanted=wanted))
                self._contradicted.add(key)
            return
        if before is not found:
            found = _with(found, State.SAME)
        self.plan.found.append(found)

    def check(self) -> None:
        """Turn new rows that the record refuses now into troubles."""
        for rows in self.plan.samples():
            try:
                self._check_group(rows)
            except SevenfoldError as error:
                for one in rows:
                    self.plan.found.remove(one)
                    self.plan.troubles.append(
                        Trouble(line=one.line, column="visit", found=str(error), wanted="a step that the record allows")
                    )

    def _check_group(self, rows: list[Found]) -> None:
        conduct, first = self.room.conduct, rows[0]
        if self.plan.holds_masked:
            check_masked(conduct, first.subject, first.visit, {one.test: one.result for one in rows}, first.at)
            return
        if first.visit in conduct.standings[first.subject].locked:
            raise OutOfOrder(f"{first.subject}: visit {first.visit!r} is locked; nothing was recorded.")
        _, held, _ = self._held_visits(first.subject)[first.visit]
        for one in rows:
            said = correction_of(one, self.plan.sha256)
            check_correction(held, said)
            conduct.check(one.subject, said, self.room.here_and_now(self.person, one.subject))

    def _read(self, row: Line) -> Found | Trouble:
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
            return self._masked(row, sample) if self.plan.holds_masked else self._open(row, sample)
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
        if recorded is None and visit in self._held_visits(name):
            recorded = self._held_visits(name)[visit][1].results.get(variable.id)
        found = Found(
            line=row.line, subject=name, visit=visit, at=at, test=variable.id, result=result, recorded=recorded,
            about=0, state=_state(result, recorded),
        )  # fmt: skip
        asked = (
            query.visit == visit and query.test == variable.id and _is_same(query.sent, result)
            for query in (sealed_queries(self.room.conduct, name) if found.state is State.DIFFERS else ())
        )
        return _with(found, State.ASKED) if any(asked) else found

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
        if visit not in self._held_visits(name):
            raise unreadable("visit", f"visit {visit!r} is not recorded", "a visit that is; record the visit first")
        about, held, questions = self._held_visits(name)[visit]
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
        return _with(found, State.ASKED) if is_asked else found

    def _held_visits(self, name: str) -> dict[str, tuple[int, VisitHeld, set[str]]]:
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


def correction_of(found: Found, sha256: str) -> Corrected:
    """An open value put where the visit said nothing."""
    return Corrected(
        of=found.about,
        field=f"results.{found.test}",
        before=None,
        after=found.result.model_dump(),
        reason=f"from the laboratory's file {sha256[:12]}",
    )


def _state(result: Result, recorded: Result | None) -> State:
    if recorded is None:
        return State.NEW
    return State.SAME if _is_same(result, recorded) else State.DIFFERS


def _is_same(one: Result, other: Result) -> bool:
    """Whether two values are one, in whatever units they were written."""
    return one.qualifier == other.qualifier and isclose(one.value, other.value, rel_tol=1e-9)


def _with(found: Found, state: State) -> Found:
    return Found(**{name: getattr(found, name) for name in Found.__dataclass_fields__ if name != "state"}, state=state)


def _day(moment: datetime | date, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
