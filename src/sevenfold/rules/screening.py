"""A screening record: what is known of a candidate when the criteria are held against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, final

from sevenfold.clock import hours_between

__all__ = ["InfusionSpan", "Measurement", "Screening"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A laboratory value and when its sample was taken (aware, in the site's zone)."""

    value: float
    taken_at: datetime


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class InfusionSpan:
    """A drug that ran at one rate for a time."""

    rate: float
    began_at: datetime
    ended_at: datetime

    @property
    def hours(self) -> float:
        """How long it ran."""
        return hours_between(self.began_at, self.ended_at)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """What is known of a candidate. Units are those of the protocol's catalogue.

    Args:
        at: the moment of screening, and of consent if it is given (aware, in the site's zone).
        facts: present or absent, by name.
        numbers: by name.
        laboratory: values of each test in order of time.
        infusions: spans of each drug in order of time.
    """

    at: datetime
    facts: Mapping[str, bool]
    numbers: Mapping[str, float]
    laboratory: Mapping[str, tuple[Measurement, ...]]
    infusions: Mapping[str, tuple[InfusionSpan, ...]]

    @classmethod
    def from_payload(cls, said: Mapping[str, Any]) -> Self:
        """As it was recorded by :meth:`as_payload`."""
        return cls(
            at=datetime.fromisoformat(said["at"]),
            facts=said["facts"],
            numbers=said["numbers"],
            laboratory={
                name: tuple(
                    Measurement(value=one["value"], taken_at=datetime.fromisoformat(one["taken_at"])) for one in values
                )
                for name, values in said["laboratory"].items()
            },
            infusions={
                name: tuple(
                    InfusionSpan(
                        rate=one["rate"],
                        began_at=datetime.fromisoformat(one["began_at"]),
                        ended_at=datetime.fromisoformat(one["ended_at"]),
                    )
                    for one in spans
                )
                for name, spans in said["infusions"].items()
            },
        )

    def as_payload(self) -> dict[str, Any]:
        """For the record: times as ISO text."""
        return {
            "at": self.at.isoformat(),
            "facts": dict(self.facts),
            "numbers": dict(self.numbers),
            "laboratory": {
                name: [{"value": m.value, "taken_at": m.taken_at.isoformat()} for m in values]
                for name, values in self.laboratory.items()
            },
            "infusions": {
                name: [
                    {"rate": s.rate, "began_at": s.began_at.isoformat(), "ended_at": s.ended_at.isoformat()}
                    for s in spans
                ]
                for name, spans in self.infusions.items()
            },
        }
