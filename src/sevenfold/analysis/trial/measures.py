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
            against="baseline",
            visit=visit,
        )
        for control in protocol.groups:
            other = found.get((variable, control, visit))
            if control != group and other is not None:
                made[f"ratio/{variable}/{group}/{control}/{visit}"] = _ratio(point, other, variable, protocol)
    for row in estimates.description.events:
        made[f"event/{row.term}/{row.group}"] = _share(row.n_subjects, row.n, row.term)
    for group, n in estimates.description.n_by_group.items():
        made.setdefault(f"event/Respiratory distress/{group}", _share(0, n, "Respiratory distress"))
    for group, (with_antibodies, tested) in estimates.description.antibodies.items():
        made[f"antibodies/{group}"] = _share(with_antibodies, tested, "Anti-drug antibodies, of those tested")
    for release in estimates.description.release:
        severe = sum(count for grade, count in release.new_by_grade.items() if grade >= 3)
        made[f"release/{release.group}"] = _share(
            severe, release.n, "New cytokine release of grade 3 or more; IL-7 is assumed to raise no cytokine"
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


def _share(n_events: int, n: int, text: str) -> Measure:
    """A number of subjects as a share of those it is out of, with Clopper and Pearson's interval."""
    if not n:
        return Measure(value=None, lower=None, upper=None, text=text)
    share = clopper_pearson(n_events, n, _LEVEL)
    return Measure(
        value=share.estimate,
        lower=share.interval.lower,
        upper=share.interval.upper,
        text=text,
        n_events=n_events,
        n=n,
    )


def _ratio(a: Point, b: Point, variable: str, protocol: Protocol) -> Measure:
    """The ratio of two groups' folds, with Welch's interval from their own standard errors on the log scale."""
    groups = f"{protocol.group_label(a.group)} over {protocol.group_label(b.group)}"
    text = f"{_label(variable, protocol)}, {groups}, {a.visit}, ratio of the ratios to baseline"
    if a.fold is None or b.fold is None:
        return Measure(value=None, lower=None, upper=None, text=text, against=b.group, visit=a.visit)
    value = a.fold / b.fold
    if a.fold_lower is None or b.fold_lower is None or a.n_fold < 2 or b.n_fold < 2:
        return Measure(value=value, lower=None, upper=None, text=text, against=b.group, visit=a.visit)
    variances = []
    for point in (a, b):
        assert point.fold is not None
        assert point.fold_lower is not None
        variances.append(
            (log(point.fold / point.fold_lower) / float(stdtrit(point.n_fold - 1, 0.5 + _LEVEL / 2.0))) ** 2
        )
    total = sum(variances)
    df = total**2 / sum(v**2 / (point.n_fold - 1) for v, point in zip(variances, (a, b), strict=True))
    half = float(stdtrit(df, 0.5 + _LEVEL / 2.0)) * sqrt(total)
    return Measure(
        value=value,
        lower=exp(log(value) - half),
        upper=exp(log(value) + half),
        text=text,
        against=b.group,
        visit=a.visit,
    )


def _label(variable: str, protocol: Protocol) -> str:
    return protocol.known_variables[variable].label
