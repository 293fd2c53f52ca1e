"""The report of a run: every named test with what became of it, over the workers of pytest-xdist too."""

import os
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from validation.outcomes import Outcome, Outcomes, Ran
from validation.report import told, verdict
from validation.requirements import TESTS, Number, Regulation, Requirement, Shown, regulations

SUITE = """
import pytest

@pytest.mark.parametrize("n", [1, 2, 3])
def test_all_hold(n): ...

@pytest.mark.parametrize("n", [1, 2, 3])
def test_one_fails(n):
    assert n != 2

@pytest.mark.parametrize("n", [1, 2, 3])
def test_one_is_left_out(n):
    if n == 2:
        pytest.skip("needs <what> is not here")

@pytest.fixture
def broken():
    raise OSError("no disk")

def test_is_not_begun(broken): ...

@pytest.mark.xfail
def test_is_known_to_fail():
    assert False

def test_nobody_names(): ...
"""
NAMES = ("test_all_hold", "test_one_fails", "test_one_is_left_out", "test_is_not_begun", "test_is_known_to_fail")
CONFTEST = """
from validation.outcomes import Outcomes

NAMED = {named!r}

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.outcomes = Outcomes(NAMED, is_whole={is_whole}, needs_all={needs_all})
        config.pluginmanager.register(config.outcomes)

def pytest_unconfigure(config):
    for name, one in sorted(getattr(config, "outcomes", Outcomes((), False, False)).ran.items()):
        print("RAN", name, one.outcome.name, one.n, *sorted(one.why))
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs tests of its own in a folder of its own, the outcomes kept."""

    def ran(*words: str, named: tuple[str, ...] = (), is_whole: bool = True, needs_all: bool = True) -> object:
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / "test_own.py").write_text(SUITE)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        (tmp_path / "conftest.py").write_text(CONFTEST.format(named=named, is_whole=is_whole, needs_all=needs_all))
        own = {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-p", "no:cacheprovider", *words], cwd=tmp_path,
            check=False, capture_output=True, text=True, env={**os.environ, **own},
        )  # fmt: skip

    return ran  # type: ignore[return-value]  # what is run is a completed process


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_became_of_each_test_is_kept_however_many_workers_there_are(run: Run, workers: str) -> None:
    """The worst of its parameters, with the reason; a fixture that breaks and a known failure are failures."""
    done = run("-n", workers)
    kept = [line.removeprefix("RAN test_own.py::") for line in done.stdout.splitlines() if line.startswith("RAN")]
    assert kept == [
        "test_all_hold PASSED 3",
        "test_is_known_to_fail FAILED 1",
        "test_is_not_begun FAILED 1",
        "test_nobody_names PASSED 1",
        "test_one_fails FAILED 3",
        "test_one_is_left_out SKIPPED 3 needs <what> is not here",
    ]


def test_where_nothing_may_be_left_out_a_skipped_test_makes_the_run_fail(run: Run) -> None:
    """As in CI: one that was skipped, or in a whole run one that did not run; elsewhere neither."""
    words = ("-n", "2", "-k", "hold or left_out")
    skipped, holds = "test_own.py::test_one_is_left_out", "test_own.py::test_all_hold"
    failed = run(*words, named=(holds, skipped))
    assert failed.returncode == 1
    assert f"The validation matrix names {skipped}, which was left out: needs <what> is not here" in failed.stdout
    assert run(*words, named=(holds, skipped), needs_all=False).returncode == 0
    assert run(*words, named=(holds,)).returncode == 0
    absent = run(*words, named=(holds, "test_own.py::test_nobody_names"))
    assert absent.returncode == 1
    assert "test_own.py::test_nobody_names, which did not run" in absent.stdout
    assert run(*words, named=(holds, "test_own.py::test_nobody_names"), is_whole=False).returncode == 0


def made(outcomes: dict[str, Outcome]) -> tuple[Regulation, Outcomes]:
    """A regulation with a requirement for each outcome, and a run in which they came out so."""
    requirements = [
        Requirement(
            id=f"x-{name}", paragraph="1", number=Number.RECALLED, asks=f"<b>{name}</b> is asked.",
            shown=Shown(("record.ledger",), (f"test_x.py::{name}",)),
        )
        for name in outcomes
    ]  # fmt: skip
    unmet = Requirement(id="x-0", paragraph="", number=Number.CHECKED, asks="More.", shown=Shown(), unmet="Not yet.")
    regulation = Regulation(key="x", title="Law X", about="", requirements=(*requirements, unmet))
    ran = {f"test_x.py::{name}": Ran(outcome, 1) for name, outcome in outcomes.items() if outcome != Outcome.NOT_RUN}
    return regulation, Outcomes(tuple(ran), is_whole=True, needs_all=False, ran=ran)


def test_a_run_leaves_a_report_that_says_what_became_of_each_test() -> None:
    """Each outcome in words, the facts of the run, and what is not met; text stays text."""
    each = {"test_a": Outcome.PASSED, "test_b": Outcome.FAILED, "test_c": Outcome.SKIPPED, "test_d": Outcome.NOT_RUN}
    regulation, outcomes = made(each)
    page = told((regulation,), outcomes, {"Sevenfold": "9.9", "date": "2026-03-01 12:00 UTC"})
    for name, outcome in each.items():
        assert f"{outcome.word}</span> <code>test_x.py::{name}</code>" in page
        assert f"&lt;b&gt;{name}&lt;/b&gt; is asked." in page
    assert "<b>" not in page
    for words in ("Sevenfold 9.9", "2026-03-01 12:00 UTC", "number recalled", "Not yet.", "This is not a certificate."):
        assert words in unescape(page)
    for words in ("tests passed", "a test failed", "a test was left out", "a test did not run"):
        assert words in page
    assert [verdict(one, outcomes) for one in regulation.requirements] == [*each.values(), None]


def test_a_requirement_came_out_no_better_than_its_worst_test() -> None:
    """One that failed outweighs one that did not run, and that outweighs any that passed."""
    _, outcomes = made({"test_a": Outcome.PASSED, "test_b": Outcome.FAILED, "test_c": Outcome.SKIPPED})
    every = [f"test_x.py::test_{letter}" for letter in "acb"]
    asked = Requirement(
        id="x", paragraph="1", number=Number.CHECKED, asks="It.", shown=Shown(("record",), tuple(every))
    )
    assert verdict(asked, outcomes) == Outcome.FAILED


def test_the_report_needs_no_network_and_holds_every_requirement() -> None:
    """One file: no address is loaded, and each regulation's requirements are there."""
    page = told(regulations(), Outcomes((), is_whole=True, needs_all=False), {"Sevenfold": "9.9"})
    assert "src=" not in page
    assert "http" not in page.replace('http-equiv="', "")
    assert all(f'id="{one.id}"' in page for regulation in regulations() for one in regulation.requirements)
