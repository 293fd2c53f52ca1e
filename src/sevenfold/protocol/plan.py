"""The analysis plan and the monitoring rules: which method answers which estimand, and what is watched while the trial
runs.
"""

from collections.abc import Container
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sevenfold.protocol.part import Id, In, Part, Text, contradiction
from sevenfold.protocol.rule import NumberRule, Rule, leaves

__all__ = ["Analysis", "Method", "MonitoringRule", "Multiplicity", "OnlyIf", "Rate", "Transition"]


class Method(StrEnum):
    """How an estimand is estimated."""

    ANCOVA = "ancova"
    REPEATED_MEASURES = "repeated measures"
    EXACT_TEST = "exact unconditional test"
    SURVIVOR_AVERAGE = "survivor average causal effect"
    CUMULATIVE_INCIDENCE = "cumulative incidence"
    COX = "proportional hazards"
    LOG_RANK = "log-rank"
    RESTRICTED_MEAN = "restricted mean"
    RANK_SUM = "stratified rank sum"
    RANDOMISATION_TEST = "randomisation test"
    IMPUTATION = "multiple imputation"
    CONDITIONAL_MEAN = "conditional mean imputation"
    STANDARDISED = "standardised logistic regression"
    WIN_RATIO = "win ratio"


class OnlyIf(Part):
    """A condition on the data under which an analysis is made: a group's geometric mean rise reaches a share of
    baseline.
    """

    group: Id
    endpoint: Id = Field(description="a fold endpoint")
    rise_at_least: Annotated[float, In("fraction", above=0.0)]


class Analysis(Part):
    """One analysis.

    Args:
        only_if: the analysis counts only if this holds; it is printed either way, with what was found.
        covariates: what it is adjusted for, or stratified by where the method stratifies: ``baseline``, ``country``,
            ``site``, ``age``, ``sex``, ``weight``, or a fact, number or category of the protocol.
        assumption: of an imputation: how the unseen course of those who stopped goes on.
        tipping_to: of an imputation: how far the group's imputed values are shifted, on the scale of the analysis, in
            search of the point at which the conclusion changes.
        better: of a win ratio: which of two values wins.
        fallback: covariance structures of a repeated-measures model, in the order in which they are tried.
    """

    estimand: Id
    method: Annotated[Method, Field(strict=False)]
    covariates: tuple[Id, ...] = ()
    only_if: OnlyIf | None = None
    assumption: (
        Literal["missing at random", "jump to reference", "copy increments in reference", "copy reference"] | None
    ) = None
    tipping_to: float | None = None
    better: Literal["higher", "lower"] = "higher"
    fallback: tuple[
        Literal["unstructured", "heterogeneous toeplitz", "heterogeneous ar1", "compound symmetry"], ...
    ] = ()

    @model_validator(mode="after")
    def _settings_are_of_their_method(self) -> Self:
        if self.fallback and self.method is not Method.REPEATED_MEASURES:
            raise contradiction("only a repeated-measures model has covariance structures to fall back on", "fallback")
        imputes = self.method in (Method.IMPUTATION, Method.CONDITIONAL_MEAN)
        if imputes != (self.assumption is not None):
            raise contradiction(
                "an imputation needs its 'assumption', such as jump to reference; nothing else has one",
                "assumption" if not imputes else "method",
            )
        if self.tipping_to is not None and (not imputes or self.tipping_to == 0.0):
            raise contradiction("a tipping point is of an imputation, and is searched up to a shift", "tipping_to")
        return self


class Transition(Part):
    """What one hypothesis of a graph hands to another when it is rejected."""

    origin: Id = Field(alias="from")
    to: Id
    share: Annotated[float, Field(gt=0.0, le=1.0)]


class Multiplicity(Part):
    """How the chance of any false claim is kept over several estimands.

    Args:
        estimands: in the order of a sequence.
        alpha: the chance of any false claim.
        weights: of a graph: estimand -> its share of alpha at the start.
        transitions: of a graph.
    """

    procedure: Literal["fixed sequence", "holm", "hochberg", "graph"]
    estimands: Annotated[tuple[Id, ...], Field(min_length=2)]
    alpha: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    weights: dict[Id, Annotated[float, Field(ge=0.0, le=1.0)]] = Field(default_factory=dict)
    transitions: tuple[Transition, ...] = ()

    @model_validator(mode="after")
    def _weights_are_of_a_graph(self) -> Self:
        if len(set(self.estimands)) != len(self.estimands):
            raise contradiction("an estimand stands twice", "estimands")
        is_graph = self.procedure == "graph"
        if is_graph != bool(self.weights):
            raise contradiction("a graph needs 'weights', and nothing else has any", "weights")
        if not is_graph:
            return self
        for name in {*self.weights, *(t.origin for t in self.transitions), *(t.to for t in self.transitions)}:
            if name not in self.estimands:
                raise contradiction(f"{name!r} is not among the estimands of the graph", "weights")
        if sum(self.weights.values()) > 1.0 + 1e-9:
            raise contradiction("the weights sum to more than 1", "weights")
        for name in self.estimands:
            if sum(t.share for t in self.transitions if t.origin == name) > 1.0 + 1e-9:
                raise contradiction(f"{name!r} hands on more than it has", "transitions")
        return self


class Rate(Part):
    """A boundary on the share of subjects in whom something happened, chosen from two rates.

    Args:
        background: share in which it happens anyway.
        tolerable: the highest share that could be borne.
        subjects: treated, after the last of whom it is looked at.
        wrongly: chance that a trial at the background rate reaches it.
    """

    background: Annotated[float, Field(gt=0.0, lt=1.0)]
    tolerable: Annotated[float, Field(gt=0.0, lt=1.0)]
    subjects: Annotated[int, Field(ge=3, le=2_000)]
    wrongly: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.10

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.background >= self.tolerable:
            raise contradiction("the background rate must lie below the tolerable rate", "background")
        return self


class MonitoringRule(Part):
    """Something that is looked for at every event, and whose queue it lands in.

    Args:
        when: a rule on a laboratory value; or
        event: an adverse event of at least ``grade``, or of this ``term`` within so many hours of a dose.
        rate: raised only when such events have happened in too many of those treated, and not at each of them.
        to: the role that must act.
    """

    id: Id
    when: Rule | None = None
    grade_at_least: Annotated[int, Field(ge=1, le=5)] | None = None
    term: Text | None = None
    within_h_of_dose: Annotated[float, In("h", above=0.0)] | None = Field(default=None, alias="within_of_dose")
    rate: Rate | None = None
    to: Text
    action: Text

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if self.when is None and self.grade_at_least is None and self.term is None:
            raise contradiction("a monitoring rule needs 'when', 'grade_at_least' or 'term'")
        if self.when is not None and (self.grade_at_least, self.term, self.within_h_of_dose) != (None, None, None):
            raise contradiction("a monitoring rule looks at values or at adverse events; write two rules", "when")
        if self.when is not None and self.rate is not None:
            raise contradiction("a rate is one of adverse events: name a term or a grade", "rate")
        return self

    def reads_any(self, assessments: Container[str]) -> bool:
        """Whether the rule reads a value of one of these."""
        return self.when is not None and any(
            isinstance(leaf, NumberRule) and leaf.number in assessments for _, leaf in leaves(self.when)
        )
