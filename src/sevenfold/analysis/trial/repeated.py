"""The repeated-measures model of the plan: every visit against baseline, under missing at random.

It takes those who died as if they had lived on like the others, so it is printed as hypothetical and never stands
alone.
"""

from collections.abc import Callable
from dataclasses import replace
from math import exp
from typing import Any, Final

import numpy as np

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
from sevenfold.analysis.trial.prepared import compared, prepared
from sevenfold.cohort.cohort import Cohort
from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.protocol.endpoint import ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["repeated_measures"]

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
    is_ratio = isinstance(endpoint, FoldEndpoint)
    a, b = estimand.compare
    sides = compared(estimand, cohort, protocol)
    course = prepared(endpoint, analysis, sides, cohort, protocol)
    visits, by, seen = course.visits, course.by, np.isfinite(course.response)
    is_used = course.of_cohort(np.asarray(seen.any(axis=1)))
    made = {
        **sides.account(is_used, course.reasons, "no value after baseline", cohort),
        "basis": f"{'ratio to' if is_ratio else 'change from'} baseline as the model has it (least-squares mean), "
        "everybody with a later value in it",
        "notes": (
            *course.notes,
            *((f"Values of 0 have no ratio and are taken as missing: {course.n_zero}.",) if course.n_zero else ()),
        ),
    }
    if not seen.any():
        return {
            **made,
            "status": Status.NOT_ESTIMABLE,
            "notes": (*made["notes"], "Nobody has a value after baseline."),
        }
    at, when = np.nonzero(seen)
    covariates: list[Covariate | Factor] = []
    if by.has_baseline:
        name = "log baseline" if is_ratio else "baseline"
        covariates.append(Covariate(name=name, values=course.baseline[at], is_by_visit=True))
    covariates += [Covariate(name=name, values=column[at]) for name, column in by.numbers.items()]
    for name, words in by.factors.items():
        levels, codes = np.unique(words[at], return_inverse=True)
        covariates.append(Factor(name=name, values=codes, levels=tuple(levels.tolist())))
    try:
        model = trial_model(
            course.response[seen],
            subject=at,
            arm=course.is_active[at].astype(np.intp),
            visit=when,
            arms=(b, a),
            visits=visits,
            covariates=covariates,
        )
        order = analysis.fallback or ("unstructured",)
        tried = fit_with_fallback(model.data, [_ATTEMPTS[name] for name in order])
    except (InvalidDesign, InvalidInput) as error:  # an arm or a visit without a single measurement
        return {**made, "status": Status.SINGULAR, "notes": (*made["notes"], str(error))}
    if not tried.fit.is_ok:
        return {**made, "status": tried.fit.status, "notes": (*made["notes"], *tried.account)}
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
            *made["notes"],
            f"Visits {', '.join(visits)}; missing at random.",
            *(f"Tried: {line}." for line in tried.account),
        ),
    }
