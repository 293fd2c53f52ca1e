"""A table from a file: CSV, Parquet, SAS transport or Dataset-JSON, every cell as text and nothing guessed.

What a cell means, a number, a date or a word, is decided where it is known which column it stands in. Numbers that a
typed format holds are written as briefly as gives them back exactly: ``63.0`` is ``63``.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import polars as pl
from polars.exceptions import PolarsError

from sevenfold.errors import InvalidInput
from sevenfold.standards.dataset_json import read_dataset_json
from sevenfold.standards.transport import read_transport

__all__ = ["FORMATS", "Table", "find_table", "read_table"]

FORMATS: Final = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".xpt", ".json", ".ndjson")
_SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file's table.

    Args:
        path: that it was read from.
        frame: every column as text, null where there is nothing; rows in the order of the file.
        first_line: the number that people would give the first row: 2 in a text file with a header, else 1.
    """

    path: Path
    frame: pl.DataFrame
    first_line: int

    def column(self, name: str) -> list[str | None]:
        """The cells of a column.

        Raises:
            InvalidInput: there is none; the message names those there are.
        """
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
        ".parquet": lambda: pl.read_parquet(path),
        ".xpt": lambda: read_transport(path, encoding),
        ".json": lambda: read_dataset_json(path),
        ".ndjson": lambda: read_dataset_json(path),
    }
    if ending is None:
        raise InvalidInput(f"{path} has an ending that is not read; known are {', '.join(FORMATS)}.")
    try:
        frame = readers[ending]() if ending in readers else _separated(path, encoding)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}.") from None
    except PolarsError as error:
        raise InvalidInput(f"{path} cannot be read as {ending.removeprefix('.')}: {error}.") from None
    return Table(path=path, frame=frame.select(_as_text(frame)), first_line=1 if ending in readers else 2)


def _separated(path: Path, encoding: str) -> pl.DataFrame:
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError) as error:
            raise InvalidInput(f"{path} is compressed and cannot be opened: {error}.") from None
    try:
        text = raw.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise InvalidInput(f"{encoding!r} is no known text encoding; common ones are utf-8 and latin-1.") from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"{path}, line {line}: byte 0x{raw[error.start]:02X} is not {encoding}; if it comes from an older Windows "
            "program, try 'encoding: windows-1252' in the mapping."
        ) from None
    header = text.partition("\n")[0]
    if not header.strip():
        raise InvalidInput(f"{path} is empty, or its first line is; a table begins with the names of its columns.")
    separator = max(_SEPARATORS, key=header.count)
    frame = pl.read_csv(text.encode(), separator=separator, infer_schema=False)
    repeated = [name for name in frame.columns if "_duplicated_" in name]
    if repeated:
        raise InvalidInput(f"{path} has two columns {repeated[0].partition('_duplicated_')[0]!r}; rename one.")
    return frame


def _as_text(frame: pl.DataFrame) -> list[pl.Expr]:
    made = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        text = column.cast(pl.String)
        if kind.is_float():
            text = column.fill_nan(None).cast(pl.String).str.replace(r"\.0$", "")
        elif isinstance(kind, pl.Datetime):
            text = column.dt.to_string("%Y-%m-%dT%H:%M:%S")
        text = text.str.strip_chars()
        made.append(pl.when(text == "").then(None).otherwise(text).alias(name))
    return made
