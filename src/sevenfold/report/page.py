"""The report: one page, self-contained, made of what was found and nothing else."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any, final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sevenfold import __version__
from sevenfold.analysis.trial.estimates import Answer, Estimates
from sevenfold.cohort.cohort import Cohort
from sevenfold.evidence.compare import Comparison
from sevenfold.evidence.publications import publication
from sevenfold.mechanism.il7 import il7_page
from sevenfold.protocol.load import ProtocolFile
from sevenfold.protocol.protocol import Protocol
from sevenfold.provenance import Sourced
from sevenfold.record.flow import flow_of
from sevenfold.record.head import Head
from sevenfold.record.history import History
from sevenfold.report import words
from sevenfold.report.courses import courses
from sevenfold.report.event_figure import event_figure
from sevenfold.report.flow_figure import flow_figure
from sevenfold.report.forest_figure import forest_figure
from sevenfold.report.limits import READINGS, limits_of
from sevenfold.report.prediction import PredictionInput, predicted_section
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
    environment = Environment(
        loader=PackageLoader("sevenfold.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "percent": words.percent,
        "p": words.p_value,
        "method": lambda name: words.METHODS.get(name, name),
        "interval": words.interval,
    }
    style = environment.loader.get_source(environment, "style.css")[0] if environment.loader else ""
    script = environment.loader.get_source(environment, "hover.js")[0] if environment.loader else ""
    return environment.get_template("report.html.j2").render(
        style=style,
        script=script,
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
        **_context(given),
    )


def _policy_hash(text: str) -> str:
    """SHA-256 in Base64: how a content security policy names the one style sheet or script that it lets in."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _context(given: ReportInput) -> dict[str, Any]:
    p = given.file.protocol
    arms = _arms(p)
    flow = flow_of(given.history, p)
    drawn = courses(given.cohort, given.estimates.description.points, p, arms)
    primary = given.estimates.primary
    groups = [answer.group for answer in primary.groups]
    return {
        "version": __version__,
        "protocol": p,
        "file": given.file,
        "seed": given.seed,
        "changed": {one.name: one for one in given.assumptions if one.name in given.changed},
        "planned_changed": given.history.opened is not None
        and given.history.opened.planned != _planned_in_file(given.file),
        "arms": arms,
        "names": {group: p.group_label(group) for group in p.groups},
        "headline": words.headline(primary, p.group_label(groups[0]), p.group_label(groups[1])),
        "primary": primary,
        "tiles": _tiles(given, primary),
        "flow": flow,
        "flow_svg": flow_figure(flow, given.estimates.primary.n_used_by_arm or {}),
        "baseline": given.estimates.description.baseline,
        "courses": drawn,
        "answers": [_row(answer) for answer in given.estimates.answers],
        "n_other_p": sum(a.p_value is not None for a in given.estimates.answers if a is not primary),
        "forest_svg": forest_figure(given.estimates.answers),
        "safety": given.estimates.description.safety,
        "events_svg": event_figure(given.estimates.description.events, arms),
        "release": [row for name in arms for row in given.estimates.description.release if row.group == name],
        "antibodies": {
            name: given.estimates.description.antibodies[name]
            for name in arms
            if name in given.estimates.description.antibodies
        },
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
    }


def _arms(p: Protocol) -> dict[str, tuple[str, str]]:
    """Arm's id -> (label, class that gives it its colour); arms without active product are grey."""
    active = [arm.id for arm in p.arms if any(p.products[injection.product].is_active for injection in arm.injections)]
    letters = {name: f"arm-{chr(ord('a') + place % 5)}" for place, name in enumerate(active)}
    return {arm.id: (arm.label, letters.get(arm.id, "arm-z")) for arm in p.arms}


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


def _row(answer: Answer) -> dict[str, Any]:
    value, interval = words.answer_value(answer)
    return {"answer": answer, "value": value, "interval": interval, "strategy": words.strategy(answer)}


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
