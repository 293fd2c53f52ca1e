"""Two arms' counts of events, and the largest probability that a set of such counts can have.

Unconditional exact tests and intervals all ask one thing: over every value of the nuisance proportion, how probable at
most is a region of tables? Written in Bernstein's basis the probability is a polynomial whose coefficients bound it,
so the answer is certified, not read off a grid.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from sevenfold.analysis.column import Flags, Numbers, count
from sevenfold.errors import InvalidInput

__all__ = ["TOLERANCE", "Table", "can_exceed", "log_choose", "supremum"]

TOLERANCE = 1e-9  # of a supremum; it errs upwards, never down
POINTS = 129  # of the nuisance range, for a first answer
ROUNDING = 1e-11  # relative, of a probability summed from logarithms
DEEPEST = 45  # halvings of the nuisance range, to 3e-14 of it


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Patients with an event in two arms; effects are a minus b, a over b."""

    events_a: int
    n_a: int
    events_b: int
    n_b: int

    def __post_init__(self) -> None:
        for arm, events, n in (("a", self.events_a, self.n_a), ("b", self.events_b, self.n_b)):
            if count(f"n_{arm}", n) == 0:
                raise InvalidInput(f"n_{arm} is 0; a comparison needs patients in both arms.")
            count(f"events_{arm}", events, at_most=n)

    @property
    def difference(self) -> float:
        """Observed difference of the proportions, a minus b."""
        return self.events_a / self.n_a - self.events_b / self.n_b

    @property
    def swapped(self) -> "Table":
        """The same trial with the arms' names exchanged."""
        return Table(events_a=self.events_b, n_a=self.n_b, events_b=self.events_a, n_b=self.n_a)


def supremum(
    region: Flags,
    *,
    difference: float = 0.0,
    nuisance: tuple[float, float] = (0.0, 1.0),
    tolerance: float = TOLERANCE,
) -> float:
    """Largest probability of a region of tables over all proportions p in arm b, arm a having p + difference.

    sup over p of Σ 1(x, y in region) · Bin(x; n_a, p + difference) · Bin(y; n_b, p).

    Args:
        region: of shape (n_a + 1, n_b + 1).
        nuisance: where p is looked for; cut to where both proportions lie in 0..1.

    Returns:
        an upper bound, at most ``tolerance`` above the supremum.

    Source: docs/theory/two-proportions.md.
    """
    best, cells = 0.0, _bernstein(region, difference, nuisance)
    for _ in range(DEEPEST):
        best = max(best, float(cells[[0, -1]].max()))
        cells = cells[:, cells.max(axis=0) > best + tolerance]
        if cells.shape[1] == 0:
            break
        cells = _halved(cells)
    return min(best + tolerance, 1.0) if 0.0 < best < 1.0 else best


def can_exceed(region: Flags, threshold: float, *, difference: float = 0.0) -> bool:
    """Whether the region is more probable than the threshold for some nuisance proportion; ``supremum``, but sooner."""
    at_points, at_most = _bracketed(region, difference)
    if at_points > threshold:
        return True
    if at_most <= threshold:
        return False
    cells = _bernstein(region, difference, (0.0, 1.0))
    for _ in range(DEEPEST):
        if float(cells[[0, -1]].max()) > threshold:
            return True
        cells = cells[:, cells.max(axis=0) > threshold]
        if cells.shape[1] == 0:
            return False
        cells = _halved(cells)
    return True


def log_choose(n: int) -> Numbers:
    """Logarithms of the binomial coefficients of n, from none chosen to all."""
    k = np.arange(n + 1.0)
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0), dtype=np.float64)


def _bracketed(region: Flags, difference: float) -> tuple[float, float]:
    """The largest probability at some points, and a bound between them from the region's shape, 1 where it has none.

    If with a table every one with more events in a and fewer in b belongs to the region, its probability rises with p_a
    and falls with p_b, so that between two points it is below that of the higher p_a with the lower p_b. A two-sided
    region is the sum of one such part and one of the opposite kind.
    """
    n_a, n_b = region.shape[0] - 1, region.shape[1] - 1
    p_b = np.linspace(max(0.0, -difference), min(1.0, 1.0 - difference), POINTS)
    a, b = _binomial(n_a, np.clip(p_b + difference, 0.0, 1.0)), _binomial(n_b, p_b)  # (point, count)
    weighed = region.astype(np.float64)
    at_points = float(((a @ weighed) * b).sum(axis=1).max())
    distance = np.arange(n_a + 1)[:, None] / n_a - np.arange(n_b + 1)[None, :] / n_b - difference
    at_most = np.zeros(POINTS - 1)
    parts = (region,) if _is_rising(region) else (region & (distance > 0.0), region & (distance <= 0.0))
    for part in parts:
        if _is_rising(part):
            at_most += ((a[1:] @ part.astype(np.float64)) * b[:-1]).sum(axis=1)
        elif _is_rising(~part):
            at_most += ((a[:-1] @ part.astype(np.float64)) * b[1:]).sum(axis=1)
        else:
            return at_points, 1.0
    return at_points, float(at_most.max()) * (1.0 + ROUNDING)


def _is_rising(region: Flags) -> bool:
    """Whether more events in a or fewer in b never lead out of the region."""
    return bool((region[1:] >= region[:-1]).all() and (region[:, 1:] <= region[:, :-1]).all())


def _binomial(n: int, p: Numbers) -> NDArray[np.float64]:
    """Probabilities of 0..n events (point, count)."""
    k = np.arange(n + 1.0)
    return np.asarray(np.exp(log_choose(n) + xlogy(k, p[:, None]) + xlog1py(n - k, -p[:, None])), dtype=np.float64)


def _bernstein(region: Flags, difference: float, nuisance: tuple[float, float]) -> NDArray[np.float64]:
    """Bernstein coefficients (total degree + 1, 1) of the region's probability along the nuisance range.

    On the square of both proportions the coefficients are the region's indicator itself; cut to the box over which
    the pair runs they stay averages of zeros and ones, and along its diagonal those with x + y = s are averaged by
    the hypergeometric distribution.
    """
    low, high = max(nuisance[0], 0.0, -difference), min(nuisance[1], 1.0, 1.0 - difference)
    if low > high:
        raise InvalidInput(f"No nuisance proportion in {nuisance} allows a difference of {difference}.")
    square = region.astype(np.float64)
    square = _cut(square, low + difference, high + difference)  # arm a
    square = _cut(square.T, low, high).T  # arm b
    n_a, n_b = square.shape[0] - 1, square.shape[1] - 1
    log_weight = log_choose(n_a)[:, None] + log_choose(n_b)[None, :]
    total = np.add.outer(np.arange(n_a + 1), np.arange(n_b + 1))
    weight = np.exp(log_weight - log_choose(n_a + n_b)[total])
    summed = np.bincount(total.ravel(), (weight * square).ravel(), minlength=n_a + n_b + 1)
    share = np.bincount(total.ravel(), weight.ravel(), minlength=n_a + n_b + 1)  # one, up to rounding
    return np.asarray(summed / share, dtype=np.float64)[:, None]


def _cut(coefficients: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Coefficients along the first axis, from the range 0..1 to low..high."""
    if high < 1.0:
        coefficients = _split(coefficients, high)[0]
    if low > 0.0:
        coefficients = _split(coefficients, min(low / high, 1.0))[1]
    return coefficients


def _halved(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column's polynomial on the two halves of its range."""
    return np.concatenate(_split(cells, 0.5), axis=1)


def _split(coefficients: NDArray[np.float64], at: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """De Casteljau: the coefficients on 0..at and on at..1, by averages only, hence without loss of digits."""
    degree = len(coefficients) - 1
    left, right = np.empty_like(coefficients), np.empty_like(coefficients)
    row = coefficients.copy()
    left[0], right[degree] = row[0], row[degree]
    for k in range(1, degree + 1):
        row = (1.0 - at) * row[:-1] + at * row[1:]
        left[k], right[degree - k] = row[0], row[-1]
    return left, right
