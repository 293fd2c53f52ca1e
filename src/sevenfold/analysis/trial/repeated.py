"""The repeated-measures model of the plan: every visit against baseline, under missing at random.

It takes those who died as if they had lived on like the others, so it is printed as hypothetical and never stands
alone.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import exp
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm import (
    Autoregressive,
    CompoundSymmetry,
    Covariate,
    Empirical,
    Factor,
    Mmrm,
    Satterthwaite,
    Toeplitz,
    Unstructured,
    fit_with_fallback,
    trial_model,
)
from sevenfold.analysis.trial.adjusting import adjustment
from sevenfold.analysis.trial.estimates import GroupAnswer
from sevenfold.cohort.cohort import Cohort
from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.protocol.endpoint import AnalysisSet, ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["planned_visits", "repeated_measures", "who"]

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_ATTEMPTS: Final = {
    "unstructured": Mmrm(covariance=Unstructured()),
    "heterogeneous toeplitz": Mmrm(covariance=Toeplitz(is_heterogeneous=True)),
    "heterogeneous ar1": Mmrm(covariance=Autoregressive(is_heterogeneous=True)),
    "compound symmetry": Mmrm(covariance=CompoundSymmetry(), freedom=Satterthwaite(), empirical=Empirical.CR2),
}


def repeated_measures(estimand: Estimand, analysis: Analysis, cohort: Cohort, protocol: Protocol) -> dict[str, Any]:
    """The contrast at the endpoint's visit, as the fields of an ``Answer``."""
    endpoint = protocol.endpoint(estimand.endpoint)
    if not isinstance(endpoint, (FoldEndpoint, ChangeEndpoint)):
        return {"status": Status.NOT_ESTIMABLE, "notes": ("The repeated-measures model is for ratios and changes.",)}
    variable = endpoint.assessments[0]
    is_ratio = isinstance(endpoint, FoldEndpoint)
    scaled: Callable[[Floats], Floats] = np.log if is_ratio else np.asarray
    a, b = estimand.compare
    visits = planned_visits(variable, endpoint.visit, protocol)
    assignment = cohort.revealed()
    active, control = (assignment.is_in(protocol.groups[name])[0] for name in (a, b))
    chosen = active | control
    if estimand.analysis_set is AnalysisSet.DOSED:
        chosen &= cohort.n_doses[0] > 0
    before = cohort.baseline[variable][0]
    people = np.flatnonzero(chosen & np.isfinite(before) & ((before > 0.0) | (not is_ratio)))
    baseline = scaled(cohort.baseline[variable][0][people])
    values = np.stack([cohort.at(variable, visit)[0][people] for visit in visits], axis=1)  # (subject, visit)
    if is_ratio:
        values = np.where(values == 0.0, np.nan, values)  # a value of 0 has no ratio
    response = scaled(values) - baseline[:, None]
    is_seen = np.asarray(np.isfinite(response).any(axis=1))
    by = adjustment(analysis.covariates, cohort, protocol, people, is_seen)
    is_unknown = np.zeros(cohort.n_subjects, dtype=np.bool_)
    if by.is_known is not None:
        is_unknown[people[~by.is_known]] = True
        response[~by.is_known] = np.nan
    subject, visit = np.indices(response.shape)
    long = np.isfinite(response).ravel()
    is_used = np.zeros(cohort.n_subjects, dtype=np.bool_)
    is_used[people[np.isfinite(response).any(axis=1)]] = True
    is_zero = (before <= 0.0) & is_ratio
    reasons = {
        "no baseline": ~np.isfinite(before),
        "a value of 0 has no ratio": is_zero,
        "a covariate is not known": is_unknown,
    }
    made = who(estimand, (active & chosen, control & chosen), is_used, cohort, reasons, is_ratio=is_ratio)
    if not long.any():
        return {**made, "status": Status.NOT_ESTIMABLE, "notes": ("Nobody has a value after baseline.",)}
    at, when = subject.ravel()[long], visit.ravel()[long]
    covariates: list[Covariate | Factor] = []
    if by.has_baseline:
        name = "log baseline" if is_ratio else "baseline"
        covariates.append(Covariate(name=name, values=baseline[at], is_by_visit=True))
    covariates += [Covariate(name=name, values=column[at]) for name, column in by.numbers.items()]
    for name, words in by.factors.items():
        levels = tuple(sorted(set(words.tolist()) - {""}))
        codes = np.array([levels.index(word) if word else -1 for word in words.tolist()])
        covariates.append(Factor(name=name, values=codes[at], levels=levels))
    try:
        model = trial_model(
            response.ravel()[long],
            subject=at,
            arm=active[people][at].astype(np.intp),
            visit=when,
            arms=(b, a),
            visits=visits,
            covariates=covariates,
        )
        order = analysis.fallback or ("unstructured",)
        tried = fit_with_fallback(model.data, [_ATTEMPTS[name] for name in order])
    except (InvalidDesign, InvalidInput) as error:  # an arm or a visit without a single measurement
        return {**made, "status": Status.SINGULAR, "notes": (str(error),)}
    if not tried.fit.is_ok:
        return {**made, "status": tried.fit.status, "notes": tried.account}
    effect = tried.fit.contrast(model.difference(a, b, endpoint.visit), f"{a} against {b}")
    lower, upper = effect.interval()
    told: Callable[[float], float] = exp if is_ratio else float
    means = [tried.fit.contrast(model.mean(name, endpoint.visit), name) for name in (a, b)]
    return {
        **made,
        "groups": tuple(
            replace(group, value=told(mean.estimate), lower=told(mean.interval()[0]), upper=told(mean.interval()[1]))
            for group, mean in zip(made["groups"], means, strict=True)
        ),
        "status": Status.OK,
        "value": told(effect.estimate),
        "lower": told(lower),
        "upper": told(upper),
        "p_value": effect.p_value,
        "test": f"t, {effect.df:.1f} degrees of freedom",
        "interval": "Student's t" + (" on logarithms" if is_ratio else ""),
        "notes": (
            *by.notes,
            f"Visits {', '.join(visits)}; missing at random.",
            *(f"Tried: {line}." for line in tried.account),
        ),
    }


def who(
    estimand: Estimand,
    sides: tuple[Flags, Flags],
    is_used: Flags,
    cohort: Cohort,
    reasons: Mapping[str, Flags],
    *,
    is_ratio: bool,
) -> dict[str, Any]:
    """On whom the model rests: everybody with a baseline and one later value, whatever became of them.

    Args:
        reasons: why a subject is left out, the first that holds -> (subject,); without one there is no later value.
    """
    assignment, either = cohort.revealed(), sides[0] | sides[1]
    left_out: Counter[str] = Counter()
    for place in np.flatnonzero(either & ~is_used):
        left_out[next((why for why, holds in reasons.items() if holds[place]), "no value after baseline")] += 1
    return {
        "groups": tuple(
            GroupAnswer(
                group=name,
                n=int(side.sum()),
                n_used=int((side & is_used).sum()),
                value=None,
                lower=None,
                upper=None,
            )
            for name, side in zip(estimand.compare, sides, strict=True)
        ),
        "basis": f"{'ratio to' if is_ratio else 'change from'} baseline as the model has it (least-squares mean), "
        "everybody with a later value in it",
        "n_used_by_arm": {
            arm: int((is_used & (assignment.arm[0] == place)).sum())
            for place, arm in enumerate(assignment.arms)
            if (either & (assignment.arm[0] == place)).any()
        },
        "left_out": dict(sorted(left_out.items())),
    }


def planned_visits(variable: str, last: str, protocol: Protocol) -> tuple[str, ...]:
    """The visits at which the variable is measured, after baseline and up to the one asked about."""
    names = [
        v.id
        for v in protocol.schedule.visits
        if variable in v.assessments and v.id != protocol.baseline.visit and v.hours_after_dose is None
    ]
    return tuple(names[: names.index(last) + 1])
