"""Tests of equal proportions in two small arms that never exceed their level: Fisher, Barnard, Boschloo.

Each orders the tables by how much they speak against equality and asks how probable the observed one and all beyond
it are: Fisher's test given how many events there were in all, the unconditional tests at the worst value of the
common proportion, or (Berger and Boos) at the worst one of a confidence interval for it, plus what that may miss.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from sevenfold.analysis.answer import Alternative, Test
from sevenfold.analysis.column import Flags, Numbers
from sevenfold.analysis.two_binomials import TOLERANCE, Table, log_choose, supremum
from sevenfold.errors import InvalidInput

__all__ = ["barnard", "boschloo", "fisher", "fisher_mid_p", "fisher_p_values", "pooled_z"]

ALIKE: Final = 1e-7  # relative: tables whose probability or statistic differs by less are alike but for rounding


def fisher(table: Table, alternative: Alternative = Alternative.TWO_SIDED) -> Test:
    """Fisher's exact test, two-sided by minimum likelihood: all tables no more probable than the observed one.

    Source: [fisher1935]; docs/theory/two-proportions.md.
    """
    probability, at = _given_total(table)
    p_value = _tail(probability, at, alternative)
    return Test(name="Fisher", alternative=alternative, statistic=table.difference, p_value=p_value)


def fisher_mid_p(table: Table, alternative: Alternative = Alternative.TWO_SIDED) -> Test:
    """Fisher's test with only half the probability of the tables alike to the observed one.

    Close to its level on average, but no longer guaranteed to keep it.

    Source: [lancaster1961]; docs/theory/two-proportions.md.
    """
    probability, at = _given_total(table)
    alike = probability[at]
    if alternative is Alternative.TWO_SIDED:
        alike = probability[np.abs(probability - alike) <= ALIKE * alike].sum()
    p_value = max(_tail(probability, at, alternative) - 0.5 * float(alike), 0.0)
    return Test(name="Fisher, mid-p", alternative=alternative, statistic=table.difference, p_value=p_value)


def barnard(
    table: Table,
    alternative: Alternative = Alternative.TWO_SIDED,
    *,
    berger_boos: float = 0.0,
    tolerance: float = TOLERANCE,
) -> Test:
    """Barnard's unconditional test, the tables ordered by the score statistic (pooled variance).

    Args:
        berger_boos: γ, the probability that the interval for the common proportion may miss it; 0 searches all of 0..1.

    Source: [barnard1947], [suissa1985], [berger1994]; docs/theory/two-proportions.md.
    """
    z = pooled_z(table.n_a, table.n_b)
    score = {Alternative.TWO_SIDED: np.abs(z), Alternative.GREATER: z, Alternative.LESS: -z}[alternative]
    observed = score[table.events_a, table.events_b]
    region = score >= observed - ALIKE * max(1.0, abs(observed))
    return Test(
        name="Barnard, score statistic" + _named(berger_boos),
        alternative=alternative,
        statistic=float(z[table.events_a, table.events_b]),
        p_value=_unconditional(region, table, berger_boos, tolerance),
    )


def boschloo(
    table: Table,
    alternative: Alternative = Alternative.TWO_SIDED,
    *,
    berger_boos: float = 0.0,
    tolerance: float = TOLERANCE,
) -> Test:
    """Boschloo's unconditional test, the tables ordered by Fisher's p-value; never less powerful than Fisher's test.

    Args:
        berger_boos: as in ``barnard``.

    Source: [boschloo1970], [berger1994]; docs/theory/two-proportions.md.
    """
    fisher_p = fisher_p_values(table.n_a, table.n_b, alternative)
    observed = float(fisher_p[table.events_a, table.events_b])
    region = fisher_p <= observed * (1.0 + ALIKE)
    return Test(
        name="Boschloo" + _named(berger_boos),
        alternative=alternative,
        statistic=observed,
        p_value=_unconditional(region, table, berger_boos, tolerance),
    )


def pooled_z(n_a: int, n_b: int) -> NDArray[np.float64]:
    """Score statistic of every table: difference over its standard error under equality; 0 where all patients agree.

    (x/n_a - y/n_b) / √(p(1 - p)(1/n_a + 1/n_b)) with p = (x + y)/(n_a + n_b), of shape (n_a + 1, n_b + 1).
    """
    x, y = np.arange(n_a + 1.0)[:, None], np.arange(n_b + 1.0)[None, :]
    pooled = (x + y) / (n_a + n_b)
    variance = pooled * (1.0 - pooled) * (1.0 / n_a + 1.0 / n_b)
    is_degenerate = variance <= 0.0
    return np.where(is_degenerate, 0.0, (x / n_a - y / n_b) / np.sqrt(np.where(is_degenerate, 1.0, variance)))


def fisher_p_values(n_a: int, n_b: int, alternative: Alternative) -> NDArray[np.float64]:
    """Fisher's p-value of every table, of shape (n_a + 1, n_b + 1)."""
    p_values = np.empty((n_a + 1, n_b + 1))
    for total in range(n_a + n_b + 1):
        probability, first = _hypergeometric(n_a, n_b, total)
        x = first + np.arange(len(probability))
        p_values[x, total - x] = _tails(probability, alternative)
    return p_values


def _given_total(table: Table) -> tuple[Numbers, int]:
    """Probability of each count in arm a given all events, and where the observed one stands."""
    probability, first = _hypergeometric(table.n_a, table.n_b, table.events_a + table.events_b)
    return probability, table.events_a - first


def _hypergeometric(n_a: int, n_b: int, total: int) -> tuple[Numbers, int]:
    first, last = max(0, total - n_b), min(n_a, total)
    x = np.arange(first, last + 1)
    log_weight = log_choose(n_a)[x] + log_choose(n_b)[total - x]
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64), first


def _tail(probability: Numbers, at: int, alternative: Alternative) -> float:
    return float(_tails(probability, alternative)[at])


def _tails(probability: Numbers, alternative: Alternative) -> Numbers:
    """For each outcome, the probability of it and of all that speak at least as much against equality."""
    if alternative is Alternative.LESS:
        tails = np.cumsum(probability)
    elif alternative is Alternative.GREATER:
        tails = np.cumsum(probability[::-1])[::-1]
    else:
        order = np.argsort(probability, kind="stable")
        summed = np.cumsum(probability[order])
        last_alike = np.searchsorted(probability[order], probability * (1.0 + ALIKE), side="right") - 1
        tails = summed[last_alike]
    return np.minimum(tails, 1.0)


def _unconditional(region: Flags, table: Table, berger_boos: float, tolerance: float) -> float:
    if not 0.0 <= berger_boos < 0.05:
        raise InvalidInput(f"berger_boos is {berger_boos}; give 0 or a small probability such as 1e-6 or 0.001.")
    nuisance = (0.0, 1.0)
    if berger_boos > 0.0:
        n, events = table.n_a + table.n_b, table.events_a + table.events_b
        lower = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, berger_boos / 2.0))
        upper = 1.0 if events == n else float(betaincinv(events + 1, n - events, 1.0 - berger_boos / 2.0))
        nuisance = (lower, upper)
    return min(supremum(region, nuisance=nuisance, tolerance=tolerance) + berger_boos, 1.0)


def _named(berger_boos: float) -> str:
    return f", Berger-Boos γ = {berger_boos:g}" if berger_boos > 0.0 else ""
