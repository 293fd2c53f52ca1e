"""Where the time of recording comes from: the machine's clock, or a simulated one that a rehearsal moves."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, final

from sevenfold.errors import InvalidInput

__all__ = ["Clock", "SimulatedClock", "SystemClock"]


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
