"""The repeated-measures model of the plan: every visit's ratio to baseline, under missing at random.

It takes those who died as if they had lived on like the others, so it is printed as hypothetical and never stands
alone.
"""

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
from sevenfold.cohort.cohort import Cohort
from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.protocol.endpoint import Estimand, FoldEndpoint
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
    if not isinstance(endpoint, FoldEndpoint):
        return {"status": Status.NOT_ESTIMABLE, "notes": ("The repeated-measures model is for ratios to baseline.",)}
    a, b = estimand.compare
    visits = _visits(endpoint.fold, endpoint.visit, protocol)
    assignment = cohort.revealed()
    active, control = (assignment.is_in(protocol.groups[name])[0] for name in (a, b))
    people = np.flatnonzero((active | control) & np.isfinite(cohort.baseline[endpoint.fold][0]))
    baseline = np.log(cohort.baseline[endpoint.fold][0][people])
    response = np.stack(
        [np.log(cohort.at(endpoint.fold, visit)[0][people]) - baseline for visit in visits], axis=1
    )  # (subject, visit)
    subject, visit = np.indices(response.shape)
    long = np.isfinite(response).ravel()
    at, when = subject.ravel()[long], visit.ravel()[long]
    covariates: list[Covariate | Factor] = []
    if "baseline" in analysis.covariates:
        covariates.append(Covariate(name="log baseline", values=baseline[at], is_by_visit=True))
    countries = tuple(sorted({cohort.subjects[i].country for i in people}))
    if "country" in analysis.covariates and len(countries) > 1:
        country = np.array([countries.index(cohort.subjects[i].country) for i in people])
        covariates.append(Factor(name="country", values=country[at], levels=countries))
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
        return {"status": Status.SINGULAR, "notes": (str(error),)}
    if not tried.fit.is_ok:
        return {"status": tried.fit.status, "notes": tried.account}
    effect = tried.fit.contrast(model.difference(a, b, endpoint.visit), f"{a} against {b}")
    lower, upper = effect.interval()
    return {
        "status": Status.OK,
        "value": exp(effect.estimate),
        "lower": exp(lower),
        "upper": exp(upper),
        "p_value": effect.p_value,
        "test": f"t, {effect.df:.1f} degrees of freedom",
        "interval": "Student's t on logarithms",
        "notes": (f"Visits {', '.join(visits)}; missing at random.", *(f"Tried: {line}." for line in tried.account)),
        "left_out": {},
    }


def _visits(variable: str, last: str, protocol: Protocol) -> tuple[str, ...]:
    """The visits at which the variable is measured, after baseline and up to the one asked about."""
    names = [
        v.id
        for v in protocol.schedule.visits
        if variable in v.assessments and v.id != protocol.baseline.visit and v.hours_after_dose is None
    ]
    return tuple(names[: names.index(last) + 1])
