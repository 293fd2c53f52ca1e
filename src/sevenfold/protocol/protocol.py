"""The trial on paper: everything that is planned, checked once so that code further in trusts what it is given."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sevenfold.errors import InvalidInput
from sevenfold.protocol.coherence import check_coherence
from sevenfold.protocol.endpoint import Baseline, Endpoint, Estimand
from sevenfold.protocol.masking import Masking, Randomisation
from sevenfold.protocol.part import Id, Part, Text, contradiction
from sevenfold.protocol.plan import Analysis, MonitoringRule, Multiplicity
from sevenfold.protocol.registered import Criterion, RegisteredTrial, Site
from sevenfold.protocol.safety import Safety
from sevenfold.protocol.treatment import Arm, Dosing, Product
from sevenfold.protocol.variable import Variable, catalogue
from sevenfold.protocol.visit import Schedule

__all__ = ["Population", "Protocol", "ReferenceRange"]


class Population(Part):
    """Who is studied.

    Args:
        planned: subjects to be randomised.
    """

    description: Text
    planned: Annotated[int, Field(ge=2, le=100_000)]
    criteria: tuple[Criterion, ...] = Field(min_length=1)


class ReferenceRange(Part):
    """A laboratory's range of normal values, in the assessment's unit."""

    lower: float
    upper: float

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.lower >= self.upper:
            raise contradiction(f"the lower end {self.lower:g} must lie below the upper end {self.upper:g}", "lower")
        return self


class Protocol(Part):
    """A randomised, blinded trial.

    Args:
        format: of the file; 1.
        reference_ranges: of the assessments that rules compare with the upper limit of normal, and that grading
            compares with either limit.
        variables: what this trial talks about beyond the catalogue.
        groups: arms taken together in a comparison, by name.
        safety: which criteria grade it, and how long after the last dose it counts.
        published: the trial's name in the evidence, where its results are in print.
    """

    format: Literal[1]
    name: Id
    title: Text
    phase: Text
    aim: Text
    registered_trials: tuple[RegisteredTrial, ...] = Field(min_length=1)
    population: Population
    variables: tuple[Variable, ...] = ()
    reference_ranges: dict[Id, ReferenceRange] = Field(default_factory=dict)
    products: dict[Id, Product] = Field(default_factory=dict)
    arms: tuple[Arm, ...] = Field(min_length=2)
    groups: dict[Id, Annotated[tuple[Id, ...], Field(min_length=1)]]
    dosing: Dosing = Dosing()
    masking: Masking
    randomisation: Randomisation
    schedule: Schedule
    baseline: Baseline
    endpoints: tuple[Endpoint, ...] = Field(min_length=1)
    estimands: tuple[Estimand, ...] = Field(min_length=1)
    analyses: tuple[Analysis, ...] = Field(min_length=1)
    monitoring: tuple[MonitoringRule, ...] = ()
    multiplicity: Multiplicity | None = None
    safety: Safety = Safety()
    published: Text | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        check_coherence(self)
        return self

    @property
    def known_variables(self) -> dict[str, Variable]:
        """The catalogue and this trial's own variables, by name."""
        return catalogue() | {variable.id: variable for variable in self.variables}

    @property
    def sites(self) -> dict[str, tuple[RegisteredTrial, Site]]:
        """Every site with the registered trial it belongs to, by the site's id."""
        return {site.id: (trial, site) for trial in self.registered_trials for site in trial.sites}

    def arm(self, name: str) -> Arm:
        """The arm called ``name``."""
        return next(arm for arm in self.arms if arm.id == name)

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint called ``name``."""
        return next(endpoint for endpoint in self.endpoints if endpoint.id == name)

    def estimand(self, name: str) -> Estimand:
        """The estimand called ``name``."""
        return next(estimand for estimand in self.estimands if estimand.id == name)

    def without(self, endpoints: Iterable[str]) -> "Protocol":
        """The same without some endpoints and what is asked about them.

        Raises:
            InvalidInput: an endpoint is not known, or the primary question would go with it.
        """
        gone = set(endpoints)
        for name in sorted(gone):
            if name not in {endpoint.id for endpoint in self.endpoints}:
                raise InvalidInput(
                    f"{self.name} has no endpoint {name!r}; it has {', '.join(one.id for one in self.endpoints)}."
                )
        if self.primary.endpoint in gone:
            raise InvalidInput(f"Without endpoint {self.primary.endpoint!r} the primary question is not asked.")
        kept = tuple(estimand for estimand in self.estimands if estimand.endpoint not in gone)
        names = {estimand.id for estimand in kept}
        return self.model_copy(
            update={
                "endpoints": tuple(endpoint for endpoint in self.endpoints if endpoint.id not in gone),
                "estimands": kept,
                "analyses": tuple(analysis for analysis in self.analyses if analysis.estimand in names),
                "multiplicity": self.multiplicity
                if self.multiplicity is None or set(self.multiplicity.estimands) <= names
                else None,
            }
        )

    def group_label(self, name: str) -> str:
        """A group as a sentence calls it: its arm's label, or what its arms have in common, their product."""
        members = [self.arm(arm) for arm in self.groups.get(name, (name,))]
        if len(members) == 1:
            return members[0].label
        if self.is_described_in_words:
            return ", ".join(arm.label for arm in members[:-1]) + f" or {members[-1].label}"
        given = {injection.product for arm in members for injection in arm.injections}
        active = [product for product in self.products if product in given and self.products[product].is_active]
        return self.products[active[0]].label.partition(",")[0] if len(active) == 1 else name

    @property
    def is_described_in_words(self) -> bool:
        """Whether the arms' treatments are words: then the trial can be analysed, and neither rehearsed nor run."""
        return not self.arms[0].injections

    @property
    def primary(self) -> Estimand:
        """The primary estimand."""
        return next(estimand for estimand in self.estimands if estimand.role == "primary")

    @property
    def dosing_days(self) -> tuple[int, ...]:
        """Study days on which every arm is injected."""
        return tuple(injection.day for injection in self.arms[0].calendar)

    def strength_of(self, product: str) -> float:
        """Of a product, or for a placebo of the one that it matches [µg/mL]."""
        given = self.products[product]
        return (given if given.matches is None else self.products[given.matches]).strength_ug_per_ml

    @property
    def keeps_stock(self) -> bool:
        """Whether the file says what sites receive, so that vials are counted."""
        return any(product.vial is not None for product in self.products.values())

    def criteria_at(self, site: str, day: dt.date) -> tuple[Criterion, ...]:
        """The criteria in force at a site on a day, amendments included."""
        trial, _ = self.sites[site]
        criteria = {criterion.id: criterion for criterion in self.population.criteria}
        for amendment in trial.amendments:
            if site in amendment.effective and amendment.effective[site] <= day:
                criteria |= {criterion.id: criterion for criterion in amendment.replaces}
                criteria = {name: criterion for name, criterion in criteria.items() if name not in amendment.removes}
        return tuple(criteria.values())

    def amendments_at(self, site: str, day: dt.date) -> tuple[str, ...]:
        """The amendments in force at a site on a day."""
        trial, _ = self.sites[site]
        return tuple(a.id for a in trial.amendments if site in a.effective and a.effective[site] <= day)
