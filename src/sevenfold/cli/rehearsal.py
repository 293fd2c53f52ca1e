"""The edge at which everything meets for a rehearsal: protocol, vault, ledger, virtual ICU and clock."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import final

from sevenfold.clock import SimulatedClock
from sevenfold.edge.keys import Secrets
from sevenfold.edge.supply import supply_of
from sevenfold.edge.unblinding import reveal
from sevenfold.protocol.load import ProtocolFile
from sevenfold.record.head import LedgerState
from sevenfold.record.ledger import Ledger
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.icu.assumptions import Assumptions
from sevenfold.trial.icu.nature import VirtualIcu
from sevenfold.trial.rehearse import Progress, rehearse
from sevenfold.vault.vault import Vault

__all__ = ["StagedTrial", "held_interrupt", "stage"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StagedTrial:
    """A trial that is ready to be rehearsed in a folder."""

    conduct: Conduct
    vault: Vault
    nature: VirtualIcu
    clock: SimulatedClock
    seed: int

    def rehearse(self, progress: Progress, is_interrupted: Callable[[], bool]) -> None:
        """From the first site to database lock.

        Args:
            is_interrupted: from :func:`held_interrupt`.

        Raises:
            KeyboardInterrupt: Ctrl-C, between two steps; the ledger is valid and says so.
        """
        try:
            rehearse(self.conduct, self.nature, self.clock, self.seed, progress, is_interrupted)
        except KeyboardInterrupt:
            self.conduct.interrupt("stopped by the user", self.clock.now())
            raise
        finally:
            self.vault.persist()

    def unblind(self) -> None:
        """The planned unblinding, after lock."""
        reveal(self.conduct, self.vault, self.clock.now())

    def close(self, state: LedgerState) -> None:
        """Commit what there is, sign the head, and let go of the files."""
        self.conduct.commit(state)
        self.conduct.ledger.close()


def stage(
    file: ProtocolFile,
    folder: Path,
    seed: int,
    assume: Assumptions,
    secrets: Secrets | None = None,
    typical: Mapping[str, float] | None = None,
) -> StagedTrial:
    """Set a trial up in a folder.

    Args:
        seed: of everything that happens to the virtual patients.
        secrets: of vault and ledger; those of the seed unless given, so that the rehearsal can be repeated to the byte.
        typical: parameters of the typical virtual patient where they are not those shipped.
    """
    secrets = secrets or Secrets.of_seed(seed)
    vault = Vault.create(folder / "vault.db", supply_of(file), secrets.vault)
    clock = SimulatedClock(datetime(1970, 1, 1, tzinfo=UTC))
    ledger = Ledger.create(folder / "trial.db", clock, secrets.signing)
    nature = VirtualIcu(file.protocol, assume, seed, vault.contents, typical=typical or {})
    return StagedTrial(conduct=Conduct(file, ledger, vault), vault=vault, nature=nature, clock=clock, seed=seed)


@contextmanager
def held_interrupt() -> Iterator[Callable[[], bool]]:
    """Holds Ctrl-C (and a request to terminate) back until it is asked for, so that no transaction is cut; pressing it
    again changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda _number, _frame: pressed.set())
    try:
        yield pressed.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
