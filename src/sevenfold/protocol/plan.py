"""The analysis plan and the monitoring rules: which method answers which estimand, and what is watched while the trial
runs.
"""

from collections.abc import Container
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sevenfold.protocol.part import Id, In, Part, Text, contradiction
from sevenfold.protocol.rule import NumberRule, Rule, leaves

__all__ = ["Analysis", "Method", "MonitoringRule", "OnlyIf"]


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
        fallback: covariance structures of a repeated-measures model, in the order in which they are tried.
    """

    estimand: Id
    method: Annotated[Method, Field(strict=False)]
    covariates: tuple[Id, ...] = ()
    only_if: OnlyIf | None = None
    fallback: tuple[
        Literal["unstructured", "heterogeneous toeplitz", "heterogeneous ar1", "compound symmetry"], ...
    ] = ()

    @model_validator(mode="after")
    def _fallback_is_for_repeated_measures(self) -> Self:
        if self.fallback and self.method is not Method.REPEATED_MEASURES:
            raise contradiction("only a repeated-measures model has covariance structures to fall back on", "fallback")
        return self


class MonitoringRule(Part):
    """Something that is looked for at every event, and whose queue it lands in.

    Args:
        when: a rule on a laboratory value; or
        event: an adverse event of at least ``grade``, or of this ``term`` within so many hours of a dose.
        to: the role that must act.
    """

    id: Id
    when: Rule | None = None
    grade_at_least: Annotated[int, Field(ge=1, le=5)] | None = None
    term: Text | None = None
    within_h_of_dose: Annotated[float, In("h", above=0.0)] | None = Field(default=None, alias="within_of_dose")
    to: Text
    action: Text

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if self.when is None and self.grade_at_least is None and self.term is None:
            raise contradiction("a monitoring rule needs 'when', 'grade_at_least' or 'term'")
        if self.when is not None and (self.grade_at_least, self.term, self.within_h_of_dose) != (None, None, None):
            raise contradiction("a monitoring rule looks at values or at adverse events; write two rules", "when")
        return self

    def reads_any(self, assessments: Container[str]) -> bool:
        """Whether the rule reads a value of one of these."""
        return self.when is not None and any(
            isinstance(leaf, NumberRule) and leaf.number in assessments for _, leaf in leaves(self.when)
        )
