"""A column of many trials, one row per trial and one value per subject, checked once at the door."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.analysis.column import Integers
from sevenfold.errors import InvalidInput

__all__ = ["by_trial", "codes_by_trial"]


def by_trial(name: str, values: ArrayLike, shape: tuple[int, ...] | None = None) -> NDArray[np.float64]:
    """Numbers, nan where not observed  # (trial, subject)."""
    column = np.asarray(values, dtype=np.float64)
    _shaped(name, column.shape, shape)
    if np.isinf(column).any():
        raise InvalidInput(f"{name} holds infinite values; what was not observed is nan.")
    return column


def codes_by_trial(
    name: str, values: ArrayLike, shape: tuple[int, ...] | None = None, below: int | None = None
) -> Integers:
    """Whole numbers from 0, -1 where there is none  # (trial, subject)."""
    column = np.asarray(values)
    _shaped(name, column.shape, shape)
    if column.dtype.kind not in "iub" or (column < -1).any() or (below is not None and (column >= below).any()):
        upper = "" if below is None else f" to {below - 1}"
        raise InvalidInput(f"{name} must hold whole numbers from 0{upper}, and -1 where there is none.")
    return column.astype(np.int64)


def _shaped(name: str, found: tuple[int, ...], wanted: tuple[int, ...] | None) -> None:
    if len(found) != 2:
        raise InvalidInput(f"{name} has {len(found)} axes; give (trial, subject).")
    if wanted is not None and found != wanted:
        raise InvalidInput(f"{name} has the shape {found} where {wanted} (trial, subject) was expected.")
