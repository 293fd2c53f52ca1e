"""Restricted mean survival time: the days free of the event that a patient can expect up to a horizon."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.answer import present
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.time_to_event.follow_up import FollowUp, risk
from sevenfold.errors import InvalidInput

__all__ = ["RestrictedMean", "restricted_mean", "restricted_mean_difference"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedMean:
    """Days free of the event up to a horizon, or the difference of two arms; a normal reference."""

    fit: Fit
    horizon_day: float
    estimated: Effect | None

    @property
    def effect(self) -> Effect:
        """The estimate in days.

        Raises:
            NotConverged: where follow-up doesn't reach the horizon.
        """
        return present(self.estimated, self.fit)


def restricted_mean(follow_up: FollowUp, horizon_day: float, name: str = "restricted mean") -> RestrictedMean:
    """The area under the Kaplan-Meier curve up to a horizon τ.

    μ = ∫_0^τ S(t) dt and Var μ = Σ (∫_{t_i}^τ S(t) dt)² d_i/(n_i (n_i - d_i)) over event times up to τ.

    Source: [klein2003]; docs/theory/time-to-event.md.
    """
    if not 0.0 < horizon_day < np.inf:
        raise InvalidInput(f"The horizon is day {horizon_day}; give a day after 0.")
    longest = follow_up.last_day
    counts = risk(follow_up)
    n, d = counts.n_at_risk, counts.n_events
    survival = np.cumprod(1.0 - d / n)
    if longest < horizon_day and (len(survival) == 0 or survival[-1] > 0.0):
        message = f"The longest follow-up of {name} ends on day {longest:g}; choose a horizon not after it."
        return RestrictedMean(
            fit=Fit(status=Status.NOT_ESTIMABLE, message=message), horizon_day=horizon_day, estimated=None
        )
    before = counts.time_day < horizon_day
    edges = np.concatenate(([0.0], counts.time_day[before], [horizon_day]))
    heights = np.concatenate(([1.0], survival[before]))
    areas = heights * np.diff(edges)
    ahead = np.cumsum(areas[::-1])[::-1][1:]  # from each event time to the horizon
    n, d = n[before], d[before]
    variance = float((ahead**2 * np.divide(d, n * (n - d), out=np.zeros_like(n), where=n > d)).sum())
    if variance <= 0.0:
        message = f"Nobody of {name} had an event before day {horizon_day:g}; nothing measures the spread."
        return RestrictedMean(
            fit=Fit(status=Status.SEPARATED, message=message), horizon_day=horizon_day, estimated=None
        )
    effect = Effect(contrast=name, estimate=float(areas.sum()), se=float(np.sqrt(variance)), df=float(np.inf))
    return RestrictedMean(fit=Fit(status=Status.OK), horizon_day=horizon_day, estimated=effect)


def restricted_mean_difference(
    follow_up: FollowUp, arm: ArrayLike, compare: tuple[str, str], horizon_day: float
) -> RestrictedMean:
    """Days free of the event in arm a less those in arm b, the variances added.

    Args:
        compare: the two arms, a and b.
    """
    arms, arm_of = follow_up.by("arm", arm)
    parts = []
    for name in compare:
        if name not in arms:
            raise InvalidInput(f'No patient is in arm "{name}"; the arms are {", ".join(arms)}.')
        parts.append(restricted_mean(follow_up.of_patients(arm_of == name), horizon_day, f"arm {name}"))
    a, b = parts
    for part in parts:
        if not part.fit.is_ok:
            return RestrictedMean(fit=part.fit, horizon_day=horizon_day, estimated=None)
    effect = Effect(
        contrast=f"restricted mean, {compare[0]} - {compare[1]}",
        estimate=a.effect.estimate - b.effect.estimate,
        se=float(np.hypot(a.effect.se, b.effect.se)),
        df=float(np.inf),
    )
    return RestrictedMean(fit=Fit(status=Status.OK), horizon_day=horizon_day, estimated=effect)
