"""Serious adverse events: what was reported, how it was judged, and what went to the authority."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import final

from sevenfold.record.correcting import Corrections
from sevenfold.record.event import Event
from sevenfold.record.payloads import (
    AdverseEventReported,
    AuthorityInformed,
    SeriousEventAssessed,
    read_payload,
)

__all__ = ["SeriousEvent", "serious_events"]


@final
@dataclass(slots=True)
class SeriousEvent:
    """A serious event as it is told now, with what became of it.

    Args:
        assessed: the last judgement; None before there is one.
        informed: what went to the authority, in order.
    """

    event: Event
    said: AdverseEventReported
    assessed: SeriousEventAssessed | None = None
    informed: list[tuple[Event, AuthorityInformed]] = field(default_factory=list)

    @property
    def is_susar(self) -> bool:
        """Whether it is judged related and unexpected."""
        return self.assessed is not None and self.assessed.is_related and not self.assessed.is_expected


def serious_events(events: Iterable[Event]) -> list[SeriousEvent]:
    """The serious events among some, in the order in which they were reported."""
    events = list(events)
    corrections = Corrections.among(events)
    found: dict[int, SeriousEvent] = {}
    for event in events:
        if event.type == AdverseEventReported.__name__:
            said = corrections.read(event)
            if isinstance(said, AdverseEventReported) and said.is_serious:
                found[event.sequence] = SeriousEvent(event, said)
        elif event.type in (SeriousEventAssessed.__name__, AuthorityInformed.__name__):
            about = read_payload(event)
            one = found.get(getattr(about, "of", 0))
            if one is None:
                continue  # it was corrected to be not serious
            if isinstance(about, SeriousEventAssessed):
                one.assessed = about
            elif isinstance(about, AuthorityInformed):
                one.informed.append((event, about))
    return list(found.values())
