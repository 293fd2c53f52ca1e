"""The command line: parse, call, print. Nothing is imported before it is known which command is wanted."""

import argparse
import signal
import sys
from collections.abc import Sequence

from sevenfold import __version__
from sevenfold.cli.command import command_of
from sevenfold.cli.keeping_commands import add_keeping
from sevenfold.cli.model_commands import add_model
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
    _add_run(commands)
    _add_check(commands)
    _add_verify(commands)
    _add_unblind(commands)
    _add_serve(commands)
    add_keeping(commands)
    _add_new(commands)
    _add_analyse(commands)
    _add_levels(commands)
    _add_boundary(commands)
    _add_calibrate(commands)
    add_model(commands)
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = (
        "Rehearse a trial on virtual patients, from the first site's opening to the report. The same seed "
        "gives the same data, "
        "byte for byte, whatever the number of threads."
    )
    command = command_of(
        commands, "run", "rehearse a trial and report it", text,
        "sevenfold run iris-7",
        "sevenfold run my-trial.yaml --seed 7 --patients 20 --out out/small",
        "sevenfold run iris-7 --assume treatment_effect_through_alc=1 --force",
    )  # fmt: skip
    command.add_argument(
        "protocol", metavar="PROTOCOL", help="a built-in trial (iris-7, iris-7c) or the path of a protocol file"
    )
    command.add_argument("--seed", type=_seed, default=1, help="whole number that decides every chance (default 1)")
    command.add_argument("--out", metavar="FOLDER", help="where everything is written (default out/<protocol's name>)")
    command.add_argument(
        "--patients", type=_count, metavar="N", help="subjects to randomise (default: as the protocol plans)"
    )
    command.add_argument(
        "--assume", action="append", default=[], metavar="NAME=VALUE",
        help="change an assumption of the virtual ICU, e.g. treatment_effect_through_alc=1; may be repeated; "
        "`--assume list` prints their names, values and ranges",
    )  # fmt: skip
    command.add_argument(
        "--parameters",
        choices=("typical", "posterior"),
        default="typical",
        help="the virtual patients' population: the shipped typical values (default), or one draw of the posterior",
    )
    command.add_argument(
        "--blinded",
        action="store_true",
        help="stop at database lock: no unblinding, no analysis by arm, no report; the secrets are drawn afresh, "
        "whatever the seed, and kept in a key file",
    )
    command.add_argument(
        "--key", metavar="FILE", help="where a blinded run keeps its key (default: beside the folder, FOLDER.key)"
    )
    command.add_argument("--force", action="store_true", help="replace a run that lies in the folder")
    command.add_argument("--quiet", action="store_true", help="no progress, only where the report lies")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.run import run_trial

        return run_trial(chosen)

    command.set_defaults(run=run)


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "Check a protocol file: every fault with its line; if there is none, its schedule and arms as a table."
    command = command_of(
        commands, "check", "check a protocol file", text,
        "sevenfold check iris-7",
        "sevenfold check my-trial.yaml --assumptions",
    )  # fmt: skip
    command.add_argument("protocol", metavar="PROTOCOL", help="a built-in trial or the path of a protocol file")
    command.add_argument(
        "--assumptions", action="store_true", help="list every value that is an assumption or not verified"
    )

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.check import check_protocol

        return check_protocol(chosen)

    command.set_defaults(run=run)


def _add_verify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = (
        "Verify a ledger: every event against its hash and the one before it, the last against the signed "
        "head, and after unblinding "
        "the allocation against what was committed to. With a head that was kept elsewhere (run.json holds "
        "one) a ledger that was "
        "cut short or chained anew is found too; without one, an older head that was put back with the "
        "ledger cut to it is not. A rehearsal signs with a key that follows from its seed, unless it was made with "
        "--blinded: whoever knows the seed can sign anew, so keep a head elsewhere where that matters. Exit code 0 if "
        "it is whole, 2 if not."
    )
    command = command_of(
        commands, "verify", "verify a ledger", text,
        "sevenfold verify out/iris-7/trial.db",
        "sevenfold verify trial.db --head kept-elsewhere/run.json",
        "sevenfold verify postgresql://trial@db.example/iris7 --head heads/",
    )  # fmt: skip
    command.add_argument(
        "ledger", metavar="TRIAL.DB", help="the ledger's file, or postgresql://user@host/database where it lies there"
    )
    command.add_argument(
        "--head",
        metavar="FILE",
        help="a head kept elsewhere, or a folder of them (default: run.json or heads/ beside the ledger, if there)",
    )
    command.add_argument(
        "--key", metavar="FILE", help="the run's key: its signature and the vault beside the ledger are checked too"
    )
    command.add_argument("--vault", metavar="FILE", help="the vault, where it does not lie beside the ledger")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.verify import verify_ledger

        return verify_ledger(chosen)

    command.set_defaults(run=run)


def _add_unblind(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = (
        "Unblind a run that was made with --blinded: its ledger is verified, the allocation and the masked results are "
        "revealed in one event, and data by arm, estimates and report are written into its folder."
    )
    command = command_of(
        commands, "unblind", "unblind a blinded run and report it", text,
        "sevenfold run iris-7 --blinded --out out/blind",
        "sevenfold unblind out/blind",
        "sevenfold unblind out/blind --key kept-apart/blind.key",
    )  # fmt: skip
    command.add_argument("folder", metavar="FOLDER", help="the run's folder")
    command.add_argument("--key", metavar="FILE", help="the run's key (default: beside the folder, FOLDER.key)")
    command.add_argument("--quiet", action="store_true", help="no progress, only where the report lies")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.unblind import unblind_run

        return unblind_run(chosen)

    command.set_defaults(run=run)


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = (
        "Run a trial: web pages for everybody who works in it, on this machine alone unless a proxy with TLS stands "
        "before it. The first start makes ledger, vault, people and key in a folder and prints a link for the first "
        "administrator; later starts go on where the trial stands. --demo shows a rehearsed trial in progress in which "
        "anybody may come in as anybody."
    )
    command = command_of(
        commands, "serve", "run a trial: pages for the people who work in it", text,
        "sevenfold serve --demo",
        "sevenfold serve --protocol iris-7",
        "sevenfold serve --folder serve/iris-7 --port 8100",
        "sevenfold serve --protocol iris-7 --database postgresql://trial@db.example/iris7",
    )  # fmt: skip
    command.add_argument(
        "--protocol", metavar="PROTOCOL", help="a built-in trial or a protocol file (default: the folder's, or iris-7)"
    )
    command.add_argument("--folder", metavar="FOLDER", help="where the trial lies (default serve/<protocol's name>)")
    command.add_argument("--demo", action="store_true", help="a rehearsed trial in progress, in a folder of its own")
    command.add_argument(
        "--key",
        metavar="FILE",
        help="the trial's key: a file, one that was locked by `sevenfold lock-key`, or env:NAME for the environment "
        "(default: beside the folder, FOLDER.key)",
    )
    command.add_argument(
        "--database",
        metavar="URL",
        help="PostgreSQL for ledger and people, e.g. postgresql://user@host/database (or SEVENFOLD_DATABASE; the "
        "password from PGPASSWORD); default: files in the folder, where the vault always lies",
    )
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1, this machine)")
    command.add_argument("--port", type=_port, default=8707, help="port to listen on (default 8707)")
    command.add_argument(
        "--address",
        metavar="URL",
        help="under which people reach the pages, such as https://trial.example; links for new people begin with it",
    )
    command.add_argument(
        "--behind-tls", action="store_true", help="a proxy with TLS stands before it; needed for any other address"
    )
    command.add_argument("--quiet", action="store_true", help="no progress")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.serve import serve

        return serve(chosen)

    command.set_defaults(run=run)


def _port(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a port is a whole number, got {text!r}") from None
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"a port lies between 0 and 65535, got {value}")
    return value


def _add_new(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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


def _add_analyse(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    command.add_argument("--out", metavar="FOLDER", help="where everything is written (default out/<protocol's name>)")
    command.add_argument("--seed", type=_seed, default=1, help="of re-randomisations and resamples (default 1)")
    command.add_argument("--force", action="store_true", help="replace an analysis that lies in the folder")
    command.add_argument("--quiet", action="store_true", help="no progress")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.analyse import analyse_data

        return analyse_data(chosen)

    command.set_defaults(run=run)


def _add_levels(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    command.add_argument("protocol", metavar="PROTOCOL", help="a built-in trial or the path of a protocol file")
    command.add_argument("--trials", type=_count, default=1000, metavar="N", help="trials to draw (default 1000)")
    command.add_argument("--pool", type=_count, default=400, metavar="N", help="virtual patients (default 400)")
    command.add_argument("--seed", type=_seed, default=1, help="whole number that decides every chance (default 1)")
    command.add_argument("--out", metavar="FOLDER", help="where it is written (default out/<protocol's name>-levels)")
    command.add_argument("--force", action="store_true", help="replace what such a command left in the folder")
    command.add_argument("--quiet", action="store_true", help="no progress")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.levels import print_levels

        return print_levels(chosen)

    command.set_defaults(run=run)


def _add_boundary(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    command.add_argument("--subjects", type=_count, required=True, metavar="N", help="treated, at the last look")
    command.add_argument(
        "--wrongly", type=_share, default=0.10, metavar="CHANCE", help="of reaching it at the background (default 0.1)"
    )
    command.add_argument("--replay", metavar="X/N", help="totals of a trial, such as 3/15")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.boundary import print_boundary

        return print_boundary(chosen)

    command.set_defaults(run=run)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a rate is a number such as 0.1, got {text!r}") from None
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"a rate lies above 0 and below 1, got {text}; write 10 % as 0.1")
    return value


def _add_calibrate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
        "--sbc", type=_count, metavar="N", help="simulation-based calibration of the method, N synthetic data sets"
    )
    what.add_argument("--resume", action="store_true", help="carry a stopped calibration on")
    command.add_argument("--force", action="store_true", help="begin anew where a calibration lies in the folder")
    command.add_argument(
        "--out",
        metavar="FOLDER",
        help="default out/calibrate; with --check, the folder to check in place of what is shipped",
    )
    command.add_argument("--evidence", metavar="FILE.yaml", help="experiments in place of the shipped ones")
    command.add_argument("--seed", type=_seed, help="whole number that decides every chance (default 1)")
    command.add_argument("--sweeps", type=_count, metavar="N", help="of the 400 chains, kept (default 16)")
    command.add_argument(
        "--threads", type=_threads, default=2, metavar="N", help="default 2; the answer does not depend on it"
    )
    command.add_argument("--quiet", action="store_true", help="no progress")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.calibrate import calibrate

        return calibrate(chosen)

    command.set_defaults(run=run)


def _threads(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number of threads is a whole number, got {text!r}") from None
    if not 1 <= value <= 1024:
        raise argparse.ArgumentTypeError(f"between 1 and 1024 threads, got {value}")
    return value


def _seed(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a seed is a whole number, got {text!r}") from None
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"a seed lies between 0 and 2^63 - 1, got {value}")
    return value


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number of patients is a whole number, got {text!r}") from None
    if not 2 <= value <= 100_000:
        raise argparse.ArgumentTypeError(f"between 2 and 100000 patients, got {value}")
    return value
