"""What the rules of monitoring raised, by subject: open rules as they were recorded, masked ones once opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import final

from sevenfold.protocol.protocol import Protocol
from sevenfold.record.history import History, SubjectHistory

__all__ = ["RaisedAt", "monitoring_counts", "raised_of"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAt:
    """A rule that found what it looks for.

    Args:
        was_sealed: it reads masked results, and was known to the safety reviewer alone until unblinding.
    """

    at: datetime
    rule: str
    to: str
    action: str
    because: str
    was_sealed: bool


def raised_of(one: SubjectHistory) -> Iterator[RaisedAt]:
    """What was raised of a subject, in order of time."""
    found = [
        RaisedAt(at=at, rule=said.rule, to=said.to, action=said.action, because=said.because, was_sealed=False)
        for at, said in one.raised
    ]
    held = {seen.visit: seen.at for seen in one.visits}
    for visit, decision in one.reviews:
        found += [RaisedAt(at=held[visit], was_sealed=True, **raised) for raised in decision.get("raised", [])]
    yield from sorted(found, key=lambda raised: (raised.at, raised.rule))


def monitoring_counts(history: History, protocol: Protocol) -> dict[str, int | None]:
    """How often each rule was raised, those of none included; None for one that is sealed while the record is blind."""
    counts: dict[str, int | None] = {
        rule.id: None if history.unblinded is None and rule.reads_any(protocol.masking.assessments) else 0
        for rule in protocol.monitoring
    }
    for one in history.used:
        for raised in raised_of(one):
            counts[raised.rule] = (counts.get(raised.rule) or 0) + 1
    return counts
