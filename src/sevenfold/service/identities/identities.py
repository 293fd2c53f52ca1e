"""The list of who the subjects are: each entry sealed under a key of its own, in a database of its own.

Nothing of it stands in the record but that an entry is kept or was destroyed. The database may be copied: without the
subject's key an entry is a sealed text of one length, and a key that was destroyed opens no copy.
"""

import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from sevenfold.errors import AuditBroken, SevenfoldError
from sevenfold.sealing import open_sealed, seal
from sevenfold.service.identities.identity import Identity
from sevenfold.service.identities.keys import IdentityKeys
from sevenfold.service.identities.place import keep_place
from sevenfold.service.identities.stored import rows, writing
from sevenfold.service.log import noted

__all__ = ["FAULTS", "FILE", "Entry", "Identities"]

FILE: Final = "identities.db"
"""In the trial's folder, whatever database the ledger lies in."""

_SEALED: Final = "SELECT sealed FROM identity WHERE subject = ?"

FAULTS: Final = (SevenfoldError, sqlite3.Error, OSError, TypeError, ValueError)
"""What looking into a damaged database or at an altered entry raises."""


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """What can be told of a subject's entry.

    Args:
        identity: who it is; None where nothing is kept or it can't be opened.
        is_closed: there is an entry and no key opens it, or the databases can't be read.
        destroyed_at: when its key was destroyed, ISO 8601; None where it was not.
    """

    identity: Identity | None = None
    is_closed: bool = False
    destroyed_at: str | None = None


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
        """Keep who a subject is, in the place of what was kept before.

        The old key goes when the new entry is on the disk: whenever the server is killed, what lies there opens.
        """
        keep_place(self.path.parent, self.keys.path)
        sealed = seal(self.keys.new(subject), _place(subject), identity.as_plain())
        with writing(self.path) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS identity (subject TEXT PRIMARY KEY, sealed TEXT NOT NULL)")
            connection.execute("INSERT OR REPLACE INTO identity VALUES (?, ?)", (subject, sealed))
        self.keys.settle(subject)

    def of(self, subject: str) -> Identity | None:
        """Who a subject is; None where nothing is kept, or its key is gone.

        Raises:
            AuditBroken: the entry was altered or moved, or is sealed under a key that is not here.
            sqlite3.Error: a database is damaged.
        """
        found = rows(self.path, "identity", _SEALED, subject)
        fault = None
        for key in self.keys.every_of(subject) if found else []:
            try:
                return Identity(**open_sealed(key, _place(subject), found[0][0]))
            except AuditBroken as error:
                fault = error
        if fault is not None:
            raise fault
        return None

    def entry(self, subject: str) -> Entry:
        """What can be told of a subject's entry, whatever is wrong with it; a fault is logged."""
        try:
            at = self.keys.destroyed().get(subject)
            identity = self.of(subject)
            is_closed = identity is None and at is None and bool(rows(self.path, "identity", _SEALED, subject))
        except FAULTS as error:
            noted("identity.closed", level=logging.ERROR, subject=subject, kind=type(error).__name__)
            return Entry(is_closed=True)
        return Entry(identity, is_closed, at)

    def destroy(self, subject: str, at: str, reason: str) -> None:
        """Destroy the key first, then the entry: from the first on nothing opens it, here or in a copy.

        Raises:
            InvalidInput: there is no file of keys.
        """
        self.keys.destroy(subject, at, reason)
        if rows(self.path, "identity", _SEALED, subject):
            with writing(self.path) as connection:
                connection.execute("DELETE FROM identity WHERE subject = ?", (subject,))


def _place(subject: str) -> str:
    return f"identity {subject}"
