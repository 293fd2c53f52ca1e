"""``sevenfold verify``: is a ledger what its chain and its signed head say?"""

import argparse
import json
from pathlib import Path
from typing import Final

from sevenfold.edge.keys import Secrets
from sevenfold.errors import AuditBroken, InvalidInput, SevenfoldError
from sevenfold.record.head import Head, LedgerState
from sevenfold.record.payloads import Dispensed, Randomised, TrialOpened, read_payload
from sevenfold.record.reading import read_events, read_head
from sevenfold.record.verify import verify
from sevenfold.vault.vault import Vault

__all__ = ["exported_head", "faults_against_key", "verify_ledger"]

_SHOWN: Final = 8  # one removed event makes a fault of every event behind it


def verify_ledger(chosen: argparse.Namespace) -> int:
    """Print the first faults and how many there are, or that there is none."""
    path = Path(chosen.ledger)
    beside = path.parent / "run.json"
    head_file = Path(chosen.head) if chosen.head else beside if beside.is_file() else None
    found = verify(path, exported_head(head_file) if head_file else None)
    faults = [*found.faults, *(faults_against_key(path, Secrets.read(Path(chosen.key))) if chosen.key else [])]
    for fault in faults[:_SHOWN]:
        print(f"FAULT  {fault}")
    if len(faults) > _SHOWN:
        print(f"       … and {len(faults) - _SHOWN} more faults, which follow from these or stand behind them.")
    for note in found.notes:
        print(f"       {note}")
    if chosen.key and not faults:
        print("       The key is the one of this ledger, and its vault knows every place and kit that it speaks of.")
    if not faults:
        more = {LedgerState.COMPLETE: "", LedgerState.LOCKED: " It is still blind."}
        incomplete = more.get(found.state or LedgerState.RUNNING, " The run it records is incomplete.")
        print(f"{path}: {found.n_events} events, chain and head hold; the ledger is {found.state}.{incomplete}")
        return 0
    n = len(faults)
    print(f"{path}: {n} {'fault' if n == 1 else 'faults'} in {found.n_events} events; do not trust this ledger.")
    return 2


def faults_against_key(path: Path, secrets: Secrets) -> list[str]:
    """What of a ledger, and of the vault beside it, does not go with a key; no fault tells an arm."""
    try:
        if read_head(path).public_key != secrets.signing.public_key:
            return ["The ledger is signed with another key than the one given."]
        vault = Vault.reopened(path.parent / "vault.db", secrets.vault)
    except SevenfoldError as error:
        return [str(error)]
    faults = []
    for event in read_events(path):
        try:
            said = read_payload(event)
        except AuditBroken as error:
            return [str(error)]
        match said:
            case TrialOpened() if said.allocation_commitment != vault.commitment:
                faults.append("The vault's list is not the one that was committed to at the start.")
            case Randomised() if not vault.has_given_out(number=said.number):
                faults.append(f"The vault has never given out place {said.number}, which event {event.sequence} takes.")
            case Dispensed() if not vault.has_given_out(kit=said.kit):
                faults.append(f"The vault has never dispensed kit {said.kit}, of which event {event.sequence} speaks.")
            case _:
                pass
    return faults


def exported_head(path: Path) -> Head:
    """The head of a ledger in a file that was kept elsewhere, such as run.json.

    Raises:
        InvalidInput: the file can't be read, or holds none.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path} with a head.")
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        entry = entry.get("ledger head", entry)
        return Head(
            count=int(entry["count"]),
            hash=str(entry["hash"]),
            state=LedgerState(entry["state"]),
            public_key=str(entry["public_key"]),
            signature=str(entry["signature"]),
        )
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, AttributeError, TypeError, OverflowError, RecursionError):
        raise InvalidInput(f"{path} holds no ledger head; run.json of a run does, under 'ledger head'.") from None
