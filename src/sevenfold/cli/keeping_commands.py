"""The commands that keep a trial elsewhere: how each is called."""

import argparse

from sevenfold.cli.command import Commands, command_of

__all__ = ["add_keeping"]

_FOLDER = "the trial's folder, as `sevenfold serve` made it"
_DATABASE = "the address with its password, where PGPASSWORD does not say it (default: the folder's)"


def add_keeping(commands: Commands) -> None:
    """``backup``, ``restore``, ``archive``, ``head``, ``envelopes``, ``lock-key``."""
    _add_backup(commands)
    _add_restore(commands)
    _add_archive(commands)
    _add_head(commands)
    _add_envelopes(commands)
    _add_lock_key(commands)


def _add_backup(commands: Commands) -> None:
    text = (
        "Back a trial up while its server runs: one consistent moment of ledger and people, the vault, protocol and "
        "exported heads, verified, in a new folder of the same form for either database. The key is never in it."
    )
    command = command_of(
        commands, "backup", "back a trial up while it runs", text,
        "sevenfold backup serve/iris-7 --to /backup/iris-7-monday",
    )  # fmt: skip
    command.add_argument("folder", metavar="FOLDER", help=_FOLDER)
    command.add_argument("--to", required=True, metavar="FOLDER", help="a new folder; nothing is overwritten")
    command.add_argument("--database", metavar="URL", help=_DATABASE)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.keeping import back_up_trial

        return back_up_trial(chosen)

    command.set_defaults(run=run)


def _add_restore(commands: Commands) -> None:
    text = (
        "Put a backup into a new folder, and its ledger and people into a database if one is named; the chain goes on "
        "where it stood. Everything is checked first, and nothing is overwritten. So a trial is also moved from files "
        "into PostgreSQL or back."
    )
    command = command_of(
        commands, "restore", "put a backup back, elsewhere", text,
        "sevenfold restore /backup/iris-7-monday --folder serve/iris-7-again --key kept/iris-7.key",
        "sevenfold restore /backup/iris-7-monday --folder serve/moved --database postgresql://trial@db.example/iris7",
    )  # fmt: skip
    command.add_argument("backup", metavar="BACKUP", help="the folder that `sevenfold backup` made")
    command.add_argument("--folder", required=True, metavar="FOLDER", help="a new folder, or an empty one")
    command.add_argument(
        "--database", metavar="URL", help="an empty PostgreSQL database (default: files in the folder)"
    )
    command.add_argument("--key", metavar="FILE", help="the trial's key: the vault is checked against the ledger too")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.keeping import restore_trial

        return restore_trial(chosen)

    command.set_defaults(run=run)


def _add_archive(commands: Commands) -> None:
    text = (
        "Write one zip of open formats: events as JSON lines, protocol, signed head, tables as CSV, a README, and a "
        "script in bare Python that verifies the chain. Before the unblinding it holds no arm."
    )
    command = command_of(
        commands, "archive", "write a trial into one zip of open formats", text,
        "sevenfold archive serve/iris-7 --to iris-7.zip",
    )  # fmt: skip
    command.add_argument("folder", metavar="FOLDER", help="a trial's folder, or a run's")
    command.add_argument("--to", required=True, metavar="FILE.zip", help="a new file; nothing is overwritten")
    command.add_argument("--database", metavar="URL", help=_DATABASE)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.keeping import archive_trial

        return archive_trial(chosen)

    command.set_defaults(run=run)


def _add_head(commands: Commands) -> None:
    text = (
        "Export the signed head of a trial's ledger as it is now, into a file that is never overwritten. Kept "
        "elsewhere, it finds a ledger that was cut short or chained anew. The server exports one a day by itself."
    )
    command = command_of(
        commands, "head", "export the signed head of a ledger", text,
        "sevenfold head serve/iris-7",
        "sevenfold head serve/iris-7 --to /mnt/elsewhere",
    )  # fmt: skip
    command.add_argument("folder", metavar="FOLDER", help=_FOLDER)
    command.add_argument("--to", metavar="FOLDER", help="where it is written (default: heads in the trial's folder)")
    command.add_argument("--database", metavar="URL", help=_DATABASE)

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.keeping import export_trial_head

        return export_trial_head(chosen)

    command.set_defaults(run=run)


def _add_envelopes(commands: Commands) -> None:
    text = (
        "Write a site's sealed envelopes, which show one subject's treatment in an emergency when the server is down "
        "or a second factor is lost. Two pages: one opens envelopes in any browser without a network and says nothing "
        "without a code; the other holds the codes, a card each, to be printed and sealed in paper. Neither says an "
        "arm. Give them to two people: whoever has both knows everything."
    )
    command = command_of(
        commands, "envelopes", "write a site's sealed envelopes for emergencies", text,
        "sevenfold envelopes serve/iris-7 --site FR-1 --to envelopes/",
        "sevenfold envelopes serve/iris-7 --site FR-1 --to envelopes-fr/ --language fr",
    )  # fmt: skip
    command.add_argument("folder", metavar="FOLDER", help=_FOLDER)
    command.add_argument("--site", required=True, metavar="SITE", help="as the protocol calls it")
    command.add_argument("--to", required=True, metavar="FOLDER", help="where the two pages are written")
    command.add_argument("--key", metavar="FILE", help="the trial's key (default: beside the folder, FOLDER.key)")
    command.add_argument("--language", choices=("en", "fr"), default="en", help="of the pages (default en)")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.keeping import write_site_envelopes

        return write_site_envelopes(chosen)

    command.set_defaults(run=run)


def _add_lock_key(commands: Commands) -> None:
    text = (
        "Lock a key with a passphrase of two halves, each known to one person: neither opens the vault alone. Every "
        "command that needs the key then asks both, or reads SEVENFOLD_KEY_HALF_1 and SEVENFOLD_KEY_HALF_2. The key "
        "that lay open is destroyed by you, when the locked one was tried. A lost half can't be replaced."
    )
    command = command_of(
        commands, "lock-key", "lock a key with a passphrase of two halves", text,
        "sevenfold lock-key serve/iris-7.key --to serve/iris-7.locked",
        "sevenfold serve --folder serve/iris-7 --key serve/iris-7.locked",
    )  # fmt: skip
    command.add_argument("key", metavar="KEY", help="a key file, or env:NAME for a key in the environment")
    command.add_argument("--to", required=True, metavar="FILE", help="the new, locked key file")

    def run(chosen: argparse.Namespace) -> int:
        from sevenfold.cli.keeping import lock_key

        return lock_key(chosen)

    command.set_defaults(run=run)
