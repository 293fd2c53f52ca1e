"""The rows of a table that a part of the mapping reads, each knowing where it stands."""

from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar, final

from sevenfold.cohort.imported.account import Ledger, Trouble
from sevenfold.cohort.imported.cell import Unreadable, as_number, as_study_day, day_between
from sevenfold.cohort.imported.mapping import FILLED, AboutSubjects, Column, InTable, Mapping
from sevenfold.errors import InvalidInput
from sevenfold.protocol.visit import time_day
from sevenfold.standards.table import FORMATS, Table, find_table, read_table
from sevenfold.unit import convert

__all__ = ["Count", "Row", "Source", "end_of_day"]

T = TypeVar("T")


@final
@dataclass(slots=True)
class Count:
    """Rows of one part while they are read."""

    n_read: int = 0
    n_kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def leave_out(self, why: str) -> None:
        """One row is not used."""
        self.left_out[why] += 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table.

    Args:
        where: file and line.
        subject: as the table calls it; None where the cell is empty.
    """

    where: str
    subject: str | None
    cells: dict[str, str | None]

    def read(self, column: str, reading: Callable[[str], T]) -> T | None:
        """A cell through a reader; None where it is empty.

        Raises:
            Unreadable: the reader says so.
        """
        text = self.cells[column]
        return None if text is None else reading(text)

    def trouble(self, column: str, fault: Unreadable, visit: str | None = None) -> Trouble:
        """What is wrong with a cell of this row."""
        return Trouble(
            where=self.where,
            subject=self.subject,
            column=column,
            found=fault.found,
            wanted=fault.wanted,
            reason=fault.reason,
            visit=visit,
        )


@final
@dataclass(slots=True)
class Source:
    """Somebody's data: a folder of tables, or one.

    Args:
        path: of the folder or the file.
    """

    path: Path
    mapping: Mapping
    ledger: Ledger
    _read: dict[Path, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.path.exists():
            raise InvalidInput(f"{self.path} does not exist; --data names a folder of tables, or one.")

    @property
    def paths(self) -> tuple[Path, ...]:
        """Of the tables that were read."""
        return tuple(self._read)

    def table(self, name: str | None) -> Table:
        """A table by name; the only one where no name is given.

        Raises:
            InvalidInput: there is none such, or it cannot be read.
        """
        if self.path.is_file():
            path = self.path
            if name is not None and path.name not in (name, *(name + ending for ending in FORMATS)):
                raise InvalidInput(
                    f"The mapping reads a table {name!r}, and --data names the one file {path.name}; name its folder."
                )
        elif name is None:
            raise InvalidInput(f"{self.path} is a folder; say in the mapping which 'file' each part is read from.")
        else:
            path = find_table(self.path, name)
        if path not in self._read:
            self._read[path] = read_table(path, self.mapping.encoding)
        return self._read[path]

    def place(self, row: Row, part: AboutSubjects, places: Mapping_[str, int], others: frozenset[str]) -> int | str:
        """The place of the subject that a row is about, or why it has none: it was left out with its subject.

        Raises:
            Unreadable: the subjects' table does not know it, so that it is lost by a slip or belongs elsewhere.
        """
        if row.subject is not None and row.subject in places:
            return places[row.subject]
        if row.subject in others:
            return "of a subject who is left out"
        if row.subject is not None and part.others == "ignore":
            return "of somebody whom the subjects' table does not name"
        found = "there is no name of a subject" if row.subject is None else "the subjects' table does not know it"
        fault = Unreadable(
            found, "correct the name, or say 'others: ignore' of this part", "of nobody among the subjects"
        )
        fault.column = part.subject or self.mapping.subjects.subject
        raise fault

    def rows(self, part: InTable, columns: set[str], count: Count) -> Iterator[Row]:
        """The rows that a part reads; those that its ``where`` leaves out are counted.

        Args:
            columns: that will be read.

        Raises:
            InvalidInput: a column is not there.
        """
        table = self.table(part.file or self.mapping.subjects.file)
        by_subject = part.subject or self.mapping.subjects.subject
        cells = {name: table.column(name) for name in sorted(columns | {by_subject} | set(part.where))}
        nothing = set(self.mapping.missing)
        kept = {
            name: {_word(word) for word in (words if isinstance(words, tuple) else (words,))}
            for name, words in part.where.items()
        }
        for index in range(table.frame.height):
            count.n_read += 1
            row = {name: _present(column[index], nothing) for name, column in cells.items()}
            odd = next((name for name, words in kept.items() if not _is_among(row[name] or "", words)), None)
            if odd is not None:
                wanted = sorted(kept[odd])
                count.leave_out(f"{odd} is {'' if wanted == [FILLED] else 'not '}{_told(wanted)}")
                continue
            yield Row(where=table.where(index), subject=row[by_subject], cells=row)


def _is_among(text: str, words: set[str]) -> bool:
    return text in words or (FILLED in words and text != "")


def _told(words: list[str]) -> str:
    """What was wanted of a cell; of one that had to be filled, what it is."""
    return "empty" if words in ([FILLED], [""]) else " or ".join(word or "empty" for word in words)


def _present(text: str | None, nothing: set[str]) -> str | None:
    return None if text is None or text in nothing else text


def _word(word: str | float | bool) -> str:
    if isinstance(word, bool):
        return "true" if word else "false"
    return str(int(word)) if isinstance(word, float) and word.is_integer() else str(word)


def end_of_day(
    row: Row, day: Column | None, date_column: Column | None, elapsed: Column | None, first_dose: date | None
) -> tuple[float | None, str]:
    """Days from the beginning of day 1 to the end of the day that a row names, or exactly where it says how long; with
    the column it stands in. What is known to the day counts at the end of that day, so that who is watched until a day
    is watched through it.

    Raises:
        Unreadable: the cell is no such thing.
    """
    column = day or date_column or elapsed
    assert column is not None
    try:
        if elapsed is not None:
            number = row.read(elapsed.column, as_number)
            if number is None:
                return None, elapsed.column
            if number.qualifier or number.value < 0.0:
                raise Unreadable(f"{number.value:g} is no time since the first dose", "0 or more is wanted", "no time")
            return convert(number.value, elapsed.unit or "day", "day"), elapsed.column
        found = (
            row.read(column.column, as_study_day)
            if day is not None
            else row.read(column.column, lambda text: day_between(text, first_dose))
        )
    except Unreadable as fault:
        fault.column = column.column
        raise
    return (None if found is None else time_day(found) + 1.0), column.column
