"""``sevenfold verify``: is a ledger what its chain and its signed head say?"""

import argparse
import json
from pathlib import Path
from typing import Final

from sevenfold.errors import InvalidInput
from sevenfold.record.head import Head, LedgerState
from sevenfold.record.verify import verify

__all__ = ["verify_ledger"]

_SHOWN: Final = 8  # one removed event makes a fault of every event behind it


def verify_ledger(chosen: argparse.Namespace) -> int:
    """Print the first faults and how many there are, or that there is none."""
    path = Path(chosen.ledger)
    beside = path.parent / "run.json"
    head_file = Path(chosen.head) if chosen.head else beside if beside.is_file() else None
    found = verify(path, _exported(head_file) if head_file else None)
    for fault in found.faults[:_SHOWN]:
        print(f"FAULT  {fault}")
    if len(found.faults) > _SHOWN:
        print(f"       … and {len(found.faults) - _SHOWN} more faults, which follow from these or stand behind them.")
    for note in found.notes:
        print(f"       {note}")
    if found.is_whole:
        incomplete = "" if found.state is LedgerState.COMPLETE else " The run it records is incomplete."
        print(f"{path}: {found.n_events} events, chain and head hold; the ledger is {found.state}.{incomplete}")
        return 0
    n = len(found.faults)
    print(f"{path}: {n} {'fault' if n == 1 else 'faults'} in {found.n_events} events; do not trust this ledger.")
    return 2


def _exported(path: Path) -> Head:
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
