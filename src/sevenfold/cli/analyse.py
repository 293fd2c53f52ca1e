"""``sevenfold analyse``: a protocol, a mapping and somebody's data go in; estimates and a report come out."""

import argparse
import csv
import io
import platform
import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sevenfold import __version__
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.estimates import Estimates
from sevenfold.cli.folder import sha256_of, staged, write_json, write_text
from sevenfold.cli.progress import Stages
from sevenfold.cohort.from_frame import from_frame
from sevenfold.cohort.imported.account import Account
from sevenfold.cohort.imported.mapping import load_mapping
from sevenfold.edge.plain import plain
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.report.analysis_page import AnalysisInput, render_analysis

__all__ = ["analyse_data"]


def analyse_data(chosen: argparse.Namespace) -> int:
    """Read, analyse, report."""
    file = load(chosen.protocol)
    mapping_path = _mapping_path(chosen)
    mapping, document = load_mapping(mapping_path)
    asked = replace(file, protocol=file.protocol.without(mapping.without))
    folder = Path(chosen.out or Path("out") / file.protocol.name)
    with staged(folder, force=chosen.force) as staging, Stages(is_quiet=chosen.quiet) as stages:
        with stages.stage("Reading the data", 1):
            cohort, account = from_frame(Path(chosen.data), mapping, asked.protocol)
        with stages.stage("Analysing as the protocol plans", len(asked.protocol.analyses)) as step:
            estimates = analyse(cohort, None, asked.protocol, chosen.seed, step, stages.late)
        sources = {path.name: sha256_of(path) for path in account.tables}
        with stages.stage("Writing the report", 1):
            _write(staging.folder, file, estimates, account)
            page = render_analysis(
                AnalysisInput(
                    file=asked,
                    cohort=cohort,
                    estimates=estimates,
                    account=account,
                    sources=sources,
                    mapping_name=document.name,
                    mapping_sha256=sha256_of(mapping_path),
                    command=_command(chosen),
                )
            )
            write_text(staging.folder / "report.html", page)
            _write_run(staging.folder, chosen, file, sha256_of(mapping_path), sources)
        staging.keep()
    _say(account, estimates, folder)
    return 0


def _mapping_path(chosen: argparse.Namespace) -> Path:
    """The mapping that is named, or the one beside the protocol."""
    if chosen.mapping is not None:
        return Path(chosen.mapping)
    beside = Path(chosen.protocol).with_name("mapping.yaml")
    if not beside.is_file():
        raise InvalidInput(
            f"There is no {beside}; a mapping says which column of the data holds what: name one with --mapping. "
            "docs/guide/analyse.md explains how to write one."
        )
    return beside


def _write(folder: Path, file: ProtocolFile, estimates: Estimates, account: Account) -> None:
    write_text(folder / file.name, file.text)
    write_json(folder / "estimates.json", plain(estimates))
    write_json(folder / "reading.json", plain(asdict(account)))
    rows = io.StringIO()
    columns = ("estimand", "label", "role", "method", "scale", "value", "lower", "upper", "p_value", "test", "interval")
    table = csv.writer(rows, lineterminator="\n")
    table.writerow([*columns, "status", "n_used", "left_out", "notes"])
    for answer in estimates.answers:
        left_out = "; ".join(f"{why}: {n}" for why, n in (answer.left_out or {}).items())
        n_used = sum(group.n_used for group in answer.groups)
        found = [getattr(answer, name) for name in columns]
        table.writerow([*found, answer.status.value, n_used, left_out, " ".join(answer.notes)])
    write_text(folder / "estimates.csv", rows.getvalue())


def _write_run(
    folder: Path, chosen: argparse.Namespace, file: ProtocolFile, mapping_sha256: str, sources: dict[str, str]
) -> None:
    import numpy as np
    import polars as pl

    made = sorted(path for path in folder.rglob("*") if path.is_file())
    about: dict[str, Any] = {
        "sevenfold": __version__,
        "command": {"protocol": chosen.protocol, "mapping": chosen.mapping, "data": chosen.data, "seed": chosen.seed},
        "protocol": {"name": file.protocol.name, "sha256": file.sha256},
        "mapping": {"sha256": mapping_sha256},
        "data": sources,
        "made": {str(path.relative_to(folder)): sha256_of(path) for path in made},
        "with": {"python": platform.python_version(), "numpy": np.__version__, "polars": pl.__version__},
    }
    write_json(folder / "run.json", about)


def _command(chosen: argparse.Namespace) -> str:
    words = ["sevenfold", "analyse", "--protocol", chosen.protocol, "--data", chosen.data]
    words += ["--mapping", chosen.mapping] if chosen.mapping is not None else []
    return shlex.join([*words, *(["--seed", str(chosen.seed)] if chosen.seed != 1 else [])])


def _say(account: Account, estimates: Estimates, folder: Path) -> None:
    for count in account.counts:
        left_out = sum(count.left_out.values())
        why = f" ({'; '.join(f'{reason}: {n}' for reason, n in count.left_out.items())})" if left_out else ""
        print(f"{count.what}: {count.n_read} read = {count.n_kept} kept + {left_out} left out{why}")
    failed = [answer for answer in estimates.answers if answer.value is None and answer.bounds is None]
    for answer in failed:
        print(f"no answer: {answer.label} ({answer.method}): {answer.status.value}. {' '.join(answer.notes)}")
    print(f"Report: {folder / 'report.html'}")
