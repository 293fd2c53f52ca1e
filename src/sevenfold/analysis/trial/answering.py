"""Each planned analysis answered by its method."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from math import exp, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sevenfold.analysis.ancova import Ancova, Contrast, Scale
from sevenfold.analysis.effect import Status
from sevenfold.analysis.exact_test import boschloo
from sevenfold.analysis.geometric import geometric_mean
from sevenfold.analysis.proportion import clopper_pearson
from sevenfold.analysis.proportion_difference import ProportionDifference, chan_zhang
from sevenfold.analysis.standardised import RiskVariance, Standardised
from sevenfold.analysis.survivor import Monotone, survivor_bounds
from sevenfold.analysis.trial.adjusting import Adjustment, adjustment
from sevenfold.analysis.trial.estimates import Answer, GroupAnswer
from sevenfold.analysis.trial.imputed import Within, imputed, unwatched
from sevenfold.analysis.trial.incidence import incidence
from sevenfold.analysis.trial.prepared import NO_BASELINE, NO_COVARIATE
from sevenfold.analysis.trial.prioritised import prioritised
from sevenfold.analysis.trial.ranked import ranked, rerandomised
from sevenfold.analysis.trial.repeated import repeated_measures
from sevenfold.analysis.trial.response import Responses, responses
from sevenfold.analysis.trial.timed import hazards, restricted_means
from sevenfold.analysis.trial.told import estimated
from sevenfold.analysis.trial.unknown_outcomes import unknown_outcomes
from sevenfold.analysis.two_binomials import Table
from sevenfold.cohort.cohort import Cohort
from sevenfold.errors import InvalidInput
from sevenfold.protocol.endpoint import Estimand, FoldEndpoint, Intercurrent, Strategy, Summary
from sevenfold.protocol.plan import Analysis, Method, OnlyIf
from sevenfold.protocol.protocol import Protocol

__all__ = ["answer", "strategy_in_words"]

Floats = NDArray[np.float64]

_LEVEL: Final = 0.95
_RESAMPLES: Final = 2000
_Found = dict[str, Any]
_BASES: Final = {
    Summary.RATIO_OF_GEOMETRIC_MEANS: "geometric mean ratio to baseline as seen",
    Summary.DIFFERENCE_OF_MEANS: "mean as seen",
    Summary.DIFFERENCE_OF_PROPORTIONS: "share as seen",
    Summary.HAZARD_RATIO: "share with the event during follow-up",
    Summary.DIFFERENCE_OF_RESTRICTED_MEANS: "days free of the event",
    Summary.SHIFT_OF_LOCATION: "median as seen",
    Summary.WIN_RATIO: "median of those alive with a value",
}

_OF_RESPONSES: Final = frozenset(
    {Method.ANCOVA, Method.EXACT_TEST, Method.RANK_SUM, Method.STANDARDISED, Method.RANDOMISATION_TEST}
)
"""Methods that compare one value a subject, of which each group needs one."""

_POOLED: Final = "how much subjects vary is taken from the other group"
_ASYMPTOTIC: Final = "the test and its interval hold for large groups and are not to be relied on"
_SOLE: Final = {
    Method.ANCOVA: _POOLED,
    Method.REPEATED_MEASURES: _POOLED,
    Method.IMPUTATION: _POOLED,
    Method.CONDITIONAL_MEAN: _ASYMPTOTIC,
    Method.RANK_SUM: _ASYMPTOTIC,
    Method.COX: _ASYMPTOTIC,
    Method.LOG_RANK: _ASYMPTOTIC,
    Method.CUMULATIVE_INCIDENCE: _ASYMPTOTIC,
    Method.RESTRICTED_MEAN: _ASYMPTOTIC,
}
"""By methods that answer it; exact and randomisation tests hold as they are, the others refuse a single subject."""


def answer(analysis: Analysis, cohort: Cohort, protocol: Protocol, seed: int, within: Within = unwatched) -> Answer:
    """Answer one analysis of the plan.

    Args:
        seed: of the bootstrap that the survivors' bounds need.
        within: opens what is told how far an analysis has come that may take long.
    """
    estimand = protocol.estimand(analysis.estimand)
    found = responses(estimand, cohort, protocol)
    by = adjustment(analysis.covariates, cohort, protocol, found.place, found.is_used)
    found = found if by.is_known is None else found.where(by.is_known, NO_COVARIATE)
    if by.has_baseline and analysis.method in (Method.ANCOVA, Method.STANDARDISED):
        found = found.where(np.isfinite(found.baseline), NO_BASELINE)
        if _is_log_baseline(estimand, analysis):
            found = found.where(found.baseline > 0.0, "a baseline of 0 has no logarithm")
    methods: Mapping[Method, Callable[[], _Found]] = {
        Method.ANCOVA: lambda: _ancova(estimand, found, by),
        Method.REPEATED_MEASURES: lambda: repeated_measures(estimand, analysis, cohort, protocol),
        Method.EXACT_TEST: lambda: _exact(estimand, found, protocol),
        Method.SURVIVOR_AVERAGE: lambda: _survivors(estimand, found, seed, protocol),
        Method.CUMULATIVE_INCIDENCE: lambda: incidence(estimand, cohort, protocol),
        Method.COX: lambda: hazards(estimand, analysis, found, by, cohort, protocol),
        Method.LOG_RANK: lambda: hazards(estimand, analysis, found, by, cohort, protocol),
        Method.RESTRICTED_MEAN: lambda: restricted_means(estimand, found, cohort, protocol),
        Method.RANK_SUM: lambda: ranked(analysis, found, cohort),
        Method.IMPUTATION: lambda: imputed(estimand, analysis, cohort, protocol, seed, within),
        Method.CONDITIONAL_MEAN: lambda: imputed(estimand, analysis, cohort, protocol, seed, within),
        Method.STANDARDISED: lambda: _standardised(estimand, found, by, protocol),
        Method.WIN_RATIO: lambda: prioritised(estimand, analysis, found, cohort, protocol),
        Method.RANDOMISATION_TEST: lambda: rerandomised(estimand, found, cohort, protocol, seed),
    }
    scale = {
        Summary.RATIO_OF_GEOMETRIC_MEANS: "ratio",
        Summary.DIFFERENCE_OF_MEANS: "difference",
        Summary.DIFFERENCE_OF_PROPORTIONS: "difference of proportions",
        Summary.HAZARD_RATIO: "hazard ratio",
        Summary.DIFFERENCE_OF_RESTRICTED_MEANS: "difference",
        Summary.SHIFT_OF_LOCATION: "difference",
        Summary.WIN_RATIO: "win ratio",
    }[estimand.summary]
    made: _Found = {
        "groups": _groups(estimand, found),
        "basis": _BASES[estimand.summary],
        "left_out": found.left_out,
        "n_used_by_arm": found.n_used_by_arm,
        "condition": _condition(analysis.only_if, cohort, protocol),
    }
    empty = [] if analysis.method not in _OF_RESPONSES else [g.group for g in made["groups"] if not g.n_used]
    try:
        if empty:
            nobody = " and nobody of ".join(protocol.group_label(name) for name in empty)
            made |= {"status": Status.TOO_FEW, "notes": (*by.notes, f"Nobody of {nobody} has a value to be compared.")}
        else:
            made |= methods[analysis.method]()
    except InvalidInput as error:  # such as a trial so small that one group is empty: said in its row, not in its place
        made |= {"status": Status.NOT_ESTIMABLE, "notes": (str(error),)}
    made["notes"] = tuple(dict.fromkeys((*found.notes, *made.get("notes", ()), *_sole(analysis, made, protocol))))
    return Answer(
        estimand=estimand.id,
        label=estimand.label,
        role=estimand.role,
        method=analysis.method.value,
        strategy=strategy_in_words(estimand),
        is_hypothetical=estimand.intercurrent[Intercurrent.DEATH] is Strategy.HYPOTHETICAL,
        scale=scale,  # type: ignore[arg-type]
        **made,
    )


def _is_log_baseline(estimand: Estimand, analysis: Analysis) -> bool:
    """Whether baseline enters the model as a logarithm: for ratios, and for responders, who rise by a ratio."""
    return analysis.method is Method.STANDARDISED or estimand.summary is Summary.RATIO_OF_GEOMETRIC_MEANS


def _sole(analysis: Analysis, made: _Found, protocol: Protocol) -> tuple[str, ...]:
    """What it means for an answer that a group is a single subject, who varies about nothing."""
    if made["status"] is not Status.OK or analysis.method not in _SOLE:
        return ()
    return tuple(
        f"Only one subject of {protocol.group_label(group.group)} is in it: {_SOLE[analysis.method]}."
        for group in made["groups"]
        if group.n_used == 1
    )


def strategy_in_words(estimand: Estimand) -> str:
    """How every intercurrent event is dealt with."""
    return "; ".join(f"{event.value}: {strategy.value}" for event, strategy in estimand.intercurrent.items())


def _groups(estimand: Estimand, found: Responses) -> tuple[GroupAnswer, GroupAnswer]:
    sides = []
    for name, members in zip(estimand.compare, (found.is_active, ~found.is_active), strict=True):
        values = found.value[members & found.is_used]
        n, n_used = int(members.sum()), len(values)
        shown: _Found = {"value": None, "lower": None, "upper": None}
        if estimand.summary is Summary.DIFFERENCE_OF_PROPORTIONS and n_used:
            share = clopper_pearson(int(values.sum()), n_used)
            shown = {
                "value": share.estimate,
                "lower": share.interval.lower,
                "upper": share.interval.upper,
                "n_events": int(values.sum()),
            }
        elif estimand.summary is Summary.RATIO_OF_GEOMETRIC_MEANS and n_used:
            mean = geometric_mean(values)
            if mean.fit.is_ok:
                ratio = mean.ratio(_LEVEL)
                shown = {"value": ratio.estimate, "lower": ratio.interval.lower, "upper": ratio.interval.upper}
        elif estimand.summary in (Summary.SHIFT_OF_LOCATION, Summary.WIN_RATIO) and n_used:
            shown = {"value": float(np.median(values)), "lower": None, "upper": None}
        elif n_used > 1:
            mean_value, se = float(values.mean()), float(values.std(ddof=1)) / sqrt(n_used)
            half = _student(n_used - 1) * se
            shown = {"value": mean_value, "lower": mean_value - half, "upper": mean_value + half}
        sides.append(GroupAnswer(group=name, n=n, n_used=n_used, **shown))
    return sides[0], sides[1]


def _student(df: float) -> float:
    return float(stdtrit(df, 0.5 + _LEVEL / 2.0))


def _ancova(estimand: Estimand, found: Responses, by: Adjustment) -> _Found:
    is_ratio = estimand.summary is Summary.RATIO_OF_GEOMETRIC_MEANS
    a, b = estimand.compare
    covariates, factors, notes = dict(by.numbers), by.factors, list(by.notes)
    if by.has_baseline:
        covariates = {"baseline": _logarithms(found.baseline) if is_ratio else found.baseline, **covariates}
    model = Ancova(
        arms=(b, a),
        contrasts=(Contrast(name=f"{a} against {b}", weights={a: 1.0, b: -1.0}),),
        scale=Scale.LOG if is_ratio else Scale.IDENTITY,
    )
    arm = np.where(found.is_active, a, b)
    fit = model.fit(found.value, arm, covariates=covariates, factors=factors)
    if not fit.fit.is_ok:
        return {"status": fit.fit.status, "notes": (*notes, fit.fit.message)}
    effect = fit.effect(f"{a} against {b}")
    adjusted = ", ".join(
        ["log baseline" if is_ratio and name == "baseline" else name for name in covariates] + list(factors)
    )
    return {
        **estimated(effect, is_ratio=is_ratio),
        "test": f"t, {effect.df:.0f} degrees of freedom",
        "interval": "Student's t" + (" on logarithms" if is_ratio else ""),
        "notes": (*notes, f"Adjusted for {adjusted}.") if adjusted else tuple(notes),
    }


def _logarithms(values: Floats) -> Floats:
    """Of positive values; a count of 0 has none, and no ratio to it either."""
    return np.asarray(np.log(np.where(values > 0.0, values, np.nan)))


def _exact(estimand: Estimand, found: Responses, protocol: Protocol) -> _Found:
    counts = [
        (int(found.value[members & found.is_used].sum()), int((members & found.is_used).sum()))
        for members in (found.is_active, ~found.is_active)
    ]
    (events_a, n_a), (events_b, n_b) = counts
    table = Table(events_a=events_a, n_a=n_a, events_b=events_b, n_b=n_b)
    difference, p_value = _difference(table), _boschloo_p(table)
    return {
        "status": Status.OK,
        "value": difference.estimate,
        "lower": difference.interval.lower,
        "upper": difference.interval.upper,
        "p_value": p_value,
        "test": "Boschloo's exact unconditional test, two-sided",
        "interval": "Chan-Zhang exact unconditional",
        "notes": unknown_outcomes(estimand, found, protocol),
    }


@lru_cache(maxsize=4096)
def _boschloo_p(table: Table) -> float:
    """Of one table; simulated trials meet the same tables again and again."""
    return boschloo(table).p_value


@lru_cache(maxsize=4096)
def _difference(table: Table) -> ProportionDifference:
    return chan_zhang(table, _LEVEL)


def _standardised(estimand: Estimand, found: Responses, by: Adjustment, protocol: Protocol) -> _Found:
    """The difference of risks that a logistic model gives the whole trial, by either group."""
    a, b = estimand.compare
    used = found.is_used
    covariates: dict[str, Floats] = {name: column[used] for name, column in by.numbers.items()}
    if by.has_baseline:
        covariates = {"log baseline": np.log(found.baseline[used]), **covariates}
    fit = Standardised(arms=(a, b), variance=RiskVariance.YE).fit(
        found.value[used] > 0.5,
        np.where(found.is_active[used], a, b),
        covariates=covariates,
        factors={name: words[used] for name, words in by.factors.items()},
    )
    if not fit.fit.is_ok:
        return {"status": fit.fit.status, "notes": (*by.notes, fit.fit.message)}
    effect, ratio, odds = fit.difference(a, b), fit.risk_ratio(a, b, _LEVEL), fit.odds_ratio(a, b, _LEVEL)
    lower, upper = effect.interval(_LEVEL)
    adjusted = ", ".join([*covariates, *by.factors])
    return {
        "status": Status.OK,
        "value": effect.estimate,
        "lower": lower,
        "upper": upper,
        "p_value": effect.p_value,
        "test": "z, standardised risks",
        "interval": "robust, covariates sampled (Ye)",
        "notes": (
            *unknown_outcomes(estimand, found, protocol),
            *by.notes,
            f"Adjusted for {adjusted}." if adjusted else "Not adjusted.",
            f"Risk ratio {ratio.estimate:.2f} ({ratio.interval.lower:.2f} to {ratio.interval.upper:.2f}), odds ratio "
            f"{odds.estimate:.2f} ({odds.interval.lower:.2f} to {odds.interval.upper:.2f}).",
        ),
    }


def _survivors(estimand: Estimand, found: Responses, seed: int, protocol: Protocol) -> _Found:
    chosen = found.is_used | ~found.is_alive
    outcome = np.where(found.is_alive, np.log(np.where(found.is_used, found.value, 1.0)), np.nan)
    result = survivor_bounds(
        outcome[chosen],
        found.is_active[chosen],
        found.is_alive[chosen],
        monotone=Monotone.NONE,
        rng=np.random.default_rng(seed),
        n_resamples=_RESAMPLES,
    )
    sides = (found.is_active, ~found.is_active)
    made: _Found = {
        "groups": tuple(
            replace(shown, n_used=int((side & chosen).sum()))
            for shown, side in zip(_groups(estimand, found), sides, strict=True)
        ),
        "basis": "geometric mean ratio to baseline of the survivors as seen; n counts survivors and dead",
        "n_used_by_arm": {
            str(arm): int((chosen & (found.arm == arm)).sum()) for arm in sorted(set(found.arm.tolist()))
        },
        "left_out": {why: n for why, n in found.left_out.items() if why != "dead"},
    }
    notes = (
        "Nothing is assumed about whom the treatment saves or harms (Zhang-Rubin bounds without monotonicity).",
        *(
            f"{label}: {(side & found.is_used).sum()} alive with a value, {(side & ~found.is_alive).sum()} dead."
            for label, side in zip(map(protocol.group_label, estimand.compare), sides, strict=True)
        ),
    )
    if result.found is not None:
        made["bounds"] = (exp(result.found.lower), exp(result.found.upper))
    if not result.fit.is_ok:
        return {**made, "status": result.fit.status, "notes": (*notes, result.fit.message)}
    interval = result.interval
    return {
        **made,
        "status": Status.OK,
        "lower": exp(interval.lower),
        "upper": exp(interval.upper),
        "interval": f"{interval.method}, {_RESAMPLES} resamples",
        "notes": notes,
    }


def _condition(only_if: OnlyIf | None, cohort: Cohort, protocol: Protocol) -> tuple[str, bool] | None:
    if only_if is None:
        return None
    endpoint = protocol.endpoint(only_if.endpoint)
    assert isinstance(endpoint, FoldEndpoint)
    asked = next(e for e in protocol.estimands if e.endpoint == endpoint.id and only_if.group in e.compare)
    plain = asked.model_copy(update={"intercurrent": {Intercurrent.DEATH: Strategy.IN_THOSE_ALIVE}})
    found = responses(plain, cohort, protocol)
    members = found.is_active if asked.compare[0] == only_if.group else ~found.is_active
    values = found.value[members & found.is_used]
    if not len(values):
        return f"{protocol.group_label(only_if.group)}: no values", False
    rise = exp(float(np.log(values).mean())) - 1.0
    holds = rise >= only_if.rise_at_least
    words = "reached" if holds else "did not reach"
    label = protocol.group_label(only_if.group)
    return f"{label} rose by {rise:.0%} (geometric mean) and {words} {only_if.rise_at_least:.0%}", holds
