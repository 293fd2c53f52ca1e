"""A cohort from a trial's record: one of the only two makers from stored data.

A visit held outside its window counts as the visit under which it was recorded, at the time at which it took place. The
baseline visit alone is another matter: what was measured on a day after its window and after a first dose that was
given is no baseline, and the subject has none.

Who objects to the use of what was collected, at re-consent, stays in the cohort as randomised, without any value: as
one who withdrew on the day of randomisation.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import AdverseEvent, Assignment, Cohort, DoseObservation, Missing, Subject, Support
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.rule import LabRule, leaves
from sevenfold.protocol.visit import Visit, time_day
from sevenfold.record.history import History, SubjectHistory
from sevenfold.record.payloads import DoseGiven
from sevenfold.rules.cytokine_release import Bedside
from sevenfold.rules.holding import qualifying_measurements
from sevenfold.rules.screening import Screening

__all__ = ["from_record"]

_RELATED = {"possible", "probable"}
_AFTER_THE_END = {
    "died": Missing.DEAD,
    "withdrew consent": Missing.WITHDRAWN,
    "lost to follow-up": Missing.LOST,
}


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Grids:
    """The arrays while they are filled: variable -> (trial, subject, visit)."""

    values: dict[str, Floats]
    missing: dict[str, Ints]
    below: dict[str, NDArray[np.bool_]]
    measured_day: Floats


def from_record(history: History, protocol: Protocol) -> Cohort:
    """The randomised subjects of a record; with the assignment if it has been unblinded."""
    people = history.used
    visits = protocol.schedule.visits
    names = sorted(
        {
            component
            for visit in visits
            for name in visit.assessments
            for component in (name, *protocol.known_variables[name].components)
        }
    )
    shape = (1, len(people), len(visits))
    grids = _Grids(
        values={name: np.full(shape, np.nan) for name in names},
        missing={name: np.full(shape, int(Missing.NOT_PLANNED), dtype=np.int64) for name in names},
        below={name: np.zeros(shape, dtype=np.bool_) for name in names},
        measured_day=np.full(shape, np.nan),
    )
    for i, one in enumerate(people):
        for j, visit in enumerate(visits):
            _fill(one, visit, protocol, grids, (0, i, j), is_unblinded=history.unblinded is not None)
    arms = tuple(arm.id for arm in protocol.arms)
    assignment = None
    if history.unblinded is not None:
        assignment = Assignment(arms=arms, arm=np.array([[arms.index(str(one.arm)) for one in people]], dtype=np.int64))
    baseline_visit = protocol.schedule.names.index(protocol.baseline.visit)
    baseline = {name: grids.values[name][:, :, baseline_visit].copy() for name in names}
    is_late = np.array([[_is_after_treatment(one, protocol) for one in people]], dtype=np.bool_)
    for name in names:
        baseline[name][is_late] = np.nan
    for name in protocol.baseline.qualifying_mean:
        baseline[name] = np.array([[_qualifying_mean(one, name, protocol) for one in people]])
    return Cohort(
        subjects=tuple(_subject(one, history) for one in people),
        visits=protocol.schedule.names,
        values=grids.values,
        missing=grids.missing,
        baseline=baseline,
        measured_day=grids.measured_day,
        death_day=_days(people, lambda one: one.death_day),
        last_day=_days(people, lambda one: one.day(one.ended_at)),
        discharge_day=_days(people, lambda one: one.day(one.left_hospital_at)),
        first_event_day=_first_events(people),
        n_doses=np.array([[one.n_doses_given for one in people]], dtype=np.int64),
        adverse_events=tuple(_adverse_events(people)),
        assignment=assignment,
        below={name: flags for name, flags in grids.below.items() if flags.any()},
        dosed_from_day=_days(people, lambda one: min(_dose_days(one), default=None)),
        dosed_to_day=-_days(people, lambda one: -max(_dose_days(one)) if _dose_days(one) else None),
        dose_observations=tuple(_dose_observations(people)),
        supports=tuple(_supports(people)),
    )


def _is_after_treatment(one: SubjectHistory, protocol: Protocol) -> bool:
    """Whether the baseline visit took place on a day after its window, when the first dose had been given."""
    planned = protocol.schedule.visit(protocol.baseline.visit)
    days = [seen.study_day for seen in one.visits if seen.visit == planned.id and seen.study_day is not None]
    first = min(_dose_days(one), default=math.inf)
    return any(day > planned.last_day and time_day(day) > first for day in days)


def _fill(
    one: SubjectHistory,
    visit: Visit,
    protocol: Protocol,
    grids: _Grids,
    place: tuple[int, int, int],
    *,
    is_unblinded: bool,
) -> None:
    """Values of one subject at one visit, or why they are not there."""
    seen = [s for s in one.visits if s.visit == visit.id]
    held = [s for s in seen if s.reason is None]
    results = {name: result for s in held for name, result in s.results.items()}
    scores = {name: points for s in held for name, points in s.scores.items()}
    if held:
        grids.measured_day[place] = one.day(held[0].at)
    for name in dict.fromkeys(c for a in visit.assessments for c in (a, *protocol.known_variables[a].components)):
        value = results[name].value if name in results else scores.get(name, {}).get("total")
        if value is not None:
            grids.values[name][place], grids.missing[name][place] = float(value), int(Missing.PRESENT)
            grids.below[name][place] = name in results and results[name].qualifier == "<"
            continue
        sealed = held and not is_unblinded and name in protocol.masking.assessments
        grids.missing[name][place] = int(Missing.SEALED if sealed else _reason(one, visit, bool(seen)))


def _reason(one: SubjectHistory, visit: Visit, was_due: bool) -> Missing:
    end = one.day(one.ended_at)
    if (
        not was_due
        and one.ended in _AFTER_THE_END
        and end is not None
        and end <= visit.time_day + visit.window[1] + 1.0
    ):
        return _AFTER_THE_END[one.ended]
    return Missing.MISSED if was_due or one.ended is not None else Missing.NOT_YET


def _subject(one: SubjectHistory, history: History) -> Subject:
    known = one.screened.known
    return Subject(
        subject=one.subject,
        site=one.site,
        country=history.sites[one.site].country,
        age_year=float(known["numbers"]["age"]) if one.may_use_data else math.nan,
        sex="" if not one.may_use_data else "female" if known["facts"].get("female") else "male",
        weight_kg=float(known["numbers"]["weight"]) if one.may_use_data else math.nan,
    )


def _qualifying_mean(one: SubjectHistory, name: str, protocol: Protocol) -> float:
    """The mean of the values by which the subject qualified, under the criteria in force at the site on that day; NaN
    where no criterion counted any.
    """
    if not one.may_use_data:
        return math.nan
    known = Screening.from_payload(one.screened.known)
    for criterion in protocol.criteria_at(one.site, known.at.date()):
        for _, leaf in leaves(criterion.rule):
            if isinstance(leaf, LabRule) and leaf.laboratory == name:
                counted = qualifying_measurements(leaf, known, protocol)
                return float(np.mean([measurement.value for measurement in counted])) if counted else math.nan
    return math.nan


def _days(people: list[SubjectHistory], of: Callable[[SubjectHistory], float | None]) -> Floats:
    return np.array([[math.inf if (day := of(one)) is None else day for one in people]], dtype=np.float64)


def _first_events(people: list[SubjectHistory]) -> dict[str, Floats]:
    def first(one: SubjectHistory, wanted: str) -> float | None:
        if wanted == "secondary infection":
            days = [one.day(at) for at, _ in one.infections]
        else:
            counted = [
                at
                for at, said in one.adverse_events
                if (said.is_serious if wanted == "serious adverse event" else said.grade in (3, 4))
            ]
            days = [one.day(at) for at in counted]
        return min((day for day in days if day is not None), default=None)

    wanted = ("secondary infection", "serious adverse event", "grade 3-4 adverse event")
    return {name: _days(people, partial(first, wanted=name)) for name in wanted}


def _adverse_events(people: list[SubjectHistory]) -> list[AdverseEvent]:
    return [
        AdverseEvent(
            subject=index,
            term=said.term,
            system=said.system,
            grade=said.grade,
            is_serious=said.is_serious,
            is_related=said.relation in _RELATED,
            day=one.day(at) or 0.0,
            relation=said.relation,
            led_to_stop=said.number == _stopped_for(one),
            hours_after_dose=said.hours_after_dose,
        )
        for index, one in enumerate(people)
        for at, said in one.adverse_events
    ]


def _stopped_for(one: SubjectHistory) -> int | None:
    """The number of the adverse event for which dosing was stopped: the last one before it, where that is the
    reason.
    """
    if one.dosing_stopped is None or not one.dosing_stopped[1].startswith("adverse event"):
        return None
    before = [(at, said.number) for at, said in one.adverse_events if at <= one.dosing_stopped[0]]
    return max(before)[1] if before else None


def _dose_days(one: SubjectHistory) -> list[float]:
    """Days since the first dose of every injection received."""
    return [day for at, said in one.doses if isinstance(said, DoseGiven) and (day := one.day(at)) is not None]


def _dose_observations(people: list[SubjectHistory]) -> list[DoseObservation]:
    return [
        DoseObservation(
            subject=index,
            study_day=said.study_day,
            before=Bedside.from_numbers(said.before),
            after=Bedside.from_numbers(said.after),
        )
        for index, one in enumerate(people)
        for _, said in one.observations
    ]


def _supports(people: list[SubjectHistory]) -> list[Support]:
    """Spans from what was present, began and ended; one still running at the end has no end."""
    spans = []
    for index, one in enumerate(people):
        running: dict[str, float] = {}
        for at, said in one.supports:
            day = one.day(at) or 0.0
            if said.change == "ended":
                began = running.pop(said.support, -math.inf)
                spans.append(Support(subject=index, support=said.support, began_day=began, ended_day=day))
            else:
                running.setdefault(said.support, -math.inf if said.change == "present" else day)
        spans += [
            Support(subject=index, support=support, began_day=began, ended_day=math.inf)
            for support, began in running.items()
        ]
    return spans
