"""The folder of a run: whole or as it was before, whatever happens, and nobody else's file is ever touched."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sevenfold.cli import folder as folders
from sevenfold.cli import main
from sevenfold.cli import run as runs
from sevenfold.cli.folder import staged
from sevenfold.cli.rehearsal import stage
from sevenfold.edge import concluding
from sevenfold.errors import InvalidInput, NotConverged


def contents(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes; empty folders count too."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def write(folder: Path, **files: str) -> None:
    """A run with these files (``data__x`` is ``data/x``), listed in its run.json."""
    names = {name.replace("__", "/"): text for name, text in files.items()}
    for name, text in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "run.json").write_text(json.dumps({"made": dict.fromkeys(names, "hash")}), encoding="utf-8")


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    """A folder that holds a run."""
    target = tmp_path / "out"
    write(target, report="old", data__labs="old", data__doses="old")
    return target


def test_what_is_kept_takes_the_place_of_the_old_run(old_run: Path) -> None:
    with staged(old_run, force=True) as work:
        write(work.folder, report="new", data__labs="new")
        assert (old_run / "report").read_text() == "old", "until the new one is whole"
        work.keep()
    assert {name: text.decode() for name, text in contents(old_run).items() if name != "run.json"} == {
        "report": "new",
        "data": "",
        "data/labs": "new",
    }


def test_what_is_not_kept_leaves_no_trace(old_run: Path, tmp_path: Path) -> None:
    before = contents(tmp_path)

    def fails(target: Path) -> None:
        with staged(target, force=True) as work:
            write(work.folder, report="new")
            raise NotConverged("The step vanished.")

    for target in (old_run, tmp_path / "a" / "b" / "c"):
        with pytest.raises(NotConverged):
            fails(target)
        assert contents(tmp_path) == before


def test_the_old_run_comes_back_if_the_new_one_cannot_be_put_there(
    old_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(old_run)
    move = folders._move
    calls: list[Path] = []

    def fails_once(paths: Any, source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            move(paths[:1], source, target)
            raise OSError(28, "No space left on device", str(target))
        move(paths, source, target)

    monkeypatch.setattr(folders, "_move", fails_once)

    def run() -> None:
        with staged(old_run, force=True) as work:
            write(work.folder, report="new", data__labs="new")
            work.keep()

    with pytest.raises(InvalidInput, match="No space left"):
        run()
    assert contents(old_run) == before


@pytest.mark.parametrize("place", ["mine.csv", "data/mine.csv", "data/deep/mine.csv", "trial.db"])
def test_a_file_that_no_run_made_is_never_deleted(old_run: Path, place: str) -> None:
    (old_run / place).parent.mkdir(exist_ok=True)
    (old_run / place).write_text("precious")
    before = contents(old_run)
    with pytest.raises(InvalidInput, match=f"'{place}', which is not part of a run"), staged(old_run, force=True):
        pass
    assert contents(old_run) == before


def test_a_folder_with_files_that_look_like_a_run_s_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.csv").write_text("precious")
    assert main(["run", "iris-7", "--out", str(tmp_path), "--force"]) == 2
    assert (tmp_path / "data" / "mine.csv").read_text() == "precious"


def test_a_list_that_points_outside_deletes_nothing_there(old_run: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    made = json.loads((old_run / "run.json").read_text())["made"] | {"../outside": "x", str(outside): "x"}
    (old_run / "run.json").write_text(json.dumps({"made": made}))
    with staged(old_run, force=True) as work:
        write(work.folder, report="new")
        work.keep()
    assert outside.read_text() == "precious"


def test_two_runs_do_not_write_in_one_folder(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with staged(target, force=False) as work:
        with pytest.raises(InvalidInput, match="under way or was killed"), staged(target, force=False):
            pass
        write(work.folder, report="mine")
        work.keep()
    assert (target / "report").read_text() == "mine"


def _then_ctrl_c(of: Callable[..., Any]) -> Callable[..., Any]:
    def done(*arguments: Any, **named: Any) -> Any:
        answer = of(*arguments, **named)
        os.kill(os.getpid(), signal.SIGINT)
        return answer

    return done


_RUN = ["run", "iris-7", "--patients", "4", "--seed", "11", "--quiet"]


@pytest.mark.parametrize(
    ("step", "says", "kept"),
    [
        ("warm_up", "nothing was recorded yet", set[str]()),
        ("stage", "says that the run is incomplete", {"protocol.yaml", "run.json", "trial.db", "vault.db"}),
        ("write_events", "is complete; what would follow", {"data", "events.jsonl", "trial.db"}),
        ("compare", "is complete; what would follow", {"data", "events.jsonl", "estimates.json", "report.html"}),
    ],
)
def test_ctrl_c_at_any_stage_keeps_what_is_whole_and_says_so(
    step: str,
    says: str,
    kept: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = concluding if step == "compare" else runs
    monkeypatch.setattr(module, step, _then_ctrl_c(getattr(module, step)))
    target = tmp_path / "out"
    assert main([*_RUN, "--out", str(target)]) == 2
    errors = capsys.readouterr().err
    assert says in errors
    assert "interrupted" in errors
    if not kept:
        assert list(tmp_path.iterdir()) == []
        return
    assert kept <= {path.name for path in target.iterdir()}
    assert not (target / "unfinished").exists()
    about = json.loads((target / "run.json").read_text())
    assert about["state"] == "interrupted"
    assert about["ledger head"]["state"] == ("interrupted" if step == "stage" else "complete")
    for name, digest in about["made"].items():
        assert folders.sha256_of(target / name) == digest
    assert main(["verify", str(target / "trial.db")]) == 0


def test_a_run_that_fails_or_is_interrupted_leaves_the_good_one(
    old_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(old_run)

    def fails(*_arguments: Any, **_named: Any) -> None:
        raise NotConverged("The step vanished.")

    with monkeypatch.context() as patch:
        patch.setattr(concluding, "analyse", fails)
        assert main([*_RUN, "--out", str(old_run), "--force"]) == 2
    assert contents(old_run) == before
    monkeypatch.setattr(runs, "stage", _then_ctrl_c(stage))
    assert main([*_RUN, "--out", str(old_run), "--force"]) == 2
    assert contents(old_run) == before
    assert "is as it was" in capsys.readouterr().err


def test_an_analysis_that_cannot_be_done_is_a_row_that_says_so(tmp_path: Path) -> None:
    """Of two subjects in two strata both may land in one arm."""
    for seed in ("1", "2", "3"):
        target = tmp_path / seed
        assert main(["run", "iris-7", "--patients", "2", "--seed", seed, "--quiet", "--out", str(target)]) == 0
        answers = json.loads((target / "estimates.json").read_text())["estimates"]["answers"]
        assert any(answer["status"] != "ok" and answer["notes"] for answer in answers)
        assert (target / "report.html").exists()
