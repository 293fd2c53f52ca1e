"""Cumulative incidence of one cause while others compete (Aalen-Johansen), with its variance and log-log bands."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np

from sevenfold.analysis.answer import Interval
from sevenfold.analysis.column import Numbers, frozen
from sevenfold.analysis.time_to_event.follow_up import CENSORED, FollowUp, risk
from sevenfold.analysis.time_to_event.kaplan_meier import log_log_band
from sevenfold.errors import InvalidInput

__all__ = ["CumulativeIncidence", "cumulative_incidence"]

BANDS: Final = "log-log, Aalen-Johansen"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CumulativeIncidence:
    """The share that has had one cause's event, the other causes preventing it for good.

    Args:
        time_day: of the events of any cause.
        lower, upper: the log-log band; 0 to 1 where there is none (no event of the cause yet).
        last_day: the longest follow-up; beyond it the curve is only carried on.
    """

    cause: int
    n: int
    last_day: float
    time_day: Numbers  # (time,)
    n_at_risk: Numbers
    n_events: Numbers  # of the cause
    incidence: Numbers
    se: Numbers
    lower: Numbers
    upper: Numbers
    level: float

    def at(self, day: float) -> tuple[float, Interval]:
        """The share with the event by a day, with its interval (0 to 1 before the first event)."""
        if not 0.0 <= day < np.inf:
            raise InvalidInput(f"The day is {day}; give 0 or later.")
        i = int(np.searchsorted(self.time_day, day, side="right")) - 1
        share, lower, upper = (0.0, 0.0, 1.0) if i < 0 else (self.incidence[i], self.lower[i], self.upper[i])
        interval = Interval(lower=float(lower), upper=float(upper), level=self.level, method=BANDS, is_exact=False)
        return float(share), interval


def cumulative_incidence(follow_up: FollowUp, cause: int = 1, level: float = 0.95) -> CumulativeIncidence:
    """Aalen and Johansen's estimate for one cause.

    F(t) = Σ S(t_i-) c_i/n_i over event times up to t, with c_i events of the cause among n_i at risk, d_i events of any
    cause and S the Kaplan-Meier curve of any. Var F(t) = Σ {(F(t) - F_i)² d_i/(n_i(n_i - d_i)) + S(t_i-)² c_i(n_i -
    c_i)/n_i³ - 2 (F(t) - F_i) S(t_i-) c_i/n_i²}, with F_i = F(t_i); without other causes it is Greenwood's.

    Source: [aalen1978], [gaynor1993]; docs/theory/time-to-event.md.
    """
    if cause == CENSORED or cause < 0:
        raise InvalidInput(f"The cause is {cause}; 0 is censored, causes count from 1.")
    counts = risk(follow_up, cause)
    n, d, c = counts.n_at_risk, counts.n_events, counts.n_of_cause
    survival = np.cumprod(1.0 - d / n)
    before = np.concatenate(([1.0], survival[:-1])) if len(survival) else survival
    incidence = np.cumsum(before * c / n)
    # the three sums, opened up in powers of F(t) so that each is a running total
    any_cause = np.divide(d, n * (n - d), out=np.zeros_like(n), where=n > d)
    cross = before * c / n**2
    own = before**2 * c * (n - c) / n**3
    constant = np.cumsum(incidence**2 * any_cause + own + 2.0 * incidence * cross)
    linear = np.cumsum(incidence * any_cause + cross)
    variance = constant - 2.0 * incidence * linear + incidence**2 * np.cumsum(any_cause)
    se = np.sqrt(np.maximum(variance, 0.0))
    lower, upper = log_log_band(incidence, se, level)
    return CumulativeIncidence(
        cause=cause,
        n=follow_up.n,
        last_day=follow_up.last_day,
        time_day=frozen(counts.time_day),
        n_at_risk=frozen(n),
        n_events=frozen(c),
        incidence=frozen(incidence),
        se=frozen(se),
        lower=frozen(lower),
        upper=frozen(upper),
        level=level,
    )
