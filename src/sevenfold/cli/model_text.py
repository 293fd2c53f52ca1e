"""A model as text: states, terms, equations, parameters, ways to dose, outputs; as wide as the terminal."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from sevenfold.mechanism.load import Loaded
from sevenfold.mechanism.notation import Letters, letters
from sevenfold.mechanism.page import Page, Parameter
from sevenfold.mechanism.term import Term

__all__ = ["say_model"]

_NARROW: Final = 110
_NOTES_FROM: Final = 58  # column


def say_model(loaded: Loaded, console: Console, priors: Sequence[tuple[str, str, str]] = ()) -> None:
    """Print everything that a page says.

    Args:
        priors: of a model that was calibrated: parameter, what was believed beforehand, and why.
    """
    page, called = loaded.page, letters(loaded.whole)
    console.print(f"[bold]{escape(page.title)}[/] ({page.name}, {escape(loaded.origin)})")
    console.print(f"One patient; t in days since the first dose. {_counts(loaded)}\n")
    _states(page, called, console)
    _equations(loaded, called, console)
    _parameters(page, called, console)
    _doors(page, called, console)
    if priors:
        table = _table(
            "Before the evidence: median and 95 % of each parameter that is calibrated", "name", "prior", "source"
        )
        for name, belief, source in priors:
            table.add_row(name, belief, escape(source))
        console.print(table)


def _counts(loaded: Loaded) -> str:
    page = loaded.page
    return (
        f"{len(page.states)} states, {len(page.parameters)} parameters, {len(loaded.whole.traced.graph.terms)} terms, "
        f"{len(page.outputs)} outputs."
    )


def _states(page: Page, called: Letters, console: Console) -> None:
    table = _table("States", "", "name", "unit", "what it is")
    group = ""
    for state in page.states:
        if state.group and state.group != group:
            table.add_row("", f"[bold]{escape(state.group)}[/]", "", "")
        group = state.group
        table.add_row(called.by_name[state.name], state.name, state.unit, escape(state.what))
    console.print(table)


def _equations(loaded: Loaded, called: Letters, console: Console) -> None:
    whole, page, graph = loaded.whole, loaded.page, loaded.whole.traced.graph
    in_derived = {number for node in whole.derived.values() for number in [node.number]}
    first = max((node.number for node in (*whole.traced.rates, *whole.traced.outputs)), default=0)
    terms = sorted(graph.terms.items())
    if terms:
        _section(console, "Terms")
    _lines(console, (_term(n, term, loaded, called) for n, term in terms if n <= first and n not in in_derived))
    _section(console, "Rates of change, a day")
    group = ""
    for state, rate in zip(page.states, whole.traced.rates, strict=True):
        if state.group and state.group != group:
            console.print(Text(f"  {state.group}", style="bold"))
        group = state.group
        letter = called.by_name[state.name]
        change = f"d{letter}/dt" if "_" not in letter else f"d({letter})/dt"
        _lines(console, [(change, called.sentence(rate), "")])
    if whole.derived:
        _section(console, "Worked out once a patient")
        extra = [(n, term) for n, term in terms if n > first and n not in in_derived]
        _lines(console, (_term(n, term, loaded, called) for n, term in extra))
        for name, node in whole.derived.items():
            term = graph.terms.get(node.number)
            note = f"{term.what or name} [{term.unit}]" if term else name
            _lines(console, [(called.by_name[name], called.sentence(node), note)])
    _section(console, "Start, t = 0")
    starts = [(state.name, called.phrase(node)) for state, node in zip(page.states, whole.start, strict=True)]
    _lines(console, ((f"{called.by_name[name]}(0)", said, "") for name, said in starts))
    _section(console, "What can be observed")
    _lines(
        console,
        (
            (output.name, called.phrase(node), f"{output.what} [{output.unit}]")
            for output, node in zip(page.outputs, whole.traced.outputs, strict=True)
        ),
    )


def _term(number: int, term: Term, loaded: Loaded, called: Letters) -> tuple[str, str, str]:
    said = called.sentence(loaded.whole.traced.graph.nodes[number])
    return called.by_name[term.name], said, f"{term.what or term.name} [{term.unit}]"


def _parameters(page: Page, called: Letters, console: Console) -> None:
    console.print()
    if console.width < _NARROW:
        _parameters_listed(page, called, console)
        return
    has_prior = any(parameter.prior_cv is not None for parameter in page.parameters)
    has_domain = any(parameter.domain != "any number" for parameter in page.parameters)
    headings = ["", "name", "value", "unit", "cv"]
    headings += ["prior cv"] * has_prior + ["domain"] * has_domain + ["status", "source"]
    table = _table("Parameters: the typical patient (cv: between patients, on the log scale)", *headings)
    for p in page.parameters:
        row = [called.by_name[p.name], p.name, f"{p.value:.6g}", p.unit, f"{p.cv:g}" if p.cv else ""]
        row += [f"{p.prior_cv:g}" if p.prior_cv is not None else ""] * has_prior
        row += [p.domain if p.domain != "any number" else ""] * has_domain
        table.add_row(*row, p.status, escape(_source(p)))
    console.print(table)


def _parameters_listed(page: Page, called: Letters, console: Console) -> None:
    """For narrow terminals: a table of nine columns would be all folds."""
    console.print(Text("Parameters: the typical patient (cv: between patients, on the log scale)", style="bold"))
    for p in page.parameters:
        said = f"{called.by_name[p.name]} = {p.value:.6g} {p.unit}".rstrip()
        said += f", cv {p.cv:g}" * bool(p.cv) + f", prior cv {p.prior_cv}" * (p.prior_cv is not None)
        said += f", {p.domain}" * (p.domain != "any number")
        console.print(Text(f"  {said}"))
        for line in textwrap.wrap(f"{p.name}. {p.status}: {_source(p)}", max(console.width - 6, 20)):
            console.print(Text(f"      {line}", style="dim"))


def _source(p: Parameter) -> str:
    return f"{p.source}. {p.note}" if p.note else p.source


def _doors(page: Page, called: Letters, console: Console) -> None:
    by_parameter = [kind for kind in ("lag", "rate", "duration") if any(getattr(one, kind) for one in page.entries)]
    table = _table("Ways to dose", "route", "enters", "unit", "share that arrives", *by_parameter)
    states = {state.name: state for state in page.states}
    for entry in page.entries:
        share = called.by_name[entry.fraction] if entry.fraction else "all"
        enters = f"{called.by_name[entry.state]} ({entry.state})"
        others = [called.by_name[name] if (name := getattr(entry, kind)) else "" for kind in by_parameter]
        table.add_row(entry.route, enters, states[entry.state].unit, share, *others)
    if page.entries:
        console.print(table)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE, pad_edge=False)
    for heading in headings:
        is_number = heading in ("value", "cv", "prior cv")
        table.add_column(
            heading,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=heading not in ("source", "what it is", "domain"),
        )
    return table


def _section(console: Console, title: str) -> None:
    console.print(Text(f"\n{title}", style="bold"))


def _lines(console: Console, said: Iterable[tuple[str, str, str]]) -> None:
    """``letter = expression``, with a note behind it where it fits and below where it does not."""
    for letter, expression, note in said:
        head = f"  {letter} = "
        wrapped = textwrap.wrap(
            expression, max(console.width - len(head), 30), break_long_words=False, break_on_hyphens=False
        )
        lines = [head + wrapped[0], *(" " * len(head) + line for line in wrapped[1:])]
        body = Text("\n".join(lines))
        if note:
            is_beside = len(lines[-1]) + len(note) + 3 <= console.width
            column = max(len(lines[-1]) + 3, min(_NOTES_FROM, console.width - len(note)))
            below = textwrap.wrap(note, max(console.width - len(head), 20))
            beside = " " * (column - len(lines[-1])) + note
            body.append(beside if is_beside else "".join(f"\n{' ' * len(head)}{line}" for line in below), style="dim")
        console.print(body, soft_wrap=True)
