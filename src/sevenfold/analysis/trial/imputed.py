"""Imputation in the plan: what the unseen values of those who stopped are taken to be, and what follows.

A subject who died or left is imputed from then on by the plan's assumption; gaps of the others, and before that, are
missing at random. Where the data say of nobody that they left, whoever was not seen again counts as having left.
Under missing at random the answer is that had all stayed (and lived); under an assumption that refers to the control
group it is that of the policy, had those who stopped fared as that group does.

Source: docs/theory/imputation.md.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.ancova import Ancova, Contrast
from sevenfold.analysis.effect import Status
from sevenfold.analysis.imputation import (
    DROPOUT,
    Assumption,
    ConditionalMean,
    Courses,
    ImputationFit,
    ImputationModel,
    MultipleImputation,
)
from sevenfold.analysis.imputation.completion import Progress, silent
from sevenfold.analysis.trial.prepared import Course, compared, prepared
from sevenfold.analysis.trial.tipped import tipped
from sevenfold.analysis.trial.told import estimated, with_means
from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.protocol.endpoint import ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis, Method
from sevenfold.protocol.protocol import Protocol

__all__ = ["Within", "imputed", "unwatched"]

_IMPUTATIONS: Final = 200

Within = Callable[[str], Progress]
"""Opens, by a name, what is told how far one long analysis has come."""


def unwatched(_name: str) -> Progress:
    """Nobody watches."""
    return silent


def imputed(
    estimand: Estimand, analysis: Analysis, cohort: Cohort, protocol: Protocol, seed: int, within: Within = unwatched
) -> dict[str, Any]:
    """The contrast at the endpoint's visit, as the fields of an ``Answer``."""
    endpoint = protocol.endpoint(estimand.endpoint)
    assert isinstance(endpoint, (FoldEndpoint, ChangeEndpoint))
    assert analysis.assumption is not None
    a, b = estimand.compare
    name = f"{a} against {b}"
    is_ratio = isinstance(endpoint, FoldEndpoint)
    sides = compared(estimand, cohort, protocol)
    course = prepared(endpoint, analysis, sides, cohort, protocol)
    zeros = f"Values of 0 have no ratio and are imputed as if they had been missed: {course.n_zero}."
    made = {
        **sides.account(course.of_cohort(np.ones(len(course.place), dtype=np.bool_)), course.reasons, "", cohort),
        "basis": f"{'ratio to' if is_ratio else 'change from'} baseline, imputed values in it (least-squares mean)",
        "notes": (*course.notes, *((zeros,) if course.n_zero else ())),
    }
    if not len(course.place):
        return {**made, "status": Status.NOT_ESTIMABLE, "notes": (*made["notes"], "Nobody is left to be analysed.")}
    courses = _courses(course, estimand)
    model = ImputationModel(assumptions={DROPOUT: Assumption(analysis.assumption)}, reference=b)
    ancova = Ancova(arms=(b, a), contrasts=(Contrast(name=name, weights={a: 1.0, b: -1.0}),))
    estimator: ConditionalMean | MultipleImputation
    if analysis.method is Method.CONDITIONAL_MEAN:
        estimator = ConditionalMean(model=model, analysis=ancova, visits=(endpoint.visit,))
        how = "normal, jackknife over subjects"
    else:
        estimator = MultipleImputation(
            model=model, analysis=ancova, visits=(endpoint.visit,), n=_IMPUTATIONS, seed=seed
        )
        how = f"Rubin's rules over {_IMPUTATIONS} imputations"
    completion = estimator.complete(courses, within(f"{estimand.label}: imputing"))
    fit = completion if isinstance(completion, ImputationFit) else completion.analysed()
    if isinstance(completion, ImputationFit) or not fit.fit.is_ok:
        return {**made, "status": fit.fit.status, "notes": (*made["notes"], fit.fit.message)}
    effect = fit.effect(name, endpoint.visit)
    means = [fit.ls_mean(arm, endpoint.visit) for arm in (a, b)]
    n_imputed = int(np.isnan(courses.response[:, -1]).sum())
    return {
        **made,
        "groups": with_means(made["groups"], means, is_ratio=is_ratio),
        **estimated(effect, is_ratio=is_ratio),
        "test": "z" if effect.df == float("inf") else f"t, {effect.df:.0f} degrees of freedom",
        "interval": how + (", on logarithms" if is_ratio else ""),
        "notes": (
            *made["notes"],
            f"{n_imputed} of {courses.n_patients} values at {endpoint.visit} imputed: {analysis.assumption}.",
            *tipped(analysis, estimator, completion, name, protocol, within(f"{estimand.label}: tipping point")),
        ),
    }


def _courses(course: Course, estimand: Estimand) -> Courses:
    """As the estimators take them, with who left and when."""
    n_visits = len(course.visits)
    is_measured = course.why == Missing.PRESENT  # who was measured as 0 was there
    first_after = _first_after(np.asarray(is_measured), course.why)
    return Courses(
        response=course.response,
        arm=np.where(course.is_active, *estimand.compare),
        visits=course.visits,
        event=np.where(first_after < n_visits, DROPOUT, ""),
        first_after=first_after,
        covariates={**({"baseline": course.baseline} if course.by.has_baseline else {}), **course.by.numbers},
        factors=course.by.factors,
    )


def _first_after(seen: NDArray[np.bool_], why: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first visit after a subject died, withdrew or was lost; the number of visits for those who did not.

    Where the data say of nobody that they left, whoever was not seen again is taken to have left after the last visit
    seen.

    Args:
        seen: (subject, visit)
        why: codes of ``Missing``  # (subject, visit)
    """
    n_visits = seen.shape[1]
    last_seen = np.where(seen.any(axis=1), n_visits - np.argmax(seen[:, ::-1], axis=1), 0)
    left = np.isin(why, [int(code) for code in Missing if code is Missing.DEAD or code.has_left])
    if not left.any():
        return np.asarray(last_seen, dtype=np.int64)
    first = np.where(left.any(axis=1), np.argmax(left, axis=1), n_visits)
    return np.asarray(np.maximum(first, np.where(left.any(axis=1), last_seen, first)), dtype=np.int64)
