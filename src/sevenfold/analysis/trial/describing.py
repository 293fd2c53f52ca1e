"""What describes a trial around its estimates: baseline by arm, courses by visit, adverse events, cytokine release."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from math import exp
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sevenfold.analysis.geometric import geometric_mean, paired_ratio
from sevenfold.analysis.proportion import clopper_pearson
from sevenfold.analysis.safety.tables import safety_tables
from sevenfold.analysis.trial.curves import survival_curves
from sevenfold.analysis.trial.estimates import Description, EndingRow, EventRow, Point, ReleaseRow
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.variable import Kind

__all__ = ["describe"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_Row = tuple[str, dict[str, str]]

_LEVEL: Final = 0.95
_HOW: Final = {
    "withdrew": "withdrew consent",
    "lost": "lost to follow-up",
    "adverse event": "left after an adverse event",
    "lack of efficacy": "left for lack of efficacy",
    "physician's decision": "left by the physician's decision",
    "protocol deviation": "left after a protocol deviation",
    "sponsor's decision": "left by the sponsor's decision",
    "other": "left for another reason",
    "not said": "the data do not say",
}
_ARITHMETIC: Final = {
    "temperature",
    "sofa",
    "gcs",
    "mean_arterial_pressure",
    "haemoglobin",
    "ventilated",
    "anti_drug_antibodies",
}


def describe(cohort: Cohort, protocol: Protocol, release: dict[int, tuple[int, int]]) -> Description:
    """Describe a trial by arm and by group.

    Args:
        release: place in the cohort -> worst grade of cytokine release after any dose, (new or worse, raw).
    """
    sides = _sides(cohort, protocol)
    return Description(
        baseline=tuple(_baseline(cohort, protocol)),
        points=tuple(_points(cohort, protocol, sides)),
        events=tuple(_events(cohort, sides)),
        release=tuple(_release(release, sides)),
        n_by_group={name: int(members.sum()) for name, members in sides.items()},
        antibodies=_antibodies(cohort, sides),
        endings=tuple(_endings(cohort, protocol)),
        curves=tuple(survival_curves(cohort, protocol)),
        safety=safety_tables(cohort, protocol, sides),
    )


def _sides(cohort: Cohort, protocol: Protocol) -> dict[str, Flags]:
    """Every group and every arm that is not a group of its own, by name."""
    assignment = cohort.revealed()
    names = dict(protocol.groups)
    names |= {arm.id: (arm.id,) for arm in protocol.arms if arm.id not in names}
    return {name: np.asarray(assignment.is_in(members)[0]) for name, members in names.items()}


def _baseline(cohort: Cohort, protocol: Protocol) -> Iterable[_Row]:
    arms = {arm.id: cohort.revealed().is_in((arm.id,))[0] for arm in protocol.arms} | {
        "all": np.ones(cohort.n_subjects, dtype=np.bool_)
    }

    def row(label: str, tell: Callable[[Flags], str]) -> _Row:
        return label, {name: tell(members) for name, members in arms.items()}

    people = cohort.subjects
    is_woman = np.array([float(s.sex == "female") if s.sex else np.nan for s in people])
    yield row("Subjects", lambda members: f"{int(members.sum())}")
    age, weight = np.array([s.age_year for s in people]), np.array([s.weight_kg for s in people])
    if np.isfinite(age).any():
        yield row("Age, years: median (range)", partial(_median_range, age))
    if any(s.sex for s in people):
        yield row("Women", partial(_share_of_known, is_woman))
    for country in sorted({s.country for s in people} - {""}):
        is_from = np.array([float(s.country == country) if s.country else np.nan for s in people])
        yield row(country, partial(_share_of_known, is_from))
    if np.isfinite(weight).any():
        yield row("Weight, kg: median (range)", partial(_median_range, weight))
    for name in dict.fromkeys(name for s in people for name in s.covariates):
        yield from _covariate(name, cohort, protocol, row)
    for name in protocol.schedule.visit(protocol.baseline.visit).assessments:
        variable = protocol.known_variables[name]
        if variable.kind not in (Kind.LABORATORY, Kind.SCORE) or name not in cohort.baseline:
            continue
        values = cohort.baseline[name]
        if variable.is_yes_or_no:
            yield row(variable.label, partial(_share_of_tested, values[0]))
            continue
        unit = "" if variable.unit in (None, "points", "ratio") else f", {variable.unit}"
        is_of_visit = name not in protocol.baseline.qualifying_mean
        below = cohort.is_below(name, protocol.baseline.visit)[0] & is_of_visit
        yield row(f"{variable.label}{unit}: median (quartiles)", partial(_median_quartiles, values[0], below))


def _covariate(
    name: str, cohort: Cohort, protocol: Protocol, row: Callable[[str, Callable[[Flags], str]], _Row]
) -> Iterable[_Row]:
    """A row for a number or a fact, one a word for a category."""
    variable = protocol.known_variables[name]
    found = [one.covariates.get(name, "") for one in cohort.subjects]
    if variable.kind is Kind.CATEGORY:
        for word in sorted({str(value) for value in found}):
            is_of = np.array([str(value) == word for value in found])
            yield row(f"{variable.label}: {word or 'not known'}", partial(_share, is_of))
        return
    values = np.array([float(value) if value != "" else np.nan for value in found])
    if variable.kind is Kind.FACT:
        yield row(variable.label, partial(_share_of_known, values))
        return
    unit = f", {variable.unit}" if variable.unit else ""
    none_below = np.zeros(len(values), dtype=np.bool_)
    yield row(f"{variable.label}{unit}: median (quartiles)", partial(_median_quartiles, values, none_below))


def _median_range(values: Floats, members: Flags) -> str:
    known = values[members & np.isfinite(values)]
    return f"{np.median(known):.0f} ({known.min():.0f}-{known.max():.0f})" if len(known) else "–"


def _median_quartiles(values: Floats, below: Flags, members: Flags) -> str:
    """A quantile among those below the limit of quantification is only known to be below it."""
    known = values[members & np.isfinite(values)]
    if not len(known):
        return "–"
    typical = float(np.nanmedian(values))
    digits = 0 if typical >= 20 else 1 if typical >= 1 else 3
    limit = float(values[members & below].max()) if (members & below).any() else -np.inf
    low, middle, high = (
        f"<{limit:g}" if quantile <= limit else f"{quantile:,.{digits}f}"
        for quantile in np.percentile(known, [25, 50, 75])
    )
    return f"{middle} ({low}-{high})"


def _share_of_tested(values: Floats, members: Flags) -> str:
    tested = members & np.isfinite(values)
    return f"{_share(values > 0.0, tested)} of {int(tested.sum())} tested" if tested.any() else "not tested"


def _share_of_known(values: Floats, members: Flags) -> str:
    """Of a fact: the share, and of how many where it is not known of all."""
    known = members & np.isfinite(values)
    of = "" if known.sum() == members.sum() else f" of {int(known.sum())} known"
    return f"{_share(values > 0.0, known)}{of}"


def _share(flags: Flags, members: Flags) -> str:
    n = int(members.sum())
    return f"{int((flags & members).sum())} ({(flags & members).sum() / n:.0%})" if n else "–"


def _points(cohort: Cohort, protocol: Protocol, sides: dict[str, Flags]) -> Iterable[Point]:
    for name in cohort.values:
        if protocol.known_variables[name].kind not in (Kind.LABORATORY, Kind.SCORE):
            continue
        for visit in protocol.schedule.visits:
            if name not in visit.assessments and not any(
                name in protocol.known_variables[a].components for a in visit.assessments
            ):
                continue
            values, below = cohort.at(name, visit.id)[0], cohort.is_below(name, visit.id)[0]
            before = cohort.baseline[name][0]
            for group, members in sides.items():
                is_plain = name in _ARITHMETIC or protocol.known_variables[name].kind is Kind.SCORE
                point = _point(name, group, visit.id, visit.time_day, values[members], before[members], is_plain)
                yield replace(point, n_below=int((below & members).sum()))


def _point(name: str, group: str, visit: str, day: float, values: Floats, baseline: Floats, is_plain: bool) -> Point:
    known = values[np.isfinite(values)]
    usable = known if is_plain else known[known > 0]
    mean, lower, upper = _arithmetic(usable) if is_plain else _geometric(usable)
    fold: tuple[float | None, float | None, float | None] = (None, None, None)
    pairs = np.isfinite(values) & np.isfinite(baseline) & (values > 0) & (baseline > 0)
    if not is_plain and pairs.sum() > 1:
        ratio = paired_ratio(values[pairs], baseline[pairs], name=name)
        if ratio.fit.is_ok:
            told = ratio.ratio(_LEVEL)
            fold = (told.estimate, told.interval.lower, told.interval.upper)
        else:
            fold = (exp(float(np.log(values[pairs] / baseline[pairs]).mean())), None, None)
    return Point(
        variable=name,
        group=group,
        visit=visit,
        day=day,
        n=len(usable),
        mean=mean,
        lower=lower,
        upper=upper,
        fold=fold[0],
        fold_lower=fold[1],
        fold_upper=fold[2],
        n_fold=0 if is_plain else int(pairs.sum()),
        n_zero=len(known) - len(usable),
    )


def _geometric(positive: Floats) -> tuple[float | None, float | None, float | None]:
    if not len(positive):
        return None, None, None
    mean = geometric_mean(positive)
    if not mean.fit.is_ok:
        return exp(float(np.log(positive).mean())), None, None
    told = mean.ratio(_LEVEL)
    return told.estimate, told.interval.lower, told.interval.upper


def _arithmetic(known: Floats) -> tuple[float | None, float | None, float | None]:
    if len(known) < 2:
        return (float(known[0]) if len(known) else None), None, None
    half = float(stdtrit(len(known) - 1, 0.5 + _LEVEL / 2.0)) * float(known.std(ddof=1)) / len(known) ** 0.5
    return float(known.mean()), float(known.mean()) - half, float(known.mean()) + half


def _events(cohort: Cohort, sides: dict[str, Flags]) -> Iterable[EventRow]:
    terms = sorted({(event.system, event.term) for event in cohort.adverse_events})
    for system, term in [("All", "Any adverse event"), *terms]:
        found = [e for e in cohort.adverse_events if system == "All" or (e.term == term and e.system == system)]
        for group, members in sides.items():
            mine = [event for event in found if members[event.subject]]
            n = int(members.sum())
            if not n:
                continue
            count = len({event.subject for event in mine})
            share = clopper_pearson(count, n, _LEVEL)
            yield EventRow(
                term=term,
                system=system,
                group=group,
                n=n,
                n_subjects=count,
                n_severe=len({event.subject for event in mine if event.grade >= 3}),
                n_related=len({event.subject for event in mine if event.is_related}),
                n_serious=len({event.subject for event in mine if event.is_serious}),
                share=share.estimate,
                lower=share.interval.lower,
                upper=share.interval.upper,
            )


def _endings(cohort: Cohort, protocol: Protocol) -> Iterable[EndingRow]:
    """One row a way in which follow-up ended, the commonest first."""
    if not cohort.ended:
        return
    arms = {arm.id: cohort.revealed().is_in((arm.id,))[0] for arm in protocol.arms}
    every = Counter(cohort.ended)
    for one in sorted(every, key=lambda one: (-every[one], one.how, one.word)):
        is_it = np.array([other == one for other in cohort.ended])
        by_arm = {name: int((is_it & members).sum()) for name, members in arms.items()}
        yield EndingRow(how=_HOW.get(one.how, one.how), word=one.word, by_arm={**by_arm, "all": every[one]})


def _release(release: dict[int, tuple[int, int]], sides: dict[str, Flags]) -> Iterable[ReleaseRow]:
    for group, members in sides.items():
        mine = [grades for place, grades in release.items() if members[place]]
        yield ReleaseRow(
            group=group,
            n=len(mine),
            new_by_grade=dict(sorted(Counter(new for new, _ in mine).items())),
            raw_by_grade=dict(sorted(Counter(raw for _, raw in mine).items())),
        )


def _antibodies(cohort: Cohort, sides: dict[str, Flags]) -> dict[str, tuple[int, int]]:
    """Group -> (subjects with antibodies at any visit, subjects tested); empty where the protocol does not ask."""
    if "anti_drug_antibodies" not in cohort.values:
        return {}
    values = cohort.values["anti_drug_antibodies"][0]
    tested = np.isfinite(values).any(axis=1)
    found = np.nanmax(np.where(np.isfinite(values), values, 0.0), axis=1) > 0
    return {group: (int((found & members).sum()), int((tested & members).sum())) for group, members in sides.items()}
