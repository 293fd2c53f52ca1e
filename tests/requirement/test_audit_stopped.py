"""Audit: a run that is stopped from outside leaves a record that can be trusted, and says how far it came."""

import json
import shutil
import signal
from pathlib import Path

import pytest

from requirement.conftest import Stopped
from sevenfold.cli import main
from sevenfold.record.head import LedgerState
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.verify import verify


@pytest.mark.requirement("AUDIT-13")
def test_ctrl_c_leaves_a_ledger_that_verifies_and_says_interrupted(
    stopped: dict[signal.Signals, Stopped], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, a sentence and no traceback; the last event, the signed head and run.json all say it."""
    run = stopped[signal.SIGINT]
    assert run.code == 2, run.printed
    assert "Traceback" not in run.printed
    assert "interrupted" in run.printed
    ledger = run.folder / "trial.db"
    assert main(["verify", str(ledger)]) == 0
    said = capsys.readouterr().out
    assert "the ledger is interrupted" in said
    assert "An exported head was compared" in said
    about = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert about["state"] == "interrupted"
    assert about["ledger head"]["state"] == "interrupted"
    events = read_events(ledger)
    assert events[-1].type == "RunInterrupted"
    assert len(events) == read_head(ledger).count == about["ledger head"]["count"]
    assert {event.type for event in events} & {"DatabaseLocked", "Unblinded"} == set()


@pytest.mark.requirement("AUDIT-13")
def test_an_interrupted_ledger_is_one_file_that_can_be_taken_away(
    stopped: dict[signal.Signals, Stopped], tmp_path: Path
) -> None:
    """Whoever copies trial.db alone has all of it."""
    ledger = stopped[signal.SIGINT].folder / "trial.db"
    alone = Path(shutil.copy(ledger, tmp_path / "trial.db"))
    assert read_events(alone) == read_events(ledger)
    assert read_head(alone) == read_head(ledger)


@pytest.mark.requirement("AUDIT-14")
def test_a_killed_run_leaves_a_ledger_that_verifies_as_running(
    stopped: dict[signal.Signals, Stopped], capsys: pytest.CaptureFixture[str]
) -> None:
    """With everything up to the last commit, and nothing that only seems to be there."""
    run = stopped[signal.SIGKILL]
    assert run.code == -signal.SIGKILL
    assert [path.name for path in run.folder.iterdir()] == ["unfinished"]
    ledger = run.folder / "unfinished" / "trial.db"
    assert main(["verify", str(ledger)]) == 0
    said = capsys.readouterr().out
    assert "the ledger is running" in said
    assert "incomplete" in said
    found = verify(ledger)
    assert found.state is LedgerState.RUNNING
    assert found.n_events == read_head(ledger).count > 0
    assert not list(run.folder.rglob("run.json"))
    assert not list(run.folder.rglob("data"))


@pytest.mark.requirement("AUDIT-14")
def test_neither_stop_leaves_an_arm_behind(stopped: dict[signal.Signals, Stopped]) -> None:
    """In whatever lies in the folder, but for the protocol."""
    for run in stopped.values():
        files = [path for path in run.folder.rglob("*") if path.is_file() and path.name != "protocol.yaml"]
        assert {path.name for path in files} >= {"trial.db", "vault.db"}
        for path in files:
            raw = path.read_bytes()
            for word in (b"cyt107", b"CYT107", b'"placebo"', b'"high"', b'"low"'):
                assert word not in raw, path.name
