"""The keys of identities: one a subject, in a file that no backup takes, so that destroying a key destroys the entry
wherever it was copied to.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from sevenfold.edge.keys import key_beside
from sevenfold.sealing import open_sealed, seal

__all__ = ["IdentityKeys", "keys_beside"]

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS key (subject TEXT PRIMARY KEY, sealed TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS destroyed (subject TEXT PRIMARY KEY, at TEXT NOT NULL, reason TEXT NOT NULL)",
)
_BYTES: Final = 32


def keys_beside(key: Path, folder: Path) -> Path:
    """Where the keys of identities lie: beside the trial's key, or beside its folder where the key lies in no file; in
    either case outside the folder, which backups are taken of.
    """
    return (key if key.is_file() else key_beside(folder)).with_suffix(".identities")


@final
@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """A key for every subject whose identity is kept; none for one whose was destroyed.

    Args:
        path: of the file, made when the first key is.
    """

    path: Path
    _sealing: bytes = field(repr=False)  # seals the keys themselves: the file alone opens nothing

    def new(self, subject: str) -> bytes:
        """A key for an entry; the one before opens nothing any more."""
        key = secrets.token_hex(_BYTES)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            self.path.touch(mode=0o600)
        with self._writing() as connection:
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT OR REPLACE INTO key VALUES (?, ?)", (subject, self._sealed(subject, key)))
            connection.execute("DELETE FROM destroyed WHERE subject = ?", (subject,))
        return bytes.fromhex(key)

    def of(self, subject: str) -> bytes | None:
        """A subject's key; None where there is none, or none any more."""
        if not self.path.is_file():
            return None
        with closing(sqlite3.connect(self.path)) as connection:
            row = connection.execute("SELECT sealed FROM key WHERE subject = ?", (subject,)).fetchone()
        return None if row is None else bytes.fromhex(open_sealed(self._sealing, f"identity key {subject}", row[0]))

    def destroy(self, subject: str, at: str, reason: str) -> None:
        """Delete a key; its place in the file is written over with zeros. When and why is kept."""
        with self._writing() as connection:
            connection.execute("DELETE FROM key WHERE subject = ?", (subject,))
            connection.execute("INSERT OR REPLACE INTO destroyed VALUES (?, ?, ?)", (subject, at, reason))

    def destroyed(self) -> dict[str, str]:
        """Whose identity was destroyed, and when."""
        if not self.path.is_file():
            return {}
        with closing(sqlite3.connect(self.path)) as connection:
            return dict(connection.execute("SELECT subject, at FROM destroyed ORDER BY subject").fetchall())

    def _sealed(self, subject: str, key: str) -> str:
        return seal(self._sealing, f"identity key {subject}", key)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk when it ends. There is no write-ahead log: old pages would stay in it."""
        with closing(sqlite3.connect(self.path, timeout=30.0)) as connection, connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA synchronous=EXTRA")
            connection.execute("PRAGMA secure_delete=ON")
            yield connection
