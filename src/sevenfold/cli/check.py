"""``sevenfold check``: is a protocol sound? Its schedule, arms and assumptions as tables."""

import argparse

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.visit import Visit

__all__ = ["check_protocol"]


def check_protocol(chosen: argparse.Namespace) -> int:
    """Print the tables; a fault is raised by loading."""
    file = load(chosen.protocol)
    console = Console()
    p = file.protocol
    console.print(f"[bold]{p.title}[/] ({p.name}, phase {p.phase})")
    for trial in p.registered_trials:
        places = ", ".join(f"{site.id} {site.city}" for site in trial.sites)
        console.print(f"  {trial.id}: {trial.registry_id}, {trial.country}, {trial.sponsor}; {places}")
    console.print(f"  {p.population.planned} subjects, randomised {_ratio(p)}; {len(p.population.criteria)} criteria\n")
    console.print(_arms(p))
    console.print(_schedule(p))
    console.print("Questions and how they are answered")
    for line in _questions(p):
        console.print(f"  {line}", highlight=False)
    console.print()
    unverified = [(place, c) for place, c in file.citations.items() if not c.verified]
    console.print(
        f"{len(file.citations)} values name where they come from; {len(unverified)} of them are not verified."
    )
    if chosen.assumptions:
        console.print(_assumptions(file))
    elif unverified:
        console.print("`--assumptions` lists them.")
    console.print(f"[green]{file.name} is sound.[/]")
    return 0


def _ratio(p: Protocol) -> str:
    ratio = ":".join(str(count) for count in p.randomisation.ratio.values())
    strata = f", stratified by {' and '.join(p.randomisation.strata)}" if p.randomisation.strata else ""
    return f"{ratio} ({', '.join(p.randomisation.ratio)}){strata}"


def _arms(p: Protocol) -> Table:
    first = p.arms[0].calendar[0]
    title = f"Arms: what is in the syringe, {first.dose_ug_per_kg:g} µg/kg or the volume of it"
    table = Table(title=title, title_justify="left", box=SIMPLE)
    table.add_column("study day", justify="right")
    table.add_column("route")
    for arm in p.arms:
        table.add_column(f"{arm.id}\n[dim]{arm.label}[/]", max_width=24)
    for one in p.arms[0].calendar:
        table.add_row(str(one.day), one.route, *(arm.product_on(one.day) for arm in p.arms))
    return table


def _schedule(p: Protocol) -> Table:
    title = "Schedule of activities (● open, ○ sealed after randomisation)"
    table = Table(title=title, title_justify="left", box=None, padding=0)
    table.add_column("study day", no_wrap=True)
    for visit in p.schedule.visits:
        table.add_column(f"{visit.day}{'+' if visit.hours_after_dose else ''}", justify="center", min_width=4)
    names = dict.fromkeys(name for visit in p.schedule.visits for name in visit.assessments)
    for name in names:
        table.add_row(name, *(_mark(p, visit, name) for visit in p.schedule.visits))
    is_dosing = [visit.day in p.dosing_days and visit.hours_after_dose is None for visit in p.schedule.visits]
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


def _questions(p: Protocol) -> list[str]:
    lines = []
    for analysis in p.analyses:
        estimand = p.estimand(analysis.estimand)
        death = next(strategy for event, strategy in estimand.intercurrent.items() if event == "death")
        groups = " against ".join(estimand.compare)
        lines.append(f"[bold]{estimand.role}[/]: {estimand.label} ({groups}; {analysis.method}; death: {death})")
    return lines


def _assumptions(file: ProtocolFile) -> Table:
    table = Table(title="Values that are not verified", title_justify="left", box=SIMPLE)
    for heading in ("line", "where", "status", "note"):
        table.add_column(heading)
    for place, citation in file.citations.items():
        if not citation.verified:
            where = " › ".join(str(step + 1) if isinstance(step, int) else step for step in place)
            table.add_row(str(file.lines.get(place, 1)), where, citation.status, citation.note or "")
    return table
