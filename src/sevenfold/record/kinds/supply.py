"""Supplies at a site: what was received, set aside, judged, returned, destroyed and counted, and kits that come back.

How many vials of which product lie at a site would betray the arms, so what is said of vials is sealed under the
vault's key whatever it is; that something was said, and when, is in clear.
"""

from typing import Literal

from sevenfold.record.kinds.kind import Payload

__all__ = [
    "KitDestroyed",
    "KitReturned",
    "SuppliesCounted",
    "SuppliesDestroyed",
    "SuppliesJudged",
    "SuppliesQuarantined",
    "SuppliesReceived",
    "SuppliesReturned",
]


class SuppliesReceived(Payload):
    """A consignment came to a site.

    Args:
        number: of what was said of the site's supplies, from 1.
        sealed: its vials: products, lots, expiry, how many, and how they travelled.
    """

    number: int
    sealed: str


class SuppliesQuarantined(Payload):
    """Vials were set aside after a deviation, such as of temperature. Sealed: which, how many, what was measured, why.

    Args:
        number: of what was said of the site's supplies, from 1.
    """

    number: int
    sealed: str


class SuppliesJudged(Payload):
    """It was decided of vials in quarantine whether they may be used. Sealed: which, the decision, whose, why.

    Args:
        number: of what was said of the site's supplies, from 1.
    """

    number: int
    sealed: str


class SuppliesReturned(Payload):
    """Vials went back to where they came from. Sealed: which, how many, to whom.

    Args:
        number: of what was said of the site's supplies, from 1.
    """

    number: int
    sealed: str


class SuppliesDestroyed(Payload):
    """Vials were destroyed. Sealed: which, how many, before which witness, the certificate.

    Args:
        number: of what was said of the site's supplies, from 1.
    """

    number: int
    sealed: str


class SuppliesCounted(Payload):
    """Vials in stock were counted. Sealed: which lots, by how many each differed, why, before which witness.

    Args:
        number: of what was said of the site's supplies, from 1.
    """

    number: int
    sealed: str


class KitReturned(Payload):
    """A kit that was dispensed and not given came back to the pharmacy."""

    study_day: int
    kit: str
    reason: Literal["not given", "damaged", "kept too long"]


class KitDestroyed(Payload):
    """A kit that came back was destroyed. Sealed: before which witness, the certificate."""

    study_day: int
    kit: str
    sealed: str
