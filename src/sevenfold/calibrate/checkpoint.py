"""How far a calibration has come, on disk: written whole or not at all, taken up again only by the same problem."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput

__all__ = ["read_checkpoint", "write_checkpoint"]

Arrays = Mapping[str, NDArray[np.float64]]


def write_checkpoint(path: Path, arrays: Arrays, about: Mapping[str, Any]) -> None:
    """Write arrays with what they belong to (evidence, settings)."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, about=np.array(json.dumps(about, sort_keys=True)), **arrays)  # type: ignore[arg-type]
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_checkpoint(path: Path, about: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
    """The arrays that were written.

    Raises:
        InvalidInput: not a checkpoint, or one of other evidence or settings.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        was = json.loads(str(found.pop("about")))
    except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
        raise InvalidInput(f"{path} is no checkpoint of a calibration ({error}); begin anew with --force.") from None
    for key, value in about.items():
        if was.get(key) != value:
            raise InvalidInput(
                f"{path} is of another calibration ({key} was {was.get(key)!r}, is {value!r}); begin anew with --force."
            )
    return found
