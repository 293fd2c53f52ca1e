"""Browsers from which somebody has come in before, known by a random cookie that is kept hashed.

Failures there are counted apart from those of strangers, so that nobody who knows a login alone can keep its owner out.
A browser has one cookie, whoever comes in from it; with each coming in it is drawn anew, and the old one is nobody's.
So a cookie that somebody planted or copied before is worth nothing after. The cookie opens nothing by itself.
Source: OWASP,
"Slow Down Online Guessing Attacks with Device Cookies".
"""

import secrets
from dataclasses import dataclass
from typing import Final, final

import sqlalchemy as sa

from sevenfold.service.people.accounts import Accounts, hashed
from sevenfold.service.people.person import Person
from sevenfold.service.people.tables import DEVICE

__all__ = ["KNOWN_FOR_S", "Devices"]

KNOWN_FOR_S: Final = 365 * 86_400
"""How long a browser is known after somebody last came in from it [s]."""


@final
@dataclass(frozen=True, slots=True)
class Devices:
    """The known browsers of a trial's people."""

    accounts: Accounts

    def know(self, person: Person, cookie: str | None, now_s: float) -> str:
        """Somebody came in from a browser: what its cookie holds from now on.

        Args:
            cookie: that it had; whoever else came in with it goes on being known there.
        """
        new = secrets.token_urlsafe(32)
        until = now_s + KNOWN_FOR_S
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.delete(DEVICE).where(DEVICE.c.expires_at <= now_s))
            if cookie:
                before = DEVICE.c.token == hashed(cookie)
                connection.execute(sa.delete(DEVICE).where(before, DEVICE.c.person == person.id))
                connection.execute(sa.update(DEVICE).where(before).values(token=hashed(new)))
            said = {"token": hashed(new), "person": person.id, "expires_at": until}
            connection.execute(sa.insert(DEVICE).values(**said))
        return new

    def is_known(self, person: str, cookie: str | None, now_s: float) -> bool:
        """Whether somebody came in from a browser before, within a year."""
        if not cookie:
            return False
        asked = sa.select(DEVICE.c.person).where(
            DEVICE.c.token == hashed(cookie), DEVICE.c.person == person, DEVICE.c.expires_at > now_s
        )
        with self.accounts.engine.connect() as connection:
            return connection.execute(asked).first() is not None
