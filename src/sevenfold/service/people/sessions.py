"""Sessions: kept on the server, known to the browser by a random cookie, over after half an hour without use."""

import secrets
from dataclasses import dataclass
from typing import Final, final

import sqlalchemy as sa

from sevenfold.service.people.accounts import Accounts, hashed, person_of
from sevenfold.service.people.person import Person
from sevenfold.service.people.tables import PERSON, SESSION

__all__ = ["Listed", "Session", "Sessions"]

_IDLE_S: Final = 30 * 60.0
_LONGEST_S: Final = 12 * 3600.0
_SHOWN: Final = 16  # letters of a session's hash by which its person names it
_TOUCH_S: Final = 30.0  # the last use is written down this often at most


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody is in.

    Args:
        form_key: carried by every form of the session; other pages cannot know it.
        key: of the session in the database; empty where a program acts by a token.
    """

    person: Person
    form_key: str
    key: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A session as its person sees it.

    Args:
        key: by which it is ended; a part of what the database keeps, with which nobody gets in.
        began_at: s.
        seen_at: s; the last use, to half a minute.
        browser: as it calls itself; None where it does not.
    """

    key: str
    began_at: float
    seen_at: float
    is_this: bool
    browser: str | None


@final
@dataclass(frozen=True, slots=True)
class Sessions:
    """Who is in."""

    accounts: Accounts

    def begin(self, person: Person, now_s: float, browser: str | None = None) -> str:
        """Let somebody in; answers what the cookie holds. A new one each time, so none can be planted before.

        Args:
            browser: as it calls itself.
        """
        token = secrets.token_urlsafe(32)
        said = {"token": hashed(token), "person": person.id, "form_key": secrets.token_urlsafe(24)}
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.delete(SESSION).where(SESSION.c.seen_at < now_s - _IDLE_S))
            connection.execute(sa.insert(SESSION).values(**said, began_at=now_s, seen_at=now_s, browser=browser))
        return token

    def of(self, token: str | None, now_s: float) -> Session | None:
        """The session that a cookie belongs to, if it is not over."""
        if not token:
            return None
        asked = sa.select(SESSION.c.began_at, SESSION.c.seen_at, SESSION.c.form_key, PERSON).join_from(
            SESSION, PERSON, SESSION.c.person == PERSON.c.id
        )
        with self.accounts.engine.connect() as connection:
            row = connection.execute(asked.where(SESSION.c.token == hashed(token))).mappings().first()
        if row is None or now_s - row["seen_at"] > _IDLE_S or now_s - row["began_at"] > _LONGEST_S:
            return None
        person = person_of(dict(row))
        if person.is_suspended:
            return None
        if now_s - row["seen_at"] > _TOUCH_S:
            with self.accounts.engine.begin() as connection:
                connection.execute(sa.update(SESSION).where(SESSION.c.token == hashed(token)).values(seen_at=now_s))
        return Session(person=person, form_key=row["form_key"], key=hashed(token))

    def all_of(self, session: Session, now_s: float) -> list[Listed]:
        """The sessions of whoever this session's person is that are not over, the one used last first."""
        asked = (
            sa.select(SESSION)
            .where(
                SESSION.c.person == session.person.id,
                SESSION.c.seen_at >= now_s - _IDLE_S,
                SESSION.c.began_at >= now_s - _LONGEST_S,
            )
            .order_by(SESSION.c.seen_at.desc(), SESSION.c.began_at.desc(), SESSION.c.token)
        )
        with self.accounts.engine.connect() as connection:
            return [
                Listed(
                    key=row["token"][:_SHOWN], began_at=row["began_at"], seen_at=row["seen_at"],
                    is_this=row["token"] == session.key, browser=row["browser"],
                )
                for row in connection.execute(asked).mappings()
            ]  # fmt: skip

    def end_one(self, session: Session, key: str) -> bool:
        """End another session of the same person, as the list calls it; whether there was one."""
        return self._end(session, sa.func.substr(SESSION.c.token, 1, _SHOWN) == key) > 0

    def end_others(self, session: Session) -> int:
        """End every other session of the same person; how many there were."""
        return self._end(session, sa.true())

    def _end(self, session: Session, which: sa.ColumnElement[bool]) -> int:
        others = sa.delete(SESSION).where(SESSION.c.person == session.person.id, SESSION.c.token != session.key, which)
        with self.accounts.engine.begin() as connection:
            return int(connection.execute(others).rowcount)

    def is_there(self, session: Session) -> bool:
        """Whether a session has not been ended."""
        asked = sa.select(SESSION.c.token).where(SESSION.c.token == session.key)
        with self.accounts.engine.connect() as connection:
            return connection.execute(asked).first() is not None

    def end(self, token: str | None) -> None:
        """Let somebody out."""
        if token:
            with self.accounts.engine.begin() as connection:
                connection.execute(sa.delete(SESSION).where(SESSION.c.token == hashed(token)))
