"""The screening form: the fields that the criteria in force at a site ask for, and the record that comes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, final
from zoneinfo import ZoneInfo

from sevenfold.errors import InvalidInput
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.rule import FactRule, LabRule, NumberRule, SustainedRule, leaves
from sevenfold.protocol.variable import Kind, Variable
from sevenfold.rules.screening import InfusionSpan, Measurement, Screening
from sevenfold.service.fields import fact_of, moment_of, number_of

__all__ = ["Asked", "asked_at", "screening_of"]

_ALWAYS: Final = ("age", "weight", "height", "hours_since_icu_admission", "sofa_worst_at_entry")
_DESCRIBED_BY: Final = ("female",)  # of every candidate, whether or not a criterion asks
_SPANS: Final = 2  # of an infusion


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the form asks. ``laboratory`` is each test with how many values."""

    facts: tuple[Variable, ...]
    numbers: tuple[Variable, ...]
    laboratory: tuple[tuple[Variable, int], ...]
    infusions: tuple[Variable, ...]
    n_spans: int = _SPANS


def asked_at(protocol: Protocol, site: str, at: datetime) -> Asked:
    """What the criteria in force at a site on a day want to know, in their order."""
    known = protocol.known_variables
    facts, numbers = dict.fromkeys(_DESCRIBED_BY), dict.fromkeys(_ALWAYS)
    tests: dict[str, int] = {}
    infusions: dict[str, None] = {}
    for criterion in protocol.criteria_at(site, at.date()):
        for _, leaf in leaves(criterion.rule):
            match leaf:
                case FactRule():
                    facts[leaf.fact] = None
                case NumberRule() if known[leaf.number].kind is Kind.LABORATORY:
                    tests[leaf.number] = max(tests.get(leaf.number, 0), 1)
                case NumberRule():
                    numbers[leaf.number] = None
                case LabRule():
                    tests[leaf.laboratory] = max(tests.get(leaf.laboratory, 0), leaf.measurements)
                    if leaf.last_following is not None:
                        numbers[leaf.last_following.fact] = None
                case SustainedRule():
                    infusions[leaf.infusion] = None
    return Asked(
        facts=tuple(known[name] for name in facts),
        numbers=tuple(known[name] for name in numbers),
        laboratory=tuple((known[name], n) for name, n in tests.items()),
        infusions=tuple(known[name] for name in infusions),
    )


def screening_of(
    asked: Asked, said: Mapping[str, str], at: datetime, zone: ZoneInfo
) -> tuple[Screening, dict[str, str]]:
    """The screening record, and what is wrong with it by field; of a form with faults the record is not to be used."""
    faults: dict[str, str] = {}
    facts: dict[str, bool] = {}
    numbers: dict[str, float] = {}
    laboratory: dict[str, tuple[Measurement, ...]] = {}
    infusions: dict[str, tuple[InfusionSpan, ...]] = {}
    for variable in asked.facts:
        fact = fact_of(said.get(f"fact {variable.id}", ""))
        if fact is not None:
            facts[variable.id] = fact
    for variable in asked.numbers:
        name = f"number {variable.id}"
        value = _number(variable, name, said, faults)
        if value is not None:
            numbers[variable.id] = value
        elif variable.id == "weight" and name not in faults:
            faults[name] = "The weight is needed: doses go by it."
    for variable, n in asked.laboratory:
        values = []
        for place in range(n):
            name = f"laboratory {variable.id} {place}"
            value, taken = _number(variable, name, said, faults), _moment(f"{name} at", said, zone, faults)
            if (value is None) != (taken is None) and name not in faults:
                faults[name] = f"{variable.label}: a value and the time of its sample go together."
            if value is not None and taken is not None:
                values.append(Measurement(value=value, taken_at=taken))
        laboratory[variable.id] = tuple(sorted(values, key=lambda one: one.taken_at))
    for variable in asked.infusions:
        spans = []
        for place in range(asked.n_spans):
            name = f"infusion {variable.id} {place}"
            rate = _number(variable, name, said, faults)
            began, ended = (_moment(f"{name} {end}", said, zone, faults) for end in ("from", "to"))
            if rate is None and began is None and ended is None:
                continue
            if rate is None or began is None or ended is None or ended < began:
                faults.setdefault(name, f"{variable.label}: a rate, when it began and when it ended, in this order.")
                continue
            spans.append(InfusionSpan(rate=rate, began_at=began, ended_at=ended))
        infusions[variable.id] = tuple(sorted(spans, key=lambda one: one.began_at))
    return Screening(at=at, facts=facts, numbers=numbers, laboratory=laboratory, infusions=infusions), faults


def _number(variable: Variable, name: str, said: Mapping[str, str], faults: dict[str, str]) -> float | None:
    try:
        found = number_of(variable, said.get(name, ""), said.get(f"{name} unit", ""))
    except InvalidInput as error:
        faults[name] = str(error)
        return None
    if found is not None and found.qualifier:
        faults[name] = f"{variable.label}: a number without {found.qualifier} is needed here."
        return None
    return None if found is None else found.value


def _moment(name: str, said: Mapping[str, str], zone: ZoneInfo, faults: dict[str, str]) -> datetime | None:
    typed = said.get(name, "").strip()
    if not typed:
        return None
    try:
        return moment_of("Time", typed, zone)
    except InvalidInput as error:
        faults[name] = str(error)
        return None
