"""Heads that are kept apart from the ledger: one file a day, never overwritten, and one whenever somebody asks.

A head that lies elsewhere is what a ledger that was cut short or chained anew cannot be made to agree with.
"""

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from sevenfold.errors import InvalidInput
from sevenfold.record.head import Head, LedgerState

__all__ = ["export_head", "export_of_today", "exported_heads", "read_exported"]


def export_of_today(head: Head, folder: Path, now: datetime) -> Path:
    """The file of the day, ``2026-03-01.json``: written by the first who asks on that day (UTC), then left alone."""
    path = folder / f"{now:%Y-%m-%d}.json"
    if not path.exists():
        _write(path, head, now)
    return path


def export_head(head: Head, folder: Path, now: datetime) -> Path:
    """A file for this very head, ``2026-03-01-000123.json``: the day and the number of events."""
    path = folder / f"{now:%Y-%m-%d}-{head.count:06d}.json"
    if not path.exists():
        _write(path, head, now)
    elif read_exported(path) != head:
        raise InvalidInput(f"{path} holds another head of as many events; an exported head is never overwritten.")
    return path


def exported_heads(path: Path) -> list[Head]:
    """The head in a file, or all those in a folder.

    Raises:
        InvalidInput: a file can't be read or holds none.
    """
    if not path.is_dir():
        return [read_exported(path)]
    found = sorted(path.glob("*.json"))
    if not found:
        raise InvalidInput(f"There is no head in {path}; the files are called like 2026-03-01.json.")
    return [read_exported(one) for one in found]


def read_exported(path: Path) -> Head:
    """The head in a file, such as one of ``heads/`` or the ``run.json`` of a run.

    Raises:
        InvalidInput: the file can't be read, or holds none.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path} with a head.")
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        entry = entry.get("ledger head", entry)
        return Head(
            count=int(entry["count"]),
            hash=str(entry["hash"]),
            state=LedgerState(entry["state"]),
            public_key=str(entry["public_key"]),
            signature=str(entry["signature"]),
        )
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, AttributeError, TypeError, OverflowError, RecursionError):
        raise InvalidInput(f"{path} holds no ledger head; run.json of a run does, under 'ledger head'.") from None


def _write(path: Path, head: Head, now: datetime) -> None:
    """In one piece and on the disk, or not at all; a file that came in between is left alone."""
    said = {"exported_at": now.isoformat(timespec="seconds"), "ledger head": asdict(head)}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(json.dumps(said, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
