"""A column of a data set, one value per patient, checked once at the door and frozen."""

import operator
from typing import SupportsIndex, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.errors import InvalidInput

__all__ = ["Flags", "Integers", "Labels", "Numbers", "count", "flags", "frozen", "labels", "numbers", "positions"]

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.str_]
Integers = NDArray[np.int64]

A = TypeVar("A", bound=np.generic)

SHOWN = 5  # positions named in a message


def numbers(name: str, values: ArrayLike, n: int | None = None, *, missing: bool = False) -> Numbers:
    """A column of real numbers.

    Args:
        n: how many patients there are, where another column has said so.
        missing: whether nan may stand for a value that was not observed.
    """
    try:
        column = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} holds something that is not a number ({error}).") from error
    _one_per_patient(name, column.shape, n)
    wrong = np.isinf(column) if missing else ~np.isfinite(column)
    if wrong.any():
        raise InvalidInput(
            f"{name} has {int(wrong.sum())} values that are not finite, at positions {positions(wrong)}; "
            + ("infinite values have no place here." if missing else "leave those patients out, with the reason.")
        )
    return frozen(column)


def flags(name: str, values: ArrayLike, n: int | None = None) -> Flags:
    """A column of yes and no."""
    column = np.array(values)
    _one_per_patient(name, column.shape, n)
    if column.dtype != np.bool_:
        if column.dtype.kind not in "iuf" or not np.isin(column, (0, 1)).all():
            raise InvalidInput(f"{name} must hold only True and False (or 1 and 0), got values of {column.dtype}.")
        column = column.astype(np.bool_)
    return frozen(column)


def labels(name: str, values: ArrayLike, n: int | None = None) -> Labels:
    """A column of names; numbers are taken as names."""
    column = np.array(values).astype(np.str_)
    _one_per_patient(name, column.shape, n)
    return frozen(column)


def count(name: str, value: SupportsIndex, at_most: int | None = None) -> int:
    """A number of patients or of events."""
    try:
        number = operator.index(value)
    except TypeError as error:
        raise InvalidInput(f"{name} is {value!r}; a count is a whole number.") from error
    if number < 0 or (at_most is not None and number > at_most):
        upper = "" if at_most is None else f" and at most {at_most}"
        raise InvalidInput(f"{name} is {number}; it must be at least 0{upper}.")
    return number


def frozen(column: NDArray[A]) -> NDArray[A]:
    """The same array, no longer writable."""
    column.flags.writeable = False
    return column


def positions(where: Flags) -> str:
    """The first places where something holds, for a message."""
    found = np.flatnonzero(where)
    return ", ".join(str(i) for i in found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")


def _one_per_patient(name: str, shape: tuple[int, ...], n: int | None) -> None:
    if len(shape) != 1:
        raise InvalidInput(f"{name} has {len(shape)} axes; give one value per patient.")
    if n is not None and shape[0] != n:
        raise InvalidInput(f"{name} has {shape[0]} values for {n} patients; give one per patient, in the same order.")
