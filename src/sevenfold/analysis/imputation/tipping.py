"""The tipping point: how much worse unseen values would have to be for the conclusion to change."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import final

import numpy as np

from sevenfold.analysis.crossing import crossing
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.imputation.completion import (
    Completion,
    ImputationFit,
    Imputer,
    Progress,
    checked_shift,
    checked_visits,
    silent,
)
from sevenfold.analysis.imputation.courses import Courses
from sevenfold.errors import InvalidDesign, NotConverged

__all__ = ["TippingFit", "TippingPoint", "TippingRow"]

TOLERANCE = 1e-6  # of the tipping point, as a share of the farthest shift
STEPS = 40  # from no shift to the farthest, between which the first crossing is looked for


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TippingRow:
    """One combination of shifts and what the analysis then says.

    Args:
        shift: added to the imputed values, by arm.
        told: the effect; none where ``fit`` says why.
        is_significant: whether p ≤ α; false where there is no effect.
    """

    shift: Mapping[str, float]
    fit: Fit
    told: Effect | None
    is_significant: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TippingFit:
    """The table and the point at which the conclusion tips.

    Args:
        settings: what made it.
        fit: how it ended: the end of the imputation or of an analysis on the way where one failed; not estimable where
            nothing tips.
        rows: the grid, the first arm's shifts changing slowest; empty where the imputation failed.
        unshifted: the analysis without any shift.
        found: the smallest multiple of ``settings.along`` at which the conclusion differs; none where ``fit`` says why.
        at: the analysis there.
        is_unmoved: whether the conclusion was seen to stand all the way; false where it tips, and where that is not
            known as an analysis failed.
    """

    settings: "TippingPoint"
    fit: Fit
    rows: tuple[TippingRow, ...] = ()
    unshifted: TippingRow | None = None
    found: float | None = None
    at: TippingRow | None = None
    is_unmoved: bool = False

    @property
    def tipping_shift(self) -> Mapping[str, float]:
        """What has to be added to each arm's imputed values for the conclusion to change.

        Raises:
            NotConverged: where nothing tips, or the imputation failed.
        """
        if self.found is None:
            raise NotConverged(f"No tipping point ({self.fit.status.value}). {self.fit.message}")
        return MappingProxyType({arm: self.found * by for arm, by in self.settings.along.items()})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TippingPoint:
    """Analyses of the same imputations with ever larger shifts of the imputed values.

    A shift is added to every imputed value of an arm at the visit. The imputations are made once, so what differs
    between rows is the shift alone. Along the direction asked for the first change of the conclusion is found by steps
    and refined by bisection. Source: [cro2020]; docs/theory/imputation.md.

    Args:
        estimator: imputes and analyses.
        contrast: one of the estimator's.
        visit: one that the estimator analyses.
        along: the direction of the search, in units of the response by arm: ``{"active": 1.0}`` worsens the active
            arm's imputed values where more is worse.
        farthest: the largest multiple of it to be tried.
        grid: shifts by arm, for the table of all their combinations.
        alpha: two-sided.

    Raises:
        InvalidDesign: settings that contradict each other.
    """

    estimator: Imputer
    contrast: str
    visit: str
    along: Mapping[str, float]
    farthest: float
    grid: Mapping[str, tuple[float, ...]]
    alpha: float = 0.05

    def __post_init__(self) -> None:
        """Freeze the grid."""
        if not 0.0 < self.alpha < 1.0:
            raise InvalidDesign(f"alpha is {self.alpha}; give a share such as 0.05.")
        if not (0.0 < self.farthest < np.inf and any(self.along.values())):
            raise InvalidDesign(
                f"The search goes {self.farthest} times along {dict(self.along)}; give a positive multiple of a "
                "direction that shifts some arm."
            )
        arms = self.estimator.analysis.arms
        checked_shift(self.along, arms)
        checked_shift(dict.fromkeys(self.grid, 0.0), arms)
        object.__setattr__(self, "along", MappingProxyType(dict(self.along)))
        object.__setattr__(self, "grid", MappingProxyType({arm: tuple(by) for arm, by in self.grid.items()}))

    def fit(self, courses: Courses) -> TippingFit:
        """The table and the tipping point."""
        checked_visits((self.visit,), courses)
        made = self.estimator.complete(courses)
        return TippingFit(settings=self, fit=made.fit) if isinstance(made, ImputationFit) else self.among(made)

    def among(self, made: Completion, progress: Progress = silent) -> TippingFit:
        """The table and the tipping point, from what the estimator has completed before.

        Args:
            progress: told how many steps of the search, of how many at most, are done.
        """
        start = self._row(made, {})
        if not start.fit.is_ok:
            return TippingFit(settings=self, fit=start.fit)
        combinations = product(*self.grid.values()) if self.grid else ()
        rows = tuple(self._row(made, dict(zip(self.grid, by, strict=True))) for by in combinations)
        found = self._search(made, start, progress)
        if isinstance(found, Fit):
            return TippingFit(settings=self, fit=found, rows=rows, unshifted=start)
        if found is None:
            significant = "significant" if start.is_significant else "not significant"
            message = (
                f"The effect stays {significant} at {self.alpha} up to {self.farthest:g} times the direction; "
                "go farther, or turn it round."
            )
            unmoved = Fit(status=Status.NOT_ESTIMABLE, message=message)
            return TippingFit(settings=self, fit=unmoved, rows=rows, unshifted=start, is_unmoved=True)
        at = self._row(made, self._shift(found))
        return TippingFit(settings=self, fit=Fit(status=Status.OK), rows=rows, unshifted=start, found=found, at=at)

    def _shift(self, times: float) -> dict[str, float]:
        return {arm: times * by for arm, by in self.along.items()}

    def _row(self, made: Completion, shift: Mapping[str, float]) -> TippingRow:
        shift = MappingProxyType(dict(shift))
        analysed = made.analysed(shift)
        if not analysed.fit.is_ok:
            return TippingRow(shift=shift, fit=analysed.fit, told=None, is_significant=False)
        effect = analysed.effect(self.contrast, self.visit)
        return TippingRow(shift=shift, fit=analysed.fit, told=effect, is_significant=bool(effect.p_value <= self.alpha))

    def _search(self, made: Completion, start: TippingRow, progress: Progress) -> float | Fit | None:
        """The smallest multiple at which the conclusion differs from the unshifted one; None where it stands."""
        trouble: list[Fit] = []

        def stands(times: float) -> bool:
            row = self._row(made, self._shift(times))
            if not row.fit.is_ok:
                trouble.append(row.fit)
                raise NotConverged(row.fit.message)
            return row.is_significant == start.is_significant

        last = 0.0
        try:
            for step, times in enumerate(np.linspace(0.0, self.farthest, STEPS + 1)[1:].tolist(), start=1):
                progress(step, STEPS)
                if not stands(times):
                    return crossing(stands, last, times, TOLERANCE * self.farthest)
                last = times
        except NotConverged:
            failed = trouble[0]
            return Fit(status=failed.status, message=f"The analysis fails on the way: {failed.message}")
        return None
