"""On which day each value of an import was measured: the file's own, variable by variable.

Two tables may hold one visit on two days. Each variable keeps its own, and the visit took place on the first of them,
whatever the order in which the mapping reads the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.cohort.imported.account import Ledger
from sevenfold.cohort.imported.measurements import Grid
from sevenfold.protocol.protocol import Protocol

__all__ = ["Days", "measured_days"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Days since the first dose.

    Args:
        visit: the first day on which anything of the visit was measured, nan where nothing was  # (subject, visit).
        own: variable -> its own days, nan where it has no value; of variables that differ from ``visit`` somewhere.
        contact: the end of the last day on which anything was measured, 0 where nothing was  # (subject,).
    """

    visit: Floats
    own: Mapping[str, Floats]
    contact: Floats


def measured_days(grids: Mapping[str, Grid], n_subjects: int, protocol: Protocol, ledger: Ledger) -> Days:
    """Days of every variable; where the file does not say one, that of the visit's other values, else the plan's."""
    planned = np.array([visit.time_day for visit in protocol.schedule.visits])
    said = np.full((n_subjects, len(planned)), np.nan)
    for grid in grids.values():
        said = np.fmin(said, grid.day)
    own: dict[str, Floats] = {}
    visit = np.full_like(said, np.nan)
    contact = np.zeros(n_subjects)
    for name, grid in grids.items():
        is_there, is_unsaid = np.isfinite(grid.values), np.isfinite(grid.values) & ~np.isfinite(grid.day)
        day = np.where(is_unsaid, np.where(np.isfinite(said), said, planned), grid.day)
        own[name] = np.where(is_there, day, np.nan)
        if is_unsaid.any():
            label = protocol.known_variables[name].label
            ledger.notes[f"{label}: values whose day is not said stand on their visit's day, known or planned"] += int(
                is_unsaid.sum()
            )
        visit = np.fmin(visit, own[name])
        contact = np.maximum(contact, np.where(is_there, day + 1.0, 0.0).max(axis=1, initial=0.0))
    differs = {name for name, day in own.items() if (np.isfinite(day) & (day != visit)).any()}
    return Days(visit=visit, own={name: day for name, day in own.items() if name in differs}, contact=contact)
