"""Files that were made to hurt: each is one clear message, soon, and exit code 2."""

import json
import os
from importlib.resources import files
from pathlib import Path

import pytest

from sevenfold.cli import main

TEMPLATE = files("sevenfold.protocol").joinpath("library", "template.yaml.txt").read_text(encoding="utf-8")
LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"a: " + b"[" * 5000, "line 1: lists and mappings stand more than 50 deep"),
        (LAUGHS.encode(), "holds more than 50000 values"),
        (CHAIN.encode(), "more than 50 deep"),
        (b"x: 1\na: &a [1, *a]\n", "line 2: an anchor refers to itself"),
        (b"title: x\n\ntwo: a\x00b\n", "line 3: character U+0000 may not stand in YAML"),
        (b"title: x\nphase: \xff\n", "line 2: not UTF-8"),
        (b"", "line 1: the file is empty"),
        (b"# nothing\n", "line 1: the file is empty"),
        (b'title: x\naim: "\\e[2J"\n', "line 2: '\\x1b[2J' holds a control character"),
        (b"- 1\n", "line 1: a protocol is a mapping of keys to values, found a list of 1"),
        (b"planned: 1" + b"0" * 5000, "is not readable as a whole number"),
        (b"opens: 2027-02-30", "'2027-02-30' is not readable as a date, such as 2027-01-31"),
    ],
)
def test_a_hostile_protocol_is_one_clear_message(
    raw: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_bytes(raw)
    assert main(["check", str(path)]) == 2
    message = capsys.readouterr().err
    assert says in message
    assert "hostile.yaml, line " in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ratio: {drug: 1, placebo: 1}", "ratio: {drug: 1}", "should have at least 2 entries; found a mapping of 1"),
        ("block_repeats: [1, 2, 3]", "block_repeats: []", "should have at least 1 entry; found an empty list"),
        ("compare: [drug, placebo]\n", "compare: drug\n", "compare: should be a list; found 'drug'"),
        ("population:\n", "population: 3\npopulatoin:\n", "population"),
        ("aim: To show how a protocol is written", "aim: [1, 2]", "aim: should be text; found a list of 2"),
        ("aim: To show how a protocol is written", "aim: 2027-01-01", "aim: should be text; found 2027-01-01"),
        ("is_active: false", "is_active: no", "is_active: should be true or false; found 'no'"),
        ("strata: [site]", "strata: [sex]", "stratum 'sex' is not known"),
        ("name: my-trial ", "name: ../../x ", "name: should begin with a letter or a digit"),
        ("planned: 40", "planned: ", "planned: should be a whole number; found nothing"),
        ("planned: 40", "planned: 1" + "0" * 400, "planned:"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_the_words_of_its_writer(
    old: str, new: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in TEMPLATE
    path = tmp_path / "trial.yaml"
    path.write_text(TEMPLATE.replace(old, new, 1), encoding="utf-8")
    assert main(["check", str(path)]) == 2
    message = capsys.readouterr().err
    assert says in message
    for word in ("tuple", "Tuple", "Dictionary", "dict", "after validation", "timestamp", "pattern", "pydantic"):
        assert word not in message
    assert all(len(line) < 300 for line in message.splitlines())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("IRIS-7", "Did you mean the built-in 'iris-7'?"),
        ("", "There is no protocol ''"),
        (".", ". is a folder or a device; a protocol is a file"),
        ("x" * 5000, "cannot be read: File name too long"),
    ],
)
def test_what_is_no_protocol_s_file_is_said_so(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", name]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for command in (
        ["check", str(tmp_path / "pipe")],
        ["run", str(tmp_path / "pipe")],
        ["verify", str(tmp_path / "pipe")],
    ):
        assert main(command) == 2
    assert "a protocol is a file" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["[red]x[/blue]", "[bold]x[/] y [/]", ":smile: [/x]", "[link=file:///etc]x"])
def test_a_protocol_s_words_are_printed_as_they_stand(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEMPLATE.replace("title: An example trial of interleukin-7 in septic shock", f'title: "{words}"')
    text = text.replace("city: Paris", f'city: "{words}"').replace("label: CYT107 twice a week", f'label: "{words}"')
    text = text.replace("sponsor: My hospital", f'sponsor: "{words}"').replace(
        "label: Lymphocytes on day 29, drug against placebo, in those alive", f'label: "{words}"'
    )
    path = tmp_path / "trial.yaml"
    path.write_text(text, encoding="utf-8")
    assert main(["check", str(path), "--assumptions"]) == 0
    assert capsys.readouterr().out.count(words) == 5


def test_a_long_title_stands_on_one_line_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = "A title " + "of many words " * 20
    path = tmp_path / "trial.yaml"
    path.write_text(TEMPLATE.replace("An example trial of interleukin-7 in septic shock", long), encoding="utf-8")
    assert main(["check", str(path)]) == 0
    printed = capsys.readouterr().out
    assert long.strip() in printed
    assert "Arms: what is in the syringe, 10 µg/kg or the volume of it\n" in printed
    assert "1 value says where it comes from" in printed


@pytest.mark.parametrize(
    "head",
    [
        '{"ledger head": {"count": Infinity, "hash": "a", "state": "complete", "public_key": "a", "signature": "a"}}',
        "[" * 100_000,
        '{"count": "x"}',
        "[]",
        "null",
    ],
)
def test_a_head_that_is_none_is_said_so(head: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "head.json").write_text(head)
    (tmp_path / "trial.db").write_bytes(b"")
    main(["verify", str(tmp_path / "trial.db"), "--head", str(tmp_path / "head.json")])
    assert "Traceback" not in capsys.readouterr().err


def test_new_does_not_stumble_over_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("x" * 5000, str(tmp_path / "no" / "such" / "x.yaml"), str(tmp_path)):
        assert main(["new", name]) == 2
    assert capsys.readouterr().err.count("sevenfold: ") == 3
    assert json.dumps(sorted(path.name for path in tmp_path.iterdir())) == "[]"


def test_the_names_of_assumptions_can_be_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "iris-7", "--assume", "death=1"]) == 2
    message = capsys.readouterr().err
    assert "Did you mean 'death_hazard'?" in message
    assert "--assume list" in message
    assert main(["run", "iris-7", "--assume", "list"]) == 0
    printed = capsys.readouterr().out
    assert "treatment_effect_through_alc" in printed
    assert "0 to 1" in printed


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e300"])
def test_an_assumption_that_cannot_be_is_refused_before_anything_is_written(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", "iris-7", "--out", str(out), "--assume", f"treatment_effect_through_alc={value}"]) == 2
    assert "lies between 0 and 1" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("command", ["run", "check", "verify", "new"])
def test_every_command_s_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"examples:\n  sevenfold {command} " in capsys.readouterr().out
