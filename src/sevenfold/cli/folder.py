"""The folder of a run: a run is written apart and takes its place there when it is whole, or leaves no trace."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from sevenfold.edge.writing import write_json, write_text
from sevenfold.errors import InvalidInput

__all__ = ["Staging", "sha256_of", "staged", "write_json", "write_text"]

_UNFINISHED: Final = "unfinished"
_REPLACED: Final = "replaced"
_BESIDE: Final = ("run.json", "trial.db-wal", "trial.db-shm")  # of a run, and not in its own list of what it made


@final
@dataclass(frozen=True, slots=True)
class Staging:
    """A run that is being written.

    Args:
        target: where it will lie.
        folder: where it is written until then.
        replaces: files of the run that lies in ``target`` now, relative to it.
    """

    target: Path
    folder: Path
    replaces: tuple[Path, ...]

    def keep(self) -> None:
        """Put what was written in its place. What lay there comes back if that fails."""
        aside = self.target / _REPLACED
        made = [path for path in _files(self.folder) if path.suffix != ".tmp"]
        made.sort(key=lambda path: path.name == "run.json")  # last: a folder with a run.json is whole
        try:
            _move(self.replaces, self.target, aside)
            _move(made, self.folder, self.target)
        except OSError:
            _move([path for path in made if not (self.folder / path).exists()], self.target, self.folder)
            _move([path for path in self.replaces[::-1] if (aside / path).exists()], aside, self.target)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def staged(target: Path, *, force: bool) -> Iterator[Staging]:
    """A place to write a run in; unless it is kept, everything is as it was before.

    Raises:
        InvalidInput: the folder can't be written to, holds a run and ``force`` is not given, or holds other things.
    """
    replaces = _held(target, force=force)
    missing = [path for path in (target, *target.parents) if not path.exists()]
    work = target / _UNFINISHED
    try:
        try:
            target.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target):
                pass
            if force:
                shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
        except OSError as error:
            raise InvalidInput(f"{target} cannot be written to: {error.strerror}.") from None
        try:
            yield Staging(target, work, replaces)
        except OSError as error:
            raise InvalidInput(f"{error.filename or target} cannot be written: {error.strerror or error}.") from None
        finally:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        with suppress(OSError):
            for path in missing:  # a folder that holds something stays
                path.rmdir()


def _held(target: Path, *, force: bool) -> tuple[Path, ...]:
    """The files of the run that lies in a folder; none where there is no run."""
    if not target.is_dir():
        if target.exists():
            raise InvalidInput(f"{target} is a file; --out names a folder.")
        return ()
    if (target / _UNFINISHED).exists() and not force:
        raise InvalidInput(
            f"{target / _UNFINISHED} holds a run that is under way or was killed; wait for it, give --force to "
            "replace it, or another folder with --out."
        )
    found = [path for path in _files(target) if path.parts[0] != _UNFINISHED]
    ours = _made_by_run(target)
    strange = [path for path in found if path not in ours]
    if strange:
        raise InvalidInput(
            f"{target} holds {str(strange[0])!r}, which is not part of a run; choose an empty folder with --out."
        )
    if found and not force:
        raise InvalidInput(f"{target} holds another run; give --force to replace it, or another folder with --out.")
    return tuple(sorted(found, key=lambda path: path.name != "run.json"))


def _files(folder: Path) -> list[Path]:
    """Everything in a folder that is not itself a folder, relative to it; links are not followed."""
    found = []
    for where, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(where) / name).is_symlink()]
        found += [(Path(where) / name).relative_to(folder) for name in (*files, *links)]
    return sorted(found)


def _made_by_run(target: Path) -> set[Path]:
    try:
        made = json.loads((target / "run.json").read_text(encoding="utf-8"))["made"]
        return {Path(name) for name in (*made, *_BESIDE)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _move(paths: Sequence[Path], source: Path, target: Path) -> None:
    """Move files, in order, with the folders that they leave empty."""
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).replace(target / path)
    for folder in {path.parent for path in paths if path.parent.parts}:
        with suppress(OSError):
            (source / folder).rmdir()


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
