"""The repeated-measures model of the plan: every visit against baseline, under missing at random.

It takes those who died as if they had lived on like the others, so it is printed as hypothetical and never stands
alone.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import exp
from typing import Any, Final, final

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
from sevenfold.analysis.trial.estimates import Attempt, GroupAnswer
from sevenfold.cohort.cohort import Cohort
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged
from sevenfold.protocol.endpoint import AnalysisSet, ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["Laid", "attempts_of", "laid_over", "planned_visits", "repeated_measures", "who"]

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_ATTEMPTS: Final = {
    "unstructured": Mmrm(covariance=Unstructured()),
    "heterogeneous toeplitz": Mmrm(covariance=Toeplitz(is_heterogeneous=True)),
    "heterogeneous ar1": Mmrm(covariance=Autoregressive(is_heterogeneous=True)),
    "compound symmetry": Mmrm(covariance=CompoundSymmetry(), freedom=Satterthwaite(), empirical=Empirical.CR2),
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """The model laid over one trial, not yet fitted.

    Args:
        groups: the comparison's, as the estimand has them.
        response: nan where there is none  # (subject, visit).
        is_active: in the first of the groups  # (subject,).
        baseline: on the scale of the response; None where the plan does not adjust for it  # (subject,).
        numbers: name -> (subject,), nan where it is not known.
        factors: name -> levels, and their places, -1 where it is not known  # (subject,).
        notes: what was left out, and why.
        found: the fields of an ``Answer`` that are known before the fit.
    """

    groups: tuple[str, str]
    visits: tuple[str, ...]
    visit: str
    is_ratio: bool
    response: Floats
    is_active: Flags
    baseline: Floats | None
    numbers: Mapping[str, Floats]
    factors: Mapping[str, tuple[tuple[str, ...], NDArray[np.intp]]]
    notes: tuple[str, ...]
    found: Mapping[str, Any]

    @property
    def name_of_baseline(self) -> str:
        """As the model calls it."""
        return "log baseline" if self.is_ratio else "baseline"


def laid_over(estimand: Estimand, analysis: Analysis, cohort: Cohort, protocol: Protocol) -> Laid | dict[str, Any]:
    """The model of one trial; where there is none to lay, the fields of its ``Answer``."""
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
    is_used = np.zeros(cohort.n_subjects, dtype=np.bool_)
    is_used[people[np.isfinite(response).any(axis=1)]] = True
    is_zero = (before <= 0.0) & is_ratio
    reasons = {
        "no baseline": ~np.isfinite(before),
        "a value of 0 has no ratio": is_zero,
        "a covariate is not known": is_unknown,
    }
    made = who(estimand, (active & chosen, control & chosen), is_used, cohort, reasons, is_ratio=is_ratio)
    if not is_used.any():
        return {**made, "status": Status.NOT_ESTIMABLE, "notes": ("Nobody has a value after baseline.",)}
    factors = {}
    for name, words in by.factors.items():
        levels = tuple(sorted(set(words.tolist()) - {""}))
        factors[name] = levels, np.array([levels.index(w) if w else -1 for w in words.tolist()], dtype=np.intp)
    return Laid(
        groups=(a, b),
        visits=visits,
        visit=endpoint.visit,
        is_ratio=is_ratio,
        response=response,
        is_active=active[people],
        baseline=baseline if by.has_baseline else None,
        numbers=by.numbers,
        factors=factors,
        notes=by.notes,
        found=made,
    )


def attempts_of(analysis: Analysis) -> tuple[Mmrm, ...]:
    """The plan's fits, in the order in which they are tried."""
    return tuple(_ATTEMPTS[name] for name in analysis.fallback or ("unstructured",))


def repeated_measures(estimand: Estimand, analysis: Analysis, cohort: Cohort, protocol: Protocol) -> dict[str, Any]:
    """The contrast at the endpoint's visit, as the fields of an ``Answer``."""
    laid = laid_over(estimand, analysis, cohort, protocol)
    if not isinstance(laid, Laid):
        return laid
    (a, b), made = laid.groups, dict(laid.found)
    subject, visit = np.indices(laid.response.shape)
    long = np.isfinite(laid.response).ravel()
    at, when = subject.ravel()[long], visit.ravel()[long]
    covariates: list[Covariate | Factor] = []
    if laid.baseline is not None:
        covariates.append(Covariate(name=laid.name_of_baseline, values=laid.baseline[at], is_by_visit=True))
    covariates += [Covariate(name=name, values=column[at]) for name, column in laid.numbers.items()]
    covariates += [Factor(name=name, values=codes[at], levels=levels) for name, (levels, codes) in laid.factors.items()]
    try:
        model = trial_model(
            laid.response.ravel()[long],
            subject=at,
            arm=laid.is_active[at].astype(np.intp),
            visit=when,
            arms=(b, a),
            visits=laid.visits,
            covariates=covariates,
        )
        tried = fit_with_fallback(model.data, attempts_of(analysis))
    except (InvalidDesign, InvalidInput) as error:  # an arm or a visit without a single measurement
        return {**made, "status": Status.SINGULAR, "notes": (str(error),)}
    made["attempts"] = tuple(
        Attempt(settings=one.settings.label, status=one.status) for one in (*tried.failed, tried.fit)
    )
    if not tried.fit.is_ok:
        return {**made, "status": tried.fit.status, "notes": tried.account}
    try:
        effect = tried.fit.contrast(model.difference(a, b, laid.visit), f"{a} against {b}")
        means = [tried.fit.contrast(model.mean(name, laid.visit), name) for name in (a, b)]
    except NotConverged as error:
        return {**made, "status": Status.NOT_ESTIMABLE, "notes": (*tried.account, str(error))}
    lower, upper = effect.interval()
    told: Callable[[float], float] = exp if laid.is_ratio else float
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
        "interval": "Student's t" + (" on logarithms" if laid.is_ratio else ""),
        "notes": (
            *laid.notes,
            f"Visits {', '.join(laid.visits)}; missing at random.",
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
