"""Links with which somebody chooses password and second factor: of one hand at first, of two once a trial is under way.

Whoever holds what a link needs can take it up, and signs as that person from then on. So a link for somebody who has
begun, or who is admitted while the trial is under way, needs two things that no one person holds: the link, shown to
the administrator who asked for it, and a code, shown to a second person who knows that it is them.
Source: 21 CFR 11.200(a)(3), 11.300(c).
"""

import hmac
import logging
import secrets
from dataclasses import dataclass
from typing import Any, Final, final

import sqlalchemy as sa

from sevenfold.errors import InvalidInput
from sevenfold.sealing import derived_key
from sevenfold.service.log import noted
from sevenfold.service.people.accounts import Accounts, hashed
from sevenfold.service.people.changes import Access
from sevenfold.service.people.factor import factor_step
from sevenfold.service.people.passwords import check_password, kept_of
from sevenfold.service.people.person import Person
from sevenfold.service.people.tables import INVITATION
from sevenfold.service.role import Right

__all__ = ["Invitation", "Invitations", "may_attest"]

_OPEN_FOR_S: Final = 72 * 3600.0
_TRIES: Final = 5  # at the code; then the link opens nothing any more
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is taken for another, heard or read
_LENGTH: Final = 10  # of a code: 50 bits


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that is out.

    Args:
        key: what the database keeps of what the link holds.
        asked_by: id of the administrator who holds it; None: it was made by one hand.
        attested_by: id of whoever said that the person is who it is for, and was told the code; None: nobody yet.
        reason: why it was asked for; empty for somebody who is admitted.
    """

    person: Person
    key: str
    asked_by: str | None
    attested_by: str | None
    reason: str
    expires_at: float

    @property
    def is_by_one_hand(self) -> bool:
        """Whether it opens without a code."""
        return self.asked_by is None

    @property
    def waits(self) -> bool:
        """Whether it opens nothing before somebody attests whose it is."""
        return not self.is_by_one_hand and self.attested_by is None


def may_attest(one: Person, person: Person, asked_by: str) -> bool:
    """Whether somebody may attest who a person is: by office, for their own site or the whole trial; neither the person
    nor whoever asked.
    """
    is_third = one.id not in (person.id, asked_by)
    return is_third and one.may(Right.ATTEST) and one.sees(person.site) and not one.is_suspended


@final
@dataclass(frozen=True, slots=True)
class Invitations:
    """The links of a trial's people; each has one at most."""

    accounts: Accounts

    def invite(self, person: Person, now_s: float) -> str:
        """What a link holds that was made by one hand; it opens once, within three days.

        Raises:
            InvalidInput: the person has begun: nobody gets at their signature by one hand.
        """
        if (self.accounts.person(person.id) or person).has_begun:
            raise InvalidInput("A new link for somebody who is in already takes two people.")
        return self._put(person, now_s, asked_by=None, reason="")

    def ask(self, person: Person, by: Person, reason: str, now_s: float) -> str:
        """What a link holds that opens once a second person has attested whose it is."""
        return self._put(person, now_s, asked_by=by.id, reason=reason)

    def out(self, now_s: float) -> list[Invitation]:
        """The links that are out, those that were asked for first before the others."""
        open_still = sa.select(INVITATION).where(INVITATION.c.expires_at >= now_s)
        return [one for row in self._rows(open_still) if (one := self._invitation(row)) is not None]

    def attest(self, person: Person, by: Person, now_s: float) -> str:
        """The code that a link needs, for the person alone; it is told once.

        Raises:
            InvalidInput: no link of the person waits for this, or it is not for them to say.
        """
        waiting = next((one for one in self.out(now_s) if one.person.id == person.id and one.waits), None)
        if waiting is None or not may_attest(by, person, str(waiting.asked_by)):
            raise InvalidInput("No link waits for you to confirm whose it is; load the page again.")
        drawn = int(secrets.token_hex(16), 16)
        code = "".join(_LETTERS[drawn >> 5 * place & 31] for place in range(_LENGTH))
        is_that_one = (INVITATION.c.token == waiting.key) & (INVITATION.c.asked_by == waiting.asked_by)
        which = is_that_one & INVITATION.c.attested_by.is_(None)  # and none that was asked for in between
        said = {"attested_by": by.id, "code": self._kept(person, code)}
        with self.accounts.engine.begin() as connection:
            if connection.execute(sa.update(INVITATION).where(which).values(**said)).rowcount != 1:
                raise InvalidInput("No link waits for you to confirm whose it is; load the page again.")
        return f"{code[:5]}-{code[5:]}"

    def of(self, token: str, now_s: float) -> Invitation | None:
        """The invitation that a link belongs to; None if it is used, too old, none of ours, or if its person or one of
        the two who made it was suspended since.
        """
        rows = self._rows(sa.select(INVITATION).where(INVITATION.c.token == hashed(token)))
        if not rows or rows[0]["expires_at"] < now_s:
            return None
        return self._invitation(rows[0])

    def opened_by(self, token: str, now_s: float) -> Invitation:
        """The invitation that a link opens now.

        Raises:
            InvalidInput: it opens nothing any more, or nothing yet.
        """
        one = self.of(token, now_s)
        if one is None:
            raise _gone()
        if one.waits:
            raise InvalidInput(
                "This link opens once a second person has confirmed that it is yours, who will tell you a code; the "
                "administrator says who that can be."
            )
        return one

    def taken_up(self, one: Invitation, told: str, password: str, factor: str, digits: str, now_s: float) -> Access:
        """What somebody's access becomes if they take up their invitation so.

        Args:
            one: that was opened by its link.
            told: the code that the second person told; empty for a link that was made by one hand.
            digits: that the authenticator shows for the new factor.

        Raises:
            InvalidInput: the code or the digits are wrong, or the password is none to be taken.
        """
        if not one.is_by_one_hand:
            self._check_told(one, told)
        check_password(password, one.person)
        step = factor_step(factor, digits, now_s, 0)
        if step is None:
            raise InvalidInput("The six digits are not those that the authenticator shows now; type the present ones.")
        return Access(
            password=kept_of(password), factor=self.accounts.sealed_factor(one.person, factor), factor_used_at=step
        )

    def _put(self, person: Person, now_s: float, *, asked_by: str | None, reason: str) -> str:
        token = secrets.token_urlsafe(32)
        said = {"token": hashed(token), "person": person.id, "asked_by": asked_by, "reason": reason}
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.delete(INVITATION).where(INVITATION.c.person == person.id))
            connection.execute(sa.insert(INVITATION).values(**said, expires_at=now_s + _OPEN_FOR_S))
        return token

    def _check_told(self, one: Invitation, told: str) -> None:
        """Take a try at the code and give it back if it is right, so that tries at once are counted apart."""
        which = INVITATION.c.token == one.key
        with self.accounts.engine.begin() as connection:
            taken = connection.execute(
                sa.update(INVITATION).where(which, INVITATION.c.n_failed < _TRIES)
                .values(n_failed=INVITATION.c.n_failed + 1)
            )  # fmt: skip
            row = connection.execute(sa.select(INVITATION).where(which)).mappings().first()
        if taken.rowcount != 1 or row is None:
            raise _gone()
        with self.accounts.engine.begin() as connection:
            if hmac.compare_digest(str(row["code"]), self._kept(one.person, _plain(told))):
                connection.execute(sa.update(INVITATION).where(which).values(n_failed=0))
                return
            connection.execute(sa.delete(INVITATION).where(which, INVITATION.c.n_failed >= _TRIES))
        if row["n_failed"] >= _TRIES:
            noted("invitation.shut", level=logging.WARNING, person=one.person.id)
            raise InvalidInput("The code was wrong five times, and the link opens nothing any more; ask for a new one.")
        raise InvalidInput("The code is not the one that goes with this link.")

    def _kept(self, person: Person, code: str) -> str:
        """What is kept of a code: whoever reads the database without the key can't find it by trying."""
        return derived_key(self.accounts.key, f"code {person.id} {code}", 32).hex()

    def _invitation(self, row: dict[str, Any]) -> Invitation | None:
        person = self.accounts.person(row["person"])
        hands = [self.accounts.person(row[name]) for name in ("asked_by", "attested_by") if row[name] is not None]
        is_alone = row["asked_by"] is None and person is not None and person.has_begun
        is_one_hand = row["asked_by"] is not None and row["asked_by"] == row["attested_by"]
        if person is None or is_alone or is_one_hand or any(one is None or one.is_suspended for one in hands):
            return None
        return Invitation(
            person=person, key=row["token"], asked_by=row["asked_by"], attested_by=row["attested_by"],
            reason=row["reason"], expires_at=row["expires_at"],
        )  # fmt: skip

    def _rows(self, asked: sa.Select[Any]) -> list[dict[str, Any]]:
        with self.accounts.engine.connect() as connection:
            ordered = asked.order_by(INVITATION.c.expires_at, INVITATION.c.person)
            return [dict(row) for row in connection.execute(ordered).mappings()]


def _plain(told: str) -> str:
    """A code as it was drawn, however it was typed."""
    letters = "".join(one for one in told.upper()[:100] if one.isalnum())
    return letters.translate(str.maketrans("OIL", "011"))


def _gone() -> InvalidInput:
    return InvalidInput("This link was used already or is too old; ask the administrator for a new one.")
