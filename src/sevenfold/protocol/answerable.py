"""Which method answers which question: endpoint, summary and the strategies that the method truly carries out.

A strategy is not a label. An analysis of covariance compares those who have a value, so it can't answer what would have
been had the dead lived; a repeated-measures model can't count the dead as failures. What a method does with each event
is written here once, and a plan that says otherwise is refused.

Source: ICH E9(R1); docs/theory/estimands.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from sevenfold.protocol.endpoint import (
    ChangeEndpoint,
    Endpoint,
    EventEndpoint,
    FoldEndpoint,
    Intercurrent,
    ResponderEndpoint,
    Strategy,
    Summary,
    TimeAboveEndpoint,
    TimeToEndpoint,
)
from sevenfold.protocol.part import contradiction
from sevenfold.protocol.plan import Method

if TYPE_CHECKING:
    from sevenfold.protocol.protocol import Protocol

__all__ = ["check_answerable", "strategies"]

_Strategies = frozenset[Strategy]
_POLICY: Final = frozenset({Strategy.TREATMENT_POLICY})
_IN_THE_VALUES: Final[Mapping[type, _Strategies]] = {
    FoldEndpoint: frozenset({Strategy.IN_THOSE_ALIVE}),
    ChangeEndpoint: frozenset({Strategy.IN_THOSE_ALIVE}),
    TimeAboveEndpoint: frozenset({Strategy.WHILE_ALIVE}),
}
_RANKED: Final[Mapping[type, _Strategies]] = {
    kind: _IN_THE_VALUES[kind] for kind in (ChangeEndpoint, TimeAboveEndpoint)
}
_TIMED: Final[Mapping[type, _Strategies]] = {TimeToEndpoint: frozenset({Strategy.WHILE_ALIVE, Strategy.COMPOSITE})}
_AS_IF_FOLLOWED: Final = frozenset({Strategy.HYPOTHETICAL})  # who is lost is taken as if followed on like the others


@final
@dataclass(frozen=True, slots=True)
class _Answers:
    """What a method answers: kinds of endpoint with what it does with death, summaries, and withdrawal."""

    death: Mapping[type, _Strategies]
    summaries: frozenset[Summary]
    withdrawal: _Strategies


_BINARY: Final[Mapping[type, _Strategies]] = {
    ResponderEndpoint: frozenset({Strategy.COMPOSITE, Strategy.IN_THOSE_ALIVE}),
    EventEndpoint: frozenset({Strategy.WHILE_ALIVE}),
}
_IMPUTED: Final = _Answers(
    {kind: frozenset({Strategy.HYPOTHETICAL}) for kind in (FoldEndpoint, ChangeEndpoint)},
    frozenset({Summary.RATIO_OF_GEOMETRIC_MEANS, Summary.DIFFERENCE_OF_MEANS}),
    frozenset({Strategy.HYPOTHETICAL, Strategy.TREATMENT_POLICY}),  # by the assumption, see check_answerable
)
_AS_IF_LIVED: Final = (Method.REPEATED_MEASURES, Method.IMPUTATION, Method.CONDITIONAL_MEAN)
_UNADJUSTED: Final = (
    Method.EXACT_TEST,
    Method.SURVIVOR_AVERAGE,
    Method.CUMULATIVE_INCIDENCE,
    Method.RESTRICTED_MEAN,
    Method.RANDOMISATION_TEST,  # its strata are those of the randomisation
)
_METHODS: Final = {
    Method.ANCOVA: _Answers(
        _IN_THE_VALUES, frozenset({Summary.RATIO_OF_GEOMETRIC_MEANS, Summary.DIFFERENCE_OF_MEANS}), _POLICY
    ),
    Method.REPEATED_MEASURES: _Answers(
        {kind: frozenset({Strategy.HYPOTHETICAL}) for kind in (FoldEndpoint, ChangeEndpoint)},
        frozenset({Summary.RATIO_OF_GEOMETRIC_MEANS, Summary.DIFFERENCE_OF_MEANS}),
        frozenset({Strategy.HYPOTHETICAL}),
    ),
    Method.SURVIVOR_AVERAGE: _Answers(
        {FoldEndpoint: frozenset({Strategy.PRINCIPAL_STRATUM})}, frozenset({Summary.RATIO_OF_GEOMETRIC_MEANS}), _POLICY
    ),
    Method.EXACT_TEST: _Answers(
        _BINARY,
        frozenset({Summary.DIFFERENCE_OF_PROPORTIONS}),
        _POLICY,
    ),
    Method.CUMULATIVE_INCIDENCE: _Answers(
        {EventEndpoint: frozenset({Strategy.WHILE_ALIVE})},
        frozenset({Summary.DIFFERENCE_OF_PROPORTIONS}),
        _AS_IF_FOLLOWED,
    ),
    Method.COX: _Answers(_TIMED, frozenset({Summary.HAZARD_RATIO}), _AS_IF_FOLLOWED),
    Method.LOG_RANK: _Answers(_TIMED, frozenset({Summary.HAZARD_RATIO}), _AS_IF_FOLLOWED),
    Method.RESTRICTED_MEAN: _Answers(
        {TimeToEndpoint: frozenset({Strategy.COMPOSITE})},
        frozenset({Summary.DIFFERENCE_OF_RESTRICTED_MEANS}),
        _AS_IF_FOLLOWED,
    ),
    Method.RANK_SUM: _Answers(_RANKED, frozenset({Summary.SHIFT_OF_LOCATION}), _POLICY),
    Method.IMPUTATION: _IMPUTED,
    Method.CONDITIONAL_MEAN: _IMPUTED,
    Method.STANDARDISED: _Answers(_BINARY, frozenset({Summary.DIFFERENCE_OF_PROPORTIONS}), _POLICY),
    Method.WIN_RATIO: _Answers(
        {kind: frozenset({Strategy.COMPOSITE}) for kind in (FoldEndpoint, ChangeEndpoint)},
        frozenset({Summary.WIN_RATIO}),
        _POLICY,
    ),
    Method.RANDOMISATION_TEST: _Answers(_RANKED, frozenset({Summary.SHIFT_OF_LOCATION}), _POLICY),
}


def strategies(method: Method, endpoint: Endpoint, event: Intercurrent) -> _Strategies:
    """The strategies for an event that a method carries out on an endpoint; none where it cannot answer it."""
    answers = _METHODS[method]
    if type(endpoint) not in answers.death:
        return frozenset()
    match event:
        case Intercurrent.DEATH:
            if "death" in endpoint.events:
                return frozenset({Strategy.COMPOSITE})  # the event itself
            return answers.death[type(endpoint)]
        case Intercurrent.WITHDRAWAL:
            if isinstance(endpoint, ResponderEndpoint):
                return answers.withdrawal | {Strategy.COMPOSITE}
            return answers.withdrawal
        case Intercurrent.DISCHARGE:
            return frozenset({Strategy.WHILE_IN_HOSPITAL}) if _ends_at_discharge(endpoint) else _POLICY
        case Intercurrent.STOPPED_DOSING:
            return _POLICY


def check_answerable(protocol: "Protocol") -> None:
    """Refuse a plan in which a method does not answer its question.

    Raises:
        PydanticCustomError: with the path of what to look at and what would be right.
    """
    places = {estimand.id: index for index, estimand in enumerate(protocol.estimands)}
    for index, analysis in enumerate(protocol.analyses):
        estimand, method = protocol.estimand(analysis.estimand), analysis.method
        endpoint = protocol.endpoint(estimand.endpoint)
        at = ("analyses", index, "method")
        if type(endpoint) not in _METHODS[method].death or estimand.summary not in _METHODS[method].summaries:
            able = [
                m for m in Method if type(endpoint) in _METHODS[m].death and estimand.summary in _METHODS[m].summaries
            ]
            raise contradiction(
                f"{method.value!r} does not give a {estimand.summary.value} of endpoint {endpoint.id!r}; "
                f"{_or([m.value for m in able])} would",
                *at,
            )
        withdrawal = estimand.intercurrent.get(Intercurrent.WITHDRAWAL)
        if analysis.assumption is not None and withdrawal is not None:
            wanted = Strategy.HYPOTHETICAL if analysis.assumption == "missing at random" else Strategy.TREATMENT_POLICY
            if withdrawal is not wanted:
                raise contradiction(
                    f"imputation by {analysis.assumption} answers what withdrawal means as {wanted.value!r}, not "
                    f"{withdrawal.value!r}",
                    *at,
                )
        for number, name in enumerate(analysis.covariates):
            why = _why_not(name, method)
            if why is not None:
                raise contradiction(f"{method.value!r} {why}", "analyses", index, "covariates", number)
        if method in _AS_IF_LIVED and _ends_at_discharge(endpoint):
            raise contradiction(
                f"{method.value!r} asks about one day, and {endpoint.id!r} takes the value at discharge where "
                "that came first; add an endpoint without or_at_discharge for it",
                *at,
            )
        if method is Method.RESTRICTED_MEAN and isinstance(endpoint, TimeToEndpoint) and endpoint.until_day is None:
            raise contradiction(f"a restricted mean needs 'until_day' of endpoint {endpoint.id!r}", *at)
        for event, strategy in estimand.intercurrent.items():
            able_to = strategies(method, endpoint, event)
            if strategy not in able_to:
                raise contradiction(
                    f"{method.value!r} does not carry out {strategy.value!r} for {event.value}; what it does is "
                    f"{_or(sorted(one.value for one in able_to))}",
                    "estimands",
                    places[estimand.id],
                    "intercurrent",
                    event.value,
                )


def _why_not(covariate: str, method: Method) -> str | None:
    """Why a method cannot take a covariate; None where it can."""
    if method in _UNADJUSTED:
        return f"is not adjusted or stratified; leave {covariate!r} out"
    if method is Method.COX and covariate == "baseline":
        return "follows an event, which has no baseline; leave it out"
    return None


def _ends_at_discharge(endpoint: Endpoint) -> bool:
    return isinstance(endpoint, (FoldEndpoint, ResponderEndpoint)) and endpoint.or_at_discharge


def _or(names: list[str]) -> str:
    return " or ".join(repr(name) for name in names) or "no method"
