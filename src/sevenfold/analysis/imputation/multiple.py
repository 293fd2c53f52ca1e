"""Multiple imputation: unseen values drawn many times over, each data set analysed, the answers combined."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np

from sevenfold.analysis.ancova import Ancova
from sevenfold.analysis.effect import Fit
from sevenfold.analysis.imputation.base_model import ImputationModel
from sevenfold.analysis.imputation.completing import completed
from sevenfold.analysis.imputation.completion import (
    NO_SHIFT,
    Answer,
    Completion,
    ImputationFit,
    Progress,
    analyse,
    answered,
    checked_analysis,
    checked_shift,
    checked_visits,
    failed,
    names,
    silent,
)
from sevenfold.analysis.imputation.courses import Courses
from sevenfold.analysis.imputation.drawing import Drawing, Posterior
from sevenfold.analysis.imputation.rubin import combined
from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.analysis.mmrm.covariance.by_group import ByGroup
from sevenfold.analysis.mmrm.covariance.unstructured import Unstructured
from sevenfold.errors import InvalidDesign
from sevenfold.seed import Stream

__all__ = ["MultipleImputation"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MultipleImputation:
    """Parameters and values drawn, an analysis of covariance of each completed data set, combined by Rubin's rules.

    Under missing at random the standard error is right. Under an assumption that refers to another arm it is that of
    the same data with as much known as there is (information-anchored), larger than the estimate varies from trial to
    trial; ``ConditionalMean`` gives the latter. Source: docs/theory/imputation.md; [rubin1987], [carpenter2013],
    [cro2019].

    Args:
        analysis: of each completed data set at each visit, adjusted for all covariates and factors of the courses.
        n: imputed data sets.
        seed: the same seed gives the same imputations.
        visits: to be analysed; the last one where none are named.
        drawing: how the parameters are drawn.

    Raises:
        InvalidDesign: settings that contradict each other.
    """

    model: ImputationModel
    analysis: Ancova
    n: int = 100
    seed: int
    visits: tuple[str, ...] = ()
    drawing: Drawing = field(default_factory=Posterior)

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        checked_analysis(self.analysis, self.model.reference)
        if self.n < 2:
            raise InvalidDesign(f"n is {self.n}; Rubin's rules need at least two imputed data sets, better a hundred.")
        covariance = self.model.covariance
        structure = covariance.structure if isinstance(covariance, ByGroup) else covariance
        if isinstance(self.drawing, Posterior) and not isinstance(structure, Unstructured):
            raise InvalidDesign(
                f"The posterior is drawn for an unstructured covariance, not {covariance.label}; use Resampled()."
            )

    def complete(self, courses: Courses, progress: Progress = silent) -> Completion | ImputationFit:
        """The imputed data sets, or the fit that failed.

        Args:
            progress: told how far the drawing of parameters has come.
        """
        arms = self.analysis.arms
        checked_visits(self.visits, courses)
        drawn = self.drawing.draw(self.model, courses, arms, self.n, self.seed, progress)
        if isinstance(drawn, Fit):
            return failed(self, courses, drawn)
        noise = Stream(self.seed, use="imputed values").normal(
            trial=np.arange(self.n)[:, None, None],
            subject=np.arange(courses.n_patients)[:, None],
            draw=np.arange(len(courses.visits)),
        )
        values = completed(courses, arms, self.model, drawn, noise)
        return _Imputations(settings=self, courses=courses, values=values)

    def fit(self, courses: Courses) -> ImputationFit:
        """The combined answers; a fit that fails says so in its status."""
        made = self.complete(courses)
        return made if isinstance(made, ImputationFit) else made.analysed()


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Imputations:
    """Imputed data sets.

    Args:
        values: # (imputation, patient, visit).
    """

    settings: MultipleImputation
    courses: Courses
    values: Array

    def analysed(self, shift: Mapping[str, float] = NO_SHIFT) -> ImputationFit:
        """The combined answers."""
        settings, courses = self.settings, self.courses
        analysis = settings.analysis
        shift = checked_shift(shift, analysis.arms)
        answers: list[Answer] = []
        for visit in checked_visits(settings.visits, courses):
            sets = []
            for values in self.values:
                one = analyse(analysis, courses, values, visit, shift)
                if isinstance(one, Fit):
                    return failed(settings, courses, one)
                sets.append(one)
            estimates = np.stack([one.estimates for one in sets])
            variances = np.stack([one.variances for one in sets])
            for i, name in enumerate(names(analysis)):
                effect, spread = combined(name, estimates[:, i], variances[:, i], sets[0].df)
                answers.append(Answer(visit=visit, effect=effect, spread=spread))
        return answered(settings, courses, answers, shift, len(self.values))
