"""Whose data an investigator has signed: what a lock waits for (ICH E6(R3), 3.16.1(p))."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from sevenfold.errors import OutOfOrder
from sevenfold.record.data import digest_of, is_signed
from sevenfold.record.event import Event
from sevenfold.record.ledger import Ledger
from sevenfold.record.payloads import Signed
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.subject import Standing

__all__ = ["MEANINGS", "check_signed", "sign_data", "told_of"]

MEANINGS: Final = (
    "I have reviewed these data and they are true",
    "I am responsible for these data",
)
"""What a signature may mean."""
_NAMED: Final = 5  # subjects in a refusal


def sign_data(conduct: Conduct, subject: str, name: str, meaning: str, visit: str | None, happened: datetime) -> None:
    """An investigator signs a visit, or (None) everything of a subject, as it is recorded now.

    Args:
        name: of the signer, as printed.
    """
    digest = digest_of(told_of(conduct.ledger, subject), visit)
    conduct.record(subject, Signed(name=name, meaning=meaning, visit=visit, digest=digest), "investigator", happened)


def told_of(ledger: Ledger, subject: str) -> list[Event]:
    """Every event of a subject, those that are not durable yet among them, in order."""
    return [*ledger.events_of(subject), *(event for event in ledger.waiting() if event.subject == subject)]


def check_signed(
    ledger: Ledger, standings: Iterable[Standing], sites: Mapping[str, str], reasons: Mapping[str, str], what: str
) -> dict[str, str]:
    """Refuse a lock while data of a randomised subject bear no investigator's standing signature.

    Args:
        what: is to be locked.
        sites: by subject.
        reasons: by site, why nobody there can sign. A reason that a subject's own lock gave stands before it.

    Returns:
        Subject -> reason, of those whose data are not signed.

    Raises:
        OutOfOrder: some are not, and no reason is given.
    """
    unsigned: dict[str, str] = {}
    wanting: list[str] = []
    for one in standings:
        if one.number is None or is_signed(told_of(ledger, one.subject)):
            continue
        reason = one.unsigned_because or reasons.get(sites[one.subject], "").strip()
        if reason:
            unsigned[one.subject] = reason
        else:
            wanting.append(one.subject)
    if wanting:
        shown = ", ".join(wanting[:_NAMED]) + (", …" if len(wanting) > _NAMED else "")
        raise OutOfOrder(
            f"{what} cannot be locked: no investigator's signature stands under the data of {shown} "
            f"({len(wanting)} in all). Let them be signed, or give a reason why nobody at their site can."
        )
    return unsigned
