"""The accountability log of a site: everything that happened to its vials and kits, with the stock that was left.

It names products, so it is for whoever keeps the stock. Source: ICH E6(R2) 4.6.3, 5.14.4.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, final

from sevenfold.record.event import Event
from sevenfold.record.history import sealed_place
from sevenfold.record.payloads import (
    Dispensed,
    KitDestroyed,
    KitReturned,
    Payload,
    SuppliesCounted,
    SuppliesReceived,
    read_payload,
)
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.stock import MOVES, STOCK_KINDS, Stock, Supplied, supply_place
from sevenfold.trial.vials import Consignment, Counted, Destroyed, Judged, Moved, Quarantined, Returned, VialStatus

__all__ = ["COLUMNS", "Entry", "accountability"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the log.

    Args:
        what: ``received``, ``dispensed``, a status that vials came into, ``counted`` where a count agreed, ``found``
            (what had been missing), ``receipt corrected`` (more than was ever received), ``kit returned`` or ``kit
            destroyed``.
        lot: at the site, ``2.1``; empty for a kit.
        batch: as printed on the vials.
        n_vials: that it is about; None for a kit.
        n_left: of the lot in stock, when it was done; None for a kit.
        more: references, reasons, temperatures, as they were given.
    """

    at: datetime
    by: str
    what: str
    product: str
    lot: str = ""
    batch: str = ""
    expires: str = ""
    n_vials: int | None = None
    n_left: int | None = None
    subject: str = ""
    kit: str = ""
    more: str = ""


COLUMNS: Final = tuple(one.name for one in fields(Entry))


def accountability(conduct: Conduct, site: str) -> list[Entry]:
    """The log, in the order of the record."""
    stock = Stock(conduct.allocator.open, conduct.allocator.vials_in)
    kinds: tuple[type[Payload], ...] = (*STOCK_KINDS, KitReturned, KitDestroyed)
    events = [event for kind in kinds for event in conduct.ledger.of_type(kind.__name__) if event.site == site]
    products: dict[str, str] = {}  # kit -> product
    found: list[Entry] = []
    for event in sorted(events, key=lambda one: one.sequence):
        said = read_payload(event)
        missing = {one.key: one[VialStatus.MISSING] for one in stock.at(site)}
        stock.sees(said, site)
        entries = list(_entries(conduct, stock, site, event, said, missing))
        products |= {one.kit: one.product for one in entries if one.kit and one.product}
        found += [one if one.product else _with_product(one, products) for one in entries]
    return found


def _with_product(entry: Entry, products: dict[str, str]) -> Entry:
    shown: dict[str, Any] = {name: getattr(entry, name) for name in COLUMNS}
    return Entry(**shown | {"product": products.get(entry.kit, "")})


def _entries(
    conduct: Conduct, stock: Stock, site: str, event: Event, said: Payload, missing: Mapping[str, int]
) -> Iterator[Entry]:
    at, subject = datetime.fromisoformat(event.happened_at), event.subject or ""

    def entry(what: str, key: str = "", n: int | None = None, kit: str = "", more: str = "") -> Entry:
        one = stock.lots[site].get(key)
        lot: dict[str, Any] = (
            {"product": ""}
            if one is None
            else {
                "product": one.product,
                "lot": key,
                "batch": one.batch,
                "expires": one.expires.isoformat(),
                "n_left": one[VialStatus.IN_STOCK],
            }
        )
        return Entry(at=at, by=event.actor, what=what, n_vials=n, subject=subject, kit=kit, more=more, **lot)

    match said:
        case Dispensed():
            vials = conduct.allocator.vials_in(said.kit)
            for key, n in vials.items():
                yield entry("dispensed", key, n, said.kit)
            if not vials:
                yield entry("dispensed", kit=said.kit, more="before stock was kept")
        case KitReturned():
            yield entry("kit returned", kit=said.kit, more=said.reason)
        case KitDestroyed():
            plain = conduct.allocator.open(sealed_place("kit destroyed", subject, str(said.study_day)), said.sealed)
            yield entry("kit destroyed", kit=said.kit, more=f"{plain['witness']}; {plain['certificate']}")
        case SuppliesReceived():
            came = Consignment.model_validate(conduct.allocator.open(supply_place(site, said.number), said.sealed))
            journey = f"{came.reference}; {came.lowest_celsius:g} to {came.highest_celsius:g} °C"
            for place, lot in enumerate(came.lots, start=1):
                more = f"{journey}; {VialStatus.QUARANTINED.value}" if lot.is_quarantined else journey
                yield entry("received", f"{said.number}.{place}", lot.n_vials, more=more)
        case SuppliesCounted():
            count = Counted.model_validate(conduct.allocator.open(supply_place(site, said.number), said.sealed))
            for key, n in count.differences.items():
                lies = stock.lots[site][key][VialStatus.IN_STOCK]
                more = f"{lies} counted, {lies - n} expected; {count.reason}; {count.witness}"
                for what, n_vials in _counted(lies, n, missing[key]):
                    yield entry(what, key, n_vials, more=more)
        case _ if isinstance(said, Supplied):
            plain = conduct.allocator.open(supply_place(site, said.number), said.sealed)
            moved = MOVES[type(said)].model_validate(plain)
            for key, n in moved.vials.items():
                yield entry(moved.after.value, key, n, more=_told(moved))
        case _:
            pass


def _counted(lies: int, differs: int, missing: int) -> list[tuple[str, int]]:
    """What a count says of a lot, and of how many vials: that it agreed, or what was put right.

    Args:
        lies: vials that were counted.
        differs: from the books.
        missing: before the count.
    """
    back = max(0, min(differs, missing))
    said = [(VialStatus.MISSING.value, -differs), ("found", back), ("receipt corrected", differs - back)]
    return [one for one in said if one[1] > 0] or [("counted", lies)]


def _told(moved: Moved) -> str:
    match moved:
        case Quarantined():
            span = f"{moved.lowest_celsius:g} to {moved.highest_celsius:g} °C"
            return f"{span}, {moved.minutes} min; {moved.reason}"
        case Judged():
            return f"{moved.decided_by}; {moved.reason}"
        case Returned():
            return f"{moved.come_from}; {moved.recipient}; {moved.reference}"
        case Destroyed():
            return f"{moved.come_from}; {moved.witness}; {moved.certificate}"
        case _:
            return ""
