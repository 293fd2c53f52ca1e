"""The report: one page, self-contained, made of what was found and nothing else."""

from dataclasses import dataclass
from typing import Any, final

from sevenfold.analysis.trial.estimates import Answer, Estimates
from sevenfold.cohort.cohort import Cohort
from sevenfold.evidence.compare import Comparison
from sevenfold.evidence.publications import publication
from sevenfold.mechanism.il7 import il7_page
from sevenfold.protocol.load import ProtocolFile
from sevenfold.provenance import Sourced
from sevenfold.record.flow import flow_of
from sevenfold.record.head import Head
from sevenfold.record.history import History
from sevenfold.report import words
from sevenfold.report.blinding import blinding_of
from sevenfold.report.flow_figure import flow_figure
from sevenfold.report.limits import READINGS, limits_of
from sevenfold.report.prediction import PredictionInput, predicted_section
from sevenfold.report.rendering import rendered
from sevenfold.report.shared import arms_of, shared_context
from sevenfold.report.swimmer_figure import swimmer_figure
from sevenfold.report.verdict import verdicts

__all__ = ["ReportInput", "render"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """Everything that a report prints.

    Args:
        changed: names of the virtual ICU's assumptions that were set for this run.
        predictions: with the parameters' uncertainty; None where none were made.
        parameters: the word for ``--parameters`` that the run was given.
    """

    file: ProtocolFile
    history: History
    cohort: Cohort
    estimates: Estimates
    comparisons: tuple[Comparison, ...]
    assumptions: tuple[Sourced, ...]
    seed: int
    head: Head
    changed: tuple[str, ...]
    predictions: PredictionInput | None = None
    parameters: str = "typical"


def render(given: ReportInput) -> str:
    """The report as HTML."""
    return rendered("report.html.j2", _context(given))


def _context(given: ReportInput) -> dict[str, Any]:
    p = given.file.protocol
    arms = arms_of(p)
    flow = flow_of(given.history, p)
    is_rehearsed = given.history.opened is None or given.history.opened.is_rehearsal
    primary = given.estimates.primary
    return {
        **shared_context(given.file, given.cohort, given.estimates, is_rehearsed=is_rehearsed),
        "is_rehearsed": is_rehearsed,
        "file": given.file,
        "seed": given.seed,
        "changed": {one.name: one for one in given.assumptions if one.name in given.changed},
        "planned_changed": given.history.opened is not None
        and given.history.opened.planned != _planned_in_file(given.file),
        "tiles": _tiles(given, primary),
        "flow": flow,
        "flow_svg": flow_figure(flow, given.estimates.primary.n_used_by_arm or {}),
        "release": [row for name in arms for row in given.estimates.description.release if row.group == name],
        "antibodies": {
            name: given.estimates.description.antibodies[name]
            for name in arms
            if name in given.estimates.description.antibodies
        },
        "blinding": blinding_of(given.history, p),
        "n_randomised": len(given.history.randomised),
        "swimmer_svg": swimmer_figure(given.history, arms),
        "comparisons": given.comparisons,
        "readings": READINGS,
        "verdicts": verdicts(given.comparisons),
        "predicted": None if given.predictions is None else predicted_section(given.predictions, p, arms),
        "parameters_from": given.parameters,
        "parameters": il7_page().parameters,
        "assumptions": given.assumptions,
        "unverified": _unverified(given.file),
        "publication": publication(p.published) if p.published else None,
        "products": p.products,
        "limits": limits_of(p),
        "head": given.head,
        "opened": given.history.opened,
        "unsigned": given.history.unsigned,
    }


def _tiles(given: ReportInput, primary: Answer) -> list[tuple[str, str]]:
    value, interval = words.answer_value(primary)
    flow_end = [one for one in given.history.randomised if one.ended == "died"]
    serious = {event.subject for event in given.cohort.adverse_events if event.is_serious}
    return [
        (f"{len(given.cohort.subjects)}", f"randomised of {len(given.history.subjects)} screened"),
        (value, f"primary estimate ({primary.scale}); 95 % CI {interval}"),
        (f"{len(flow_end)}", "died during follow-up"),
        (f"{len(serious)}", "with a serious adverse event, deaths apart"),
    ]


def _unverified(file: ProtocolFile) -> list[tuple[str, str, str]]:
    """The protocol's values that are assumptions or were not verified: where, status, note."""
    found = []
    for place, citation in file.citations.items():
        if not citation.verified:
            where = " › ".join(str(step + 1) if isinstance(step, int) else step for step in place)
            found.append((where, f"line {file.lines.get(place, 1)}", citation.note or citation.status))
    found += [
        (f"criterion {criterion.id}", "", criterion.source or "recalled, not verified")
        for criterion in file.protocol.population.criteria
        if not criterion.verified
    ]
    return found


def _planned_in_file(file: ProtocolFile) -> int:
    from sevenfold.protocol.load import parse

    return parse(file.text, file.name).protocol.population.planned
