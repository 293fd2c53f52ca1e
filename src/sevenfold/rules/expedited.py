"""When a serious event must be told to whom: the clocks of expedited reporting. Source: [iche2a].

A suspected unexpected serious adverse reaction (SUSAR) goes to the authority within 7 calendar days of its becoming
known where it was fatal or threatened life, with 8 more for the follow-up, and within 15 otherwise.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, final

__all__ = ["Clocks", "clocks_of", "is_life_threatening"]

_TO_THE_MONITOR: Final = timedelta(hours=24)
_FATAL, _FOLLOW_UP, _OTHER = timedelta(days=7), timedelta(days=8), timedelta(days=15)
_LIFE_THREATENING: Final = 4  # CTCAE grade; 5 is death


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Until when what must be done; None where nothing must.

    Args:
        monitor: the medical monitor has the report.
        authority: the authority has the first report.
        follow_up: and the rest.
    """

    monitor: datetime | None
    authority: datetime | None
    follow_up: datetime | None


def is_life_threatening(grade: int) -> bool:
    """Whether an event of this grade was fatal or threatened life."""
    return grade >= _LIFE_THREATENING


def clocks_of(
    *, known_at: datetime, grade: int, is_exempt: bool, is_related: bool | None = None, is_expected: bool | None = None
) -> Clocks:
    """The clocks of a serious event.

    Args:
        known_at: when the site knew of it.
        is_exempt: the protocol lists it among what the disease brings anyway; it is not told at once.
        is_related: as the medical monitor judged; None before.
        is_expected: likewise.
    """
    monitor = None if is_exempt else known_at + _TO_THE_MONITOR
    if not is_related or is_expected is not False:
        return Clocks(monitor=monitor, authority=None, follow_up=None)
    if is_life_threatening(grade):
        return Clocks(monitor=monitor, authority=known_at + _FATAL, follow_up=known_at + _FATAL + _FOLLOW_UP)
    return Clocks(monitor=monitor, authority=known_at + _OTHER, follow_up=None)
