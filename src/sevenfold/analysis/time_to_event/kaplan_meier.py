"""The Kaplan-Meier curve with Greenwood's variance, log-log bands and the median."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from scipy.special import ndtri

from sevenfold.analysis.answer import Interval, checked_level
from sevenfold.analysis.column import Numbers, frozen
from sevenfold.analysis.time_to_event.follow_up import FollowUp, risk
from sevenfold.errors import InvalidInput

__all__ = ["KaplanMeier", "Median", "kaplan_meier", "log_log_band"]

BANDS: Final = "log-log, Greenwood"
ALIKE: Final = 1e-9  # a curve this close to a half is at it


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Median:
    """The time by which half had the event.

    Args:
        time_day: none where the curve stays above a half.
        lower_day: the first time at which the band reaches a half; none where it doesn't.
    """

    time_day: float | None
    lower_day: float | None
    upper_day: float | None
    level: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KaplanMeier:
    """The share still free of the event, at each time of an event.

    Args:
        se: Greenwood's; 0 from where the curve is 0.
        lower, upper: the log-log band; 0 to 1 where there is none (nobody left).
        last_day: the longest follow-up; beyond it the curve is only carried on.
    """

    n: int
    last_day: float
    time_day: Numbers  # (time,)
    n_at_risk: Numbers
    n_events: Numbers
    survival: Numbers
    se: Numbers
    lower: Numbers
    upper: Numbers
    level: float

    def at(self, day: float) -> tuple[float, Interval]:
        """The share free of the event beyond a day, with its interval (0 to 1 before the first event)."""
        if not 0.0 <= day < np.inf:
            raise InvalidInput(f"The day is {day}; give 0 or later.")
        i = int(np.searchsorted(self.time_day, day, side="right")) - 1
        if i < 0:
            return 1.0, Interval(lower=0.0, upper=1.0, level=self.level, method=BANDS, is_exact=False)
        lower, upper = float(self.lower[i]), float(self.upper[i])
        return float(self.survival[i]), Interval(
            lower=lower, upper=upper, level=self.level, method=BANDS, is_exact=False
        )

    @property
    def median(self) -> Median:
        """The median by Brookmeyer and Crowley: its interval is where the band holds a half.

        Where the curve runs at a half exactly, the median is the middle of that stretch. Source: [brookmeyer1982].
        """
        return Median(
            time_day=self._reached(self.survival),
            lower_day=self._reached(self.lower),
            upper_day=self._reached(self.upper),
            level=self.level,
        )

    def _reached(self, curve: Numbers) -> float | None:
        """The time at which a falling curve crosses a half."""
        below = np.flatnonzero(curve < 0.5 - ALIKE)
        at_half = np.flatnonzero(np.abs(curve - 0.5) <= ALIKE)
        if len(at_half):
            end = self.time_day[below[0]] if len(below) else self.time_day[at_half[0]]
            return 0.5 * float(self.time_day[at_half[0]] + end)
        return float(self.time_day[below[0]]) if len(below) else None


def kaplan_meier(follow_up: FollowUp, level: float = 0.95) -> KaplanMeier:
    """The product-limit estimate of staying free of any event.

    S(t) = Π (1 - d_i/n_i) and Var S = S² Σ d_i/(n_i (n_i - d_i)) over the event times up to t, with d_i events among
    n_i at risk; the band is symmetric for log(-log S).

    Source: [kaplan1958], [greenwood1926], [kalbfleisch2002]; docs/theory/time-to-event.md.
    """
    counts = risk(follow_up)
    n, d = counts.n_at_risk, counts.n_events
    survival = np.asarray(np.cumprod(1.0 - d / n), dtype=np.float64)
    se = survival * np.sqrt(np.cumsum(np.divide(d, n * (n - d), out=np.zeros_like(n), where=n > d)))
    lower, upper = log_log_band(survival, se, level)
    return KaplanMeier(
        n=follow_up.n,
        last_day=follow_up.last_day,
        time_day=frozen(counts.time_day),
        n_at_risk=frozen(n),
        n_events=frozen(d),
        survival=frozen(survival),
        se=frozen(se),
        lower=frozen(lower),
        upper=frozen(upper),
        level=level,
    )


def log_log_band(share: Numbers, se: Numbers, level: float) -> tuple[Numbers, Numbers]:
    """Limits share^exp(± z·se/(share·log share)), which stay in 0..1; 0 to 1 where the share itself is 0 or 1."""
    z = float(ndtri(0.5 + checked_level(level) / 2.0))
    inside = (share > 0.0) & (share < 1.0) & (se > 0.0)
    log_share = np.log(np.where(inside, share, 0.5))
    half = np.where(inside, z * se / (np.where(inside, share, 0.5) * log_share), 0.0)  # negative
    lower = np.where(inside, np.exp(log_share * np.exp(-half)), 0.0)
    upper = np.where(inside, np.exp(log_share * np.exp(half)), 1.0)
    return lower, upper
