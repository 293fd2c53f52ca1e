"""Where a condition that holds on one side stops holding: bisection, for limits defined by inverting a test."""

from collections.abc import Callable

import numpy as np

from sevenfold.analysis.column import Flags, Numbers

__all__ = ["crossing", "crossings"]

HALVINGS = 60  # below the spacing of doubles in 0..1


def crossing(holds: Callable[[float], bool], inside: float, outside: float, tolerance: float) -> float:
    """The edge of the region where ``holds``, between a point inside and one outside it.

    Returns:
        the last point found outside, so that an interval ending there is never too short; within ``tolerance``.
    """
    while abs(outside - inside) > tolerance:
        middle = 0.5 * (inside + outside)
        if middle in (inside, outside):
            break
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return outside


def crossings(is_past: Callable[[Numbers], Flags], lower: Numbers, upper: Numbers) -> Numbers:
    """Many edges at once: for each, the point of lower..upper from which ``is_past`` holds, to the last bit."""
    low, high = lower.astype(np.float64), upper.astype(np.float64)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        past = is_past(middle)
        high = np.where(past, middle, high)
        low = np.where(past, low, middle)
    return high
