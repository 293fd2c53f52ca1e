"""Changes of what lets somebody in: the ledger decides whether they were made.

Password and factor lie in one database, the event that tells of their change in another, and a machine can stop between
any two lines. So a change is prepared first, with the place that its event will have in the ledger; then it is told
there; then it is made. Whatever stops in between, whoever goes on looks at that place: a change that was told is made,
one that was not is forgotten.
"""

from dataclasses import dataclass
from typing import Any, final

import sqlalchemy as sa

from sevenfold.service.people.accounts import Accounts
from sevenfold.service.people.tables import DEVICE, INVITATION, PERSON, PREPARED, SESSION

__all__ = ["Access", "Changes", "Prepared"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a person's access becomes; None stays as it is.

    Args:
        password: as it is kept.
        factor: sealed.
        factor_used_at: the time step of the code that showed that the factor works.
        session: the key of the session that goes on; every other ends.
        device: the hash of the cookie of the browser in which the person goes on being known.
    """

    password: str | None = None
    factor: str | None = None
    factor_used_at: int | None = None
    is_suspended: bool | None = None
    session: str | None = None
    device: str | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A change that was prepared.

    Args:
        place: of its event in the ledger, if it is told.
        change: what the event calls it.
    """

    person: str
    place: int
    change: str
    access: Access


@final
@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that are under way; of one person one at a time."""

    accounts: Accounts

    def prepare(self, one: Prepared) -> None:
        """Keep a change that is about to be told."""
        kept = {name: getattr(one.access, name) for name in Access.__dataclass_fields__}
        said = {"person": one.person, "place": one.place, "change": one.change, **kept}
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.insert(PREPARED).values(**said))

    def prepared(self) -> list[Prepared]:
        """What was prepared and neither made nor forgotten."""
        with self.accounts.engine.connect() as connection:
            rows = list(connection.execute(sa.select(PREPARED).order_by(PREPARED.c.place)).mappings())
        return [
            Prepared(
                person=row["person"], place=row["place"], change=row["change"],
                access=Access(**{name: row[name] for name in Access.__dataclass_fields__}),
            )
            for row in rows
        ]  # fmt: skip

    def make(self, one: Prepared) -> None:
        """Make a change that was told. Other sessions end, other browsers are new again, and no link that is out opens
        anything any more.
        """
        new: dict[str, Any] = {
            name: value
            for name in ("password", "factor", "factor_used_at", "is_suspended")
            if (value := getattr(one.access, name)) is not None
        }
        if one.access.factor is not None:
            new |= {"n_failed": 0, "locked_until": 0.0}
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.update(PERSON).where(PERSON.c.id == one.person).values(**new))
            connection.execute(sa.delete(INVITATION).where(INVITATION.c.person == one.person))
            for table, kept in ((SESSION, one.access.session), (DEVICE, one.access.device)):
                others = sa.true() if kept is None else table.c.token != kept
                connection.execute(sa.delete(table).where(table.c.person == one.person, others))
            connection.execute(sa.delete(PREPARED).where(PREPARED.c.person == one.person))

    def forget(self, one: Prepared) -> None:
        """Leave everything as it was, because the change was not told."""
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.delete(PREPARED).where(PREPARED.c.person == one.person))
