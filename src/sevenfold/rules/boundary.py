"""A stopping boundary on the rate of an event: chosen from a background and a tolerable rate, with what it does.

After every subject the posterior of the rate is held against the background: p ~ Beta(a + x, b + n - x). The boundary
is reached where it is nearly certain that the rate exceeds the background. How certain is chosen, not guessed: the
least certainty at which a trial at the background rate stops wrongly in at most the chance that is allowed.

Everything is exact: the number of events is followed subject by subject, those who stopped taken out.

Source: [thall1994]; docs/theory/boundary.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.protocol.plan import Rate

__all__ = ["Boundary", "Operating", "Replay", "boundary_for", "boundary_of", "replayed"]

Floats = NDArray[np.float64]
_MOST: Final = 2_000  # subjects


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Operating:
    """What a boundary does where the event has some rate.

    Args:
        stops: chance that it is reached by the last subject.
        mean_n: subjects seen until it is reached or the last was seen, in the mean.
    """

    rate: float
    stops: float
    mean_n: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """How many events among how many subjects are too many.

    Args:
        certainty: posterior probability, that the rate exceeds the background, at which it is reached.
        events: fewest events that reach it, after 1, 2, ... subjects; more than the subjects where none does.
        prior: a and b of the rate's Beta distribution before anybody was seen.
    """

    background: float
    tolerable: float
    certainty: float
    prior: tuple[float, float]
    events: tuple[int, ...]

    @property
    def n_subjects(self) -> int:
        """The last subject after which it is looked at."""
        return len(self.events)

    def is_reached(self, n_events: int, n_subjects: int) -> bool:
        """Whether so many events among so many subjects are too many; beyond the last planned look, as at it."""
        return n_subjects > 0 and n_events >= self.events[min(n_subjects, self.n_subjects) - 1]

    def at_rate(self, rate: float) -> Operating:
        """What it does at a rate of the event: exact, subject by subject."""
        going = np.zeros(self.n_subjects + 1)  # chance of so many events, not stopped
        going[0], stops, mean_n = 1.0, 0.0, 0.0
        for n, limit in enumerate(self.events, start=1):
            mean_n += float(going.sum())  # this subject is seen
            going[1:] = going[1:] * (1.0 - rate) + going[:-1] * rate
            going[0] *= 1.0 - rate
            if limit <= n:
                stops += float(going[limit:].sum())
                going[limit:] = 0.0
        return Operating(rate=rate, stops=stops, mean_n=mean_n)


@cache
def boundary_of(rate: Rate) -> Boundary:
    """The boundary that a protocol's monitoring rule names."""
    return boundary_for(
        background=rate.background, tolerable=rate.tolerable, n_subjects=rate.subjects, wrongly=rate.wrongly
    )


def boundary_for(
    *,
    background: float,
    tolerable: float,
    n_subjects: int,
    wrongly: float = 0.10,
    weight: float = 1.0,
    first: int = 3,
) -> Boundary:
    """The boundary that stops a trial at the background rate with at most the chance that is allowed.

    Args:
        background: rate at which the event happens anyway.
        tolerable: highest rate that could be borne; what the boundary does there is told by :meth:`Boundary.at_rate`.
        n_subjects: the last subject after which it is looked at.
        wrongly: chance of stopping at the background rate.
        weight: of the prior, in subjects: its mean is the background rate.
        first: the first subject after whom it is looked at.

    Raises:
        InvalidDesign: rates that are none or in the wrong order, or a boundary that no number of events can reach.
    """
    from scipy.special import betainc  # here: a server starts without it

    if not 0.0 < background < tolerable < 1.0:
        raise InvalidDesign(
            f"A background rate of {background:g} must lie above 0 and below the tolerable rate, {tolerable:g}, and "
            "that below 1."
        )
    if not (0.0 < wrongly < 1.0 and weight > 0.0 and 1 <= first <= n_subjects <= _MOST):
        raise InvalidDesign(
            f"The chance of stopping wrongly lies between 0 and 1 (got {wrongly:g}), the prior's weight above 0 (got "
            f"{weight:g}), and subjects between 1 and {_MOST:,} (looks from {first} to {n_subjects})."
        )
    prior = weight * background, weight * (1.0 - background)
    n, x = np.indices((n_subjects + 1, n_subjects + 1))
    counts = np.where(x <= n, 1.0 - betainc(prior[0] + x, prior[1] + np.maximum(n - x, 0), background), -1.0)
    tried = np.unique(counts[first:][counts[first:] >= 0.5])
    low, high = 0, len(tried)  # the least certainty that stops rarely enough lies in tried[low:high]
    while low < high:
        middle = (low + high) // 2
        if _with(tried[middle], counts, first, background, tolerable, prior).at_rate(background).stops <= wrongly:
            high = middle
        else:
            low = middle + 1
    if low == len(tried):
        raise InvalidDesign(
            f"No boundary over {n_subjects} subjects stops in at most {wrongly:g} at the background rate; allow more."
        )
    return _with(tried[low], counts, first, background, tolerable, prior)


def _with(
    certainty: float, counts: Floats, first: int, background: float, tolerable: float, prior: tuple[float, float]
) -> Boundary:
    n_subjects = len(counts) - 1
    reached = counts >= certainty
    events = [
        int(np.argmax(reached[n])) if n >= first and reached[n].any() else n + 1 for n in range(1, n_subjects + 1)
    ]
    return Boundary(
        background=background, tolerable=tolerable, certainty=float(certainty), prior=prior, events=tuple(events)
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """When a trial of which only the totals are in print would have been stopped.

    Args:
        earliest: after which subject at the earliest, had the events come first; None where no order stops it.
        latest: after which subject at the latest, had they come last; None where that order does not stop it.
        share: of all orders in which the events may have come, those that stop it.
    """

    earliest: int | None
    latest: int | None
    share: float


def replayed(boundary: Boundary, n_events: int, n_subjects: int) -> Replay:
    """Replay totals of a trial, over every order in which its events may have come.

    Raises:
        InvalidInput: more events than subjects, or more subjects than the boundary looks at.
    """
    if not 0 <= n_events <= n_subjects <= boundary.n_subjects:
        raise InvalidInput(
            f"{n_events} events among {n_subjects} subjects can't be replayed over {boundary.n_subjects} looks."
        )
    first = [1] * n_events + [0] * (n_subjects - n_events)
    return Replay(
        earliest=_stopped(boundary, first),
        latest=_stopped(boundary, first[::-1]),
        share=_share(boundary, n_events, n_subjects),
    )


def _stopped(boundary: Boundary, course: Sequence[int]) -> int | None:
    so_far = np.cumsum(course)
    return next((n for n, x in enumerate(so_far.tolist(), start=1) if boundary.is_reached(x, n)), None)


def _share(boundary: Boundary, n_events: int, n_subjects: int) -> float:
    """Orders counted by how many events came among the first n: those that never reach the boundary."""
    going: Mapping[int, int] = {0: 1}
    for n in range(1, n_subjects + 1):
        after: dict[int, int] = {}
        for x, orders in going.items():
            for more in (0, 1):
                if x + more <= n_events and not boundary.is_reached(x + more, n):
                    after[x + more] = after.get(x + more, 0) + orders
        going = after
    return 1.0 - going.get(n_events, 0) / comb(n_subjects, n_events)
