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
from sevenfold.cli.folder import sha256_of, staged, write_json, write_text
from sevenfold.cli.progress import Stages, Step
from sevenfold.cli.rehearsal import stage
from sevenfold.cohort.cohort import Cohort
from sevenfold.cohort.from_record import from_record
from sevenfold.design.level import ALPHA, MARGIN, Level, Verdict, levels
from sevenfold.design.null import inert, null_trials
from sevenfold.design.randomised import AttainedLevel, attained_levels
from sevenfold.design.splits import GroupCoverage, SplitLevel, exact_methods
from sevenfold.edge.plain import plain
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
_SHOWN: Final = 8  # splits told one by one; the file has all


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
        with stages.stage("Exact methods over every share", 1) as step:
            splits, groups = exact_methods(file.protocol, found, step)
        randomised = attained_levels(file.protocol, null_trials(pool, file.protocol, chosen.seed), chosen.seed)
        about = _about(file, chosen, found, splits, groups, randomised)
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
    if primary.verdict is Verdict.UNDECIDED:
        print(
            f"Of the primary analysis ({primary.method}) nothing is decided; about {primary.n_more} more trials would."
        )
    return 0


def _pool(file: ProtocolFile, seed: int, step: Step) -> Cohort:
    with tempfile.TemporaryDirectory() as name:
        trial = stage(file, Path(name), seed, shipped())
        trial.rehearse(step, lambda: False)
        trial.unblind()
        trial.close(LedgerState.COMPLETE)
        return from_record(read_history(read_events(Path(name) / "trial.db")), file.protocol)


def _about(
    file: ProtocolFile,
    chosen: argparse.Namespace,
    found: tuple[Level, ...],
    splits: tuple[SplitLevel, ...],
    groups: tuple[GroupCoverage, ...],
    randomised: tuple[AttainedLevel, ...],
) -> dict[str, Any]:
    p = file.protocol
    return {
        "protocol": p.name,
        "plan_sha256": file.plan_sha256,
        "planned": p.population.planned,
        "trials": chosen.trials,
        "pool": chosen.pool,
        "seed": chosen.seed,
        "alpha": ALPHA,
        "margin": MARGIN,
        "levels": [
            {
                **plain(level),
                "sizes": [
                    {"n_a": a, "n_b": b, "trials": n}
                    for (a, b), n in level.sizes.items()
                    if level.method == Method.EXACT_TEST.value
                ],
                "share": level.share,
                "share_answered": level.share_answered,
                "monte_carlo_error": level.monte_carlo_error,
                "interval_999": list(level.interval),
                "interval_999_answered": plain(level.interval_answered),
                "coverage": level.coverage,
                "verdict": level.verdict.value,
                "is_conservative": level.is_conservative,
                "n_more": level.n_more,
            }
            for level in found
        ],
        "exact tests over the nuisance grid": plain(splits),
        "exact intervals of one proportion": plain(groups),
        "randomisation tests": plain(randomised),
    }


def _csv(found: tuple[Level, ...]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["estimand", "method", "trials", "rejected", "level", "monte_carlo_error", "lower_999", "upper_999",
                    "answered", "level_answered", "without an answer", "intervals", "coverage", "verdict",
                    "more trials"])  # fmt: skip
    for one in found:
        lower, upper = one.interval
        failed = "; ".join(f"{why}: {n}" for why, n in one.failures.items())
        table.writerow([one.estimand, one.method, one.n_trials, one.n_rejected, one.share, one.monte_carlo_error, lower,
                        upper, one.n_answered, one.share_answered, failed, one.n_intervals, one.coverage,
                        one.verdict.value, one.n_more])  # fmt: skip
    return text.getvalue()


def _say(found: tuple[Level, ...], about: dict[str, Any]) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
    title = f"Level of each test at {ALPHA:.0%}, {about['trials']} trials of {about['planned']} without an effect"
    table = Shown(box=SIMPLE, title=title, title_justify="left")
    for heading in ("analysis", "method", "level ± Monte Carlo error", "99.9 % interval", "no answer",
                    "of the answered", "interval covers", "verdict"):  # fmt: skip
        table.add_column(heading)
    for one in found:
        lower, upper = one.interval
        failed = one.n_trials - one.n_answered
        table.add_row(one.estimand, one.method, f"{one.share:.1%} ± {one.monte_carlo_error:.1%}",
                      f"{lower:.1%} to {upper:.1%}", str(failed) if failed else "", _percent(one.share_answered),
                      _percent(one.coverage), _in_words(one))  # fmt: skip
    console.print(table)
    console.print(
        f"Exceeds: the 99.9 % interval lies above {ALPHA:.0%}. Holds: below {ALPHA + MARGIN:.0%}. Undecided: neither."
    )
    splits = about["exact tests over the nuisance grid"]
    for one in splits[:_SHOWN]:
        met = f"{one['fraction_answers']:.0%} of answers" + (", planned" if one["is_planned"] else "")
        least = one["least_coverage"]
        covers = "" if least is None else f"; Chan-Zhang interval covers at least {least:.2%}"
        console.print(
            f"Boschloo, {one['n_a']} against {one['n_b']} ({met}): level at most {one['largest_level']:.2%}{covers}"
        )
    if rest := splits[_SHOWN:]:
        share, largest = sum(one["fraction_answers"] for one in rest), max(one["largest_level"] for one in rest)
        console.print(f"Boschloo, {len(rest)} further splits ({share:.0%} of answers): level at most {largest:.2%}")
    for one in about["exact intervals of one proportion"]:
        console.print(
            f"Least coverage of one proportion of {one['n']}: Clopper-Pearson {one['clopper_pearson']:.2%}, Blaker "
            f"{one['blaker']:.2%}"
        )
    for one in about["randomisation tests"]:
        console.print(
            f"Randomisation test, {one['estimand']}: attains {one['level']:.2%} of {ALPHA:.0%}; with the next step of "
            f"either tail {one['with_next']:.2%}"
        )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _in_words(one: Level) -> str:
    if one.n_more is not None:
        return f"undecided; {one.n_more} more trials"
    return f"{one.verdict.value}{', conservative' if one.is_conservative else ''}"
