"""The list of who the subjects are: each entry sealed under a key of its own, in a database of its own.

Nothing of it stands in the record but that an entry is kept or was destroyed. The database may be copied: without the
subject's key an entry is a sealed text of one length, and a key that was destroyed opens no copy.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from sevenfold.sealing import open_sealed, seal
from sevenfold.service.identities.identity import Identity
from sevenfold.service.identities.keys import IdentityKeys

__all__ = ["FILE", "Identities"]

FILE: Final = "identities.db"
"""In the trial's folder, whatever database the ledger lies in."""


@final
@dataclass(frozen=True, slots=True)
class Identities:
    """Who the subjects are.

    Args:
        path: of the database, made when the first entry is.
        keys: of the entries, in a file elsewhere.
    """

    path: Path
    keys: IdentityKeys

    def keep(self, subject: str, identity: Identity) -> None:
        """Keep who a subject is, in the place of what was kept before."""
        sealed = seal(self.keys.new(subject), _place(subject), identity.as_plain())
        with self._writing() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS identity (subject TEXT PRIMARY KEY, sealed TEXT NOT NULL)")
            connection.execute("INSERT OR REPLACE INTO identity VALUES (?, ?)", (subject, sealed))

    def of(self, subject: str) -> Identity | None:
        """Who a subject is; None where nothing is kept, or its key is gone.

        Raises:
            AuditBroken: the entry was altered or moved.
        """
        key = self.keys.of(subject) if self.path.is_file() else None
        if key is None:
            return None
        with closing(sqlite3.connect(self.path)) as connection:
            row = connection.execute("SELECT sealed FROM identity WHERE subject = ?", (subject,)).fetchone()
        return None if row is None else Identity(**open_sealed(key, _place(subject), row[0]))

    def destroy(self, subject: str, at: str, reason: str) -> None:
        """Destroy the key first, then the entry: from the first on nothing opens it, here or in a copy."""
        self.keys.destroy(subject, at, reason)
        with self._writing() as connection:
            connection.execute("DELETE FROM identity WHERE subject = ?", (subject,))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30.0)) as connection, connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            yield connection


def _place(subject: str) -> str:
    return f"identity {subject}"
