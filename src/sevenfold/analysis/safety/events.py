"""Adverse events by system and term: each subject once, at the worst grade; rates by time at risk with exact limits.

A row of the table is any event, an organ class, or a term of one; columns are groups. Source: docs/theory/safety.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.exposure import Rate, rate
from sevenfold.analysis.proportion import Proportion, clopper_pearson
from sevenfold.analysis.proportion_difference import ProportionDifference, chan_zhang, newcombe
from sevenfold.analysis.safety.exposed import Exposed
from sevenfold.analysis.two_binomials import Table
from sevenfold.cohort.cohort import AdverseEvent

__all__ = ["EventCell", "EventDifference", "EventLine", "event_differences", "event_lines"]

Flags = NDArray[np.bool_]

_LEVEL: Final = 0.95
_EXACT_UP_TO: Final = 60  # subjects of both groups; beyond it Newcombe's interval, which takes no time
ANY: Final = "Any adverse event"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EventCell:
    """A row of the table in one group.

    Args:
        n: subjects dosed.
        by_grade: worst grade -> subjects.
        related_by_grade: the same, of events that are possibly or probably related only.
        n_serious: subjects with a serious one.
        n_led_to_stop: subjects who stopped dosing for one.
        n_events: events, all of a subject's.
        share: of subjects with at least one, with Clopper and Pearson's interval.
        rate: of first events per patient-day at risk, with Garwood's interval; None where nobody was at risk.
    """

    n: int
    by_grade: Mapping[int, int]
    related_by_grade: Mapping[int, int]
    n_serious: int
    n_led_to_stop: int
    n_events: int
    share: Proportion
    rate: Rate | None

    @property
    def n_subjects(self) -> int:
        """Subjects with at least one such event."""
        return sum(self.by_grade.values())

    @property
    def n_related(self) -> int:
        """Subjects with at least one such event that is possibly or probably related."""
        return sum(self.related_by_grade.values())

    def at_least(self, grade: int) -> int:
        """Subjects whose worst event has this grade or more."""
        return sum(n for found, n in self.by_grade.items() if found >= grade)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """A row of the table.

    Args:
        system: empty for any event.
        term: empty for an organ class.
        cells: group -> what was found there; groups of whom nobody was dosed have none.
    """

    system: str
    term: str
    cells: Mapping[str, EventCell]

    @property
    def label(self) -> str:
        """What stands in the first column."""
        return self.term or self.system or ANY


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EventDifference:
    """Of one kind of event, the share of subjects in group a minus that in group b."""

    label: str
    compare: tuple[str, str]
    difference: ProportionDifference


def event_lines(events: Iterable[AdverseEvent], during: Exposed, groups: Mapping[str, Flags]) -> tuple[EventLine, ...]:
    """The table of treatment-emergent events: any, then each class with its terms, the commonest first.

    A line's place is by the number of subjects of all groups together and then by name, so that which group is called
    what changes no order. Events outside the window, and of subjects who were never dosed, are left aside.
    """
    found = [event for event in events if during.holds(event.subject, event.day)]
    lines = [("", "", found)]
    for system in _commonest(found, lambda event: event.system):
        of_system = [event for event in found if event.system == system]
        lines.append((system, "", of_system))
        lines += [
            (system, term, [event for event in of_system if event.term == term])
            for term in _commonest(of_system, lambda event: event.term)
        ]
    return tuple(
        EventLine(
            system=system,
            term=term,
            cells={
                group: _cell(mine, during, members)
                for group, members in groups.items()
                if (members & during.is_dosed).any()
            },
        )
        for system, term, mine in lines
    )


def event_differences(
    lines: Iterable[EventLine], compare: tuple[str, str], told: frozenset[str]
) -> tuple[EventDifference, ...]:
    """Differences between two groups of five kinds of any event: any, grade 3 or more, related, serious, led to stop.

    Exact (Chan and Zhang) up to 60 subjects, beyond it Newcombe's. The terms are not tested one by one: in a trial this
    size that would find what chance puts there.

    Args:
        told: what the data say of events besides their names; what they do not say is left out.
    """
    total = next(line for line in lines if not line.system)
    if not all(group in total.cells for group in compare):
        return ()
    a, b = (total.cells[group] for group in compare)
    kinds: tuple[tuple[str, str, Callable[[EventCell], int]], ...] = (
        ("", ANY, lambda cell: cell.n_subjects),
        ("grade", "Of grade 3 or more", lambda cell: cell.at_least(3)),
        ("related", "Related", lambda cell: cell.n_related),
        ("serious", "Serious", lambda cell: cell.n_serious),
        ("led_to_stop", "Led to the end of dosing", lambda cell: cell.n_led_to_stop),
    )
    return tuple(
        EventDifference(label=label, compare=compare, difference=_difference(count(a), a.n, count(b), b.n))
        for needs, label, count in kinds
        if not needs or needs in told
    )


@lru_cache(maxsize=256)
def _difference(events_a: int, n_a: int, events_b: int, n_b: int) -> ProportionDifference:
    table = Table(events_a=events_a, n_a=n_a, events_b=events_b, n_b=n_b)
    return chan_zhang(table, _LEVEL) if n_a + n_b <= _EXACT_UP_TO else newcombe(table, _LEVEL)


def _commonest(events: list[AdverseEvent], of: Callable[[AdverseEvent], str]) -> list[str]:
    subjects: dict[str, set[int]] = {}
    for event in events:
        subjects.setdefault(of(event), set()).add(event.subject)
    return sorted(subjects, key=lambda name: (-len(subjects[name]), name))


def _cell(events: list[AdverseEvent], during: Exposed, members: Flags) -> EventCell:
    in_group = members & during.is_dosed
    mine = [event for event in events if in_group[event.subject]]
    n = int(in_group.sum())
    by_grade = _worst(mine)
    at_risk_day = during.to_day - during.from_day
    for event in mine:
        at_risk_day[event.subject] = min(at_risk_day[event.subject], event.day - during.from_day[event.subject])
    at_risk = float(at_risk_day[in_group].sum())
    n_subjects = sum(by_grade.values())
    return EventCell(
        n=n,
        by_grade=by_grade,
        related_by_grade=_worst(event for event in mine if event.is_related),
        n_serious=len({event.subject for event in mine if event.is_serious}),
        n_led_to_stop=len({event.subject for event in mine if event.led_to_stop}),
        n_events=len(mine),
        share=clopper_pearson(n_subjects, n, _LEVEL),
        rate=rate(n_subjects, at_risk, _LEVEL) if at_risk > 0.0 else None,
    )


def _worst(events: Iterable[AdverseEvent]) -> dict[int, int]:
    """Worst grade -> subjects."""
    worst: dict[int, int] = {}
    for event in events:
        worst[event.subject] = max(worst.get(event.subject, 0), event.grade)
    return {grade: sum(found == grade for found in worst.values()) for grade in sorted(set(worst.values()))}
