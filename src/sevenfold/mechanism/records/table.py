"""A table of dosing records: what was given to whom and when, and at which times somebody looked.

Columns and their meaning are NONMEM's (docs/guide/records.md); a table is read whole and checked whole, and what would
not be used is refused rather than passed over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.records.check import Fault, faults_of, refuse
from sevenfold.unit import convert

__all__ = ["Event", "Records", "read_records"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_NUMBERS: Final = ("time", "amt", "evid", "ii", "addl", "ss", "rate")
_EMPTY: Final = ("", ".", "NA")


class Event(IntEnum):
    """What a record is: EVID."""

    OBSERVATION = 0
    DOSE = 1
    OTHER = 2
    RESET = 3
    RESET_AND_DOSE = 4


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A checked table. Arrays are (row,), in the order of the table, in days.

    Args:
        page: the model that is dosed.
        frame: the table as it was given.
        subjects: names, in order of first appearance.
        subject: a row's place in ``subjects``.
        time_day: of the record.
        event: an ``Event``.
        entry: which of the page's entries a dose takes; -1 where nothing is given.
        amount: as given, before the share that does not arrive.
        rate: of an infusion, in amount a day; 0 for a bolus, -1 and -2 where the model says rate or duration.
        interval_day: between the dose and the next like it.
        n_more: doses like this one that follow.
        steady: 1 for a dose at steady state in place of what was there, 2 in addition to it.
        given: parameters of doses that have a column of their own, by name; NaN where the cell is empty.
    """

    page: Page
    frame: pl.DataFrame
    subjects: tuple[str, ...]
    subject: Ints
    time_day: Floats
    event: Ints
    entry: Ints
    amount: Floats
    rate: Floats
    interval_day: Floats
    n_more: Ints
    steady: Ints
    given: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.subject)

    def refuse(self, row: int, column: str, message: str) -> None:
        """Raise for what only turns out to be wrong once parameters are known."""
        refuse([Fault(row, self.subjects[self.subject[row]], column, message)])


def read_records(source: pl.DataFrame | str | Path, page: Page, *, time_unit: str = "day") -> Records:
    """The records of a frame or of a CSV file.

    Args:
        source: one row a record, in order of time within a subject. Columns, upper or lower case: ``id`` and ``time``;
            ``amt``, ``cmt``, ``evid``, ``ii``, ``addl``, ``ss``, ``rate`` where they are needed; parameters of doses
            by their name in the model; others are left alone. Empty cells, ``.`` and ``NA`` are 0.
        page: the model that is dosed.
        time_unit: of ``time`` and ``ii``, and the one by which ``rate`` is counted.

    Raises:
        InvalidInput: a record that means nothing; the message names row (the first below the header is 1), subject,
            column, what was found and what would be right.
    """
    frame = source if isinstance(source, pl.DataFrame) else _read(Path(source))
    columns = _columns(frame)
    names = {name.lower(): name for name in page.typical}
    missing = [name for name in ("id", "time") if name not in columns]
    if missing:
        raise InvalidInput(f"The table has no column {missing[0]!r}; it has: {', '.join(frame.columns)}.")
    if frame.height == 0:
        raise InvalidInput("The table has no rows; give one row a record, and an observation where you want a value.")
    subjects = tuple(columns["id"].cast(pl.String).fill_null(""))
    dose_parameters = {name.lower(): name for entry in page.entries for name in entry.parameters}
    wanted = {name: columns.get(name) for name in _NUMBERS} | {
        name: columns[name] for name in columns if name in dose_parameters
    }
    wrong = [names[name] for name in columns if name in names and name not in dose_parameters]
    if wrong:
        raise InvalidInput(
            f"The table has a column {wrong[0]!r}, a parameter of the model that no dose has of its own; "
            "give it with the parameters, one value a subject."
        )
    faults: list[Fault] = []
    numbers = {name: _numbers(name, column, subjects, faults) for name, column in wanted.items()}
    refuse(faults)
    day = convert(1.0, time_unit, "day")
    filled = {name: np.nan_to_num(numbers[name], nan=0.0) for name in _NUMBERS if name != "time"}
    is_given = (filled["amt"] != 0.0) | (filled["rate"] != 0.0) | (filled["ss"] != 0.0)
    event = np.where(np.isnan(numbers["evid"]), np.where(is_given, 1.0, 0.0), filled["evid"])
    entry, faults = _entries(page, columns.get("cmt"), np.isin(event, (1.0, 4.0)), subjects)
    faults += faults_of(page, subjects, numbers["time"], event, entry, filled)
    refuse(sorted(faults))
    index = {name: k for k, name in enumerate(dict.fromkeys(subjects))}
    rate = filled["rate"]
    return Records(
        page=page,
        frame=frame,
        subjects=tuple(index),
        subject=np.array([index[name] for name in subjects], dtype=np.int64),
        time_day=numbers["time"] * day,
        event=event.astype(np.int64),
        entry=entry,
        amount=filled["amt"],
        rate=np.where(rate > 0.0, rate / day, rate),
        interval_day=filled["ii"] * day,
        n_more=filled["addl"].astype(np.int64),
        steady=filled["ss"].astype(np.int64),
        given={dose_parameters[name]: numbers[name] for name in wanted if name in dose_parameters},
    )


def _read(path: Path) -> pl.DataFrame:
    """Every cell as it stands: what is not a number is found later, with its row."""
    try:
        return pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InvalidInput(f"{path} cannot be read as a table of records: {error}") from error


def _columns(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Columns by their names in lower case."""
    lower = [name.lower() for name in frame.columns]
    twice = [name for name in lower if lower.count(name) > 1]
    if twice:
        raise InvalidInput(f"The table has the column {twice[0]!r} twice, in upper and lower case; keep one.")
    return dict(zip(lower, frame.get_columns(), strict=True))


def _numbers(name: str, column: pl.Series | None, subjects: tuple[str, ...], faults: list[Fault]) -> Floats:
    """A column as numbers, NaN where a cell is empty."""
    if column is None:
        return np.full(len(subjects), np.nan)
    text = column.cast(pl.String).str.strip_chars()
    text = text.set(text.is_in(_EMPTY), None)
    number = text.cast(pl.Float64, strict=False)
    is_odd = (number.is_null() & text.is_not_null()) | ~number.fill_null(0.0).is_finite()
    faults += [Fault(row, subjects[row], name, f"found {column[row]!r}; give a number") for row in is_odd.arg_true()]
    return number.fill_null(np.nan).to_numpy().astype(np.float64)


def _entries(
    page: Page, column: pl.Series | None, is_dose: NDArray[np.bool_], subjects: tuple[str, ...]
) -> tuple[Ints, list[Fault]]:
    """Which entry a dose takes: by the number of a compartment, its name, or a route."""
    entry = np.full(len(is_dose), -1, dtype=np.int64)
    faults: list[Fault] = []
    find = _finder(page)
    for row in np.flatnonzero(is_dose):
        found = find("" if column is None or column[int(row)] is None else str(column[int(row)]).strip())
        if isinstance(found, str):
            faults.append(Fault(int(row), subjects[row], "cmt", found))
        else:
            entry[row] = found
    return entry, faults


def _finder(page: Page) -> Callable[[str], int | str]:
    """From a cell to the number of an entry, or to what is wrong with the cell."""
    states = [state.name for state in page.states]
    into = {entry.state: k for k, entry in reversed([*enumerate(page.entries)])}
    known = {entry.route.lower(): k for k, entry in enumerate(page.entries)} | dict(into)
    can = ", ".join(f"{k} ({name})" for k, name in enumerate(states, 1) if name in into)
    routes = ", ".join(entry.route for entry in page.entries)

    def find(cell: str) -> int | str:
        if cell in (*_EMPTY, "0"):
            return 0
        if cell.lower() in known:
            return known[cell.lower()]
        try:
            number = float(cell)
        except ValueError:
            number = 0.0
        place = int(number) - 1
        if number == place + 1 and 0 <= place < len(states):
            if states[place] in into:
                return into[states[place]]
            return f"found {cell}, {states[place]}, which no dose enters; doses enter {can}, or by route: {routes}"
        return f"found {cell}; {page.name!r} has no such compartment; doses enter {can}, or by route: {routes}"

    return find
