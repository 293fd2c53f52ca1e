"""CDISC Dataset-JSON 1.1: one object with columns and rows, or NDJSON with the metadata on the first line.

Source: [datasetjson].
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from sevenfold.errors import InvalidInput

__all__ = ["read_dataset_json"]


def read_dataset_json(path: Path) -> pl.DataFrame:
    """The table of a Dataset-JSON file, every cell as text.

    Raises:
        InvalidInput: it is not JSON, has no columns, or a row is not as long as the columns are many.
        OSError: it cannot be opened.
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: byte {error.start} is not UTF-8, which Dataset-JSON is written in.") from None
    try:
        about, rows = _by_line(path, text) if path.suffix == ".ndjson" else _whole(path, text)
        names = [str(column["name"]) for column in about["columns"]]
    except (KeyError, TypeError):
        raise InvalidInput(f"{path} is no Dataset-JSON: it needs 'columns', each with a 'name', and 'rows'.") from None
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{path} has two columns {twice!r}; rename one.")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            raise InvalidInput(f"{path}, row {number}: {len(names)} values are wanted, one a column.")
    columns = {name: [_text(row[place]) for row in rows] for place, name in enumerate(names)}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _whole(path: Path, text: str) -> tuple[Any, list[Any]]:
    try:
        about = json.loads(text, parse_constant=_nothing)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is not JSON: {error}.") from None
    rows = about["rows"]
    if not isinstance(rows, list):
        raise TypeError
    return about, rows


def _by_line(path: Path, text: str) -> tuple[Any, list[Any]]:
    made = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                made.append(json.loads(line, parse_constant=_nothing))
            except (ValueError, RecursionError) as error:
                raise InvalidInput(f"{path}, line {number} is not JSON: {error}.") from None
    if not made:
        raise InvalidInput(f"{path} is empty; its first line says which columns there are.")
    return made[0], made[1:]


def _nothing(_name: str) -> None:
    """``NaN`` and ``Infinity``, which some programs write and JSON does not have."""


def _text(cell: Any) -> str | None:
    match cell:
        case None:
            return None
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 2**53:
            return str(int(cell))
        case float():
            return str(cell).replace("e-0", "e-")  # as the other formats write it
    return str(cell)
