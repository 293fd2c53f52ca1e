"""Which monitoring rules have found what they look for: held against every new result and every adverse event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from sevenfold.protocol.plan import MonitoringRule
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.rule import NumberRule, leaves
from sevenfold.rules.holding import holds_for

__all__ = ["Raised", "raised_by_event", "raised_by_results"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A rule that has found what it looks for.

    Args:
        because: what was found, in a few words.
    """

    rule: MonitoringRule
    because: str


def raised_by_results(
    protocol: Protocol, new: Mapping[str, float], latest: Mapping[str, float], *, masked: bool
) -> tuple[Raised, ...]:
    """The rules about values that hold now and read one of the new ones.

    Args:
        new: the values that have just come.
        latest: the latest of every value, the new ones among them.
        masked: those rules that read a masked assessment, or those that read none.
    """
    found = []
    for rule in protocol.monitoring:
        if rule.when is None or rule.reads_any(protocol.masking.assessments) is not masked:
            continue
        if not any(isinstance(leaf, NumberRule) and leaf.number in new for _, leaf in leaves(rule.when)):
            continue
        finding = holds_for(rule.when, latest, protocol)
        if finding.holds:
            found.append(Raised(rule=rule, because=finding.because))
    return tuple(found)


def raised_by_event(protocol: Protocol, term: str, grade: int, hours_after_dose: float | None) -> tuple[Raised, ...]:
    """The rules that an adverse event meets: its grade, its term and the time since the last dose, as far as each
    rule names them.

    Args:
        hours_after_dose: None for an event that nobody connects with a dose.
    """
    found = []
    for rule in protocol.monitoring:
        if rule.grade_at_least is None and rule.term is None:
            continue
        soon = rule.within_h_of_dose is None or (
            hours_after_dose is not None and 0.0 <= hours_after_dose <= rule.within_h_of_dose
        )
        if soon and rule.term in (None, term) and grade >= (rule.grade_at_least or 1):
            after = "" if hours_after_dose is None else f", {hours_after_dose:g} h after a dose"
            found.append(Raised(rule=rule, because=f"{term}, grade {grade}{after}"))
    return tuple(found)
