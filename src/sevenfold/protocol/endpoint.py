"""Endpoints and estimands: what is measured, and which treatment effect is asked about (ICH E9(R1))."""

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from sevenfold.protocol.part import Id, In, Part, Text, contradiction
from sevenfold.protocol.visit import StudyDay

__all__ = [
    "BUILT_IN_EVENTS",
    "AnalysisSet",
    "Baseline",
    "ChangeEndpoint",
    "Endpoint",
    "Estimand",
    "EventEndpoint",
    "FoldEndpoint",
    "Intercurrent",
    "ResponderEndpoint",
    "Strategy",
    "Summary",
    "TimeAboveEndpoint",
    "TimeToEndpoint",
]


FollowUpDay = Annotated[StudyDay, Field(ge=1)]


class Baseline(Part):
    """What later values are compared with.

    Args:
        visit: the visit whose value is the baseline.
        qualifying_mean: assessments whose baseline is the mean of the values that made the subject eligible.
    """

    visit: Id
    qualifying_mean: tuple[Id, ...] = ()


class FoldEndpoint(Part):
    """The ratio of a value to its baseline, analysed as a logarithm.

    Args:
        or_at_discharge: for a subject who leaves the hospital before the visit, the last value until then counts. Who
            is dead on the day of the visit is dead, whatever was found at discharge.
    """

    id: Id
    label: Text
    fold: Id = Field(description="the assessment")
    visit: Id
    or_at_discharge: bool = False

    @property
    def assessments(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        return (self.fold,)

    @property
    def events(self) -> tuple[str, ...]:
        """What has to be looked for."""
        return ()


class ChangeEndpoint(Part):
    """The difference of a value from its baseline."""

    id: Id
    label: Text
    change: Id = Field(description="the assessment")
    visit: Id

    @property
    def assessments(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        return (self.change,)

    @property
    def events(self) -> tuple[str, ...]:
        """What has to be looked for."""
        return ()


class ResponderEndpoint(Part):
    """Whether a value rose by a share of its baseline.

    Args:
        or_at_discharge: for a subject who leaves the hospital before the visit, the last value until then counts.
    """

    id: Id
    label: Text
    responder: Id = Field(description="the assessment")
    rise_at_least: Annotated[float, In("fraction", above=0.0)]
    visit: Id
    or_at_discharge: bool = False

    @property
    def assessments(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        return (self.responder,)

    @property
    def events(self) -> tuple[str, ...]:
        """What has to be looked for."""
        return ()


class TimeAboveEndpoint(Part):
    """Days, within a period, on which a value lies above a threshold (straight lines between measurements, while
    alive).
    """

    id: Id
    label: Text
    time_above: Id = Field(description="the assessment")
    threshold_per_ul: Annotated[float, In("cells/µL", above=0.0)] = Field(alias="threshold")
    until_day: FollowUpDay

    @property
    def assessments(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        return (self.time_above,)

    @property
    def events(self) -> tuple[str, ...]:
        """What has to be looked for."""
        return ()


class EventEndpoint(Part):
    """Whether something has happened by a study day."""

    id: Id
    label: Text
    event: Id = Field(description="death, a built-in event, or a variable of the kind event")
    by_day: FollowUpDay

    @property
    def assessments(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        return ()

    @property
    def events(self) -> tuple[str, ...]:
        """What has to be looked for."""
        return (self.event,)


class TimeToEndpoint(Part):
    """How long it takes until something happens.

    Args:
        until_day: where follow-up is cut and up to which a restricted mean counts; to the end where it is left out.
    """

    id: Id
    label: Text
    time_to: Id = Field(description="death, a built-in event, or a variable of the kind event")
    until_day: FollowUpDay | None = None

    @property
    def assessments(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        return ()

    @property
    def events(self) -> tuple[str, ...]:
        """What has to be looked for."""
        return (self.time_to,)


BUILT_IN_EVENTS: Final = ("death", "secondary infection", "serious adverse event", "grade 3-4 adverse event")
_KINDS = ("fold", "change", "responder", "time_above", "event", "time_to")


def _kind(value: object) -> str | None:
    """The tag of the alternative that a value is; no tag is also a key, so that places in the file stay clear."""
    for kind in _KINDS:
        if (isinstance(value, dict) and kind in value) or (
            isinstance(value, Part) and kind in type(value).model_fields
        ):
            return f"the {kind} endpoint"
    return None


Endpoint = Annotated[
    Annotated[FoldEndpoint, Tag("the fold endpoint")]
    | Annotated[ChangeEndpoint, Tag("the change endpoint")]
    | Annotated[ResponderEndpoint, Tag("the responder endpoint")]
    | Annotated[TimeAboveEndpoint, Tag("the time_above endpoint")]
    | Annotated[EventEndpoint, Tag("the event endpoint")]
    | Annotated[TimeToEndpoint, Tag("the time_to endpoint")],
    Discriminator(
        _kind,
        custom_error_type="endpoint",
        custom_error_message=f"an endpoint names what it is by one of {', '.join(_KINDS)}",
    ),
]


class AnalysisSet(StrEnum):
    """Who is analysed."""

    RANDOMISED = "randomised"  # as randomised, whatever they received
    DOSED = "dosed"  # randomised and given at least one dose


class Intercurrent(StrEnum):
    """Events after randomisation that affect what the endpoint means."""

    DEATH = "death"
    STOPPED_DOSING = "stopped dosing"
    WITHDRAWAL = "withdrawal"
    DISCHARGE = "discharge"


class Strategy(StrEnum):
    """How an intercurrent event is dealt with. Source: ICH E9(R1), but for ``in those alive``, which is no strategy of
    its: it compares whoever is left, and death may have left other people in one group than in the other.
    """

    TREATMENT_POLICY = "treatment policy"  # the value counts, whatever happened
    HYPOTHETICAL = "hypothetical"  # as it would have been, had it not happened
    COMPOSITE = "composite"  # the event is part of the endpoint
    WHILE_ALIVE = "while alive"  # what happened up to death
    WHILE_IN_HOSPITAL = "while in hospital"  # the last value until discharge, where that came first
    IN_THOSE_ALIVE = "in those alive"  # the value at a visit, of those alive then
    PRINCIPAL_STRATUM = "principal stratum"  # among those in whom it would happen under no arm


class Summary(StrEnum):
    """What compares the groups."""

    RATIO_OF_GEOMETRIC_MEANS = "ratio of geometric means"
    DIFFERENCE_OF_MEANS = "difference of means"
    DIFFERENCE_OF_PROPORTIONS = "difference of proportions"
    HAZARD_RATIO = "hazard ratio"
    DIFFERENCE_OF_RESTRICTED_MEANS = "difference of restricted means"
    SHIFT_OF_LOCATION = "shift of location"
    WIN_RATIO = "win ratio"


class Estimand(Part):
    """The treatment effect that an analysis estimates, by the attributes of ICH E9(R1).

    Args:
        compare: the group in question and the one it is compared with.
        intercurrent: how each intercurrent event is dealt with; death must be among them.
    """

    id: Id
    label: Text
    role: Literal["primary", "secondary", "supplementary"]
    endpoint: Id
    analysis_set: Annotated[AnalysisSet, Field(strict=False)]
    compare: tuple[Id, Id]
    summary: Annotated[Summary, Field(strict=False)]
    intercurrent: dict[Annotated[Intercurrent, Field(strict=False)], Annotated[Strategy, Field(strict=False)]]

    @model_validator(mode="after")
    def _says_what_death_means(self) -> Self:
        if Intercurrent.DEATH not in self.intercurrent:
            raise contradiction(f"estimand {self.id!r} does not say what death means for it", "intercurrent")
        if self.compare[0] == self.compare[1]:
            raise contradiction(f"estimand {self.id!r} compares {self.compare[0]!r} with itself", "compare")
        return self
