"""What hangs in the air between requirements, code and tests, one sentence each."""

import ast
import importlib
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from validation.requirements import TESTS, Regulation, Requirement, Status, marked, named

__all__ = ["orphans"]

_ALL_NAMED: Final = ("service/test_attack_*.py", "service/test_roles.py", "service/test_log.py")
"""Files of which every test stands in the matrix."""


def orphans(regulations: Iterable[Regulation]) -> list[str]:
    """Everything that is not tied at both ends."""
    every = [one for regulation in regulations for one in regulation.requirements]
    return [*_twice(every), *(fault for one in every for fault in _loose(one)), *_unnamed(every)]


def _twice(every: list[Requirement]) -> Iterator[str]:
    ids = [one.id for one in every]
    yield from (f"{key} stands in two files." for key in sorted(set(ids)) if ids.count(key) > 1)


def _loose(one: Requirement) -> Iterator[str]:
    if one.status is Status.MET:
        yield from (
            f"{one.id} is met and names no {what}." for what in ("code", "tests") if not getattr(one.shown, what)
        )
    yield from (f"{one.id} names {name}, which is not in sevenfold." for name in one.shown.code if not _is_code(name))
    yield from (f"{one.id} names {test}, which is no test here." for test in named(one.shown) if not _is_test(test))


def _unnamed(every: list[Requirement]) -> Iterator[str]:
    found = {test for one in every for test in named(one.shown)}
    asked = {test: f"is marked with {key}" for key, tests in marked().items() for test in tests}
    for pattern in _ALL_NAMED:
        for path in sorted(TESTS.glob(pattern)):
            file = path.relative_to(TESTS).as_posix()
            asked |= {f"{file}::{name}": f"shows something that {path.name} is there for" for name in _tests_in(file)}
    yield from (f"{test} {why}, and no requirement names it." for test, why in asked.items() if test not in found)


@cache
def _is_code(name: str) -> bool:
    """Whether a module, or something in one, has this name."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            spec = importlib.util.find_spec(".".join(["sevenfold", *parts[:n]]))
        except ModuleNotFoundError:  # what would hold it is no package
            spec = None
        if spec is None:
            continue
        if n == len(parts):
            return True  # without importing it: it may be a script
        found: object = importlib.import_module(spec.name)
        for part in parts[n:]:
            found = getattr(found, part, None) or getattr(found, "__dataclass_fields__", {}).get(part)
        return found is not None
    return False


def _is_test(name: str) -> bool:
    file, _, test = name.partition("::")
    return (TESTS / file).is_file() and test in _tests_in(file)


@cache
def _tests_in(file: str) -> frozenset[str]:
    """Functions and state machines that pytest collects from a file of ours."""
    body = ast.parse((TESTS / file).read_text(encoding="utf-8")).body
    functions = {one.name for one in body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}
    assigned = {
        target.id
        for one in body
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Name) and target.id.startswith("Test")
    }
    return frozenset(functions | assigned)
