"""Steps of a site's supplies, each recorded by one event whose content is sealed: nothing in clear tells a product.

A consignment's journey is held against how the protocol says that the product is stored: what was too cold or too warm
goes into quarantine at once, and somebody decides on it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from sevenfold.errors import InvalidInput
from sevenfold.record.history import sealed_place
from sevenfold.record.payloads import (
    KitDestroyed,
    KitReturned,
    Payload,
    SuppliesCounted,
    SuppliesDestroyed,
    SuppliesJudged,
    SuppliesQuarantined,
    SuppliesReceived,
    SuppliesReturned,
)
from sevenfold.trial.conduct import Conduct
from sevenfold.trial.stock import supply_place
from sevenfold.trial.vials import Consignment, Counted, Destroyed, Judged, Lot, Moved, Quarantined, Returned

__all__ = ["count_vials", "destroy_kit", "move_vials", "receive_consignment", "return_kit", "said_as"]

_Said = TypeVar("_Said", bound=BaseModel)
_WHO: Final = "unblinded pharmacist"
_KIND_OF: Final[dict[type[Moved], type[Payload]]] = {
    Quarantined: SuppliesQuarantined,
    Judged: SuppliesJudged,
    Returned: SuppliesReturned,
    Destroyed: SuppliesDestroyed,
}


def receive_consignment(conduct: Conduct, site: str, came: Consignment, happened: datetime) -> None:
    """A consignment came to a site.

    Raises:
        InvalidInput: a product of which no stock is kept.
        OutOfOrder: the site is not open, or the database is locked.
    """
    lots = [_judged_by_journey(conduct, lot, came) for lot in came.lots]
    plain = came.model_copy(update={"lots": lots}).model_dump(mode="json")
    _say(conduct, SuppliesReceived, site, plain, happened)


def move_vials(conduct: Conduct, site: str, moved: Moved, happened: datetime) -> None:
    """Vials of a site are set aside, judged, returned or destroyed.

    Raises:
        OutOfOrder: there are not so many, or the database is locked.
    """
    conduct.stock.check(site, moved)
    _say(conduct, _KIND_OF[type(moved)], site, moved.model_dump(mode="json"), happened)


def count_vials(
    conduct: Conduct,
    site: str,
    counted: Mapping[str, int],
    stood: Mapping[str, int],
    reason: str,
    witness: str,
    happened: datetime,
) -> None:
    """Vials of a site's lots were counted in stock; what agreed is recorded too.

    Args:
        counted: lot -> vials that lie there.
        stood: lot -> vials that were in stock by the books when they were counted.

    Raises:
        InvalidInput: no lot was counted, or a word is missing or too long.
        OutOfOrder: no such lot, its stock has moved since, so many can't have come, or the database is locked.
    """
    differences = conduct.stock.differences(site, counted, stood)
    said = said_as(Counted, {"differences": differences, "reason": reason, "witness": witness})
    _say(conduct, SuppliesCounted, site, said.model_dump(mode="json"), happened)


def return_kit(conduct: Conduct, subject: str, study_day: int, reason: str, happened: datetime) -> None:
    """A kit that was dispensed and not given comes back to the pharmacy.

    Raises:
        OutOfOrder: there is no such kit, it was given, or it came back already.
    """
    said = said_as(KitReturned, {"study_day": study_day, "kit": _kit(conduct, subject, study_day), "reason": reason})
    conduct.record(subject, said, _WHO, happened)


def destroy_kit(
    conduct: Conduct, subject: str, study_day: int, witness: str, certificate: str, happened: datetime
) -> None:
    """A kit that came back is destroyed, before a witness.

    Raises:
        OutOfOrder: it did not come back, or was destroyed already.
    """
    sealed = conduct.allocator.seal(
        sealed_place("kit destroyed", subject, str(study_day)), {"witness": witness, "certificate": certificate}
    )
    said = KitDestroyed(study_day=study_day, kit=_kit(conduct, subject, study_day), sealed=sealed)
    conduct.record(subject, said, _WHO, happened)


def said_as(kind: type[_Said], said: dict[str, object]) -> _Said:
    """What was filled in, as it is recorded.

    Raises:
        InvalidInput: naming the first field that can't be so.
    """
    try:
        return kind(**said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ", ".join(str(step).replace("_", " ") for step in first["loc"])
        raise InvalidInput(f"{where} cannot be so: {first['msg'][0].lower()}{first['msg'][1:]}.") from None


def _kit(conduct: Conduct, subject: str, study_day: int) -> str:
    standing = conduct.standings.get(subject)
    handed = None if standing is None else standing.dispensed.get(study_day)
    if handed is None:
        raise InvalidInput(f"No kit was dispensed for {subject} on day {study_day}.")
    return handed.kit


def _judged_by_journey(conduct: Conduct, lot: Lot, came: Consignment) -> Lot:
    product = conduct.file.protocol.products.get(lot.product)
    if product is None or product.vial is None:
        raise InvalidInput(f"Of {lot.product!r} no stock is kept; the protocol gives it no vial.")
    vial = product.vial
    kept_well = vial.stored_from_celsius <= came.lowest_celsius and came.highest_celsius <= vial.stored_to_celsius
    return lot if kept_well else lot.model_copy(update={"is_quarantined": True})


def _say(conduct: Conduct, kind: type[Payload], site: str, plain: dict[str, object], happened: datetime) -> None:
    number = conduct.stock.n_said.get(site, 0) + 1
    sealed = conduct.allocator.seal(supply_place(site, number), plain)
    conduct.say_of_trial(kind.model_validate({"number": number, "sealed": sealed}), _WHO, happened, site)
