"""Whether the parts of a protocol hold together: names that exist, units that fit, calendars that keep the blind."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sevenfold import unit
from sevenfold.errors import InvalidInput
from sevenfold.protocol.endpoint import (
    ChangeEndpoint,
    EventEndpoint,
    FoldEndpoint,
    ResponderEndpoint,
    Summary,
    TimeAboveEndpoint,
)
from sevenfold.protocol.part import contradiction
from sevenfold.protocol.plan import Method
from sevenfold.protocol.rule import FactRule, LabRule, NumberRule, Rule, SustainedRule, leaves
from sevenfold.protocol.variable import Kind, Variable

if TYPE_CHECKING:
    from sevenfold.protocol.protocol import Protocol

__all__ = ["check_coherence"]

_At = tuple[str | int, ...]
_SUMMARIES = {
    FoldEndpoint: {Summary.RATIO_OF_GEOMETRIC_MEANS},
    ChangeEndpoint: {Summary.DIFFERENCE_OF_MEANS},
    TimeAboveEndpoint: {Summary.DIFFERENCE_OF_MEANS},
    ResponderEndpoint: {Summary.DIFFERENCE_OF_PROPORTIONS},
    EventEndpoint: {Summary.DIFFERENCE_OF_PROPORTIONS},
}


def check_coherence(protocol: "Protocol") -> None:
    """Refuse a protocol whose parts contradict each other.

    Raises:
        PydanticCustomError: with the path of what to look at and what would be right.
    """
    _names_stand_once(protocol)
    _arms(protocol)
    _assessments(protocol)
    _rules(protocol)
    _questions(protocol)


def _once(names: Iterable[str], what: str, at: str, key: str = "id") -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise contradiction(f"two {what} are called {name!r}", at, index, key)
        seen.add(name)


def _exists(name: str, names: Iterable[str], what: str, *at: str | int) -> None:
    known = list(names)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(known)}"
        raise contradiction(f"{what} {name!r} is not known{hint}", *at)


def _names_stand_once(p: "Protocol") -> None:
    _once((criterion.id for criterion in p.population.criteria), "criteria", "population")
    _once((arm.id for arm in p.arms), "arms", "arms")
    _once((endpoint.id for endpoint in p.endpoints), "endpoints", "endpoints")
    _once((estimand.id for estimand in p.estimands), "estimands", "estimands")
    _once((rule.id for rule in p.monitoring), "monitoring rules", "monitoring")
    _once((site.id for trial in p.registered_trials for site in trial.sites), "sites", "registered_trials")


def _arms(p: "Protocol") -> None:
    for name, product in p.products.items():
        if product.matches is not None:
            _exists(product.matches, p.products, "product", "products", name, "matches")
            if not p.products[product.matches].is_active:
                raise contradiction(f"placebo {name!r} must match an active product", "products", name, "matches")
    for index, arm in enumerate(p.arms):
        for number, injection in enumerate(arm.injections):
            _exists(injection.product, p.products, "product", "arms", index, "injections", number, "product")
    first = p.arms[0]
    for index, arm in enumerate(p.arms):
        if arm.calendar != first.calendar:
            raise contradiction(_visible_difference(p, index), "arms", index, "injections")
    _syringes(p)
    arms = {arm.id for arm in p.arms}
    if set(p.randomisation.ratio) != arms:
        missing, extra = sorted(arms - set(p.randomisation.ratio)), sorted(set(p.randomisation.ratio) - arms)
        found = f"leaves out {missing[0]!r}" if missing else f"names {extra[0]!r}, which is no arm"
        raise contradiction(
            f"the ratio {found}; the arms are {', '.join(a.id for a in p.arms)}", "randomisation", "ratio"
        )
    for name, members in p.groups.items():
        for index, member in enumerate(members):
            _exists(member, (arm.id for arm in p.arms), "arm", "groups", name, index)
    days = {visit.day for visit in p.schedule.visits if visit.hours_after_dose is None}
    for day in p.dosing_days:
        if day not in days:
            raise contradiction(f"there is a dose on day {day} but no visit on that day", "schedule", "visits")


def _syringes(p: "Protocol") -> None:
    """What is in the syringes: one volume must be the right dose in every arm, and what may be withheld is replaced."""
    twins: dict[str, str] = {}
    for name, product in p.products.items():
        if product.matches in twins:
            raise contradiction(
                f"placebos {twins[product.matches]!r} and {name!r} both match {product.matches!r}; one is dispensed "
                "where it is withheld, so let one match it", "products", name, "matches",
            )  # fmt: skip
        if product.matches is not None:
            twins[product.matches] = name
    is_withheld = any(one.masked for one in p.dosing.interruptions)
    strengths: dict[int, tuple[str, float]] = {}
    for index, arm in enumerate(p.arms):
        for number, injection in enumerate(arm.injections):
            at: _At = ("arms", index, "injections", number, "product")
            given = p.products[injection.product]
            if given.is_active and is_withheld and injection.product not in twins:
                raise contradiction(
                    f"a masked rule may withhold {injection.product!r}, and no placebo matches it; add a product with "
                    f"'matches: {injection.product}'", *at,
                )  # fmt: skip
            strength = p.strength_of(injection.product)
            for day in injection.days:
                other, theirs = strengths.setdefault(day, (injection.product, strength))
                if strength != theirs:
                    raise contradiction(
                        f"{injection.product!r} has {strength / 1000:g} mg/mL and {other!r}, given on the same day "
                        f"{day}, {theirs / 1000:g} mg/mL: arms that look alike have one volume, which would be two "
                        "doses; give the products one strength", *at,
                    )  # fmt: skip


def _visible_difference(p: "Protocol", index: int) -> str:
    first, arm = p.arms[0], p.arms[index]
    mine, others = set(arm.calendar), set(first.calendar)
    odd = min(mine ^ others, key=lambda one: one.day)
    return (
        f"arm {arm.id!r} looks different from arm {first.id!r} on day {odd.day}; under a double blind all arms "
        "share days, "
        "routes and volumes, so fill the free slots with the matching placebo"
    )


def _assessments(p: "Protocol") -> None:
    variables = p.known_variables
    for index, visit in enumerate(p.schedule.visits):
        for number, name in enumerate(visit.assessments):
            at: _At = ("schedule", "visits", index, "assessments", number)
            _exists(name, variables, "assessment", *at)
            if variables[name].kind in (Kind.FACT, Kind.NUMBER, Kind.INFUSION):
                raise contradiction(f"{name!r} belongs to screening and cannot be assessed at a visit", *at)
    for index, name in enumerate(p.masking.assessments):
        _exists(name, variables, "assessment", "masking", "assessments", index)
    planned = {name for visit in p.schedule.visits for name in visit.assessments}
    for name in sorted(planned):
        if variables[name].betrays and name not in p.masking.assessments:
            raise contradiction(
                f"{name!r} gives the arm away after randomisation; list it so that it is sealed",
                "masking",
                "assessments",
            )
    for name in p.reference_ranges:
        _exists(name, variables, "assessment", "reference_ranges", name)
    _exists(p.baseline.visit, p.schedule.names, "visit", "baseline", "visit")
    for index, name in enumerate(p.baseline.qualifying_mean):
        at = ("baseline", "qualifying_mean", index)
        _exists(name, variables, "assessment", *at)
        if not any(
            isinstance(leaf, LabRule) and leaf.laboratory == name
            for c in p.population.criteria
            for _, leaf in leaves(c.rule)
        ):
            raise contradiction(f"no criterion measures {name!r}, so there is no qualifying value to average", *at)


def _rules(p: "Protocol") -> None:
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
        _exists(rule.to, (*p.masking.blind, *p.masking.unblinded), "role", "monitoring", index, "to")
        if rule.reads_any(p.masking.assessments) and rule.to in p.masking.blind:
            raise contradiction(
                f"it reads a masked result, and {rule.to!r} is blind; send it to one of the unblinded roles: "
                f"{', '.join(p.masking.unblinded) or 'there is none yet'}", "monitoring", index, "to",
            )  # fmt: skip


def _rule(p: "Protocol", rule: Rule, at: _At, *, at_screening: bool) -> None:
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


def _variable(p: "Protocol", name: str, kinds: tuple[Kind, ...], at: _At) -> Variable:
    variables = p.known_variables
    _exists(name, (v.id for v in variables.values() if v.kind in kinds), " or ".join(kinds), *at)
    return variables[name]


def _limits(p: "Protocol", leaf: NumberRule | LabRule | SustainedRule, variable: Variable, at: _At) -> None:
    wanted = variable.unit or "points"
    for name, limit in leaf.limits.items():
        if isinstance(limit, (int, float)):
            if wanted not in ("points", "ratio"):
                raise contradiction(f"{limit} has no unit; {variable.label} is measured in {wanted}", *at, name)
            continue
        try:
            quantity = unit.parse(limit)
            if quantity.unit == "x ULN":
                _exists(variable.id, p.reference_ranges, "reference range for", *at, name)
            else:
                quantity.to(wanted)
        except InvalidInput as error:
            raise contradiction(str(error).rstrip("."), *at, name) from None


def _questions(p: "Protocol") -> None:
    planned = {visit.id: set(visit.assessments) for visit in p.schedule.visits}
    for index, endpoint in enumerate(p.endpoints):
        at: _At = ("endpoints", index)
        match endpoint:
            case FoldEndpoint() | ChangeEndpoint() | ResponderEndpoint():
                name = (
                    endpoint.fold
                    if isinstance(endpoint, FoldEndpoint)
                    else endpoint.change
                    if isinstance(endpoint, ChangeEndpoint)
                    else endpoint.responder
                )
                _exists(endpoint.visit, planned, "visit", *at, "visit")
                _measured_at(p, name, endpoint.visit, at)
            case TimeAboveEndpoint():
                _exists(endpoint.time_above, p.known_variables, "assessment", *at, "time_above")
            case EventEndpoint():
                pass
    for index, estimand in enumerate(p.estimands):
        at = ("estimands", index)
        _exists(estimand.endpoint, (e.id for e in p.endpoints), "endpoint", *at, "endpoint")
        for number, group in enumerate(estimand.compare):
            _exists(group, p.groups, "group", *at, "compare", number)
        shared = set(p.groups[estimand.compare[0]]) & set(p.groups[estimand.compare[1]])
        if shared:
            raise contradiction(f"arm {min(shared)!r} stands on both sides of the comparison", *at, "compare")
        if estimand.summary not in _SUMMARIES[type(p.endpoint(estimand.endpoint))]:
            raise contradiction(
                f"a {estimand.summary} does not summarise endpoint {estimand.endpoint!r}", *at, "summary"
            )
    if sum(estimand.role == "primary" for estimand in p.estimands) != 1:
        raise contradiction("there must be exactly one primary estimand", "estimands")
    for index, analysis in enumerate(p.analyses):
        _exists(analysis.estimand, (e.id for e in p.estimands), "estimand", "analyses", index, "estimand")
        if analysis.only_if is not None:
            folds = (e.id for e in p.endpoints if isinstance(e, FoldEndpoint))
            _exists(analysis.only_if.group, p.groups, "group", "analyses", index, "only_if", "group")
            _exists(analysis.only_if.endpoint, folds, "fold endpoint", "analyses", index, "only_if", "endpoint")
    methods = [analysis.method for analysis in p.analyses if analysis.estimand == p.primary.id]
    if not methods:
        raise contradiction(f"no analysis answers the primary estimand {p.primary.id!r}", "analyses")
    if set(methods) == {Method.REPEATED_MEASURES}:
        raise contradiction(
            "a repeated-measures model takes the dead as if they had lived, so it cannot be the only primary analysis; "
            "add another method, such as ancova while alive", "analyses",
        )  # fmt: skip


def _measured_at(p: "Protocol", name: str, visit: str, at: _At) -> None:
    key = next(key for key in ("fold", "change", "responder") if getattr(p.endpoints[int(at[1])], key, None) == name)
    _exists(name, p.known_variables, "assessment", *at, key)
    if name not in p.schedule.visit(visit).assessments:
        raise contradiction(f"{name!r} is not assessed at {visit!r}", *at, "visit")
    if name not in p.baseline.qualifying_mean and name not in p.schedule.visit(p.baseline.visit).assessments:
        raise contradiction(f"{name!r} has no baseline: it is not assessed at {p.baseline.visit!r}", *at, key)
