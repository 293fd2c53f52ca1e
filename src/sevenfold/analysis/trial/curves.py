"""Kaplan-Meier curves of the plan's time-to-event questions, arm by arm."""

from collections.abc import Iterable

import numpy as np

from sevenfold.analysis.time_to_event.kaplan_meier import kaplan_meier
from sevenfold.analysis.trial.estimates import Curve
from sevenfold.analysis.trial.response import responses
from sevenfold.analysis.trial.timed import follow_up_of
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.endpoint import TimeToEndpoint
from sevenfold.protocol.protocol import Protocol

__all__ = ["survival_curves"]

_LABELS = 6  # numbers at risk told, about


def survival_curves(cohort: Cohort, protocol: Protocol) -> Iterable[Curve]:
    """A curve an arm for every time-to-event endpoint that is asked about, as its first estimand takes death."""
    for endpoint in protocol.endpoints:
        asked = [e for e in protocol.estimands if e.endpoint == endpoint.id]
        if not isinstance(endpoint, TimeToEndpoint) or not asked or endpoint.until_day is not None:
            continue
        for arm in protocol.arms:
            every = protocol.model_copy(update={"groups": {"this": (arm.id,), "none": ()}})
            estimand = asked[0].model_copy(update={"compare": ("this", "none")})
            follow_up = follow_up_of(estimand, responses(estimand, cohort, every), cohort, protocol)
            if not follow_up.n:
                continue
            curve = kaplan_meier(follow_up)
            step = _round(follow_up.last_day / _LABELS)
            days = np.arange(0.0, follow_up.last_day + 1e-9, step)
            yield Curve(
                endpoint=endpoint.id,
                group=arm.id,
                n=follow_up.n,
                day=tuple(curve.time_day.tolist()),
                share=tuple(curve.survival.tolist()),
                lower=tuple(curve.lower.tolist()),
                upper=tuple(curve.upper.tolist()),
                last_day=follow_up.last_day,
                n_at_risk={float(day): int((follow_up.time_day >= day).sum()) for day in days},
            )


def _round(step: float) -> float:
    """A round number of days not below ``step``."""
    return float(next((nice for nice in (1, 2, 5, 7, 14, 28, 56, 84, 100, 200, 250, 365, 500) if nice >= step), 1000))
