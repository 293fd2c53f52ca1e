"""``sevenfold check``: is a protocol sound? Its schedule, arms and assumptions as tables."""

import argparse
import sys
from typing import Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sevenfold.design.shipped import check_primary
from sevenfold.edge.predicted import scheme_told
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.treatment import VisibleInjection
from sevenfold.protocol.visit import Visit

__all__ = ["check_protocol"]

_WIDTH_OF_A_FILE: Final = 160  # columns, where the output is no terminal that would have a width of its own


def check_protocol(chosen: argparse.Namespace) -> int:
    """Print the tables; a fault is raised by loading."""
    file = load(chosen.protocol)
    check_primary(file.protocol)
    # A protocol's words are words: none is taken for the printer's own markup.
    console = Console(
        markup=False, emoji=False, highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE
    )
    p = file.protocol
    _say(console, Text.assemble((p.title, "bold"), f" ({p.name}, phase {p.phase})"))
    for trial in p.registered_trials:
        places = ", ".join(f"{site.id} {site.city}" for site in trial.sites)
        where = f"; {places}" if places else ""
        _say(console, f"  {trial.id}: {trial.registry_id}, {trial.country}, {trial.sponsor}{where}")
    n = len(p.population.criteria)
    criteria = f"{n} {'criterion' if n == 1 else 'criteria'}"
    _say(console, f"  {p.population.planned} subjects, randomised {_ratio(p)}; {criteria}")
    if not p.is_described_in_words:
        for sentence in scheme_told(file):
            _say(console, f"  {sentence}")
        console.print()
    if p.is_described_in_words:
        _say(console, "Arms")
        for arm in p.arms:
            _say(console, f"  {arm.id}: {arm.label}; {arm.treatment}")
        console.print()
    else:
        _say(console, f"Arms: what is in the syringe, {_doses(p)} or the volume of it")
        console.print(_arms(p))
    _say(console, "Schedule of activities (● open, ○ sealed after randomisation)")
    console.print(_schedule(p))
    _say(console, "Questions and how they are answered")
    for role, line in _questions(p):
        _say(console, Text.assemble("  ", (role, "bold"), f": {line}"))
    console.print()
    unverified = sum(not citation.verified for citation in file.citations.values())
    n = len(file.citations)
    _say(
        console,
        f"{n} {'value says where it comes' if n == 1 else 'values say where they come'} from; "
        f"{unverified} not verified.",
    )
    if chosen.assumptions:
        _say(console, "Values that are not verified")
        console.print(_assumptions(file))
    elif unverified:
        _say(console, "`--assumptions` lists them.")
    _say(console, Text(f"{file.name} is sound.", "green"))
    return 0


def _say(console: Console, words: str | Text) -> None:
    """A line, left whole: the terminal wraps it, a file keeps it."""
    console.print(words, soft_wrap=True)


def _ratio(p: Protocol) -> str:
    ratio = ":".join(str(count) for count in p.randomisation.ratio.values())
    strata = f", stratified by {' and '.join(p.randomisation.strata)}" if p.randomisation.strata else ""
    return f"{ratio} ({', '.join(p.randomisation.ratio)}){strata}"


def _doses(p: Protocol) -> str:
    doses = dict.fromkeys(f"{one.dose_ug_per_kg:g}" for one in p.arms[0].calendar)
    return f"{' or '.join(doses)} µg/kg"


def _arms(p: Protocol) -> Table:
    table = Table(box=SIMPLE)
    table.add_column("study day", justify="right")
    table.add_column("route")
    for arm in p.arms:
        table.add_column(Text.assemble(arm.id, "\n", (arm.label, "dim")), max_width=24)
    for one in p.arms[0].calendar:
        table.add_row(str(one.day), _route(one), *(arm.product_on(one.day) for arm in p.arms))
    return table


def _route(one: VisibleInjection) -> str:
    return one.route if one.over_h is None else f"{one.route} over {one.over_h:g} h"


def _schedule(p: Protocol) -> Table:
    table = Table(box=None, padding=0)
    table.add_column("study day", no_wrap=True)
    for visit in p.schedule.visits:
        table.add_column(f"{visit.day}{'+' if visit.hours_after_dose else ''}", justify="center", min_width=4)
    names = dict.fromkeys(name for visit in p.schedule.visits for name in visit.assessments)
    for name in names:
        table.add_row(name, *(_mark(p, visit, name) for visit in p.schedule.visits))
    is_dosing = [visit.day in p.dosing_days and visit.hours_after_dose is None for visit in p.schedule.visits]
    if any(is_dosing):
        table.add_row("dose", *("●" if is_on else "" for is_on in is_dosing))
    table.add_row("window, days", *(_window(visit) for visit in p.schedule.visits))
    return table


def _window(visit: Visit) -> str:
    if visit.hours_after_dose:
        return f"{visit.hours_after_dose:g} h"
    before, after = visit.window
    return "" if before == after == 0 else f"±{after}" if -before == after else f"{before}+{after}"


def _mark(p: Protocol, visit: Visit, name: str) -> str:
    if name not in visit.assessments:
        return ""
    return "○" if name in p.masking.assessments and visit.id != p.baseline.visit else "●"


def _questions(p: Protocol) -> list[tuple[str, str]]:
    """Each question's role, and what is asked and how it is answered."""
    lines: list[tuple[str, str]] = []
    for analysis in p.analyses:
        estimand = p.estimand(analysis.estimand)
        death = next(strategy for event, strategy in estimand.intercurrent.items() if event == "death")
        groups = " against ".join(estimand.compare)
        lines.append((estimand.role, f"{estimand.label} ({groups}; {analysis.method}; death: {death})"))
    return lines


def _assumptions(file: ProtocolFile) -> Table:
    table = Table(box=SIMPLE)
    for heading in ("line", "where", "status", "note"):
        table.add_column(heading)
    for place, citation in file.citations.items():
        if not citation.verified:
            where = " › ".join(str(step + 1) if isinstance(step, int) else step for step in place)
            table.add_row(str(file.lines.get(place, 1)), where, citation.status, citation.note or "")
    return table
