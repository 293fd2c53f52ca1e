"""From records to what was seen: every record of the table with the model's outputs at its time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sevenfold.mechanism.records.arrival import arrivals
from sevenfold.mechanism.records.calendar import tabulate
from sevenfold.mechanism.records.steady_state import SteadyStatus, refuse_unsteady, steady_states
from sevenfold.mechanism.records.table import Event, Records
from sevenfold.mechanism.records.timeline import calendar_of
from sevenfold.mechanism.solve import TOLERANCE, SolverStatus, begin, follow

__all__ = ["Followed", "follow_records"]

Floats = NDArray[np.float64]
_FINE: Final = (SolverStatus.OK.name, SteadyStatus.REACHED.name, SteadyStatus.EXTRAPOLATED.name)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What was seen.

    Args:
        records: the table.
        seen: output name -> (row,) its value at the record, after the doses that stand above it; NaN after a failure.
        status: (row,) how the integration ended from the last reset to the next.
        steady: (row,) of the steady state that the record asked for; None where it asked for none.
    """

    records: Records
    seen: Mapping[str, Floats]
    status: tuple[SolverStatus, ...]
    steady: tuple[SteadyStatus | None, ...]

    @property
    def failures(self) -> dict[str, int]:
        """How many records failed, by what happened: empty if none did."""
        names = [*(code.name for code in self.status), *(code.name for code in self.steady if code is not None)]
        return {name: names.count(name) for name in dict.fromkeys(names) if name not in _FINE}

    def frame(self) -> pl.DataFrame:
        """The table as it was given, with a column for every output and one for the status."""
        status = [
            (steady.name if steady is not None and steady.name not in _FINE else code.name)
            for code, steady in zip(self.status, self.steady, strict=True)
        ]
        columns = [pl.Series(name, values) for name, values in self.seen.items()]
        return self.records.frame.with_columns(*columns, pl.Series("status", status))


def follow_records(
    records: Records,
    parameters: Mapping[str, Floats | float] | None = None,
    *,
    tolerance: float = TOLERANCE,
    threads: int = 1,
) -> Followed:
    """Give every subject of a table what its records say.

    Args:
        parameters: that differ from the typical patient's: a number, or (subject,) in the order of
            ``records.subjects``.
        tolerance: of the solver, relative.

    Raises:
        InvalidInput: a dose's lag, share, rate or duration out of its range, by row; or a steady state of a model
            that has none.
    """
    patients = begin(records.page, parameters or {}, len(records.subjects))
    doses = arrivals(records, patients.values)
    asking = [row for row, dose in doses.items() if dose.steady]
    if asking:
        refuse_unsteady(records.page, is_added=any(doses[row].steady == 2 for row in asking))
    found = steady_states(patients.take(records.subject[asking]), [doses[row] for row in asking]) if asking else None
    steady = dict(zip(asking, found.states, strict=True)) if found else {}
    runs = _between_resets(records)
    starts = np.array([rows[0] for rows in runs])
    days = [[float(records.time_day[row]) for row in rows] for rows in runs]
    stops = tabulate([calendar_of(rows, day, doses, steady) for rows, day in zip(runs, days, strict=True)])
    everyone = replace(patients.take(records.subject[starts]), time_day=records.time_day[starts])
    after = follow(everyone, stops, [len(rows) for rows in runs], tolerance=tolerance, threads=threads)
    by_row = dict(zip(asking, found.status, strict=True)) if found else {}
    return Followed(
        records=records,
        seen={name: np.concatenate(values) for name, values in after.seen.items()},
        status=tuple(code for code, rows in zip(after.status, runs, strict=True) for _ in rows),
        steady=tuple(by_row.get(row) for row in range(len(records))),
    )


def _between_resets(records: Records) -> list[range]:
    """Rows of one subject from one reset to the next: nothing that happened before a reset matters after it."""
    is_new = np.diff(records.subject, prepend=-1) != 0
    is_reset = np.isin(records.event, (Event.RESET, Event.RESET_AND_DOSE))
    begins = np.flatnonzero(is_new | is_reset).tolist()
    return [range(first, last) for first, last in zip(begins, [*begins[1:], len(records)], strict=True)]
