"""The door: whoever shows password and second factor comes in, and guessing is stopped.

Tries are counted in three places, each apart. Whoever knows a login can use up those of strangers; no failure there
shuts a browser from which the person came in before, or bars a person who is in from signing or from an emergency
unblinding.

- *Strangers*, all together, for each person. Five tries, a quarter of an hour shut, five more, half an hour, and so on
  up to a day: 40 tries within the first 32 hours, then five a day, fewer than 1860 in a year. Three of the million
  codes are right at a time, so somebody who has the password already comes in within a year with a chance below 0.6 %;
  who has to guess it as well, with that chance times the chance that it is among the 1860. When the person comes in
  from an unknown browser, the count begins anew, and the browser is a known one from then on.
- *A known browser*, for each person: the same, for whoever holds its cookie.
- *A session*, for whoever asks for something that is confirmed once more: five in a row, then the session ends. Whoever
  stole a session has four tries between two confirmations of its owner, each with a chance of three in a million even
  where the password is known.
"""

from dataclasses import dataclass
from typing import Any, final

import sqlalchemy as sa

from sevenfold.sealing import open_sealed, seal
from sevenfold.service.people.accounts import Accounts, hashed, person_of
from sevenfold.service.people.devices import Devices
from sevenfold.service.people.factor import factor_step
from sevenfold.service.people.passwords import NOBODYS, matches
from sevenfold.service.people.person import Person
from sevenfold.service.people.sessions import Session
from sevenfold.service.people.tables import DEVICE, PERSON, SESSION
from sevenfold.service.people.tries import TOGETHER, Tries

__all__ = ["Door"]


@final
@dataclass(frozen=True, slots=True)
class Door:
    """The door of a trial.

    Args:
        devices: the browsers that are known.
    """

    accounts: Accounts
    devices: Devices

    def recognised(
        self, login: str, password: str, code: str, now_s: float, device: str | None = None
    ) -> Person | None:
        """Whoever shows the right password and the right code; None, whatever was wrong.

        Args:
            device: what the cookie of the browser holds, if it has one.
        """
        row = self.accounts.row(PERSON.c.login == login.strip().lower()[:200])
        tries = self._tries("" if row is None else row["id"], device, now_s)
        is_open = row is not None and row["password"] and not row["is_suspended"]
        n_failed = (tries if is_open else self._tries("", None, now_s)).take(now_s)
        kept = row["password"] if row is not None and row["password"] else NOBODYS
        is_right = matches(kept, password)
        step = self._step(row, code, now_s)
        if row is None or n_failed is None:
            return None
        if is_right and step is not None and self._takes(row, step, tries):
            return person_of(row)
        tries.note(n_failed)
        return None

    def confirms(self, session: Session, password: str, code: str, now_s: float) -> bool:
        """Whether somebody who is in shows once more who it is. With the fifth failure in a row the session ends."""
        row = self.accounts.row(PERSON.c.id == session.person.id)
        which = SESSION.c.token == session.key
        with self.accounts.engine.begin() as connection:
            taken = connection.execute(
                sa.update(SESSION).where(which, SESSION.c.n_failed < TOGETHER).values(n_failed=SESSION.c.n_failed + 1)
            )
        if row is None or not row["password"] or row["is_suspended"] or taken.rowcount != 1:
            return False
        is_right, step = matches(row["password"], password), self._step(row, code, now_s)
        if is_right and step is not None and self._takes(row, step, None):
            with self.accounts.engine.begin() as connection:
                connection.execute(sa.update(SESSION).where(which).values(n_failed=0))
            return True
        with self.accounts.engine.begin() as connection:
            connection.execute(sa.delete(SESSION).where(which, SESSION.c.n_failed >= TOGETHER))
        return False

    def _tries(self, person: str, device: str | None, now_s: float) -> Tries:
        """Those of the browser if the person is known there, else those of strangers; of nobody there are none."""
        if device is not None and self.devices.is_known(person, device, now_s):
            which = (DEVICE.c.token == hashed(device)) & (DEVICE.c.person == person)
            return Tries(self.accounts.engine, DEVICE, which, person, "login.browser_shut")
        return Tries(self.accounts.engine, PERSON, PERSON.c.id == person, person)

    def _step(self, row: dict[str, Any] | None, code: str, now_s: float) -> int | None:
        """The time step of a code that is right; of one whom nobody knows it is looked for in a secret of nobody's."""
        if row is None or row["factor"] is None:
            sealed = seal(self.accounts.key, "factor of nobody", "A" * 32)
            factor_step(str(open_sealed(self.accounts.key, "factor of nobody", sealed)), code, now_s, 0)
            return None
        secret = str(open_sealed(self.accounts.key, f"factor {row['id']}", row["factor"]))
        return factor_step(secret, code, now_s, row["factor_used_at"])

    def _takes(self, row: dict[str, Any], step: int, tries: Tries | None) -> bool:
        """Whether no code of a step or of a later one was taken before; then it is, and the tries are given back."""
        with self.accounts.engine.begin() as connection:
            taken = connection.execute(
                sa.update(PERSON)
                .where(PERSON.c.id == row["id"], PERSON.c.factor_used_at < step)
                .values(factor_used_at=step)
            )
            if taken.rowcount == 1 and tries is not None:
                tries.forgive(connection)
        return bool(taken.rowcount == 1)
