"""Imputation in the plan: what the unseen values of those who stopped are taken to be, and what follows.

A subject who died or left is imputed from then on by the plan's assumption; gaps of the others, and before that, are
missing at random. Where the data say of nobody that they left, whoever was not seen again counts as having left.
Under missing at random the answer is that had all stayed (and lived); under an assumption that refers to the control
group it is that of the policy, had those who stopped fared as that group does.

Source: docs/theory/imputation.md.
"""

from collections.abc import Callable
from dataclasses import replace
from math import exp
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
    ImputationModel,
    MultipleImputation,
    TippingPoint,
)
from sevenfold.analysis.trial.adjusting import adjustment
from sevenfold.analysis.trial.repeated import planned_visits, who
from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.protocol.endpoint import AnalysisSet, ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis, Method
from sevenfold.protocol.protocol import Protocol

__all__ = ["imputed"]

Floats = NDArray[np.float64]

_IMPUTATIONS: Final = 200


def imputed(estimand: Estimand, analysis: Analysis, cohort: Cohort, protocol: Protocol, seed: int) -> dict[str, Any]:
    """The contrast at the endpoint's visit, as the fields of an ``Answer``."""
    endpoint = protocol.endpoint(estimand.endpoint)
    assert isinstance(endpoint, (FoldEndpoint, ChangeEndpoint))
    assert analysis.assumption is not None
    a, b = estimand.compare
    name = f"{a} against {b}"
    is_ratio = isinstance(endpoint, FoldEndpoint)
    courses, is_used, sides = _courses(estimand, analysis, cohort, protocol)
    before = cohort.baseline[endpoint.assessments[0]][0]
    is_zero, is_known = (before <= 0.0) & is_ratio, np.isfinite(before)
    reasons = {"no baseline": ~is_known, "a value of 0 has no ratio": is_zero, "a covariate is not known": is_known}
    made = who(estimand, sides, is_used, cohort, reasons, is_ratio=is_ratio)
    n_completed = int((is_used & (sides[0] | sides[1])).sum())
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
    fit = estimator.fit(courses)
    if not fit.fit.is_ok:
        return {**made, "status": fit.fit.status, "notes": (fit.fit.message,)}
    effect = fit.effect(name, endpoint.visit)
    told: Callable[[float], float] = exp if is_ratio else float
    lower, upper = effect.interval()
    means = [fit.ls_mean(arm, endpoint.visit) for arm in (a, b)]
    n_imputed = int(np.isnan(courses.response[:, -1]).sum())
    return {
        **made,
        "groups": tuple(
            replace(group, value=told(mean.estimate), lower=told(mean.interval()[0]), upper=told(mean.interval()[1]))
            for group, mean in zip(made["groups"], means, strict=True)
        ),
        "basis": f"{'ratio to' if is_ratio else 'change from'} baseline, imputed values in it (least-squares mean)",
        "status": Status.OK,
        "value": told(effect.estimate),
        "lower": told(lower),
        "upper": told(upper),
        "p_value": effect.p_value,
        "test": "z" if effect.df == float("inf") else f"t, {effect.df:.0f} degrees of freedom",
        "interval": how + (", on logarithms" if is_ratio else ""),
        "notes": (
            f"{n_imputed} of {n_completed} values at {endpoint.visit} imputed: {analysis.assumption}.",
            *_tipping(analysis, estimator, name, endpoint.visit, courses, a),
        ),
    }


def _courses(
    estimand: Estimand, analysis: Analysis, cohort: Cohort, protocol: Protocol
) -> tuple[Courses, NDArray[np.bool_], tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Courses of those with a baseline and known covariates; who they are in the cohort; the two groups."""
    endpoint = protocol.endpoint(estimand.endpoint)
    assert isinstance(endpoint, (FoldEndpoint, ChangeEndpoint))
    variable = endpoint.assessments[0]
    is_ratio = isinstance(endpoint, FoldEndpoint)
    visits = planned_visits(variable, endpoint.visit, protocol)
    assignment = cohort.revealed()
    active, control = (assignment.is_in(protocol.groups[name])[0] for name in estimand.compare)
    if estimand.analysis_set is AnalysisSet.DOSED:
        active, control = active & (cohort.n_doses[0] > 0), control & (cohort.n_doses[0] > 0)
    before = cohort.baseline[variable][0]
    people = np.flatnonzero((active | control) & np.isfinite(before) & ((before > 0.0) | (not is_ratio)))
    values = np.stack([cohort.at(variable, visit)[0][people] for visit in visits], axis=1)  # (subject, visit)
    baseline = before[people]
    if is_ratio:
        values, baseline = np.log(np.where(values > 0.0, values, np.nan)), np.log(baseline)
    by = adjustment(analysis.covariates, cohort, protocol, people, np.isfinite(values).any(axis=1))
    known = np.ones(len(people), dtype=np.bool_) if by.is_known is None else by.is_known
    people, values, baseline = people[known], values[known] - baseline[known][:, None], baseline[known]
    seen = np.isfinite(values)
    first_after = _first_after(seen, np.stack([cohort.why_missing(variable, v)[0][people] for v in visits], axis=1))
    is_used = np.zeros(cohort.n_subjects, dtype=np.bool_)
    is_used[people] = True
    covariates = {name: column[known] for name, column in by.numbers.items()}
    if by.has_baseline:
        covariates = {"baseline": baseline, **covariates}
    courses = Courses(
        response=values,
        arm=np.where(active[people], *estimand.compare),
        visits=visits,
        event=np.where(first_after < len(visits), DROPOUT, ""),
        first_after=first_after,
        covariates=covariates,
        factors={name: words[known] for name, words in by.factors.items()},
    )
    return courses, is_used, (active, control)


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


def _tipping(
    analysis: Analysis,
    estimator: ConditionalMean | MultipleImputation,
    contrast: str,
    visit: str,
    courses: Courses,
    active: str,
) -> tuple[str, ...]:
    """How much worse the active group's unseen values would have to be for the conclusion to change."""
    if analysis.tipping_to is None:
        return ()
    sign = 1.0 if analysis.tipping_to > 0.0 else -1.0
    found = TippingPoint(
        estimator=estimator,
        contrast=contrast,
        visit=visit,
        along={active: sign},
        farthest=abs(analysis.tipping_to),
        grid={},
    ).fit(courses)
    if not found.fit.is_ok:
        return (f"No shift of the group's imputed values up to {analysis.tipping_to:g} changes the conclusion.",)
    shift = found.tipping_shift[active]
    return (f"The conclusion tips where {shift:+.3g} is added to every imputed value of the group in question.",)
