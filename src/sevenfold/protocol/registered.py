"""Registered trials: who runs them where, who approved them, and which amendments are in force at which site when."""

import datetime as dt
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from sevenfold.protocol.part import Id, Part, Text, contradiction
from sevenfold.protocol.rule import Rule

__all__ = ["Amendment", "Approval", "Criterion", "CriterionKind", "RegisteredTrial", "Site"]

_FIRST: Final = dt.date(1971, 1, 1)
_LAST: Final = dt.date(2199, 12, 31)


@cache
def countries() -> tuple[str, ...]:
    """The names of the world's countries and territories, in English."""
    text = files(__package__).joinpath("countries.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def _is_plausible(value: dt.date) -> dt.date:
    if not _FIRST <= value <= _LAST:
        raise contradiction(f"{value} cannot be meant; a date lies between {_FIRST} and {_LAST}")
    return value


CalendarDay = Annotated[dt.date, AfterValidator(_is_plausible)]


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
    date: CalendarDay | None = None


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
    opens: CalendarDay
    screened_per_month: Annotated[float, Field(ge=0.01, le=1000)]

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
    date: CalendarDay
    summary: Text
    replaces: tuple[Criterion, ...] = ()
    removes: tuple[Id, ...] = ()
    effective: dict[Id, CalendarDay]

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
    """One registration: its sponsor, its country, its sites, what was approved and what was amended.

    Args:
        sites: those that take part; none are needed of a trial that is only analysed.
    """

    id: Id
    registry: Text
    registry_id: Text
    country: Text
    sponsor: Text
    sites: tuple[Site, ...] = ()
    approvals: tuple[Approval, ...] = ()
    amendments: tuple[Amendment, ...] = ()

    @field_validator("country")
    @classmethod
    def _is_a_country(cls, value: str) -> str:
        known = countries()
        if value not in known:
            near = get_close_matches(value, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "; write its common English name, such as 'France'"
            raise contradiction(f"country {value!r} is not known{hint}")
        return value

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
