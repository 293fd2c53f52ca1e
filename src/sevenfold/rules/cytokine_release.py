"""Cytokine-release syndrome by the ASTCT consensus, and whether it is new. Source: [lee2019]; docs/theory/safety.md.

Patients in septic shock are on vasopressors and ventilators before any dose: their raw grade is 3 or 4 at entry. What
counts is a grade that is new or worse than in the day before the dose; the raw one stands beside it. Neither says what
the cause is: the consensus grades what is not attributable to any other cause, which people decide (adjudication).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import isfinite
from typing import Final, Self, final

from sevenfold.errors import InvalidInput

__all__ = ["BEFORE_H", "FEVER_C", "Bedside", "Oxygen", "Release", "emergent_grade", "raw_grade", "released"]

FEVER_C: Final = 38.0
BEFORE_H: Final = 24.0  # how far before a dose is looked, for what was there already


class Oxygen(IntEnum):
    """Help with breathing, in rising order: the consensus' four columns of hypoxia."""

    NONE = 0
    LOW_FLOW = 1  # nasal cannula of up to 6 L/min, or blow-by
    HIGH_FLOW = 2  # nasal cannula of more than 6 L/min, facemask, non-rebreather mask, Venturi mask
    POSITIVE_PRESSURE = 3  # CPAP, BiPAP, intubation and mechanical ventilation


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bedside:
    """The worst of a day.

    Args:
        vasopressors: how many are running, vasopressin not counted.
        is_hypotensive: low pressure that fluid corrects counts too.
        on_vasopressin: it is never the second vasopressor; alone it is one.
        is_fever_masked: a syndrome began with fever, and antipyretics, tocilizumab or steroids were given since:
            fever is then no longer asked for.
    """

    temperature_c: float
    vasopressors: int
    is_hypotensive: bool
    oxygen: Oxygen
    on_vasopressin: bool = False
    is_fever_masked: bool = False

    def __post_init__(self) -> None:
        """Refuse what would be graded as no fever, or as no vasopressor."""
        if not isfinite(self.temperature_c) or self.vasopressors < 0:
            raise InvalidInput(
                f"A bedside with a temperature of {self.temperature_c} °C and {self.vasopressors} vasopressors cannot "
                "be graded; give the highest temperature, and 0 or more vasopressors."
            )

    @classmethod
    def from_numbers(cls, said: Mapping[str, float]) -> Self:
        """As it was recorded by :meth:`as_numbers`."""
        return cls(
            temperature_c=said["temperature_c"],
            vasopressors=int(said["vasopressors"]),
            is_hypotensive=bool(said["is_hypotensive"]),
            oxygen=Oxygen(int(said["oxygen"])),
            on_vasopressin=bool(said.get("on_vasopressin", 0.0)),
            is_fever_masked=bool(said.get("is_fever_masked", 0.0)),
        )

    def as_numbers(self) -> dict[str, float]:
        """For the record."""
        return {
            "temperature_c": self.temperature_c,
            "vasopressors": float(self.vasopressors),
            "is_hypotensive": float(self.is_hypotensive),
            "oxygen": float(self.oxygen),
            "on_vasopressin": float(self.on_vasopressin),
            "is_fever_masked": float(self.is_fever_masked),
        }

    @property
    def has_fever(self) -> bool:
        """Whether the temperature reaches 38 °C."""
        return self.temperature_c >= FEVER_C

    @property
    def pressure(self) -> int:
        """0 no hypotension, 1 without a vasopressor, 2 one vasopressor, 3 several (vasopressin not counted)."""
        if self.vasopressors or self.on_vasopressin:
            return 3 if self.vasopressors > 1 else 2
        return int(self.is_hypotensive)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What was seen after a dose against the day before it.

    Args:
        raw: the consensus' grade of what was seen.
        new: the grade of what was new or worse.
        elements: what was: of fever, pressure, breathing.
    """

    raw: int
    new: int
    elements: tuple[str, ...]

    @property
    def needs_adjudication(self) -> bool:
        """Whether somebody must decide on the cause: of every grade that is new or worse."""
        return self.new > 0


def raw_grade(seen: Bedside) -> int:
    """0 to 4. Without fever (38 °C), or fever that treatment hides, there is no syndrome; by what is worse, pressure or
    breathing. Where treatment hides the fever these alone grade it. Grade 5 is death of it, which the bedside does not
    tell.
    """
    if not (seen.has_fever or seen.is_fever_masked):
        return 0
    worst = max(seen.pressure, int(seen.oxygen))
    return worst + 1 if worst else int(seen.has_fever)


def released(before: Bedside, after: Bedside) -> Release:
    """Grade what was seen in the hours after a dose, raw and as new or worse than in the day before it.

    Elements are fever, blood pressure and breathing; support that was there before and hasn't grown doesn't count. An
    element that is worse counts with all of its support: from one vasopressor to two is grade 4.
    """
    raw = raw_grade(after)
    new_fever = after.has_fever and not (before.has_fever or before.is_fever_masked)
    worse_pressure = (
        after.vasopressors > before.vasopressors
        or (after.on_vasopressin and not before.on_vasopressin)
        or (after.is_hypotensive and not before.is_hypotensive)
    )
    worse_oxygen = after.oxygen > before.oxygen
    found = (("fever", new_fever), ("pressure", worse_pressure), ("breathing", worse_oxygen))
    elements = tuple(name for name, is_worse in found if is_worse)
    if not raw or not elements:
        return Release(raw=raw, new=0, elements=())
    counted = Bedside(
        temperature_c=after.temperature_c,
        vasopressors=after.vasopressors if worse_pressure else 0,
        is_hypotensive=worse_pressure,
        oxygen=after.oxygen if worse_oxygen else Oxygen.NONE,
        on_vasopressin=after.on_vasopressin and worse_pressure,
        is_fever_masked=after.is_fever_masked,
    )
    return Release(raw=raw, new=raw_grade(counted), elements=elements)


def emergent_grade(before: Bedside, after: Bedside) -> int:
    """The grade after a dose of what is new or worse than in the day before, else 0."""
    return released(before, after).new
