"""``sevenfold model`` as a user meets it."""

from pathlib import Path

import pytest

from sevenfold.cli import main

EXAMPLES = sorted(str(path) for path in (Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")


@pytest.mark.parametrize("model", ["il7", *EXAMPLES])
def test_show_prints_everything_and_draws(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sevenfold.mechanism.load import load_page

    assert main(["model", "show", model, "--out", str(tmp_path)]) == 0
    said, page = capsys.readouterr().out, load_page(model)
    names = [item.name for items in (page.states, page.parameters, page.outputs) for item in items]
    assert all(name in said for name in names)
    for parameter in page.parameters:
        assert parameter.status in said
    assert "Rates of change" in said
    assert (tmp_path / f"{page.name}.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "\x1b" not in said, "a pipe gets plain text"


def test_a_narrow_terminal_still_gets_every_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    assert main(["model", "show", "il7", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "half-life of IL-7 receptor alpha 24 h" in " ".join(said.split())
    assert max(len(line) for line in said.splitlines() if "=" not in line and "Diagram" not in line) <= 70


def test_list_and_check_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "list"]) == 0
    assert "IL-7 and T cells in septic shock" in capsys.readouterr().out
    assert main(["model", "check", "il7"]) == 0
    assert "il7 is sound" in capsys.readouterr().out
    assert main(["model"]) == 0
    assert "sevenfold model show il7" in capsys.readouterr().out


def test_export_writes_sbml_with_its_doses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "il7.xml"
    assert main(["model", "export", "il7", "-o", str(path), "--dose", "IM:750@0,3", "--dose", "IV:10/0.5@1"]) == 0
    assert "with 3 doses" in capsys.readouterr().out
    assert path.read_text(encoding="utf-8").count("<event ") == 4, "two boluses, an infusion's beginning and end"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "il77"), "There is no model 'il77'"),
        (("export", "il7", "-o", "x.xml", "--dose", "IM750"), "write ROUTE:AMOUNT@DAYS"),
        (("export", "il7", "-o", "x.xml", "--dose", "oral:750@0"), "no route 'oral'"),
        (
            ("export", "il7", "-o", "x.xml", "--dose", "IM:-1@0"),
            "the amount is '-1'; give a number that is not negative",
        ),
        (("export", "il7", "-o", "x.xml", "--dose", "IM:nan@0"), "the amount is 'nan'"),
        (("export", "il7", "-o", "x.xml", "--dose", "IM:750@-3"), "the day is '-3'; give days since the first dose"),
        (("export", "il7", "-o", "x.xml", "--dose", "IM:750@0,x"), "the day is 'x'"),
        (("export", "il7", "-o", "x.xml", "--dose", "IV:750/-1@0"), "the duration is '-1'; give days"),
        (("export", "il7", "-o", "x.xml", "--dose", "IM:750@"), "write ROUTE:AMOUNT@DAYS"),
    ],
)
def test_bad_arguments_are_one_message_and_exit_code_2(
    arguments: tuple[str, ...],
    says: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["model", *arguments]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_integrated_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """X' = x² reaches infinity at t = 1."""
    path = tmp_path / "blow_up.py"
    path.write_text(
        "from sevenfold.mechanism import *\n"
        'K = Parameter(name="k", symbol="k", value=1.0, unit="/day", cv=0.0, status=Provenance.ASSUMED, source="x")\n'
        'PAGE = Page(name="up", title="up", states=(State(name="x", unit="", scale=1.0, what="x"),), parameters=(K,),\n'
        '    entries=(), outputs=(Output(name="seen", unit="", what="x"),), derive=lambda p: {},\n'
        '    start=lambda p: {"x": 1.0}, rates=lambda t, y, p: {"x": p.k * y.x * y.x},\n'
        '    observe=lambda t, y, p: {"seen": y.x})\n',
        encoding="utf-8",
    )
    assert main(["model", "check", str(path)]) == 2
    assert "can't be integrated to day 28" in capsys.readouterr().err
