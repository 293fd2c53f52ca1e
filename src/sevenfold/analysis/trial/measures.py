"""Our results under the names by which the evidence asks for them."""

from math import exp, log, sqrt
from typing import Final

from scipy.special import stdtrit

from sevenfold.analysis.proportion import clopper_pearson
from sevenfold.analysis.trial.estimates import Estimates, Point
from sevenfold.cohort.cohort import Cohort
from sevenfold.evidence.compare import Measure
from sevenfold.protocol.protocol import Protocol

__all__ = ["measures"]

_LEVEL: Final = 0.95


def measures(estimates: Estimates, cohort: Cohort, protocol: Protocol) -> dict[str, Measure]:
    """Every measure of a trial's results, by name (the names are explained in ``evidence/comparisons.toml``)."""
    made = _counts(cohort, protocol, estimates)
    found = {(point.variable, point.group, point.visit): point for point in estimates.description.points}
    for (variable, group, visit), point in found.items():
        made[f"fold/{variable}/{group}/{visit}"] = Measure(
            value=point.fold,
            lower=point.fold_lower,
            upper=point.fold_upper,
            text=f"{_label(variable, protocol)}, {protocol.group_label(group)}, {visit}, against baseline",
        )
        for control in protocol.groups:
            other = found.get((variable, control, visit))
            if control != group and other is not None:
                made[f"ratio/{variable}/{group}/{control}/{visit}"] = _ratio(point, other, variable, protocol)
    for row in estimates.description.events:
        name = f"event/{row.term}/{row.group}"
        made[name] = Measure(
            value=float(row.n_subjects),
            lower=row.lower * row.n,
            upper=row.upper * row.n,
            text=f"{row.term}, {row.n_subjects} of {row.n}",
        )
    for group, n in estimates.description.n_by_group.items():
        share = clopper_pearson(0, n) if n else None
        made.setdefault(
            f"event/Respiratory distress/{group}",
            Measure(
                value=0.0,
                lower=0.0,
                upper=share.interval.upper * n if share else None,
                text=f"Respiratory distress, 0 of {n}",
            ),
        )
    for group, (with_antibodies, tested) in estimates.description.antibodies.items():
        made[f"antibodies/{group}"] = Measure(
            value=float(with_antibodies),
            lower=None,
            upper=None,
            text=f"Anti-drug antibodies, {with_antibodies} of {tested} tested",
        )
    for release in estimates.description.release:
        severe = sum(count for grade, count in release.new_by_grade.items() if grade >= 3)
        made[f"release/{release.group}"] = Measure(
            value=float(severe),
            lower=None,
            upper=None,
            text=(
                f"New cytokine release of grade 3 or more, {severe} of {release.n}; IL-7 is assumed to raise no "
                "cytokine"
            ),
        )
    for answer in estimates.answers:
        if answer.estimand.startswith("death-"):
            made[f"death/{answer.estimand.removeprefix('death-')}/difference"] = Measure(
                value=answer.value,
                lower=answer.lower,
                upper=answer.upper,
                text=f"{answer.label}, difference; an effect of IL-7 on death is switched off",
            )
    return made


def _counts(cohort: Cohort, protocol: Protocol, estimates: Estimates) -> dict[str, Measure]:
    people = cohort.subjects
    ages = [person.age_year for person in people]
    numbers: dict[str, tuple[float, str]] = {
        "n/randomised": (len(people), "Subjects randomised"),
        "n/sites": (len(protocol.sites), "Sites"),
        "n/arms": (len(protocol.arms), "Arms"),
        "age/lowest": (min(ages), "Youngest subject, years"),
        "age/highest": (max(ages), "Oldest subject, years"),
    }
    numbers |= {
        f"n/{group}": (n, f"Subjects randomised to {protocol.group_label(group)}")
        for group, n in estimates.description.n_by_group.items()
    }
    for country in sorted({trial.country for trial in protocol.registered_trials}):
        numbers[f"n/{country}"] = (sum(person.country == country for person in people), f"Subjects in {country}")
    return {
        name: Measure(value=float(value), lower=None, upper=None, text=text, is_count=not name.startswith("age/"))
        for name, (value, text) in numbers.items()
    }


def _ratio(a: Point, b: Point, variable: str, protocol: Protocol) -> Measure:
    """The ratio of two groups' folds, with Welch's interval from their own standard errors on the log scale."""
    groups = f"{protocol.group_label(a.group)} over {protocol.group_label(b.group)}"
    text = f"{_label(variable, protocol)}, {groups}, {a.visit}, ratio of the ratios to baseline"
    if a.fold is None or b.fold is None:
        return Measure(value=None, lower=None, upper=None, text=text)
    value = a.fold / b.fold
    if a.fold_lower is None or b.fold_lower is None or a.n < 2 or b.n < 2:
        return Measure(value=value, lower=None, upper=None, text=text)
    variances = []
    for point in (a, b):
        assert point.fold is not None
        assert point.fold_lower is not None
        variances.append((log(point.fold / point.fold_lower) / float(stdtrit(point.n - 1, 0.5 + _LEVEL / 2.0))) ** 2)
    total = sum(variances)
    df = total**2 / sum(v**2 / (point.n - 1) for v, point in zip(variances, (a, b), strict=True))
    half = float(stdtrit(df, 0.5 + _LEVEL / 2.0)) * sqrt(total)
    return Measure(value=value, lower=exp(log(value) - half), upper=exp(log(value) + half), text=text)


def _label(variable: str, protocol: Protocol) -> str:
    return protocol.known_variables[variable].label
