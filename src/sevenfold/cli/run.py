"""``sevenfold run``: a protocol goes in; ledger, data, estimates and report come out."""

import argparse
import dataclasses
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sevenfold import __version__
from sevenfold.cli.assumption_list import print_assumptions
from sevenfold.cli.folder import Staging, sha256_of, staged, write_json, write_text
from sevenfold.cli.progress import Stages, Step
from sevenfold.cli.rehearsal import StagedTrial, held_interrupt, stage
from sevenfold.cli.world import World, assumptions_of, world_of
from sevenfold.design.shipped import check_primary
from sevenfold.edge.concluding import Told, conclude
from sevenfold.edge.keys import Secrets, key_beside
from sevenfold.edge.plain import plain
from sevenfold.errors import InvalidInput
from sevenfold.export import write_events, write_tables
from sevenfold.protocol.conductible import check_conductible
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.record.head import LedgerState
from sevenfold.record.history import History, read_history
from sevenfold.record.monitoring import monitoring_counts
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.tables import tables
from sevenfold.trial.icu.nature import warm_up

__all__ = ["planned_for", "run_trial", "write_out", "write_run"]

_FROM_SEED: Final = "from the seed, so that the run can be repeated to the byte: its blind is one of procedure"
_DRAWN: Final = (
    "drawn from the machine and kept in a key file; the seed decides what happens to the virtual patients only"
)

_MAKERS: Final = {
    "trial.db": "trial.rehearse through trial.conduct",
    "vault.db": "vault",
    "data, events.jsonl": "record.tables, export",
    "estimates.json": "analysis.trial.analyse, evidence.compare, calibrate.predict",
    "report.html": "report",
}


def run_trial(chosen: argparse.Namespace) -> int:
    """Rehearse, lock, unblind, analyse, report."""
    file = planned_for(load(chosen.protocol), chosen.patients)
    if "list" in chosen.assume:
        return print_assumptions()
    check_conductible(file.protocol)
    check_primary(file.protocol)
    world = world_of(chosen)
    out = Path(chosen.out or Path("out") / file.protocol.name)
    secrets = _secrets(chosen, out)
    with held_interrupt() as is_interrupted, staged(out, force=chosen.force) as work:
        try:
            write_text(work.folder / "protocol.yaml", file.text)
            with Stages(is_quiet=chosen.quiet) as stages:
                pause = _pause(is_interrupted)
                trial = _rehearse(file, work.folder, chosen, world, stages, is_interrupted, secrets)
                if not chosen.blinded:
                    trial.unblind()
                trial.close(LedgerState.LOCKED if chosen.blinded else LedgerState.COMPLETE)
                pause(0, 0)
                history = write_out(file, work.folder, chosen, world, stages, pause)
            pause(0, 0)
            write_run(file, work.folder, chosen, world, "locked" if chosen.blinded else "complete", history)
        except KeyboardInterrupt:
            _keep_interrupted(work, file, chosen, world, secrets)
            raise
        _keep(work, chosen, secrets)
    _say_where(out, chosen)
    return 0


def _pause(is_interrupted: Callable[[], bool]) -> Step:
    """A step that stops where the user asked for it: only between two steps, so that no file is cut."""

    def pause(_done: int, _of: int) -> None:
        if is_interrupted():
            raise KeyboardInterrupt

    return pause


def _rehearse(
    file: ProtocolFile,
    folder: Path,
    chosen: argparse.Namespace,
    world: World,
    stages: Stages,
    is_interrupted: Callable[[], bool],
    secrets: Secrets,
) -> StagedTrial:
    with stages.stage("Preparing the model of IL-7 and T cells", 1):
        warm_up()
    _pause(is_interrupted)(0, 0)
    trial = stage(file, folder, chosen.seed, world.assume, secrets, world.typical)
    try:
        planned = file.protocol.population.planned
        with stages.stage("Screening, randomising, treating, following", planned) as step:
            trial.rehearse(step, is_interrupted)
    except BaseException:
        trial.conduct.ledger.close()
        raise
    return trial


def _keep(work: Staging, chosen: argparse.Namespace, secrets: Secrets) -> None:
    """Put a run in its place, and the key of a blinded one in its own; the new one is there before an old one goes."""
    if not chosen.blinded:
        work.keep()
        return
    key = _key_of(chosen, work.target)
    new = key.with_name(f"{key.name}.new")
    secrets.write(new)
    try:
        work.keep()
    except BaseException:
        new.unlink()
        raise
    new.replace(key)


def _keep_interrupted(
    work: Staging, file: ProtocolFile, chosen: argparse.Namespace, world: World, secrets: Secrets
) -> None:
    """Keep a ledger that was interrupted, unless a whole run lies in its place or nothing was recorded yet."""
    if work.replaces:
        print(
            f"sevenfold: the run that lies in {work.target} is as it was; nothing of this one is kept.", file=sys.stderr
        )
    elif not (work.folder / "trial.db").exists():
        print("sevenfold: nothing was recorded yet and nothing is kept.", file=sys.stderr)
    else:
        write_run(file, work.folder, chosen, world, "interrupted")
        is_complete = read_head(work.folder / "trial.db").state in (LedgerState.COMPLETE, LedgerState.LOCKED)
        what = (
            "is complete; what would follow from it was not written"
            if is_complete
            else "is valid and says that the run is incomplete"
        )
        _keep(work, chosen, secrets)
        print(f"sevenfold: the ledger {work.target / 'trial.db'} {what}.", file=sys.stderr)


def write_out(
    file: ProtocolFile, folder: Path, chosen: argparse.Namespace, world: World, stages: Stages, pause: Step
) -> History:
    """Tables and events of a ledger that is closed; by arm, with estimates and report, once it is unblinded.

    Args:
        pause: called between two steps; may stop the work.
    """
    protocol = file.protocol
    with stages.stage("Reading the ledger, writing the data", 1):
        events = read_events(folder / "trial.db")
        history = read_history(events)
        write_tables(tables(history, protocol), folder / "data")
        write_events(events, folder / "events.jsonl")
    pause(0, 0)
    if not chosen.blinded:
        told = Told(
            seed=chosen.seed,
            assumptions=tuple(world.assume.by_name.values()),
            changed=tuple(assumptions_of(chosen.assume)),
            drawn=world.population.words if world.population else None,
            parameters=getattr(chosen, "parameters", "typical"),
        )
        conclude(file, history, read_head(folder / "trial.db"), told, folder, stages, pause)
    return history


def write_run(
    file: ProtocolFile,
    folder: Path,
    chosen: argparse.Namespace,
    world: World,
    state: str,
    history: History | None = None,
) -> None:
    """What made what: enough to make it again, and what the rules of monitoring raised."""
    import llvmlite
    import numpy as np
    import polars as pl

    made = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("run.json", "trial.db-wal", "trial.db-shm")
    )
    write_json(
        folder / "run.json",
        {
            "sevenfold": __version__,
            "state": state,
            "command": {
                "protocol": chosen.protocol,
                "seed": chosen.seed,
                "patients": chosen.patients,
                "blinded": chosen.blinded,
                "assume": chosen.assume,
                "parameters": getattr(chosen, "parameters", "typical"),
            },
            "population": {"parameters": "typical"} if world.population is None else plain(world.population),
            "protocol": {
                "name": file.protocol.name,
                "sha256": file.sha256,
                "planned": file.protocol.population.planned,
            },
            "assumptions changed": {name: getattr(world.assume, name) for name in assumptions_of(chosen.assume)},
            "secrets": getattr(chosen, "secrets", _DRAWN if chosen.blinded else _FROM_SEED),
            "monitoring rules raised": None if history is None else monitoring_counts(history, file.protocol),
            "ledger head": dataclasses.asdict(read_head(folder / "trial.db")),
            "made": {str(path.relative_to(folder)): sha256_of(path) for path in made},
            "made by": _MAKERS,
            "with": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "llvmlite": llvmlite.__version__,
                "polars": pl.__version__,
                "machine": platform.machine(),
            },
        },
    )


def _key_of(chosen: argparse.Namespace, folder: Path) -> Path:
    return Path(chosen.key) if chosen.key else key_beside(folder)


def _secrets(chosen: argparse.Namespace, folder: Path) -> Secrets:
    """The secrets of the run that was asked for, before anything is written.

    Raises:
        InvalidInput: a key is named for a run that is not blinded, or its file is there already.
    """
    if not chosen.blinded:
        if chosen.key:
            raise InvalidInput("--key names the key file of a blinded run; give --blinded too, or leave it out.")
        return Secrets.of_seed(chosen.seed)
    key = _key_of(chosen, folder)
    if key.exists() and not chosen.force:
        raise InvalidInput(
            f"{key} holds the key of another run; name another file with --key, or give --force to replace it."
        )
    return Secrets.drawn()


def planned_for(file: ProtocolFile, patients: int | None) -> ProtocolFile:
    """The protocol for another number of subjects."""
    if patients is None:
        return file
    population = file.protocol.population.model_copy(update={"planned": patients})
    return dataclasses.replace(file, protocol=file.protocol.model_copy(update={"population": population}))


def _say_where(folder: Path, chosen: argparse.Namespace) -> None:
    if chosen.blinded:
        print(f"Locked and still blind: {folder / 'trial.db'} and {folder / 'data'}.")
        print(f"Its key: {_key_of(chosen, folder)}. Keep it apart; `sevenfold unblind {folder}` needs it.")
    else:
        print(f"Report: {folder / 'report.html'}")
