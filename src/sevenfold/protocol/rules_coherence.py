"""Whether a protocol's rules can be held against a record: names that exist, units that fit, limits with room."""

from math import inf
from typing import TYPE_CHECKING

from sevenfold import unit
from sevenfold.errors import InvalidInput
from sevenfold.protocol.part import contradiction, must_exist
from sevenfold.protocol.rule import FactRule, LabRule, NumberRule, Rule, SustainedRule, leaves
from sevenfold.protocol.variable import Kind, Variable

if TYPE_CHECKING:
    from sevenfold.protocol.protocol import Protocol as Plan

__all__ = ["check_rules"]

_At = tuple[str | int, ...]


def check_rules(p: "Plan") -> None:
    """Refuse a rule that no record could be held against.

    Raises:
        PydanticCustomError: with the path of what to look at and what would be right.
    """
    for index, criterion in enumerate(p.population.criteria):
        _rule(p, criterion.rule, ("population", "criteria", index, "rule"), at_screening=True)
    for t, trial in enumerate(p.registered_trials):
        for a, amendment in enumerate(trial.amendments):
            for c, criterion in enumerate(amendment.replaces):
                place: _At = ("registered_trials", t, "amendments", a, "replaces", c, "rule")
                _rule(p, criterion.rule, place, at_screening=True)
    for index, route in enumerate(p.dosing.route_rules):
        _rule(p, route.when, ("dosing", "route_rules", index, "when"), at_screening=False)
    for index, interruption in enumerate(p.dosing.interruptions):
        at: _At = ("dosing", "interruptions", index)
        _rule(p, interruption.when, (*at, "when"), at_screening=False)
        masked = [
            leaf.number
            for _, leaf in leaves(interruption.when)
            if isinstance(leaf, NumberRule) and leaf.number in p.masking.assessments
        ]
        if masked and not interruption.masked:
            raise contradiction(
                f"{masked[0]!r} is masked: say 'masked: true', so that the unblinded pharmacist carries this out", *at
            )
    for index, rule in enumerate(p.monitoring):
        if rule.when is not None:
            _rule(p, rule.when, ("monitoring", index, "when"), at_screening=False)
        must_exist(rule.to, (*p.masking.blind, *p.masking.unblinded), "role", "monitoring", index, "to")
        if rule.reads_any(p.masking.assessments) and rule.to in p.masking.blind:
            raise contradiction(
                f"it reads a masked result, and {rule.to!r} is blind; send it to one of the unblinded roles: "
                f"{', '.join(p.masking.unblinded) or 'there is none yet'}", "monitoring", index, "to",
            )  # fmt: skip


def _rule(p: "Plan", rule: Rule, at: _At, *, at_screening: bool) -> None:
    for inner, leaf in leaves(rule):
        place = (*at, *inner)
        match leaf:
            case FactRule():
                _variable(p, leaf.fact, (Kind.FACT,), (*place, "fact"))
            case NumberRule():
                kinds = (Kind.NUMBER, Kind.LABORATORY) if at_screening else (Kind.LABORATORY, Kind.BEDSIDE, Kind.SCORE)
                _limits(p, leaf, _variable(p, leaf.number, kinds, (*place, "number")), place)
            case LabRule():
                _limits(p, leaf, _variable(p, leaf.laboratory, (Kind.LABORATORY,), (*place, "laboratory")), place)
                if leaf.last_following is not None:
                    _variable(p, leaf.last_following.fact, (Kind.NUMBER,), (*place, "last_following", "fact"))
            case SustainedRule():
                _limits(p, leaf, _variable(p, leaf.infusion, (Kind.INFUSION,), (*place, "infusion")), place)
        if not at_screening and not isinstance(leaf, NumberRule):
            raise contradiction("after randomisation a rule reads numbers: begin it with 'number'", *place)


def _variable(p: "Plan", name: str, kinds: tuple[Kind, ...], at: _At) -> Variable:
    variables = p.known_variables
    must_exist(name, (v.id for v in variables.values() if v.kind in kinds), " or ".join(kinds), *at)
    return variables[name]


def _limits(p: "Plan", leaf: NumberRule | LabRule | SustainedRule, variable: Variable, at: _At) -> None:
    wanted = variable.unit or "points"
    held: dict[str, float] = {}
    for name, limit in leaf.limits.items():
        if isinstance(limit, (int, float)):
            if wanted not in ("points", "ratio"):
                raise contradiction(f"{limit} has no unit; {variable.label} is measured in {wanted}", *at, name)
            held[name] = limit
            continue
        try:
            quantity = unit.parse(limit)
            if quantity.unit == "x ULN":
                must_exist(variable.id, p.reference_ranges, "reference range for", *at, name)
                held[name] = quantity.value * p.reference_ranges[variable.id].upper
            else:
                held[name] = quantity.to(wanted)
        except InvalidInput as error:
            raise contradiction(str(error).rstrip("."), *at, name) from None
    low, high = held.get("at_least", held.get("above", -inf)), held.get("at_most", held.get("below", inf))
    if low > high or (low == high and ("above" in held or "below" in held)):
        said = " and ".join(f"{name.replace('_', ' ')} {limit}" for name, limit in leaf.limits.items())
        raise contradiction(f"no value is {said}", *at, list(held)[-1])
