"""Who is compared, and their values by visit on the scale of the analysis, with a reason for everybody left out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.trial.adjusting import Adjustment, adjustment
from sevenfold.analysis.trial.estimates import GroupAnswer
from sevenfold.cohort.cohort import Cohort, Missing
from sevenfold.errors import InvalidInput
from sevenfold.protocol.endpoint import AnalysisSet, ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = [
    "NO_BASELINE",
    "NO_COVARIATE",
    "NO_RATIO",
    "Course",
    "Sides",
    "compared",
    "dated_after_death",
    "prepared",
    "said_after_death",
]

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_BASELINE: Final = "no baseline"
NO_RATIO: Final = "a value of 0 has no ratio"
NO_COVARIATE: Final = "a covariate is not known"

_NO_VALUE: Final[Mapping[str, None]] = {"value": None, "lower": None, "upper": None}
_NAMED: Final = 10  # subjects named in a note; the others are counted


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The two groups of a comparison, as far as they are in its analysis set.

    Args:
        names: the group in question, then the one it is compared with.
        active: (subject,) in the cohort, of the first.
        control: (subject,) in the cohort, of the second.
    """

    names: tuple[str, str]
    active: Flags
    control: Flags

    @property
    def both(self) -> tuple[Flags, Flags]:
        """(subject,) of each group, in the order of the names."""
        return self.active, self.control

    @property
    def either(self) -> Flags:
        """(subject,) whether in one of them."""
        return self.active | self.control

    def account(self, is_used: Flags, reasons: Mapping[str, Flags], otherwise: str, cohort: Cohort) -> dict[str, Any]:
        """Who is used and why the others are not, as fields of an ``Answer``; the groups have no values yet.

        Args:
            is_used: (subject,) in the cohort.
            reasons: why a subject is left out, the first that holds -> (subject,) in the cohort.
            otherwise: the reason where none of them holds.
        """
        assignment, is_used = cohort.revealed(), is_used & self.either
        left_out = Counter(
            next((why for why, holds in reasons.items() if holds[place]), otherwise)
            for place in np.flatnonzero(self.either & ~is_used)
        )
        return {
            "groups": tuple(
                GroupAnswer(group=name, n=int(side.sum()), n_used=int((side & is_used).sum()), **_NO_VALUE)
                for name, side in zip(self.names, self.both, strict=True)
            ),
            "n_used_by_arm": {
                arm: int((is_used & (assignment.arm[0] == place)).sum())
                for place, arm in enumerate(assignment.arms)
                if (self.either & (assignment.arm[0] == place)).any()
            },
            "left_out": dict(sorted(left_out.items())),
        }


def compared(estimand: Estimand, cohort: Cohort, protocol: Protocol, trial: int = 0) -> Sides:
    """Who is compared: the members of the estimand's two groups that its analysis set holds."""
    assignment = cohort.revealed()
    is_in_set = (cohort.n_doses[trial] > 0) | (estimand.analysis_set is not AnalysisSet.DOSED)
    active, control = (assignment.is_in(protocol.groups[name])[trial] & is_in_set for name in estimand.compare)
    return Sides(names=estimand.compare, active=active, control=control)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Courses of those who have a baseline and known covariates, on the scale of the analysis.

    Args:
        place: (patient,) in the cohort.
        is_active: (patient,)
        baseline: (patient,), a logarithm where the endpoint is a ratio.
        response: (patient, visit) change from baseline on that scale; nan where there is no value to be used.
        why: (patient, visit) codes of ``Missing``; a value dated after death is missing by death.
        visits: those after baseline, up to the endpoint's.
        by: covariates of these patients.
        reasons: why a subject is not here, or has no value to be used -> (subject,) in the cohort.
        n_zero: measured values of these patients that have no ratio.
        notes: what a reader must know of values that are not used.
    """

    place: NDArray[np.intp]
    is_active: Flags
    baseline: Floats
    response: Floats
    why: Ints
    visits: tuple[str, ...]
    by: Adjustment
    reasons: Mapping[str, Flags]
    n_zero: int
    notes: tuple[str, ...]

    def of_cohort(self, holds: Flags) -> Flags:
        """(subject,) in the cohort, from (patient,); false for those who are not here."""
        flags = np.zeros(len(self.reasons[NO_BASELINE]), dtype=np.bool_)
        flags[self.place[holds]] = True
        return flags


def prepared(
    endpoint: FoldEndpoint | ChangeEndpoint, analysis: Analysis, sides: Sides, cohort: Cohort, protocol: Protocol
) -> Course:
    """The values of the endpoint's variable by visit, ready for a model of repeated measures.

    Ratios become differences of logarithms. A value of 0 has none, and a value dated after its subject's death is not
    believed: neither is used, and both are told. A visit at which nobody has a value is left out, and told.

    Raises:
        InvalidInput: nobody has a value at the endpoint's own visit.
    """
    variable, is_ratio = endpoint.assessments[0], isinstance(endpoint, FoldEndpoint)
    visits = planned_visits(variable, endpoint.visit, protocol)
    before = cohort.baseline[variable][0]
    has_baseline = np.isfinite(before) & ((before > 0.0) | (not is_ratio))
    place = np.flatnonzero(sides.either & has_baseline)
    grid = np.stack([cohort.at(variable, visit)[0] for visit in visits], axis=1)  # (subject, visit)
    why = np.stack([cohort.why_missing(variable, visit)[0] for visit in visits], axis=1)
    is_late = dated_after_death(cohort, variable, visits, protocol) & np.isfinite(grid)
    grid, why = np.where(is_late, np.nan, grid), np.where(is_late, int(Missing.DEAD), why)
    is_zero = np.asarray(np.isfinite(grid) & (grid <= 0.0) & is_ratio)
    grid = np.where(is_zero, np.nan, grid)
    by = adjustment(analysis.covariates, cohort, protocol, place, np.isfinite(grid[place]).any(axis=1))
    if by.is_known is not None:
        place, by = place[by.is_known], by.taken(by.is_known)
    is_filled = np.isfinite(grid[place]).any(axis=0)
    if is_filled.any() and not is_filled[-1]:
        raise InvalidInput(f"Nobody compared has a value at {endpoint.visit}; nothing can be estimated there.")
    empty = [visit for visit, has_any in zip(visits, is_filled, strict=True) if is_filled.any() and not has_any]
    if empty:  # such a visit tells a model nothing, and has no variance of its own
        kept = np.flatnonzero(is_filled)
        grid, why, is_late, is_zero = grid[:, kept], why[:, kept], is_late[:, kept], is_zero[:, kept]
        visits = tuple(visits[place] for place in kept)
    response, baseline = grid[place], before[place]
    if is_ratio:
        response, baseline = np.log(response), np.log(baseline)
    is_here = np.zeros(cohort.n_subjects, dtype=np.bool_)
    is_here[place] = True
    is_bare = is_here & ~np.isfinite(grid).any(axis=1)  # without a value to be used
    return Course(
        place=place,
        is_active=sides.active[place],
        baseline=baseline,
        response=response - baseline[:, None],
        why=why[place],
        visits=visits,
        by=by,
        reasons={
            NO_BASELINE: ~np.isfinite(before),
            NO_RATIO: (np.isfinite(before) & ~has_baseline) | (is_bare & is_zero.any(axis=1)),
            NO_COVARIATE: has_baseline & ~is_here,
            "every value after baseline is dated after death": is_bare & is_late.any(axis=1),
        },
        n_zero=int(is_zero[place].sum()),
        notes=(
            *by.notes,
            *((f"Nobody has a value at {', '.join(empty)}, which is left out of the model.",) if empty else ()),
            *said_after_death(is_late & sides.either[:, None], visits, cohort),
        ),
    )


def dated_after_death(
    cohort: Cohort, variable: str, visits: Sequence[str], protocol: Protocol, trial: int = 0
) -> Flags:
    """(subject, visit) whether a variable was measured on a later day than its subject's death, which cannot be.

    A visit without a day of its own counts as of the planned one.
    """
    day = cohort.day_of(variable)[trial][:, [cohort.visits.index(visit) for visit in visits]]
    planned = np.array([protocol.schedule.visit(visit).time_day for visit in visits])
    day = np.where(np.isfinite(day), day, planned)
    return np.asarray(np.floor(day) > np.floor(cohort.death_day[trial])[:, None])


def said_after_death(is_late: Flags, visits: Sequence[str], cohort: Cohort) -> tuple[str, ...]:
    """Whose values are dated after death, and at which visits; nothing where there are none.

    Args:
        is_late: (subject, visit) values not used for that reason.
    """
    who = np.flatnonzero(is_late.any(axis=1))
    if not who.size:
        return ()
    named = [
        f"{cohort.subjects[i].subject} at {', '.join(v for v, late in zip(visits, is_late[i], strict=True) if late)}"
        for i in who[:_NAMED]
    ]
    more = f"; and of {who.size - _NAMED} more subjects" if who.size > _NAMED else ""
    return (f"Dated after the subject's death and not used: {int(is_late.sum())} values ({'; '.join(named)}{more}).",)


def planned_visits(variable: str, last: str, protocol: Protocol) -> tuple[str, ...]:
    """The visits at which the variable is measured, after baseline and up to the one asked about."""
    names = [
        v.id
        for v in protocol.schedule.visits
        if variable in v.assessments and v.id != protocol.baseline.visit and v.hours_after_dose is None
    ]
    return tuple(names[: names.index(last) + 1])
