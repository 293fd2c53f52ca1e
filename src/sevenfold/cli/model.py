"""``sevenfold model``: list, show, check and export models of a patient."""

import argparse
import os
import sys
from math import inf
from pathlib import Path
from typing import Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from sevenfold.cli.folder import write_text
from sevenfold.cli.model_text import say_model
from sevenfold.errors import InvalidInput, NotConverged
from sevenfold.mechanism.load import BUILT_IN, Loaded, load_model
from sevenfold.mechanism.solve import Dose, SolverStatus, advance, begin

__all__ = ["check_model", "export_model", "list_models", "show_model"]

_CHECKED_DAYS: Final = 28.0
_PIPED_WIDTH: Final = 120


def list_models() -> int:
    """A line for each built-in model."""
    table = Table(box=SIMPLE)
    for heading in ("name", "what it is", "states", "parameters", "doses by"):
        table.add_column(heading, no_wrap=heading == "name", min_width=40 if heading == "name" else None)
    for name, page in ((name, make()) for name, make in BUILT_IN.items()):
        routes = ", ".join(entry.route for entry in page.entries)
        table.add_row(name, page.title, str(len(page.states)), str(len(page.parameters)), routes)
    console = _console()
    console.print(table)
    console.print("`sevenfold model show NAME` tells one; a file of your own is written like docs/guide/models.md.")
    return 0


def _priors() -> list[tuple[str, str, str]]:
    """What was believed of IL-7's parameters before the evidence, as the calibration has it."""
    import numpy as np

    from sevenfold.calibrate.priors import priors

    told = []
    for prior in priors():
        low, middle, high = prior.value(np.array([-1.959964, 0.0, 1.959964]))
        told.append((prior.name, f"{middle:.3g} ({low:.3g} to {high:.3g}) {prior.unit}", prior.source))
    return told


def show_model(chosen: argparse.Namespace) -> int:
    """Print the page, write its diagram."""
    from sevenfold.report.model_figure import model_figure

    loaded = load_model(chosen.model)
    say_model(loaded, _console(), _priors() if loaded.page.name == "il7" else ())
    path = _folder(chosen.out or "out/models") / f"{loaded.page.name}.svg"
    _write(path, model_figure(loaded.whole))
    print(f"Diagram: {path}")
    return 0


def check_model(chosen: argparse.Namespace) -> int:
    """Names, units and domains are held when the model is loaded; then one typical patient is simulated."""
    loaded = load_model(chosen.model)
    _run_typical(loaded)
    page = loaded.page
    n_terms = len(loaded.whole.traced.graph.terms)
    print(
        f"{page.title} ({page.name}, {loaded.origin}): {len(page.states)} states, {len(page.parameters)} parameters, "
        f"{n_terms} terms, {len(page.outputs)} outputs; every equation agrees in its units."
    )
    print(f"A typical patient runs for {_CHECKED_DAYS:g} days. {chosen.model} is sound.")
    return 0


def export_model(chosen: argparse.Namespace) -> int:
    """Write SBML, with doses as events if some were given."""
    from sevenfold.mechanism.sbml import sbml_text

    loaded = load_model(chosen.model)
    doses = tuple(dose for text in chosen.dose for dose in _doses(text))
    for dose in doses:
        loaded.page.entry(dose.route)
    path = Path(chosen.out)
    _folder(str(path.parent))
    _write(path, sbml_text(loaded.whole, doses))
    print(f"SBML: {path}, with {len(doses)} dose{'' if len(doses) == 1 else 's'}.")
    return 0


def _run_typical(loaded: Loaded) -> None:
    days = [0.0, 1.0, 7.0, _CHECKED_DAYS]
    after = advance(begin(loaded.page, {}), [[]], [days], [_CHECKED_DAYS])
    if after.status[0] is not SolverStatus.OK:
        raise NotConverged(
            f"{loaded.origin}: the typical patient can't be integrated to day {_CHECKED_DAYS:g} "
            f"({after.status[0].name.lower().replace('_', ' ')}); look for a rate that grows without bound."
        )


def _doses(text: str) -> list[Dose]:
    route, _, rest = text.partition(":")
    amount, at, days = rest.partition("@")
    amount, slash, duration = amount.partition("/")
    if not (route and amount and at and days):
        raise InvalidInput(
            f"--dose {text!r}: write ROUTE:AMOUNT@DAYS, such as IM:750@0,3,7, or IV:750/0.5@0 for an infusion over "
            "half a day."
        )
    given = _number(text, "amount", amount, "a number that is not negative")
    over_day = _number(text, "duration", duration, "days, not negative") if slash else 0.0
    on_days = [_number(text, "day", day, "days since the first dose, 0 or more") for day in days.split(",")]
    return [Dose(time_day=day, amount=given, route=route, duration_day=over_day) for day in on_days]


def _number(text: str, field: str, word: str, wanted: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < inf:
        raise InvalidInput(f"--dose {text!r}: the {field} is {word!r}; give {wanted}.")
    return number


def _console() -> Console:
    """As wide as the terminal; a pipe gets plain text of 120 columns unless COLUMNS says otherwise."""
    columns = os.environ.get("COLUMNS", "")
    if sys.stdout.isatty() or columns.isdecimal():
        return Console(highlight=False)
    return Console(highlight=False, width=_PIPED_WIDTH)


def _folder(name: str) -> Path:
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written to: {error.strerror}.") from None
    return folder


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from None
