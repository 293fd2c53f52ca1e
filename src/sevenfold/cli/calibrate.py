"""``sevenfold calibrate``: the posterior of the IL-7 model from the published evidence, made, resumed or checked."""

import argparse
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from sevenfold.calibrate.check import check_posterior
from sevenfold.calibrate.evidence_file import evidence, parse_evidence
from sevenfold.calibrate.experiments import Evidence
from sevenfold.calibrate.posterior import CalibrationSettings, Which
from sevenfold.calibrate.regenerate import CHECKPOINTS, Regenerated, regenerate
from sevenfold.calibrate.shipped import read_about
from sevenfold.calibrate.target import fitted
from sevenfold.cli.progress import Stages, Step
from sevenfold.cli.rehearsal import held_interrupt
from sevenfold.errors import InvalidInput

__all__ = ["calibrate"]

DEFAULT_OUT: Final = "out/calibrate"


def calibrate(chosen: argparse.Namespace) -> int:
    """Make the posteriors, check the shipped ones, or check the method."""
    if chosen.sbc is not None:
        _refuse_unused(chosen, "--sbc", "out", "force", "sweeps")
        return _rank(chosen)
    if chosen.check:
        _refuse_unused(chosen, "--check", "force", "seed", "sweeps")
        return _check(chosen)
    return _make(chosen)


def _refuse_unused(chosen: argparse.Namespace, mode: str, *names: str) -> None:
    """An option that would be passed over without a word."""
    for name in names:
        given = getattr(chosen, name)
        if given is not None and given is not False:  # a seed of 0 is given
            raise InvalidInput(f"{mode} has no use for --{name}; leave it out.")


def _seed(chosen: argparse.Namespace) -> int:
    return 1 if chosen.seed is None else int(chosen.seed)


def _evidence(path: str | None) -> Evidence:
    if path is None:
        return evidence()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read ({error}).") from None
    return parse_evidence(text, path)


def _make(chosen: argparse.Namespace) -> int:
    ours, folder = _evidence(chosen.evidence), Path(chosen.out or DEFAULT_OUT)
    if not fitted(ours, held_out_too=False):
        raise InvalidInput(f"{chosen.evidence} has no experiment to fit; give at least one `use: fit`.")
    settings = CalibrationSettings(root=_seed(chosen), n_sweeps=chosen.sweeps or CalibrationSettings().n_sweeps)
    _prepare(folder, resume=chosen.resume, force=chosen.force)
    names: dict[Which, str] = {
        "held out": "Posterior A, IRIS-7 and IRIS-7C held out",
        "all": "Posterior B, all of the evidence",
    }
    with held_interrupt() as is_interrupted, Stages(is_quiet=chosen.quiet) as stages:
        steps: dict[Which, Step] = {}

        def told(which: Which, done: int, of: int) -> None:
            if which not in steps:
                steps[which] = stages.open(names[which], of)
            steps[which](done, of)

        try:
            made = regenerate(
                ours, folder, settings, resume=chosen.resume, threads=chosen.threads, told=told,
                is_interrupted=is_interrupted,
            )  # fmt: skip
        except KeyboardInterrupt:
            print(f"sevenfold: stopped between two steps; `--resume --out {folder}` carries on.", file=sys.stderr)
            raise
    _print_summaries(made)
    print(f"Posteriors: {folder}")
    return 0


def _prepare(folder: Path, *, resume: bool, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; --out names a folder.")
    found = [name for name in CHECKPOINTS.values() if (folder / name).exists()]
    if found and not (resume or force):
        raise InvalidInput(f"{folder} holds a calibration; --resume carries it on, --force begins it anew.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            for name in found:
                (folder / name).unlink()
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written to: {error.strerror}.") from None


def _print_summaries(made: Regenerated) -> None:
    console = Console()
    for which in CHECKPOINTS:
        said = made.about[which]
        table = Table(title=f"Posterior: {which}", title_justify="left", box=None)
        for heading in ("parameter", "median", "95 % interval", "contraction", "R-hat", "ESS bulk", "ESS tail"):
            table.add_column(heading, justify="left" if heading == "parameter" else "right", no_wrap=True)
        for row in said["summaries"]:
            table.add_row(
                row["name"], f"{row['median']:.3g}", f"{row['lower']:.3g} to {row['upper']:.3g}",
                f"{row['contraction']:.2f}", f"{row['r_hat']:.3f}", str(row["ess_bulk"]), str(row["ess_tail"]),
            )  # fmt: skip
        console.print(table)
        accepted = sum(said["accepted_by_sweep"]) / len(said["accepted_by_sweep"])
        console.print(
            f"{said['n_evaluations']} evaluations in {said['seconds']} s, {said['n_failed']} failed; "
            f"{100 * accepted:.0f} % of proposals accepted.\n"
        )


def _check(chosen: argparse.Namespace) -> int:
    console, ours = Console(), _evidence(chosen.evidence)
    with as_file(files("sevenfold.calibrate").joinpath("data")) as shipped:
        folder = shipped if chosen.out is None else Path(chosen.out)
        findings = check_posterior(
            folder, read_about(folder), ours, threads=chosen.threads,
            told=lambda what: None if chosen.quiet else print(f"{what} …", file=sys.stderr, flush=True),
        )  # fmt: skip
    for one in findings:
        mark = "[green]well[/]" if one.is_well else "[red]wanting[/]"
        console.print(f"{mark}  {one.what}: {one.details}", highlight=False)
    is_well = all(one.is_well for one in findings)
    what = "The shipped posterior" if chosen.out is None else f"The posterior in {chosen.out}"
    console.print(f"{what} is {'' if is_well else 'NOT '}reproduced.", highlight=False)
    return 0 if is_well else 2


def _rank(chosen: argparse.Namespace) -> int:
    from sevenfold.calibrate.sbc import rank_check

    ours = _evidence(chosen.evidence)
    with (
        Stages(is_quiet=chosen.quiet) as stages,
        stages.stage("Synthetic evidence, calibrated again", chosen.sbc) as step,
    ):
        found = rank_check(ours, chosen.sbc, root=_seed(chosen), threads=chosen.threads, told=step)
    console = Console()
    for line in found.lines():
        console.print(line, highlight=False)
    return 0 if found.is_well else 2
