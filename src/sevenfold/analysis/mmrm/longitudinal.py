"""Repeated measurements of patients as arrays, checked once, ready for any analysis of repeated measures."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.mmrm.arrays import Array, Index
from sevenfold.errors import InvalidDesign, InvalidInput

__all__ = ["LeftOut", "Longitudinal", "without_missing"]


RANK_TOLERANCE = 1e-9
"""A column whose part outside the span of the columns before it is shorter than this share of it counts as aliased
(the square root of double precision, with room for the scale of the columns)."""


@final
@dataclass(frozen=True, slots=True)
class LeftOut:
    """Measurements that could not be used, and why."""

    reason: str
    n_observations: int


@final
@dataclass(frozen=True, slots=True, eq=False)
class Longitudinal:
    """Measurements of patients at visits with their design matrix: one row per measurement that was made.

    Args:
        response: the measurement y  # (observation,).
        design: the design matrix X, of full column rank  # (observation, column).
        columns: names of the design's columns.
        subject: which patient, any whole numbers  # (observation,).
        visit: which visit, an index into ``visits``  # (observation,).
        visits: names of the visits in order of time; each must have been seen at least once.
        times_day: planned time of each visit, for structures that use it; otherwise visits count as equally spaced.
        group: which group, an index into ``groups``, the same in all rows of a patient  # (observation,).
        groups: names of the groups whose covariances may differ.
        left_out: measurements not used, by reason, for the report.
        n_patients_left_out: patients of whom no measurement could be used.

    Raises:
        InvalidInput: shapes, numbers or indices that cannot be.
        InvalidDesign: columns that others already determine.
    """

    response: Array
    design: Array
    _: KW_ONLY
    columns: tuple[str, ...]
    subject: Index
    visit: Index
    visits: tuple[str, ...]
    times_day: tuple[float, ...] | None = None
    group: Index | None = None
    groups: tuple[str, ...] = ("all",)
    left_out: tuple[LeftOut, ...] = ()
    n_patients_left_out: int = 0

    def __post_init__(self) -> None:
        """Copy, freeze and check."""
        n = len(self.response)
        object.__setattr__(self, "response", _numbers(self.response, "response", (n,)))
        object.__setattr__(self, "design", _numbers(self.design, "design", (n, len(self.columns))))
        object.__setattr__(self, "subject", np.unique(_indices(self.subject, "subject", n), return_inverse=True)[1])
        object.__setattr__(self, "visit", _indices(self.visit, "visit", n))
        group = np.zeros(n, dtype=np.intp) if self.group is None else _indices(self.group, "group", n)
        object.__setattr__(self, "group", group)
        self.subject.setflags(write=False)
        if n == 0:
            raise InvalidInput("There is no measurement to analyse; were all of them left out?")
        _all_seen(self.visit, self.visits, "visit")
        _all_seen(group, self.groups, "group")
        if self.times_day is not None and len(self.times_day) != len(self.visits):
            raise InvalidInput(
                f"times_day has {len(self.times_day)} values for {len(self.visits)} visits; give one each."
            )
        if self.times_day is not None and not np.all(np.isfinite(self.times_day)):
            raise InvalidInput(f"times_day must be finite, got {self.times_day}.")
        self._check_patients(group)
        aliased = _aliased(self.design, self.columns)
        if aliased:
            raise InvalidDesign(
                f"The design's columns {', '.join(map(repr, aliased))} are combinations of those before them; "
                "leave them out, or merge the levels that no patient has."
            )

    def _check_patients(self, group: Index) -> None:
        cell = self.subject * len(self.visits) + self.visit
        found, n_found = np.unique(cell, return_counts=True)
        if np.any(n_found > 1):
            row = int(np.flatnonzero(cell == found[n_found > 1][0])[1])
            raise InvalidInput(
                f"Row {row} is a second measurement of its patient at visit {self.visits[self.visit[row]]!r}; "
                "keep one row per patient and visit."
            )
        lowest = np.full(self.n_patients, len(self.groups), dtype=np.intp)
        highest = np.zeros(self.n_patients, dtype=np.intp)
        np.minimum.at(lowest, self.subject, group)
        np.maximum.at(highest, self.subject, group)
        if np.any(lowest != highest):
            row = int(np.flatnonzero((lowest != highest)[self.subject])[0])
            raise InvalidInput(f"The patient in row {row} belongs to more than one group; a patient has one.")

    @property
    def n_observations(self) -> int:
        """Measurements used."""
        return self.response.size

    @property
    def n_patients(self) -> int:
        """Patients with at least one measurement used."""
        return int(self.subject.max()) + 1

    @property
    def positions(self) -> Array:
        """The visits' times in days, or 0, 1, 2, … where none were given  # (visit,)."""
        return np.arange(len(self.visits), dtype=np.float64) if self.times_day is None else np.array(self.times_day)

    @property
    def group_of(self) -> Index:
        """The group of each observation, 0 where there are no groups  # (observation,)."""
        return np.zeros(self.n_observations, dtype=np.intp) if self.group is None else self.group


def without_missing(
    response: ArrayLike,
    design: ArrayLike,
    *,
    columns: Sequence[str],
    subject: ArrayLike,
    visit: ArrayLike,
    visits: Sequence[str],
    times_day: Sequence[float] | None = None,
    group: ArrayLike | None = None,
    groups: Sequence[str] = ("all",),
) -> Longitudinal:
    """Measurements with the rows left out, and counted, whose response or a design column is missing (not a number).

    Args:
        response, design, columns, subject, visit, visits, times_day, group, groups: as in ``Longitudinal``, with nan
            for what is missing.
    """
    y = np.asarray(response, dtype=np.float64)
    x = np.asarray(design, dtype=np.float64)
    patient = np.asarray(subject)
    no_response = np.isnan(y)
    no_covariate = ~no_response & np.isnan(x).any(axis=1)
    used = ~(no_response | no_covariate)
    reasons = (("response missing", no_response), ("covariate missing", no_covariate))
    return Longitudinal(
        y[used],
        x[used],
        columns=tuple(columns),
        subject=patient[used],
        visit=np.asarray(visit)[used],
        visits=tuple(visits),
        times_day=None if times_day is None else tuple(times_day),
        group=None if group is None else np.asarray(group)[used],
        groups=tuple(groups),
        left_out=tuple(LeftOut(reason, int(rows.sum())) for reason, rows in reasons if rows.any()),
        n_patients_left_out=np.unique(patient).size - np.unique(patient[used]).size,
    )


def _numbers(values: Array, name: str, shape: tuple[int, ...]) -> Array:
    array = np.array(values, dtype=np.float64)
    if array.shape != shape:
        raise InvalidInput(f"{name} has the shape {array.shape} where {shape} was expected.")
    if not np.all(np.isfinite(array)):
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise InvalidInput(
            f"{name} holds a number that is not finite in row {row}; leave the row out (without_missing counts it)."
        )
    array.setflags(write=False)
    return array


def _indices(values: Index, name: str, n: int) -> Index:
    array = np.array(values)
    if array.shape != (n,):
        raise InvalidInput(f"{name} has the shape {array.shape} where {(n,)} was expected.")
    if n and not np.issubdtype(array.dtype, np.integer):
        raise InvalidInput(f"{name} must hold whole numbers, got {array.dtype}.")
    array = array.astype(np.intp)
    array.setflags(write=False)
    return array


def _all_seen(index: Index, names: tuple[str, ...], kind: str) -> None:
    if index.min() < 0 or index.max() >= len(names):
        raise InvalidInput(f"{kind} must index its {len(names)} names, got {index.min()} to {index.max()}.")
    unseen = np.setdiff1d(np.arange(len(names)), index)
    if unseen.size:
        raise InvalidInput(
            f"No measurement belongs to {kind} {', '.join(repr(names[i]) for i in unseen)}; leave it out of the names."
        )


def _aliased(design: Array, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that lie in the span of those before them, found one after another by orthogonal projection."""
    length = np.linalg.norm(design, axis=0)
    n_rows, n_columns = design.shape
    kept = np.empty((n_rows, min(n_rows, n_columns)))
    n_kept = 0
    aliased = []
    for j, name in enumerate(columns):
        part = design[:, j] / length[j] if length[j] > 0.0 else design[:, j]
        for _ in range(2):  # twice is enough for orthogonality to machine precision
            part = part - kept[:, :n_kept] @ (kept[:, :n_kept].T @ part)
        size = float(np.linalg.norm(part))
        if size <= RANK_TOLERANCE:
            aliased.append(name)
        else:
            kept[:, n_kept] = part / size
            n_kept += 1
    return tuple(aliased)
