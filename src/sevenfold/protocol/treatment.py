"""Products, arms and the rules of dosing: who receives what, when, by which route, and what turns it aside."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from sevenfold.protocol.part import Id, In, Part, Text, contradiction
from sevenfold.protocol.rule import Rule
from sevenfold.protocol.visit import StudyDay

__all__ = [
    "Action",
    "Arm",
    "Dosing",
    "Identifiers",
    "Injection",
    "Interruption",
    "Product",
    "Route",
    "RouteRule",
    "Vial",
    "VisibleInjection",
]


class Route(StrEnum):
    """How a dose enters the body."""

    IM = "IM"
    SC = "SC"
    IV = "IV"


class Identifiers(Part):
    """What a product can be looked up by; what is not known stays empty."""

    uniprot: Text | None = None
    cas: Text | None = None
    catalogue_number: Text | None = None
    catalogue_name: Text | None = None
    supplier: Text | None = None
    price: Text | None = None
    note: Text | None = None


class Vial(Part):
    """A product as a site receives it.

    Args:
        volume_ml: that can be drawn up from one vial; what is left over is not kept for another dose.
        stored_from_celsius: the coldest at which it may lie.
        stored_to_celsius: the warmest.
    """

    volume_ml: Annotated[float, In("mL", above=0.0, at_most=1000.0)] = Field(alias="volume")
    stored_from_celsius: Annotated[float, In("°C", at_least=-200.0, at_most=60.0)] = Field(alias="stored_from")
    stored_to_celsius: Annotated[float, In("°C", at_least=-200.0, at_most=60.0)] = Field(alias="stored_to")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.stored_from_celsius >= self.stored_to_celsius:
            raise contradiction(
                f"it is stored from {self.stored_from_celsius:g} °C, which must lie below the "
                f"{self.stored_to_celsius:g} °C up to which it is stored",
                "stored_from",
            )
        return self


class Product(Part):
    """What is in a vial.

    Args:
        label: as the literature calls it.
        is_active: False for a placebo.
        strength_mg_per_ml: of an active product; a placebo has its twin's volume.
        matches: for a placebo, the active product that it looks like.
        vial: as sites receive it; None where no stock is kept.
    """

    label: Text
    is_active: bool
    strength_mg_per_ml: Annotated[float, In("mg/mL", at_least=0.001, at_most=1000.0)] | None = Field(
        default=None, alias="strength"
    )
    matches: Id | None = None
    vial: Vial | None = None
    manufacturer: Text | None = None
    identifiers: Identifiers = Identifiers()

    @model_validator(mode="after")
    def _active_or_matching(self) -> Self:
        if self.is_active and self.strength_mg_per_ml is None:
            raise contradiction("an active product needs a strength, such as '2 mg/mL'")
        if not self.is_active and self.matches is None:
            raise contradiction("a placebo must say which product it matches")
        return self

    @property
    def strength_ug_per_ml(self) -> float:
        """Of an active product [µg/mL]."""
        assert self.strength_mg_per_ml is not None
        return 1000.0 * self.strength_mg_per_ml


class VisibleInjection(Part):
    """What everybody at the bedside can see of an injection: the same for all arms, or the blind is broken."""

    day: int
    route: Route
    dose_ug_per_kg: float
    over_h: float | None = None


class Injection(Part):
    """One product on several days.

    Args:
        dose_ug_per_kg: by body weight; for a placebo the dose whose volume it has.
        days: study days.
        over_h: how long an infusion into a vein runs; None for an injection.
    """

    product: Id
    dose_ug_per_kg: Annotated[float, In("µg/kg", above=0.0, at_most=10_000.0)] = Field(alias="dose")
    route: Annotated[Route, Field(strict=False)]
    days: tuple[StudyDay, ...] = Field(min_length=1)
    over_h: Annotated[float, In("h", above=0.0, at_most=24.0)] | None = Field(default=None, alias="over")

    @model_validator(mode="after")
    def _only_a_vein_is_infused(self) -> Self:
        if self.over_h is not None and self.route is not Route.IV:
            raise contradiction(f"an infusion runs into a vein (route IV), not {self.route}; leave out 'over'", "over")
        return self

    @model_validator(mode="after")
    def _days_ascend(self) -> Self:
        if list(self.days) != sorted(set(self.days)) or self.days[0] < 1:
            raise contradiction(f"dosing days must ascend from day 1, got {list(self.days)}", "days")
        return self


class Arm(Part):
    """A randomised arm: what its subjects receive.

    Args:
        injections: dose by dose, which a trial that is rehearsed or conducted needs.
        treatment: in words, for a trial of other treatments that is only analysed here.
    """

    id: Id
    label: Text
    injections: tuple[Injection, ...] = ()
    treatment: Text | None = None

    @model_validator(mode="after")
    def _receives_something(self) -> Self:
        if bool(self.injections) == (self.treatment is not None):
            raise contradiction(
                f"arm {self.id!r} needs its 'injections', or for a trial that is only analysed its 'treatment' in words"
            )
        return self

    @model_validator(mode="after")
    def _one_injection_a_day(self) -> Self:
        days = [day for injection in self.injections for day in injection.days]
        if days and min(days) != 1:
            raise contradiction(
                f"arm {self.id!r} is first dosed on day {min(days)}; day 1 is the day of the first dose: count from it",
                "injections",
            )
        twice = sorted({day for day in days if days.count(day) > 1})
        if twice:
            raise contradiction(f"arm {self.id!r} is given two injections on day {twice[0]}", "injections")
        return self

    @property
    def calendar(self) -> tuple[VisibleInjection, ...]:
        """What can be seen of this arm's injections, in order of day."""
        seen = [
            VisibleInjection.model_construct(
                day=day, route=injection.route, dose_ug_per_kg=injection.dose_ug_per_kg, over_h=injection.over_h
            )
            for injection in self.injections
            for day in injection.days
        ]
        return tuple(sorted(seen, key=lambda one: one.day))

    def product_on(self, day: int) -> str:
        """The product that the arm receives on a study day.

        Raises:
            KeyError: none on that day.
        """
        for injection in self.injections:
            if day in injection.days:
                return injection.product
        raise KeyError(day)


class RouteRule(Part):
    """When a dose goes by another route."""

    when: Rule
    instead_of: Annotated[Route, Field(strict=False)]
    use: Annotated[Route, Field(strict=False)]


class Action(StrEnum):
    """What an interruption does."""

    HOLD = "hold"
    STOP = "stop"


class Interruption(Part):
    """What holds the next dose, or stops dosing.

    Args:
        action: ``hold`` skips doses while the rule holds, ``stop`` ends dosing.
        masked: the rule reads a masked result: it is carried out by the unblinded pharmacist, who dispenses placebo
            instead, so that nobody at the site sees a difference.
    """

    id: Id
    when: Rule
    action: Annotated[Action, Field(strict=False)]
    masked: bool = False


class Dosing(Part):
    """Rules of dosing that hold for every arm.

    Args:
        observed_after_h: how long after each dose the subject is watched for a reaction.
        cap_ug: the largest single dose; None where there is none.
        continues_after_discharge: whether doses due after hospital discharge are given at outpatient visits.
    """

    observed_after_h: Annotated[float, In("h", above=0.0, at_most=720.0)] = Field(default=24.0, alias="observed_after")
    cap_ug: Annotated[float, In("µg", above=0.0)] | None = Field(default=None, alias="cap")
    route_rules: tuple[RouteRule, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    continues_after_discharge: bool = True
