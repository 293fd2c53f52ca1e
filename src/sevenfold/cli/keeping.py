"""``sevenfold backup``, ``restore``, ``archive`` and ``head``: a trial kept elsewhere than where it is run."""

import argparse
import getpass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from sevenfold.cli.serve import database_of
from sevenfold.cli.verify import faults_against_key
from sevenfold.edge.keys import Secrets, key_beside
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import load
from sevenfold.record.exported import export_head
from sevenfold.record.reading import read_head
from sevenfold.service.archive import archive
from sevenfold.service.backup import back_up, restore
from sevenfold.service.envelopes import write_envelopes
from sevenfold.service.opening import places_of
from sevenfold.vault.vault import Vault

__all__ = ["archive_trial", "back_up_trial", "export_trial_head", "lock_key", "restore_trial", "write_site_envelopes"]


def back_up_trial(chosen: argparse.Namespace) -> int:
    """Everything but the key, into a new folder."""
    folder, target = Path(chosen.folder), Path(chosen.to)
    found = back_up(folder, target, _database_of(folder, chosen))
    print(
        f"{target}: {found.n_events} events, verified; ledger, people, vault, protocol and heads. The key is not in it:"
    )
    print(f"keep {key_beside(folder)} elsewhere, and not beside the backup.")
    return 0


def restore_trial(chosen: argparse.Namespace) -> int:
    """A backup into a new folder; with the key, the vault is checked against the ledger too."""
    backup, folder = Path(chosen.backup), Path(chosen.folder)
    secrets = Secrets.read(Path(chosen.key)) if chosen.key else None
    if secrets is not None:
        faults = faults_against_key(backup / "trial.db", secrets, backup / "vault.db")
        if faults:
            raise InvalidInput(f"{backup} does not go with the key: {faults[0]}")
    found = restore(backup, folder, database_of(chosen.database))
    print(f"{folder}: {found.n_events} events, verified. Everybody has to come in anew.")
    print(f"Serve it with its key: sevenfold serve --folder {folder} --key {chosen.key or key_beside(folder)}")
    print("Never serve the trial in both places: what was recorded in one would be missing in the other.")
    return 0


def archive_trial(chosen: argparse.Namespace) -> int:
    """One zip of open formats."""
    folder = Path(chosen.folder)
    target = Path(chosen.to)
    place, _ = places_of(folder, _database_of(folder, chosen))
    found = archive(place, folder / "protocol.yaml", target)
    print(f"{target}: {found.n_events} events; verify.py in it verifies them with Python alone.")
    return 0


def export_trial_head(chosen: argparse.Namespace) -> int:
    """The signed head as it is now, into a file of its own."""
    folder = Path(chosen.folder)
    place, _ = places_of(folder, _database_of(folder, chosen))
    head = read_head(place)
    path = export_head(head, Path(chosen.to) if chosen.to else folder / "heads", datetime.now(UTC))
    print(f"{path}: {head.count} events, {head.hash}. Keep it where the trial's machine cannot be reached from.")
    return 0


def write_site_envelopes(chosen: argparse.Namespace) -> int:
    """The page that opens a site's envelopes, and their cards."""
    folder = Path(chosen.folder)
    if not (folder / "vault.db").is_file():
        raise InvalidInput(f"There is no trial in {folder}.")
    secrets = Secrets.read(Path(chosen.key) if chosen.key else key_beside(folder))
    vault = Vault.reopened(folder / "vault.db", secrets.vault)
    file = load(str(folder / "protocol.yaml"))
    opens, cards = write_envelopes(file, vault, chosen.site, Path(chosen.to), chosen.language)
    print(f"{opens}: opens envelopes, offline; for the site's ward.")
    print(f"{cards}: the codes. Print, seal each in paper, destroy the file; never send both to one person.")
    return 0


def lock_key(chosen: argparse.Namespace) -> int:
    """The same key in a file that two people open."""
    secrets = Secrets.read(Path(chosen.key))
    halves = _chosen_half("first"), _chosen_half("second")
    target = Path(chosen.to)
    secrets.write_locked(target, halves)
    print(f"{target} is locked by two. Try it, then destroy {chosen.key}: whoever reads that needs no half.")
    return 0


def _chosen_half(which: str) -> str:
    half = getpass.getpass(f"The {which} person's half of the passphrase (16 letters or more): ")
    if getpass.getpass("The same again: ") != half:
        raise InvalidInput(f"The {which} half was not typed the same twice; nothing was written.")
    return half


def _database_of(folder: Path, chosen: argparse.Namespace) -> sa.URL | None:
    if not folder.is_dir():
        raise InvalidInput(f"There is no trial in {folder}.")
    return database_of(chosen.database) if chosen.database or (folder / "database").is_file() else None
