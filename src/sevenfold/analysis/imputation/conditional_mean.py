"""Conditional mean imputation: unseen values replaced once by their expectation, the uncertainty found by refitting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np

from sevenfold.analysis.ancova import Ancova
from sevenfold.analysis.column import Integers, Numbers
from sevenfold.analysis.effect import Effect, Fit, Status
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
from sevenfold.analysis.imputation.drawing import resample
from sevenfold.analysis.mmrm.arrays import Array
from sevenfold.errors import InvalidDesign

__all__ = ["ConditionalMean", "Uncertainty"]


class Uncertainty(Enum):
    """What the standard error is of.

    JACKKNIFE and BOOTSTRAP estimate how the estimate varies from trial to trial. ANCHORED is the jackknife of the
    estimate under missing at random, shifted value by value to the assumed one, the shifts held fixed: close to what
    Rubin's rules say under an assumption that refers to another arm. Source: [wolbers2022], [lu2021].
    """

    JACKKNIFE = "jackknife"
    BOOTSTRAP = "bootstrap"
    ANCHORED = "jackknife, information-anchored"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalMean:
    """Each unseen value replaced by its conditional mean at the fitted parameters, then an analysis of covariance.

    As the estimator is linear in the response, the estimate is that of infinitely many imputations at the fitted
    parameters. The analysis's own standard error takes imputed values for seen; it is discarded, and the whole
    procedure, model, imputation and analysis, is repeated without each patient in turn (or for resampled patients).
    Refers to the normal distribution. Nothing is random but the bootstrap. Source: docs/theory/imputation.md;
    [wolbers2022].

    Args:
        analysis: of the completed data at each visit, adjusted for all covariates and factors of the courses.
        visits: to be analysed; the last one where none are named.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.
        most_failed: share of resamples that may fail before there is no answer; the jackknife needs all of them.

    Raises:
        InvalidDesign: settings that contradict each other.
    """

    model: ImputationModel
    analysis: Ancova
    visits: tuple[str, ...] = ()
    uncertainty: Uncertainty = Uncertainty.JACKKNIFE
    n_resamples: int = 1000
    seed: int | None = None
    most_failed: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        checked_analysis(self.analysis, self.model.reference)
        if self.uncertainty is Uncertainty.BOOTSTRAP and (self.seed is None or self.n_resamples < 2):
            raise InvalidDesign(
                f"The bootstrap needs a seed and at least two resamples, got seed {self.seed} and n_resamples "
                f"{self.n_resamples}."
            )

    def complete(self, courses: Courses, progress: Progress = silent) -> Completion | ImputationFit:
        """The completed data and what its resamples say, or the fit that failed.

        Args:
            progress: told how many resamples of how many are done.
        """
        visits = checked_visits(self.visits, courses)
        whole = self._filled(courses)
        if isinstance(whole, Fit):
            return failed(self, courses, whole)
        held = None
        if self.uncertainty is Uncertainty.ANCHORED:
            at_random = self._filled(courses, is_at_random=True)
            assert not isinstance(at_random, Fit)  # the same model was fitted a moment ago
            held = whole - at_random
        parts: list[_Part] = []
        reasons: list[str] = []
        n_resamples = self.n_resamples if self.uncertainty is Uncertainty.BOOTSTRAP else courses.n_patients
        for number, patients in enumerate(self._resamples(courses), start=1):
            own = courses.taken(patients)
            filled = self._filled(own, is_at_random=held is not None, is_refit=True)
            progress(number, n_resamples)
            if isinstance(filled, Fit):
                reasons.append(filled.message)
                continue
            part = self._said(own, filled if held is None else filled + held[patients], visits)
            if isinstance(part, Fit):
                return failed(self, courses, part, len(reasons))
            parts.append(part)
        tolerated = self.most_failed * self.n_resamples if self.uncertainty is Uncertainty.BOOTSTRAP else 0
        if len(reasons) > tolerated:
            message = f"{len(reasons)} of {len(reasons) + len(parts)} refits failed, the first so: {reasons[0]}"
            return failed(self, courses, Fit(status=Status.NOT_CONVERGED, message=message), len(reasons))
        return _Refits(
            settings=self,
            courses=courses,
            values=whole,
            visits=visits,
            estimates=np.stack([part.estimates for part in parts]),
            slopes=np.stack([part.slopes for part in parts]),
            n_failed=len(reasons),
        )

    def fit(self, courses: Courses) -> ImputationFit:
        """The estimates with their resampled standard errors; a fit that fails says so in its status."""
        made = self.complete(courses)
        return made if isinstance(made, ImputationFit) else made.analysed()

    def _filled(self, courses: Courses, *, is_at_random: bool = False, is_refit: bool = False) -> Array | Fit:
        """Conditional means in place of what is missing  # (patient, visit)."""
        arms = self.analysis.arms
        parameters = self.model.refitted(courses, arms) if is_refit else self.model.fitted(courses, arms)
        if isinstance(parameters, Fit):
            return parameters
        filled = completed(courses, arms, self.model, parameters, is_at_random=is_at_random)
        return np.asarray(filled[0], dtype=np.float64)

    def _said(self, courses: Courses, values: Array, visits: tuple[str, ...]) -> "_Part | Fit":
        """What one resample says, and what a shift of an arm adds: the estimates are linear in the response."""
        estimates, slopes = [], []
        for visit in visits:
            plain = analyse(self.analysis, courses, values, visit, NO_SHIFT)
            if isinstance(plain, Fit):
                return plain
            at = courses.visits.index(visit)
            unit = float(values[:, at].std())  # of the values' own size, to lose no digits
            added = np.zeros((len(self.analysis.arms), len(plain.estimates)))
            for place, arm in enumerate(self.analysis.arms):
                if courses.is_seen[courses.arm == arm, at].all():
                    continue
                shifted = analyse(self.analysis, courses, values, visit, {arm: unit})
                if isinstance(shifted, Fit):
                    return shifted
                added[place] = (shifted.estimates - plain.estimates) / unit
            estimates.append(plain.estimates)
            slopes.append(added)
        return _Part(estimates=np.stack(estimates), slopes=np.stack(slopes))

    def _resamples(self, courses: Courses) -> Iterator[Integers]:
        everybody = np.arange(courses.n_patients)
        if self.uncertainty is Uncertainty.BOOTSTRAP:
            assert self.seed is not None  # checked on construction
            for number in range(self.n_resamples):
                yield resample(courses, self.analysis.arms, number, self.seed)
        else:
            for one in everybody:
                yield np.delete(everybody, one)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """What one resample says.

    Args:
        estimates: without a shift  # (visit, contrast or arm's mean).
        slopes: by how much a shift of one in an arm moves them  # (visit, arm, contrast or arm's mean).
    """

    estimates: Numbers
    slopes: Numbers


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Refits:
    """The completed data, and what every resample says.

    Args:
        values: completed  # (patient, visit).
        visits: those analysed.
        estimates, slopes: of every resample, as in ``_Part``  # (resample, visit, ...).
    """

    settings: ConditionalMean
    courses: Courses
    values: Array
    visits: tuple[str, ...]
    estimates: Numbers
    slopes: Numbers
    n_failed: int

    def analysed(self, shift: Mapping[str, float] = NO_SHIFT) -> ImputationFit:
        """The estimates with their resampled standard errors."""
        settings, courses = self.settings, self.courses
        arms = settings.analysis.arms
        shift = checked_shift(shift, arms)
        by_arm = np.array([shift.get(arm, 0.0) for arm in arms])
        resampled = self.estimates + np.einsum("a,rvac->rvc", by_arm, self.slopes)
        answers: list[Answer] = []
        for place, visit in enumerate(self.visits):
            whole = analyse(settings.analysis, courses, self.values, visit, shift)
            if isinstance(whole, Fit):
                return failed(settings, courses, whole, self.n_failed)
            se = self._standard_errors(resampled[:, place])
            answers.extend(
                Answer(visit=visit, effect=Effect(contrast=name, estimate=float(of), se=float(error), df=np.inf))
                for name, of, error in zip(names(settings.analysis), whole.estimates, se, strict=True)
            )
        return answered(settings, courses, answers, shift, 1 + len(self.estimates), self.n_failed)

    def _standard_errors(self, estimates: Numbers) -> Numbers:
        """Of each column of estimates from the resamples  # (resample, contrast or arm)."""
        n = len(estimates)
        if self.settings.uncertainty is Uncertainty.BOOTSTRAP:
            return np.asarray(estimates.std(axis=0, ddof=1), dtype=np.float64)
        squares = ((estimates - estimates.mean(axis=0)) ** 2).sum(axis=0)
        return np.asarray(np.sqrt((n - 1) / n * squares), dtype=np.float64)
