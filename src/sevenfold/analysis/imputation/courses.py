"""What each patient's measurements were from visit to visit, where they are missing, and what happened before that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.column import Flags, Integers, Labels, Numbers, frozen, labels, numbers, positions
from sevenfold.errors import InvalidInput

__all__ = ["DROPOUT", "Courses", "courses_from_rows"]

DROPOUT: Final = "dropout"
"""The event of whoever was never seen again, where no other event is told."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Courses:
    """The courses of all patients over the same visits; what was known of them at baseline is complete.

    Args:
        response: nan where it was not observed  # (patient, visit).
        arm: of each patient  # (patient,).
        visits: names in order of time.
        covariates: numbers known at baseline, by name  # (patient,).
        factors: labels known at baseline, by name  # (patient,).
        event: the intercurrent event after which something else than missing at random may be assumed; empty where a
            patient had none  # (patient,).
        first_after: index of the first visit after the event; the number of visits where there was none  # (patient,).

    Raises:
        InvalidInput: columns that do not fit each other, or a covariate that is missing.
    """

    response: Numbers
    arm: Labels
    visits: tuple[str, ...]
    event: Labels
    first_after: Integers
    covariates: Mapping[str, Numbers] = field(default_factory=dict)
    factors: Mapping[str, Labels] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check and freeze the columns."""
        y = np.array(self.response, dtype=np.float64)
        n_visits = len(self.visits)
        if y.ndim != 2 or y.shape[1] != n_visits or not n_visits:
            raise InvalidInput(
                f"response has the shape {y.shape} for {n_visits} visits; give one row per patient, one column per "
                "visit, nan where nothing was observed."
            )
        if np.isinf(y).any():
            raise InvalidInput("response holds infinite values; give nan where nothing was observed.")
        n = len(y)
        set_ = object.__setattr__
        set_(self, "response", frozen(y))
        set_(self, "arm", labels("arm", self.arm, n))
        set_(self, "event", labels("event", self.event, n))
        first = np.array(self.first_after)
        if first.shape != (n,) or first.dtype.kind not in "iu" or ((first < 0) | (first > n_visits)).any():
            raise InvalidInput(f"first_after must be one whole number in 0..{n_visits} per patient.")
        if ((first < n_visits) & (self.event == "")).any():
            raise InvalidInput(
                f"Patients {positions((first < n_visits) & (self.event == ''))} have visits after an event but no "
                "event; name it, or set first_after to the number of visits."
            )
        set_(self, "first_after", frozen(first.astype(np.int64)))
        covariates = {name: numbers(name, column, n) for name, column in self.covariates.items()}
        set_(self, "covariates", MappingProxyType(covariates))
        factors = {name: labels(name, column, n) for name, column in self.factors.items()}
        for name, column in factors.items():
            if (column == "").any():
                raise InvalidInput(
                    f"{name} is empty for patients {positions(column == '')}; a factor known at baseline is complete."
                )
        set_(self, "factors", MappingProxyType(factors))

    @property
    def n_patients(self) -> int:
        """Patients, with or without any measurement."""
        return len(self.response)

    @property
    def is_seen(self) -> Flags:
        """Where there is a measurement  # (patient, visit)."""
        return ~np.isnan(self.response)

    @property
    def is_after(self) -> Flags:
        """Which visits come after the patient's event  # (patient, visit)."""
        return np.asarray(np.arange(len(self.visits)) >= self.first_after[:, None], dtype=np.bool_)

    def taken(self, patients: Integers) -> "Courses":
        """The courses of these patients, in this order; a patient may be taken more than once."""
        return Courses(
            response=self.response[patients],
            arm=self.arm[patients],
            visits=self.visits,
            event=self.event[patients],
            first_after=self.first_after[patients],
            covariates={name: column[patients] for name, column in self.covariates.items()},
            factors={name: column[patients] for name, column in self.factors.items()},
        )


def courses_from_rows(
    response: ArrayLike,
    *,
    subject: ArrayLike,
    arm: ArrayLike,
    visit: ArrayLike,
    visits: Sequence[str],
    covariates: Mapping[str, ArrayLike] = MappingProxyType({}),
    factors: Mapping[str, ArrayLike] = MappingProxyType({}),
) -> Courses:
    """Courses from one row per patient and visit; rows of missed visits may be absent, or hold nan.

    Patients stand in the order of their labels. Whoever was not seen at the last visit has the event ``DROPOUT`` after
    the last visit at which they were; visits missed before that are gaps.

    Args:
        subject: label of each row's patient  # (row,).
        visit: label of each row's visit, one of ``visits``  # (row,).
        covariates: by name, the same in all rows of a patient  # (row,).

    Raises:
        InvalidInput: two rows for one visit of a patient, or something known at baseline that differs between rows.
    """
    y = numbers("response", response, missing=True)
    n_rows, names = len(y), tuple(visits)
    who, at = labels("subject", subject, n_rows), labels("visit", visit, n_rows)
    unknown = sorted(set(np.unique(at).tolist()) - set(names))
    if unknown or len(set(names)) != len(names):
        raise InvalidInput(f"Some rows are of visits {unknown}; the visits, each once, are {names}.")
    patients, first_row, patient = np.unique(who, return_index=True, return_inverse=True)
    place = np.array([names.index(one) for one in at.tolist()], dtype=np.int64)
    cell = patient * len(names) + place
    if np.unique(cell).size < n_rows:
        twice = np.flatnonzero(np.bincount(cell) > 1)[0]
        raise InvalidInput(
            f'Patient "{patients[twice // len(names)]}" has two rows at visit "{names[twice % len(names)]}"; keep one.'
        )

    def constant(name: str, column: Labels | Numbers) -> None:
        differs = column != column[first_row][patient]
        if differs.any():
            raise InvalidInput(f"{name} differs between rows of one patient (row {positions(differs)}).")

    arm_of = labels("arm", arm, n_rows)
    known = {name: numbers(name, column, n_rows) for name, column in covariates.items()}
    grouped = {name: labels(name, column, n_rows) for name, column in factors.items()}
    constant("arm", arm_of)
    for name, number in known.items():
        constant(name, number)
    for name, label in grouped.items():
        constant(name, label)
    grid = np.full((patients.size, len(names)), np.nan)
    grid[patient, place] = y
    is_seen = ~np.isnan(grid)
    first_after = np.where(is_seen.any(axis=1), len(names) - np.argmax(is_seen[:, ::-1], axis=1), 0)
    return Courses(
        response=grid,
        arm=arm_of[first_row],
        visits=names,
        event=np.where(first_after < len(names), DROPOUT, ""),
        first_after=first_after.astype(np.int64),
        covariates={name: column[first_row] for name, column in known.items()},
        factors={name: column[first_row] for name, column in grouped.items()},
    )
