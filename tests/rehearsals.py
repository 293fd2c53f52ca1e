"""Rehearsed trials for tests, and the folder of third-party data."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pytest

from sevenfold.cli.rehearsal import StagedTrial, stage
from sevenfold.cohort.cohort import Cohort
from sevenfold.cohort.from_record import from_record
from sevenfold.protocol.load import ProtocolFile
from sevenfold.record.head import LedgerState
from sevenfold.record.history import History, read_history
from sevenfold.record.reading import read_events
from sevenfold.trial.icu.assumptions import shipped

SHARED = Path(__file__).parents[1].parent / "shared"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A rehearsed trial, unblinded: its folder, and what was read back from its ledger."""

    file: ProtocolFile
    folder: Path
    staged: StagedTrial
    history: History
    cohort: Cohort


def with_planned(file: ProtocolFile, n: int) -> ProtocolFile:
    """The same protocol for ``n`` subjects."""
    population = file.protocol.population.model_copy(update={"planned": n})
    return dataclasses.replace(file, protocol=file.protocol.model_copy(update={"population": population}))


def rehearsed(file: ProtocolFile, folder: Path, seed: int = 3) -> Rehearsed:
    """Rehearse a trial in a folder, to unblinding."""
    staged = stage(file, folder, seed, shipped())
    staged.rehearse(lambda _done, _of: None, lambda: False)
    staged.unblind()
    staged.close(LedgerState.COMPLETE)
    history = read_history(read_events(folder / "trial.db"))
    return Rehearsed(
        file=file, folder=folder, staged=staged, history=history, cohort=from_record(history, file.protocol)
    )


def shared(*parts: str) -> Path:
    """A file of the folder with third-party data; skips the test where it is missing."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {'/'.join(('shared', *parts))}, which is not beside this checkout")
    return path
