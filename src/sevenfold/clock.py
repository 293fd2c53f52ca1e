"""Where the time of recording comes from (the machine's clock, or a simulated one that a rehearsal moves), and what
time it is so much later.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, final

from sevenfold.errors import InvalidInput

__all__ = ["Clock", "ShiftedClock", "SimulatedClock", "SystemClock", "hours_between", "later"]


class Clock(Protocol):
    """Whatever can say what time it is, in UTC."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


@final
@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)


@final
@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """The clock of the machine, set back or forward: it goes on from another moment.

    Args:
        by: how much later than the machine's it shows.
    """

    by: timedelta

    def now(self) -> datetime:
        """The shifted moment, in UTC."""
        return datetime.now(UTC) + self.by


@final
@dataclass(slots=True)
class SimulatedClock:
    """A clock that stands still until it is moved, and never runs backwards.

    Args:
        at: the moment it shows first, aware.
    """

    at: datetime

    def now(self) -> datetime:
        """The moment it shows, in UTC."""
        return self.at.astimezone(UTC)

    def move_to(self, moment: datetime) -> None:
        """Show ``moment`` from now on.

        Raises:
            InvalidInput: ``moment`` lies before the one shown.
        """
        if moment < self.at:
            raise InvalidInput(f"The simulated clock shows {self.at} and cannot go back to {moment}.")
        self.at = moment


def later(moment: datetime, elapsed: timedelta) -> datetime:
    """The moment so much time after another (or before it), told in the same zone.

    Python adds to the hands of the local clock, which gains or loses an hour where summer time begins or ends.
    """
    return (moment.astimezone(UTC) + elapsed).astimezone(moment.tzinfo)


def hours_between(first: datetime, second: datetime) -> float:
    """How many hours pass from one moment to another, whatever the local clocks do in between."""
    return (second.astimezone(UTC) - first.astimezone(UTC)).total_seconds() / 3600.0
