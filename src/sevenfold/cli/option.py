"""Options that several commands share, each with one text, and what a number on the command line may be."""

import argparse
from collections.abc import Callable

__all__ = ["COUNT", "PORT", "SEED", "THREADS", "add_out", "add_protocol", "add_quiet", "add_seed"]


def _whole(what: str, least: int, most: int, wanted: str) -> Callable[[str], int]:
    """Reads a whole number from ``least`` to ``most``, and says what is wanted where it is none."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{what} is a whole number, got {text!r}") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{wanted}, got {value}")
        return value

    return read


COUNT = _whole("a number of patients", 2, 100_000, "between 2 and 100000 patients")
PORT = _whole("a port", 0, 65_535, "a port lies between 0 and 65535")
SEED = _whole("a seed", 0, 2**63 - 1, "a seed lies between 0 and 2^63 - 1")
THREADS = _whole("a number of threads", 1, 1024, "between 1 and 1024 threads")


def add_protocol(command: argparse.ArgumentParser) -> None:
    """The protocol that a command is about."""
    command.add_argument("protocol", metavar="PROTOCOL", help="a built-in trial or the path of a protocol file")


def add_seed(command: argparse.ArgumentParser) -> None:
    """What decides every chance."""
    command.add_argument("--seed", type=SEED, default=1, help="whole number that decides every chance (default 1)")


def add_out(command: argparse.ArgumentParser) -> None:
    """The folder of what a command writes about a protocol's trial."""
    command.add_argument("--out", metavar="FOLDER", help="where everything is written (default out/<protocol's name>)")


def add_quiet(command: argparse.ArgumentParser, told: str = "no progress") -> None:
    """Silence while a command works."""
    command.add_argument("--quiet", action="store_true", help=told)
