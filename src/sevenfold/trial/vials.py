"""What is said of vials at a site, before it is sealed: consignments, quarantine, decisions, returns, destruction,
counts.

Everything that a person types of them is in here, since any of it may name a product.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

__all__ = [
    "Consignment",
    "Counted",
    "Destroyed",
    "Judged",
    "Lot",
    "Moved",
    "Quarantined",
    "Returned",
    "VialStatus",
]

_Said = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
_Celsius = Annotated[float, Field(ge=-200.0, le=100.0)]


class VialStatus(StrEnum):
    """Where a vial stands. Each that was received stands in exactly one."""

    IN_STOCK = "in stock"
    QUARANTINED = "in quarantine"
    REJECTED = "rejected"
    USED = "used"
    RETURNED = "returned"
    DESTROYED = "destroyed"
    MISSING = "missing"


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Lot(_Plain):
    """Vials of one product and one batch number in a consignment.

    Args:
        product: its id in the protocol.
        batch: as printed on the vials.
        expires: the last day on which a vial may be used, ``2027-03-31``.
        is_quarantined: whether they went into quarantine at once, since the journey was too cold or too warm.
    """

    product: str
    batch: _Said
    expires: str
    n_vials: Annotated[int, Field(ge=1, le=100_000)]
    is_quarantined: bool = False

    @field_validator("expires")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        return date.fromisoformat(value).isoformat()

    @property
    def last_day(self) -> date:
        """The last day on which a vial may be used."""
        return date.fromisoformat(self.expires)


class Consignment(_Plain):
    """What came in one delivery.

    Args:
        reference: of the delivery note.
        lowest_celsius: that the logger of the journey shows.
        highest_celsius: the same.
    """

    reference: _Said
    lowest_celsius: _Celsius
    highest_celsius: _Celsius
    lots: Annotated[list[Lot], Field(min_length=1, max_length=12)]


class Moved(_Plain):
    """Vials go from one status to another.

    Args:
        vials: how many, by lot: the consignment's number at the site and the lot's place in it, ``2.1``.
    """

    to: ClassVar[VialStatus]
    vials: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=60)]

    @property
    def before(self) -> VialStatus:
        """Where they stood."""
        return VialStatus.IN_STOCK

    @property
    def after(self) -> VialStatus:
        """Where they stand then."""
        return self.to


class Quarantined(Moved):
    """Set aside after a deviation.

    Args:
        minutes: how long it lasted.
    """

    to = VialStatus.QUARANTINED
    lowest_celsius: _Celsius
    highest_celsius: _Celsius
    minutes: Annotated[int, Field(ge=1, le=1_000_000)]
    reason: _Said


class Judged(Moved):
    """Somebody who may has decided on vials in quarantine.

    Args:
        decided_by: name and function.
    """

    to = VialStatus.IN_STOCK
    is_released: bool
    decided_by: _Said
    reason: _Said

    @property
    def before(self) -> VialStatus:
        """Quarantine."""
        return VialStatus.QUARANTINED

    @property
    def after(self) -> VialStatus:
        """Stock again, or rejected."""
        return VialStatus.IN_STOCK if self.is_released else VialStatus.REJECTED


class _Leaving(Moved):
    come_from: Literal["in stock", "rejected"]

    @property
    def before(self) -> VialStatus:
        """Stock, or what was rejected; out of quarantine nothing leaves before it is decided on."""
        return VialStatus(self.come_from)


class Returned(_Leaving):
    """Sent back, to whom and under which reference."""

    to = VialStatus.RETURNED
    recipient: _Said
    reference: _Said


class Destroyed(_Leaving):
    """Destroyed before a witness; ``certificate`` is its reference."""

    to = VialStatus.DESTROYED
    witness: _Said
    certificate: _Said


class Counted(_Plain):
    """Vials in stock were counted, before a witness.

    What differs is kept, not what lay there: of two sites that lost one vial the same is said, however much they used.

    Args:
        differences: by lot, how many more (or fewer, below 0) lay there than in the books; 0 where both agreed.
    """

    differences: Annotated[dict[str, int], Field(min_length=1, max_length=60)]
    reason: _Said
    witness: _Said
