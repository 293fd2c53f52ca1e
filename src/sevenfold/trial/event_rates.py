"""What adverse events raise: a rule at each event that meets it, or, of a rule on a rate, once too many had one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import final

from sevenfold.protocol.plan import MonitoringRule
from sevenfold.protocol.protocol import Protocol
from sevenfold.record.payloads import AdverseEventReported
from sevenfold.rules.boundary import boundary_of
from sevenfold.rules.monitoring import Raised, raised_by_event
from sevenfold.trial.subject import Standing

__all__ = ["EventRates"]


@final
@dataclass(slots=True)
class EventRates:
    """Knows in whom each monitoring rule about events was met.

    Args:
        met: (rule, subject).
    """

    protocol: Protocol
    met: set[tuple[str, str]] = field(default_factory=set, repr=False)

    def sees(self, subject: str, said: AdverseEventReported) -> None:
        """Take note of an event."""
        self.met |= {(one.rule.id, subject) for one in self._found(said)}

    def forget(self, subject: str) -> None:
        """Forget a subject's events."""
        self.met = {(rule, other) for rule, other in self.met if other != subject}

    def raised(self, said: AdverseEventReported, standings: Iterable[Standing]) -> Iterator[Raised]:
        """What an event that was taken note of raises now.

        Args:
            standings: of everybody, for a rate is one of those treated.
        """
        for found in self._found(said):
            if found.rule.rate is None:
                yield found
                continue
            n_events = sum(rule == found.rule.id for rule, _ in self.met)
            n_treated = max(sum(standing.n_given > 0 for standing in standings), n_events)
            if boundary_of(found.rule.rate).is_reached(n_events, n_treated):
                yield Raised(rule=found.rule, because=f"{n_events} of {n_treated} treated; the last: {found.because}")

    def counts(self, standings: Iterable[Standing]) -> list[tuple[MonitoringRule, int, int]]:
        """Each rule on a rate, with how many subjects met it and how many were treated, all arms together."""
        n_treated = sum(standing.n_given > 0 for standing in standings)
        rules = [rule for rule in self.protocol.monitoring if rule.rate is not None]
        met = [sum(name == rule.id for name, _ in self.met) for rule in rules]
        return [(rule, n, max(n_treated, n)) for rule, n in zip(rules, met, strict=True)]

    def _found(self, said: AdverseEventReported) -> tuple[Raised, ...]:
        return raised_by_event(self.protocol, said.term, said.grade, said.hours_after_dose)
