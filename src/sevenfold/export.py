"""Writing a record out: tidy tables as Parquet and CSV, events as JSON lines. The same record gives the same bytes."""

import json
from pathlib import Path
from typing import Final

import polars as pl

from sevenfold.record.event import Event
from sevenfold.record.tables import COLUMNS, Row

__all__ = ["write_events", "write_tables"]

_TYPES: Final = {str: pl.String, float: pl.Float64, int: pl.Int64, bool: pl.Boolean}


def write_tables(tables: dict[str, list[Row]], folder: Path) -> list[Path]:
    """Write every table as ``<name>.parquet`` and ``<name>.csv``; answers the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    has_arm = any("arm" in row for rows in tables.values() for row in rows)
    for name, rows in tables.items():
        schema = {column: _TYPES[kind] for column, kind in COLUMNS[name].items() if has_arm or column != "arm"}
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        frame.write_parquet(folder / f"{name}.parquet", compression="zstd", statistics=False)
        frame.write_csv(folder / f"{name}.csv")
        written += [folder / f"{name}.parquet", folder / f"{name}.csv"]
    return written


def write_events(events: list[Event], path: Path) -> None:
    """One event a line, payloads as they were hashed."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for event in events:
            line = {
                "sequence": event.sequence,
                "type": event.type,
                "schema_version": event.schema_version,
                "subject": event.subject,
                "site": event.site,
                "actor": event.actor,
                "happened_at": event.happened_at,
                "recorded_at": event.recorded_at,
                "payload": event.payload.decode(),
                "previous_hash": event.previous_hash,
                "hash": event.hash,
            }
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
