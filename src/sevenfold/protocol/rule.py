"""Typed rules: what an eligibility criterion, a route, a hold or a monitoring rule says, as data.

A rule is written as one mapping whose first word says its kind: ``{number: age, at_least: 18 years, below: 80
years}``. What it means is worked out in ``sevenfold.rules``, once.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from sevenfold.protocol.part import Id, In, Part, Text, contradiction

__all__ = [
    "AllOf",
    "AnyOf",
    "FactRule",
    "Following",
    "LabRule",
    "Limits",
    "NumberRule",
    "Rule",
    "SustainedRule",
    "leaves",
]


class Limits(Part):
    """A range. Each limit is written with its unit; a plain number only for scores and counts."""

    at_least: Text | float | None = None
    above: Text | float | None = None
    at_most: Text | float | None = None
    below: Text | float | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        given = [name for name in ("at_least", "above", "at_most", "below") if getattr(self, name) is not None]
        if not given:
            raise contradiction("a rule about a number needs a limit: at_least, above, at_most or below")
        if {"at_least", "above"} <= set(given) or {"at_most", "below"} <= set(given):
            raise contradiction("one limit on each side is enough", given[1])
        return self

    @property
    def limits(self) -> dict[str, str | float]:
        """The limits that were given, by name, as written."""
        names = ("at_least", "above", "at_most", "below")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class NumberRule(Limits):
    """A number of the screening record, or the latest value of a laboratory test, lies in a range."""

    number: Id


class FactRule(Part):
    """A fact of the screening record is present or absent."""

    fact: Id
    is_: Literal["present", "absent"] = Field(alias="is")


class Following(Part):
    """How long after something the last of a series of measurements must have been taken."""

    fact: Id = Field(description="a number of the screening record that counts the time since something, in hours")
    at_least: Annotated[float, In("h")]


class LabRule(Limits):
    """Laboratory values measured in a window before consent lie in a range; every one of those that count must.

    Args:
        laboratory: the test.
        measurements: how many must qualify; the last in the window always counts, and with it the latest before it
            that fit.
        within_days_before_consent: 1 for the day of consent and the day before.
        apart_at_least_h: between the first and the last that count.
        last_within_h: how long before consent the last may lie at most.
        last_following: how long after something the last must lie.
    """

    laboratory: Id
    measurements: Annotated[int, Field(ge=1, le=10)] = 1
    within_days_before_consent: Annotated[int, Field(ge=0, le=60)] = 1
    apart_at_least_h: Annotated[float, In("h")] | None = Field(default=None, alias="apart_at_least")
    last_within_h: Annotated[float, In("h", above=0.0)] | None = Field(default=None, alias="last_within")
    last_following: Following | None = None


class SustainedRule(Limits):
    """An infusion ran at a rate within the limits for long enough without a break."""

    infusion: Id
    for_at_least_h: Annotated[float, In("h", above=0.0)] = Field(alias="for_at_least")


class AnyOf(Part):
    """At least one of several rules holds."""

    any_of: tuple["Rule", ...] = Field(min_length=1)


class AllOf(Part):
    """All of several rules hold."""

    all_of: tuple["Rule", ...] = Field(min_length=1)


_KINDS = ("number", "fact", "laboratory", "infusion", "any_of", "all_of")


def _kind(value: object) -> str | None:
    """The tag of the alternative that a value is; no tag is also a key, so that places in the file stay clear."""
    for kind in _KINDS:
        if (isinstance(value, dict) and kind in value) or (
            isinstance(value, Part) and kind in type(value).model_fields
        ):
            return f"the {kind} rule"
    return None


Rule = Annotated[
    Annotated[NumberRule, Tag("the number rule")]
    | Annotated[FactRule, Tag("the fact rule")]
    | Annotated[LabRule, Tag("the laboratory rule")]
    | Annotated[SustainedRule, Tag("the infusion rule")]
    | Annotated[AnyOf, Tag("the any_of rule")]
    | Annotated[AllOf, Tag("the all_of rule")],
    Discriminator(
        _kind, custom_error_type="rule", custom_error_message=f"a rule begins with one of {', '.join(_KINDS)}"
    ),
]
AnyOf.model_rebuild()
AllOf.model_rebuild()


def leaves(
    rule: Rule, at: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], NumberRule | FactRule | LabRule | SustainedRule]]:
    """The simple rules that a rule is made of, each with its path within it."""
    match rule:
        case AnyOf():
            for index, part in enumerate(rule.any_of):
                yield from leaves(part, (*at, "any_of", index))
        case AllOf():
            for index, part in enumerate(rule.all_of):
                yield from leaves(part, (*at, "all_of", index))
        case _:
            yield at, rule
