"""Where the trial as a whole stands, and which step may follow which: opened, locked and unblinded once."""

from dataclasses import dataclass, field
from typing import Final, final

from sevenfold.errors import OutOfOrder
from sevenfold.record.head import NO_DATUM
from sevenfold.record.payloads import (
    DatabaseLocked,
    DataLocked,
    DataUnlocked,
    LabFileImported,
    Payload,
    RunInterrupted,
    SiteOpened,
    TrialOpened,
    Unblinded,
    UnblindingAsked,
)

__all__ = ["OF_THE_TRIAL", "TrialStanding"]

OF_THE_TRIAL: Final = (TrialOpened, SiteOpened, DatabaseLocked, UnblindingAsked, Unblinded, RunInterrupted)


@final
@dataclass(slots=True)
class TrialStanding:
    """Moved on by :meth:`after`.

    Args:
        unsigned: subject -> why the data were locked without an investigator's signature.
        asked: who asked for the planned unblinding; None until somebody does.
        n_masked_files: of the laboratory.
        locked_sites: whose data are locked, with why somebody's bear no signature, if so.
    """

    is_open: bool = False
    is_locked: bool = False
    is_unblinded: bool = False
    is_rehearsal: bool = False
    asked: UnblindingAsked | None = None
    unsigned: dict[str, str] = field(default_factory=dict)
    sites: set[str] = field(default_factory=set)
    locked_sites: dict[str, str | None] = field(default_factory=dict)
    n_masked_files: int = 0

    def check(self, said: Payload, subject: str | None, site: str | None) -> None:
        """Refuse a step that the trial does not allow now, whoever it is of.

        Raises:
            OutOfOrder: naming the step and what stands against it.
        """
        reason = self._objection(said, subject, site)
        if reason is not None:
            of = f" for {subject}" if subject is not None else ""
            raise OutOfOrder(f"{type(said).__name__} cannot be recorded{of}: {reason}.")

    def after(self, said: Payload, site: str | None) -> None:
        """Move on by one event."""
        match said:
            case TrialOpened():
                self.is_open = True
                self.is_rehearsal = said.is_rehearsal
            case SiteOpened():
                self.sites.add(str(site))
            case DatabaseLocked():
                self.is_locked, self.unsigned = True, dict(said.unsigned)
            case UnblindingAsked():
                self.asked = said
            case Unblinded():
                self.is_unblinded = True
            case DataLocked(scope="site"):
                self.locked_sites[said.name] = said.unsigned_because
            case DataUnlocked(scope="site"):
                self.locked_sites.pop(said.name, None)
            case LabFileImported():
                self.n_masked_files += said.holds == "masked"
            case _:
                pass

    def _objection(self, said: Payload, subject: str | None, site: str | None) -> str | None:
        if subject is not None and isinstance(said, OF_THE_TRIAL):
            return "it is said of the trial, not of a subject"
        if isinstance(said, RunInterrupted):
            return None
        if isinstance(said, TrialOpened):
            return "the trial was opened already" if self.is_open else None
        if not self.is_open:
            return "the trial is not open"
        if isinstance(said, (UnblindingAsked, Unblinded)):
            return self._blind(said)
        if type(said).__name__ in NO_DATUM:
            return None
        if self.is_locked:
            return "the database is locked"
        if isinstance(said, (DataLocked, DataUnlocked)) and said.scope == "site":
            return self._of_site(said, subject, site)
        if subject is not None and site in self.locked_sites:
            return f"the data of site {site} are locked"
        if isinstance(said, SiteOpened):
            return f"site {site} was opened already" if site in self.sites else None
        return None if site is None or site in self.sites else f"site {site} is not open"

    def _of_site(self, said: DataLocked | DataUnlocked, subject: str | None, site: str | None) -> str | None:
        """A site is locked once, as a whole, and opened again with a reason."""
        if subject is not None or said.name != site:
            return "a site's lock is said of that site"
        if site not in self.sites:
            return f"site {site} is not open"
        if isinstance(said, DataLocked):
            return f"site {site} is locked already" if site in self.locked_sites else None
        if not said.reason.strip():
            return "it needs a reason"
        return None if site in self.locked_sites else f"site {site} is not locked"

    def _blind(self, said: UnblindingAsked | Unblinded) -> str | None:
        """What holds the blind: the lock first, then two people, of whom a rehearsal has none."""
        if self.is_unblinded:
            return "the trial was unblinded already"
        if not self.is_locked:
            return "nothing is revealed before the database is locked"
        if isinstance(said, UnblindingAsked):
            return None if self.asked is None else f"{self.asked.name} has asked already; another person confirms it"
        if self.asked is None and not self.is_rehearsal:
            return "nobody has asked for it; one person asks, and another confirms"
        return None
