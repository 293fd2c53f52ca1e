"""The commands that help to write a protocol and look ahead from it: how each is called."""

import argparse

from sevenfold.cli.command import Commands, command_of
from sevenfold.cli.option import COUNT, add_protocol, add_quiet, add_seed

__all__ = ["add_boundary", "add_check", "add_levels", "add_new", "add_resupply"]


def add_new(commands: Commands) -> None:
    """``new``: a protocol to start from."""
    text = "Write a commented protocol to start from, and beside it the schema by which an editor completes it."
    command = command_of(
        commands, "new", "write a protocol to start from", text,
        "sevenfold new my-trial.yaml",
    )  # fmt: skip
    command.add_argument("path", metavar="FILE.yaml", help="where to write it; an existing file is never overwritten")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.new import write_new

        return write_new(chosen)

    command.set_defaults(run=run)


def add_check(commands: Commands) -> None:
    """``check``: is a protocol sound?"""
    text = "Check a protocol file: every fault with its line; if there is none, its schedule and arms as a table."
    command = command_of(
        commands, "check", "check a protocol file", text,
        "sevenfold check iris-7",
        "sevenfold check my-trial.yaml --assumptions",
    )  # fmt: skip
    add_protocol(command)
    command.add_argument(
        "--assumptions", action="store_true", help="list every value that is an assumption or not verified"
    )

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.check import check_protocol

        return check_protocol(chosen)

    command.set_defaults(run=run)


def add_levels(commands: Commands) -> None:
    """``levels``: how often a plan errs."""
    text = (
        "How often each test of a plan finds a difference where there is none. Virtual patients, all on placebo, are "
        "drawn into trials of the planned size and randomised by the protocol's own blocks; each trial is analysed by "
        "the code that analyses a real one. Exit code 2 if the primary analysis exceeds its level. Some minutes."
    )
    command = command_of(
        commands, "levels", "how often does each test of a plan err?", text,
        "sevenfold levels iris-7",
        "sevenfold levels my-trial.yaml --trials 200 --pool 150",
    )  # fmt: skip
    add_protocol(command)
    command.add_argument("--trials", type=COUNT, default=1000, metavar="N", help="trials to draw (default 1000)")
    command.add_argument("--pool", type=COUNT, default=400, metavar="N", help="virtual patients (default 400)")
    add_seed(command)
    command.add_argument("--out", metavar="FOLDER", help="where it is written (default out/<protocol's name>-levels)")
    command.add_argument("--force", action="store_true", help="replace what such a command left in the folder")
    add_quiet(command)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.levels import print_levels

        return print_levels(chosen)

    command.set_defaults(run=run)


def add_boundary(commands: Commands) -> None:
    """``boundary``: how many events are too many."""
    text = (
        "A stopping boundary on the rate of an event, chosen from the rate at which it happens anyway and the highest "
        "that could be borne: how many events among how many treated are too many, how often that happens at which "
        "rate, and whether totals in print would have reached it."
    )
    command = command_of(
        commands, "boundary", "how many events are too many?", text,
        "sevenfold boundary --background 0.1 --tolerable 0.25 --subjects 40",
        "sevenfold boundary --background 0.1 --tolerable 0.25 --subjects 40 --replay 3/15",
    )  # fmt: skip
    command.add_argument("--background", type=_share, required=True, metavar="RATE", help="at which it happens anyway")
    command.add_argument("--tolerable", type=_share, required=True, metavar="RATE", help="the highest to be borne")
    command.add_argument("--subjects", type=COUNT, required=True, metavar="N", help="treated, at the last look")
    command.add_argument(
        "--wrongly", type=_share, default=0.10, metavar="CHANCE", help="of reaching it at the background (default 0.1)"
    )
    command.add_argument("--replay", metavar="X/N", help="totals of a trial, such as 3/15")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.boundary import print_boundary

        return print_boundary(chosen)

    command.set_defaults(run=run)


def add_resupply(commands: Commands) -> None:
    """``resupply``: vials that sites need."""
    text = (
        "Simulate enrolment and dosing by the plan alone, and print of every site and product how many vials are "
        "needed, how likely a first consignment runs out before the next delivery, and what to order. Arms are drawn "
        "by the protocol's scheme. Of a trial that runs, the pharmacist's page tells it by what was seen."
    )
    command = command_of(
        commands, "resupply", "forecast the vials that sites need", text,
        "sevenfold resupply iris-7",
        "sevenfold resupply my-trial.yaml --first 20 --horizon 180 --lead 21 --probability 0.02",
    )  # fmt: skip
    add_protocol(command)
    command.add_argument("--first", type=int, default=10, metavar="N", help="vials sent first (default 10)")
    command.add_argument("--horizon", type=int, default=90, metavar="DAYS", help="how far ahead (default 90)")
    command.add_argument("--lead", type=int, default=14, metavar="DAYS", help="from order to delivery (default 14)")
    command.add_argument(
        "--probability", type=float, default=0.05, help="accepted, of running out after the delivery (default 0.05)"
    )
    command.add_argument(
        "--randomised", type=float, default=0.5, metavar="SHARE",
        help="of those screened, how many are randomised (default 0.5)",
    )  # fmt: skip
    add_seed(command)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.resupply import print_resupply

        return print_resupply(chosen)

    command.set_defaults(run=run)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a rate is a number such as 0.1, got {text!r}") from None
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"a rate lies above 0 and below 1, got {text}; write 10 % as 0.1")
    return value
