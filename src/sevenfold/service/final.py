"""The final report of a served trial: made once, by itself, after the unblinding, beside the ledger; the same that
``sevenfold run`` makes.
"""

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from sevenfold.record.history import read_history
from sevenfold.service.room import Room

__all__ = ["SEED", "FinalReport"]

SEED: Final = 1  # of the analysis's resamples: fixed before anybody has seen an arm, and that of `sevenfold run`


@final
@dataclass(slots=True)
class FinalReport:
    """A report that is there, is being made, or could not be."""

    room: Room
    has_failed: bool = False
    _work: threading.Thread | None = None
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.room.vault.path.parent / "final"

    @property
    def is_there(self) -> bool:
        """Whether it can be read."""
        return (self.folder / "report.html").is_file()

    def begin(self) -> None:
        """Have it made, unless it is there or under way or the trial is blind."""
        with self._one_at_a_time:
            is_under_way = self._work is not None and self._work.is_alive()
            if self.is_there or is_under_way or not self.room.conduct.whole.is_unblinded:
                return
            self.has_failed = False
            self._work = threading.Thread(target=self._make, name="final report", daemon=True)
            self._work.start()

    def wait(self) -> None:
        """Until it is made, or could not be."""
        if self._work is not None:
            self._work.join()

    def _make(self) -> None:
        from sevenfold.edge.concluding import Told, Untold, conclude
        from sevenfold.trial.icu.assumptions import shipped

        try:
            ledger = self.room.conduct.ledger
            head = ledger.head
            history = read_history(ledger.events())
            assumptions = tuple(shipped().by_name.values()) if self.room.conduct.whole.is_rehearsal else ()
            self.folder.mkdir(exist_ok=True)
            told = Told(seed=SEED, assumptions=assumptions)
            conclude(self.room.file, history, head, told, self.folder, Untold(), lambda _done, _of: None)
        except Exception:
            logging.getLogger(__name__).exception("report.not_made")
            self.has_failed = True
