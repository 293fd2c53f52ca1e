"""``sevenfold unblind``: a blinded, locked run is opened with its key; data by arm, estimates, report are written."""

import argparse
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sevenfold.cli.progress import Stages
from sevenfold.cli.run import planned_for, write_out, write_run
from sevenfold.cli.verify import faults_against_key
from sevenfold.cli.world import World, world_of
from sevenfold.clock import SimulatedClock
from sevenfold.edge.keys import Secrets, key_beside
from sevenfold.edge.unblinding import reveal
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import ProtocolFile, parse
from sevenfold.record.exported import read_exported
from sevenfold.record.head import LedgerState
from sevenfold.record.ledger import Ledger
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.verify import verify
from sevenfold.trial.conduct import Conduct
from sevenfold.vault.vault import Vault

__all__ = ["unblind_run"]


def unblind_run(chosen: argparse.Namespace) -> int:
    """Verify, reveal, analyse, report."""
    folder = Path(chosen.folder)
    key = Path(chosen.key) if chosen.key else key_beside(folder)
    about = _about(folder)
    command = argparse.Namespace(**about["command"])
    secrets = Secrets.read(key)
    file = _protocol(folder, command, about)
    _verified(folder, secrets)
    if read_head(folder / "trial.db").state is LedgerState.LOCKED:  # else only what follows was cut short
        _reveal(file, folder, secrets)
    command.run, command.blinded, command.secrets = None, False, about["secrets"]
    world = _world(command, about)
    with Stages(is_quiet=chosen.quiet) as stages:
        history = write_out(file, folder, command, world, stages, lambda _done, _of: None)
    write_run(file, folder, command, world, "complete", history)
    print(f"Report: {folder / 'report.html'}")
    return 0


def _world(command: argparse.Namespace, about: dict[str, Any]) -> World:
    """The world in which the run was made."""
    world = world_of(command)
    made = about.get("population", {}).get("sha256")
    if world.population is not None and world.population.sha256 != made:
        raise InvalidInput(
            "This run's population was drawn from a posterior that is not the one shipped here; unblind it with the "
            f"version that made it ({about.get('sevenfold')})."
        )
    return world


def _reveal(file: ProtocolFile, folder: Path, secrets: Secrets) -> None:
    """Record the unblinding, dated like the last event: a rehearsal's clock stands still once the data are locked."""
    last = read_events(folder / "trial.db")[-1]
    clock = SimulatedClock(datetime.fromisoformat(last.recorded_at))
    vault = Vault.reopened(folder / "vault.db", secrets.vault)
    ledger = Ledger.reopened(folder / "trial.db", clock, secrets.signing)
    conduct = Conduct.resumed(file, ledger, vault)
    reveal(conduct, vault, clock.now())
    conduct.commit(LedgerState.COMPLETE)
    ledger.close()


def _about(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        state, command = about["state"], about["command"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(f"{folder} holds no run: its run.json cannot be read.") from None
    if not command.get("blinded") or state != LedgerState.LOCKED:
        raise InvalidInput(
            f"{folder} holds a run that is {state}; only a blinded one that came to database lock can be unblinded."
        )
    return dict(about)


def _protocol(folder: Path, command: argparse.Namespace, about: dict[str, Any]) -> ProtocolFile:
    path = folder / "protocol.yaml"
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        raise InvalidInput(f"{path} cannot be read; a run keeps its protocol there.") from None
    if hashlib.sha256(text.encode()).hexdigest() != about["protocol"]["sha256"]:
        raise InvalidInput(f"{path} is not the protocol of this run: its hash differs from the one in run.json.")
    return planned_for(parse(text, path.name), command.patients)


def _verified(folder: Path, secrets: Secrets) -> None:
    ledger = folder / "trial.db"
    found = verify(ledger, read_exported(folder / "run.json"))
    faults = [*found.faults, *faults_against_key(ledger, secrets, folder / "vault.db")]
    if faults:
        raise InvalidInput(f"{ledger} cannot be unblinded: {faults[0]}")
