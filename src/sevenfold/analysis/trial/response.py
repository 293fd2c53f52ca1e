"""From an endpoint to one response a subject, with the reason for every response that is not there."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.trial.prepared import NO_BASELINE, NO_RATIO, compared, dated_after_death, said_after_death
from sevenfold.analysis.trial.time_above import days_above
from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.protocol.endpoint import (
    ChangeEndpoint,
    Endpoint,
    Estimand,
    EventEndpoint,
    FoldEndpoint,
    Intercurrent,
    ResponderEndpoint,
    Strategy,
    TimeAboveEndpoint,
    TimeToEndpoint,
)
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.visit import time_day

__all__ = ["Responses", "last_until", "responses"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """One trial's responses to an endpoint, for the subjects of two groups.

    Args:
        value: (subject,), NaN where there is none; ratios are not logarithms here.
        baseline: (subject,), NaN where the endpoint has none.
        is_active: (subject,) in the group in question, not in the one it is compared with.
        is_alive: (subject,) at the endpoint's time; who missed a visit and died in its window is not.
        place: (subject,) in the cohort.
        arm: (subject,) as revealed.
        why: (subject,) reason where there is no value, empty otherwise.
        notes: what a reader must know of how the values were made.
    """

    value: Floats
    baseline: Floats
    is_active: NDArray[np.bool_]
    is_alive: NDArray[np.bool_]
    place: NDArray[np.intp]
    arm: NDArray[np.str_]
    why: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_used(self) -> NDArray[np.bool_]:
        """(subject,) whether there is a value."""
        return np.isfinite(self.value)

    def where(self, is_known: NDArray[np.bool_], why: str) -> "Responses":
        """The same without the values of those of whom something else is not known."""
        out = self.is_used & ~is_known
        return replace(
            self,
            value=np.where(out, np.nan, self.value),
            why=tuple(why if is_out else reason for is_out, reason in zip(out, self.why, strict=True)),
        )

    @property
    def n_used_by_arm(self) -> dict[str, int]:
        """Arm -> subjects with a value; arms of which nobody has one are there too."""
        return {str(arm): int((self.is_used & (self.arm == arm)).sum()) for arm in sorted(set(self.arm.tolist()))}

    @property
    def left_out(self) -> dict[str, int]:
        """Reason -> subjects without a value."""
        return dict(sorted(Counter(reason for reason in self.why if reason).items()))


def responses(estimand: Estimand, cohort: Cohort, protocol: Protocol, trial: int = 0) -> Responses:
    """Responses of one trial to an estimand's endpoint, as the estimand's strategies say."""
    endpoint = protocol.endpoint(estimand.endpoint)
    assignment, sides = cohort.revealed(), compared(estimand, cohort, protocol, trial)
    found = _values(endpoint, estimand, cohort, protocol, trial)
    variable = _variable(endpoint)
    late: tuple[str, ...] = ()
    if isinstance(endpoint, (FoldEndpoint, ChangeEndpoint, ResponderEndpoint)):
        visit, is_seen = (endpoint.visit,), np.isfinite(cohort.at(endpoint.assessments[0], endpoint.visit)[trial])
        is_late = (
            dated_after_death(cohort, endpoint.assessments[0], visit, protocol, trial)[:, 0] & is_seen & sides.either
        )
        late = said_after_death(is_late[:, None], visit, cohort)
    baseline = cohort.baseline[variable][trial] if variable else np.full(cohort.n_subjects, np.nan)
    keep = np.flatnonzero(sides.either)
    return Responses(
        value=found.value[keep],
        baseline=baseline[keep],
        is_active=sides.active[keep],
        is_alive=found.is_alive[keep],
        arm=np.array([assignment.arms[assignment.arm[trial, i]] for i in keep], dtype=np.str_),
        place=keep,
        why=tuple(found.why[i] for i in keep),
        notes=(*found.notes, *late),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    """Everybody's responses, whichever group they are in."""

    value: Floats
    why: list[str]
    is_alive: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def _variable(endpoint: Endpoint) -> str | None:
    match endpoint:
        case FoldEndpoint():
            return endpoint.fold
        case ChangeEndpoint():
            return endpoint.change
        case ResponderEndpoint():
            return endpoint.responder
        case TimeAboveEndpoint():
            return endpoint.time_above
        case EventEndpoint() | TimeToEndpoint():
            return None


def _values(endpoint: Endpoint, estimand: Estimand, cohort: Cohort, protocol: Protocol, trial: int) -> _Values:
    match endpoint:
        case FoldEndpoint():
            return _measured(endpoint.fold, endpoint, cohort, protocol, trial)
        case ChangeEndpoint():
            return _measured(endpoint.change, endpoint, cohort, protocol, trial)
        case ResponderEndpoint():
            return _responders(endpoint, estimand, cohort, protocol, trial)
        case TimeAboveEndpoint():
            value, why, notes = days_above(endpoint, cohort, trial)
            is_alive = cohort.death_day[trial] > time_day(endpoint.until_day) + 1.0
            return _Values(value=value, why=why, is_alive=is_alive, notes=notes)
        case EventEndpoint():
            value, why = _happened(endpoint, cohort, trial)
            return _Values(value=value, why=why, is_alive=cohort.death_day[trial] > time_day(endpoint.by_day) + 1.0)
        case TimeToEndpoint():
            until = np.inf if endpoint.until_day is None else time_day(endpoint.until_day) + 1.0
            watched = np.minimum(cohort.watched_day(endpoint.time_to)[trial], until)
            return _Values(
                value=np.where(np.isfinite(watched), watched, np.nan),
                why=["" if known else "not followed" for known in np.isfinite(watched)],
                is_alive=cohort.death_day[trial] > watched,
            )


def _measured(
    variable: str,
    endpoint: FoldEndpoint | ChangeEndpoint | ResponderEndpoint,
    cohort: Cohort,
    protocol: Protocol,
    trial: int,
) -> _Values:
    """Ratio to baseline, or change from it, of those alive on the day of the visit.

    With ``or_at_discharge`` the last value until discharge stands for who went home before. Death by the day of the
    visit is death all the same: there is one day on which it is asked who lives.
    """
    due = protocol.schedule.visit(endpoint.visit).time_day
    value = cohort.at(variable, endpoint.visit)[trial].copy()
    why = [Missing(int(code)).reason for code in cohort.why_missing(variable, endpoint.visit)[trial]]
    late = dated_after_death(cohort, endpoint.assessments[0], (endpoint.visit,), protocol, trial)[:, 0]
    for i in np.flatnonzero(late & np.isfinite(value)):
        value[i], why[i] = np.nan, "dated after death"
    is_at_discharge = not isinstance(endpoint, ChangeEndpoint) and endpoint.or_at_discharge
    if is_at_discharge:
        for i in np.flatnonzero(cohort.discharge_day[trial] < due):
            found = last_until(variable, float(cohort.discharge_day[trial, i]), cohort, trial, int(i))
            if found is not None:
                value[i], why[i] = found, ""
    died_in_window = (cohort.why_missing(variable, endpoint.visit)[trial] == Missing.DEAD) & ~np.isfinite(value)
    is_alive = (cohort.death_day[trial] > due) & ~died_in_window
    value[~is_alive] = np.nan
    baseline = cohort.baseline[variable][trial]
    why = [
        Missing.DEAD.reason if not lives else reason or ("" if known else NO_BASELINE)
        for lives, reason, known in zip(is_alive, why, np.isfinite(baseline), strict=True)
    ]
    notes = (
        f"The last count until discharge stands for those who left hospital before day {round(due) + 1}; who was dead "
        "by then is dead here too, whatever was found at discharge.",
    )
    n_below = int((cohort.is_below(variable, endpoint.visit)[trial] & np.isfinite(value)).sum())
    said = (f"{n_below} values below the limit of quantification stand at the limit.",) if n_below else ()
    if not isinstance(endpoint, ChangeEndpoint):
        for i in np.flatnonzero((value == 0.0) | ((baseline == 0.0) & np.isfinite(value))):
            value[i], why[i] = np.nan, NO_RATIO
    compared = value - baseline if isinstance(endpoint, ChangeEndpoint) else value / baseline
    told = notes + said if is_at_discharge else said
    return _Values(value=np.asarray(compared), why=why, is_alive=is_alive, notes=told)


def last_until(variable: str, day: float, cohort: Cohort, trial: int, subject: int) -> float | None:
    """The last value after baseline and not after a day; None if there is none."""
    days, values = cohort.day_of(variable)[trial, subject], cohort.values[variable][trial, subject]
    usable = np.flatnonzero(np.isfinite(values) & (days > 0.5) & (days <= day))
    return float(values[usable[-1]]) if len(usable) else None


def _responders(
    endpoint: ResponderEndpoint, estimand: Estimand, cohort: Cohort, protocol: Protocol, trial: int
) -> _Values:
    """1 for a rise, 0 for none; those whose event is part of the endpoint count as none."""
    found = _measured(endpoint.responder, endpoint, cohort, protocol, trial)
    rose = np.where(np.isfinite(found.value), (found.value >= 1.0 + endpoint.rise_at_least).astype(np.float64), np.nan)
    codes = cohort.why_missing(endpoint.responder, endpoint.visit)[trial]
    is_no = np.zeros(len(rose), dtype=np.bool_)
    if estimand.intercurrent[Intercurrent.DEATH] is Strategy.COMPOSITE:
        is_no |= ~found.is_alive
    if estimand.intercurrent.get(Intercurrent.WITHDRAWAL) is Strategy.COMPOSITE:
        is_no |= np.isin(
            codes, [int(code) for code in Missing if code.is_withdrawal]
        )  # whatever was found at discharge
    rose[is_no] = 0.0
    why = ["" if no else reason for no, reason in zip(is_no, found.why, strict=True)]
    return _Values(value=rose, why=why, is_alive=found.is_alive, notes=found.notes)


def _happened(endpoint: EventEndpoint, cohort: Cohort, trial: int) -> tuple[Floats, list[str]]:
    """1 if the event came by the day, 0 if the subject was followed (or dead) without it, NaN if that is not known.

    Who was seen on the day without it was followed through the day.
    """
    by = time_day(endpoint.by_day) + 1.0  # until the end of that day
    days = cohort.death_day[trial] if endpoint.event == "death" else cohort.first_event_day[endpoint.event][trial]
    happened = days <= by
    known = happened | (cohort.watched_day(endpoint.event)[trial] > by - 1.0) | (cohort.death_day[trial] <= by)
    return np.where(happened, 1.0, np.where(known, 0.0, np.nan)), [
        "" if k else "not followed until then" for k in known
    ]
