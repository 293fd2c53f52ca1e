"""What many tests share: rehearsed trials, made once a session."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from databases import Cluster, start_cluster
from rehearsals import Rehearsed, rehearsed, with_planned
from sevenfold.protocol.load import load
from sevenfold.record.place import Place

CHROMIUM: Final = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def small_trial(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """IRIS-7 with eight virtual patients."""
    return rehearsed(with_planned(load("iris-7"), 8), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def whole_trial(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """IRIS-7 as planned."""
    return rehearsed(load("iris-7"), tmp_path_factory.mktemp("whole"), seed=1)


@pytest.fixture
def ledger_copy(small_trial: Rehearsed, tmp_path: Path) -> Callable[[], Path]:
    """Makes a fresh copy of a whole ledger, to be tampered with."""

    def copy() -> Path:
        path = tmp_path / "trial.db"
        shutil.copy(small_trial.folder / "trial.db", path)
        return path

    return copy


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A private PostgreSQL."""
    started = start_cluster()
    yield started
    started.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Place]:
    """Makes places where a ledger may be made, in each database."""
    if request.param == "postgresql":
        found: Cluster = request.getfixturevalue("cluster")
        return found.new
    return lambda: tmp_path / f"{len(list(tmp_path.iterdir()))}.db"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        why = f"needs {CHROMIUM} (apt-get install chromium)"
        if os.environ.get("SEVENFOLD_NEEDS_SERVICES"):
            pytest.fail(f"SEVENFOLD_NEEDS_SERVICES is set, and this test {why}", pytrace=False)
        pytest.skip(why)
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=root)
        yield chromium
        chromium.close()
