"""The keys of identities: one a subject, in a file that no backup takes, so that destroying a key destroys the entry
wherever it was copied to.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from sevenfold.errors import AuditBroken, InvalidInput
from sevenfold.sealing import open_sealed, seal
from sevenfold.service.identities.stored import rows, writing

__all__ = ["IdentityKeys"]

_KEY: Final = "CREATE TABLE IF NOT EXISTS key (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, sealed TEXT NOT NULL)"
_DESTROYED: Final = (
    "CREATE TABLE IF NOT EXISTS destroyed (subject TEXT PRIMARY KEY, at TEXT NOT NULL, reason TEXT NOT NULL)"
)
_ONE_A_SUBJECT: Final = ["subject", "sealed"]  # the columns of files of before: no key could lie beside another
_SEALED: Final = "SELECT sealed FROM key WHERE subject = ? ORDER BY rowid DESC"
_BYTES: Final = 32


@final
@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """A key for every subject whose identity is kept; none for one whose was destroyed.

    While an entry is written anew its old key lies beside the new one, so that one of the two opens whatever a server
    that was killed has left.

    Args:
        path: of the file, made when the first key is.
    """

    path: Path
    _sealing: bytes = field(repr=False)  # seals the keys themselves: the file alone opens nothing

    @property
    def is_there(self) -> bool:
        """Whether the file is."""
        return self.path.is_file()

    def new(self, subject: str) -> bytes:
        """A key for an entry, beside the one before."""
        key = secrets.token_hex(_BYTES)
        with self._writing() as connection:
            connection.execute("INSERT INTO key (subject, sealed) VALUES (?, ?)", (subject, self._sealed(subject, key)))
        return bytes.fromhex(key)

    def settle(self, subject: str) -> None:
        """The newest key is the subject's; those before are deleted and open nothing any more."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM key WHERE subject = ? AND id < (SELECT max(id) FROM key WHERE subject = ?)",
                (subject, subject),
            )
            connection.execute("DELETE FROM destroyed WHERE subject = ?", (subject,))

    def of(self, subject: str) -> bytes | None:
        """A subject's newest key; None where there is none, or none any more.

        Raises:
            AuditBroken: it was altered or moved, or the trial's key is another.
        """
        return next(iter(self.every_of(subject)), None)

    def every_of(self, subject: str) -> list[bytes]:
        """A subject's keys, the newest first: two where an entry was being written anew, else one or none.

        Raises:
            AuditBroken: there are some and none of them opens.
        """
        found, fault = [], None
        for (sealed,) in rows(self.path, "key", _SEALED, subject):
            try:
                found.append(bytes.fromhex(open_sealed(self._sealing, f"identity key {subject}", sealed)))
            except AuditBroken as error:
                fault = error
        if fault is not None and not found:
            raise fault
        return found

    def knows(self, subject: str) -> bool:
        """Whether a key is here, or was here until it was destroyed."""
        return bool(rows(self.path, "key", _SEALED, subject)) or subject in self.destroyed()

    def destroy(self, subject: str, at: str, reason: str) -> None:
        """Delete a key; its place in the file is written over with zeros. When and why is kept.

        Raises:
            InvalidInput: there is no file, so no key is here that could be deleted.
        """
        if not self.is_there:
            raise InvalidInput(f"No key is here that could be destroyed: {self.path} is missing. Put it back first.")
        with self._writing() as connection:
            connection.execute("DELETE FROM key WHERE subject = ?", (subject,))
            connection.execute("INSERT OR REPLACE INTO destroyed VALUES (?, ?, ?)", (subject, at, reason))

    def destroyed(self) -> dict[str, str]:
        """Whose identity was destroyed, and when."""
        return dict(rows(self.path, "destroyed", "SELECT subject, at FROM destroyed ORDER BY subject"))

    def _sealed(self, subject: str, key: str) -> str:
        return seal(self._sealing, f"identity key {subject}", key)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; the tables are made first, or brought up from those of before."""
        with writing(self.path) as connection:
            columns = [row[1] for row in connection.execute("PRAGMA table_info(key)")]
            if columns == _ONE_A_SUBJECT:
                connection.execute("ALTER TABLE key RENAME TO key_before")
            connection.execute(_KEY)
            if columns == _ONE_A_SUBJECT:
                connection.execute("INSERT INTO key (subject, sealed) SELECT subject, sealed FROM key_before")
                connection.execute("DROP TABLE key_before")
            connection.execute(_DESTROYED)
            yield connection
