"""How long until something happens: hazards and restricted means of the plan's time-to-event questions.

Death is an event where the strategy for it is composite, and ends the time at risk where it is while alive: the hazard
is then that of the cause, in those still alive.

Source: docs/theory/time-to-event.md.
"""

from math import exp
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sevenfold.analysis.effect import Effect, Status
from sevenfold.analysis.time_to_event.cox import cox
from sevenfold.analysis.time_to_event.follow_up import FollowUp
from sevenfold.analysis.time_to_event.kaplan_meier import kaplan_meier
from sevenfold.analysis.time_to_event.log_rank import log_rank
from sevenfold.analysis.time_to_event.restricted_mean import restricted_mean, restricted_mean_difference
from sevenfold.analysis.trial.adjusting import Adjustment, strata_of
from sevenfold.analysis.trial.estimates import GroupAnswer
from sevenfold.analysis.trial.response import Responses
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.endpoint import Estimand, Intercurrent, Strategy, TimeToEndpoint
from sevenfold.protocol.plan import Analysis, Method
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.visit import time_day

__all__ = ["follow_up_of", "hazards", "restricted_means"]

_LEVEL: Final = 0.95


def follow_up_of(estimand: Estimand, found: Responses, cohort: Cohort, protocol: Protocol, trial: int = 0) -> FollowUp:
    """Time at risk of those who were followed at all, and whether the event ended it."""
    endpoint = protocol.endpoint(estimand.endpoint)
    assert isinstance(endpoint, TimeToEndpoint)
    place = found.place[found.is_used]
    death = cohort.death_day[trial][place]
    event = death if endpoint.time_to == "death" else cohort.first_event_day[endpoint.time_to][trial][place]
    if estimand.intercurrent[Intercurrent.DEATH] is Strategy.COMPOSITE:
        event = np.minimum(event, death)
    until = np.minimum(found.value[found.is_used], death)
    return FollowUp.of(np.maximum(np.minimum(event, until), 0.0), (event <= until).astype(np.int64))


def hazards(
    estimand: Estimand, analysis: Analysis, found: Responses, by: Adjustment, cohort: Cohort, protocol: Protocol
) -> dict[str, Any]:
    """The hazard ratio by Cox's model with Efron's ties; p by its Wald test, or by the log-rank test if that is the
    plan's, with the words among the covariates as strata.
    """
    follow_up = follow_up_of(estimand, found, cohort, protocol)
    used = found.is_used
    is_active = found.is_active[used]
    made: dict[str, Any] = {
        "groups": _shares(estimand, found, follow_up),
        "notes": _medians(found, follow_up, protocol, estimand),
    }
    nobody = [group.group for group in made["groups"] if not group.n_used]
    if nobody:
        who = " and nobody of ".join(protocol.group_label(name) for name in nobody)
        return {**made, "status": Status.TOO_FEW, "notes": (*made["notes"], f"Nobody of {who} was followed.")}
    if analysis.method is Method.LOG_RANK:
        strata = strata_of(analysis.covariates, cohort, found.place[used])
        tested = log_rank(follow_up, np.where(is_active, *estimand.compare), strata)
        fit = cox(follow_up, {"arm": is_active}, strata=strata)
        p_value = tested.test.p_value if tested.fit.is_ok else None
        test = "log-rank" + (f", stratified by {' and '.join(analysis.covariates)}" if analysis.covariates else "")
        notes: tuple[str, ...] = ()
    else:
        columns: dict[str, NDArray[np.float64]] = {name: column[used] for name, column in by.numbers.items()}
        for name, words in by.factors.items():
            levels = sorted(set(words[used].tolist()))
            columns |= {f"{name} {level}": (words[used] == level).astype(np.float64) for level in levels[1:]}
        fit = cox(follow_up, {"arm": is_active, **columns})
        p_value, test = None, "Wald, Cox"
        notes = (*by.notes, *((f"Adjusted for {', '.join(columns)}.",) if columns else ()))
    made["notes"] = (*made["notes"], *notes)
    if not fit.fit.is_ok:
        tested_by = test if p_value is not None else None
        return {
            **made,
            "status": fit.fit.status,
            "p_value": p_value,
            "test": tested_by,
            "notes": (*made["notes"], fit.fit.message),
        }
    effect = fit.effect("arm")
    lower, upper = effect.interval(_LEVEL)
    return {
        **made,
        "status": Status.OK,
        "value": exp(effect.estimate),
        "lower": exp(lower),
        "upper": exp(upper),
        "p_value": effect.p_value if p_value is None else p_value,
        "test": test,
        "interval": "Wald on the logarithm, Cox with Efron's ties",
    }


def restricted_means(estimand: Estimand, found: Responses, cohort: Cohort, protocol: Protocol) -> dict[str, Any]:
    """The difference of the days free of the event up to the endpoint's day."""
    endpoint = protocol.endpoint(estimand.endpoint)
    assert isinstance(endpoint, TimeToEndpoint)
    assert endpoint.until_day is not None
    follow_up = follow_up_of(estimand, found, cohort, protocol)
    horizon = time_day(endpoint.until_day) + 1.0
    arm = np.where(found.is_active[found.is_used], *estimand.compare)
    result = restricted_mean_difference(follow_up, arm, estimand.compare, horizon)
    sides = []
    for group, shown in zip(estimand.compare, _shares(estimand, found, follow_up), strict=True):
        one = restricted_mean(follow_up.of_patients(np.asarray(arm == group)), horizon, group)
        days: tuple[float | None, ...] = _interval(one.effect) if one.fit.is_ok else (None, None, None)
        sides.append(
            GroupAnswer(
                group=group, n=shown.n, n_used=shown.n_used, value=days[0], lower=days[1], upper=days[2],
                n_events=shown.n_events,
            )
        )  # fmt: skip
    made: dict[str, Any] = {"groups": tuple(sides), "basis": f"days free of the event until day {endpoint.until_day}"}
    if not result.fit.is_ok:
        return {**made, "status": result.fit.status, "notes": (result.fit.message,)}
    value, lower, upper = _interval(result.effect)
    return {
        **made,
        "status": Status.OK,
        "value": value,
        "lower": lower,
        "upper": upper,
        "p_value": result.effect.p_value,
        "test": "z, Kaplan-Meier",
        "interval": "normal, Greenwood's variance",
    }


def _interval(effect: Effect) -> tuple[float, float, float]:
    half = float(ndtri(0.5 + _LEVEL / 2.0)) * effect.se
    return effect.estimate, effect.estimate - half, effect.estimate + half


def _shares(estimand: Estimand, found: Responses, follow_up: FollowUp) -> tuple[GroupAnswer, GroupAnswer]:
    sides = []
    used = found.is_active[found.is_used]
    for name, everybody, mine in zip(estimand.compare, (found.is_active, ~found.is_active), (used, ~used), strict=True):
        n_used, n_events = int(mine.sum()), int((follow_up.cause[mine] == 1).sum())
        sides.append(
            GroupAnswer(
                group=name,
                n=int(everybody.sum()),
                n_used=n_used,
                value=n_events / n_used if n_used else None,
                lower=None,
                upper=None,
                n_events=n_events,
            )
        )
    return sides[0], sides[1]


def _medians(found: Responses, follow_up: FollowUp, protocol: Protocol, estimand: Estimand) -> tuple[str, ...]:
    """Median times by group, where the curve comes down to one half."""
    told = []
    used = found.is_active[found.is_used]
    for name, mine in zip(estimand.compare, (used, ~used), strict=True):
        if not mine.any():
            continue
        median = kaplan_meier(follow_up.of_patients(mine)).median
        if median.time_day is not None:
            told.append(f"{protocol.group_label(name)}: median {median.time_day:g} days")
    return (f"{'; '.join(told)}.",) if told else ()
