"""The two primary analyses by hand, from the words of the protocols and plain tables of text.

ANCOVA by least squares; Boschloo's test and the exact interval of a difference by going through every table there can
be and every nuisance proportion of a grid, refined where the probability is largest.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, exp, inf, log, sqrt
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

__all__ = ["Difference", "Row", "boschloo_p", "is_kept_by_both_sides", "ratio_of_means", "table"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Row = dict[str, str]
_TIES = 1e-7  # relative: two tables whose statistics agree to this are equally extreme


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An effect with its interval and p-value."""

    value: float
    lower: float
    upper: float
    p_value: float
    df: int


def table(folder: Path, name: str) -> list[Row]:
    """The rows of ``data/<name>.csv``."""
    with (folder / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ratio_of_means(
    ratio: Sequence[float], baseline: Sequence[float], is_active: Sequence[bool], country: Sequence[str]
) -> Difference:
    """ANCOVA of the log ratio on treatment, log baseline and country; told as a ratio of geometric means."""
    y = np.log(np.asarray(ratio))
    columns = [np.ones_like(y), np.asarray(is_active, dtype=np.float64), np.log(np.asarray(baseline))]
    columns += [np.asarray([one == other for one in country], dtype=np.float64) for other in sorted(set(country))[1:]]
    x = np.stack(columns, axis=1)
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    residual = y - x @ beta
    df = len(y) - x.shape[1]
    se = float(np.sqrt(residual @ residual / df * np.linalg.inv(x.T @ x)[1, 1]))
    half = float(stats.t.ppf(0.975, df)) * se
    effect = float(beta[1])
    return Difference(
        value=exp(effect),
        lower=exp(effect - half),
        upper=exp(effect + half),
        p_value=float(2.0 * stats.t.sf(abs(effect) / se, df)),
        df=df,
    )


def boschloo_p(events_a: int, n_a: int, events_b: int, n_b: int) -> float:
    """Two-sided: tables whose Fisher p-value (two-sided) is not above the one observed, at the worst proportion."""

    def fisher(x: int, y: int) -> float:
        return float(stats.fisher_exact(np.array([[x, n_a - x], [y, n_b - y]])).pvalue)

    limit = fisher(events_a, events_b) * (1.0 + _TIES)
    region = np.array([[fisher(x, y) <= limit for y in range(n_b + 1)] for x in range(n_a + 1)])
    return _largest(region, 0.0)


def is_kept_by_both_sides(delta: float, events_a: int, n_a: int, events_b: int, n_b: int) -> bool:
    """Whether neither one-sided exact test at 2.5 % rejects a difference, the tables ordered by the score statistic."""
    score = np.array([[_score(x, n_a, y, n_b, delta) for y in range(n_b + 1)] for x in range(n_a + 1)])
    for side in (score, -score):
        seen = float(side[events_a, events_b])
        slack = _TIES * max(1.0, abs(seen)) if np.isfinite(seen) else 0.0
        if _largest(np.asarray(side >= seen - slack), delta) <= 0.025:
            return False
    return True


def _largest(region: Flags, delta: float) -> float:
    """The largest probability of a region of tables over all proportions that differ by ``delta``."""
    n_a, n_b = region.shape[0] - 1, region.shape[1] - 1
    low, high = max(0.0, -delta), min(1.0, 1.0 - delta)

    def probability(p: Floats) -> Floats:
        of_a, of_b = _binomial(n_a, np.clip(p + delta, 0.0, 1.0)), _binomial(n_b, np.clip(p, 0.0, 1.0))
        return np.asarray(np.einsum("px,xy,py->p", of_a, region.astype(np.float64), of_b))

    grid, step, best = np.linspace(low, high, 401), (high - low) / 400.0, 0.0
    for _ in range(7):  # ever finer around the best points
        found = probability(grid)
        best = max(best, float(found.max()))
        around = grid[np.argsort(found)[-8:]]
        grid = np.unique(np.clip(around[:, None] + step * np.linspace(-1.0, 1.0, 41)[None, :], low, high).ravel())
        step /= 20.0
    return best


def _binomial(n: int, p: Floats) -> Floats:
    k = np.arange(n + 1)
    ways = np.array([float(comb(n, i)) for i in k])
    return np.asarray(ways * p[:, None] ** k * (1.0 - p[:, None]) ** (n - k))


def _score(x: int, n_a: int, y: int, n_b: int, delta: float) -> float:
    """(observed - delta) over its standard error at the likeliest proportions that differ by delta."""
    low, high = max(0.0, -delta), min(1.0, 1.0 - delta)
    p_b = _likeliest(x, n_a, y, n_b, delta, low, high)
    p_a = min(max(p_b + delta, 0.0), 1.0)
    variance = p_a * (1.0 - p_a) / n_a + p_b * (1.0 - p_b) / n_b
    distance = x / n_a - y / n_b - delta
    if variance < 1e-14:
        return 0.0 if abs(distance) < 1e-12 else inf if distance > 0 else -inf
    return distance / sqrt(variance)


def _likeliest(x: int, n_a: int, y: int, n_b: int, delta: float, low: float, high: float) -> float:
    """The root of the score equation, which falls with the proportion; an end where there is none."""

    def slope(p: float) -> float:
        terms = ((x, p + delta, 1.0), (n_a - x, 1.0 - p - delta, -1.0), (y, p, 1.0), (n_b - y, 1.0 - p, -1.0))
        return sum(sign * count / value for count, value, sign in terms if count)

    def log_likelihood(p: float) -> float:
        terms = ((x, p + delta), (n_a - x, 1.0 - p - delta), (y, p), (n_b - y, 1.0 - p))
        return sum(count * log(max(value, 1e-300)) for count, value in terms if count)

    inner = (low + 1e-13, high - 1e-13)
    ends = [low, high]
    if inner[0] < inner[1] and slope(inner[0]) > 0.0 > slope(inner[1]):
        ends.append(float(optimize.brentq(slope, *inner, xtol=1e-15, rtol=1e-14)))
    return max(ends, key=log_likelihood)
