"""``sevenfold analyse`` as its user meets it: what it writes, what it refuses, what it leaves behind."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
import yaml

from sevenfold.cli import main
from sevenfold.cohort.imported.mapping import Mapping

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "actg-175"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Forty subjects in the columns of ACTG 175, made here; one has a name that is markup."""
    header = "pidnum,arms,age,gender,wtkg,strat,symptom,drugs,karnof,cd40,cd420,cd496,cd80,cd820,days,cens"
    rows = [
        f"{HOSTILE if i == 3 else i},{i % 4},{30 + i % 9},{i % 2},{60 + i},{1 + i % 3},{i % 2},0,{90 + 10 * (i % 2)},"
        f"{300 + 7 * i},{330 + (i * 37) % 90 + 10 * (i % 4)},{'' if i % 5 == 0 else 340 + (i * 53) % 80},"
        f"{800 + i},{820 + (i * 29) % 50},{200 + (i * 131) % 900},{int(i % 3 == 0)}"
        for i in range(80)
    ]
    path = tmp_path / "actg.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def _run(data: Path, out: Path, *more: str) -> int:
    return main(
        ["analyse", "--protocol", str(EXAMPLE / "protocol.yaml"), "--data", str(data), "--out", str(out), *more]
    )


def test_it_writes_a_report_estimates_and_what_made_them(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert _run(data, out) == 0
    assert "subjects: 80 read = 80 kept + 0 left out" in capsys.readouterr().out
    estimates = json.loads((out / "estimates.json").read_text(encoding="utf-8"))
    with (out / "estimates.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["estimand"] for row in rows] == [answer["estimand"] for answer in estimates["answers"]]
    for row, answer in zip(rows, estimates["answers"], strict=True):
        assert (float(row["value"]) if row["value"] else None) == answer["value"]
    made = json.loads((out / "run.json").read_text(encoding="utf-8"))["made"]
    for name, digest in made.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    page = (out / "report.html").read_text(encoding="utf-8")
    assert HOSTILE not in page, "a subject's name is words"
    assert "virtual patients" not in page, "these were not"


def test_the_same_input_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert _run(data, tmp_path / name, "--quiet") == 0
    for name in ("estimates.json", "estimates.csv", "reading.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_refusal_leaves_no_trace(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_text(data.read_text(encoding="utf-8").replace(",300,", ",-300,", 1), encoding="utf-8")
    assert _run(data, tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "actg.csv, line 2, subject 0, visit 'baseline', column 'cd40': -300 cells/µL is impossible" in said
    assert not (tmp_path / "out").exists()


def test_another_persons_file_is_not_replaced(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.doc").write_text("mine", encoding="utf-8")
    assert _run(data, out, "--force") == 2
    assert (out / "thesis.doc").read_text(encoding="utf-8") == "mine"


def test_an_analysis_is_replaced_only_when_told(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert _run(data, out, "--quiet") == 0
    assert _run(data, out, "--quiet") == 2
    assert _run(data, out, "--quiet", "--force") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "nowhere"], "nowhere does not exist"),
        (["--mapping", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["--protocol", "iris-7"], "mapping.yaml"),
    ],
)
def test_what_is_missing_is_named(
    arguments: list[str], said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(data, tmp_path / "out", *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_trial_in_words_cannot_be_rehearsed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(EXAMPLE / "protocol.yaml"), "--out", str(tmp_path / "out")]) == 2
    assert "treatments are words" in capsys.readouterr().err


def test_the_guides_mapping_is_one() -> None:
    """The snippet of the guide is read by the model that reads mappings."""
    guide = (ROOT / "docs" / "guide" / "analyse.md").read_text(encoding="utf-8")
    snippet = guide.partition("```yaml\n")[2].partition("```")[0]
    values = yaml.safe_load(snippet)
    parts = tuple({**part, "ignore": tuple(part["ignore"])} for part in values["measurements"])
    Mapping.model_validate({**values, "measurements": parts})
