"""A trial's folder: made once, opened as far as its ledger tells it, and filled with the first people."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from sevenfold.clock import Clock, ShiftedClock, SystemClock
from sevenfold.edge.keys import Secrets
from sevenfold.edge.supply import supply_of
from sevenfold.errors import InvalidInput
from sevenfold.protocol.conductible import check_conductible
from sevenfold.protocol.load import ProtocolFile, load
from sevenfold.record.exported import export_of_today
from sevenfold.record.ledger import Ledger
from sevenfold.record.place import Place, place_of, shown
from sevenfold.record.store import store_of
from sevenfold.service.identities.identities import FILE, Identities
from sevenfold.service.identities.keys import IdentityKeys
from sevenfold.service.identities.place import keep_place, keys_beside
from sevenfold.service.log import noted
from sevenfold.service.people.accounts import Accounts
from sevenfold.service.people.database import make_people, people_engine
from sevenfold.service.people.upgrade import bring_up
from sevenfold.service.role import AT_A_SITE, Role
from sevenfold.service.room import Room
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.kept import Kept, read_kept
from sevenfold.trial.opening import open_trial
from sevenfold.trial.supplying import receive_consignment
from sevenfold.trial.vials import Consignment, Lot
from sevenfold.vault.vault import Vault

__all__ = [
    "DATABASE",
    "KEPT",
    "admit_everybody",
    "begin_trial",
    "deliver_everywhere",
    "first_link",
    "is_there",
    "make_folder",
    "opened",
    "places_of",
]

KEPT: Final = "standing"  # the file with where everything stood, for a start without following every event
DATABASE: Final = "database"  # the file with the address, where ledger and people do not lie in the folder
_DELIVERED: Final = ((6, 25), (30, 400))  # in a demonstration: vials of each product, and days until they expire
_NAMES: Final = ("Dr Aubert", "Dr Brandt", "Dr Costa", "Dr Dubois", "Dr Evans", "Dr Faure", "Dr Garnier", "Dr Hughes")


def make_folder(file: ProtocolFile, folder: Path, key: Path, database: sa.URL | None = None) -> Secrets:
    """An empty trial's folder with its protocol and its people's database, and its key in a file of its own.

    Args:
        database: where ledger and people lie; None for files in the folder. The folder keeps the address, without a
            password.

    Raises:
        InvalidInput: the protocol can't be run, or the folder or the database holds something.
    """
    check_conductible(file.protocol)
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"{folder} holds something that is no trial; name an empty folder with --folder.")
    if database is not None:
        store_of(database).check_free()
    folder.mkdir(parents=True, exist_ok=True)
    secrets = Secrets.made(key)
    (folder / "protocol.yaml").write_text(file.text, encoding="utf-8")
    if database is not None:
        (folder / DATABASE).write_text(shown(database) + "\n", encoding="utf-8")
    keep_place(folder, keys_beside(key, folder))
    people = people_engine(database or folder / "people.db")
    make_people(people)
    people.dispose()
    return secrets


def places_of(folder: Path, database: sa.URL | None = None) -> tuple[Place, Place]:
    """Where the ledger and the people of a trial's folder lie.

    Args:
        database: the address as somebody gave it, perhaps with a password; it must be the folder's.

    Raises:
        InvalidInput: the folder's trial lies elsewhere.
    """
    kept = folder / DATABASE
    if not kept.is_file():
        if database is not None:
            raise InvalidInput(
                f"The trial in {folder} lies in files, not in a database; leave --database out. `sevenfold backup` and "
                "`sevenfold restore --database` move it."
            )
        return folder / "trial.db", folder / "people.db"
    address = place_of(kept.read_text(encoding="utf-8").strip())
    if isinstance(address, Path):
        raise InvalidInput(f"{kept} holds no address of a database.")
    if database is not None and shown(database) != shown(address):
        raise InvalidInput(f"The trial in {folder} lies in {shown(address)}, not in {shown(database)}.")
    return database or address, database or address


def is_there(folder: Path) -> bool:
    """Whether a folder holds a trial."""
    return (folder / "trial.db").exists() or ((folder / DATABASE).exists() and (folder / "vault.db").exists())


def begin_trial(file: ProtocolFile, folder: Path, key: Path, database: sa.URL | None = None) -> None:
    """A new trial in a folder: the list is drawn and sealed, committed to, and the ledger opened."""
    secrets = make_folder(file, folder, key, database)
    clock = SystemClock()
    vault = Vault.create(folder / "vault.db", supply_of(file), secrets.vault)
    ledger = Ledger.create(database or folder / "trial.db", clock, secrets.signing)
    conduct = Conduct(file, ledger, vault)
    open_trial(conduct, clock.now(), is_rehearsal=False)
    conduct.commit()
    ledger.close()


def opened(
    folder: Path,
    key: Path,
    *,
    database: sa.URL | None = None,
    is_demo: bool = False,
    is_behind_tls: bool = False,
    address: str = "",
) -> Room:
    """The trial of a folder, as far as its ledger tells it; nobody else may serve it until the room is closed.

    Raises:
        InvalidInput: there is none, the key is not its own, somebody else serves it, or a newer version made it.
        AuditBroken: the ledger or the vault was altered, or the vault is older than the ledger.
    """
    secrets = Secrets.read(key)
    file = load(str(folder / "protocol.yaml"))
    clock: Clock = SystemClock()
    place, people = places_of(folder, database)
    ledger = Ledger.reopened(place, clock, secrets.signing)
    try:
        if is_demo:
            clock = ShiftedClock(ledger.last_recorded() - datetime.now(UTC))
            ledger.clock = clock
        vault = Vault.reopened(folder / "vault.db", secrets.vault)
        kept = None if is_demo else _kept(folder / KEPT, ledger, file)
        conduct = Conduct.resumed(file, ledger, vault, kept)
        if is_demo:
            _check_rehearsed(conduct, folder)
        conduct.reconcile()
    except BaseException:
        ledger.close()
        raise
    engine = people_engine(people)
    try:
        bring_up(engine)
    except BaseException:
        engine.dispose()
        ledger.close()
        raise
    accounts = Accounts(engine, secrets.people)
    keys = IdentityKeys(keys_beside(key, folder), secrets.identities)
    if keys.is_there:
        keep_place(folder, keys.path)
    heads = None if is_demo else folder / "heads"
    room = Room(
        file,
        conduct,
        vault,
        accounts,
        clock,
        Identities(folder / FILE, keys),
        is_demo=is_demo,
        is_behind_tls=is_behind_tls,
        address=address,
        heads=heads,
        kept=None if is_demo else folder / KEPT,
        n_kept=0 if kept is None else kept.count,
    )
    room.settle()
    if heads is not None:
        export_of_today(ledger.head, heads, clock.now())
    return room


def _check_rehearsed(conduct: Conduct, folder: Path) -> None:
    """Refuse to show a trial of real patients as a demonstration."""
    if not conduct.whole.is_rehearsal:
        raise InvalidInput(
            f"The trial in {folder} is no demonstration, in which anybody comes in and signs as anybody. Leave --demo "
            "out, or name another folder."
        )


def _kept(path: Path, ledger: Ledger, file: ProtocolFile) -> Kept | None:
    """Where everything stood at an orderly end or some time before a crash; None: the ledger tells it all."""
    if not path.exists():
        return None
    try:
        return read_kept(path, ledger, file.sha256)
    except InvalidInput as error:
        noted("standing.not_recalled", because=str(error))
        return None


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
    return f"{address}/begin/{room.invitations.invite(administrator, room.now_s())}"


def admit_everybody(room: Room) -> None:
    """In a demonstration: somebody in every role, at every site for those of a site. Nobody needs a password."""
    sites = tuple(room.protocol.sites)
    posts = [(role, site) for role in Role for site in (sites if role in AT_A_SITE else (None,))]
    for place, (role, site) in enumerate(posts):
        name = _NAMES[place % len(_NAMES)] if role is Role.INVESTIGATOR else role.value[0].upper() + role.value[1:]
        login = f"{role.value.replace(' ', '.')}.{site or 'trial'}".lower()
        room.admitted(room.accounts.admit(login, name, role, site, sites), None)


def deliver_everywhere(room: Room) -> None:
    """In a demonstration: two consignments at every open site, so that its stock can be seen and used. The first
    expires soon.
    """
    if not room.protocol.keeps_stock:
        return
    now, person = room.clock.now(), {one.site: one for one in room.accounts.people() if one.role is Role.PHARMACIST}
    for site in sorted(room.conduct.whole.sites):
        for place, (n, days) in enumerate(_DELIVERED, start=1):
            expires = (now.astimezone(room.conduct.zone(site)).date() + timedelta(days=days)).isoformat()
            lots = [
                Lot(product=product, batch=f"{product.upper()[:3]}-{place:02d}", expires=expires, n_vials=n)
                for product in room.protocol.products
            ]
            low = max(one.vial.stored_from_celsius for one in room.protocol.products.values() if one.vial)
            high = min(one.vial.stored_to_celsius for one in room.protocol.products.values() if one.vial)
            came = Consignment(reference=f"demonstration {place}", lowest_celsius=low, highest_celsius=high, lots=lots)
            with room.step(person.get(site)) as conduct:
                receive_consignment(conduct, site, came, now)
