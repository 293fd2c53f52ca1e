"""The repeated-measures model of the plan: every visit against baseline, under missing at random.

It takes those who died as if they had lived on like the others, so it is printed as hypothetical and never stands
alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
from sevenfold.analysis.trial.estimates import Attempt
from sevenfold.analysis.trial.prepared import compared, prepared
from sevenfold.analysis.trial.told import estimated, with_means
from sevenfold.cohort.cohort import Cohort
from sevenfold.errors import InvalidDesign, InvalidInput, NotConverged
from sevenfold.protocol.endpoint import ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["Laid", "attempts_of", "laid_over", "repeated_measures"]

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
    is_ratio = isinstance(endpoint, FoldEndpoint)
    sides = compared(estimand, cohort, protocol)
    course = prepared(endpoint, analysis, sides, cohort, protocol)
    by, is_seen = course.by, np.asarray(np.isfinite(course.response).any(axis=1))
    zeros = f"Values of 0 have no ratio and are taken as missing: {course.n_zero}."
    notes = (*course.notes, *((zeros,) if course.n_zero else ()))
    made = {
        **sides.account(course.of_cohort(is_seen), course.reasons, "no value after baseline", cohort),
        "basis": f"{'ratio to' if is_ratio else 'change from'} baseline as the model has it (least-squares mean), "
        "everybody with a later value in it",
        "notes": notes,
    }
    if not is_seen.any():
        nobody = "Nobody has a value after baseline."
        return {**made, "status": Status.NOT_ESTIMABLE, "notes": (*notes, nobody)}
    factors = {}
    for name, words in by.factors.items():
        levels = tuple(sorted(set(words[is_seen].tolist())))
        factors[name] = (
            levels,
            np.array([levels.index(w) if w in levels else -1 for w in words.tolist()], dtype=np.intp),
        )
    return Laid(
        groups=estimand.compare,
        visits=course.visits,
        visit=endpoint.visit,
        is_ratio=is_ratio,
        response=course.response,
        is_active=course.is_active,
        baseline=course.baseline if by.has_baseline else None,
        numbers=by.numbers,
        factors=factors,
        notes=notes,
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
    seen = np.isfinite(laid.response)
    at, when = np.nonzero(seen)
    covariates: list[Covariate | Factor] = []
    if laid.baseline is not None:
        covariates.append(Covariate(name=laid.name_of_baseline, values=laid.baseline[at], is_by_visit=True))
    covariates += [Covariate(name=name, values=column[at]) for name, column in laid.numbers.items()]
    covariates += [Factor(name=name, values=codes[at], levels=levels) for name, (levels, codes) in laid.factors.items()]
    try:
        model = trial_model(
            laid.response[seen],
            subject=at,
            arm=laid.is_active[at].astype(np.intp),
            visit=when,
            arms=(b, a),
            visits=laid.visits,
            covariates=covariates,
        )
        tried = fit_with_fallback(model.data, attempts_of(analysis))
    except (InvalidDesign, InvalidInput) as error:  # an arm or a visit without a single measurement
        return {**made, "status": Status.SINGULAR, "notes": (*laid.notes, str(error))}
    made["attempts"] = tuple(
        Attempt(settings=one.settings.label, status=one.status) for one in (*tried.failed, tried.fit)
    )
    if not tried.fit.is_ok:
        return {**made, "status": tried.fit.status, "notes": (*laid.notes, *tried.account)}
    try:
        effect = tried.fit.contrast(model.difference(a, b, laid.visit), f"{a} against {b}")
        means = [tried.fit.contrast(model.mean(name, laid.visit), name) for name in (a, b)]
    except NotConverged as error:
        return {**made, "status": Status.NOT_ESTIMABLE, "notes": (*laid.notes, *tried.account, str(error))}
    return {
        **made,
        "groups": with_means(made["groups"], means, is_ratio=laid.is_ratio),
        **estimated(effect, is_ratio=laid.is_ratio),
        "test": f"t, {effect.df:.1f} degrees of freedom",
        "interval": "Student's t" + (" on logarithms" if laid.is_ratio else ""),
        "notes": (
            *laid.notes,
            f"Visits {', '.join(laid.visits)}; missing at random.",
            *(f"Tried: {line}." for line in tried.account),
        ),
    }
