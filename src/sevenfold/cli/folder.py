"""The folder of a run: what may lie in it, when it may be used, and what was written by what."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from sevenfold.errors import InvalidInput

__all__ = ["prepare", "sha256_of", "write_json", "write_text"]

_OURS: Final = (
    "report.html",
    "trial.db",
    "trial.db-wal",
    "trial.db-shm",
    "vault.db",
    "estimates.json",
    "run.json",
    "events.jsonl",
    "protocol.yaml",
    "data",
)


def prepare(folder: Path, *, force: bool) -> None:
    """Make the folder ready for a run.

    Raises:
        InvalidInput: it can't be written to, holds a run and ``force`` is not given, or holds other things.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; --out names a folder.")
    found = sorted(item.name for item in folder.iterdir()) if folder.is_dir() else []
    strange = [name for name in found if name not in _OURS]
    if strange:
        raise InvalidInput(
            f"{folder} holds {strange[0]!r}, which is not part of a run; choose an empty folder with --out."
        )
    if found and not force:
        raise InvalidInput(f"{folder} holds another run; give --force to replace it, or another folder with --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written to: {error.strerror}.") from None
    for name in found:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
