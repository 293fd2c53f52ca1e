"""Measurements arranged by patient and visit, patients of the same missingness pattern side by side."""

from dataclasses import dataclass
from typing import final

import numpy as np

from sevenfold.analysis.mmrm.arrays import Array, Flags, Index
from sevenfold.analysis.mmrm.longitudinal import Longitudinal

__all__ = ["DETERMINED", "Panel", "arrange"]


DETERMINED = 1e-9
"""A measurement that keeps a smaller share of its variance than this after the fit is fitted exactly."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A full grid of patients and visits, zero where nothing was measured, sorted by group, then pattern.

    A pattern is a group together with the visits seen. Because rows not seen are zero, sums over a patient's visits may
    run over the whole grid. The design is made orthonormal once, X = Q·R, and the response freed of its least-squares
    fit, so that badly scaled covariates and a large mean cost no digits: β = R⁻¹·(Q'y + γ), with γ fitted to the rest.

    Args:
        response: y - Q·Q'y, zero where not seen  # (patient, visit).
        design: Q, zero where not seen  # (patient, visit, column).
        pattern_of: pattern of each patient  # (patient,).
        first: first patient of each pattern  # (pattern,).
        n_in: patients in each pattern  # (pattern,).
        seen: which visits each pattern has  # (pattern, visit).
        group_of: group of each pattern  # (pattern,).
        least_squares: Q'y  # (column,).
        to_columns: R⁻¹, from the orthonormal basis to the design's columns  # (column, column).
        log_det: log det(R'R), what the basis took out of log det(X'V⁻¹X).
    """

    response: Array
    design: Array
    pattern_of: Index
    first: Index
    n_in: Array
    seen: Flags
    group_of: Index
    least_squares: Array
    to_columns: Array
    log_det: float

    @property
    def n_observations(self) -> int:
        """Measurements on the grid."""
        return int(self.n_in @ self.seen.sum(axis=1))

    @property
    def n_groups(self) -> int:
        """Groups with a covariance of their own."""
        return int(self.group_of[-1]) + 1

    def blocks(self, group: int) -> tuple[slice, slice]:
        """Where a group's patterns and where its patients stand."""
        patterns = np.flatnonzero(self.group_of == group)
        begin, end = int(patterns[0]), int(patterns[-1]) + 1
        last = int(self.first[end]) if end < self.first.size else self.pattern_of.size
        return slice(begin, end), slice(int(self.first[begin]), last)

    def together(self, group: int) -> Flags:
        """Which pairs of visits some patient of the group tells of: seen at both, and at neither fitted exactly.

        A measurement that the design's columns span (leverage 1) has no residual, whatever Σ is  # (visit, visit).
        """
        patients = self.blocks(group)[1]
        is_free = (self.design[patients] ** 2).sum(axis=2) < 1.0 - DETERMINED
        told = (self.seen[self.pattern_of[patients]] & is_free).astype(np.intp)
        return np.asarray(told.T @ told > 0, dtype=np.bool_)


def arrange(data: Longitudinal, *, is_by_group: bool) -> Panel:
    """The data as a panel; ``is_by_group`` keeps the groups' patterns apart."""
    n_patients, n_visits = data.n_patients, len(data.visits)
    basis, triangle = np.linalg.qr(data.design)
    seen = np.zeros((n_patients, n_visits + 1), dtype=np.intp)
    seen[data.subject, data.visit + 1] = 1
    if is_by_group:
        seen[data.subject, 0] = data.group_of
    patterns, pattern_of, n_in = np.unique(seen, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(pattern_of, kind="stable")
    place = np.empty(n_patients, dtype=np.intp)
    place[order] = np.arange(n_patients)
    response = np.zeros((n_patients, n_visits))
    design = np.zeros((n_patients, n_visits, data.design.shape[1]))
    least_squares = basis.T @ data.response
    response[place[data.subject], data.visit] = data.response - basis @ least_squares
    design[place[data.subject], data.visit] = basis
    return Panel(
        response=response,
        design=design,
        pattern_of=pattern_of[order],
        first=np.concatenate([[0], np.cumsum(n_in)[:-1]]),
        n_in=n_in.astype(np.float64),
        seen=patterns[:, 1:] == 1,
        group_of=patterns[:, 0],
        least_squares=least_squares,
        to_columns=np.linalg.inv(triangle),
        log_det=2.0 * float(np.log(np.abs(np.diagonal(triangle))).sum()),
    )
