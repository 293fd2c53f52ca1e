"""The room in which a trial is run: protocol, conduct, vault and people, one step at a time.

A step is checked by conduct, appended, and durable before anybody is told that it was taken; one that fails leaves
nothing behind.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, final
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from sevenfold.clock import Clock
from sevenfold.errors import InvalidInput, SevenfoldError
from sevenfold.protocol.load import ProtocolFile
from sevenfold.protocol.protocol import Protocol
from sevenfold.record.exported import export_of_today
from sevenfold.record.head import LedgerState
from sevenfold.record.history import SubjectHistory, read_history
from sevenfold.record.payloads import PersonAdmitted, PersonChanged, read_payload
from sevenfold.service.identities.identities import Identities
from sevenfold.service.identities.texts import refuse_identity
from sevenfold.service.log import noted
from sevenfold.service.people.accounts import Accounts
from sevenfold.service.people.changes import Access, Changes, Prepared
from sevenfold.service.people.devices import Devices
from sevenfold.service.people.door import Door
from sevenfold.service.people.invitations import Invitations
from sevenfold.service.people.person import Person
from sevenfold.service.people.sessions import Session, Sessions
from sevenfold.service.people.tokens import Tokens
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.kept import write_kept
from sevenfold.vault.vault import Vault

__all__ = ["Room"]

_KEPT_EVERY: Final = 10_000  # events, or a tenth of all: what a start after a crash follows anew
_WORTH_KEEPING: Final = 1_000  # events, at an orderly end


@final
@dataclass(slots=True)
class Room:
    """A trial that people work in.

    Args:
        identities: who the subjects are, for those at their site; no text of the record may tell it.
        clock: of the record; the machine's, or in a demonstration one that is set back.
        is_demo: whether anybody may come in as anybody.
        is_behind_tls: whether cookies are sent over TLS alone.
        address: under which people reach the pages, such as ``https://trial.example``; links are made with it, never
            with what a request says. Empty: links begin with their path.
        heads: the folder into which the signed head is exported before the first step of a day; None: nowhere.
        kept: the file that keeps where everything stands, for the next start; None: nowhere.
        n_kept: behind how many events that is.
    """

    file: ProtocolFile
    conduct: Conduct
    vault: Vault
    accounts: Accounts
    clock: Clock
    identities: Identities
    is_demo: bool = False
    is_behind_tls: bool = False
    address: str = ""
    sessions: Sessions = field(init=False)
    devices: Devices = field(init=False)
    door: Door = field(init=False)
    tokens: Tokens = field(init=False)
    changes: Changes = field(init=False)
    invitations: Invitations = field(init=False)
    heads: Path | None = None
    kept: Path | None = None
    n_kept: int = 0
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _is_unsettled: bool = True  # whether a change of somebody's access may be half made
    _is_adrift: bool = False  # whether a step could not be abandoned, because the database could not be asked

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.accounts)
        self.devices = Devices(self.accounts)
        self.door = Door(self.accounts, self.devices)
        self.tokens = Tokens(self.accounts)
        self.changes = Changes(self.accounts)
        self.invitations = Invitations(self.accounts)
        self.conduct.refuses = partial(refuse_identity, self.identities)

    @property
    def protocol(self) -> Protocol:
        """What is planned."""
        return self.file.protocol

    @contextmanager
    def step(self, person: Person | None) -> Iterator[Conduct]:
        """Take a step of the trial: durable when the block ends, and not taken at all if it fails.

        Args:
            person: who acts; None for the console.
        """
        with self._one_at_a_time:
            if self._is_adrift:
                self.conduct.renew()
                self._is_adrift = False
            self.settle()
            if self.heads is not None:
                export_of_today(self.conduct.ledger.head, self.heads, self.clock.now())
            self.conduct.acting = "console" if person is None else person.actor
            try:
                yield self.conduct
                self.conduct.commit(LedgerState.LOCKED if self.conduct.is_locked else LedgerState.RUNNING)
            except BaseException:
                self._give_up()
                raise
            finally:
                self.conduct.acting = None
            self._keep(max(_KEPT_EVERY, self.n_kept // 10))

    def confirm(self, session: Session, password: str, code: str) -> None:
        """Ask once more who it is, before a signature or an unblinding. In a demonstration nobody has a password.

        Failures at the door, where strangers stand, do not count here; five in a row here end the session.

        Raises:
            InvalidInput: password and code are not the person's.
        """
        self.settle()
        if self.is_demo or self.door.confirms(session, password, code, self.now_s()):
            return
        noted("person.not_confirmed", level=logging.WARNING, person=session.person.id)
        if self.sessions.is_there(session):
            raise InvalidInput("Password and six digits do not belong together; nothing was recorded or shown.")
        noted("session.ended", level=logging.WARNING, person=session.person.id)
        raise InvalidInput(
            "Password and six digits did not belong together five times in a row; nothing was recorded or shown, and "
            "the session has ended. Log in again."
        )

    def _give_up(self) -> None:
        """Abandon the step; where the database can't be asked, the next step begins with asking it for everything."""
        self._is_adrift = True
        try:
            self.conduct.abandon()
        except (SevenfoldError, SQLAlchemyError, sqlite3.Error, OSError) as error:
            noted("step.adrift", level=logging.CRITICAL, kind=type(error).__name__)
        else:
            self._is_adrift = False

    def close(self) -> None:
        """Let go of the databases, so that somebody else can serve the trial."""
        with self._one_at_a_time:
            self._keep(_WORTH_KEEPING)
            self.conduct.ledger.close()
            self.accounts.engine.dispose()

    def _keep(self, n_new: int) -> None:
        """Keep where everything stands, once so many events are new. A step was taken whether it can be kept or not."""
        count = self.conduct.ledger.head.count
        if self.kept is None or self._is_adrift or count < self.n_kept + n_new:
            return
        try:
            kept = self.conduct.followed.kept(self.conduct.ledger, self.file.sha256)
            write_kept(self.kept, kept, self.conduct.ledger)
        except (OSError, InvalidInput) as error:
            noted("standing.not_kept", level=logging.WARNING, because=str(error))
        else:
            noted("standing.kept", behind=count)
        self.n_kept = count  # tried again once as many are new

    def subject(self, name: str, person: Person) -> SubjectHistory:
        """What is open of a subject, folded from its events.

        Raises:
            InvalidInput: there is none whom this person may see; it is not told whether there is another.
        """
        if name not in self.conduct.standings or not person.sees(self.conduct.site_of(name)):
            raise InvalidInput(f"There is no subject {name[:40]!r} here.")
        return read_history(self.conduct.ledger.events_of(name)).subjects[name]

    def subjects(self, person: Person) -> list[str]:
        """The subjects whom a person may see, in the order in which they came."""
        return [name for name in list(self.conduct.standings) if person.sees(self.conduct.site_of(name))]

    def next_subject(self, site: str) -> str:
        """What the next candidate of a site is called."""
        n = sum(self.conduct.site_of(name) == site for name in list(self.conduct.standings))
        return f"{site}-{n + 1:03d}"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Look and act while nobody else takes a step."""
        with self._one_at_a_time:
            yield

    def admitted(self, person: Person, by: Person | None, *, is_by_one_hand: bool = True) -> None:
        """Put into the record that somebody may work in the trial.

        Args:
            by: None for the console.
            is_by_one_hand: whether nobody else has to attest who it is.
        """
        said = PersonAdmitted(
            person=person.id, name=person.name, role=person.role.value, site=person.site, is_by_one_hand=is_by_one_hand
        )
        with self.step(by) as conduct:
            conduct.say_of_trial(said, "administrator", self.clock.now())

    def change(self, person: Person, change: str, reason: str, by: Person, access: Access) -> None:
        """Change a person's access: told in the record and made, or neither, whatever fails on the way."""
        said = PersonChanged.model_validate({"person": person.id, "change": change, "reason": reason})
        with self._one_at_a_time:
            try:
                with self.step(by) as conduct:
                    place = conduct.ledger.last_sequence + 1
                    self._is_unsettled = True
                    self.changes.prepare(Prepared(person=person.id, place=place, change=change, access=access))
                    conduct.say_of_trial(said, "administrator", self.clock.now())
            except BaseException:
                with suppress(SevenfoldError, SQLAlchemyError, sqlite3.Error, OSError):
                    self.settle()
                raise
            self.settle()

    def settle(self) -> None:
        """Finish a change of somebody's access that was broken off: made if the record tells it, forgotten if not."""
        if not self._is_unsettled:
            return
        with self._one_at_a_time:
            for one in self.changes.prepared():
                event = self.conduct.ledger.event(one.place)
                said = None if event is None else read_payload(event)
                if isinstance(said, PersonChanged) and (said.person, said.change) == (one.person, one.change):
                    self.changes.make(one)
                else:
                    self.changes.forget(one)
                    noted("access.not_changed", level=logging.WARNING, person=one.person)
            self._is_unsettled = False

    def changed(self, person: Person, change: str, reason: str, by: Person) -> None:
        """Put into the record that something about a person's access was changed that lets nobody in or out."""
        said = PersonChanged.model_validate({"person": person.id, "change": change, "reason": reason})
        with self.step(by) as conduct:
            conduct.say_of_trial(said, "administrator", self.clock.now())

    def zone(self, person: Person, subject: str | None = None) -> ZoneInfo:
        """The time zone in which a person's forms are filled in: the subject's site's, or the person's own."""
        site = person.site if subject is None else self.conduct.site_of(subject)
        return ZoneInfo("UTC") if site is None else self.conduct.zone(site)

    def here_and_now(self, person: Person, subject: str | None = None) -> datetime:
        """What time it is where the person's forms are filled in, to the minute, as the record tells times."""
        return self.clock.now().astimezone(self.zone(person, subject)).replace(second=0, microsecond=0)

    @staticmethod
    def now_s() -> float:
        """The machine's time, for sessions and second factors [s]."""
        return time.time()
