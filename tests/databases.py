"""A private PostgreSQL for tests: a cluster in a folder, on a socket, as a user who is not root."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

import pytest
import sqlalchemy as sa

from sevenfold.record.place import place_of

__all__ = ["Cluster", "start_cluster"]

_PLACES: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_USER: Final = "trial"


@final
@dataclass(slots=True)
class Cluster:
    """A running PostgreSQL that nobody else uses."""

    folder: Path
    programs: Path
    _count: "itertools.count[int]" = field(default_factory=itertools.count)

    def new(self) -> sa.URL:
        """The address of a new, empty database."""
        name = f"trial_{next(self._count)}"
        self._run("createdb", "-h", str(self.folder), "-U", _USER, name)
        address = place_of(f"postgresql://{_USER}@/{name}?host={self.folder}")
        assert isinstance(address, sa.URL)
        return address

    def do(self, address: sa.URL, *statements: str) -> None:
        """Do what only somebody at the database itself can: as its owner, past the program."""
        engine = sa.create_engine(
            "postgresql+pg8000://", connect_args={"unix_sock": f"{self.folder}/.s.PGSQL.5432", "user": _USER,
            "database": address.database}, poolclass=sa.NullPool,
        )  # fmt: skip
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def restart(self) -> None:
        """Break it off as a failing machine would, and start it again: what it had promised must be there."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "restart", "-l", self._log)

    def stop(self) -> None:
        """End it."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Make it and start it."""
        data = self.folder / "data"
        self._run("initdb", "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nmax_connections = 200\n")
        self._run("pg_ctl", "-D", str(data), "-w", "-l", self._log, "start")

    @property
    def _log(self) -> str:
        return str(self.folder / "log")

    def _run(self, program: str, *arguments: str) -> None:
        user = _somebody() if os.getuid() == 0 else None
        done = subprocess.run(
            [self.programs / program, *arguments], user=user, group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [], cwd=self.folder, check=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        )  # fmt: skip
        assert done.returncode == 0, (program, done.stderr)


def start_cluster() -> Cluster:
    """A cluster in a folder of its own; skips where PostgreSQL is not there, which is an error where
    ``SEVENFOLD_NEEDS_SERVICES`` says so.
    """
    if not _PLACES:
        why = "needs PostgreSQL's programs in /usr/lib/postgresql/*/bin (apt-get install postgresql)"
        if os.environ.get("SEVENFOLD_NEEDS_SERVICES"):
            pytest.fail(f"SEVENFOLD_NEEDS_SERVICES is set, and this test {why}", pytrace=False)
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path is short
    folder.chmod(0o755)
    if os.getuid() == 0:
        shutil.chown(folder, _somebody())
    cluster = Cluster(folder, _PLACES[0])
    cluster.start()
    return cluster


def _somebody() -> str:
    """A user who is not root: PostgreSQL refuses to run as root."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)
