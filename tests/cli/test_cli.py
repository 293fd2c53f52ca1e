"""The command line, as a user meets it: each in a process of its own where that matters."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from sevenfold.cli import main

SRC = Path(__file__).parents[2] / "src"


def sevenfold(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(SRC), **environment}
    return subprocess.run(
        [sys.executable, "-m", "sevenfold", *arguments], capture_output=True, text=True, env=env, check=False
    )


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with five subjects."""
    folder = tmp_path_factory.mktemp("run") / "out"
    done = sevenfold("run", "iris-7", "--patients", "5", "--seed", "11", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    assert str(folder / "report.html") in done.stdout
    return folder


def contents(folder: Path) -> dict[str, str]:
    """Hashes of what must be the same for the same seed."""
    files = [*sorted((folder / "data").iterdir()), folder / "events.jsonl", folder / "estimates.json"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_help_teaches_and_imports_nothing_heavy() -> None:
    code = """
import sys
from sevenfold.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print(sorted(name for name in sys.modules if "." not in name))
"""
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    for command in ("run", "check", "verify", "unblind", "new", "calibrate"):
        assert f"sevenfold {command} " in done.stdout
    for heavy in ("numpy", "llvmlite", "scipy", "polars", "pydantic", "sqlalchemy", "rich", "yaml", "jinja2"):
        assert f"'{heavy}'" not in done.stdout.splitlines()[-1], heavy


def test_a_run_leaves_everything_that_was_promised(run_folder: Path) -> None:
    names = {path.name for path in run_folder.iterdir()}
    files = {"report.html", "trial.db", "vault.db", "events.jsonl", "estimates.json", "run.json", "protocol.yaml"}
    assert names == files | {"data"}
    tables = {"subjects", "visits", "doses", "labs", "adverse_events", "sofa", "vital_status"}
    tables |= {"infections", "organ_support", "monitoring"}
    assert {path.stem for path in (run_folder / "data").iterdir()} == tables
    for table in tables:
        parquet = pl.read_parquet(run_folder / "data" / f"{table}.parquet")
        csv = pl.read_csv(run_folder / "data" / f"{table}.csv", infer_schema=False)
        assert parquet.columns == csv.columns
        assert parquet.height == csv.height
    about = json.loads((run_folder / "run.json").read_text())
    assert about["state"] == "complete"
    assert about["command"]["seed"] == 11
    for name, digest in about["made"].items():
        assert hashlib.sha256((run_folder / name).read_bytes()).hexdigest() == digest, name


def test_the_same_seed_gives_the_same_bytes_at_any_number_of_threads(run_folder: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    threads = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "7"}
    sevenfold("run", "iris-7", "--patients", "5", "--seed", "11", "--out", str(again), "--quiet", **threads)
    sevenfold("run", "iris-7", "--patients", "5", "--seed", "12", "--out", str(other), "--quiet")
    first, second = contents(run_folder), contents(again)
    first.pop(
        "estimates.json"
    )  # linear algebra may round otherwise on other threads: data and events are what is promised
    second.pop("estimates.json")
    assert first == second
    assert contents(other)["events.jsonl"] != first["events.jsonl"]


def test_verify_says_that_a_run_s_ledger_is_whole(run_folder: Path) -> None:
    done = sevenfold("verify", str(run_folder / "trial.db"))
    assert done.returncode == 0
    assert "chain and head hold" in done.stdout
    assert "committed to at the start" in done.stdout
    assert "An exported head was compared" in done.stdout


def test_a_folder_with_a_run_is_not_overwritten_without_force(run_folder: Path) -> None:
    before = contents(run_folder)
    done = sevenfold("run", "iris-7", "--patients", "5", "--out", str(run_folder))
    assert done.returncode == 2
    assert "holds another run; give --force" in done.stderr
    assert contents(run_folder) == before


def test_blinded_stops_at_lock_and_leaves_no_arm(tmp_path: Path) -> None:
    folder = tmp_path / "blind"
    done = sevenfold("run", "iris-7", "--patients", "4", "--out", str(folder), "--blinded", "--quiet")
    assert done.returncode == 0
    assert "still blind" in done.stdout
    assert not (folder / "report.html").exists()
    for path in (folder / "data").glob("*.csv"):
        assert "arm" not in path.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert "Unblinded" not in (folder / "events.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "iris-9"), "no such file, and the built-in ones are iris-7, iris-7c"),
        (("run", "iris-7", "--seed", "x"), "a seed is a whole number, got 'x'"),
        (("run", "iris-7", "--seed", "-1"), "a seed lies between"),
        (("run", "iris-7", "--patients", "1"), "between 2 and 100000 patients, got 1"),
        (("run", "iris-7", "--assume", "luck=1"), "has no assumption 'luck'"),
        (("run", "iris-7", "--assume", "death_hazard"), "write NAME=VALUE"),
        (("check", "missing.yaml"), "There is no protocol 'missing.yaml'"),
        (("verify", "missing.db"), "There is no ledger"),
        (("frobnicate",), "invalid choice"),
    ],
)
def test_bad_arguments_are_one_clear_message_and_exit_code_2(
    arguments: tuple[str, ...],
    says: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(list(arguments))
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    assert code == 2
    assert says in captured.err
    assert "Traceback" not in captured.err
    assert list(tmp_path.iterdir()) == [], "nothing half-written"


def test_an_out_folder_that_cannot_be_used_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("precious")
    refusals = {"file": "is a file", "other": "which is not part of a run", "file/below": "cannot be written to"}
    for out, says in refusals.items():
        assert main(["run", "iris-7", "--out", str(tmp_path / out), "--force"]) == 2
        assert says in capsys.readouterr().err
    assert (tmp_path / "other" / "thesis.txt").read_text() == "precious"


def test_a_bad_protocol_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("format: 1\nname: x\n")
    assert main(["run", str(bad), "--out", str(tmp_path / "o")]) == 2
    message = capsys.readouterr().err
    assert "bad.yaml, line 1: title: this key is missing." in message
    assert not (tmp_path / "o").exists()


def test_ctrl_c_leaves_a_valid_ledger_that_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-m", "sevenfold", "run", "iris-7", "--patients", "400", "--out", str(folder)]
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    wal = folder / "unfinished" / "trial.db-wal"
    while not wal.exists() or wal.stat().st_size < 2_000_000:
        assert process.poll() is None, "it ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "the run is incomplete" in errors
    done = sevenfold("verify", str(folder / "trial.db"))
    assert done.returncode == 0, done.stdout
    assert "the ledger is interrupted" in done.stdout
    assert json.loads((folder / "run.json").read_text())["state"] == "interrupted"
    assert not (folder / "report.html").exists()


def test_new_check_run_is_a_way_to_go(tmp_path: Path) -> None:
    path = tmp_path / "my-trial.yaml"
    assert sevenfold("new", str(path)).returncode == 0
    again = sevenfold("new", str(path))
    assert again.returncode == 2
    assert "is not overwritten" in again.stderr
    checked = sevenfold("check", str(path), "--assumptions")
    assert checked.returncode == 0
    assert "is sound" in checked.stdout
    done = sevenfold("run", str(path), "--patients", "6", "--out", str(tmp_path / "out"), "--quiet")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize("name", ["iris-7", "iris-7c"])
def test_check_prints_schedule_and_arms(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", name]) == 0
    printed = capsys.readouterr().out
    headings = ("Arms: what is in the syringe", "Schedule of activities", "Questions and how they are answered")
    for words in (*headings, "is sound"):
        assert words in printed
