"""Runs that the second set of tests shares: made once a session, through the command line."""

import contextlib
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import pytest

import sevenfold
from requirement.by_hand import Row, table
from requirement.scripted import Desk, desk
from sevenfold.cli import main

_PATIENTS = "12"
_SEEDS = (2, 6)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of ``sevenfold run``: its folder, its exit code and everything that it printed."""

    name: str
    seed: int
    folder: Path
    code: int
    printed: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """``events.jsonl``, payloads read."""
        lines = (self.folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [(event := json.loads(line)) | {"payload": json.loads(event["payload"])} for line in lines]

    @property
    def primary(self) -> dict[str, Any]:
        """The answer to the primary question."""
        answers = json.loads((self.folder / "estimates.json").read_text(encoding="utf-8"))["estimates"]["answers"]
        return next(answer for answer in answers if answer["role"] == "primary")

    def table(self, name: str) -> list[Row]:
        """``data/<name>.csv``."""
        return table(self.folder, name)


def _run(folder: Path, name: str, seed: int, *more: str) -> Run:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["run", name, "--patients", _PATIENTS, "--seed", str(seed), "--out", str(folder), *more])
    return Run(name=name, seed=seed, folder=folder, code=code, printed=out.getvalue() + err.getvalue())


@pytest.fixture(scope="session")
def open_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, ...]:
    """Both built-in trials, unblinded and analysed, each with two seeds."""
    folder = tmp_path_factory.mktemp("open")
    return tuple(
        _run(folder / f"{name}-{seed}", name, seed, "--quiet") for name in ("iris-7", "iris-7c") for seed in _SEEDS
    )


@pytest.fixture(scope="session")
def blind_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """IRIS-7 up to database lock; the first of ``open_runs`` has the same candidates."""
    return _run(tmp_path_factory.mktemp("blind") / "iris-7", "iris-7", _SEEDS[0], "--blinded")


@pytest.fixture(scope="session")
def opened_run(blind_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of ``blind_run``, unblinded with its key."""
    folder = tmp_path_factory.mktemp("opened") / "iris-7"
    shutil.copytree(blind_run.folder, folder)
    key = blind_run.folder.parent / "iris-7.key"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["unblind", str(folder), "--key", str(key)])
    return Run(
        name=blind_run.name, seed=blind_run.seed, folder=folder, code=code, printed=out.getvalue() + err.getvalue()
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A run that was stopped from outside, in the middle."""

    folder: Path
    code: int
    printed: str


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> dict[signal.Signals, Stopped]:
    """Two runs in processes of their own, one interrupted (Ctrl-C) and one killed, both after the first commit."""
    root = tmp_path_factory.mktemp("stopped")
    source = str(Path(sevenfold.__file__).parents[1])
    path = os.pathsep.join(part for part in (source, os.environ.get("PYTHONPATH", "")) if part)
    words = [sys.executable, "-m", "sevenfold", "run", "iris-7", "--patients", "200", "--quiet", "--out"]
    going = {
        how: subprocess.Popen(
            [*words, str(root / how.name)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        for how in (signal.SIGINT, signal.SIGKILL)
    }
    until = time.monotonic() + 240.0
    waiting = dict(going)
    while waiting and time.monotonic() < until:
        for how, process in list(waiting.items()):
            if process.poll() is not None or _n_committed(root / how.name / "unfinished" / "trial.db") > 0:
                process.send_signal(how)
                del waiting[how]
        time.sleep(0.02)
    found = {}
    for how, process in going.items():
        printed, _ = process.communicate(timeout=120)
        found[how] = Stopped(folder=root / how.name, code=process.returncode, printed=printed)
    return found


def _n_committed(ledger: Path) -> int:
    if not ledger.is_file():
        return 0
    try:
        with contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=1.0)) as connection:
            row = connection.execute("SELECT count FROM head").fetchone()
    except sqlite3.Error:
        return 0
    return int(row[0]) if row else 0


@pytest.fixture
def open_desk(tmp_path: Path) -> Callable[..., Desk]:
    """Opens a trial to be run step by step; each call another one."""
    folders = iter(tmp_path / str(number) for number in range(100))

    def opened(n: int = 4, name: str = "iris-7") -> Desk:
        folder = next(folders)
        folder.mkdir()
        return desk(folder, n, name)

    return opened
