"""The command line: parse, call, print. Nothing is imported before it is known which command is wanted."""

import argparse
import signal
import sys
from collections.abc import Sequence

from sevenfold import __version__
from sevenfold.cli.evidence_commands import add_analyse, add_calibrate
from sevenfold.cli.keeping_commands import add_keeping
from sevenfold.cli.model_commands import add_model
from sevenfold.cli.plan_commands import add_boundary, add_check, add_levels, add_new, add_resupply
from sevenfold.cli.trial_commands import add_run, add_serve, add_unblind, add_verify
from sevenfold.errors import SevenfoldError

__all__ = ["main"]

_ABOUT = """\
Write a trial once: one protocol file is checked, rehearsed on virtual patients, analysed and reported.

  sevenfold run iris-7                 rehearse the built-in trial IRIS-7; the report lies in out/iris-7/report.html
  sevenfold run iris-7c --seed 7       another trial, other patients
  sevenfold new my-trial.yaml          a commented protocol to start from
  sevenfold check my-trial.yaml        is it sound? its schedule and arms as a table
  sevenfold analyse --protocol p.yaml --data tables/
                                       analyse other people's data as a protocol plans; needs a mapping of columns
  sevenfold levels iris-7              how often does each test of the plan err where nothing differs?
  sevenfold calibrate --check          do the shipped parameters follow from the published evidence?
  sevenfold verify out/iris-7/trial.db is the ledger what its chain and its signed head say?
  sevenfold serve --demo               a trial in progress, to be clicked through in every role
  sevenfold boundary --help            how many events are too many?
  sevenfold resupply iris-7            how many vials will each site need, and what to send first?
  sevenfold model show il7             the patient behind it: equations, parameters with sources, a diagram
  sevenfold unblind out/iris-7         open a run that was made with --blinded, with its key, and report it

Exit code 0: done, and sound. 2: refused, found wanting (a fault in a protocol, a tampered ledger) or interrupted; the
message says which. `sevenfold COMMAND --help` tells more of each. For research; not medical advice.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; answers the exit code: 0 well, 2 refused, found wanting or interrupted, each with its message."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if "run" not in chosen:
        parser.print_help()
        return 0
    try:
        code: int = chosen.run(chosen)
    except SevenfoldError as error:
        print(f"sevenfold: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("sevenfold: interrupted.", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    finally:
        if arguments is None:  # the process ends here: a late Ctrl-C must not say that what was done was not
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sevenfold", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"sevenfold {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    add_run(commands)
    add_check(commands)
    add_verify(commands)
    add_unblind(commands)
    add_serve(commands)
    add_keeping(commands)
    add_new(commands)
    add_analyse(commands)
    add_levels(commands)
    add_boundary(commands)
    add_resupply(commands)
    add_calibrate(commands)
    add_model(commands)
    return parser
