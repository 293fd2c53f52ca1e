"""What a dose is at a moment: how much, by which route, and whether something holds or stops it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final, final

from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.treatment import Interruption, Route
from sevenfold.rules.holding import holds_for

__all__ = ["Injected", "interruptions", "route_for", "vials_for", "volume_for"]

_ROUNDED: Final = 1e-9  # of a vial: 0.1 + 0.2 mL come out of one of 0.3 mL


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """What everybody can see of a dose: the same whatever is in the vial.

    Args:
        dose_ug: that the volume would hold of the active product.
        volume_ml: rounded to what a syringe shows.
        over_h: how long an infusion runs; None for an injection.
    """

    route: Route
    dose_ug: float
    volume_ml: float
    over_h: float | None = None


def route_for(protocol: Protocol, planned: Route, latest: Mapping[str, float]) -> Route:
    """The route by the protocol's rules and the latest laboratory values; as planned where these are not known."""
    for rule in protocol.dosing.route_rules:
        if rule.instead_of is planned and holds_for(rule.when, latest, protocol).holds:
            return rule.use
    return planned


def volume_for(protocol: Protocol, day: int, weight_kg: float, latest: Mapping[str, float]) -> Injected:
    """The injection of a dosing day for a subject of this weight. It doesn't depend on the arm: calendars are alike."""
    visible = next(one for one in protocol.arms[0].calendar if one.day == day)
    dose_ug = visible.dose_ug_per_kg * weight_kg
    if protocol.dosing.cap_ug is not None:
        dose_ug = min(dose_ug, protocol.dosing.cap_ug)
    strength = protocol.strength_of(protocol.arms[0].product_on(day))  # one strength a day, whatever the arm
    volume_ml = round(dose_ug / strength, 2)
    route = route_for(protocol, visible.route, latest)
    over_h = visible.over_h if route is Route.IV else None
    return Injected(route=route, dose_ug=volume_ml * strength, volume_ml=volume_ml, over_h=over_h)


def vials_for(protocol: Protocol, day: int, volume_ml: float) -> dict[str, int]:
    """How many vials of each product a dose of this volume takes, for every product that any arm may be given on a
    study day, a placebo in place of what is withheld among them. Empty where the protocol has no vials.
    """
    if not protocol.keeps_stock:
        return {}
    given = dict.fromkeys(arm.product_on(day) for arm in protocol.arms)
    replaced = any(one.masked for one in protocol.dosing.interruptions)
    placebos = {name: None for name, one in protocol.products.items() if one.matches in given and replaced}
    vials = {name: protocol.products[name].vial for name in {**given, **placebos}}
    return {
        name: max(ceil(volume_ml / vial.volume_ml - _ROUNDED), 1) for name, vial in vials.items() if vial is not None
    }


def interruptions(protocol: Protocol, latest: Mapping[str, float], *, masked: bool) -> tuple[Interruption, ...]:
    """The interruptions whose rule holds now, among those that read masked results or among those that do not."""
    return tuple(
        one
        for one in protocol.dosing.interruptions
        if one.masked is masked and holds_for(one.when, latest, protocol).holds
    )
