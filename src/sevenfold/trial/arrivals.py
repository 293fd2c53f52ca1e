"""When candidates come: a Poisson stream at every site, from the day it opens, seen on a morning."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import log
from typing import final
from zoneinfo import ZoneInfo

from sevenfold.protocol.protocol import Protocol
from sevenfold.seed import Stream

__all__ = ["Arrival", "arrivals"]

_DAYS_A_MONTH = 365.25 / 12


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A candidate is seen at a site (aware, in its zone). ``subject`` is the site's id and the candidate's number
    there.
    """

    subject: str
    site: str
    at: datetime


def arrivals(protocol: Protocol, site: str, root: int | bytes, trial: int = 0) -> Iterator[Arrival]:
    """A site's candidates, in order, without end."""
    _, place = protocol.sites[site]
    number = tuple(protocol.sites).index(site)
    stream = Stream(root, "arrival")
    since_open, count = 0.0, 0
    while True:
        count += 1
        gap = float(stream.uniform(trial=trial, subject=number, draw=count))
        since_open += -log(gap) * _DAYS_A_MONTH / place.screened_per_month
        day = place.opens + timedelta(days=int(since_open))
        at = datetime.combine(day, time(8), ZoneInfo(place.time_zone)) + timedelta(
            minutes=int(150 * (since_open % 1.0))
        )
        yield Arrival(subject=f"{site}-{count:03d}", site=site, at=at)
