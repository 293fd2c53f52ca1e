"""The planned unblinding: what the vault reveals after lock goes into the record."""

from datetime import datetime

from sevenfold.trial.closing import unblind_trial
from sevenfold.trial.conduct import Conduct
from sevenfold.vault.vault import Vault

__all__ = ["reveal"]


def reveal(conduct: Conduct, vault: Vault, happened: datetime) -> None:
    """The planned unblinding, after lock.

    Raises:
        BlindBroken: the database is not locked.
        OutOfOrder: it was unblinded already, or nobody has asked for it in a trial that is no rehearsal.
    """
    shown = vault.reveal(is_locked=conduct.is_locked)
    unblind_trial(
        conduct, shown.assignments, shown.allocation_list, shown.nonce, shown.results_key, happened, shown.vials
    )
