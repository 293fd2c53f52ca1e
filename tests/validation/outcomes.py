"""What became of each test that the matrix names, in one run; a run of CI in which one was left out fails.

Reports of the workers of pytest-xdist arrive at the controller like those of its own tests; there they are kept.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, final

import pytest

__all__ = ["Outcome", "Outcomes", "Ran"]

_BELOW: Final = "tests/"


class Outcome(IntEnum):
    """What became of a test, the worst last."""

    PASSED = 1
    NOT_RUN = 2
    SKIPPED = 3
    FAILED = 4

    @property
    def word(self) -> str:
        """As a page says it."""
        return self.name.lower().replace("_", " ")


@final
@dataclass(slots=True)
class Ran:
    """A test with all its parameters: the worst that became of one, and why it was left out."""

    outcome: Outcome = Outcome.PASSED
    n: int = 0
    why: set[str] = field(default_factory=set)


@final
@dataclass(slots=True)
class Outcomes:
    """A plugin of pytest.

    Args:
        named: the tests that the matrix names, as ``folder/test_file.py::test_name``.
        is_whole: whether every one of them should have run.
        needs_all: whether one that was left out is a failure, as in CI.
    """

    named: Collection[str]
    is_whole: bool
    needs_all: bool
    ran: dict[str, Ran] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over."""
        name = "::".join(report.nodeid.partition("[")[0].removeprefix(_BELOW).split("::")[:2])
        one = self.ran.setdefault(name, Ran())
        one.n += report.when == "call" or not report.passed
        if report.failed or hasattr(report, "wasxfail"):
            one.outcome = Outcome.FAILED
        elif report.skipped:
            one.outcome = max(one.outcome, Outcome.SKIPPED)
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            one.why.add(reason.removeprefix("Skipped: "))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The run fails if a test was left out that must not be."""
        if self.left_out() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which."""
        for fault in self.left_out():
            terminalreporter.write_line(fault, red=True)

    def of(self, name: str) -> Ran:
        """What became of a test; it may not have run."""
        return self.ran.get(name, Ran(outcome=Outcome.NOT_RUN))

    def left_out(self) -> list[str]:
        """Tests that the matrix names and that show nothing in this run, where that is a failure."""
        if not self.needs_all:
            return []
        wanted = self.named if self.is_whole else [name for name in self.named if name in self.ran]
        return [
            f"The validation matrix names {name}, which {'was left out' if found.n else 'did not run'}"
            f"{''.join(f': {why}' for why in sorted(found.why))}"
            for name in wanted
            if (found := self.of(name)).outcome in (Outcome.NOT_RUN, Outcome.SKIPPED)
        ]
