"""Whether a rule holds: limits with their units, rules about values, and rules about a screening record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import final

from sevenfold import unit
from sevenfold.clock import hours_between
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.rule import AllOf, AnyOf, FactRule, LabRule, Limits, NumberRule, Rule, SustainedRule
from sevenfold.rules.screening import InfusionSpan, Measurement, Screening

__all__ = ["Finding", "bound", "holds_at_screening", "holds_for", "qualifying_measurements", "within"]


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """What came of holding a rule against what is known.

    Args:
        holds: None where something needed is not known.
        because: what was found, in a few words.
    """

    holds: bool | None
    because: str


def bound(limit: str | float, variable: str, protocol: Protocol) -> float:
    """A limit in the variable's own unit; ``2.5 x ULN`` is that many times the upper limit of normal."""
    if not isinstance(limit, str):
        return float(limit)
    quantity = unit.parse(limit)
    if quantity.unit == "x ULN":
        return quantity.value * protocol.reference_ranges[variable].upper
    return quantity.to(protocol.known_variables[variable].unit or "points")


def within(rule: Limits, variable: str, value: float, protocol: Protocol) -> bool:
    """Whether a value lies within a rule's limits."""
    tests = {
        "at_least": lambda limit: value >= limit,
        "above": lambda limit: value > limit,
        "at_most": lambda limit: value <= limit,
        "below": lambda limit: value < limit,
    }
    return all(tests[name](bound(limit, variable, protocol)) for name, limit in rule.limits.items())


def holds_for(rule: Rule, values: Mapping[str, float], protocol: Protocol) -> Finding:
    """Whether a rule about numbers holds for the latest values, by name."""
    match rule:
        case AnyOf():
            return _any([holds_for(part, values, protocol) for part in rule.any_of])
        case AllOf():
            return _all([holds_for(part, values, protocol) for part in rule.all_of])
        case NumberRule():
            return _number(rule, values.get(rule.number), protocol)
        case FactRule() | LabRule() | SustainedRule():
            return Finding(None, "can only be held against a screening record")


def holds_at_screening(rule: Rule, known: Screening, protocol: Protocol) -> Finding:
    """Whether a rule holds for a candidate."""
    match rule:
        case AnyOf():
            return _any([holds_at_screening(part, known, protocol) for part in rule.any_of])
        case AllOf():
            return _all([holds_at_screening(part, known, protocol) for part in rule.all_of])
        case NumberRule():
            values = known.laboratory.get(rule.number, ())
            value = known.numbers.get(rule.number, values[-1].value if values else None)
            return _number(rule, value, protocol)
        case FactRule():
            label = protocol.known_variables[rule.fact].label
            if rule.fact not in known.facts:
                return Finding(None, f"{label}: not known")
            present = known.facts[rule.fact]
            return Finding(present == (rule.is_ == "present"), f"{label}: {'present' if present else 'absent'}")
        case LabRule():
            return _measured(rule, known, protocol)
        case SustainedRule():
            return _sustained(rule, known, protocol)


def _number(rule: NumberRule, value: float | None, protocol: Protocol) -> Finding:
    variable = protocol.known_variables[rule.number]
    if value is None:
        return Finding(None, f"{variable.label}: not known")
    return Finding(within(rule, rule.number, value, protocol), f"{variable.label} {_shown(value, variable.unit)}")


def _measured(rule: LabRule, known: Screening, protocol: Protocol) -> Finding:
    variable = protocol.known_variables[rule.laboratory]
    counting = qualifying_measurements(rule, known, protocol)
    if len(counting) < rule.measurements:
        return Finding(None, f"{variable.label}: {len(counting)} of {rule.measurements} measurements wanted")
    shown = " and ".join(_shown(measurement.value, variable.unit) for measurement in counting)
    if not all(within(rule, rule.laboratory, measurement.value, protocol) for measurement in counting):
        return Finding(False, f"{variable.label} {shown}")
    apart_h = hours_between(counting[0].taken_at, counting[-1].taken_at)
    if rule.apart_at_least_h is not None and apart_h < rule.apart_at_least_h:
        return Finding(False, f"{variable.label}: measured {apart_h:.0f} h apart")
    before_h = hours_between(counting[-1].taken_at, known.at)
    if rule.last_within_h is not None and before_h > rule.last_within_h:
        return Finding(False, f"{variable.label}: the last measured {before_h:.0f} h before")
    if rule.last_following is not None:
        since = known.numbers.get(rule.last_following.fact)
        if since is None:
            return Finding(None, f"{protocol.known_variables[rule.last_following.fact].label}: not known")
        if since - before_h < rule.last_following.at_least:
            return Finding(False, f"{variable.label}: the last measured after {since - before_h:.0f} h")
    return Finding(True, f"{variable.label} {shown}")


def qualifying_measurements(rule: LabRule, known: Screening, protocol: Protocol) -> tuple[Measurement, ...]:
    """The measurements that a laboratory rule is held against, in order of time; the one text of which they are.

    The last in the window always counts. With it count the latest before it; where these must lie some time apart, the
    first of them is the latest that lies far enough back, one within the limits before any other. Fewer than the rule
    wants are all there are.
    """
    window = sorted(
        (
            measurement
            for measurement in known.laboratory.get(rule.laboratory, ())
            if measurement.taken_at.astimezone(UTC) <= known.at.astimezone(UTC)
            and (known.at.date() - measurement.taken_at.astimezone(known.at.tzinfo).date()).days
            <= rule.within_days_before_consent
        ),
        key=lambda measurement: measurement.taken_at.astimezone(UTC),
    )
    latest = window[-rule.measurements :]
    if rule.apart_at_least_h is None or len(latest) < max(rule.measurements, 2):
        return tuple(latest)
    earlier = window[: len(window) - rule.measurements + 1]
    apart = [one for one in earlier if hours_between(one.taken_at, latest[-1].taken_at) >= rule.apart_at_least_h]
    low = [one for one in apart if within(rule, rule.laboratory, one.value, protocol)]
    first = (low or apart or earlier)[-1]
    return (first, *latest[1:])


def _sustained(rule: SustainedRule, known: Screening, protocol: Protocol) -> Finding:
    variable = protocol.known_variables[rule.infusion]
    longest, running = 0.0, 0.0
    previous: InfusionSpan | None = None
    for span in known.infusions.get(rule.infusion, ()):
        if within(rule, rule.infusion, span.rate, protocol):
            unbroken = previous is not None and span.began_at <= previous.ended_at
            running = running + span.hours if unbroken else span.hours
            longest, previous = max(longest, running), span
        else:
            previous = None
    return Finding(longest >= rule.for_at_least_h, f"{variable.label} within limits for {longest:.0f} h")


def _any(findings: list[Finding]) -> Finding:
    because = "; ".join(finding.because for finding in findings)
    if any(finding.holds for finding in findings):
        return Finding(True, "; ".join(finding.because for finding in findings if finding.holds))
    return Finding(None if any(finding.holds is None for finding in findings) else False, because)


def _all(findings: list[Finding]) -> Finding:
    failing = [finding for finding in findings if not finding.holds]
    because = "; ".join(finding.because for finding in failing or findings)
    if any(finding.holds is False for finding in findings):
        return Finding(False, because)
    return Finding(None if failing else True, because)


def _shown(value: float, unit_name: str | None) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return number if unit_name in (None, "points", "ratio") else f"{number} {unit_name}"
