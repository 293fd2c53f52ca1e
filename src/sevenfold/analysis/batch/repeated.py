"""Repeated measurements of many trials as arrays with a leading trial axis, and the usual model to lay over each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.analysis.column import Flags, Integers, Numbers, frozen
from sevenfold.analysis.mmrm import Covariate, Factor, TrialModel, trial_model
from sevenfold.errors import InvalidDesign, InvalidInput

__all__ = ["RepeatedTrials"]

NOBODY = -1  # the arm of a place that no patient has


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RepeatedTrials:
    """Patients of many trials measured over the same visits; the model of each is that of ``trial_model``.

    Args:
        response: nan where missing: missed, withdrawn or dead  # (trial, subject, visit).
        arm: index into ``arms``, -1 where a trial has fewer subjects than others  # (trial, subject).
        arms: the first is the reference of the coding.
        covariates: as in ``trial_model``, with values by trial and subject.
    """

    response: NDArray[np.float64]
    arm: Integers
    arms: tuple[str, ...]
    visits: tuple[str, ...]
    covariates: tuple[Covariate | Factor, ...] = ()
    times_day: tuple[float, ...] | None = None

    @classmethod
    def of(
        cls,
        response: ArrayLike,
        *,
        arm: ArrayLike,
        arms: Sequence[str],
        visits: Sequence[str],
        covariates: Sequence[Covariate | Factor] = (),
        times_day: Sequence[float] | None = None,
    ) -> "RepeatedTrials":
        """Checked arrays.

        Raises:
            InvalidInput: shapes, indices or numbers that cannot be.
            InvalidDesign: fewer than two arms.
        """
        y = np.ascontiguousarray(response, dtype=np.float64)
        arm_of = np.asarray(arm)
        if y.ndim != 3 or y.shape[2] != len(visits):
            raise InvalidInput(f"response has the shape {y.shape}; give (trial, subject, {len(visits)} visits).")
        if arm_of.shape != y.shape[:2]:
            raise InvalidInput(f"arm has the shape {arm_of.shape} where (trial, subject) = {y.shape[:2]} was expected.")
        if len(arms) < 2:
            raise InvalidDesign(f"A trial has at least two arms, got {tuple(arms)}.")
        if arm_of.dtype.kind not in "iu" or ((arm_of < NOBODY) | (arm_of >= len(arms))).any():
            raise InvalidInput(f"arm must index {tuple(arms)} with whole numbers, -1 where there is no subject.")
        if np.isinf(y).any():
            raise InvalidInput("response holds infinite values; what is missing is nan.")
        for one in covariates:
            values = np.asarray(one.values)
            if values.shape != y.shape[:2]:
                raise InvalidInput(
                    f"Covariate {one.name!r} has the shape {values.shape} where {y.shape[:2]} was expected."
                )
            if isinstance(one, Factor) and (
                values.dtype.kind not in "iu" or ((values < -1) | (values >= len(one.levels))).any()
            ):
                raise InvalidInput(f"Factor {one.name!r} must index its levels {one.levels}, -1 where missing.")
            if isinstance(one, Covariate) and np.isinf(values.astype(np.float64)).any():
                raise InvalidInput(f"Covariate {one.name!r} holds infinite values; what is missing is nan.")
        return cls(
            response=y,
            arm=frozen(np.ascontiguousarray(arm_of, dtype=np.int64)),
            arms=tuple(arms),
            visits=tuple(visits),
            covariates=tuple(covariates),
            times_day=None if times_day is None else tuple(times_day),
        )

    @property
    def n_trials(self) -> int:
        """Trials."""
        return len(self.response)

    @property
    def n_columns(self) -> int:
        """Columns of each trial's design."""
        is_by_visit = self.by_subject()[1]
        return len(self.arms) * len(self.visits) + is_by_visit.size + int(is_by_visit.sum()) * (len(self.visits) - 1)

    def by_subject(self) -> tuple[NDArray[np.float64], Flags]:
        """Covariates and indicators of factors (trial, subject, column), and which of them have columns by visit."""
        columns, is_by_visit = [np.empty((*self.arm.shape, 0))], []
        for one in self.covariates:
            values = np.asarray(one.values)
            if isinstance(one, Factor):
                part = np.eye(len(one.levels))[values][..., 1:]
                part[values < 0] = np.nan
            else:
                part = values.astype(np.float64)[..., None]
            columns.append(part)
            is_by_visit += [one.is_by_visit] * part.shape[2]
        return np.concatenate(columns, axis=2), np.array(is_by_visit, dtype=np.bool_)

    def difference(self, arm: str, reference: str, visit: str | None = None) -> Numbers:
        """The row of the difference between two arms' means at a visit, or averaged over all visits; of every trial."""
        row = np.zeros(self.n_columns)
        n_visits = len(self.visits)
        places = range(n_visits) if visit is None else [_place(visit, self.visits, "visit")]
        for name, sign in ((arm, 1.0), (reference, -1.0)):
            index = _place(name, self.arms, "arm")
            if index == 0:
                continue
            row[n_visits + index - 1] += sign
            for place in places:
                if place > 0:
                    crossed = n_visits + len(self.arms) - 1 + (index - 1) * (n_visits - 1) + place - 1
                    row[crossed] += sign / len(places)
        return frozen(row)

    def one(self, trial: int) -> TrialModel:
        """One trial as ``trial_model`` has it.

        Raises:
            InvalidInput: an arm or a visit without a measurement.
            InvalidDesign: columns that others determine.
        """
        grid = np.indices(self.response.shape[1:])  # subjects, visits
        rows = np.broadcast_to(self.arm[trial][:, None] >= 0, self.response.shape[1:])
        at = grid[0][rows]
        covariates: list[Covariate | Factor] = []
        for one in self.covariates:
            values = np.asarray(one.values)[trial][at]
            if isinstance(one, Factor):
                covariates.append(Factor(name=one.name, values=values, levels=one.levels, is_by_visit=one.is_by_visit))
            else:
                covariates.append(Covariate(name=one.name, values=values, is_by_visit=one.is_by_visit))
        return trial_model(
            self.response[trial][rows],
            subject=at,
            arm=self.arm[trial][at],
            visit=grid[1][rows],
            arms=self.arms,
            visits=self.visits,
            covariates=covariates,
            times_day=self.times_day,
        )


def _place(name: str, names: tuple[str, ...], kind: str) -> int:
    if name not in names:
        raise InvalidInput(f"There is no {kind} {name!r}; there are {', '.join(map(repr, names))}.")
    return names.index(name)
