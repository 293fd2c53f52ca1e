"""``sevenfold levels``: how often each test of a plan finds a difference where there is none."""

import argparse
import csv
import io
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table as Shown

from sevenfold import __version__
from sevenfold.analysis.exact_test import boschloo
from sevenfold.cli.folder import sha256_of, staged, write_json, write_text
from sevenfold.cli.plain import plain
from sevenfold.cli.progress import Stages, Step
from sevenfold.cli.rehearsal import stage
from sevenfold.cohort.cohort import Cohort
from sevenfold.cohort.from_record import from_record
from sevenfold.design.exact_level import exact_level
from sevenfold.design.level import ALPHA, Level, Verdict, levels
from sevenfold.design.null import inert, null_trials
from sevenfold.errors import InvalidInput
from sevenfold.protocol.conductible import check_conductible
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.protocol.plan import Method
from sevenfold.record.head import LedgerState
from sevenfold.record.history import read_history
from sevenfold.record.reading import read_events
from sevenfold.report.level_page import render_levels
from sevenfold.trial.icu.assumptions import shipped

__all__ = ["print_levels"]

_WIDTH_OF_A_FILE: Final = 140


def print_levels(chosen: argparse.Namespace) -> int:
    """Make a pool, draw trials, answer the plan in each, tell; 2 if the primary analysis exceeds its level."""
    file = load(chosen.protocol)
    check_conductible(file.protocol)
    if chosen.pool < 4 * file.protocol.population.planned:
        raise InvalidInput(
            f"A pool of {chosen.pool} for trials of {file.protocol.population.planned} would make trials of the same "
            f"subjects; give --pool at least {4 * file.protocol.population.planned}."
        )
    folder = Path(chosen.out or Path("out") / f"{file.protocol.name}-levels")
    with staged(folder, force=chosen.force) as staging, Stages(is_quiet=chosen.quiet) as stages:
        with stages.stage("Virtual patients on placebo", chosen.pool) as step:
            pool = _pool(inert(file, chosen.pool), chosen.seed, step)
        with stages.stage("Trials without an effect", chosen.trials) as step:
            trials = null_trials(pool, file.protocol, chosen.seed)
            found = levels(file.protocol, trials, chosen.trials, chosen.seed, step)
        about = _about(file, chosen, found)
        write_json(staging.folder / "levels.json", about)
        write_text(staging.folder / "levels.csv", _csv(found))
        write_text(staging.folder / "levels.html", render_levels(file, found, about))
        made = sorted(path for path in staging.folder.iterdir() if path.is_file())
        write_json(
            staging.folder / "run.json", {"sevenfold": __version__, "made": {p.name: sha256_of(p) for p in made}}
        )
        staging.keep()
    _say(found, about)
    print(f"Page: {folder / 'levels.html'}")
    primary = next(level for level in found if level.estimand == file.protocol.primary.id)
    if primary.verdict is Verdict.EXCEEDS:
        print(f"The primary analysis ({primary.method}) exceeds its level: choose another method for it.")
        return 2
    return 0


def _pool(file: ProtocolFile, seed: int, step: Step) -> Cohort:
    with tempfile.TemporaryDirectory() as name:
        trial = stage(file, Path(name), seed, shipped())
        trial.rehearse(step, lambda: False)
        trial.unblind()
        trial.close(LedgerState.COMPLETE)
        return from_record(read_history(read_events(Path(name) / "trial.db")), file.protocol)


def _about(file: ProtocolFile, chosen: argparse.Namespace, found: tuple[Level, ...]) -> dict[str, Any]:
    p = file.protocol
    exact: list[dict[str, Any]] = []
    for planned in p.analyses:
        if planned.method is Method.EXACT_TEST:
            a, b = (_group_size(file, name) for name in p.estimand(planned.estimand).compare)
            if (a, b) not in [(one["n_a"], one["n_b"]) for one in exact]:
                grid = exact_level(lambda table: boschloo(table).p_value, a, b)
                exact.append({"test": "Boschloo", "n_a": a, "n_b": b, "largest level": grid.largest})
    return {
        "protocol": p.name,
        "sha256": file.sha256,
        "planned": p.population.planned,
        "trials": chosen.trials,
        "pool": chosen.pool,
        "seed": chosen.seed,
        "alpha": ALPHA,
        "levels": [
            {
                **plain(level),
                "share": level.share,
                "monte_carlo_error": level.monte_carlo_error,
                "interval_999": list(level.interval),
                "verdict": level.verdict.value,
            }
            for level in found
        ],
        "exact tests over the nuisance grid": exact,
    }


def _group_size(file: ProtocolFile, group: str) -> int:
    """The planned size of a group, by the ratio."""
    ratio = file.protocol.randomisation.ratio
    share = sum(ratio[arm] for arm in file.protocol.groups[group]) / sum(ratio.values())
    return round(file.protocol.population.planned * share)


def _csv(found: tuple[Level, ...]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["estimand", "method", "trials", "rejected", "level", "monte_carlo_error", "lower_999", "upper_999",
                    "without an answer", "verdict"])  # fmt: skip
    for one in found:
        lower, upper = one.interval
        failed = "; ".join(f"{why}: {n}" for why, n in one.failures.items())
        table.writerow([one.estimand, one.method, one.n_trials, one.n_rejected, one.share, one.monte_carlo_error, lower,
                        upper, failed, one.verdict.value])  # fmt: skip
    return text.getvalue()


def _say(found: tuple[Level, ...], about: dict[str, Any]) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
    title = f"Level of each test at {ALPHA:.0%}, {about['trials']} trials of {about['planned']} without an effect"
    table = Shown(box=SIMPLE, title=title, title_justify="left")
    for heading in ("analysis", "method", "level ± Monte Carlo error", "99.9 % interval", "no answer", "verdict"):
        table.add_column(heading)
    for one in found:
        lower, upper = one.interval
        failed = sum(one.failures.values())
        table.add_row(one.estimand, one.method, f"{one.share:.1%} ± {one.monte_carlo_error:.1%}",
                      f"{lower:.1%} to {upper:.1%}", str(failed) if failed else "", one.verdict.value)  # fmt: skip
    console.print(table)
    for one in about["exact tests over the nuisance grid"]:
        sizes = f"{one['n_a']} against {one['n_b']}"
        console.print(f"{one['test']}, {sizes}: largest level over all shares {one['largest level']:.2%}")
