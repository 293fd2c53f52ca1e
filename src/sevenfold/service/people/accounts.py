"""Admitting people: who works in the trial, and how they begin."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, final

import sqlalchemy as sa

from sevenfold.errors import InvalidInput
from sevenfold.sealing import seal
from sevenfold.service.people.person import Person
from sevenfold.service.people.tables import PERSON
from sevenfold.service.role import AT_A_SITE, Role

__all__ = ["Accounts", "hashed", "person_of"]


def hashed(token: str) -> str:
    """What is kept of a token: whoever reads the database can't use it."""
    return hashlib.sha256(token.encode()).hexdigest()


@final
@dataclass(frozen=True, slots=True)
class Accounts:
    """The people of a trial.

    Args:
        engine: of the people's database.
        key: seals second factors.
    """

    engine: sa.Engine
    key: bytes = field(repr=False)

    def people(self) -> list[Person]:
        """Everybody, by name."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(PERSON).order_by(PERSON.c.name, PERSON.c.id)).mappings()
            return [person_of(dict(row)) for row in rows]

    def person(self, key: str) -> Person | None:
        """Whoever has this id."""
        row = self.row(PERSON.c.id == key)
        return None if row is None else person_of(row)

    def known(self, login: str) -> str:
        """For the log: the id of whoever has a login, or that nobody has; what was typed may be a password."""
        row = self.row(PERSON.c.login == login.strip().lower()[:200])
        return "nobody" if row is None else str(row["id"])

    def admit(
        self, login: str, name: str, role: Role, site: str | None, sites: Iterator[str] | tuple[str, ...]
    ) -> Person:
        """Add somebody, who cannot come in before an invitation is taken up.

        Raises:
            InvalidInput: the login is taken, or role and site do not go together.
        """
        login, name = login.strip().lower(), name.strip()
        if not login or not name or len(login) > 200 or len(name) > 200:
            raise InvalidInput("A person needs a login and a name, of at most 200 letters each.")
        if (role in AT_A_SITE) != (site is not None):
            which = "works at one site: choose it" if role in AT_A_SITE else "works for the whole trial: choose no site"
            raise InvalidInput(f"The {role} {which}.")
        if site is not None and site not in set(sites):
            raise InvalidInput(f"There is no site {site!r} in the protocol.")
        if self.row(PERSON.c.login == login) is not None:
            raise InvalidInput(f"Somebody has the login {login!r} already.")
        person = Person(id=f"p{secrets.token_hex(4)}", login=login, name=name, role=role, site=site, has_begun=False)
        said = {"id": person.id, "login": login, "name": name, "role": role.value, "site": site}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(PERSON).values(**said))
        return person

    def sealed_factor(self, person: Person, factor: str) -> str:
        """What is kept of a second factor: nobody reads it without the service's key, or as somebody else's."""
        return seal(self.key, f"factor {person.id}", factor)

    def take_back(self, person: Person) -> None:
        """Leave somebody out again whom the record does not tell of."""
        with self.engine.begin() as connection:
            connection.execute(sa.delete(PERSON).where(PERSON.c.id == person.id, PERSON.c.password.is_(None)))

    def row(self, where: sa.ColumnElement[bool]) -> dict[str, Any] | None:
        """The row of a person, with what is kept of password and factor."""
        with self.engine.connect() as connection:
            found = connection.execute(sa.select(PERSON).where(where)).mappings().first()
        return None if found is None else dict(found)


def person_of(row: dict[str, Any]) -> Person:
    """A person from the row of the table."""
    return Person(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        role=Role(row["role"]),
        site=row["site"],
        is_suspended=bool(row["is_suspended"]),
        has_begun=row["password"] is not None,
    )
