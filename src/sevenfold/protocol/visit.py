"""When things are planned: study days, visits with their windows, and the schedule of activities.

Day 1 is the day of the first dose and there is no day 0. Only this file turns a study day into the time since the
first dose.
"""

from datetime import date
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from sevenfold.protocol.part import Id, In, Part, Text, contradiction

__all__ = ["Schedule", "StudyDay", "Visit", "study_day", "study_day_on", "time_day"]

StudyDay = Annotated[int, Field(ge=-30, le=3650)]


def time_day(day: int) -> float:
    """Days since the first dose at which a study day begins: day 1 is 0.0, the day before it is day -1.

    Raises:
        ValueError: ``day`` is 0.
    """
    if day == 0:
        raise ValueError("There is no study day 0: day 1 is the day of the first dose, the day before it is day -1.")
    return float(day - 1 if day > 0 else day)


def study_day(time: float) -> int:
    """The study day on which ``time`` days since the first dose fall."""
    whole = int(time // 1)
    return whole + 1 if whole >= 0 else whole


def study_day_on(at: date, first_dose: date) -> int:
    """The study day of a calendar day: day 1 is the day of the first dose, the day before it is day -1."""
    since = (at - first_dose).days
    return since + 1 if since >= 0 else since


class Visit(Part):
    """A planned visit.

    Args:
        id: as people call it, such as ``day 29``.
        day: its study day.
        window: days before and after on which it still counts, as ``[-2, 2]``.
        hours_after_dose: for samples taken after that day's dose; None for everything that comes before it.
        assessments: what is measured, by the catalogue's names.
    """

    id: Id
    day: StudyDay
    window: tuple[Annotated[int, Field(ge=-365, le=0)], Annotated[int, Field(ge=0, le=365)]] = (0, 0)
    hours_after_dose: Annotated[float, In("h", above=0.0, at_most=168.0)] | None = Field(
        default=None, alias="after_dose"
    )
    assessments: tuple[Id, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_a_day(self) -> Self:
        if self.day == 0:
            raise contradiction("there is no study day 0; day 1 is the day of the first dose", "day")
        repeated = {name for name in self.assessments if self.assessments.count(name) > 1}
        if repeated:
            raise contradiction(f"visit {self.id!r} lists {min(repeated)!r} twice", "assessments")
        return self

    @property
    def first_day(self) -> int:
        """The first study day on which the visit still counts."""
        return _shift(self.day, self.window[0])

    @property
    def last_day(self) -> int:
        """The last study day on which the visit still counts."""
        return _shift(self.day, self.window[1])

    @property
    def time_day(self) -> float:
        """Days since the first dose, planned: the beginning of its day, plus the hours after the dose."""
        return time_day(self.day) + (self.hours_after_dose or 0.0) / 24.0


def _shift(day: int, by: int) -> int:
    moved = day + by
    return moved - 1 if day > 0 >= moved else moved + 1 if day < 0 <= moved else moved


class Schedule(Part):
    """The visits of every randomised subject, in order.

    Args:
        visits: windows must not overlap, so that what was done on a day belongs to one visit.
        note: what a reader ought to know of the schedule as a whole.
    """

    visits: tuple[Visit, ...] = Field(min_length=1)
    note: Text | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        names: dict[str, int] = {}
        for index, visit in enumerate(self.visits):
            if visit.id in names:
                raise contradiction(f"two visits are called {visit.id!r}", "visits", index, "id")
            names[visit.id] = index
        plain = [(index, visit) for index, visit in enumerate(self.visits) if visit.hours_after_dose is None]
        for (_, before), (index, after) in pairwise(plain):
            if after.day <= before.day:
                raise contradiction(
                    f"visit {after.id!r} (day {after.day}) must come after {before.id!r} (day {before.day})",
                    "visits",
                    index,
                    "day",
                )
            if after.first_day <= before.last_day:
                raise contradiction(
                    f"the window of {before.id!r} ends on day {before.last_day}, and that of {after.id!r} "
                    "begins on day "
                    f"{after.first_day}; shorten one so that they do not overlap", "visits", index, "window",
                )  # fmt: skip
        return self

    def visit(self, name: str) -> Visit:
        """The visit called ``name``.

        Raises:
            KeyError: there is none.
        """
        for visit in self.visits:
            if visit.id == name:
                return visit
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The visits' names, in order."""
        return tuple(visit.id for visit in self.visits)
