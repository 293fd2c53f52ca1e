"""The report of a run: the matrix with the outcome of every test that it names, in one file to be read or printed."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sevenfold import __version__
from validation.outcomes import Outcome, Outcomes
from validation.requirements import TESTS, Regulation, Requirement, Status, named

__all__ = ["told", "verdict", "write_report"]

_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip


def write_report(folder: Path, regulations: tuple[Regulation, ...], outcomes: Outcomes) -> Path:
    """Write ``matrix.html`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "matrix.html"
    path.write_text(told(regulations, outcomes, _facts(outcomes)), encoding="utf-8")
    return path


def told(regulations: tuple[Regulation, ...], outcomes: Outcomes, facts: Mapping[str, str]) -> str:
    """The page.

    Args:
        facts: about the run: version, date and the like.
    """
    template = _PAGES.get_template("matrix.html.j2")
    return template.render(
        regulations=regulations, outcomes=outcomes, facts=facts, verdict=verdict, named=named, Status=Status
    )


def verdict(one: Requirement, outcomes: Outcomes) -> Outcome | None:
    """The worst that became of a requirement's tests; None where it names none."""
    return max((outcomes.of(name).outcome for name in named(one.shown)), default=None)


def _facts(outcomes: Outcomes) -> dict[str, str]:
    ran = outcomes.ran.values()
    n = {outcome: sum(one.outcome is outcome for one in ran) for outcome in Outcome}
    counts = ", ".join(f"{n[one]} {one.word}" for one in (Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED))
    return {
        "Sevenfold": __version__,
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Python": platform.python_version(),
        "machine": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "tests of this run": f"{counts} (each with all its parameters)",
        "services": "required" if os.environ.get("SEVENFOLD_NEEDS_SERVICES") else "tests that lack one were left out",
    }


def _commit() -> str:
    """The commit that the files lie at, and whether they were changed since; as far as git knows."""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=TESTS, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "not known: no git here"
    return said.stdout.strip().replace("-dirty", ", with changes that are not committed")
