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
    lines = path.suffix == ".ndjson"
    try:
        about = json.loads(text.partition("\n")[0] if lines else text)
        rows = [json.loads(line) for line in text.splitlines()[1:] if line.strip()] if lines else about["rows"]
        names = [str(column["name"]) for column in about["columns"]]
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is not JSON: {error}.") from None
    except (KeyError, TypeError):
        raise InvalidInput(f"{path} is no Dataset-JSON: it needs 'columns', each with a 'name', and 'rows'.") from None
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            raise InvalidInput(f"{path}, row {number}: {len(names)} values are wanted, one a column.")
    columns = {name: [_text(row[place]) for row in rows] for place, name in enumerate(names)}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _text(cell: Any) -> str | None:
    match cell:
        case None:
            return None
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 2**53:
            return str(int(cell))
    return str(cell)
