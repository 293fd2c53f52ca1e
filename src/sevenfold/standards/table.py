"""A table from a file: CSV, Parquet, SAS transport or Dataset-JSON, every cell as text and nothing guessed.

What a cell means, a number, a date or a word, is decided where it is known which column it stands in. Numbers that a
typed format holds are written as briefly as gives them back exactly: ``63.0`` is ``63``.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

import polars as pl
from polars.exceptions import PolarsError

from sevenfold.errors import InvalidInput
from sevenfold.standards.dataset_json import read_dataset_json
from sevenfold.standards.transport import read_transport

__all__ = ["FORMATS", "Table", "find_table", "read_table", "table_of_text"]

FORMATS: Final = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".xpt", ".json", ".ndjson")
_SEPARATORS: Final = (",", ";", "\t", "|")
_NOT_TEXT: Final = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Object)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file's table.

    Args:
        path: that it was read from.
        frame: every column as text, null where there is nothing; rows in the order of the file.
        lines: on which each row begins, in a text file; None where the format has rows and no lines.
        unread: column that holds what is no text or number -> what it holds.
    """

    path: Path
    frame: pl.DataFrame
    lines: tuple[int, ...] | None
    unread: Mapping[str, str] = field(default_factory=dict)

    def where(self, index: int) -> str:
        """A row as people would look it up: by its line, or by its number where there are no lines."""
        place = f"row {index + 1}" if self.lines is None else f"line {self.lines[index]}"
        return f"{self.path.name}, {place}"

    def column(self, name: str) -> list[str | None]:
        """The cells of a column.

        Raises:
            InvalidInput: there is none; the message names those there are.
        """
        if name in self.unread:
            raise InvalidInput(
                f"{self.path}, column {name!r} holds {self.unread[name]}; text, numbers or dates are wanted."
            )
        if name not in self.frame.columns:
            alike = [found for found in self.frame.columns if found.casefold() == name.casefold()]
            hint = f"did you mean {alike[0]!r}?" if alike else f"it has {', '.join(self.frame.columns)}."
            raise InvalidInput(f"{self.path} has no column {name!r}; {hint}")
        return self.frame[name].to_list()


def find_table(folder: Path, name: str) -> Path:
    """The path of a table in a folder, by its name with or without its ending.

    Raises:
        InvalidInput: there is none, or more than one.
    """
    wanted = folder / name
    if wanted.is_file():
        return wanted
    found = [folder / f"{name}{ending}" for ending in FORMATS if (folder / f"{name}{ending}").is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidInput(f"{folder} holds {' and '.join(p.name for p in found)}; name the one that is meant.")
    there = sorted(p.name for p in folder.iterdir() if p.name.endswith(FORMATS))
    raise InvalidInput(f"{folder} holds no table {name!r}; it has {', '.join(there) or 'none that can be read'}.")


def read_table(path: Path, encoding: str = "utf-8") -> Table:
    """Read a table whole.

    Args:
        encoding: of a text file; of SAS transport files too.

    Raises:
        InvalidInput: no such file, not its format, or text in another encoding.
    """
    ending = next((ending for ending in sorted(FORMATS, key=len, reverse=True) if path.name.endswith(ending)), None)
    readers: dict[str, Callable[[], pl.DataFrame]] = {
        ".parquet": lambda: pl.read_parquet(path, glob=False),
        ".xpt": lambda: read_transport(path, encoding),
        ".json": lambda: read_dataset_json(path),
        ".ndjson": lambda: read_dataset_json(path),
    }
    if ending is None:
        raise InvalidInput(f"{path} has an ending that is not read; known are {', '.join(FORMATS)}.")
    try:
        if ending not in readers:
            return table_of_text(path, _decoded(path, encoding))
        frame = readers[ending]()
        unread = {name: str(kind).partition("(")[0] for name, kind in frame.schema.items() if kind in _NOT_TEXT}
        frame = frame.drop(unread)
        return Table(path=path, frame=frame.select(_as_text(frame)), lines=None, unread=unread)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}.") from None
    except PolarsError as error:
        raise InvalidInput(f"{path} cannot be read as {ending.removeprefix('.')}: {error}.") from None


def table_of_text(path: Path, text: str) -> Table:
    """The table that a text holds, its values separated by commas, semicolons, tabs or bars.

    Args:
        path: what the text is called in messages; it is not opened.

    Raises:
        InvalidInput: it is none.
    """
    frame, lines = _separated(path, text)
    return Table(path=path, frame=frame.select(_as_text(frame)), lines=lines)


def _decoded(path: Path, encoding: str) -> str:
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidInput(f"{path} is compressed and cannot be opened: {error}.") from None
    try:
        return raw.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise InvalidInput(f"{encoding!r} is no known text encoding; common ones are utf-8 and latin-1.") from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        hint = (
            "it begins as UTF-16 does: write 'encoding: utf-16' in the mapping."
            if raw[:2] in (b"\xff\xfe", b"\xfe\xff")
            else "if it comes from an older Windows program, try 'encoding: windows-1252' in the mapping."
        )
        raise InvalidInput(f"{path}, line {line}: byte 0x{raw[error.start]:02X} is not {encoding}; {hint}") from None


def _separated(path: Path, text: str) -> tuple[pl.DataFrame, tuple[int, ...]]:
    """The table of a text file, and the line on which each row begins; blank lines are no rows."""
    if not text.partition("\n")[0].strip():
        raise InvalidInput(f"{path} is empty, or its first line is; a table begins with the names of its columns.")
    separator = max(_SEPARATORS, key=lambda one: len(next(csv.reader(io.StringIO(text, newline=""), delimiter=one))))
    records = _records(path, text, separator)
    _, names = next(records)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{path} has two columns {twice!r}; rename one.")
    lines, rows = [], []
    for line, cells in records:
        if len(cells) != len(names):
            raise InvalidInput(
                f"{path}, line {line}: {len(cells)} values, and the table has {len(names)} columns; put a value that "
                f"holds {separator!r} or a line break in double quotes, and leave nothing out."
            )
        lines.append(line)
        rows.append(cells)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return frame, tuple(lines)


def _records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which a record begins, with its cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(
            f"{path}, line {line}: {error}; a value in double quotes ends with one, and a quote within it is doubled."
        ) from None


def _as_text(frame: pl.DataFrame) -> list[pl.Expr]:
    made = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        text = column.cast(pl.String)
        if kind.is_float():
            text = column.fill_nan(None).cast(pl.String).str.replace(r"\.0$", "").str.replace("^-0$", "0")
        elif isinstance(kind, pl.Datetime):
            text = column.dt.to_string("%Y-%m-%dT%H:%M:%S")
        text = text.str.strip_chars()
        made.append(pl.when(text == "").then(None).otherwise(text).alias(name))
    return made
