"""The guide to missing data: its snippets run and print what it says."""

import re
import shutil
from pathlib import Path

import pytest

from rehearsals import shared

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "missing-data.md").read_text(encoding="utf-8")


def test_the_guide_s_snippets_print_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader who copies them gets these numbers."""
    shutil.copy(shared("datasets", "rct", "antidepressant_data.csv"), tmp_path)
    monkeypatch.chdir(tmp_path)
    trial, binary = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    [printed] = re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, object] = {}
    exec(trial, names)
    assert capsys.readouterr().out == printed
    exec(binary, names)
    assert f"It prints `{capsys.readouterr().out.strip()}`" in GUIDE
