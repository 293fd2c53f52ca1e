"""A trial's folder: made once, opened as far as its ledger tells it, and filled with the first people."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from sevenfold.clock import Clock, ShiftedClock, SystemClock
from sevenfold.edge.keys import Secrets
from sevenfold.edge.supply import supply_of
from sevenfold.errors import InvalidInput
from sevenfold.protocol.conductible import check_conductible
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.record.ledger import Ledger
from sevenfold.service.people.accounts import Accounts
from sevenfold.service.people.tables import PEOPLE
from sevenfold.service.role import AT_A_SITE, Role
from sevenfold.service.room import Room
from sevenfold.trial.conduct import Conduct
from sevenfold.vault.vault import Vault

__all__ = ["admit_everybody", "begin_trial", "first_link", "make_folder", "opened"]

_NAMES: Final = ("Dr Aubert", "Dr Brandt", "Dr Costa", "Dr Dubois", "Dr Evans", "Dr Faure", "Dr Garnier", "Dr Hughes")


def make_folder(file: ProtocolFile, folder: Path, key: Path) -> Secrets:
    """An empty trial's folder with its protocol and its people's database, and its key in a file of its own.

    Raises:
        InvalidInput: the protocol can't be run, or the folder holds something.
    """
    check_conductible(file.protocol)
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"{folder} holds something that is no trial; name an empty folder with --folder.")
    folder.mkdir(parents=True, exist_ok=True)
    secrets = Secrets.drawn()
    secrets.write(key)
    (folder / "protocol.yaml").write_text(file.text, encoding="utf-8")
    PEOPLE.create_all(_people(folder))
    return secrets


def begin_trial(file: ProtocolFile, folder: Path, key: Path) -> None:
    """A new trial in a folder: the list is drawn and sealed, committed to, and the ledger opened."""
    secrets = make_folder(file, folder, key)
    clock = SystemClock()
    vault = Vault.create(folder / "vault.db", supply_of(file), secrets.vault)
    ledger = Ledger.create(folder / "trial.db", clock, secrets.signing)
    conduct = Conduct(file, ledger, vault)
    conduct.open_trial(clock.now(), is_rehearsal=False)
    conduct.commit()
    ledger.close()


def opened(folder: Path, key: Path, *, is_demo: bool = False, is_behind_tls: bool = False) -> Room:
    """The trial of a folder, as far as its ledger tells it.

    Raises:
        InvalidInput: there is none, or the key is not its own.
        AuditBroken: the ledger or the vault was altered.
    """
    secrets = Secrets.read(key)
    file = load(str(folder / "protocol.yaml"))
    clock: Clock = SystemClock()
    ledger = Ledger.reopened(folder / "trial.db", clock, secrets.signing)
    if is_demo:
        clock = ShiftedClock(ledger.last_recorded() - datetime.now(UTC))
        ledger.clock = clock
    vault = Vault.reopened(folder / "vault.db", secrets.vault)
    conduct = Conduct.resumed(file, ledger, vault)
    conduct.reconcile()
    accounts = Accounts(_people(folder), secrets.people)
    return Room(file, conduct, vault, accounts, clock, is_demo=is_demo, is_behind_tls=is_behind_tls)


def first_link(room: Room, address: str) -> str | None:
    """The link of the first administrator, until somebody has taken it up."""
    people = [one for one in room.accounts.people() if one.role is Role.ADMINISTRATOR]
    if any(one.has_begun for one in people) or room.is_demo:
        return None
    if people:
        administrator = people[0]
    else:
        administrator = room.accounts.admit("administrator", "First administrator", Role.ADMINISTRATOR, None, ())
        room.admitted(administrator, None)
    return f"{address}/begin/{room.accounts.invite(administrator, room.now_s())}"


def admit_everybody(room: Room) -> None:
    """In a demonstration: somebody in every role, at every site for those of a site. Nobody needs a password."""
    sites = tuple(room.protocol.sites)
    posts = [(role, site) for role in Role for site in (sites if role in AT_A_SITE else (None,))]
    for place, (role, site) in enumerate(posts):
        name = _NAMES[place % len(_NAMES)] if role is Role.INVESTIGATOR else f"{role.value.capitalize()}"
        login = f"{role.value.replace(' ', '.')}.{site or 'trial'}".lower()
        room.admitted(room.accounts.admit(login, name, role, site, sites), None)


def _people(folder: Path) -> sa.Engine:
    return sa.create_engine(sa.URL.create("sqlite", database=str(folder / "people.db")), poolclass=sa.NullPool)
