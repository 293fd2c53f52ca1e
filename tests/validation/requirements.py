"""What regulations ask of the program, as data: one TOML file a regulation in ``docs/validation``.

A requirement is met, a procedure of the user, or not met, by what is said of it: ``shown`` names code and tests,
``procedure`` says what the user does, ``unmet`` says what is missing.
"""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, Self, final

__all__ = ["DATA", "TESTS", "Number", "Regulation", "Requirement", "Shown", "Status", "marked", "named", "regulations"]

TESTS: Final = Path(__file__).parents[1]
DATA: Final = TESTS.parent / "docs" / "validation"
_ORDER: Final = ("part11", "ich-e6-r3", "ema-computerised-systems", "gdpr", "asvs")  # as the pages show them
_KEYS: Final = {"paragraph", "number", "asks", "shown", "procedure", "offers", "unmet"}


class Status(StrEnum):
    """How a requirement stands."""

    MET = "met"
    PROCEDURE = "user's procedure"
    UNMET = "not met"


class Number(StrEnum):
    """Where a paragraph's number comes from: held against the published text, or known by heart."""

    CHECKED = "checked"
    RECALLED = "recalled"


@final
@dataclass(frozen=True, slots=True)
class Shown:
    """What shows that a requirement is met.

    Args:
        code: modules, classes or functions, as Python names them without ``sevenfold.``.
        tests: ``folder/test_file.py::test_name`` below ``tests``, or an id of ``tests/requirement/requirements.md``
            for every test that is marked with it.
    """

    code: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that a regulation asks, in our words.

    Args:
        paragraph: of the regulation; empty where no number is known.
        procedure: what the user does, where a program can't.
        offers: what the program offers for it.
        unmet: what is missing.
    """

    id: str
    paragraph: str
    number: Number
    asks: str
    shown: Shown
    procedure: str = ""
    offers: str = ""
    unmet: str = ""

    def __post_init__(self) -> None:
        if bool(self.procedure) != bool(self.offers):
            raise ValueError(f"{self.id}: a procedure of the user and what the program offers for it go together.")
        if self.unmet and (self.procedure or self.shown != Shown()):
            raise ValueError(f"{self.id}: what is not met has neither code and tests nor a procedure; split it in two.")
        if not self.asks or not (self.unmet or self.procedure or self.shown != Shown()):
            raise ValueError(f"{self.id}: say what it asks, and one of shown, procedure, unmet.")

    @property
    def status(self) -> Status:
        """How it stands."""
        if self.unmet:
            return Status.UNMET
        return Status.PROCEDURE if self.procedure else Status.MET

    @classmethod
    def read(cls, key: str, said: Mapping[str, Any]) -> Self:
        """A requirement as its file says it.

        Raises:
            ValueError: naming it and what is wrong.
        """
        if unknown := said.keys() - _KEYS:
            raise ValueError(f"{key}: {', '.join(sorted(unknown))} is not known; {', '.join(sorted(_KEYS))} are.")
        shown = {name: tuple(values) for name, values in said.get("shown", {}).items()}
        rest = {name: said[name] for name in ("procedure", "offers", "unmet") if name in said}
        return cls(
            id=key, paragraph=said["paragraph"], number=Number(said["number"]), asks=said["asks"],
            shown=Shown(**shown), **rest,
        )  # fmt: skip


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Regulation:
    """A text that asks something of the program.

    Args:
        key: the name of its file and page.
        about: which edition, what of it is here, what was held against the published text.
    """

    key: str
    title: str
    about: str
    requirements: tuple[Requirement, ...]

    def n(self, status: Status) -> int:
        """How many requirements stand so."""
        return sum(one.status is status for one in self.requirements)


@cache
def regulations() -> tuple[Regulation, ...]:
    """Every regulation, in the order of the pages."""
    found = {path.stem: _read(path) for path in DATA.glob("*.toml")}
    return tuple(found[key] for key in sorted(found, key=lambda key: (key not in _ORDER, [*_ORDER, key].index(key))))


def _read(path: Path) -> Regulation:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    return Regulation(
        key=path.stem,
        title=said["title"],
        about=said["about"].strip(),
        requirements=tuple(Requirement.read(key, one) for key, one in said["requirement"].items()),
    )


@cache
def marked() -> Mapping[str, tuple[str, ...]]:
    """Id of the second set -> the tests that are marked with it."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, ids in _marks(path):
            for one in ids:
                found.setdefault(one, []).append(f"{path.relative_to(TESTS).as_posix()}::{name}")
    return {key: tuple(tests) for key, tests in found.items()}


def _marks(path: Path) -> Iterator[tuple[str, list[str]]]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for one in (part for part in body if isinstance(part, ast.FunctionDef)):
        for mark in one.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.requirement":
                yield one.name, [ast.literal_eval(said) for said in mark.args]


def named(shown: Shown) -> tuple[str, ...]:
    """The tests that are named, ids of the second set spelt out; each once."""
    spelt = (test for one in shown.tests for test in marked().get(one, (one,)))
    return tuple(dict.fromkeys(spelt))
