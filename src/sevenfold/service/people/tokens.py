"""Tokens: with one a program acts for a person, in some of what the person's role may do, until a day.

The administrator grants it and never sees it: the person takes it and is shown it once, and the database keeps a hash
of it. So nobody lets a program act as somebody else alone. It opens the HTTP interface, never a page.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, final

import sqlalchemy as sa

from sevenfold.errors import InvalidInput
from sevenfold.service.people.accounts import Accounts, hashed
from sevenfold.service.people.person import Person
from sevenfold.service.people.tables import TOKEN
from sevenfold.service.role import RIGHTS, Right

__all__ = ["OFFERED", "Token", "Tokens"]

OFFERED: Final = (
    Right.READ_SUBJECTS,
    Right.SCREEN,
    Right.RANDOMISE,
    Right.RECORD_VISIT,
    Right.REPORT_EVENT,
    Right.SEND_MASKED,
    Right.SEE_PROGRESS,
)
"""What a program may be let do: what the HTTP interface has."""
_LONGEST_DAYS: Final = 366
_DAY_S: Final = 86_400.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A program's leave. ``rights`` are those that the role has still.

    Args:
        is_taken: whether its person was shown it.
    """

    id: str
    person: Person
    rights: frozenset[Right]
    expires_at: float
    is_revoked: bool
    is_taken: bool

    def is_open(self, now_s: float) -> bool:
        """Whether it opens anything."""
        return not self.is_revoked and now_s < self.expires_at and not self.person.is_suspended


@final
@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a trial."""

    accounts: Accounts

    def grant(self, person: Person, rights: Collection[Right], days: int, now_s: float) -> Token:
        """A token that its person may take.

        Raises:
            InvalidInput: it would let a program do nothing, more than the role may, or too long.
        """
        wanted = frozenset(rights)
        if not wanted or not wanted <= RIGHTS[person.role] & frozenset(OFFERED):
            raise InvalidInput(f"A token of the {person.role} has one or more of the rights of that role on the list.")
        if not 1 <= days <= _LONGEST_DAYS:
            raise InvalidInput(f"A token is for 1 to {_LONGEST_DAYS} days.")
        key, until = f"t{secrets.token_hex(4)}", now_s + days * _DAY_S
        said = {"id": key, "token": _waiting(key), "person": person.id, "rights": ",".join(sorted(wanted))}
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.insert(TOKEN).values(**said, expires_at=until))
        return Token(id=key, person=person, rights=wanted, expires_at=until, is_revoked=False, is_taken=False)

    def waiting(self, person: Person, now_s: float) -> list[Token]:
        """Those that a person may take."""
        found = self._where(TOKEN.c.person == person.id)
        return [one for one in found if not one.is_taken and one.is_open(now_s)]

    def take(self, key: str, person: Person, now_s: float) -> str:
        """What a program shows for a token, told to its person once.

        Raises:
            InvalidInput: the token is not the person's, was taken or revoked, or is too old.
        """
        if not any(one.id == key for one in self.waiting(person, now_s)):
            raise _none()
        shown = f"sevenfold_{secrets.token_urlsafe(32)}"
        with self.accounts.engine.begin() as connection:
            untaken = sa.update(TOKEN).where(TOKEN.c.id == key, TOKEN.c.token == _waiting(key))
            if connection.execute(untaken.values(token=hashed(shown))).rowcount != 1:
                raise _none()
        return shown

    def of(self, shown: str, now_s: float) -> Token | None:
        """The token that a program shows, if it opens anything."""
        found = self._where(TOKEN.c.token == hashed(shown))
        return found[0] if found and found[0].is_open(now_s) else None

    def all(self) -> list[Token]:
        """Every token there is or was."""
        return self._where(sa.true())

    def revoke(self, key: str) -> Token:
        """Let a token open nothing from now on.

        Raises:
            InvalidInput: there is none.
        """
        found = self._where(TOKEN.c.id == key)
        if not found:
            raise _none()
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.update(TOKEN).where(TOKEN.c.id == key).values(is_revoked=True))
        return found[0]

    def _where(self, which: sa.ColumnElement[bool]) -> list[Token]:
        with self.accounts.engine.connect() as connection:
            rows = list(connection.execute(sa.select(TOKEN).where(which).order_by(TOKEN.c.id)).mappings())
        found = []
        for row in rows:
            person = self.accounts.person(row["person"])
            if person is not None:
                rights = frozenset(Right(one) for one in row["rights"].split(",")) & RIGHTS[person.role]
                found.append(
                    Token(
                        id=row["id"], person=person, rights=rights, expires_at=row["expires_at"],
                        is_revoked=bool(row["is_revoked"]), is_taken=row["token"] != _waiting(row["id"]),
                    )
                )  # fmt: skip
        return found


def _waiting(key: str) -> str:
    """What stands in a hash's place until a token is taken; no hash looks like it."""
    return f"waits {key}"


def _none() -> InvalidInput:
    return InvalidInput("There is no such token.")
