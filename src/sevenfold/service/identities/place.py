"""Where the keys of identities lie: chosen when the trial begins, and written in its folder."""

import os
from pathlib import Path
from typing import Final

from sevenfold.edge.keys import key_beside

__all__ = ["PLACE", "keep_place", "keys_beside"]

PLACE: Final = "identities.place"
"""The file in the trial's folder that says it. No backup takes it: a trial that is put back elsewhere has its own."""


def keys_beside(key: Path, folder: Path) -> Path:
    """Where the keys of identities lie: where the folder says; in a folder that says nothing, beside the trial's key,
    or beside the folder where the key lies in no file.

    In any case outside the folder, which backups are taken of. Where there is no file, but one at another of these
    places, that is it: the trial's key was locked or brought elsewhere, or the folder was.
    """
    beside_folder = key_beside(folder).with_suffix(".identities")
    places = [key.with_suffix(".identities") if key.is_file() else beside_folder, beside_folder]
    said = _said(folder)
    if said is not None:
        places.insert(0, said)
    return next((place for place in places if place.is_file()), places[0])


def keep_place(folder: Path, keys: Path) -> None:
    """Let the folder say where the keys lie; a place beside it is said so that both can be moved together."""
    if _said(folder) == keys:
        return
    there, here = keys.parent.resolve() / keys.name, folder.resolve()
    text = f"../{there.name}" if there.parent == here.parent else str(there)
    draft = folder / f"{PLACE}.unfinished"
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(folder / PLACE)


def _said(folder: Path) -> Path | None:
    try:
        text = (folder / PLACE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return Path(os.path.normpath(folder.resolve() / text)) if text else None
