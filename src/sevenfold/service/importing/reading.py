"""A laboratory's file, read row by row: whose sample, of which visit, which test, which value in which unit.

Nothing is guessed: what cannot be read is told with its line, its column and what would be right, and the other rows
are read all the same. The file's own name is never used.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, final
from zoneinfo import ZoneInfo

from sevenfold.cohort.imported.cell import Unreadable, as_date, as_number
from sevenfold.errors import InvalidInput
from sevenfold.protocol.variable import Variable
from sevenfold.record.payloads import Result
from sevenfold.service.fields import moment_of, reading_of

if TYPE_CHECKING:
    from sevenfold.standards.table import Table

__all__ = [
    "DECIMALS",
    "ENCODINGS",
    "MOST_ROWS",
    "MOST_UPLOADED",
    "Line",
    "Trouble",
    "Upload",
    "as_result",
    "lines_of",
    "moment_in",
    "unreadable",
]

MOST_UPLOADED: Final = 2**20
"""Bytes of a file, at most."""
MOST_ROWS: Final = 5000
ENCODINGS: Final = ("UTF-8", "Windows-1252", "UTF-16")
DECIMALS: Final = ("point", "comma")
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "subject": ("subject", "usubjid"),
    "visit": ("visit",),
    "taken": ("taken", "date", "lbdtc"),
    "test": ("test", "lbtestcd"),
    "value": ("value", "result", "lborres"),
    "unit": ("unit", "lborresu"),
}
"""What a column may be called: our word for it, and that of CDISC's LB domain."""
_MAY_LACK: Final = {"taken", "visit"}  # one of them, where the other says it
_COMMA: Final = re.compile(r"([<>]=?|≤|≥)?\s*[-+]?\d+,\d+\Z")
_WITHOUT_UNIT: Final = {"", "points", "ratio", "pH"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it came.

    Args:
        encoding: of its text, one of ``ENCODINGS``.
        decimal: how its numbers are written, one of ``DECIMALS``.
    """

    raw: bytes
    encoding: str
    decimal: str

    @property
    def sha256(self) -> str:
        """The hash of its bytes."""
        return hashlib.sha256(self.raw).hexdigest()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A row of which nothing is recorded, and why.

    Args:
        line: of the file.
    """

    line: int
    column: str
    found: str
    wanted: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row as the file has it; empty where a cell is."""

    line: int
    cells: Mapping[str, str]
    decimal: str

    def __getitem__(self, column: str) -> str:
        """A cell."""
        return self.cells[column]

    def trouble(self, column: str, found: str, wanted: str) -> Trouble:
        """What is wrong with a cell of this row."""
        return Trouble(line=self.line, column=column, found=found, wanted=wanted)


def lines_of(upload: Upload) -> list[Line]:
    """The rows of a file.

    Raises:
        InvalidInput: it is no table of text, is too long, or lacks a column.
    """
    from sevenfold.standards.table import table_of_text  # it brings Polars, for which no start waits

    table = table_of_text(Path("the file"), _text_of(upload))
    if table.frame.height > MOST_ROWS:
        raise InvalidInput(f"The file has {table.frame.height} rows; send at most {MOST_ROWS} at once.")
    columns = {name: _column(table, name) for name in _COLUMNS}
    if all(columns[name] is None for name in _MAY_LACK):
        raise InvalidInput("The file says neither 'visit' nor 'taken' (date and time of the sample); one is needed.")
    cells = {name: [] if found is None else table.column(found) for name, found in columns.items()}
    assert table.lines is not None
    return [
        Line(
            line=line,
            cells={name: (column[index] or "") if column else "" for name, column in cells.items()},
            decimal=upload.decimal,
        )
        for index, line in enumerate(table.lines)
    ]


def as_result(row: Line, variable: Variable) -> Result:
    """The value of a row in the protocol's unit, and as it was written.

    Raises:
        Unreadable: it is no number, in no unit of the test, or impossible; ``column`` says where.
    """
    text = row["value"]
    plain = text.replace(",", ".") if row.decimal == "comma" and _COMMA.match(text) else text
    try:
        number = as_number(plain)
    except Unreadable as fault:
        fault.column = "value"
        raise
    given = row["unit"]
    if not given and (variable.unit or "") not in _WITHOUT_UNIT:
        raise unreadable("unit", "there is no unit", f"the unit, such as {variable.unit}")
    try:
        reading = reading_of(variable, number.value, number.qualifier or "", text, given or variable.unit or "")
    except InvalidInput as error:
        column = "value" if "cannot be" in str(error) else "unit"
        raise unreadable(column, str(error), f"a possible value in {variable.unit or 'no unit'}") from None
    return Result.model_validate(reading.as_result())


def moment_in(row: Line, zone: ZoneInfo) -> datetime | date | None:
    """When the sample was taken: a moment, or a day where no time is said; None where nothing is.

    Raises:
        Unreadable: it is neither.
    """
    text = row["taken"]
    if not text:
        return None
    try:
        day = as_date(text)
        return day if len(text) == len("2026-03-01") else moment_of("taken", text, zone)
    except Unreadable as fault:
        fault.column = "taken"
        raise
    except InvalidInput as error:
        raise unreadable("taken", str(error), "date and time, such as 2026-03-01 14:30") from None


def unreadable(column: str, found: str, wanted: str) -> Unreadable:
    """What is wrong with a cell of a column."""
    fault = Unreadable(found, wanted, found)
    fault.column = column
    return fault


def _text_of(upload: Upload) -> str:
    if upload.encoding not in ENCODINGS or upload.decimal not in DECIMALS:
        raise InvalidInput("Choose how the file's text and its numbers are written.")
    raw = upload.raw
    if len(raw) > MOST_UPLOADED:
        raise InvalidInput(f"The file has {len(raw)} bytes; send at most {MOST_UPLOADED} (1 MiB) at once.")
    is_wide = upload.encoding == "UTF-16"
    if raw[:2] in (b"\x1f\x8b", b"PK") or raw[:4] in (b"%PDF", b"\xd0\xcf\x11\xe0") or (not is_wide and b"\0" in raw):
        hint = " It may be UTF-16: choose it." if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise InvalidInput(f"The file is not text. Save the table as CSV, neither compressed nor a workbook.{hint}")
    try:
        return raw.decode("utf-8-sig" if upload.encoding == "UTF-8" else upload.encoding.lower())
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        others = " or ".join(name for name in ENCODINGS if name != upload.encoding)
        raise InvalidInput(f"The file, line {line}: not {upload.encoding}. Choose {others}.") from None


def _column(table: "Table", name: str) -> str | None:
    """What a file calls one of our columns.

    Raises:
        InvalidInput: it has none such, or two.
    """
    found = [column for column in table.frame.columns if column.strip().casefold() in _COLUMNS[name]]
    if len(found) > 1:
        raise InvalidInput(f"The file has {' and '.join(map(repr, found))}, which are one column; keep one.")
    if not found and name not in _MAY_LACK:
        names = ", ".join(repr(column[:40]) for column in table.frame.columns[:20])
        raise InvalidInput(f"The file has no column {name!r}; it has {names}. The first line names the columns.")
    return found[0] if found else None
