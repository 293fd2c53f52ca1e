"""The stock of vials at every site: a fold of what was said of supplies and of the kits that vials went into.

It lies behind the blind: what use of a product there is tells the arms. Every vial that was received stands in exactly
one status, so received = in stock + in quarantine + rejected + used + returned + destroyed + missing, at all
times; a count that finds more than was ever received corrects the receipt.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, final

from sevenfold.errors import OutOfOrder
from sevenfold.record.payloads import (
    Dispensed,
    Payload,
    SuppliesCounted,
    SuppliesDestroyed,
    SuppliesJudged,
    SuppliesQuarantined,
    SuppliesReceived,
    SuppliesReturned,
)
from sevenfold.trial.vials import Consignment, Counted, Destroyed, Judged, Moved, Quarantined, Returned, VialStatus

__all__ = ["MOVES", "STOCK_KINDS", "OutOfStock", "Stock", "StockedLot", "Supplied", "supply_place"]

Supplied = (
    SuppliesReceived | SuppliesQuarantined | SuppliesJudged | SuppliesReturned | SuppliesDestroyed | SuppliesCounted
)
MOVES: Final[Mapping[type[Payload], type[Moved]]] = {
    SuppliesQuarantined: Quarantined,
    SuppliesJudged: Judged,
    SuppliesReturned: Returned,
    SuppliesDestroyed: Destroyed,
}
"""What is sealed in events that move vials from one status to another."""
STOCK_KINDS: Final[tuple[type[Payload], ...]] = (SuppliesReceived, *MOVES, SuppliesCounted, Dispensed)
"""Events of which the stock is a fold."""


class OutOfStock(OutOfOrder):
    """A site lacks vials for a dose. It names products: it is for the pharmacist alone."""


def supply_place(site: str, number: int) -> str:
    """Where the sealed part of what was said of a site's supplies belongs; it opens nowhere else."""
    return f"supplies {site} {number}"


@final
@dataclass(slots=True)
class StockedLot:
    """Vials of one lot of one consignment.

    Args:
        key: at its site: the consignment's number and the lot's place in it, ``2.1``.
        batch: as printed on the vials.
        expires: the last day on which a vial may be used.
        n_received: vials, as counts have corrected it.
        counts: how many stand in each status; they add up to those received.
        n_corrected: by how many counts have raised what was received.
    """

    key: str
    product: str
    batch: str
    expires: date
    n_received: int
    counts: dict[VialStatus, int]
    n_corrected: int = 0

    def move(self, n: int, before: VialStatus, after: VialStatus) -> None:
        """Some go from one status to another."""
        self.counts[before] -= n
        self.counts[after] += n

    def differ(self, n: int) -> None:
        """A count found some more in stock, or fewer. More were missing before; beyond these more had been received."""
        if n < 0:
            self.move(-n, VialStatus.IN_STOCK, VialStatus.MISSING)
            return
        back = min(n, self[VialStatus.MISSING])
        self.move(back, VialStatus.MISSING, VialStatus.IN_STOCK)
        self.counts[VialStatus.IN_STOCK] += n - back
        self.n_received += n - back
        self.n_corrected += n - back

    def __getitem__(self, status: VialStatus) -> int:
        """How many stand in a status."""
        return self.counts[status]


@final
@dataclass(slots=True)
class Stock:
    """Every site's lots.

    Args:
        unseal: opens what is sealed at a place.
        vials_in: the vials that went into a kit, by lot.
        lots: by site and key, in the order in which they came.
        n_said: by site, of events on supplies.
        n_uncounted: by site, kits that were dispensed before its first consignment.
    """

    unseal: Callable[[str, str], Any]
    vials_in: Callable[[str], Mapping[str, int]]
    lots: dict[str, dict[str, StockedLot]] = field(default_factory=dict)
    n_said: dict[str, int] = field(default_factory=dict)
    n_uncounted: dict[str, int] = field(default_factory=dict)

    def sees(self, said: Payload, site: str | None) -> None:
        """Move on by one event."""
        if site is None or not isinstance(said, (Dispensed, Supplied)):
            return
        here = self.lots.setdefault(site, {})
        if isinstance(said, Dispensed):
            vials = self.vials_in(said.kit)
            for key, n in vials.items():
                here[key].move(n, VialStatus.IN_STOCK, VialStatus.USED)
            if not vials:
                self.n_uncounted[site] = self.n_uncounted.get(site, 0) + 1
            return
        self.n_said[site] = said.number
        plain = self.unseal(supply_place(site, said.number), said.sealed)
        if isinstance(said, SuppliesReceived):
            here.update(_lots(said.number, Consignment.model_validate(plain)))
            return
        if isinstance(said, SuppliesCounted):
            for key, n in Counted.model_validate(plain).differences.items():
                here[key].differ(n)
            return
        moved = MOVES[type(said)].model_validate(plain)
        for key, n in moved.vials.items():
            here[key].move(n, moved.before, moved.after)

    def is_kept_at(self, site: str) -> bool:
        """Whether a site has received anything: from then on its vials are counted."""
        return bool(self.lots.get(site))

    def at(self, site: str) -> list[StockedLot]:
        """A site's lots, in the order in which they came."""
        return list(self.lots.get(site, {}).values())

    def check(self, site: str, moved: Moved) -> None:
        """Refuse to move vials that are not there.

        Raises:
            OutOfOrder: naming the lot, how many stand there and how many were meant.
        """
        for key, n in moved.vials.items():
            lot = self._lot(site, key)
            if n > lot[moved.before]:
                raise OutOfOrder(
                    f"{n} vials of batch {lot.batch} ({key}) are meant, and {lot[moved.before]} are "
                    f"{moved.before.value}."
                )

    def differences(self, site: str, counted: Mapping[str, int], stood: Mapping[str, int]) -> dict[str, int]:
        """By how many each lot that was counted differs from the books.

        Args:
            counted: lot -> vials that lie there.
            stood: lot -> vials that were in stock by the books when they were counted.

        Raises:
            OutOfOrder: there is no such lot, its stock has moved since, or so many can't have come.
        """
        found = {}
        for key, n in counted.items():
            lot = self._lot(site, key)
            now, before = lot[VialStatus.IN_STOCK], stood.get(key)
            if before != now:
                raise OutOfOrder(
                    f"Of batch {lot.batch} ({key}) {now} vials are in stock by now, not {before}: something was "
                    "recorded meanwhile. Look again, and count again."
                )
            if not 0 <= n <= now + lot[VialStatus.MISSING] + lot.n_received:
                raise OutOfOrder(
                    f"{n} vials of batch {lot.batch} ({key}) can't have been counted: {now} should be there, of "
                    f"{lot.n_received} that were received. If more came, record what came as a consignment."
                )
            found[key] = n - now
        return found

    def _lot(self, site: str, key: str) -> StockedLot:
        here = self.lots.get(site, {})
        if key not in here:
            raise OutOfOrder(f"Site {site} has no lot {key!r}; it has {', '.join(here) or 'none'}.")
        return here[key]

    def usable(self, site: str, product: str, day: date) -> list[StockedLot]:
        """Lots of a product that may be used on a day, in the order in which they are: first expired, first out."""
        found = [
            one
            for one in self.at(site)
            if one.product == product and one.expires >= day and one[VialStatus.IN_STOCK] > 0
        ]
        return sorted(found, key=lambda one: one.expires)  # of one day, the one that came first

    def pick(self, site: str, wanted: Mapping[str, int], day: date) -> dict[str, dict[str, int]]:
        """For every product, the vials that would go into a kit: lot -> how many.

        All are needed, whatever the kit will hold: were a dose held only for those whose own product is out, who is
        held would tell who is alike.

        Args:
            wanted: product -> vials of a dose.
            day: of the dose, at the site.

        Raises:
            OutOfStock: of some product there are too few.
        """
        picked: dict[str, dict[str, int]] = {}
        lacking = []
        for product, n in wanted.items():
            picked[product], left = {}, n
            for lot in self.usable(site, product, day):
                taken = min(left, lot[VialStatus.IN_STOCK])
                if taken:
                    picked[product][lot.key] = taken
                left -= taken
            if left:
                lacking.append(f"{product} ({n - left} of {n} vials)")
        if lacking:
            raise OutOfStock(
                f"Site {site} lacks {' and '.join(lacking)} that may be used on {day}. No dose is prepared there until "
                "a consignment is received: a dose needs every product in stock, so that who waits tells nothing."
            )
        return picked


def _lots(number: int, came: Consignment) -> dict[str, StockedLot]:
    """A consignment's lots by key."""
    found = {}
    for place, lot in enumerate(came.lots, start=1):
        key, status = f"{number}.{place}", VialStatus.QUARANTINED if lot.is_quarantined else VialStatus.IN_STOCK
        counts = dict.fromkeys(VialStatus, 0) | {status: lot.n_vials}
        found[key] = StockedLot(key, lot.product, lot.batch, lot.last_day, lot.n_vials, counts)
    return found
