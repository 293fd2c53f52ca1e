"""Fields of a form that the protocol asks for, and what was filled into them: numbers with their units, times, facts.

What cannot be read is told for its field, all at once, and nothing that was typed is lost.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Final, final
from zoneinfo import ZoneInfo

from sevenfold import unit
from sevenfold.errors import InvalidInput
from sevenfold.protocol.variable import Variable

__all__ = ["Reading", "fact_of", "kept", "moment_of", "number_of", "reading_of", "units_for"]

_YEARS: Final = (1900, 2199)  # in which anything of a trial can have happened
_NUMBER: Final = re.compile(r"([<>]?)\s*([-+]?\d+(?:[.,]\d+)?)\Z")
_OFFERED: Final[dict[str, tuple[str, ...]]] = {
    "cells/µL": ("cells/µL", "10^9/L"),
    "mg/dL": ("mg/dL", "mg/L"),
    "g/dL": ("g/dL", "g/L"),
    "mmHg": ("mmHg", "kPa"),
    "pg/mL": ("pg/mL", "ng/mL"),
    "ng/mL": ("ng/mL", "pg/mL"),
    "cm": ("cm", "m"),
    "h": ("h", "day"),
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A number as it was understood, and as it was typed."""

    value: float
    unit: str
    qualifier: str
    entered: str

    def as_result(self) -> dict[str, Any]:
        """As the record holds it."""
        return {"value": self.value, "unit": self.unit, "qualifier": self.qualifier, "entered": self.entered}


def units_for(variable: Variable) -> tuple[str, ...]:
    """The units in which a value may be typed, the protocol's first."""
    own = variable.unit or ""
    return _OFFERED.get(own, (own,))


def number_of(variable: Variable, typed: str, typed_unit: str = "") -> Reading | None:
    """A number in the protocol's unit; None where nothing was typed.

    Raises:
        InvalidInput: it is no number, in no unit of ours, or impossible.
    """
    text = typed.strip()
    if not text:
        return None
    found = _NUMBER.match(text)
    if found is None:
        raise InvalidInput(f"{variable.label}: {text[:30]!r} is not a number; write it like 0.8, or <5 below a limit.")
    value = float(found[2].replace(",", "."))
    own = variable.unit or ""
    given = typed_unit.strip() or own
    if given not in units_for(variable):
        raise InvalidInput(
            f"{variable.label}: {given[:20]!r} is not offered; it is {' or '.join(units_for(variable))}."
        )
    return reading_of(variable, value, found[1], text, given)


def reading_of(variable: Variable, value: float, qualifier: str, text: str, given: str) -> Reading:
    """A number in some unit as one in the protocol's.

    Args:
        text: as it was typed.
        given: the unit it was typed in; any that measures the same.

    Raises:
        InvalidInput: it is in a unit of something else, or impossible.
    """
    own = variable.unit or ""
    inside = value if given == own else unit.convert(value, given, own)
    limits = (variable.lower, variable.upper)
    if (
        not isfinite(inside)
        or (limits[0] is not None and inside < limits[0])
        or (limits[1] is not None and inside > limits[1])
    ):
        low = "" if limits[0] is None else f"at least {limits[0]:g} "
        high = "" if limits[1] is None else f"at most {limits[1]:g} "
        raise InvalidInput(
            f"{variable.label}: {text} {given} cannot be; it is {low}{'and ' if low and high else ''}{high}{own}."
        )
    return Reading(value=inside, unit=own, qualifier=qualifier, entered=f"{text} {given}".strip())


def fact_of(typed: str) -> bool | None:
    """Present, absent, or not known."""
    return {"yes": True, "no": False}.get(typed)


def moment_of(label: str, typed: str, zone: ZoneInfo) -> datetime:
    """A moment typed as the site's clock shows it.

    Raises:
        InvalidInput: it is none, or the clock never showed it (the hour that summer time leaves out).
    """
    try:
        shown = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise InvalidInput(
            f"{label}: {typed[:30]!r} is not a date and a time; write it like 2016-03-01 14:30."
        ) from None
    if not _YEARS[0] <= shown.year <= _YEARS[1]:
        raise InvalidInput(f"{label}: the year {shown.year} cannot be; it is {_YEARS[0]} to {_YEARS[1]}.")
    if shown.tzinfo is not None:
        return shown
    at = shown.replace(tzinfo=zone)
    if at.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) != shown:
        raise InvalidInput(f"{label}: at {typed} the clocks were put forward; that time did not exist.")
    return at


def kept(said: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to be shown again."""
    return {name: value for name, value in said.items() if name != "form_key"}
