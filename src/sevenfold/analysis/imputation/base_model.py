"""The model that unseen values are imputed from: arm by visit means, covariates at every visit, one covariance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import final

import numpy as np

from sevenfold.analysis.column import Flags, Integers, Numbers
from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.imputation.assumption import REFERS, Assumption
from sevenfold.analysis.imputation.condensing import condensed, laid_out
from sevenfold.analysis.imputation.courses import Courses
from sevenfold.analysis.mmrm.arrays import Array, Index
from sevenfold.analysis.mmrm.covariance.by_group import ByGroup, Stack
from sevenfold.analysis.mmrm.covariance.structure import Structure
from sevenfold.analysis.mmrm.covariance.unstructured import Unstructured
from sevenfold.analysis.mmrm.freedom.counted import Residual
from sevenfold.analysis.mmrm.likelihood import Estimation
from sevenfold.analysis.mmrm.mmrm import Mmrm
from sevenfold.analysis.mmrm.search import search
from sevenfold.errors import InvalidDesign, InvalidInput

__all__ = ["ImputationModel", "Parameters", "terms"]

KINDS = tuple(Assumption)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameters:
    """Fitted or drawn parameters of the model, any number of sets.

    Args:
        coefficients: of the arms, then the covariates, at each visit  # (draw, term, visit).
        sigma: covariance of the visits in each arm  # (draw, arm, visit, visit).
    """

    coefficients: Array
    sigma: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationModel:
    """What is assumed of unseen values, and the mixed model for repeated measures that it is said in.

    The model has a mean for each arm and visit and, for each covariate, a coefficient at each visit.

    Args:
        assumptions: by the name of the event; gaps in the course of a patient without event, or before it, are always
            missing at random.
        reference: the arm that jump to reference, copy increments and copy reference refer to.
        covariance: of the visits; ``ByGroup`` gives each arm its own.

    Raises:
        InvalidDesign: an assumption that refers to an arm, and none named.
    """

    assumptions: Mapping[str, Assumption]
    reference: str | None = None
    covariance: Structure | ByGroup = field(default_factory=Unstructured)
    estimation: Estimation = Estimation.REML

    def __post_init__(self) -> None:
        """Freeze the assumptions."""
        referring = {one.value for one in self.assumptions.values() if one in REFERS}
        if referring and self.reference is None:
            raise InvalidDesign(f"{', '.join(sorted(referring))} needs a reference arm; name it.")
        object.__setattr__(self, "assumptions", MappingProxyType(dict(self.assumptions)))

    @property
    def is_by_arm(self) -> bool:
        """Whether each arm has a covariance of its own."""
        return isinstance(self.covariance, ByGroup)

    def kinds(self, courses: Courses) -> Integers:
        """The assumption for each patient, as an index into ``KINDS``.

        Raises:
            InvalidInput: an event of which nothing is assumed, or a last mean where none comes before.
        """
        kinds = np.full(courses.n_patients, -1, dtype=np.int64)
        for event, assumption in {"": Assumption.MISSING_AT_RANDOM, **self.assumptions}.items():
            kinds[courses.event == event] = KINDS.index(assumption)
        unknown = sorted(set(courses.event[kinds < 0].tolist()))
        if unknown:
            raise InvalidInput(
                f"Nothing is assumed of values after {', '.join(map(repr, unknown))}; there are assumptions for "
                f"{', '.join(map(repr, self.assumptions)) or 'no event'}."
            )
        if ((kinds == KINDS.index(Assumption.LAST_MEAN)) & (courses.first_after == 0)).any():
            raise InvalidInput(
                "A last mean is to be carried forward from before the first visit, where there is none; assume "
                "something else for patients without a visit before the event."
            )
        return kinds

    def used(self, courses: Courses) -> Flags:
        """Which measurements the model is fitted to  # (patient, visit).

        Those after an event are left out unless they are assumed to go on as if it had not happened: the means would
        otherwise mix courses before and after events, and neither is what unseen values are taken to follow.
        """
        goes_on = self.kinds(courses) == KINDS.index(Assumption.MISSING_AT_RANDOM)
        return np.asarray(courses.is_seen & (goes_on[:, None] | ~courses.is_after), dtype=np.bool_)

    def fitted(self, courses: Courses, arms: tuple[str, ...], like: Courses | None = None) -> Parameters | Fit:
        """The model fitted by (restricted) likelihood, as one set of parameters, or why it could not be.

        Args:
            like: courses that the parameters are to be used for, where they are not these.
        """
        columns = self._columns(courses, arms, like)
        try:
            data = laid_out(*columns, visits=courses.visits, groups=self._groups(arms))
        except (InvalidDesign, InvalidInput) as trouble:
            return Fit(status=Status.NOT_ESTIMABLE, message=f"The imputation model: {trouble}")
        fit = Mmrm(covariance=self.covariance, freedom=Residual(), estimation=self.estimation).fit(data)
        if not fit.is_ok:
            return Fit(status=fit.status, message=f"The imputation model: {fit.ending.message}")
        return self._parameters(fit.coefficients, fit.sigma, courses, arms)

    def refitted(self, courses: Courses, arms: tuple[str, ...], like: Courses | None = None) -> Parameters | Fit:
        """The same as ``fitted``, without what only one fit is asked for; its time hardly grows with the patients.

        It is for the many fits to resampled patients. One that fails is tried again by ``fitted``, which says why.
        """
        columns = self._columns(courses, arms, like)
        try:
            panel = condensed(*columns, visits=courses.visits, groups=self._groups(arms))
        except (InvalidDesign, InvalidInput):
            return self.fitted(courses, arms, like)
        structure = self.covariance.structure if isinstance(self.covariance, ByGroup) else self.covariance
        stack = Stack(structure.on(np.arange(len(courses.visits), dtype=np.float64)), self._groups(arms))
        optimum = search(panel, stack, self.estimation)
        if isinstance(optimum, Fit):
            return self.fitted(courses, arms, like)
        coefficients = panel.to_columns @ (panel.least_squares + optimum.point.coefficients)
        return self._parameters(coefficients, optimum.sigma, courses, arms)

    def _groups(self, arms: tuple[str, ...]) -> tuple[str, ...]:
        return arms if self.is_by_arm else ("all",)

    def _columns(
        self, courses: Courses, arms: tuple[str, ...], like: Courses | None
    ) -> tuple[Numbers, Flags, Array, Index]:
        """Responses, which of them are used, terms and covariance group of every patient."""
        arm = arm_index(courses, arms)
        group = arm if self.is_by_arm else np.zeros_like(arm)
        return courses.response, self.used(courses), terms(courses, arms, like=like), group

    def _parameters(self, coefficients: Array, sigma: Array, courses: Courses, arms: tuple[str, ...]) -> Parameters:
        by_arm = sigma if self.is_by_arm else np.repeat(sigma, len(arms), axis=0)
        return Parameters(coefficients=coefficients.reshape(1, -1, len(courses.visits)), sigma=by_arm[None])


def arm_index(courses: Courses, arms: tuple[str, ...]) -> Index:
    """The arm of each patient as an index into ``arms``.

    Raises:
        InvalidInput: a patient in an arm that the analysis doesn't know.
    """
    is_of = courses.arm[:, None] == np.array(arms)  # (patient, arm)
    if not is_of.any(axis=1).all():
        unknown = sorted(set(courses.arm.tolist()) - set(arms))
        raise InvalidInput(f"Some patients are in {unknown}; the arms of the analysis are {arms}.")
    return np.asarray(is_of.argmax(axis=1), dtype=np.intp)


def terms(courses: Courses, arms: tuple[str, ...], arm: str | None = None, like: Courses | None = None) -> Array:
    """What the means depend on: one column per arm, then covariates and factors, centred  # (patient, term).

    Args:
        arm: the arm that everybody is looked at in, where it is not their own.
        like: courses whose means and levels the columns are made with, where they are not these.
    """
    like = courses if like is None else like
    index = arm_index(courses, arms) if arm is None else np.full(courses.n_patients, arms.index(arm), dtype=np.intp)
    columns = [np.eye(len(arms))[index]]
    columns.extend((x - like.covariates[name].mean())[:, None] for name, x in courses.covariates.items())
    for name, factor in courses.factors.items():
        levels, n_with = np.unique(like.factors[name], return_counts=True)
        indicator = (factor[:, None] == levels).astype(np.float64)
        columns.append((indicator - n_with / n_with.sum())[:, 1:])
    return np.concatenate(columns, axis=1)
