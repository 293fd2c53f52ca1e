"""Registered trials: who runs them where, who approved them, and which amendments are in force at which site when."""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from sevenfold.protocol.part import Id, Part, Text, contradiction
from sevenfold.protocol.rule import Rule

__all__ = ["Amendment", "Approval", "Criterion", "CriterionKind", "RegisteredTrial", "Site"]


class CriterionKind(StrEnum):
    """Whether a rule lets in or keeps out."""

    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"


class Criterion(Part):
    """An eligibility criterion: its words, and the rule that a screening record is held against.

    An inclusion criterion is met when its rule holds, an exclusion criterion when its rule does not.
    """

    id: Id
    kind: Annotated[CriterionKind, Field(strict=False)]
    text: Text
    rule: Rule
    source: Text | None = None
    verified: bool = False


class Approval(Part):
    """An ethics committee's or an authority's approval."""

    body: Text
    reference: Text | None = None
    date: dt.date | None = None


class Site(Part):
    """A hospital.

    Args:
        screened_per_month: candidates screened, expected; for rehearsals.
        opens: the first day on which it screens.
    """

    id: Id
    name: Text
    city: Text
    time_zone: Text
    opens: dt.date
    screened_per_month: Annotated[float, Field(gt=0, le=1000)]

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise contradiction(f"time zone {value!r} is not known; use a name such as 'Europe/Paris'") from None
        return value


class Amendment(Part):
    """A change of the protocol, in force at each site from its own date on.

    Args:
        replaces: criteria that take the place of those with the same id, or are added.
        removes: ids of criteria that no longer hold.
        effective: site -> first day in force.
    """

    id: Id
    date: dt.date
    summary: Text
    replaces: tuple[Criterion, ...] = ()
    removes: tuple[Id, ...] = ()
    effective: dict[Id, dt.date]

    @model_validator(mode="after")
    def _after_its_date(self) -> Self:
        for site, day in self.effective.items():
            if day < self.date:
                raise contradiction(
                    f"amendment {self.id!r} of {self.date} is in force at {site} from {day}, before it was made",
                    "effective",
                    site,
                )
        return self


class RegisteredTrial(Part):
    """One registration: its sponsor, its country, its sites, what was approved and what was amended."""

    id: Id
    registry: Text
    registry_id: Text
    country: Text
    sponsor: Text
    sites: tuple[Site, ...] = Field(min_length=1)
    approvals: tuple[Approval, ...] = ()
    amendments: tuple[Amendment, ...] = ()

    @model_validator(mode="after")
    def _amendments_in_order(self) -> Self:
        sites = {site.id for site in self.sites}
        for index, amendment in enumerate(self.amendments):
            for name in amendment.effective:
                if name not in sites:
                    raise contradiction(
                        f"amendment {amendment.id!r} names the site {name!r}, which {self.id} does not have",
                        "amendments",
                        index,
                        "effective",
                        name,
                    )
        for name in sites:
            days = [amendment.effective[name] for amendment in self.amendments if name in amendment.effective]
            if days != sorted(days):
                raise contradiction(f"at {name} a later amendment is in force before an earlier one", "amendments")
        return self
