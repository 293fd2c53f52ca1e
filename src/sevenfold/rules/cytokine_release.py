"""Cytokine-release syndrome by the ASTCT consensus, and whether it is new. Source: [lee2019].

Patients in septic shock are on vasopressors and ventilators before any dose: their raw grade is 3 or 4 at entry. What
counts is a grade that is new or worse than in the day before the dose; the raw one stands beside it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import final

__all__ = ["Bedside", "Oxygen", "emergent_grade", "raw_grade"]


class Oxygen(IntEnum):
    """Help with breathing, in rising order."""

    NONE = 0
    LOW_FLOW = 1
    HIGH_FLOW = 2
    POSITIVE_PRESSURE = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bedside:
    """The worst of a day.

    Args:
        vasopressors: how many are running, vasopressin not counted.
        is_hypotensive: low pressure that fluid corrects counts too.
    """

    temperature_c: float
    vasopressors: int
    is_hypotensive: bool
    oxygen: Oxygen


def raw_grade(seen: Bedside) -> int:
    """0 to 4. Without fever (38 °C) there is no syndrome."""
    if seen.temperature_c < 38.0:
        return 0
    by_pressure = min(seen.vasopressors, 2) + 2 if seen.vasopressors else 2 if seen.is_hypotensive else 1
    by_oxygen = {Oxygen.NONE: 1, Oxygen.LOW_FLOW: 2, Oxygen.HIGH_FLOW: 3, Oxygen.POSITIVE_PRESSURE: 4}[seen.oxygen]
    return max(by_pressure, by_oxygen)


def emergent_grade(before: Bedside, after: Bedside) -> int:
    """The grade after a dose if an element of it is new or worse than in the day before, else 0.

    Elements are fever, blood pressure and breathing; support that was there before and hasn't grown doesn't count.
    """
    if after.temperature_c < 38.0:
        return 0
    new_fever = before.temperature_c < 38.0
    worse_pressure = after.vasopressors > before.vasopressors or (after.is_hypotensive and not before.is_hypotensive)
    worse_oxygen = after.oxygen > before.oxygen
    if not (new_fever or worse_pressure or worse_oxygen):
        return 0
    counted = Bedside(
        temperature_c=after.temperature_c,
        vasopressors=after.vasopressors if worse_pressure else 0,
        is_hypotensive=worse_pressure,
        oxygen=after.oxygen if worse_oxygen else Oxygen.NONE,
    )
    return raw_grade(counted)
