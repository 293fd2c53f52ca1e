"""Counts of events in two arms of many trials, and any analysis of such a table done once for each that occurs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar, final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.batch.columns import by_trial, codes_by_trial
from sevenfold.analysis.batch.ending import CODE, Codes
from sevenfold.analysis.column import Integers, frozen
from sevenfold.analysis.effect import Status
from sevenfold.analysis.two_binomials import Table
from sevenfold.errors import InvalidInput

__all__ = ["MissingResponse", "TableBatch", "counted", "each_table"]

T = TypeVar("T")


class MissingResponse(Enum):
    """What somebody without a response counts as; death that is part of the endpoint is a response of 0."""

    LEFT_OUT = "left out"
    NO_RESPONSE = "no response"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableBatch:
    """Patients with an event in two arms of every trial; effects are a minus b. An arm may be empty."""

    events_a: Integers  # (trial,)
    n_a: Integers  # (trial,)
    events_b: Integers  # (trial,)
    n_b: Integers  # (trial,)

    def __post_init__(self) -> None:
        for arm, events, n in (("a", self.events_a, self.n_a), ("b", self.events_b, self.n_b)):
            if events.shape != (self.n_trials,) or n.shape != (self.n_trials,):
                raise InvalidInput("The counts of a batch of tables have different lengths; give one per trial.")
            if ((events < 0) | (events > n)).any():
                raise InvalidInput(f"events_{arm} must lie between 0 and n_{arm} in every trial.")
            frozen(events)
            frozen(n)

    @property
    def n_trials(self) -> int:
        """Trials."""
        return len(self.events_a)

    @property
    def status(self) -> Codes:
        """Not estimable where an arm is empty  # (trial,)."""
        is_empty = (self.n_a == 0) | (self.n_b == 0)
        return np.where(is_empty, CODE[Status.NOT_ESTIMABLE], CODE[Status.OK]).astype(np.int8)

    def of(self, trial: int) -> Table:
        """One trial's table."""
        return Table(
            events_a=int(self.events_a[trial]),
            n_a=int(self.n_a[trial]),
            events_b=int(self.events_b[trial]),
            n_b=int(self.n_b[trial]),
        )


def counted(response: ArrayLike, arm: ArrayLike, missing: MissingResponse = MissingResponse.LEFT_OUT) -> TableBatch:
    """Responders of every trial, without imputation.

    Args:
        response: 1 for a response, 0 for none, nan where it is not known  # (trial, subject).
        arm: 0 for arm b (control), 1 for arm a, -1 where a trial has fewer subjects than others  # (trial, subject).
    """
    found = by_trial("response", response)
    arm_of = codes_by_trial("arm", arm, found.shape, below=2)
    is_known = ~np.isnan(found)
    if not np.isin(found[is_known], (0.0, 1.0)).all():
        raise InvalidInput("response must hold only 0, 1 and nan.")
    if missing is MissingResponse.NO_RESPONSE:
        found, is_known = np.where(is_known, found, 0.0), np.ones_like(is_known)
    counts = {}
    for name, place in (("a", 1), ("b", 0)):
        inside = is_known & (arm_of == place)
        counts[f"n_{name}"] = inside.sum(axis=1)
        counts[f"events_{name}"] = (inside & (found == 1.0)).sum(axis=1)
    return TableBatch(**counts)


def each_table(tables: TableBatch, analyse: Callable[[Table], T]) -> list[T | None]:
    """The analysis of every trial's table, done once for each that occurs; None where an arm is empty.

    Small trials have few tables: two arms of 13 and 14 have 210.
    """
    columns = np.stack([tables.events_a, tables.n_a, tables.events_b, tables.n_b], axis=1)
    distinct, which = np.unique(columns, axis=0, return_inverse=True)
    answers = [
        analyse(Table(events_a=int(row[0]), n_a=int(row[1]), events_b=int(row[2]), n_b=int(row[3])))
        if row[1] > 0 and row[3] > 0
        else None
        for row in distinct
    ]
    return [answers[place] for place in which.ravel()]
