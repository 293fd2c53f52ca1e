"""What becomes of a patient: organs from day to day, support, infection, leaving, death. One day after another.

Organs follow the inflammation, more slowly; a secondary infection sets them back. Death and infection come when their
summed hazard reaches a number that was drawn for the patient beforehand, so that a change of hazard moves the moment
and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import exp, log
from typing import Any, Final, Literal, final

import numpy as np

from sevenfold.trial.icu.assumptions import Assumptions, background
from sevenfold.trial.icu.person import Draws, Person
from sevenfold.trial.ports import Event

__all__ = ["FIRST_DAY", "Course", "Organs"]

FIRST_DAY: Final = -6  # days before the first dose at which a course begins
_LAST_DAY: Final = 400
_OFFSET: Final = 10  # day -6 is draw 4: draws are counted from 0
_NAMES: Final = ("respiration", "coagulation", "liver", "circulation", "nervous_system", "kidney")

Place = Literal["icu", "ward", "home", "dead"]
Support = Literal["vasopressors", "invasive ventilation", "renal replacement", "hydrocortisone"]
_SUPPORTS: Final[tuple[Support, ...]] = ("vasopressors", "invasive ventilation", "renal replacement", "hydrocortisone")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Organs:
    """One day's severity, in SOFA points on a continuous scale, and the support it calls for."""

    severity: dict[str, float]
    is_ventilated: bool
    norepinephrine_rate: float
    on_renal_replacement: bool
    on_hydrocortisone: bool
    place: Place

    @property
    def total(self) -> float:
        """The sum of the organs' severities."""
        return sum(self.severity.values())

    @property
    def supports(self) -> dict[Support, bool]:
        """Every support, and whether it is given."""
        return {
            "vasopressors": self.norepinephrine_rate > 0,
            "invasive ventilation": self.is_ventilated,
            "renal replacement": self.on_renal_replacement,
            "hydrocortisone": self.on_hydrocortisone,
        }


_AFTER_DEATH: Final = Organs(
    severity=dict.fromkeys(_NAMES, 4.0),
    is_ventilated=False,
    norepinephrine_rate=0.0,
    on_renal_replacement=False,
    on_hydrocortisone=False,
    place="dead",
)


@final
@dataclass
class Course:
    """A patient's course as far as it has been followed.

    Args:
        alc_per_ul: the count on which death and infection depend, by day since the first dose.
    """

    person: Person
    draws: Draws
    assume: Assumptions
    alc_per_ul: Callable[[int], float]
    days: dict[int, Organs] = field(default_factory=dict)
    happenings: list[Event] = field(default_factory=list)
    death_day: float | None = None
    infections: list[float] = field(default_factory=list)
    left_icu_day: float | None = None
    left_hospital_day: float | None = None
    _noise: dict[str, float] = field(default_factory=dict)
    _summed: dict[str, float] = field(default_factory=lambda: {"death": 0.0, "infection": 0.0})
    _free_days: int = 0
    _hydrocortisone_days: int = 0

    def follow(self, until_day: int) -> None:
        """Live every day up to and including ``until_day``."""
        day = max(self.days, default=FIRST_DAY - 1) + 1
        while day <= min(until_day, _LAST_DAY):
            self._live(day)
            day += 1

    def organs(self, time_day: float) -> Organs:
        """The organs on the day that ``time_day`` falls on."""
        day = int(time_day // 1)
        self.follow(day)
        return self.days[min(day, max(self.days))]

    def temperature_c(self, time_day: float) -> float:
        """Body temperature, without what a dose may do to it."""
        day = int(time_day // 1)
        fever = 0.9 * self._inflammation(day) + sum(
            1.2 * exp(-(time_day - began) / 3.0) for began in self.infections if began <= time_day
        )
        return 36.8 + min(fever, 2.0) * 0.6 + 0.3 * float(self._chance.temperature[min(day, _LAST_DAY) + _OFFSET])

    @cached_property
    def _chance(self) -> "_Chance":
        return _Chance(self.draws)

    def _inflammation(self, day: int) -> float:
        return min(exp(-day / self.person.parameters["inflammation_decay_day"]), 2.0)

    def _live(self, day: int) -> None:
        if self.death_day is not None and day > self.death_day:
            self.days[day] = _AFTER_DEATH
            return
        before = self.days.get(day - 1)
        place: Place = before.place if before else "icu"
        organs = self._supported(self._severities(day), place)
        self.days[day] = organs
        self._note_support(day, before, organs)
        if day < 0:
            return
        self._background(day, place)
        self._infect(day, place)
        self._die(day, organs, place)
        if self.death_day is None:
            self._leave(day, organs, place)

    def _severities(self, day: int) -> dict[str, float]:
        a, person = self.assume, self.person
        slowly = a.organ_recovery_ratio * person.parameters["inflammation_decay_day"]
        remaining = a.organ_remaining_fraction + (1.0 - a.organ_remaining_fraction) * min(exp(-day / slowly), 1.35)
        set_back = sum(a.infection_sets_back * exp(-(day - began) / 7.0) for began in self.infections if began <= day)
        fresh = (1.0 - a.organ_noise_correlation**2) ** 0.5
        chance = self._chance
        severities = {}
        for number, name in enumerate(_NAMES):
            at_entry = max(
                getattr(a, f"{name}_at_entry")
                + a.organ_severity_loading * person.severity
                + a.organ_sd * chance.own[number],
                0.0,
            )
            shock = float(chance.organ_noise[number, day + _OFFSET])
            self._noise[name] = a.organ_noise_correlation * self._noise.get(name, shock) + fresh * shock
            worse = set_back if name in ("respiration", "circulation") else 0.0
            severities[name] = float(
                min(max(at_entry * remaining + worse + a.organ_noise_sd * self._noise[name], 0.0), 4.8)
            )
        return severities

    def _supported(self, severity: dict[str, float], place: Place) -> Organs:
        a = self.assume
        in_icu = place == "icu"
        pressor = in_icu and severity["circulation"] >= a.vasopressor_threshold
        rate = 0.05 * exp(1.1 * (severity["circulation"] - a.vasopressor_threshold)) if pressor else 0.0
        wants = pressor and (severity["circulation"] >= a.hydrocortisone_threshold or self._hydrocortisone_days > 0)
        self._hydrocortisone_days += int(wants)
        return Organs(
            severity=severity,
            is_ventilated=in_icu and severity["respiration"] >= a.ventilation_threshold,
            norepinephrine_rate=round(rate, 2),
            on_renal_replacement=in_icu and severity["kidney"] >= a.renal_replacement_threshold,
            on_hydrocortisone=wants and self._hydrocortisone_days <= 7,
            place=place,
        )

    def _note_support(self, day: int, before: Organs | None, now: Organs) -> None:
        for number, support in enumerate(_SUPPORTS):
            was = bool(before and before.supports[support])
            if now.supports[support] != was:
                at = day + 0.05 + 0.01 * number
                self.happenings.append(
                    Event(
                        time_day=at, kind="support", detail={"support": support, "change": "ended" if was else "began"}
                    )
                )

    def _relative_hazard(self, day: int, per_log: float) -> float:
        return exp(per_log * log(max(self.alc_per_ul(day), 30.0) / 1000.0))

    def _infect(self, day: int, place: Place) -> None:
        a = self.assume
        share = {"icu": 1.0, "ward": a.infection_on_ward, "home": a.infection_at_home, "dead": 0.0}[place]
        hazard = a.infection_hazard * share * self._relative_hazard(day, a.infection_per_log_alc)
        moment = self._crossing("infection", len(self.infections), day, hazard)
        if moment is not None:
            self.infections.append(moment)
            self._summed["infection"] = 0.0
            sites = ("lung", "blood", "urinary tract", "abdomen", "catheter")
            site = sites[int(self.draws.uniform("infection site", len(self.infections)) * len(sites))]
            self.happenings.append(Event(time_day=moment, kind="infection", detail={"site": site}))

    def _die(self, day: int, organs: Organs, place: Place) -> None:
        a = self.assume
        hazard = (
            a.death_hazard
            * (a.death_at_home if place == "home" else 1.0)
            * exp(a.death_per_sofa_point * (organs.total - 8.0))
            * self._relative_hazard(day, a.death_per_log_alc)
        )
        moment = self._crossing("death", 0, day, hazard)
        if moment is not None:
            self.death_day = moment
            recent = any(moment - 10.0 < began <= moment for began in self.infections)
            n_failing = sum(severity >= 2.0 for severity in organs.severity.values())  # as a SOFA of 2 or more says
            cause = "secondary infection" if recent else "multiple organ failure" if n_failing >= 2 else "other"
            self.happenings.append(Event(time_day=moment, kind="death", detail={"cause": cause}))

    def _crossing(self, what: str, number: int, day: int, hazard: float) -> float | None:
        """The moment of the day at which the summed hazard reaches what was drawn; None if it doesn't."""
        drawn = -log(self.draws.uniform(f"{what} threshold", number))
        summed = self._summed[what]
        self._summed[what] = summed + hazard
        return day + (drawn - summed) / hazard if summed + hazard >= drawn and hazard > 0 else None

    def _leave(self, day: int, organs: Organs, place: Place) -> None:
        a = self.assume
        supported = organs.is_ventilated or organs.norepinephrine_rate > 0 or organs.on_renal_replacement
        self._free_days = 0 if supported else self._free_days + 1
        if place == "icu" and self._free_days > a.days_free_before_leaving_icu and organs.total < 7.0:
            self.left_icu_day = day + 0.2
            self.days[day] = _moved(organs, "ward")
            self.happenings.append(Event(time_day=self.left_icu_day, kind="left icu"))
        elif place == "ward" and self.left_icu_day is not None:
            stay = a.ward_stay_median * exp(a.ward_stay_log_sd * self.draws.normal("ward stay"))
            if day >= self.left_icu_day + stay:
                self.left_hospital_day = day + 0.15
                self.days[day] = _moved(organs, "home")
                self.happenings.append(Event(time_day=self.left_hospital_day, kind="left hospital"))

    def _background(self, day: int, place: Place) -> None:
        for event in background():
            share = {"icu": 1.0, "ward": event.on_ward, "home": 0.1 * event.on_ward, "dead": 0.0}[place]
            occurs, which, hour, serious = self._chance.background[event.term][day + _OFFSET]
            if occurs < event.per_day * share:
                grade = 1 + sum(float(which) > sum(event.grades[: g + 1]) for g in range(len(event.grades) - 1))
                self.happenings.append(
                    Event(
                        time_day=day + 0.9 * float(hour),
                        kind="adverse event",
                        detail={
                            "term": event.term,
                            "system": event.system,
                            "grade": grade,
                            "is_serious": grade >= 4 or (grade == 3 and float(serious) < 0.25),
                            "relation": "not related",
                            "hours_after_dose": None,
                            "outcome": "recovering",
                        },
                    )
                )


@final
@dataclass(frozen=True)
class _Chance:
    """The patient's random numbers for every day, drawn at once; a day's are the same however far the course is
    followed.
    """

    draws: Draws

    @cached_property
    def own(self) -> Any:
        """How each organ differs from others of the same severity. (organ,)"""
        return self.draws.normals("organ", len(_NAMES))

    @cached_property
    def organ_noise(self) -> Any:
        """(organ, day)"""
        return np.stack([self.draws.normals(f"organ noise {name}", _LAST_DAY + _OFFSET + 1) for name in _NAMES])

    @cached_property
    def temperature(self) -> Any:
        """(day,)"""
        return self.draws.normals("temperature", _LAST_DAY + _OFFSET + 1)

    @cached_property
    def background(self) -> dict[str, Any]:
        """By term: (day, 4)."""
        n = _LAST_DAY + _OFFSET + 1
        return {
            event.term: self.draws.uniforms(f"background {event.term}", 4 * n).reshape(n, 4) for event in background()
        }


def _moved(organs: Organs, place: Place) -> Organs:
    return Organs(
        severity=organs.severity,
        is_ventilated=organs.is_ventilated,
        norepinephrine_rate=organs.norepinephrine_rate,
        on_renal_replacement=organs.on_renal_replacement,
        on_hydrocortisone=organs.on_hydrocortisone,
        place=place,
    )
