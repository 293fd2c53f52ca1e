"""What the analysis and the flow of participants must say of those who left."""

import json
import re
from pathlib import Path

import pytest

from requirement.test_primary import counted, happens, scripted
from sevenfold.cli import main


@pytest.mark.requirement("PRIMARY-6")
def test_the_flow_says_how_many_were_analysed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert main(["run", "iris-7", "--patients", "8", "--seed", "1", "--quiet", "--out", str(folder)]) == 0
    answers = json.loads((folder / "estimates.json").read_text())["estimates"]["answers"]
    primary = next(answer for answer in answers if answer["role"] == "primary")
    page = (folder / "report.html").read_text()
    shown = [int(n) for n in re.findall(r"Analysed \(n = (\d+)\)", page)]
    assert sum(primary["left_out"].values()) > 0
    assert sum(shown) == sum(group["n_used"] for group in primary["groups"])


@pytest.mark.requirement("PRIMARY-2")
def test_who_withdrew_by_day_29_counts_as_no_though_discharged_with_a_rise(tmp_path: Path) -> None:
    """withdrawal: composite, as for death."""
    usual = [counted(1280.0), counted(400.0)] * 4
    leaver = counted(2000.0, happens(16.0, "left hospital"), happens(22.0, "withdrawn"), day_15=1440.0)
    _, _, found = scripted(tmp_path, "iris-7c", [*usual, leaver])
    assert sum(group["n_events"] for group in found["groups"]) == 4
