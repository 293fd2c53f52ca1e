"""What a dose may do besides: reactions at the site of injection, rash, fever, and distress some hours after a dose
into a vein.

The same numbers are drawn whatever is in the kit, and compared with the chance of that content: another arm moves only
what lies between the two chances.
"""

from dataclasses import dataclass
from typing import final

from sevenfold.trial.icu.assumptions import Assumptions
from sevenfold.trial.icu.person import Draws
from sevenfold.trial.ports import Event

__all__ = ["Reaction", "reactions"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A reaction to a dose.

    Args:
        fever_c: how far it raises the temperature.
        needs_oxygen: whether breathing needs one step more of help.
    """

    event: Event
    grade: int
    fever_c: float = 0.0
    needs_oxygen: bool = False


def reactions(
    draws: Draws, assume: Assumptions, study_day: int, time_day: float, route: str, *, is_active: bool
) -> list[Reaction]:
    """The reactions to one dose."""
    found: list[Reaction] = []
    local = assume.injection_site_reaction if is_active else assume.injection_site_reaction_placebo
    if route != "IV" and draws.happens("injection site reaction", local, study_day):
        grade = (
            1
            + int(draws.uniform("injection site grade", study_day) > 0.6)
            + int(draws.uniform("injection site grade", study_day) > 0.93)
        )
        found.append(
            _reaction(
                draws, study_day, time_day, "Injection site reaction", "Injection site", grade, "probable", 2.0, 24.0
            )
        )
    if draws.happens("rash", assume.rash if is_active else assume.rash_placebo, study_day):
        grade = 1 + int(draws.uniform("rash grade", study_day) > 0.7)
        found.append(_reaction(draws, study_day, time_day, "Rash", "Skin", grade, "possible", 6.0, 48.0))
    if draws.happens("fever after dose", assume.fever if is_active else assume.fever_placebo, study_day):
        height = 1.4 + 0.8 * draws.uniform("fever height", study_day)
        found.append(
            _reaction(
                draws,
                study_day,
                time_day,
                "Fever",
                "General",
                1 if height < 2.1 else 2,
                "possible",
                4.0,
                12.0,
                fever_c=height,
            )
        )
    if route == "IV" and is_active and draws.happens("intravenous reaction", assume.intravenous_reaction, study_day):
        severe = 2 + int(draws.uniform("intravenous grade", study_day) > 0.35)
        found.append(_reaction(draws, study_day, time_day, "Fever", "General", 2, "probable", 5.0, 8.0, fever_c=2.0))
        found.append(
            _reaction(
                draws,
                study_day,
                time_day,
                "Respiratory distress",
                "Lungs",
                severe,
                "probable",
                5.0,
                8.0,
                needs_oxygen=True,
            )
        )
    return found


def _reaction(
    draws: Draws, study_day: int, time_day: float, term: str, system: str, grade: int, relation: str,
    earliest_h: float, latest_h: float, *, fever_c: float = 0.0, needs_oxygen: bool = False,
) -> Reaction:  # fmt: skip
    hours = round(earliest_h + (latest_h - earliest_h) * draws.uniform(f"hours {term}", study_day), 1)
    detail = {
        "term": term,
        "system": system,
        "grade": grade,
        "is_serious": grade >= 3 and term == "Respiratory distress",
        "relation": relation,
        "hours_after_dose": hours,
        "outcome": "recovered",
    }
    event = Event(time_day=time_day + hours / 24.0, kind="adverse event", detail=detail)
    return Reaction(event=event, grade=grade, fever_c=fever_c, needs_oxygen=needs_oxygen)
