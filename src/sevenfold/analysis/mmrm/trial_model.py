"""The usual model of a trial with repeated measures, arm by visit and covariates, and rows for its questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.mmrm.arrays import Array, Flags, Index
from sevenfold.analysis.mmrm.longitudinal import Longitudinal, without_missing
from sevenfold.errors import InvalidDesign, InvalidInput

__all__ = ["Covariate", "Factor", "Margins", "TrialModel", "trial_model"]


class Margins(Enum):
    """Which mixture of a factor's levels a least-squares mean is for."""

    OBSERVED = "as observed"
    EQUAL = "equal weights"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covariate:
    """A number known of each measurement's patient, such as the value at baseline.

    Args:
        values: one per measurement, nan where missing  # (observation,).
        is_by_visit: whether its effect differs between visits.
    """

    name: str
    values: ArrayLike
    is_by_visit: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factor:
    """A grouping of patients, such as the stratum of randomisation.

    Args:
        values: index into ``levels``, one per measurement, -1 where missing  # (observation,).
        levels: the first is the reference.
        is_by_visit: whether its effect differs between visits.
    """

    name: str
    values: ArrayLike
    levels: tuple[str, ...]
    is_by_visit: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialModel:
    """Data with the design arm × visit + covariates, in reference coding, and rows of contrasts for it.

    Args:
        data: what to fit; its groups are the arms.
        arms: the first is the reference of the coding.
        typical: covariate columns at their margins  # (covariate column,).
        is_by_visit: which of them also have columns by visit  # (covariate column,).
    """

    data: Longitudinal
    arms: tuple[str, ...]
    margins: Margins
    typical: Array
    is_by_visit: Flags

    def mean(self, arm: str, visit: str | None = None) -> Array:
        """The row of an arm's least-squares mean at a visit, or averaged over all visits with equal weights.

        Numeric covariates stand at their mean over the measurements used, factors at their ``margins``.

        Args:
            visit: None for the average over visits.
        """
        arm_index = _place(arm, self.arms, "arm")
        visits = self.data.visits
        places = range(len(visits)) if visit is None else [_place(visit, visits, "visit")]
        rows = np.stack([self._row(arm_index, place) for place in places])
        return np.asarray(rows.mean(axis=0), dtype=np.float64)

    def difference(self, arm: str, reference: str, visit: str | None = None) -> Array:
        """The row of the difference between two arms' means at a visit, or averaged over all visits."""
        return np.asarray(self.mean(arm, visit) - self.mean(reference, visit), dtype=np.float64)

    def _row(self, arm: int, visit: int) -> Array:
        shape = (len(self.arms), len(self.data.visits))
        design = _design(np.array([arm]), np.array([visit]), shape, self.typical[None], self.is_by_visit)
        return np.asarray(design[0], dtype=np.float64)


def trial_model(
    response: ArrayLike,
    *,
    subject: ArrayLike,
    arm: ArrayLike,
    visit: ArrayLike,
    arms: Sequence[str],
    visits: Sequence[str],
    covariates: Sequence[Covariate | Factor] = (),
    times_day: Sequence[float] | None = None,
    margins: Margins = Margins.OBSERVED,
) -> TrialModel:
    """The usual model from arrays; rows with a missing response or covariate are left out and counted.

    Columns: intercept, visits, arms, arm by visit, covariates, covariates by visit; the first arm, visit and level are
    the references.

    Args:
        response: nan where missing  # (observation,).
        subject: which patient, any whole numbers  # (observation,).
        arm: index into ``arms``  # (observation,).
        visit: index into ``visits``, which are in order of time  # (observation,).

    Raises:
        InvalidInput: arrays that do not fit each other.
        InvalidDesign: fewer than two arms, or columns that others determine.
    """
    if len(arms) < 2:
        raise InvalidDesign(f"A trial has at least two arms, got {tuple(arms)}.")
    arm_index, visit_index = _whole(arm, arms, "arm"), _whole(visit, visits, "visit")
    parts = [_columns(one, arm_index.size) for one in covariates]
    values = np.concatenate([np.empty((arm_index.size, 0)), *(part for part, _ in parts)], axis=1)
    names = [name for _, own in parts for name in own]
    is_by_visit = np.array(
        [one.is_by_visit for one, (_, own) in zip(covariates, parts, strict=True) for _ in own], dtype=bool
    )
    data = without_missing(
        response,
        _design(arm_index, visit_index, (len(arms), len(visits)), values, is_by_visit),
        columns=_names(arms, visits, names, is_by_visit),
        subject=subject,
        visit=visit_index,
        visits=visits,
        times_day=times_day,
        group=arm_index,
        groups=arms,
    )
    n_before = len(arms) * len(visits)
    typical = data.design[:, n_before : n_before + values.shape[1]].mean(axis=0)
    if margins is Margins.EQUAL:
        shares = np.concatenate(
            [np.empty(0), *(_equal_shares(one, own) for one, own in zip(covariates, parts, strict=True))]
        )
        typical = np.where(np.isnan(shares), typical, shares)
    return TrialModel(data=data, arms=tuple(arms), margins=margins, typical=typical, is_by_visit=is_by_visit)


def _design(
    arm: Index,
    visit: Index,
    shape: tuple[int, int],  # arms, visits
    covariates: Array,
    is_by_visit: Flags,
) -> Array:
    in_arm = np.eye(shape[0])[arm][:, 1:]
    at_visit = np.eye(shape[1])[visit][:, 1:]
    return np.concatenate(
        [
            np.ones((arm.size, 1)),
            at_visit,
            in_arm,
            (in_arm[:, :, None] * at_visit[:, None, :]).reshape(arm.size, -1),
            covariates,
            (covariates[:, is_by_visit, None] * at_visit[:, None, :]).reshape(arm.size, -1),
        ],
        axis=1,
    )


def _names(
    arms: Sequence[str], visits: Sequence[str], covariates: Sequence[str], is_by_visit: Flags
) -> tuple[str, ...]:
    crossed = [name for name, is_crossed in zip(covariates, is_by_visit, strict=True) if is_crossed]
    by_visit = [f"{name} × {visit}" for name in (*arms[1:], *crossed) for visit in visits[1:]]
    n_arm_by_visit = (len(arms) - 1) * (len(visits) - 1)
    return (
        "intercept",
        *visits[1:],
        *arms[1:],
        *by_visit[:n_arm_by_visit],
        *covariates,
        *by_visit[n_arm_by_visit:],
    )


def _columns(one: Covariate | Factor, n: int) -> tuple[Array, list[str]]:
    if isinstance(one, Covariate):
        values = np.asarray(one.values, dtype=np.float64)
        if values.shape != (n,):
            raise InvalidInput(f"Covariate {one.name!r} has the shape {values.shape} where {(n,)} was expected.")
        return values[:, None], [one.name]
    codes = _whole(one.values, one.levels, f"factor {one.name!r}", missing=-1)
    if codes.shape != (n,):
        raise InvalidInput(f"Factor {one.name!r} has the shape {codes.shape} where {(n,)} was expected.")
    columns = np.eye(len(one.levels))[codes][:, 1:]
    columns[codes < 0] = np.nan
    return columns, [f"{one.name} {level}" for level in one.levels[1:]]


def _equal_shares(one: Covariate | Factor, part: tuple[Array, list[str]]) -> Array:
    """Where the columns of a factor stand with equal weights; nan for numbers, which stand at their mean."""
    n_columns = len(part[1])
    return np.full(n_columns, 1.0 / (n_columns + 1) if isinstance(one, Factor) else np.nan)


def _whole(values: ArrayLike, names: Sequence[str], kind: str, *, missing: int = 0) -> Index:
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.integer) or np.any((array < missing) | (array >= len(names))):
        raise InvalidInput(f"{kind} must index its {len(names)} names {tuple(names)} with whole numbers from 0.")
    return array.astype(np.intp)


def _place(name: str, names: tuple[str, ...], kind: str) -> int:
    if name not in names:
        raise InvalidInput(f"There is no {kind} {name!r}; there are {', '.join(map(repr, names))}.")
    return names.index(name)
