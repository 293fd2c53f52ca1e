"""From an endpoint to one response a subject, with the reason for every response that is not there."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.protocol.endpoint import (
    AnalysisSet,
    ChangeEndpoint,
    Endpoint,
    Estimand,
    EventEndpoint,
    FoldEndpoint,
    Intercurrent,
    ResponderEndpoint,
    Strategy,
    TimeAboveEndpoint,
)
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.visit import time_day

__all__ = ["Responses", "last_until", "responses"]

Floats = NDArray[np.float64]

_REASONS = {
    Missing.NOT_PLANNED: "not planned",
    Missing.DEAD: "dead",
    Missing.WITHDRAWN: "consent withdrawn",
    Missing.LOST: "lost to follow-up",
    Missing.MISSED: "visit or test missed",
    Missing.SEALED: "sealed",
    Missing.NOT_YET: "not yet due",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """One trial's responses to an endpoint, for the subjects of two groups.

    Args:
        value: (subject,), NaN where there is none; ratios are not logarithms here.
        baseline: (subject,), NaN where the endpoint has none.
        is_active: (subject,) in the group in question, not in the one it is compared with.
        is_alive: (subject,) at the endpoint's time.
        country: (subject,)
        arm: (subject,) as revealed.
        why: (subject,) reason where there is no value, empty otherwise.
    """

    value: Floats
    baseline: Floats
    is_active: NDArray[np.bool_]
    is_alive: NDArray[np.bool_]
    country: NDArray[np.str_]
    arm: NDArray[np.str_]
    why: tuple[str, ...]

    @property
    def is_used(self) -> NDArray[np.bool_]:
        """(subject,) whether there is a value."""
        return np.isfinite(self.value)

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
    assignment = cohort.revealed()
    active = assignment.is_in(protocol.groups[estimand.compare[0]])[trial]
    control = assignment.is_in(protocol.groups[estimand.compare[1]])[trial]
    chosen = active | control
    if estimand.analysis_set is AnalysisSet.DOSED:
        chosen &= cohort.n_doses[trial] > 0
    value, why, due_day = _values(endpoint, estimand, cohort, protocol, trial)
    variable = _variable(endpoint)
    baseline = cohort.baseline[variable][trial] if variable else np.full(cohort.n_subjects, np.nan)
    keep = np.flatnonzero(chosen)
    return Responses(
        value=value[keep],
        baseline=baseline[keep],
        is_active=active[keep],
        is_alive=cohort.death_day[trial][keep] > due_day,
        arm=np.array([assignment.arms[assignment.arm[trial, i]] for i in keep], dtype=np.str_),
        country=np.array([cohort.subjects[i].country for i in keep], dtype=np.str_),
        why=tuple(why[i] for i in keep),
    )


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
        case EventEndpoint():
            return None


def _values(
    endpoint: Endpoint, estimand: Estimand, cohort: Cohort, protocol: Protocol, trial: int
) -> tuple[Floats, list[str], float]:
    match endpoint:
        case FoldEndpoint():
            value, why = _at_visit(
                endpoint.fold, endpoint.visit, cohort, protocol, trial, or_at_discharge=endpoint.or_at_discharge
            )
            return (
                _over_baseline(value, why, cohort.baseline[endpoint.fold][trial]),
                why,
                _due(endpoint.visit, protocol),
            )
        case ChangeEndpoint():
            value, why = _at_visit(endpoint.change, endpoint.visit, cohort, protocol, trial, or_at_discharge=False)
            baseline = cohort.baseline[endpoint.change][trial]
            _say_missing_baseline(baseline, why)
            return value - baseline, why, _due(endpoint.visit, protocol)
        case ResponderEndpoint():
            value, why = _responders(endpoint, estimand, cohort, protocol, trial)
            return value, why, _due(endpoint.visit, protocol)
        case TimeAboveEndpoint():
            return *_days_above(endpoint, cohort, trial), time_day(endpoint.until_day)
        case EventEndpoint():
            return *_happened(endpoint, cohort, trial), time_day(endpoint.by_day)


def _due(visit: str, protocol: Protocol) -> float:
    return protocol.schedule.visit(visit).time_day


def _at_visit(
    variable: str, visit: str, cohort: Cohort, protocol: Protocol, trial: int, *, or_at_discharge: bool
) -> tuple[Floats, list[str]]:
    value = cohort.at(variable, visit)[trial].copy()
    codes = cohort.why_missing(variable, visit)[trial]
    why = ["" if code == Missing.PRESENT else _REASONS[Missing(int(code))] for code in codes]
    if or_at_discharge:
        for i in np.flatnonzero(cohort.discharge_day[trial] < _due(visit, protocol)):
            found = last_until(variable, float(cohort.discharge_day[trial, i]), cohort, trial, int(i))
            if found is not None:
                value[i], why[i] = found, ""
    return value, why


def last_until(variable: str, day: float, cohort: Cohort, trial: int, subject: int) -> float | None:
    """The last value after baseline and not after a day; None if there is none."""
    days, values = cohort.measured_day[trial, subject], cohort.values[variable][trial, subject]
    usable = np.flatnonzero(np.isfinite(values) & (days > 0.5) & (days <= day))
    return float(values[usable[-1]]) if len(usable) else None


def _over_baseline(value: Floats, why: list[str], baseline: Floats) -> Floats:
    _say_missing_baseline(baseline, why)
    return np.asarray(value / baseline)


def _say_missing_baseline(baseline: Floats, why: list[str]) -> None:
    for i in np.flatnonzero(~np.isfinite(baseline)):
        why[i] = why[i] or "no baseline"


def _responders(
    endpoint: ResponderEndpoint, estimand: Estimand, cohort: Cohort, protocol: Protocol, trial: int
) -> tuple[Floats, list[str]]:
    """1 for a rise, 0 for none; those whose event is part of the endpoint count as none."""
    variable = endpoint.responder
    value, why = _at_visit(variable, endpoint.visit, cohort, protocol, trial, or_at_discharge=endpoint.or_at_discharge)
    ratio = _over_baseline(value, why, cohort.baseline[variable][trial])
    rose = np.where(np.isfinite(ratio), (ratio >= 1.0 + endpoint.rise_at_least).astype(np.float64), np.nan)
    codes = cohort.why_missing(variable, endpoint.visit)[trial]
    for event, code in {Intercurrent.DEATH: Missing.DEAD, Intercurrent.WITHDRAWAL: Missing.WITHDRAWN}.items():
        if estimand.intercurrent.get(event) is Strategy.COMPOSITE:
            for i in np.flatnonzero(codes == code):  # whatever was found at discharge
                rose[i], why[i] = 0.0, ""
    dead = cohort.death_day[trial] <= _due(endpoint.visit, protocol)
    if estimand.intercurrent[Intercurrent.DEATH] is Strategy.COMPOSITE:
        rose[dead] = 0.0
        why = ["" if is_dead else reason for is_dead, reason in zip(dead, why, strict=True)]
    return rose, why


def _days_above(endpoint: TimeAboveEndpoint, cohort: Cohort, trial: int) -> tuple[Floats, list[str]]:
    """Days above the threshold between the first dose and the last measurement until the day asked for."""
    until = time_day(endpoint.until_day)
    above, why = np.full(cohort.n_subjects, np.nan), []
    for i in range(cohort.n_subjects):
        days, values = cohort.measured_day[trial, i], cohort.values[endpoint.time_above][trial, i]
        usable = np.isfinite(values) & np.isfinite(days)
        order = np.argsort(days[usable], kind="stable")
        t, x = np.maximum(days[usable][order], 0.0), values[usable][order]
        if len(t) < 2:
            why.append("fewer than two measurements")
            continue
        above[i] = _time_above(t, x, endpoint.threshold_per_ul, until)
        why.append("")
    return above, why


def _time_above(t: Floats, x: Floats, threshold: float, until: float) -> float:
    """The time that straight lines through (t, x) spend above a threshold before ``until``."""
    total = 0.0
    for (start, before), (end, after) in pairwise(zip(t, x, strict=True)):
        if start >= until or end <= start:
            continue
        stop = min(end, until)
        at_stop = before + (after - before) * (stop - start) / (end - start)
        high, low = max(before, at_stop), min(before, at_stop)
        share = 1.0 if low > threshold else 0.0 if high <= threshold else (high - threshold) / (high - low)
        total += share * (stop - start)
    return float(total)


def _happened(endpoint: EventEndpoint, cohort: Cohort, trial: int) -> tuple[Floats, list[str]]:
    """1 if the event came by the day, 0 if the subject was followed (or dead) without it, NaN if that is not known."""
    by = time_day(endpoint.by_day) + 1.0  # until the end of that day
    days = cohort.death_day[trial] if endpoint.event == "death" else cohort.first_event_day[endpoint.event][trial]
    happened = days <= by
    known = happened | (cohort.last_day[trial] >= by) | (cohort.death_day[trial] <= by)
    return np.where(happened, 1.0, np.where(known, 0.0, np.nan)), [
        "" if k else "not followed until then" for k in known
    ]
