"""The commands of a trial, rehearsed or real: how each is called."""

import argparse

from sevenfold.cli.command import Commands, command_of
from sevenfold.cli.option import COUNT, PORT, add_out, add_quiet, add_seed

__all__ = ["add_run", "add_serve", "add_unblind", "add_verify"]


def add_run(commands: Commands) -> None:
    """``run``: rehearse a trial."""
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
    add_seed(command)
    add_out(command)
    command.add_argument(
        "--patients", type=COUNT, metavar="N", help="subjects to randomise (default: as the protocol plans)"
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
    add_quiet(command, "no progress, only where the report lies")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.run import run_trial

        return run_trial(chosen)

    command.set_defaults(run=run)


def add_unblind(commands: Commands) -> None:
    """``unblind``: open a blinded run."""
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
    add_quiet(command, "no progress, only where the report lies")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.unblind import unblind_run

        return unblind_run(chosen)

    command.set_defaults(run=run)


def add_verify(commands: Commands) -> None:
    """``verify``: is a ledger whole?"""
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


def add_serve(commands: Commands) -> None:
    """``serve``: run a trial."""
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
    command.add_argument("--port", type=PORT, default=8707, help="port to listen on (default 8707)")
    command.add_argument(
        "--address",
        metavar="URL",
        help="under which people reach the pages, such as https://trial.example; links for new people begin with it",
    )
    command.add_argument(
        "--behind-tls", action="store_true", help="a proxy with TLS stands before it; needed for any other address"
    )
    add_quiet(command)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.serve import serve

        return serve(chosen)

    command.set_defaults(run=run)
