"""Cumulative incidence by a day: the difference of two Aalen-Johansen curves there, and once the test over all days.

Source: docs/theory/time-to-event.md.
"""

from dataclasses import replace
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sevenfold.analysis.effect import Status
from sevenfold.analysis.time_to_event.cumulative_incidence import CumulativeIncidence, cumulative_incidence
from sevenfold.analysis.time_to_event.follow_up import FollowUp
from sevenfold.analysis.time_to_event.gray import gray
from sevenfold.analysis.trial.prepared import compared
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.endpoint import Estimand, EventEndpoint
from sevenfold.protocol.plan import Method
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.visit import time_day

__all__ = ["incidence"]

_LEVEL: Final = 0.95
_NO_SPREAD: Final = 1e-6  # a standard error below it is what rounding leaves of 0


def incidence(estimand: Estimand, cohort: Cohort, protocol: Protocol) -> dict[str, Any]:
    """Shares with the event by the endpoint's day, death competing, as the fields of an ``Answer``.

    z = (F_a - F_b)/se with se² = se_a² + se_b² tests the difference on that day, and matches its interval. Gray's
    test is of the whole curves, the same whatever the day, and is told with the last day that the plan asks about.
    """
    endpoint = protocol.endpoint(estimand.endpoint)
    assert isinstance(endpoint, EventEndpoint)
    by = time_day(endpoint.by_day) + 1.0
    is_death = endpoint.event == "death"
    event = cohort.death_day[0] if is_death else cohort.first_event_day[endpoint.event][0]
    death = np.full(cohort.n_subjects, np.inf) if is_death else cohort.death_day[0]  # what competes
    last = cohort.watched_day(endpoint.event)[0]
    time = np.maximum(np.minimum(np.minimum(event, death), last), 0.0)
    cause = np.where(event <= np.minimum(death, last), 1, np.where(death <= last, 2, 0))
    compare, is_analysed = compared(estimand, cohort, protocol), ~np.isnan(last)
    made = compare.account(is_analysed, {}, "not followed", cohort)
    members = [side & is_analysed for side in compare.both]
    follow_up = FollowUp.of(np.where(np.isnan(time), 0.0, time), cause)
    curves = [cumulative_incidence(follow_up.of_patients(is_in)) for is_in in members]
    sides, shares = [], []
    for group, is_in, curve in zip(made["groups"], members, curves, strict=True):
        share, band = curve.at(by)
        shares.append((share, _se(curve, by)))
        sides.append(
            replace(
                group,
                value=share,
                lower=band.lower,
                upper=band.upper,
                n_events=int(((cause == 1) & (time <= by))[is_in].sum()),
            )
        )
    value, se = shares[0][0] - shares[1][0], sqrt(shares[0][1] ** 2 + shares[1][1] ** 2)
    half = float(ndtri(0.5 + _LEVEL / 2.0)) * se
    labels = [protocol.group_label(name) for name in estimand.compare]
    return {
        **made,
        "groups": (sides[0], sides[1]),
        "basis": "cumulative incidence (Aalen-Johansen)",
        "status": Status.OK,
        "value": value,
        "lower": value - half if se > 0.0 else None,
        "upper": value + half if se > 0.0 else None,
        "p_value": 2.0 * float(ndtr(-abs(value) / se)) if se > 0.0 else None,
        "test": f"z-test of the difference on day {endpoint.by_day}" if se > 0.0 else None,
        "interval": "Aalen-Johansen, normal (approximate at this size)" if se > 0.0 else None,
        "notes": (
            "Those lost are censored." if is_death else "Death competes; those lost are censored.",
            *_carried_on(labels, curves, by),
            *_without_spread(labels, shares),
            *(_of_the_curves(estimand, follow_up, members) if _is_last_day(estimand, endpoint, protocol) else ()),
        ),
    }


def _se(curve: CumulativeIncidence, by: float) -> float:
    at = int(np.searchsorted(curve.time_day, by, side="right")) - 1
    se = float(curve.se[at]) if at >= 0 else 0.0
    return se if se > _NO_SPREAD else 0.0


def _carried_on(labels: list[str], curves: list[CumulativeIncidence], by: float) -> tuple[str, ...]:
    return tuple(
        f"In {name} nobody was followed past day {curve.last_day + 1.0:.0f}: carried on from there."
        for name, curve in zip(labels, curves, strict=True)
        if curve.last_day < by - 1.0
    )


def _without_spread(labels: list[str], shares: list[tuple[float, float]]) -> tuple[str, ...]:
    """Of a group in which nobody or everybody has the event the normal approximation knows no error at all."""
    certain = [
        f"{label} ({'everybody' if share > 0.0 else 'nobody'})"
        for label, (share, se) in zip(labels, shares, strict=True)
        if se == 0.0
    ]
    if not certain:
        return ()
    so = "there is no interval" if len(certain) == len(labels) else "the interval is too narrow and p too small"
    return (
        f"Of {' and '.join(certain)} the share has no standard error: {so}; an exact unconditional test needs none.",
    )


def _is_last_day(estimand: Estimand, endpoint: EventEndpoint, protocol: Protocol) -> bool:
    """Whether the plan asks about this event in these groups on no later day."""
    days = []
    for analysis in protocol.analyses:
        other = protocol.estimand(analysis.estimand)
        asked = protocol.endpoint(other.endpoint)
        if (
            analysis.method is Method.CUMULATIVE_INCIDENCE
            and isinstance(asked, EventEndpoint)
            and (asked.event, other.compare) == (endpoint.event, estimand.compare)
        ):
            days.append(asked.by_day)
    return endpoint.by_day >= max(days, default=0)


def _of_the_curves(estimand: Estimand, follow_up: FollowUp, members: list[NDArray[np.bool_]]) -> tuple[str, ...]:
    both = members[0] | members[1]
    tested = gray(follow_up.of_patients(both), np.where(members[0][both], *estimand.compare))
    if not tested.fit.is_ok:
        return ()
    return (f"The curves over the whole follow-up, whatever the day: Gray's test, p = {tested.test.p_value:.2g}.",)
