"""Measured values of an import: read, converted to the protocol's unit, one a subject and visit."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import nan
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.imported.account import RowCount
from sevenfold.cohort.imported.cell import Number, Unreadable, as_number, as_study_day, as_word, day_between
from sevenfold.cohort.imported.mapping import Measurements
from sevenfold.cohort.imported.people import People
from sevenfold.cohort.imported.rows import Count, Row, Source
from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.variable import Kind, Variable
from sevenfold.protocol.visit import time_day
from sevenfold.unit import convert, dimension

__all__ = ["Grid", "read_measurements"]

_PLAIN = (None, "points", "ratio")  # of which nobody writes the unit down
_MEASURED = (Kind.LABORATORY, Kind.SCORE, Kind.BEDSIDE)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One variable's values.

    Args:
        values: nan where there is none  # (subject, visit).
        below: a limit of quantification stands for the value  # (subject, visit).
        day: time since the first dose at which it was measured, nan where that is not said  # (subject, visit).
    """

    values: NDArray[np.float64]
    below: NDArray[np.bool_]
    day: NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One value before it is known whether it is the only one."""

    row: Row
    place: tuple[int, int]
    number: Number
    day: float


def read_measurements(
    part: Measurements, people: People, source: Source, protocol: Protocol, death: NDArray[np.float64]
) -> Grid:
    """Read one part of the mapping.

    Args:
        death: days since the first dose, inf of those alive  # (subject,).

    Raises:
        InvalidInput: the part does not fit the protocol, or the table cannot be read.
    """
    variable = _variable(part, protocol)
    shape = (len(people.subjects), len(protocol.schedule.visits))
    grid = Grid(values=np.full(shape, nan), below=np.zeros(shape, dtype=np.bool_), day=np.full(shape, nan))
    count = Count()
    cells: dict[tuple[int, int], list[_Found]] = {}
    for one in _read(part, variable, people, source, protocol, count):
        cells.setdefault(one.place, []).append(one)
    for place, several in cells.items():
        chosen = _chosen(part, several, protocol, source, count)
        if chosen is not None:
            value, qualifier, day = chosen
            grid.values[place], grid.below[place], grid.day[place] = value, qualifier == "<", day
            if qualifier == ">":
                source.ledger.notes[
                    f"{variable.label}: a value above the limit of quantification stands at the limit"
                ] += 1
    _alive(part, grid, cells, protocol, source, count, death)
    _ascending(part, grid, cells, protocol, source, count)
    _in_window(grid, variable, protocol, source)
    source.ledger.counts.append(
        RowCount(
            what=f"values of {variable.label}",
            source=source.table(part.file or source.mapping.subjects.file).path.name,
            n_read=count.n_read,
            n_kept=count.n_kept,
            left_out=dict(count.left_out),
        )
    )
    return grid


def _variable(part: Measurements, protocol: Protocol) -> Variable:
    known = protocol.known_variables
    if part.variable not in known or known[part.variable].kind not in _MEASURED:
        raise InvalidInput(
            f"The mapping reads values of {part.variable!r}, which the protocol does not know as an assessment; add it "
            "under 'variables' there."
        )
    variable = known[part.variable]
    if variable.unit not in _PLAIN and part.unit is None and part.unit_column is None:
        raise InvalidInput(
            f"The mapping does not say in which unit {part.variable} stands; the protocol holds it in {variable.unit}: "
            "give 'unit', or 'unit_column' where each row says its own."
        )
    if part.unit is not None and variable.unit is not None and _measures(part) != dimension(variable.unit):
        raise InvalidInput(
            f"The mapping has {part.variable} in {part.unit}, a {dimension(part.unit)}; the protocol holds it in "
            f"{variable.unit}, a {dimension(variable.unit)}."
        )
    visits = protocol.schedule.names
    named = set(part.visits or ()) | set((part.visit.values or {}).values() if part.visit else ())
    for visit in sorted(map(str, named)):
        if visit not in visits:
            raise InvalidInput(
                f"The mapping of {part.variable} names the visit {visit!r}; the protocol has {', '.join(visits)}."
            )
    return variable


def _measures(part: Measurements) -> str:
    try:
        return dimension(str(part.unit))
    except InvalidInput as error:
        raise InvalidInput(f"The mapping of {part.variable}: {error}") from None


def _read(
    part: Measurements, variable: Variable, people: People, source: Source, protocol: Protocol, count: Count
) -> Iterator[_Found]:
    """Values one by one; a table with a column a visit has as many as it has cells in those columns."""
    visits = protocol.schedule.names
    if part.visits is not None:
        wide = Count()
        for row in source.rows(part, set(part.visits.values()), wide):
            for visit, column in part.visits.items():
                count.n_read += 1
                place = _place(part, people, source, row, visit, count)
                if place is not None:
                    yield from _value(
                        part, variable, people, source, row, column, (place, visits.index(visit)), count, visits
                    )
        for why, n in wide.left_out.items():
            count.n_read += n * len(part.visits)
            count.left_out[why] += n * len(part.visits)
        return
    assert part.value is not None
    assert part.visit is not None
    named = {part.value, part.visit.column, part.day, part.date, part.unit_column} - {None}
    for row in source.rows(part, {str(name) for name in named}, count):
        text = row.cells[part.visit.column]
        if text is None or text in {str(word) for word in part.ignore}:
            count.leave_out("names no visit" if text is None else "visit that is not analysed")
            continue
        place = _place(part, people, source, row, text, count)
        if place is None:
            continue
        try:
            visit = as_word(text, part.visit, visits)
        except Unreadable as fault:
            source.ledger.troubles.append(row.trouble(part.visit.column, fault))
            count.leave_out(fault.reason)
            continue
        yield from _value(part, variable, people, source, row, part.value, (place, visits.index(visit)), count, visits)


def _place(part: Measurements, people: People, source: Source, row: Row, visit: str, count: Count) -> int | None:
    """The place of the subject that a value is of; None where it is left out, which is counted."""
    try:
        place = source.place(row, part, people.place, people.others)
    except Unreadable as fault:
        source.ledger.troubles.append(row.trouble(str(fault.column), fault, visit))
        place = fault.reason
    if isinstance(place, str):
        count.leave_out(place)
        return None
    return place


def _value(
    part: Measurements,
    variable: Variable,
    people: People,
    source: Source,
    row: Row,
    column: str,
    place: tuple[int, int],
    count: Count,
    visits: tuple[str, ...],
) -> Iterator[_Found]:
    subject, visit = place
    if row.cells[column] is None:
        count.leave_out("no value")
        return
    reading = column
    try:
        number = as_number(str(row.cells[column]))
        unit = part.unit
        if part.unit_column is not None:
            reading = part.unit_column
            unit = row.cells[reading]
            if unit is None:
                raise Unreadable("there is no unit", f"one that measures as {variable.unit} does is wanted", "no unit")
        number = _converted(number, unit, variable, column, part.unit_column or column)
        reading = part.day or part.date or column
        day = _day(part, row, people.first_dose[subject])
    except Unreadable as fault:
        source.ledger.troubles.append(row.trouble(fault.column or reading, fault, visits[visit]))
        count.leave_out(fault.reason)
        return
    yield _Found(row=row, place=place, number=number, day=day)


def _converted(number: Number, unit: str | None, variable: Variable, value_column: str, unit_column: str) -> Number:
    try:
        value = convert(number.value, unit, variable.unit) if unit and variable.unit else number.value
    except InvalidInput as error:
        fault = Unreadable(str(error).rstrip("."), f"{variable.label} is held in {variable.unit}", "unit")
        fault.column = unit_column
        raise fault from None
    low, high = variable.lower, variable.upper
    if (low is not None and value < low) or (high is not None and value > high):
        fault = Unreadable(
            f"{value:g} {variable.unit or ''} is impossible".replace("  ", " "),
            f"{variable.label} lies {_between(low, high)}",
            "impossible value",
        )
        fault.column = value_column
        raise fault
    return Number(value, number.qualifier)


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"at {low:g} or above" if low is not None else f"at {high:g} or below"
    return f"between {low:g} and {high:g}"


def _day(part: Measurements, row: Row, first_dose: date | None) -> float:
    if part.day is not None:
        found = row.read(part.day, as_study_day)
    elif part.date is not None:
        found = row.read(part.date, lambda text: day_between(text, first_dose))
    else:
        return nan
    return nan if found is None else time_day(found)


def _chosen(
    part: Measurements, several: list[_Found], protocol: Protocol, source: Source, count: Count
) -> tuple[float, str | None, float] | None:
    """The value of a subject at a visit: the only one, or one by the mapping's rule."""
    in_order = sorted(several, key=lambda one: one.day if one.day == one.day else np.inf)
    distinct = {one.number for one in several}
    if len(distinct) == 1 or part.keep != "one":
        one = in_order[-1] if part.keep == "last" else in_order[0]
        count.n_kept += 1
        if len(several) > 1:
            why = (
                "repeated with the same value"
                if len(distinct) == 1
                else f"another value of the visit ({part.keep} kept)"
            )
            count.left_out[why] += len(several) - 1
        if part.keep == "mean" and len(distinct) > 1:
            if any(other.number.qualifier for other in several):
                source.ledger.notes["a mean of several values has a limit of quantification among them"] += 1
            return float(np.mean([other.number.value for other in several])), None, one.day
        return one.number.value, one.number.qualifier, one.day
    first, visit = several[0], protocol.schedule.names[several[0].place[1]]
    where = ", ".join(f"{one.number.value:g} ({one.row.where})" for one in several)
    fault = Unreadable(
        f"{len(several)} values at one visit: {where}",
        "say which counts with 'keep: first', last or mean",
        "visit twice",
    )
    source.ledger.troubles.append(first.row.trouble(part.value or (part.visits or {})[visit], fault, visit))
    count.left_out[fault.reason] += len(several)
    return None


def _leave_out(
    place: tuple[int, int], fault: Unreadable, part: Measurements, grid: Grid,
    cells: dict[tuple[int, int], list[_Found]], protocol: Protocol, source: Source, count: Count,
) -> None:  # fmt: skip
    """A value that was chosen is none after all."""
    row, visit = cells[place][0].row, protocol.schedule.names[place[1]]
    source.ledger.troubles.append(row.trouble(str(part.day or part.date), fault, visit))
    grid.values[place], grid.below[place], grid.day[place] = nan, False, nan
    count.n_kept -= 1
    count.leave_out(fault.reason)


def _alive(
    part: Measurements,
    grid: Grid,
    cells: dict[tuple[int, int], list[_Found]],
    protocol: Protocol,
    source: Source,
    count: Count,
    death: NDArray[np.float64],
) -> None:
    """Refuse what was measured on a day after the subject's death."""
    for subject, visit in np.argwhere(np.isfinite(grid.values) & (grid.day >= death[:, None])):
        fault = Unreadable(
            f"on day {grid.day[subject, visit] + 1:g}, after the subject's death on day {np.ceil(death[subject]):g}",
            "look up both dates",
            "measured after death",
        )
        _leave_out((int(subject), int(visit)), fault, part, grid, cells, protocol, source, count)


def _in_window(grid: Grid, variable: Variable, protocol: Protocol, source: Source) -> None:
    """Count what was measured on a day outside its visit's window: it is used, and told."""
    planned = np.floor([visit.time_day for visit in protocol.schedule.visits])
    window = np.array([visit.window for visit in protocol.schedule.visits], dtype=np.float64)
    is_out = (grid.day < planned + window[:, 0]) | (grid.day > planned + window[:, 1])
    if is_out.any():
        told = f"{variable.label}: values measured outside their visit's window, which are used"
        source.ledger.notes[told] += int(is_out.sum())


def _ascending(
    part: Measurements,
    grid: Grid,
    cells: dict[tuple[int, int], list[_Found]],
    protocol: Protocol,
    source: Source,
    count: Count,
) -> None:
    """Refuse a visit that took place before an earlier one."""
    visits = protocol.schedule.names
    for subject in range(grid.values.shape[0]):
        latest, before = -np.inf, ""
        for place in np.flatnonzero(np.isfinite(grid.values[subject]) & np.isfinite(grid.day[subject])):
            day = grid.day[subject, place]
            if day < latest:
                fault = Unreadable(
                    f"on day {day + 1:g}, before visit {before!r} on day {latest + 1:g}",
                    "look up both dates",
                    "visit out of order",
                )
                _leave_out((subject, int(place)), fault, part, grid, cells, protocol, source, count)
                continue
            latest, before = day, visits[place]
