"""Whether the parts of a protocol hold together: names that exist, units that fit, calendars that keep the blind."""

from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, Protocol

from sevenfold.protocol.answerable import check_answerable
from sevenfold.protocol.endpoint import (
    BUILT_IN_EVENTS,
    ChangeEndpoint,
    EventEndpoint,
    FoldEndpoint,
    ResponderEndpoint,
    Summary,
    TimeAboveEndpoint,
    TimeToEndpoint,
)
from sevenfold.protocol.part import contradiction, must_exist
from sevenfold.protocol.plan import Method
from sevenfold.protocol.rule import LabRule, leaves
from sevenfold.protocol.rules_coherence import check_rules
from sevenfold.protocol.treatment import Injection
from sevenfold.protocol.variable import Kind

if TYPE_CHECKING:
    from sevenfold.protocol.protocol import Protocol as Plan

__all__ = ["check_coherence"]

_At = tuple[str | int, ...]
_WEIGHT_KG = 70.0
_LEAST_ML = 0.01  # to which a volume is rounded
_SUMMARIES = {
    FoldEndpoint: {Summary.RATIO_OF_GEOMETRIC_MEANS, Summary.WIN_RATIO},
    ChangeEndpoint: {Summary.DIFFERENCE_OF_MEANS, Summary.SHIFT_OF_LOCATION, Summary.WIN_RATIO},
    TimeAboveEndpoint: {Summary.DIFFERENCE_OF_MEANS, Summary.SHIFT_OF_LOCATION},
    ResponderEndpoint: {Summary.DIFFERENCE_OF_PROPORTIONS},
    EventEndpoint: {Summary.DIFFERENCE_OF_PROPORTIONS},
    TimeToEndpoint: {Summary.HAZARD_RATIO, Summary.DIFFERENCE_OF_RESTRICTED_MEANS},
}
_BY_STRATA = (Method.LOG_RANK, Method.RANK_SUM, Method.WIN_RATIO)
_OF_EVERYBODY = ("country", "site", "age", "sex", "weight")


class _Named(Protocol):
    """Anything that a protocol calls by an id."""

    @property
    def id(self) -> str: ...


def check_coherence(protocol: "Plan") -> None:
    """Refuse a protocol whose parts contradict each other.

    Raises:
        PydanticCustomError: with the path of what to look at and what would be right.
    """
    _names_stand_once(protocol)
    _arms(protocol)
    _assessments(protocol)
    check_rules(protocol)
    _questions(protocol)
    check_answerable(protocol)


def _once(named: Iterable[tuple[str, _At]], what: str) -> None:
    """Refuse the second of two that are called alike, where it stands."""
    seen: set[str] = set()
    for name, at in named:
        if name in seen:
            raise contradiction(f"two {what} are called {name!r}", *at, "id")
        seen.add(name)


def _placed(parts: Iterable[_Named], *at: str | int) -> Iterable[tuple[str, _At]]:
    return ((part.id, (*at, index)) for index, part in enumerate(parts))


def _names_stand_once(p: "Plan") -> None:
    _once(_placed(p.population.criteria, "population", "criteria"), "criteria")
    _once(_placed(p.registered_trials, "registered_trials"), "registered trials")
    _once(_placed(p.arms, "arms"), "arms")
    _once(_placed(p.endpoints, "endpoints"), "endpoints")
    _once(_placed(p.estimands, "estimands"), "estimands")
    _once(_placed(p.monitoring, "monitoring"), "monitoring rules")
    trials = enumerate(p.registered_trials)
    sites = (site for t, trial in trials for site in _placed(trial.sites, "registered_trials", t, "sites"))
    _once(sites, "sites")


def _arms(p: "Plan") -> None:
    for name, product in p.products.items():
        if product.matches is not None:
            must_exist(product.matches, p.products, "product", "products", name, "matches")
            if not p.products[product.matches].is_active:
                raise contradiction(f"placebo {name!r} must match an active product", "products", name, "matches")
    for index, arm in enumerate(p.arms):
        for number, injection in enumerate(arm.injections):
            must_exist(injection.product, p.products, "product", "arms", index, "injections", number, "product")
            _can_be_drawn_up(p, injection, "arms", index, "injections", number, "dose")
    _vials(p)
    first = p.arms[0]
    for index, arm in enumerate(p.arms):
        if arm.calendar != first.calendar:
            raise contradiction(_visible_difference(p, index), "arms", index, "injections")
    _syringes(p)
    arms = {arm.id for arm in p.arms}
    if set(p.randomisation.ratio) != arms:
        missing, extra = sorted(arms - set(p.randomisation.ratio)), sorted(set(p.randomisation.ratio) - arms)
        found = " and ".join(
            [f"leaves out {name!r}" for name in missing[:1]]
            + [f"names {name!r}, which is no arm" for name in extra[:1]]
        )
        raise contradiction(
            f"the ratio {found}; the arms are {', '.join(a.id for a in p.arms)}", "randomisation", "ratio"
        )
    categories = [v.id for v in p.known_variables.values() if v.kind is Kind.CATEGORY]
    for number, name in enumerate(p.randomisation.strata):
        must_exist(name, ("country", "site", *categories), "stratum", "randomisation", "strata", number)
    for name, members in p.groups.items():
        for index, member in enumerate(members):
            must_exist(member, (arm.id for arm in p.arms), "arm", "groups", name, index)
    days = {visit.day for visit in p.schedule.visits if visit.hours_after_dose is None}
    for day in p.dosing_days:
        if day not in days:
            raise contradiction(f"there is a dose on day {day} but no visit on that day", "schedule", "visits")


def _can_be_drawn_up(p: "Plan", injection: Injection, *at: str | int) -> None:
    product = p.products[injection.product]
    active = p.products[product.matches] if product.matches is not None else product
    dose_ug = min(injection.dose_ug_per_kg * _WEIGHT_KG, p.dosing.cap_ug or inf)
    if dose_ug / active.strength_ug_per_ml < _LEAST_ML:
        raise contradiction(
            f"{dose_ug:g} µg, for {_WEIGHT_KG:g} kg, is less than {_LEAST_ML} mL of "
            f"{active.strength_mg_per_ml:g} mg/mL, which no syringe shows; look at dose, cap and strength", *at,
        )  # fmt: skip


def _vials(p: "Plan") -> None:
    """Stock is kept of everything or of nothing: else what runs short would tell the arm."""
    without = [name for name, product in p.products.items() if product.vial is None]
    if p.keeps_stock and without:
        raise contradiction(
            f"product {without[0]!r} has no 'vial' while another has one; give every product its vial, or none",
            "products",
            without[0],
        )


def _syringes(p: "Plan") -> None:
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


def _visible_difference(p: "Plan", index: int) -> str:
    first, arm = p.arms[0], p.arms[index]
    mine, others = set(arm.calendar), set(first.calendar)
    odd = min(mine ^ others, key=lambda one: one.day)
    return (
        f"arm {arm.id!r} looks different from arm {first.id!r} on day {odd.day}; under a double blind all arms "
        "share days, "
        "routes, volumes and durations, so fill the free slots with the matching placebo"
    )


def _assessments(p: "Plan") -> None:
    variables = p.known_variables
    for index, visit in enumerate(p.schedule.visits):
        for number, name in enumerate(visit.assessments):
            at: _At = ("schedule", "visits", index, "assessments", number)
            must_exist(name, variables, "assessment", *at)
            if variables[name].kind in (Kind.FACT, Kind.NUMBER, Kind.INFUSION, Kind.CATEGORY, Kind.EVENT):
                raise contradiction(f"{name!r} is not something that is assessed at a visit", *at)
    for index, name in enumerate(p.masking.assessments):
        must_exist(name, variables, "assessment", "masking", "assessments", index)
    planned = {name for visit in p.schedule.visits for name in visit.assessments}
    for name in sorted(planned):
        if variables[name].betrays and name not in p.masking.assessments:
            raise contradiction(
                f"{name!r} gives the arm away after randomisation; list it so that it is sealed",
                "masking",
                "assessments",
            )
    for name in p.reference_ranges:
        must_exist(name, variables, "assessment", "reference_ranges", name)
    must_exist(p.baseline.visit, p.schedule.names, "visit", "baseline", "visit")
    for index, name in enumerate(p.baseline.qualifying_mean):
        at = ("baseline", "qualifying_mean", index)
        must_exist(name, variables, "assessment", *at)
        if not any(
            isinstance(leaf, LabRule) and leaf.laboratory == name
            for c in p.population.criteria
            for _, leaf in leaves(c.rule)
        ):
            raise contradiction(f"no criterion measures {name!r}, so there is no qualifying value to average", *at)


def _questions(p: "Plan") -> None:
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
                must_exist(endpoint.visit, planned, "visit", *at, "visit")
                _measured_at(p, name, endpoint.visit, at)
            case TimeAboveEndpoint():
                must_exist(endpoint.time_above, p.known_variables, "assessment", *at, "time_above")
            case EventEndpoint() | TimeToEndpoint():
                key = "event" if isinstance(endpoint, EventEndpoint) else "time_to"
                own = [v.id for v in p.variables if v.kind is Kind.EVENT]
                must_exist(endpoint.events[0], (*BUILT_IN_EVENTS, *own), "event", *at, key)
    for index, estimand in enumerate(p.estimands):
        at = ("estimands", index)
        must_exist(estimand.endpoint, (e.id for e in p.endpoints), "endpoint", *at, "endpoint")
        for number, group in enumerate(estimand.compare):
            must_exist(group, p.groups, "group", *at, "compare", number)
        shared = set(p.groups[estimand.compare[0]]) & set(p.groups[estimand.compare[1]])
        if shared:
            raise contradiction(f"arm {min(shared)!r} stands on both sides of the comparison", *at, "compare")
        if estimand.summary not in _SUMMARIES[type(p.endpoint(estimand.endpoint))]:
            raise contradiction(
                f"a {estimand.summary} does not summarise endpoint {estimand.endpoint!r}", *at, "summary"
            )
    primary = [index for index, estimand in enumerate(p.estimands) if estimand.role == "primary"]
    if len(primary) != 1:
        second = (primary[1], "role") if primary else ()
        raise contradiction("there must be exactly one primary estimand", "estimands", *second)
    words = [v.id for v in p.known_variables.values() if v.kind in (Kind.FACT, Kind.CATEGORY)]
    strata = {"country", "site", "sex", *words}
    screened = [v.id for v in p.known_variables.values() if v.kind in (Kind.FACT, Kind.NUMBER, Kind.CATEGORY)]
    for index, analysis in enumerate(p.analyses):
        must_exist(analysis.estimand, (e.id for e in p.estimands), "estimand", "analyses", index, "estimand")
        for number, name in enumerate(analysis.covariates):
            at = ("analyses", index, "covariates", number)
            must_exist(name, ("baseline", *_OF_EVERYBODY, *screened), "covariate", *at)
            if analysis.method in _BY_STRATA and name not in strata:
                raise contradiction(
                    f"{analysis.method.value!r} takes covariates as strata, and {name!r} is a number; strata are "
                    "country, site, sex, a category or a fact",
                    *at,
                )
        if analysis.only_if is not None:
            folds = (e.id for e in p.endpoints if isinstance(e, FoldEndpoint))
            must_exist(analysis.only_if.group, p.groups, "group", "analyses", index, "only_if", "group")
            must_exist(analysis.only_if.endpoint, folds, "fold endpoint", "analyses", index, "only_if", "endpoint")
    if p.multiplicity is not None:
        answered = [analysis.estimand for analysis in p.analyses]
        for number, name in enumerate(p.multiplicity.estimands):
            must_exist(name, answered, "estimand with an analysis", "multiplicity", "estimands", number)
    methods = [analysis.method for analysis in p.analyses if analysis.estimand == p.primary.id]
    if not methods:
        raise contradiction(f"no analysis answers the primary estimand {p.primary.id!r}", "analyses")
    if set(methods) <= {Method.REPEATED_MEASURES, Method.IMPUTATION, Method.CONDITIONAL_MEAN}:
        raise contradiction(
            "this takes the dead as if they had lived, so it cannot be the only primary analysis; "
            "make an estimand in those alive the primary one, and answer it by ancova", "analyses",
        )  # fmt: skip


def _measured_at(p: "Plan", name: str, visit: str, at: _At) -> None:
    key = next(key for key in ("fold", "change", "responder") if getattr(p.endpoints[int(at[1])], key, None) == name)
    must_exist(name, p.known_variables, "assessment", *at, key)
    if name not in p.schedule.visit(visit).assessments:
        raise contradiction(f"{name!r} is not assessed at {visit!r}", *at, "visit")
    if name not in p.baseline.qualifying_mean and name not in p.schedule.visit(p.baseline.visit).assessments:
        raise contradiction(f"{name!r} has no baseline: it is not assessed at {p.baseline.visit!r}", *at, key)
