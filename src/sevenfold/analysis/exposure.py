"""How often something happened: events per time at risk, and patients with at least one, with exact limits."""

from dataclasses import dataclass
from typing import Final, SupportsIndex, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, bdtrc, betaincinv, gammaincinv

from sevenfold.analysis.answer import Alternative, Interval, Test, checked_level, present
from sevenfold.analysis.column import count, flags, labels
from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.proportion import Proportion, clopper_pearson
from sevenfold.analysis.proportion_difference import ProportionDifference, chan_zhang
from sevenfold.analysis.two_binomials import Table
from sevenfold.errors import InvalidInput

__all__ = ["DAYS_PER_YEAR", "Incidence", "Rate", "RateRatio", "incidence", "rate", "rate_ratio"]

DAYS_PER_YEAR: Final = 365.25


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Events per patient-day at risk.

    Args:
        interval: of the events per patient-day.
    """

    n_events: int
    at_risk_day: float
    interval: Interval

    @property
    def per_day(self) -> float:
        """Events per patient-day."""
        return self.n_events / self.at_risk_day

    def per(self, patient_days: float) -> tuple[float, float, float]:
        """Rate, lower and upper limit per so many patient-days (``100 * DAYS_PER_YEAR`` for 100 patient-years)."""
        return self.per_day * patient_days, self.interval.lower * patient_days, self.interval.upper * patient_days


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RateRatio:
    """Rate in arm a over that in arm b.

    Args:
        estimated: none where arm b had no events; the interval stands all the same.
        test: of equal rates, matching the interval (twice the smaller tail).
    """

    fit: Fit
    a: Rate
    b: Rate
    estimated: float | None
    interval: Interval
    test: Test

    @property
    def estimate(self) -> float:
        """The ratio observed.

        Raises:
            NotConverged: where arm b had no events.
        """
        return present(self.estimated, self.fit)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Incidence:
    """Patients of two arms with at least one such event, each share exact, and their exact difference."""

    a: Proportion
    b: Proportion
    difference: ProportionDifference


def rate(n_events: SupportsIndex, at_risk_day: float, level: float = 0.95) -> Rate:
    """Events per time with Garwood's exact Poisson interval.

    P(X ≥ x | L) = P(X ≤ x | U) = (1 - level)/2 for a Poisson count x of mean rate · time, by quantiles of the gamma
    distribution.

    Source: [garwood1936]; docs/theory/exposure.md.
    """
    n_events = count("n_events", n_events)
    if not 0.0 < at_risk_day < np.inf:
        raise InvalidInput(f"at_risk_day is {at_risk_day}; a rate needs a positive time at risk.")
    tail = (1.0 - checked_level(level)) / 2.0
    lower = 0.0 if n_events == 0 else float(gammaincinv(n_events, tail))
    upper = float(gammaincinv(n_events + 1, 1.0 - tail))
    interval = Interval(
        lower=lower / at_risk_day, upper=upper / at_risk_day, level=level, method="Garwood", is_exact=True
    )
    return Rate(n_events=n_events, at_risk_day=float(at_risk_day), interval=interval)


def rate_ratio(a: Rate, b: Rate, level: float = 0.95) -> RateRatio:
    """Ratio of two Poisson rates with the exact interval given the total number of events.

    Given both arms' events n, those of arm a are binomial with π = ρ t_a/(ρ t_a + t_b), so that Clopper-Pearson's
    limits of π become limits of the ratio ρ = π t_b / ((1 - π) t_a).

    Source: [przyborowski1940]; docs/theory/exposure.md.
    """
    tail = (1.0 - checked_level(level)) / 2.0
    x, n = a.n_events, a.n_events + b.n_events
    lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1.0 - tail))
    time_ratio = b.at_risk_day / a.at_risk_day
    interval = Interval(
        lower=lower / (1.0 - lower) * time_ratio,
        upper=float(np.inf) if upper == 1.0 else upper / (1.0 - upper) * time_ratio,
        level=level,
        method="conditional on the events",
        is_exact=True,
    )
    equal = a.at_risk_day / (a.at_risk_day + b.at_risk_day)
    at_least = 1.0 if x == 0 else float(bdtrc(x - 1, n, equal))
    at_most = float(bdtr(x, n, equal)) if n else 1.0
    test = Test(
        name="equal rates, conditional on the events",
        alternative=Alternative.TWO_SIDED,
        statistic=float(x),
        p_value=min(2.0 * min(at_least, at_most), 1.0),
    )
    fit = Fit(status=Status.OK)
    if b.n_events == 0:
        fit = Fit(status=Status.NOT_ESTIMABLE, message="Arm b had no events, so the ratio has no finite estimate.")
    estimated = None if b.n_events == 0 else a.per_day / b.per_day
    return RateRatio(fit=fit, a=a, b=b, estimated=estimated, interval=interval, test=test)


def incidence(has_event: ArrayLike, arm: ArrayLike, compare: tuple[str, str], level: float = 0.95) -> Incidence:
    """Patients with an adverse event by arm: Clopper-Pearson for each share, Chan-Zhang for the difference.

    Args:
        has_event: whether each patient had at least one.
        compare: the two arms, a and b; patients of other arms are left aside.
    """
    had, group = flags("has_event", has_event), labels("arm", arm)
    if len(had) != len(group):
        raise InvalidInput(f"has_event has {len(had)} patients and arm {len(group)}; give one value each.")
    a, b = (clopper_pearson(int(had[group == name].sum()), _members(group, name), level) for name in compare)
    table = Table(events_a=a.n_events, n_a=a.n, events_b=b.n_events, n_b=b.n)
    return Incidence(a=a, b=b, difference=chan_zhang(table, level))


def _members(group: np.typing.NDArray[np.str_], name: str) -> int:
    n = int((group == name).sum())
    if n == 0:
        raise InvalidInput(f'No patient is in arm "{name}"; the arms are {", ".join(np.unique(group))}.')
    return n
