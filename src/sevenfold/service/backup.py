"""A trial's backup: everything but the key, taken while people work, and put back elsewhere.

It has one form, whatever database the trial lies in: files of SQLite for ledger, people and vault, the protocol, the
exported heads, and ``backup.json`` with the hash of each. So a trial is moved from one database to the other, too.
Who the subjects are is in it sealed, and opens with the keys in their own file alone, which no backup takes.
The ledger is taken before the vault: the vault, which is always made durable first, then knows all that the ledger
speaks of, and perhaps a place more, which the next start takes back.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from sevenfold import __version__
from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.record.copying import copy_file, copy_ledger
from sevenfold.record.exported import exported_heads
from sevenfold.record.place import shown
from sevenfold.record.reading import looked_at, read_head
from sevenfold.record.store import store_of
from sevenfold.record.verify import Verification, verify
from sevenfold.service.identities.identities import FILE
from sevenfold.service.opening import DATABASE, is_there, places_of
from sevenfold.service.people.database import Kept, make_people, people_engine, people_in, people_through, put_people

__all__ = ["back_up", "restore"]

_FORMAT: Final = 1
_ABOUT: Final = "backup.json"
_TRIES: Final = 10


def back_up(folder: Path, target: Path, database: sa.URL | None = None) -> Verification:
    """Take a backup into a new folder; it is verified before it bears its name.

    Raises:
        InvalidInput: there is no trial, or something in the way.
        AuditBroken: what was copied does not hold.
    """
    if not is_there(folder):
        raise InvalidInput(f"There is no trial in {folder}.")
    if target.exists():
        raise InvalidInput(f"{target} exists already; a backup is never overwritten.")
    draft = target.with_name(f"{target.name}.unfinished")
    if draft.exists():
        raise InvalidInput(f"{draft} is in the way: a backup that was broken off. Delete it, then try again.")
    draft.mkdir(parents=True)
    place, _ = places_of(folder, database)
    with ExitStack() as stack:
        if isinstance(place, Path):
            engine = people_engine(folder / "people.db")
            stack.callback(engine.dispose)
            people = _with_people_of_its_time(place, draft / "trial.db", engine)
        else:
            connection = stack.enter_context(looked_at(place, store_of(place)))  # one snapshot of both
            copy_ledger(place, draft / "trial.db", connection)
            people = people_through(connection)
    _put_people(draft / "people.db", people)
    copy_file(folder / "vault.db", draft / "vault.db")
    if (folder / FILE).is_file():
        copy_file(folder / FILE, draft / FILE)
    shutil.copy(folder / "protocol.yaml", draft / "protocol.yaml")
    if (folder / "heads").is_dir():
        shutil.copytree(folder / "heads", draft / "heads", ignore=shutil.ignore_patterns("*.[0-9]*"))
    found = _whole(draft)
    head = read_head(draft / "trial.db")
    about = {
        "sevenfold backup": _FORMAT,
        "sevenfold": __version__,
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "taken_from": shown(place),
        "ledger head": {"count": head.count, "hash": head.hash, "state": head.state.value,
                        "public_key": head.public_key, "signature": head.signature},
        "files": {name: _hash(draft / name) for name in _files(draft)},
    }  # fmt: skip
    (draft / _ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    for name in _files(draft):
        with (draft / name).open("rb") as file:
            os.fsync(file.fileno())
    draft.rename(target)
    return found


def restore(backup: Path, folder: Path, database: sa.URL | None = None) -> Verification:
    """Put a backup into a new folder (and a database, if one is named), after everything in it was checked.

    Raises:
        InvalidInput: it is no backup, it was altered, or something is in the way.
        AuditBroken: its ledger does not hold.
    """
    about = _about(backup)
    for name, said in about["files"].items():
        path = backup / name
        if not path.is_file() or _hash(path) != said:
            raise InvalidInput(f"{path} is not the file that was backed up: it is missing or was altered.")
    found = _whole(backup)
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"{folder} holds something; a backup is put into an empty folder.")
    if database is not None:
        store_of(database).check_free()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "protocol.yaml").write_bytes((backup / "protocol.yaml").read_bytes())
    if (backup / "heads").is_dir():
        shutil.copytree(backup / "heads", folder / "heads")
    copy_ledger(backup / "trial.db", database or folder / "trial.db")
    if database is None:
        shutil.copy(backup / "people.db", folder / "people.db")
    else:
        engine = people_engine(backup / "people.db")
        try:
            people = people_in(engine)
        finally:
            engine.dispose()
        _put_people(database, people)
        (folder / DATABASE).write_text(shown(database) + "\n", encoding="utf-8")
    shutil.copy(backup / "vault.db", folder / "vault.db")
    if (backup / FILE).is_file():
        shutil.copy(backup / FILE, folder / FILE)
    return found


def _with_people_of_its_time(ledger: Path, copy: Path, engine: sa.Engine) -> Kept:
    """Copy a ledger; answers the people whose access it tells: what the ledger says of access is true of them.

    Raises:
        InvalidInput: somebody's access was changed in between, again and again.
    """
    for _ in range(_TRIES):
        copy.unlink(missing_ok=True)
        before = people_in(engine)
        copy_ledger(ledger, copy)
        people = people_in(engine)
        if _access_of(people) == _access_of(before):
            return people
    raise InvalidInput("People's access was being changed while the backup was taken; try again.")


def _access_of(people: Kept) -> list[list[object]]:
    """What is told in the ledger when it changes; not when somebody came in last."""
    told = ("id", "role", "site", "name", "password", "factor", "is_suspended")
    rows = [[row.get(name) for name in told] for row in people["person"]]
    return [*rows, *([row["person"], row["change"], row["place"]] for row in people.get("prepared", []))]


def _put_people(place: Path | sa.URL, people: Kept) -> None:
    """Those who work in the trial; nobody's session or invitation goes into a backup."""
    engine = people_engine(place)
    make_people(engine)
    put_people(engine, people)
    engine.dispose()


def _whole(folder: Path) -> Verification:
    heads = exported_heads(folder / "heads") if (folder / "heads").is_dir() else None
    found = verify(folder / "trial.db", heads)
    if found.faults:
        raise AuditBroken(f"The ledger in {folder} does not hold: {found.faults[0]}")
    return found


def _about(backup: Path) -> Mapping[str, Any]:
    try:
        about = json.loads((backup / _ABOUT).read_text(encoding="utf-8"))
        names = about["files"].keys()
        is_ours = about["sevenfold backup"] == _FORMAT and {"trial.db", "vault.db", "protocol.yaml"} <= names
        is_inside = all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in names)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_ours = is_inside = False
    if not (is_ours and is_inside):
        raise InvalidInput(f"{backup} is not a backup: it has no {_ABOUT} that says what is in it.")
    return dict(about)


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != _ABOUT)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
