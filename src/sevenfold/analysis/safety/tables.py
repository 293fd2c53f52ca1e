"""Everything that safety tells of a trial, by group."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.safety.events import EventDifference, EventLine, event_differences, event_lines
from sevenfold.analysis.safety.exposed import exposed
from sevenfold.analysis.safety.laboratory import ShiftTable, graded, not_graded, range_shift, shift
from sevenfold.analysis.safety.release import ReleaseFound, for_adjudication
from sevenfold.analysis.safety.support_free import support_free_days
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.protocol import Protocol
from sevenfold.rules.grading.criteria import criteria_for

__all__ = ["EmergentRow", "SafetyTables", "SupportFree", "safety_tables"]

Flags = NDArray[np.bool_]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EmergentRow:
    """One laboratory term: subjects by the worst grade that is new or worse than before treatment.

    Args:
        beyond: what the term asks besides the value.
        has_range: whether the protocol has the range of normal that grade 1 mostly needs.
        by_grade: group -> grade (0 to 4, -1 without one) -> subjects; they sum to the subjects dosed.
    """

    term: str
    system: str
    variable: str
    beyond: str
    has_range: bool
    by_grade: Mapping[str, Mapping[int, int]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SupportFree:
    """A group's days alive and free of organ support.

    Args:
        n_dead: counted as the protocol says.
        n_missing: not followed so far.
        median: None where nobody has a value.
    """

    group: str
    n: int
    n_dead: int
    n_missing: int
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyTables:
    """The tables of safety.

    Args:
        window: of what is treatment-emergent, in words.
        ctcae: the version by which laboratory values are graded; None where none is pinned.
        n_dosed: group -> subjects who received at least one injection.
        told: what the data say of adverse events besides their names; of the rest nothing is counted.
        not_graded: terms that cannot be, for the unit in which the values are measured.
    """

    window: str
    ctcae: str | None
    n_dosed: Mapping[str, int]
    told: tuple[str, ...]
    events: tuple[EventLine, ...]
    differences: tuple[EventDifference, ...]
    emergent: tuple[EmergentRow, ...]
    not_graded: tuple[str, ...]
    shifts: tuple[ShiftTable, ...]
    range_shifts: tuple[ShiftTable, ...]
    adjudication: tuple[ReleaseFound, ...]
    support_free: tuple[SupportFree, ...]


def safety_tables(cohort: Cohort, protocol: Protocol, groups: Mapping[str, Flags]) -> SafetyTables:
    """Safety of the cohort's first trial.

    Args:
        groups: name -> (subject,) whether a subject belongs to it.
    """
    during = exposed(cohort, protocol)
    events = event_lines(cohort.adverse_events, during, groups)
    terms = graded(cohort, protocol, during)
    ranged = [
        name
        for name in cohort.values
        if name in protocol.reference_ranges and not criteria_for(name, protocol.safety.ctcae or "5.0")
    ]
    return SafetyTables(
        window=during.window,
        ctcae=protocol.safety.ctcae,
        n_dosed={group: int((members & during.is_dosed).sum()) for group, members in groups.items()},
        told=tuple(sorted(cohort.told_of_events)),
        events=events,
        differences=event_differences(events, protocol.primary.compare, cohort.told_of_events),
        emergent=tuple(
            EmergentRow(
                term=one.criterion.name,
                system=one.criterion.system,
                variable=one.criterion.variable,
                beyond=one.criterion.beyond,
                has_range=one.criterion.variable in protocol.reference_ranges,
                by_grade={group: one.emergent_by_grade(members & during.is_dosed) for group, members in groups.items()},
            )
            for one in terms
        ),
        not_graded=not_graded(cohort, protocol),
        shifts=tuple(shift(one, groups, during) for one in terms),
        range_shifts=tuple(
            range_shift(name, cohort, protocol, groups, during, lowest=lowest)
            for name in ranged
            for lowest in (True, False)
        ),
        adjudication=for_adjudication(cohort),
        support_free=tuple(_support_free(cohort, protocol, group, members) for group, members in groups.items()),
    )


def _support_free(cohort: Cohort, protocol: Protocol, group: str, members: Flags) -> SupportFree:
    to_day, dead = protocol.safety.support_free_to_day, protocol.safety.dead_count_as
    days = support_free_days(cohort, to_day, dead)[members]
    known = days[np.isfinite(days)]
    quartiles = [float(x) for x in np.percentile(known, [25, 50, 75])] if len(known) else [None, None, None]
    return SupportFree(
        group=group,
        n=int(members.sum()),
        n_dead=int((cohort.death_day[0][members] < to_day).sum()),
        n_missing=int(np.isnan(days).sum()),
        lower_quartile=quartiles[0],
        median=quartiles[1],
        upper_quartile=quartiles[2],
    )
