"""A file as a whole held against the record: what it would change, before anybody confirms it.

Nothing here records anything. A new value is recorded when the plan is confirmed; another value becomes a query and
changes nothing; a row that says what is recorded already is passed over, so that a file sent twice records nothing new.
"""

from dataclasses import dataclass, field, replace
from typing import final

from sevenfold.errors import OutOfOrder, SevenfoldError
from sevenfold.record.correcting import check_correction
from sevenfold.service.importing.matching import Matcher
from sevenfold.service.importing.plan import Found, Plan, State, correction_of, is_same
from sevenfold.service.importing.reading import Line, Trouble, Upload, lines_of
from sevenfold.service.people.person import Person
from sevenfold.service.role import Right
from sevenfold.service.room import Room
from sevenfold.trial.visiting import check_masked

__all__ = ["plan_of"]


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
    planner = _Planner(Matcher(room, person, plan.holds_masked), plan)
    for row in rows:
        planner.take(row)
    planner.check()
    plan.troubles.sort(key=lambda trouble: trouble.line)
    return plan


@final
@dataclass(slots=True)
class _Planner:
    """Takes the rows of a file, one by one; two of one test that differ are both refused."""

    matcher: Matcher
    plan: Plan
    _seen: dict[tuple[str, str, str], Found] = field(default_factory=dict)
    _contradicted: set[tuple[str, str, str]] = field(default_factory=set)

    def take(self, row: Line) -> None:
        """Read a row, or say what is wrong with it."""
        found = self.matcher.match(row)
        if isinstance(found, Trouble):
            self.plan.troubles.append(found)
            return
        key = found.subject, found.visit, found.test
        before = self._seen.setdefault(key, found)
        if before is not found and (key in self._contradicted or not is_same(before.result, found.result)):
            wanted = "one value of a test at a visit; send the right one alone"
            self.plan.troubles.append(row.trouble("value", f"line {before.line} says another value", wanted))
            if key not in self._contradicted:
                self.plan.found = [one for one in self.plan.found if (one.subject, one.visit, one.test) != key]
                told = f"line {row.line} says another value"
                self.plan.troubles.append(Trouble(line=before.line, column="value", found=told, wanted=wanted))
                self._contradicted.add(key)
            return
        if before is not found:
            found = replace(found, state=State.SAME)
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
        room, person, first = self.matcher.room, self.matcher.person, rows[0]
        conduct = room.conduct
        if self.plan.holds_masked:
            check_masked(conduct, first.subject, first.visit, {one.test: one.result for one in rows}, first.at)
            return
        if first.visit in conduct.standings[first.subject].locked:
            raise OutOfOrder(f"{first.subject}: visit {first.visit!r} is locked; nothing was recorded.")
        _, held, _ = self.matcher.held_visits(first.subject)[first.visit]
        for one in rows:
            said = correction_of(one, self.plan.sha256)
            check_correction(held, said)
            conduct.check(one.subject, said, room.here_and_now(person, one.subject))
