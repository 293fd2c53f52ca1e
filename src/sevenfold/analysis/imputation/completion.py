"""Completed data sets and what analyses of them say, with or without shifting what was imputed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, final

import numpy as np

from sevenfold.analysis.ancova import Ancova, Scale
from sevenfold.analysis.column import Numbers
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.analysis.imputation.courses import Courses
from sevenfold.analysis.imputation.rubin import Spread
from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged

__all__ = ["NO_SHIFT", "Analysed", "Answer", "Completion", "ImputationFit", "Imputed", "Imputer", "Progress", "silent"]

Progress = Callable[[int, int], None]
"""Is told how many steps of how many are done."""


def silent(_done: int, _of: int) -> None:
    """Progress that nobody watches."""


NO_SHIFT: Mapping[str, float] = MappingProxyType({})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Imputed:
    """How many values of an arm were imputed at a visit, out of how many patients."""

    arm: str
    visit: str
    n: int
    of: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One contrast, or one arm's least-squares mean, at one visit.

    Args:
        spread: where the variance comes from, under Rubin's rules.
    """

    visit: str
    effect: Effect
    spread: Spread | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationFit:
    """What came out; empty of answers where ``fit`` says why.

    Args:
        settings: the estimator that made it.
        imputed: what was missing, by arm and visit.
        n_sets: completed data sets analysed: imputations, or the data and its resamples.
        n_failed: resamples that could not be fitted and are not in it.
        shift: what was added to the imputed values, by arm.
    """

    settings: "Imputer"
    fit: Fit
    imputed: tuple[Imputed, ...]
    n_sets: int = 0
    n_failed: int = 0
    shift: Mapping[str, float] = field(default_factory=lambda: NO_SHIFT)
    contrasts: tuple[Answer, ...] = ()
    ls_means: tuple[Answer, ...] = ()

    def answer(self, name: str, visit: str) -> Answer:
        """One contrast, or ``"least-squares mean, <arm>"``, at one visit, with the spread between imputations.

        Raises:
            NotConverged: where the fit failed.
        """
        if not self.fit.is_ok:
            raise NotConverged(f"No estimate ({self.fit.status.value}). {self.fit.message}")
        for one in (*self.contrasts, *self.ls_means):
            if (one.effect.contrast, one.visit) == (name, visit):
                return one
        there = ", ".join(f'"{one.effect.contrast}" at {one.visit}' for one in (*self.contrasts, *self.ls_means))
        raise InvalidInput(f'There is no "{name}" at visit "{visit}"; there are {there}.')

    def effect(self, contrast: str, visit: str) -> Effect:
        """One contrast at one visit.

        Raises:
            NotConverged: where the fit failed.
        """
        return self.answer(contrast, visit).effect

    def ls_mean(self, arm: str, visit: str) -> Effect:
        """One arm's least-squares mean at one visit.

        Raises:
            NotConverged: where the fit failed.
        """
        return self.answer(f"least-squares mean, {arm}", visit).effect


class Completion(Protocol):
    """Data sets completed once, which can be analysed again and again."""

    def analysed(self, shift: Mapping[str, float] = NO_SHIFT) -> ImputationFit:
        """The answers, after adding to each arm's imputed values what is given."""
        ...


class Imputer(Protocol):
    """An estimator that imputes."""

    @property
    def analysis(self) -> Ancova:
        """What each completed data set is analysed by."""
        ...

    def complete(self, courses: Courses, progress: Progress = silent) -> Completion | ImputationFit:
        """The completed data sets, or the fit that failed."""
        ...

    def fit(self, courses: Courses) -> ImputationFit:
        """The answers, without a shift."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysed:
    """What one completed data set says at one visit: the contrasts, then the arms' means.

    Args:
        estimates: # (contrast or arm,).
        variances: squared standard errors, as if nothing had been imputed  # (contrast or arm,).
    """

    estimates: Numbers
    variances: Numbers
    df: float


def analyse(
    analysis: Ancova, courses: Courses, values: Array, visit: str, shift: Mapping[str, float]
) -> Analysed | Fit:
    """One completed data set at one visit by analysis of covariance, or why it could not be.

    Args:
        values: completed  # (patient, visit).
    """
    at = courses.visits.index(visit)
    added = sum((by * (courses.arm == arm) for arm, by in shift.items()), np.zeros(courses.n_patients))
    response = values[:, at] + np.where(courses.is_seen[:, at], 0.0, added)
    found = analysis.fit(response, courses.arm, covariates=courses.covariates, factors=courses.factors)
    if not found.fit.is_ok:
        return Fit(status=found.fit.status, message=f"The analysis at {visit}: {found.fit.message}")
    told = (*found.effects, *found.ls_means)
    return Analysed(
        estimates=np.array([one.estimate for one in told]),
        variances=np.array([one.se**2 for one in told]),
        df=told[0].df,
    )


def counted(courses: Courses, arms: tuple[str, ...]) -> tuple[Imputed, ...]:
    """What is missing, by arm and visit."""
    return tuple(
        Imputed(arm=arm, visit=visit, n=int(missing[courses.arm == arm].sum()), of=int((courses.arm == arm).sum()))
        for arm in arms
        for visit, missing in zip(courses.visits, ~courses.is_seen.T, strict=True)
    )


def checked_visits(visits: tuple[str, ...], courses: Courses) -> tuple[str, ...]:
    """The visits to analyse: those asked for, or the last."""
    unknown = sorted(set(visits) - set(courses.visits))
    if unknown:
        raise InvalidInput(f"There are no visits {unknown}; there are {courses.visits}.")
    return visits or courses.visits[-1:]


def checked_shift(shift: Mapping[str, float], arms: tuple[str, ...]) -> Mapping[str, float]:
    """A shift of arms that exist."""
    unknown = sorted(set(shift) - set(arms))
    if unknown or not all(np.isfinite(by) for by in shift.values()):
        raise InvalidInput(f"The shift is {dict(shift)}; give a finite number for some of the arms {arms}.")
    return MappingProxyType(dict(shift))


def checked_analysis(analysis: Ancova, reference: str | None) -> None:
    """Refuses an analysis that doesn't fit the imputation."""
    if analysis.scale is not Scale.IDENTITY:
        raise InvalidDesign(
            "Values are imputed on the scale of the response and may be negative; take logarithms before, and analyse "
            "on the identity scale."
        )
    if reference is not None and reference not in analysis.arms:
        raise InvalidDesign(f'The reference is "{reference}"; the arms are {analysis.arms}.')
    if not analysis.contrasts:
        raise InvalidDesign("The analysis has no contrast; name at least one.")


def names(analysis: Ancova) -> tuple[str, ...]:
    """What ``Analysed`` holds, in order."""
    return (*(c.name for c in analysis.contrasts), *(f"least-squares mean, {arm}" for arm in analysis.arms))


def failed(settings: Imputer, courses: Courses, ending: Fit, n_failed: int = 0) -> ImputationFit:
    """A fit that ended without answers."""
    return ImputationFit(
        settings=settings, fit=ending, imputed=counted(courses, settings.analysis.arms), n_failed=n_failed
    )


def answered(
    settings: Imputer,
    courses: Courses,
    answers: list[Answer],
    shift: Mapping[str, float],
    n_sets: int,
    n_failed: int = 0,
) -> ImputationFit:
    """A fit that ended well."""
    contrasts = {c.name for c in settings.analysis.contrasts}
    return ImputationFit(
        settings=settings,
        fit=Fit(status=Status.OK),
        imputed=counted(courses, settings.analysis.arms),
        n_sets=n_sets,
        n_failed=n_failed,
        shift=shift,
        contrasts=tuple(one for one in answers if one.effect.contrast in contrasts),
        ls_means=tuple(one for one in answers if one.effect.contrast not in contrasts),
    )
