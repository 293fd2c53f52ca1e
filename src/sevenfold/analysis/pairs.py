"""All differences between an active patient and a control of the same stratum, never written out.

There are n_1·n_0 of them: 25 million for two arms of 5,000. With the controls in order, how many differences one active
patient has below a bound is a bisection, so that a quantile of all, or the difference next to a bound, needs no more
room than the patients do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from sevenfold.analysis.column import Flags, Integers, Labels, Numbers

__all__ = ["ALIKE", "Pairs"]

ALIKE: Final = 1e-9  # relative: statistics or weights closer than this are alike but for rounding


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Stratum:
    """One stratum with both arms.

    Args:
        active: responses  # (active patient,).
        falling: responses of the controls, highest first  # (control,).
        weight: of each difference, 1/(N_s + 1).
    """

    active: Numbers
    falling: Numbers
    weight: float

    def n_up_to(self, bound: float) -> Integers:
        """How many differences of each active patient are not above a bound, by bisection  # (active patient,)."""
        low = np.zeros(len(self.active), dtype=np.int64)
        high = np.full(len(self.active), len(self.falling), dtype=np.int64)
        for _ in range(len(self.falling).bit_length()):
            middle = (low + high) // 2
            is_up_to = self.active - self.falling[np.minimum(middle, len(self.falling) - 1)] <= bound
            is_open = low < high
            low = np.where(is_open & is_up_to, middle + 1, low)
            high = np.where(is_open & ~is_up_to, middle, high)
        return low


@final
@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The differences of all strata, each with its stratum's weight 1/(N_s + 1); none where no stratum has both arms.

    Args:
        lowest, highest: of all differences; nan where there are none.
    """

    strata: tuple[_Stratum, ...]
    lowest: float
    highest: float

    @classmethod
    def of(cls, response: Numbers, active: Flags, strata: Labels) -> "Pairs":
        """The pairs within strata."""
        parts = []
        for s in np.unique(strata):
            inside = strata == s
            mine, others = response[inside & active], np.sort(response[inside & ~active])[::-1]
            if len(mine) and len(others):
                parts.append(_Stratum(mine, others, 1.0 / (inside.sum() + 1.0)))
        if not parts:
            return cls((), np.nan, np.nan)
        lowest = min(float(part.active.min() - part.falling[0]) for part in parts)
        highest = max(float(part.active.max() - part.falling[-1]) for part in parts)
        return cls(tuple(parts), lowest, highest)

    def __len__(self) -> int:
        """Differences."""
        return sum(len(part.active) * len(part.falling) for part in self.strata)

    def around(self, bound: float) -> tuple[float, float]:
        """The highest difference not above a bound, and the lowest above it; infinite where there is none."""
        below, above = -np.inf, np.inf
        for part in self.strata:
            n = part.n_up_to(bound)
            has_below, has_above = n > 0, n < len(part.falling)
            if has_below.any():
                below = max(below, float((part.active[has_below] - part.falling[n[has_below] - 1]).max()))
            if has_above.any():
                above = min(above, float((part.active[has_above] - part.falling[n[has_above]]).min()))
        return below, above

    def weight_up_to(self, bound: float) -> float:
        """Of all differences not above a bound."""
        return sum(part.weight * int(part.n_up_to(bound).sum()) for part in self.strata)

    def median(self) -> float:
        """Where the weights on both sides balance; the middle of the stretch where they do exactly."""
        total = self.weight_up_to(self.highest)
        half, near = total / 2.0, ALIKE * total
        first = self._lowest(lambda bound: self.weight_up_to(bound) >= half - near)
        last = self._lowest(lambda bound: self.weight_up_to(bound) > half + near)
        return 0.5 * (first + last)

    def lower_limit(self, is_kept: Callable[[float], bool]) -> float:
        """The difference above which shifts are kept, of those that are not; -inf where all are.

        Args:
            is_kept: whether a shift is, the same for all between two neighbouring differences; once kept, every higher
                one is.
        """
        if is_kept(self.lowest - 1.0):
            return -np.inf
        return self._lowest(lambda bound: is_kept(0.5 * sum(self.around(bound))))

    def upper_limit(self, is_kept: Callable[[float], bool]) -> float:
        """The difference below which shifts are kept, of those that are not; inf where all are.

        Args:
            is_kept: as for the lower limit, but that every lower shift is kept too.
        """
        if is_kept(self.highest + 1.0):
            return np.inf
        low, high = self.lowest, self.highest
        while low < high:
            bound = _inside(low, high)
            below, above = self.around(bound)
            if is_kept(0.5 * (below + above)):
                low = above
            else:
                high = below
        return low

    def _lowest(self, holds: Callable[[float], bool]) -> float:
        """The lowest difference at which something holds that holds at every higher one, the highest among them.

        It is asked at bounds below the highest difference, so that there is one on either side.
        """
        low, high = self.lowest, self.highest
        while low < high:
            bound = _inside(low, high)
            below, above = self.around(bound)
            if holds(bound):
                high = below
            else:
                low = above
        return low


def _inside(low: float, high: float) -> float:
    """The middle of low..high, below the latter even where doubles are too coarse for one between."""
    middle = low + 0.5 * (high - low)
    return middle if middle < high else low
