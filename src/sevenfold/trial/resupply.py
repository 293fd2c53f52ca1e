"""What a site will need of each product, by simulation of who will be enrolled, and what to order.

It knows the scheme and what everybody may know, never the list: arms are drawn anew, by the protocol's ratio in blocks,
for those who are in the trial as for those to come. So it tells nothing of who receives what.

Candidates come as a Poisson stream at every site of the stratum, at a rate with a Gamma distribution; subjects take the
next place of a drawn list; at each dose a subject goes on with a fixed probability. What masked rules withhold is left
out: it shifts need from an active product to its placebo. Source: [anisimov2007] for the Poisson-gamma stream.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.seed import Stream

__all__ = ["Ahead", "Forecast", "Ongoing", "SiteRate", "forecast", "needed"]

Ints = NDArray[np.int64]
N_TRIALS: Final = 2000
_RARELY: Final = 1e-6  # of a site's rate, that it is above what is drawn for


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRate:
    """A site's randomisations: so many a day, not known exactly. The rate has a Gamma distribution.

    Args:
        shape: subjects, seen and expected.
        days: in which.
    """

    shape: float
    days: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ongoing:
    """Somebody at the site who is being dosed.

    Args:
        place: on the stratum's list, from 0.
        due: study day -> in how many days that dose is due.
    """

    place: int
    due: Mapping[int, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What is known, by everybody, of what lies ahead of a site.

    Args:
        ratio: arms, written out, of the shortest block.
        block_repeats: how many times over a block may be the ratio.
        vials: arm -> study day -> product and how many vials of it a dose takes.
        sites: of the stratum, this one first.
        n_taken: places of the stratum's list that are taken.
        n_left: subjects whom the trial may still randomise.
        stops: the probability that a subject's dosing has stopped when the next dose is due.
        ongoing: at this site.
    """

    ratio: tuple[str, ...]
    block_repeats: tuple[int, ...]
    vials: Mapping[str, Mapping[int, tuple[str, int]]]
    sites: tuple[SiteRate, ...]
    n_taken: int
    n_left: int
    stops: float
    ongoing: Sequence[Ongoing]

    @property
    def products(self) -> tuple[str, ...]:
        """Every product that any arm is given."""
        return tuple(dict.fromkeys(product for days in self.vials.values() for product, _ in days.values()))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Of one product.

    Args:
        median: vials needed until the horizon.
        upper: the same, exceeded in 5 of 100 simulated trials.
        runs_out: the probability that the stock does not last until the next delivery.
        order: vials which, delivered then, keep the probability of running out later below what was chosen.
        by_day: day by day, the 5 %, 50 % and 95 % quantiles of what is needed by then; (day, quantile).
        usable: vials in stock that have not expired, by day.
    """

    median: int
    upper: int
    runs_out: float
    order: int
    by_day: NDArray[np.float64]
    usable: Ints


def needed(ahead: Ahead, horizon_days: int, root: int | bytes, n_trials: int = N_TRIALS) -> dict[str, Ints]:
    """Vials of each product that doses take, (trial, day from now)."""
    trials = np.arange(n_trials)[:, None]
    whose, when = _arrivals(ahead, horizon_days, root, trials)
    n_come = whose.shape[1]
    n_places = max([ahead.n_taken + n_come, *(one.place + 1 for one in ahead.ongoing)])
    arms = _lists(ahead, n_places, root, trials)
    found = {product: np.zeros((n_trials, horizon_days), np.int64) for product in ahead.products}
    kept = Stream(root, "resupply: doses")

    def take(arm: Ints, place: int, due: Mapping[int, Ints], comes: NDArray[np.bool_]) -> None:
        on = comes
        for number, (day, at) in enumerate(due.items()):
            on = on & (kept.uniform(trial=trials[:, 0], subject=place, draw=number) >= ahead.stops)
            for index, name in enumerate(dict.fromkeys(ahead.ratio)):
                product, n = ahead.vials[name][day]
                rows = np.flatnonzero(on & (arm == index) & (at < horizon_days))
                found[product][rows, at[rows]] += n

    for one in ahead.ongoing:
        due = {day: np.full(n_trials, max(in_days, 0)) for day, in_days in one.due.items()}
        take(arms[:, one.place], one.place, due, np.ones(n_trials, dtype=bool))
    days = next(iter(ahead.vials.values()))
    for order in range(n_come):
        comes = (whose[:, order] == 0) & (when[:, order] < horizon_days) & (order < ahead.n_left)
        if comes.any():
            first = np.where(comes, when[:, order], 0.0).astype(np.int64)
            due = {day: first + day - 1 for day in days}
            take(arms[:, ahead.n_taken + order], ahead.n_taken + order, due, comes)
    return found


def forecast(need: Ints, stock: Sequence[tuple[int, int]], lead_days: int, at_most: float) -> Forecast:
    """What a product's need makes of its stock.

    Args:
        need: (trial, day from now), of :func:`needed`.
        stock: usable lots: vials, and for how many days from now they may be used (0: today for the last time).
        lead_days: from an order to its delivery.
        at_most: the probability of running out, after the delivery and until the horizon, that is accepted.
    """
    n_trials, horizon_days = need.shape
    lots = sorted(((lasts, n) for n, lasts in stock), key=lambda one: one[0])
    left = np.array([[n for _, n in lots]] * n_trials, dtype=np.int64).reshape(n_trials, len(lots))
    lacking = np.zeros((n_trials, horizon_days), np.int64)
    for day in range(horizon_days):
        wanted = need[:, day].copy()
        for index, (lasts, _) in enumerate(lots):
            if lasts >= day:
                taken = np.minimum(left[:, index], wanted)
                left[:, index] -= taken
                wanted -= taken
        lacking[:, day] = wanted
    later = np.sort(lacking[:, lead_days:].sum(axis=1))
    total = need.sum(axis=1)
    by_day = np.quantile(np.cumsum(need, axis=1), (0.05, 0.5, 0.95), axis=0, method="inverted_cdf").T
    return Forecast(
        median=int(np.quantile(total, 0.5, method="inverted_cdf")),
        upper=int(np.quantile(total, 0.95, method="inverted_cdf")),
        runs_out=float((lacking[:, :lead_days] > 0).any(axis=1).mean()),
        order=int(later[ceil((1.0 - at_most) * n_trials) - 1]),
        by_day=np.asarray(by_day, dtype=np.float64),
        usable=np.array([sum(n for lasts, n in lots if lasts >= day) for day in range(horizon_days)], np.int64),
    )


def _arrivals(ahead: Ahead, horizon_days: int, root: int | bytes, trials: Ints) -> tuple[Ints, NDArray[np.float64]]:
    """Whose the next randomisations are and in how many days they come, in order of time; (trial, number)."""
    from scipy.special import gammaincinv  # here: a server starts without it

    stream, rates = Stream(root, "resupply: arrival"), Stream(root, "resupply: rate")
    whose, when = [], []
    for index, site in enumerate(ahead.sites):
        u = rates.uniform(trial=trials[:, 0], subject=index)
        per_day = np.asarray(gammaincinv(site.shape, u), dtype=np.float64) / site.days
        highest = float(gammaincinv(site.shape, 1.0 - _RARELY)) / site.days * horizon_days
        n = ceil(highest + 6.0 * sqrt(highest) + 8.0)
        gaps = -np.log(stream.uniform(trial=trials, subject=index, draw=np.arange(n)[None, :]))
        when.append(np.cumsum(gaps, axis=1) / np.maximum(per_day, 1e-12)[:, None])
        whose.append(np.full(when[-1].shape, index))
    at, of = np.concatenate(when, axis=1), np.concatenate(whose, axis=1)
    order = np.argsort(at, axis=1, kind="stable")[:, : int((at < horizon_days).sum(axis=1).max(initial=0))]
    return np.take_along_axis(of, order, axis=1), np.take_along_axis(at, order, axis=1)


def _lists(ahead: Ahead, n: int, root: int | bytes, trials: Ints) -> Ints:
    """For every trial a list of permuted blocks, as places of arms in the ratio; (trial, place)."""
    names = {name: index for index, name in enumerate(dict.fromkeys(ahead.ratio))}
    pattern = np.array([names[arm] for arm in ahead.ratio])
    size, longest = len(pattern), max(ahead.block_repeats) * len(pattern)
    n_blocks, n_drawn = n // size + 2, n + longest  # the last one begins behind the n places
    u = Stream(root, "resupply: block").uniform(trial=trials, draw=np.arange(n_blocks)[None, :])
    lengths = size * np.array(ahead.block_repeats)[(u * len(ahead.block_repeats)).astype(np.int64)]
    blocks = np.stack([np.repeat(np.arange(n_blocks), row)[:n_drawn] for row in _long_enough(lengths, n_drawn)])
    keys = blocks + Stream(root, "resupply: place").uniform(trial=trials, draw=np.arange(n_drawn)[None, :])
    return np.asarray(pattern[np.argsort(keys, axis=1, kind="stable") % size][:, :n], dtype=np.int64)


def _long_enough(lengths: Ints, n: int) -> Ints:
    """The last block so long that the list reaches ``n`` places whatever the others were."""
    lengths = lengths.copy()
    lengths[:, -1] = np.maximum(lengths[:, -1], n - lengths[:, :-1].sum(axis=1))
    return lengths
