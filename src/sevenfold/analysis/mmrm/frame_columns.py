"""Columns of a data frame, Polars or pandas, as numbers or as words with levels in an order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput

__all__ = ["FrameColumn", "codes", "frame_columns", "in_order", "in_time", "seen"]


@final
@dataclass(frozen=True, slots=True)
class FrameColumn:
    """A column.

    Args:
        values: None where missing.
        levels: of a factor; None of a number.
        is_stated: whether somebody put the levels in order, and not the alphabet.
    """

    values: list[Any]
    levels: tuple[str, ...] | None
    is_stated: bool = False


def frame_columns(frame: Any, names: Sequence[str]) -> dict[str, FrameColumn]:
    """The columns of these names; words and categories are factors.

    Raises:
        InvalidInput: there is no such column.
    """
    there = [str(name) for name in frame.columns]
    found = {}
    for name in names:
        if name not in there:
            raise InvalidInput(f"The data frame has no column {name!r}; it has {', '.join(there)}.")
        is_polars = isinstance(frame, pl.DataFrame)
        raw = frame[name].to_list() if is_polars else frame[name].tolist()
        values = [None if value is None or value != value else value for value in raw]  # noqa: PLR0124
        values = [float(value) if isinstance(value, Decimal) else value for value in values]
        order = _ordered(frame[name], is_polars)
        is_word = order is not None or any(isinstance(value, str) for value in values)
        if is_word:
            values = [None if value is None else str(value) for value in values]
        alphabet = in_order(values) if is_word else None
        is_stated = order is not None and (getattr(frame[name].dtype, "ordered", is_polars) or order != alphabet)
        found[name] = FrameColumn(values, order or alphabet, is_stated)
    return found


def in_time(visit: FrameColumn) -> tuple[str, ...]:
    """The visits in the order that was stated; else numbers by size, and words with the numbers in them by size."""
    if visit.levels is None:
        return in_order(visit.values)
    if visit.is_stated:
        return visit.levels
    parts = {word: re.split(r"(\d+)", word) for word in visit.levels}  # words and numbers take turns
    return tuple(
        sorted(parts, key=lambda word: [int(part) if place % 2 else part for place, part in enumerate(parts[word])])
    )


def in_order(values: Sequence[Any]) -> tuple[str, ...]:
    """Distinct values in order, numbers by size; the names of groups, visits or patients."""
    return tuple(str(value) for value in sorted({value for value in values if value is not None}))


def seen(levels: Sequence[str], values: Sequence[Any]) -> tuple[str, ...]:
    """The levels that occur."""
    there = set(values)
    return tuple(level for level in levels if level in there)


def codes(values: Sequence[Any], order: Sequence[str]) -> NDArray[np.intp]:
    """Each value as its place in an order."""
    place = {name: index for index, name in enumerate(order)}
    return np.array([place[str(value)] for value in values], dtype=np.intp)


def _ordered(column: Any, is_polars: bool) -> tuple[str, ...] | None:
    """The levels of a category, in its order."""
    if is_polars:
        return tuple(column.dtype.categories.to_list()) if isinstance(column.dtype, pl.Enum) else None
    categories = getattr(column.dtype, "categories", None)
    return None if categories is None else tuple(str(one) for one in categories)
