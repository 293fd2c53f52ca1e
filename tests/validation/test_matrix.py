"""Requirement, code and test are tied at every end, and the published pages are what the data say."""

import dataclasses
import re
from typing import Any

import pytest

from validation.orphans import orphans
from validation.pages import pages
from validation.requirements import DATA, Number, Regulation, Requirement, Shown, Status, marked, named, regulations

CODE, TEST = "record.ledger.Ledger", "validation/test_matrix.py::test_nothing_hangs_in_the_air"


def one(key: str = "x-1", code: tuple[str, ...] = (CODE,), tests: tuple[str, ...] = (TEST,)) -> Requirement:
    """A requirement that is met."""
    return Requirement(id=key, paragraph="1", number=Number.CHECKED, asks="Something.", shown=Shown(code, tests))


def faults(*requirements: Requirement) -> list[str]:
    """What is said of these beside the regulations' own, which name every test that must be named."""
    added = Regulation(key="added", title="Added", about="", requirements=requirements)
    return orphans((*regulations(), added))


def test_nothing_hangs_in_the_air() -> None:
    """No requirement without code or test, none that names what isn't there, no marked test without a requirement."""
    assert orphans(regulations()) == []


def test_the_published_pages_are_what_the_data_say() -> None:
    """``make matrix`` writes them; whoever changes the data and forgets is told."""
    for name, text in pages(regulations()).items():
        assert (DATA / name).read_text(encoding="utf-8") == text, f"docs/validation/{name}: run `make matrix`."


def test_every_page_in_the_folder_is_made_from_the_data() -> None:
    """So that none stays behind when its regulation goes."""
    assert {path.name for path in DATA.glob("*.md")} == pages(regulations()).keys()


@pytest.mark.parametrize(
    ("requirement", "told"),
    [
        (one(code=()), "names no code"),
        (one(tests=()), "names no tests"),
        (one(code=("record.ledger.Legder",)), "record.ledger.Legder, which is not in sevenfold"),
        (one(code=("no_such_module",)), "no_such_module, which is not in sevenfold"),
        (one(code=("record.ledger.Ledger.no_such_method",)), "which is not in sevenfold"),
        (one(tests=("validation/test_matrix.py::test_no_such",)), "which is no test here"),
        (one(tests=("validation/no_such.py::test_x",)), "which is no test here"),
        (one(tests=("AUDIT-999",)), "AUDIT-999, which is no test here"),
        (one("part11-10f"), "part11-10f stands in two files"),
    ],
)
def test_what_hangs_in_the_air_is_told(requirement: Requirement, told: str) -> None:
    """Each kind, one sentence."""
    (fault,) = faults(requirement)
    assert told in fault


def test_what_is_tied_is_not_told() -> None:
    """A module, a class, a method, a field of a dataclass; a test, a state machine, an id of the second set."""
    tied = one(
        code=("record.ledger", CODE, "record.verify.verify", "service.room.Room.step", "service.room.Room.heads"),
        tests=(TEST, "law/test_ledger_law.py::TestLedger", "AUDIT-2"),
    )
    assert faults(tied) == []


def test_a_marked_test_and_a_test_of_an_attack_that_nobody_names_are_told() -> None:
    """With every requirement gone but one, all but its tests hang in the air."""
    alone = Regulation(key="x", title="X", about="", requirements=(one(tests=("AUDIT-1",)),))
    told = orphans((alone,))
    assert all("no requirement names it" in fault for fault in told)
    assert any("is marked with AUDIT-2" in fault for fault in told)
    assert any("service/test_attack_login.py::" in fault for fault in told)
    assert not any(fault.startswith(marked()["AUDIT-1"][0] + " ") for fault in told)


@pytest.mark.parametrize(
    "changed",
    [
        {"unmet": "Nothing."},
        {"procedure": "The user does it."},
        {"shown": Shown()},
        {"asks": ""},
        {"unmet": "Nothing.", "shown": Shown(), "procedure": "The user.", "offers": "that"},
    ],
)
def test_a_requirement_can_t_say_two_things_at_once(changed: dict[str, Any]) -> None:
    """Met and not met, or a procedure for which nothing is offered."""
    with pytest.raises(ValueError, match="x-1"):
        dataclasses.replace(one(), **changed)


def test_a_file_that_says_something_unknown_is_refused() -> None:
    """A key that is misspelt would be lost."""
    with pytest.raises(ValueError, match="unmett is not known"):
        Requirement.read("x-1", {"paragraph": "1", "number": "checked", "asks": "Something.", "unmett": "Nothing."})


def test_ids_of_the_second_set_stand_for_their_tests() -> None:
    """All that are marked with it, each once."""
    assert len(marked()) > 60
    spelt = named(Shown(tests=("AUDIT-15", "AUDIT-4", TEST)))
    assert set(spelt) == {*marked()["AUDIT-15"], *marked()["AUDIT-4"], TEST}
    assert len(set(spelt)) == len(spelt)


def test_every_regulation_has_its_requirements_with_ids_of_its_own() -> None:
    """None is empty, ids begin alike within a regulation, and differently in another."""
    found = regulations()
    assert [one.key for one in found][:2] == ["part11", "ich-e6-r3"]
    heads = [{requirement.id.split("-")[0] for requirement in one.requirements} for one in found]
    assert all(len(head) == 1 for head in heads)
    assert len(set().union(*heads)) == len(found) > 4
    assert all(regulation.n(Status.MET) for regulation in found)


def test_no_number_of_asvs_stands_twice() -> None:
    """Chapter, section, requirement of chapters 3, 6, 7, 8 and 16; what is met in part stands as met and as not met."""
    (asvs,) = (one for one in regulations() if one.key == "asvs")
    said = [(one.status, number) for one in asvs.requirements if one.paragraph for number in one.paragraph.split(", ")]
    assert len(set(said)) == len(said)
    numbers = {number for _, number in said}
    assert len(numbers) > 40
    assert all(re.fullmatch(r"(3|6|7|8|16)\.\d{1,2}\.\d{1,2}", number) for number in numbers)
