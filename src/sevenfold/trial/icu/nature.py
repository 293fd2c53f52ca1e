"""The virtual ICU behind the port ``Nature``: persons, their biology under what they were injected with, and their
fate.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf, log
from typing import Any, final

import numpy as np

from sevenfold.errors import NotConverged
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.solve import Dose, Patients, SolverStatus, advance, begin
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.variable import catalogue
from sevenfold.record.payloads import Result
from sevenfold.rules.cytokine_release import Bedside, Oxygen
from sevenfold.trial.icu.assumptions import Assumptions, assays
from sevenfold.trial.icu.candidate import screening_of
from sevenfold.trial.icu.course import Course
from sevenfold.trial.icu.laboratory import FROM_MECHANISM, markers, measured, organ_values
from sevenfold.trial.icu.person import Draws, Person, draw_person
from sevenfold.trial.icu.reactions import Reaction, reactions
from sevenfold.trial.ports import Candidate, Event

__all__ = ["VirtualIcu", "warm_up"]


def warm_up() -> None:
    """Load or compile the model's kernel before the first candidate comes."""
    advance(begin(il7_page(), {}), [[]], [[0.1]], [0.1])


_SEEN_DAYS = 120  # for how long a patient's untreated count is worked out beforehand


@final
@dataclass(slots=True)
class _Subject:
    """A patient as far as they have been followed."""

    person: Person
    draws: Draws
    course: Course
    body: Patients
    untreated: np.ndarray[Any, np.dtype[np.float64]]
    treated: dict[int, float] = field(default_factory=dict)
    waiting: list[Dose] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    has_active: bool = False


@final
@dataclass(slots=True)
class VirtualIcu:
    """Answers as people and bodies would.

    Args:
        root: the run's seed.
        contents: kit -> product: the one thing that nobody else in a rehearsal knows.
        trial: which trial of a batch.
        typical: parameters of the typical patient where they are not those shipped.
    """

    protocol: Protocol
    assume: Assumptions
    root: int | bytes
    contents: Callable[[str], str]
    trial: int = 0
    typical: Mapping[str, float] = field(default_factory=dict)
    subjects: dict[str, _Subject] = field(default_factory=dict)

    def candidate(self, subject: str, site: str, at: datetime) -> Candidate:
        """The next candidate; the name's number is the person's."""
        draws = Draws(self.root, self.trial, _number_of(subject, tuple(self.protocol.sites), site))
        person = draw_person(draws, self.assume, self.typical)
        body = begin(il7_page(), person.parameters)
        looks = [float(day) for day in range(_SEEN_DAYS)]
        untreated = _checked(advance(body, [[]], [looks], [looks[-1]]), subject).seen["alc_per_ul"][0]
        course = Course(person, draws, self.assume, lambda day: self._count_that_matters(subject, day))
        self.subjects[subject] = _Subject(person, draws, course, body, untreated)
        screening = screening_of(person, course, draws, at, float(untreated[0]))
        if draws.happens("refuses", self.assume.consent_refused):
            return Candidate(screening=screening, consent=None)
        by_patient = draws.happens("consents", self.assume.consent_by_patient)
        return Candidate(screening=screening, consent="patient" if by_patient else "representative")

    def assess(self, subject: str, visit: str, time_day: float, names: Sequence[str]) -> Mapping[str, Result] | str:
        """Results, or the reason why the visit did not take place."""
        one = self.subjects[subject]
        organs = one.course.organs(time_day)
        chance = self.assume.visit_missed_after if organs.place == "home" else self.assume.visit_missed_in_hospital
        if time_day > 0.0 and one.draws.happens(f"misses {visit}", chance):
            return "did not attend" if organs.place == "home" else "not done"
        seen = self._observe(subject, time_day)
        inflammation = float(np.exp(-max(time_day, 0.0) / one.person.parameters["inflammation_decay_day"]))
        infected = sum(float(np.exp(-(time_day - began) / 4.0)) for began in one.course.infections if began <= time_day)
        true = organ_values(organs) | markers(organs, inflammation, infected, time_day, one.draws, self.assume)
        true |= {name: seen[output] * scale for name, (output, scale) in FROM_MECHANISM.items()}
        true["temperature"] = round(one.course.temperature_c(time_day), 1)
        true["anti_drug_antibodies"] = float(
            one.has_active and time_day > 20.0 and one.draws.happens("antibodies", self.assume.anti_drug_antibodies)
        )
        return {
            name: measured(name, true[name], one.draws, visit)
            if name in assays()
            else Result(value=true[name], unit=catalogue()[name].unit or "")
            for name in names
            if name in true
        }

    def comes(self, subject: str, visit: str, time_day: float, earliest_day: int, latest_day: int) -> float:
        """On the planned day or some whole days off it, within the window, whatever is in the syringes."""
        shift = round(self.assume.visit_shift_sd * self.subjects[subject].draws.normal(f"comes for {visit}"))
        return time_day + min(max(shift, earliest_day), latest_day)

    def supports(self, subject: str, time_day: float) -> Sequence[str]:
        """Those of the day."""
        given = self.subjects[subject].course.organs(time_day).supports
        return [name for name, is_given in given.items() if is_given]

    def takes_dose(self, subject: str, study_day: int, time_day: float) -> str | None:
        """An outpatient dose may be missed."""
        one = self.subjects[subject]
        at_home = one.course.organs(time_day).place == "home"
        if at_home and not self.protocol.dosing.continues_after_discharge:
            return "discharged"
        if at_home and one.draws.happens("misses dose", self.assume.dose_missed_after, study_day):
            return "did not attend"
        return None

    def receive(
        self,
        subject: str,
        study_day: int,
        time_day: float,
        kit: str,
        route: str,
        volume_ml: float,
        over_h: float | None = None,
    ) -> None:
        """What is in the kit enters the body; a placebo is water. Reactions are drawn now and happen later."""
        one = self.subjects[subject]
        product = self.protocol.products[self.contents(kit)]
        if product.is_active:
            one.has_active = True
            amount = volume_ml * product.strength_ug_per_ml
            one.waiting.append(Dose(time_day=time_day, amount=amount, route=route, duration_day=(over_h or 0.0) / 24.0))
        for reaction in reactions(one.draws, self.assume, study_day, time_day, route, is_active=product.is_active):
            one.reactions.append(reaction)
            one.events.append(reaction.event)
            severe = reaction.grade >= 3 and one.draws.happens(
                "stops after reaction", self.assume.stop_after_severe_reaction, study_day
            )
            if severe:
                one.events.append(
                    Event(
                        time_day=reaction.event.time_day + 0.1,
                        kind="stopped dosing",
                        detail={"reason": "adverse event"},
                    )
                )

    def observed(self, subject: str, time_day: float, hours: float) -> tuple[Bedside, Bedside]:
        """The worst of the day before a dose, and of the hours after it."""
        one = self.subjects[subject]
        before = self._bedside(one, [time_day - 1.0, time_day], ())
        recent = tuple(r for r in one.reactions if time_day <= r.event.time_day <= time_day + hours / 24.0)
        return before, self._bedside(one, [time_day, time_day + hours / 24.0], recent)

    def next_event(self, subject: str, after_day: float, before_day: float) -> Event | None:
        """The first event in (``after_day``, ``before_day``], none after death."""
        one = self.subjects[subject]
        one.course.follow(int(before_day // 1))
        death = one.course.death_day
        end = before_day if death is None else min(before_day, death)
        ahead = [e for e in (*one.course.happenings, *one.events, *self._choices(one)) if after_day < e.time_day <= end]
        return min(ahead, key=lambda e: (e.time_day, e.kind), default=None)

    def _choices(self, one: _Subject) -> list[Event]:
        """Withdrawal, loss and re-consent, at times drawn beforehand."""
        course, a, draws = one.course, self.assume, one.draws
        choices = [Event(time_day=_waits(draws.uniform("withdraws"), a.withdrawal_hazard), kind="withdrawn")]
        if course.left_hospital_day is not None:
            lost = course.left_hospital_day + _waits(draws.uniform("lost"), a.loss_hazard)
            choices.append(Event(time_day=lost, kind="lost"))
        if course.left_icu_day is not None and not draws.happens("consents", a.consent_by_patient):
            choices.append(Event(time_day=course.left_icu_day + 1.3, kind="reconsented"))
        return choices

    def _bedside(self, one: _Subject, times: Sequence[float], recent: Sequence[Reaction]) -> Bedside:
        organs = [one.course.organs(time) for time in times]
        temperature = max(one.course.temperature_c(time) for time in times)
        oxygen = max(
            Oxygen.POSITIVE_PRESSURE
            if o.is_ventilated
            else Oxygen.HIGH_FLOW
            if o.severity["respiration"] >= 1.8
            else Oxygen.LOW_FLOW
            if o.severity["respiration"] >= 0.9
            else Oxygen.NONE
            for o in organs
        )
        for reaction in recent:
            temperature = max(temperature, 36.8 + reaction.fever_c)
            if reaction.needs_oxygen:
                oxygen = max(oxygen, Oxygen(min(oxygen + 1, Oxygen.POSITIVE_PRESSURE)))
        return Bedside(
            temperature_c=round(temperature, 1),
            vasopressors=max(
                0 if o.norepinephrine_rate == 0 else 1 if o.norepinephrine_rate < 0.5 else 2 for o in organs
            ),
            is_hypotensive=any(organ_values(o)["mean_arterial_pressure"] < 65.0 for o in organs),
            oxygen=oxygen,
        )

    def _observe(self, subject: str, time_day: float) -> dict[str, float]:
        """Bring the body to ``time_day`` and look at it."""
        one = self.subjects[subject]
        now = float(one.body.time_day[0])
        time = max(time_day, now)
        days = [float(day) for day in range(int(now) + 1, int(time) + 1) if now < day < time]
        parts = [_cut(dose, time) for dose in one.waiting]
        due = [now_due for now_due, _ in parts if now_due is not None]
        moved = _checked(advance(one.body, [due], [[*days, time]], [time]), subject)
        for day, count in zip([*days, time], moved.seen["alc_per_ul"][0], strict=True):
            if day == int(day):
                one.treated[int(day)] = float(count)
        one.body = moved.patients
        one.waiting = [later for _, later in parts if later is not None]
        return {name: float(values[0][-1]) for name, values in moved.seen.items()}

    def _count_that_matters(self, subject: str, day: int) -> float:
        """The count on which death and infection depend: untreated, unless the run assumes that treatment acts through
        it.
        """
        one = self.subjects[subject]
        untreated = float(one.untreated[min(max(day, 0), _SEEN_DAYS - 1)])
        if self.assume.treatment_effect_through_alc == 0.0 or day < 0:
            return untreated
        if day not in one.treated and day >= float(one.body.time_day[0]):
            self._observe(subject, float(day))
        return one.treated.get(day, untreated)


def _cut(dose: Dose, time_day: float) -> tuple[Dose | None, Dose | None]:
    """What of a dose has entered by a time, and what is still to come: an infusion may be under way."""
    if dose.time_day >= time_day:
        return None, dose
    ran = time_day - dose.time_day
    if dose.duration_day <= ran:
        return dose, None
    share, rest = ran / dose.duration_day, dose.duration_day - ran
    return (
        replace(dose, amount=dose.amount * share, duration_day=ran),
        replace(dose, time_day=time_day, amount=dose.amount * (1.0 - share), duration_day=rest),
    )


def _waits(uniform: float, per_day: float) -> float:
    """Days until something of this hazard happens; never where there is none."""
    return -log(uniform) / per_day if per_day > 0.0 else inf


def _checked(moved: Any, subject: str) -> Any:
    if moved.status[0] is not SolverStatus.OK:
        raise NotConverged(
            f"The biology of {subject} could not be integrated: {moved.status[0].name.lower().replace('_', ' ')}."
        )
    return moved


def _number_of(subject: str, sites: tuple[str, ...], site: str) -> int:
    """A number of its own for every candidate, whatever other sites do: the site's place and the candidate's number
    there.
    """
    return sites.index(site) * 1_000_000 + int(subject.rsplit("-", 1)[1])
