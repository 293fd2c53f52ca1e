"""The guide to writing a model: its page is one, its commands and figures are true."""

import re
from pathlib import Path

import pytest

from sevenfold.cli import main

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "models.md").read_text(encoding="utf-8")
*PAGE, RUN = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a reader has at the end."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "ifn_gamma.py"
    path.write_text("\n\n".join(PAGE), encoding="utf-8")
    return path


def test_the_guide_s_model_is_sound_and_runs(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "check", written.name]) == 0
    assert main(["model", "show", written.name]) == 0
    assert main(["model", "export", written.name, "-o", "ifn_gamma.xml", "--dose", "SC:100@0,2,4"]) == 0
    capsys.readouterr()
    exec(RUN, {})
    assert re.sub(r"\s+", " ", capsys.readouterr().out.strip()) in re.sub(r"\s+", " ", GUIDE)


@pytest.mark.parametrize(
    ("before", "after"),
    [("p.turnover_per_day", "p.turnover_per_hour"), ('value=0.8, unit="/day"', 'value=0.8, unit="L/day"')],
)
def test_the_guide_s_messages_are_those_printed(
    written: Path, before: str, after: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written.write_text(written.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    assert main(["model", "check", written.name]) == 2
    assert capsys.readouterr().err.strip() in GUIDE
