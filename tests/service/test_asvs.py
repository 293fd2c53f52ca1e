"""The table of security requirements: each names tests that exist, and each test of an attack is in it."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "validation" / "asvs.md"
NAMED = re.compile(r"`(test_\w+\.py)(?:::(test_\w+))?`")


def names_in(name: str) -> set[str]:
    """The tests of a file here."""
    tree = ast.parse((HERE / name).read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


def rows() -> list[list[str]]:
    """The rows of the tables, without their heads."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_requirement_names_tests_that_exist() -> None:
    """A requirement without one is an orphan."""
    found = [row for row in rows() if not row[-1].startswith("tests in")]
    assert len(found) > 40
    for row in found:
        named = NAMED.findall(row[-1])
        assert named, row
        for file, test in named:
            assert (HERE / file).is_file(), row
            assert not test or test in names_in(file), (row, test)


def test_no_requirement_stands_twice() -> None:
    """By its number: chapter, section, requirement of chapters 3, 6, 7, 8 and 16."""
    numbers = [number for row in rows() if len(row) == 3 for number in row[0].split(", ") if number != "number"]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"(3|6|7|8|16)\.\d{1,2}\.\d{1,2}", number) for number in numbers)


def test_every_test_of_an_attack_stands_in_the_table() -> None:
    """So that the table is all there is."""
    named = {pair for row in rows() for pair in NAMED.findall(row[-1])}
    files = [*(path.name for path in HERE.glob("test_attack_*.py")), "test_roles.py", "test_log.py"]
    missing = [(file, test) for file in files for test in names_in(file) if (file, test) not in named]
    assert missing == []
