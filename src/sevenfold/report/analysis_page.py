"""The report of data that came from tables: what was read, what was found, and what made it."""

from dataclasses import dataclass
from typing import Any, final

from sevenfold.analysis.effect import Status
from sevenfold.analysis.trial.estimates import Estimates
from sevenfold.cohort.cohort import Cohort
from sevenfold.cohort.imported.account import Account
from sevenfold.protocol.load import ProtocolFile
from sevenfold.report import words
from sevenfold.report.rendering import rendered
from sevenfold.report.shared import shared_context

__all__ = ["AnalysisInput", "render_analysis"]

_LISTED = 200  # troubles on the page; all of them are in reading.json


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisInput:
    """Everything that the report of an analysis prints.

    Args:
        sources: file -> SHA-256 of its bytes, of every table that was read.
        command: that makes it again.
    """

    file: ProtocolFile
    cohort: Cohort
    estimates: Estimates
    account: Account
    sources: dict[str, str]
    mapping_name: str
    mapping_sha256: str
    command: str


def render_analysis(given: AnalysisInput) -> str:
    """The report as HTML."""
    return rendered("analysis.html.j2", _context(given))


def _context(given: AnalysisInput) -> dict[str, Any]:
    primary = given.estimates.primary
    value, interval = words.answer_value(primary)
    subjects = given.account.subjects
    answers = given.estimates.answers
    n_unanswered = sum(answer.status is not Status.OK for answer in answers)
    return {
        **shared_context(given.file, given.cohort, given.estimates, is_rehearsed=False),
        "file": given.file,
        "account": given.account,
        "endings": given.estimates.description.endings,
        "troubles": given.account.troubles[:_LISTED],
        "tiles": [
            (f"{subjects.n_kept}", f"subjects analysed of {subjects.n_read} in the file"),
            (value, f"primary estimate ({primary.scale}); 95 % CI {interval}"),
            (words.p_value(primary.p_value), "its p-value"),
            (f"{n_unanswered}", f"of {len(answers)} analyses without an answer"),
        ],
        "sources": given.sources,
        "mapping_name": given.mapping_name,
        "mapping_sha256": given.mapping_sha256,
        "command": given.command,
    }
