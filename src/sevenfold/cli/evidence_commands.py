"""The commands that begin with what others measured, their tables or their publications: how each is called."""

import argparse

from sevenfold.cli.command import Commands, command_of
from sevenfold.cli.option import COUNT, SEED, THREADS, add_out, add_quiet

__all__ = ["add_analyse", "add_calibrate"]


def add_analyse(commands: Commands) -> None:
    """``analyse``: other people's data."""
    text = (
        "Analyse data that was collected elsewhere as a protocol plans, and report it. A mapping (YAML) says which "
        "column holds what; rows read, kept and left out are counted, with the reason. Reads CSV, Parquet, SAS "
        "transport (XPT) and Dataset-JSON. What cannot be read as what it should be is refused, every value named."
    )
    command = command_of(
        commands, "analyse", "analyse data from tables and report it", text,
        "sevenfold analyse --protocol examples/actg-175/protocol.yaml --data ACTG175.csv.gz",
        "sevenfold analyse --protocol p.yaml --mapping adam.yaml --data adam/ --out out/p --force",
    )  # fmt: skip
    command.add_argument("--protocol", required=True, metavar="PROTOCOL", help="a built-in trial or a protocol file")
    command.add_argument("--data", required=True, metavar="FOLDER_OR_FILE", help="a folder of tables, or one table")
    command.add_argument(
        "--mapping", metavar="FILE.yaml", help="which column holds what (default: mapping.yaml beside the protocol)"
    )
    add_out(command)
    command.add_argument("--seed", type=SEED, default=1, help="of re-randomisations and resamples (default 1)")
    command.add_argument("--force", action="store_true", help="replace an analysis that lies in the folder")
    add_quiet(command)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.analyse import analyse_data

        return analyse_data(chosen)

    command.set_defaults(run=run)


def add_calibrate(commands: Commands) -> None:
    """``calibrate``: parameters from evidence."""
    text = (
        "From published figures to a distribution of the IL-7 model's parameters: posterior A with IRIS-7 and IRIS-7C "
        "held out of the likelihood, posterior B with them as data. Without options both are made anew, in less than "
        "half an hour on two cores; Ctrl-C stops between two steps, --resume carries on. Exit code of --check and "
        "--sbc: 0 well, 2 wanting."
    )
    command = commands.add_parser("calibrate", help="calibrate the model to published evidence", description=text)
    what = command.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="recompute what the shipped posteriors say, in minutes")
    what.add_argument(
        "--sbc", type=COUNT, metavar="N", help="simulation-based calibration of the method, N synthetic data sets"
    )
    what.add_argument("--resume", action="store_true", help="carry a stopped calibration on")
    command.add_argument("--force", action="store_true", help="begin anew where a calibration lies in the folder")
    command.add_argument(
        "--out",
        metavar="FOLDER",
        help="default out/calibrate; with --check, the folder to check in place of what is shipped",
    )
    command.add_argument("--evidence", metavar="FILE.yaml", help="experiments in place of the shipped ones")
    command.add_argument("--seed", type=SEED, help="whole number that decides every chance (default 1)")
    command.add_argument("--sweeps", type=COUNT, metavar="N", help="of the 400 chains, kept (default 16)")
    command.add_argument(
        "--threads", type=THREADS, default=2, metavar="N", help="default 2; the answer does not depend on it"
    )
    add_quiet(command)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.calibrate import calibrate

        return calibrate(chosen)

    command.set_defaults(run=run)
