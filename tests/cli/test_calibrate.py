"""`sevenfold calibrate` as a user meets it: refusals, and a rehearsal whose patients have drawn parameters."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sevenfold.cli import main

SRC = Path(__file__).parents[2] / "src"


def sevenfold(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    return subprocess.run(
        [sys.executable, "-m", "sevenfold", *arguments], capture_output=True, text=True, env=env, check=False
    )


def shipped_text() -> str:
    return (SRC / "sevenfold/calibrate/data/experiments.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("{population: hiv, product: cyt107, route: SC, dose_ug_per_kg: 10", "{product: cyt107"),
            "names no population",
        ),
        (("unit: µg/L, ", ""), "experiment 1 (hyfc_cmax_60im): it names no unit"),
        (("printed: [1.2, 0.7, 1.7]", "printed: [1.3, 0.7, 1.7]"), "drifted"),
        (("figure: hyfc_tmax_60im", "figure: hyfc_tmax"), "Did you mean 'hyfc_tmax_60im'"),
        (("arms:", "arms: ["), "not YAML"),
    ],
)
def test_bad_evidence_is_one_error_with_file_and_entry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "mine.yaml"
    text = shipped_text()
    assert change[0] in text
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    assert main(["calibrate", "--evidence", str(path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"sevenfold: {path}: ")
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there_or_a_folder_that_is_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", "--evidence", str(tmp_path / "no.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["calibrate", "--out", str(tmp_path / "file")]) == 2
    assert "is a file; --out names a folder" in capsys.readouterr().err


def test_a_calibration_is_not_begun_over_another_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "checkpoint-held-out.npz").write_bytes(b"x")
    assert main(["calibrate", "--out", str(tmp_path)]) == 2
    assert "--resume carries it on, --force begins it anew" in capsys.readouterr().err
    assert main(["calibrate", "--resume", "--out", str(tmp_path), "--quiet"]) == 2
    assert "no checkpoint of a calibration" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--seed", "x"], ["--threads", "0"], ["--sbc", "1"], ["--check", "--resume"]])
def test_options_that_cannot_be_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["calibrate", *arguments])
    assert refused.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--check", "--sweeps", "20"], "--check has no use for --sweeps"),
        (["--check", "--seed", "0"], "--check has no use for --seed"),
        (["--check", "--force"], "--check has no use for --force"),
        (["--sbc", "2", "--out", "x"], "--sbc has no use for --out"),
        (["--check", "--out", "not-there"], "not-there holds no posterior"),
        (["--check", "--evidence", "not-there.yaml"], "not-there.yaml cannot be read"),
        (["--sbc", "2", "--evidence", "not-there.yaml"], "not-there.yaml cannot be read"),
    ],
)
def test_no_option_is_passed_over_without_a_word(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is used, or refused."""
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", *arguments, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_evidence_with_nothing_to_fit_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(shipped_text().replace("use: fit", "use: check"), encoding="utf-8")
    assert main(["calibrate", "--evidence", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "no experiment to fit" in capsys.readouterr().err


def test_a_rehearsal_can_draw_its_population_from_the_posterior_and_says_so(tmp_path: Path) -> None:
    arguments = ("run", "iris-7", "--patients", "6", "--seed", "4", "--quiet", "--parameters", "posterior")
    first, again = tmp_path / "first", tmp_path / "again"
    for folder in (first, again):
        done = sevenfold(*arguments, "--out", str(folder))
        assert done.returncode == 0, done.stderr
    about = json.loads((first / "run.json").read_text())
    population = about["population"]
    assert about["command"]["parameters"] == "posterior"
    assert population["which"] == "all"
    assert (first / "events.jsonl").read_bytes() == (again / "events.jsonl").read_bytes()
    page = (first / "report.html").read_text(encoding="utf-8")
    assert f"draw {population['number']} of posterior B" in page
    assert "--parameters posterior" in page
    assert "Predicted with parameter uncertainty" in page
