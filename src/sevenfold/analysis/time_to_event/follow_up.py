"""How long each patient was followed and what ended it: the data of every analysis of time to an event."""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.column import Flags, Integers, Labels, Numbers, frozen, labels, numbers, positions
from sevenfold.errors import InvalidInput

__all__ = ["CENSORED", "FollowUp", "Risk", "landmark", "risk"]

CENSORED: Final = 0


@final
@dataclass(frozen=True, slots=True, eq=False)
class FollowUp:
    """Time at risk of each patient and the cause that ended it.

    Someone censored at the time of an event was still at risk of it.

    Args:
        time_day: since the first dose, randomisation or landmark; 0 or more.
        cause: 0 where follow-up ended without an event (censored), 1 for the event, 2 and up for competing ones.
    """

    time_day: Numbers  # (patient,)
    cause: Integers  # (patient,)

    @classmethod
    def of(cls, time_day: ArrayLike, cause: ArrayLike) -> "FollowUp":
        """Checked columns; True and False will do for a single cause."""
        time = numbers("time_day", time_day)
        causes = numbers("cause", cause, len(time))
        negative = time < 0.0
        if negative.any():
            raise InvalidInput(
                f"time_day is negative at positions {positions(negative)}; count from the start of risk."
            )
        if (causes < 0).any() or (causes != np.floor(causes)).any():
            raise InvalidInput("cause must be 0 for censored, 1 for the event, 2 and up for competing events.")
        return cls(time, frozen(causes.astype(np.int64)))

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.time_day)

    @property
    def last_day(self) -> float:
        """The longest follow-up; 0 without patients."""
        return float(self.time_day.max(initial=0.0))

    @property
    def is_event(self) -> Flags:
        """Who had an event of any cause."""
        return np.asarray(self.cause != CENSORED)

    def of_patients(self, which: Flags) -> "FollowUp":
        """Some of the patients."""
        return FollowUp(frozen(self.time_day[which]), frozen(self.cause[which]))

    def by(self, name: str, group: ArrayLike) -> tuple[tuple[str, ...], Labels]:
        """A checked column of groups, with the groups in order of their names."""
        column = labels(name, group, self.n)
        return tuple(np.unique(column).tolist()), column


@final
@dataclass(frozen=True, slots=True, eq=False)
class Risk:
    """Who was at risk and who had which event at each distinct time of an event of any cause."""

    time_day: Numbers  # (time,), ascending
    n_at_risk: Numbers  # (time,), just before
    n_events: Numbers  # (time,), of any cause
    n_of_cause: Numbers  # (time,), of the cause asked for


def risk(follow_up: FollowUp, cause: int = 1, at: Numbers | None = None) -> Risk:
    """The counts that every estimator starts from.

    Args:
        at: ascending times to count at; by default those of the events of any cause.
    """
    time, is_event = follow_up.time_day, follow_up.is_event
    times = np.unique(time[is_event]) if at is None else at
    ordered = np.sort(time)
    n_at_risk = follow_up.n - np.searchsorted(ordered, times, side="left")
    return Risk(
        time_day=times,
        n_at_risk=n_at_risk.astype(np.float64),
        n_events=_counted(np.sort(time[is_event]), times),
        n_of_cause=_counted(np.sort(time[follow_up.cause == cause]), times),
    )


def landmark(follow_up: FollowUp, day: float) -> tuple[Flags, FollowUp]:
    """Who was still at risk after a landmark, and their follow-up counted from it.

    Groups formed by what happened before the landmark may be compared from there on without immortal time.

    Returns:
        a flag per patient (at risk beyond ``day``), and the follow-up of those flagged.

    Source: [anderson1983].
    """
    if not 0.0 <= day < np.inf:
        raise InvalidInput(f"The landmark is day {day}; give a day of 0 or later.")
    is_at_risk = np.asarray(follow_up.time_day > day)
    kept = follow_up.of_patients(is_at_risk)
    return is_at_risk, FollowUp(frozen(kept.time_day - day), kept.cause)


def _counted(ordered: Numbers, times: Numbers) -> Numbers:
    counted = np.searchsorted(ordered, times, side="right") - np.searchsorted(ordered, times, side="left")
    return counted.astype(np.float64)
