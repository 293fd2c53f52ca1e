"""An infusion, from the protocol's words to the record and the table of doses."""

from importlib.resources import files
from pathlib import Path

import pytest

from rehearsals import rehearsed, with_planned
from sevenfold.cli import main
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import parse
from sevenfold.record.payloads import DoseGiven
from sevenfold.record.tables import tables

TEMPLATE = files("sevenfold.protocol").joinpath("library", "template.yaml.txt").read_text(encoding="utf-8")
INFUSED = TEMPLATE.replace("dose: 10 µg/kg, route: IM,", "dose: 10 µg/kg, route: IV, over: 90 min,")


def test_an_infusion_is_recorded_with_its_hours(tmp_path: Path) -> None:
    trial = rehearsed(with_planned(parse(INFUSED, "infused.yaml"), 4), tmp_path)
    given = [said for one in trial.history.randomised for _, said in one.doses if isinstance(said, DoseGiven)]
    assert given
    assert {(said.route, said.over_h) for said in given} == {("IV", 1.5)}
    rows = tables(trial.history, trial.file.protocol)["doses"]
    assert {row["over_h"] for row in rows if row["was_given"]} == {1.5}


def test_check_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "infused.yaml"
    path.write_text(INFUSED, encoding="utf-8")
    assert main(["check", str(path)]) == 0
    assert "IV over 1.5 h" in capsys.readouterr().out


def test_arms_that_run_for_different_times_are_told_apart_and_refused() -> None:
    head, middle, tail = INFUSED.rpartition("over: 90 min")
    with pytest.raises(InvalidInput, match=r"looks different from arm 'drug' on day 1; .* volumes and durations"):
        parse(f"{head}over: 60 min{tail}" if middle else "", "infused.yaml")
