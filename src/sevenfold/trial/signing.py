"""Whose data an investigator has signed: what a lock waits for (ICH E6(R3), 3.16.1(p))."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from sevenfold.errors import InvalidInput, OutOfOrder
from sevenfold.record.data import digest_of, is_signed
from sevenfold.record.payloads import Signed
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.subject import Standing

__all__ = ["MEANINGS", "check_signed", "sign_data"]

MEANINGS: Final = (
    "I have reviewed these data and they are true",
    "I am responsible for these data",
)
"""What a signature may mean."""
_NAMED: Final = 5  # subjects in a refusal


def sign_data(
    conduct: Conduct,
    subject: str,
    name: str,
    meaning: str,
    visit: str | None,
    happened: datetime,
    seen: int | None = None,
) -> None:
    """An investigator signs a visit, or (None) everything of a subject, as it is recorded now.

    Args:
        name: of the signer, as printed.
        seen: the number of the last event that the signer has seen; None: all that there is.

    Raises:
        InvalidInput: something to be signed was recorded after what was seen.
    """
    events = conduct.ledger.told_of(subject)
    digest = digest_of(events, visit)
    if seen is not None and digest != digest_of([event for event in events if event.sequence <= seen], visit):
        raise InvalidInput("What you would sign has changed since the page was loaded; look at it again, then sign.")
    conduct.record(subject, Signed(name=name, meaning=meaning, visit=visit, digest=digest), "investigator", happened)


def check_signed(
    conduct: Conduct, standings: Iterable[Standing], reasons: Mapping[str, str], what: str
) -> dict[str, str]:
    """Refuse a lock while data of a randomised subject bear no investigator's standing signature.

    Args:
        reasons: by site, why nobody there can sign. A reason that a subject's own lock gave stands before it.
        what: is to be locked.

    Returns:
        Subject -> reason, of those whose data are not signed.

    Raises:
        OutOfOrder: some are not, and no reason is given.
    """
    unsigned: dict[str, str] = {}
    wanting: list[str] = []
    for one in standings:
        if one.number is None or is_signed(conduct.ledger.told_of(one.subject)):
            continue
        reason = one.unsigned_because or reasons.get(str(conduct.site_of(one.subject)), "").strip()
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
