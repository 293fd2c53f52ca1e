"""How a recorded dose arrives: when, how much of it, and how fast.

The share that arrives acts on the amount. Where the record or the model gives the rate of an infusion, a smaller share
makes it shorter; where the model gives the duration, a smaller share makes it slower.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.mechanism.records.table import Records

__all__ = ["Arrival", "arrivals"]

Floats = NDArray[np.float64]
_LEAST: Final = 1e-9  # of a rate or a duration: a positive number that can be divided by


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A dose as it enters the body.

    Args:
        place: the state it enters, by its number.
        source: the row of the infusion into that state.
        amount: what arrives; 0 for a constant infusion.
        rate: of an infusion, a day; 0 for a bolus.
        lag_day: from the record's time to the arrival.
        interval_day: to the next one like it.
        n_more: how many follow.
        steady: as in ``Records``.
        step: the step with which the solver starts afterwards.
    """

    place: int
    source: int
    amount: float
    rate: float
    lag_day: float
    interval_day: float
    n_more: int
    steady: int
    step: float

    @property
    def duration_day(self) -> float:
        """Of an infusion; 0 of a bolus."""
        return self.amount / self.rate if self.rate > 0.0 else 0.0

    @property
    def is_constant(self) -> bool:
        """Whether it is an infusion that has run since ever and ends now."""
        return self.steady > 0 and self.interval_day == 0.0


def arrivals(records: Records, values: Mapping[str, Floats]) -> dict[int, Arrival]:
    """How every dose of a table arrives, by row.

    Args:
        values: parameters by name, (subject,); a column of the table goes before them.

    Raises:
        InvalidInput: a lag or a share below 0, or a rate or duration that is not positive, by its row.
    """
    page = records.page
    states = [state.name for state in page.states]
    infused = list(dict.fromkeys(entry.state for entry in page.entries))
    found: dict[int, Arrival] = {}
    for row in np.flatnonzero(records.entry >= 0).tolist():
        entry = page.entries[records.entry[row]]

        def value(name: str | None, otherwise: float, least: float, row: int = row) -> float:
            if name is None:
                return otherwise
            column = records.given.get(name)
            is_own = column is not None and not np.isnan(column[row])
            number = float(column[row] if column is not None and is_own else values[name][records.subject[row]])
            if not number >= least:
                records.refuse(row, name, f"found {number:g}; give {'a positive number' if least else '0 or more'}")
            return number

        amount = float(records.amount[row]) * value(entry.fraction, 1.0, 0.0)
        rate = float(records.rate[row])
        if rate == -1.0:
            rate = value(entry.rate, 0.0, _LEAST)
        elif rate < 0.0:
            rate = amount / value(entry.duration, 0.0, _LEAST)
        found[row] = Arrival(
            place=states.index(entry.state),
            source=len(states) + infused.index(entry.state),
            amount=amount,
            rate=rate,
            lag_day=value(entry.lag, 0.0, 0.0),
            interval_day=float(records.interval_day[row]),
            n_more=int(records.n_more[row]),
            steady=int(records.steady[row]),
            step=entry.first_step_day,
        )
    return found
