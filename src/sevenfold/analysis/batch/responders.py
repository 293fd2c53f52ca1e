"""Responder rates of every trial of a batch with intervals, and their difference; nothing is imputed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.batch.ending import CODE, Codes, tally
from sevenfold.analysis.batch.tables import TableBatch, each_table
from sevenfold.analysis.column import Flags, Numbers, frozen
from sevenfold.analysis.effect import Status
from sevenfold.analysis.proportion import Proportion, clopper_pearson
from sevenfold.analysis.proportion_difference import ProportionDifference, newcombe
from sevenfold.analysis.two_binomials import Table
from sevenfold.errors import InvalidInput

__all__ = ["ShareBatch", "difference_batch", "rate_batch"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShareBatch:
    """A responder rate, or a difference of two, with its interval in every trial.

    Args:
        method: of the interval, as a report prints it.
        status: how each trial's analysis ended, as ``CODE`` has it  # (trial,).
        estimate, lower, upper: nan where the status is not OK, and nowhere else  # (trial,).
    """

    method: str
    status: Codes
    estimate: Numbers
    lower: Numbers
    upper: Numbers

    def __post_init__(self) -> None:
        frozen(self.status)
        for column in (self.estimate, self.lower, self.upper):
            if not np.array_equal(np.isnan(column), ~self.is_ok):
                raise InvalidInput(f"{self.method}: numbers must stand in those trials that ended well, no others.")
            frozen(column)

    @property
    def is_ok(self) -> Flags:
        """Which trials have an answer  # (trial,)."""
        return np.asarray(self.status == CODE[Status.OK])

    @property
    def n_by_status(self) -> Mapping[Status, int]:
        """How many trials ended in which way."""
        return tally(self.status)


def difference_batch(tables: TableBatch, interval: Callable[[Table], ProportionDifference] = newcombe) -> ShareBatch:
    """The rate in arm a minus that in arm b.

    Args:
        interval: ``newcombe``, ``chan_zhang``, ``agresti_min``, or one of them with a level; the exact ones take some
            tens of milliseconds for each different table.
    """
    return _told(tables.status, each_table(tables, interval))


def rate_batch(
    tables: TableBatch, interval: Callable[[int, int], Proportion] = clopper_pearson
) -> tuple[ShareBatch, ShareBatch]:
    """The rates in arm a and in arm b.

    Args:
        interval: ``clopper_pearson``, ``blaker``, ``wilson``, or one of them with a level.
    """
    a = each_table(tables, lambda table: interval(table.events_a, table.n_a))
    b = each_table(tables, lambda table: interval(table.events_b, table.n_b))
    return _told(tables.status, a), _told(tables.status, b)


def _told(status: Codes, found: list[Proportion | None] | list[ProportionDifference | None]) -> ShareBatch:
    return ShareBatch(
        method=next((one.interval.method for one in found if one is not None), "none"),
        status=status,
        estimate=np.array([np.nan if one is None else one.estimate for one in found]),
        lower=np.array([np.nan if one is None else one.interval.lower for one in found]),
        upper=np.array([np.nan if one is None else one.interval.upper for one in found]),
    )
