"""The matrix as a plugin of pytest: ``--validation FOLDER`` leaves a report with what became of every named test."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pytest

from validation.outcomes import Outcomes
from validation.report import write_report
from validation.requirements import named, regulations


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folder of the report."""
    told = "write the validation matrix with the outcome of every test that it names into FOLDER/matrix.html"
    parser.addoption("--validation", metavar="FOLDER", default=None, help=told)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the outcomes where a report is wanted or nothing may be left out: at the controller, not at its workers."""
    folder, needs_all = config.getoption("--validation"), bool(os.environ.get("SEVENFOLD_NEEDS_SERVICES"))
    if hasattr(config, "workerinput") or (folder is None and not needs_all):
        return
    tests = {test: None for regulation in regulations() for one in regulation.requirements for test in named(one.shown)}
    outcomes = Outcomes(tuple(tests), is_whole=folder is not None, needs_all=needs_all)
    config.pluginmanager.register(outcomes, "validation outcomes")
    if folder is not None:
        config.pluginmanager.register(_Report(config.rootpath / folder, outcomes), "validation report")


@final
@dataclass(frozen=True, slots=True)
class _Report:
    folder: Path
    outcomes: Outcomes

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the report, and say where it lies."""
        terminalreporter.write_line(f"Validation matrix: {write_report(self.folder, regulations(), self.outcomes)}")
