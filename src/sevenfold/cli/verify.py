"""``sevenfold verify``: is a ledger what its chain and its signed head say?"""

import argparse
import os
from pathlib import Path
from typing import Final

from sevenfold.edge.keys import Secrets
from sevenfold.errors import AuditBroken, InvalidInput, SevenfoldError
from sevenfold.record.exported import exported_heads
from sevenfold.record.head import LedgerState
from sevenfold.record.payloads import Dispensed, Randomised, TrialOpened, read_payload
from sevenfold.record.place import Place, place_of, shown
from sevenfold.record.reading import event_of, looked_at, read_head, rows_of
from sevenfold.record.store import store_of
from sevenfold.record.verify import verify
from sevenfold.vault.vault import Vault

__all__ = ["faults_against_key", "verify_ledger"]

_GIVEN_OUT: Final = {TrialOpened.__name__, Randomised.__name__, Dispensed.__name__}
_SHOWN: Final = 8  # one removed event makes a fault of every event behind it


def verify_ledger(chosen: argparse.Namespace) -> int:
    """Print the first faults and how many there are, or that there is none."""
    place = place_of(chosen.ledger)
    kept = Path(chosen.head) if chosen.head else _beside(place)
    found = verify(place, exported_heads(kept) if kept else None, os.cpu_count() or 1)
    faults = list(found.faults)
    if chosen.key:
        faults += faults_against_key(place, Secrets.read(Path(chosen.key)), _vault_of(place, chosen.vault))
    for fault in faults[:_SHOWN]:
        print(f"FAULT  {fault}")
    if len(faults) > _SHOWN:
        print(f"       … and {len(faults) - _SHOWN} more faults, which follow from these or stand behind them.")
    for note in found.notes:
        print(f"       {note}")
    if chosen.key and not faults:
        print("       The key is the one of this ledger, and its vault knows every place and kit that it speaks of.")
    if not faults:
        blind = "" if found.is_unblinded else " It is still blind."
        more = {LedgerState.COMPLETE: "", LedgerState.LOCKED: blind}
        incomplete = more.get(found.state or LedgerState.RUNNING, " The run it records is incomplete.")
        print(f"{shown(place)}: {found.n_events} events, chain and head hold; the ledger is {found.state}.{incomplete}")
        return 0
    n = len(faults)
    print(
        f"{shown(place)}: {n} {'fault' if n == 1 else 'faults'} in {found.n_events} events; do not trust this ledger."
    )
    return 2


def faults_against_key(place: Place, secrets: Secrets, vault_file: Path) -> list[str]:
    """What of a ledger, and of its vault, does not go with a key; no fault tells an arm."""
    try:
        if read_head(place).public_key != secrets.signing.public_key:
            return ["The ledger is signed with another key than the one given."]
        vault = Vault.reopened(vault_file, secrets.vault)
    except SevenfoldError as error:
        return [str(error)]
    faults: list[str] = []
    store = store_of(place)
    with looked_at(place, store) as connection:
        for row in rows_of(store, connection):
            if row[1] not in _GIVEN_OUT:
                continue
            try:
                said = read_payload(event_of(row))
            except AuditBroken as error:
                return [str(error)]
            match said:
                case TrialOpened() if said.allocation_commitment != vault.commitment:
                    faults.append("The vault's list is not the one that was committed to at the start.")
                case Randomised() if not vault.has_given_out(number=said.number):
                    faults.append(f"The vault has never given out place {said.number}, which event {row[0]} takes.")
                case Dispensed() if not vault.has_given_out(kit=said.kit):
                    faults.append(f"The vault has never dispensed kit {said.kit}, of which event {row[0]} speaks.")
                case _:
                    pass
    return faults


def _beside(place: Place) -> Path | None:
    """Heads that lie beside the ledger's file: a run's, or a trial's exported ones."""
    if not isinstance(place, Path):
        return None
    run, heads = place.parent / "run.json", place.parent / "heads"
    return run if run.is_file() else heads if heads.is_dir() and any(heads.glob("*.json")) else None


def _vault_of(place: Place, chosen: str | None) -> Path:
    if chosen:
        return Path(chosen)
    if isinstance(place, Path):
        return place.parent / "vault.db"
    raise InvalidInput("The vault of a ledger in PostgreSQL lies in the trial's folder; name it with --vault.")
