"""Laboratory values by the pinned version of the CTCAE: before treatment, at their worst after it, and what is new.

Source: docs/theory/safety.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.safety.exposed import Exposed
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.protocol import Protocol
from sevenfold.rules.grading.criteria import Criterion, criteria_for
from sevenfold.rules.grading.grade import UNKNOWN, grade

__all__ = ["Graded", "ShiftTable", "graded", "not_graded", "range_shift", "shift"]

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

MISSING = "missing"
_GRADES = ("0", "1", "2", "3", "4")
_RANGES = ("below", "within", "above")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One term's grades, one a subject, ``UNKNOWN`` where there is none.

    Args:
        baseline: of the value before treatment, held against the range of normal.
        worst: of the values in the window, held against range and baseline as the criterion says.
        emergent: the worst of those that are new or worse than before treatment; 0 where none is, ``UNKNOWN`` where
            no value in the window has a grade or the baseline has none.
    """

    criterion: Criterion
    baseline: Ints
    worst: Ints
    emergent: Ints

    def emergent_by_grade(self, members: Flags) -> dict[int, int]:
        """Grade (0 to 4, and ``UNKNOWN``) -> subjects among the members; they sum to all of them."""
        return {at: int(((self.emergent == at) & members).sum()) for at in (*range(5), UNKNOWN)}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTable:
    """From before treatment to the worst after it: how many subjects of a group went from where to where.

    Args:
        title: of what.
        states: in order; the last is ``missing``.
        counts: group -> before -> after -> subjects.
        n: group -> subjects; its counts sum to this.
    """

    title: str
    variable: str
    states: tuple[str, ...]
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    n: Mapping[str, int]

    def row(self, group: str, before: str) -> tuple[int, ...]:
        """A group's subjects who began in a state, by where they went."""
        return tuple(self.counts[group][before].values())


def graded(cohort: Cohort, protocol: Protocol, during: Exposed) -> tuple[Graded, ...]:
    """Every term of the pinned version that the trial's values can be graded by; none where no version is pinned."""
    return tuple(
        _graded(criterion, name, cohort, protocol, during)
        for name, criterion in _terms(cohort, protocol)
        if criterion.is_stated_in(_unit(name, protocol))
    )


def not_graded(cohort: Cohort, protocol: Protocol) -> tuple[str, ...]:
    """Terms that the trial's values could be graded by if they were measured in another unit, and in which they are."""
    return tuple(
        f"{criterion.name} (measured in {_unit(name, protocol)})"
        for name, criterion in _terms(cohort, protocol)
        if not criterion.is_stated_in(_unit(name, protocol))
    )


def _terms(cohort: Cohort, protocol: Protocol) -> list[tuple[str, Criterion]]:
    version = protocol.safety.ctcae
    return [] if version is None else [(name, one) for name in cohort.values for one in criteria_for(name, version)]


def _unit(name: str, protocol: Protocol) -> str:
    return protocol.known_variables[name].unit or "ratio"


def _graded(criterion: Criterion, name: str, cohort: Cohort, protocol: Protocol, during: Exposed) -> Graded:
    unit = _unit(name, protocol)
    normal = protocol.reference_ranges.get(name)
    lower, upper = (None, None) if normal is None else (normal.lower, normal.upper)
    before = cohort.baseline[name][0]
    against_range = grade(criterion, before, unit, lower=lower, upper=upper)
    own = grade(criterion, before, unit, lower=lower, upper=upper, baseline=before)  # on the scale of later grades
    values = np.where(_is_after(name, cohort, protocol, during), cohort.values[name][0], np.nan)
    after = grade(criterion, values, unit, lower=lower, upper=upper, baseline=before[:, None])
    worst = after.max(axis=1, initial=UNKNOWN)
    emergent = np.where(worst > np.maximum(own, 0), worst, 0)
    return Graded(
        criterion=criterion,
        baseline=against_range,
        worst=worst,
        emergent=np.where((worst == UNKNOWN) | (own == UNKNOWN), UNKNOWN, emergent),
    )


def shift(one: Graded, groups: Mapping[str, Flags], during: Exposed) -> ShiftTable:
    """From the grade before treatment to the worst grade in the window, of the subjects dosed."""
    before, after = (_named(grades, _GRADES) for grades in (one.baseline, one.worst))
    return _table(one.criterion.name, one.criterion.variable, _GRADES, before, after, groups, during)


def range_shift(
    name: str, cohort: Cohort, protocol: Protocol, groups: Mapping[str, Flags], during: Exposed, *, lowest: bool
) -> ShiftTable:
    """From below, within or above the range of normal before treatment to the lowest or highest value in the window."""
    normal = protocol.reference_ranges[name]
    values = np.where(_is_after(name, cohort, protocol, during), cohort.values[name][0], np.nan)
    pick, none = (np.min, np.inf) if lowest else (np.max, -np.inf)
    extreme = pick(np.where(np.isnan(values), none, values), axis=1)
    states = []
    for seen in (cohort.baseline[name][0], np.where(np.isinf(extreme), np.nan, extreme)):
        place = np.where(seen < normal.lower, 0, np.where(seen > normal.upper, 2, 1))
        states.append(_named(np.where(np.isnan(seen), UNKNOWN, place), _RANGES))
    title = f"{protocol.known_variables[name].label}, {'lowest' if lowest else 'highest'}"
    return _table(title, name, _RANGES, states[0], states[1], groups, during)


def _is_after(name: str, cohort: Cohort, protocol: Protocol, during: Exposed) -> Flags:
    """(subject, visit): held behind the baseline visit, after the first dose, and within the window."""
    day = np.nan_to_num(cohort.day_of(name)[0], nan=-np.inf)
    later = np.arange(len(cohort.visits)) > cohort.visits.index(protocol.baseline.visit)
    in_window = (day >= during.from_day[:, None]) & (day <= during.to_day[:, None])
    return np.asarray(in_window & later & during.is_dosed[:, None])


def _named(places: Ints, names: tuple[str, ...]) -> list[str]:
    return [MISSING if place == UNKNOWN else names[place] for place in places]


def _table(
    title: str, variable: str, names: tuple[str, ...], before: list[str], after: list[str],
    groups: Mapping[str, Flags], during: Exposed,
) -> ShiftTable:  # fmt: skip
    states = (*names, MISSING)
    counts, n = {}, {}
    for group, members in groups.items():
        mine = np.flatnonzero(members & during.is_dosed)
        pairs = [(before[i], after[i]) for i in mine]
        counts[group] = {a: {b: pairs.count((a, b)) for b in states} for a in states}
        n[group] = len(pairs)
    return ShiftTable(title=title, variable=variable, states=states, counts=counts, n=n)
