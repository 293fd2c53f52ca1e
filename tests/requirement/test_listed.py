"""Every requirement has a test, and every test has a requirement."""

import re
from pathlib import Path

HERE = Path(__file__).parent
LISTED = re.compile(r"^- \*\*([A-Z]+-\d+)\*\* (.*?)(?=^- \*\*|^## |\Z)", re.MULTILINE | re.DOTALL)
TESTED = re.compile(r"^@pytest\.mark\.requirement\(([^)]*)\)$", re.MULTILINE)
NAMES = re.compile(r"[A-Z]+-\d+")
TEST = re.compile(r"^((?:@[^\n]*\n(?:[ )\]}][^\n]*\n)*)+)def (test_\w+)", re.MULTILINE)


def listed() -> dict[str, str]:
    """Requirement -> its words."""
    return dict(LISTED.findall((HERE / "requirements.md").read_text(encoding="utf-8")))


def sources() -> str:
    """All tests of this folder but this one."""
    files = sorted(path for path in HERE.glob("test_*.py") if path != Path(__file__))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_every_requirement_is_tested_and_numbered_without_a_gap() -> None:
    """No requirement without a test, no test of a requirement that is not listed."""
    words, tested = listed(), {name for found in TESTED.findall(sources()) for name in NAMES.findall(found)}
    assert tested == words.keys()
    for area in {name.split("-")[0] for name in words}:
        numbers = [int(name.split("-")[1]) for name in words if name.startswith(area)]
        assert numbers == [*range(1, len(numbers) + 1)]


def test_every_test_of_this_folder_names_its_requirement() -> None:
    """So that nobody has to guess why it is there."""
    text = sources()
    tests = re.findall(r"^def (test_\w+)", text, re.MULTILINE)
    marked = {name for decorators, name in TEST.findall(text) if "mark.requirement(" in decorators}
    assert len(tests) > 80
    assert set(tests) == marked
