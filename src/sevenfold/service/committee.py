"""What the data monitoring committee reads: the open report for all arms together, and the closed one by arms A, B, ...

Events and masked results as far as the record has come; the vault says who is A, and nobody else does.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, final

import numpy as np

from sevenfold.analysis.trial.describing import describe
from sevenfold.analysis.trial.estimates import EventRow
from sevenfold.cohort.cohort import Assignment, Cohort
from sevenfold.cohort.from_record import from_record
from sevenfold.record.history import History, SubjectHistory, read_history, unseal
from sevenfold.record.payloads import FurtherMaskedResults, MaskedResults, SealedQueryAnswered, read_payload
from sevenfold.record.sealed import place_of_sealed
from sevenfold.record.tables import disposition
from sevenfold.report.courses import Course, courses
from sevenfold.report.event_figure import event_figure
from sevenfold.service.room import Room

__all__ = ["Closed", "Counts", "Open", "closed_report", "open_report"]

_ALL: Final = "all"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of some subjects who were randomised.

    Args:
        dispositions: how their parts stand; they sum to ``n``.
        n_serious: with a serious adverse event.
    """

    label: str
    n: int
    n_dosed: int
    n_stopped_dosing: int
    n_died: int
    n_serious: int
    dispositions: Mapping[str, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """For everybody who sees enrolment: all arms together.

    Args:
        events: term -> subjects with it, with grade 3 or more, with a serious one.
        excluded: criterion -> candidates whom it kept out first.
    """

    counts: Counts
    n_screened: int
    excluded: Mapping[str, int]
    events: Mapping[str, tuple[int, int, int]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """For the committee and the safety reviewer: by arm, under letters.

    Args:
        arms: letter -> (label, class that gives it its colour).
        events: term -> letter -> its row.
    """

    arms: Mapping[str, tuple[str, str]]
    counts: tuple[Counts, ...]
    events: Mapping[str, Mapping[str, EventRow]]
    events_svg: str
    courses: tuple[Course, ...]


def open_report(room: Room) -> Open:
    """From the open record alone."""
    history = read_history(room.conduct.ledger.events())
    people = history.used
    found: dict[str, tuple[set[str], set[str], set[str]]] = {}
    for one in people:
        for _, event in one.adverse_events:
            anyone, severe, serious = found.setdefault(event.term, (set(), set(), set()))
            anyone.add(one.subject)
            if event.grade >= 3:
                severe.add(one.subject)
            if event.is_serious:
                serious.add(one.subject)
    counted = {term: (len(a), len(b), len(c)) for term, (a, b, c) in found.items()}
    excluded = Counter(one.screened.unmet[0].criterion for one in history.subjects.values() if one.screened.unmet)
    return Open(
        counts=_counts(_ALL, people),
        n_screened=len(history.subjects),
        excluded=dict(excluded.most_common()),
        events=dict(sorted(counted.items(), key=lambda item: (-item[1][0], item[0]))),
    )


def closed_report(room: Room) -> Closed | None:
    """With what the vault knows; None while nobody is randomised."""
    protocol = room.protocol
    history = read_history(room.conduct.ledger.events())
    if not history.randomised:
        return None
    letters = room.vault.letters()
    _reveal(history, room)
    cohort = _revealed(from_record(history, protocol), history, tuple(letters))
    arms = {arm: (letters[arm], f"arm-{letters[arm].lower()}") for arm in letters}
    arms = dict(sorted(arms.items(), key=lambda item: item[1]))
    described = describe(cohort, protocol, {})
    masked = {protocol.known_variables[name].label for name in protocol.masking.assessments}
    rows = [replace(row, group=letters[row.group]) for row in described.events if row.group in letters]
    by_term: dict[str, dict[str, EventRow]] = {}
    for row in sorted(rows, key=lambda row: (row.system != "All", row.term)):
        by_term.setdefault(row.term, {})[row.group] = row
    by_letter = {letter: (letter, colour) for letter, colour in arms.values()}
    return Closed(
        arms=by_letter,
        counts=tuple(
            _counts(letter, [one for one in history.used if one.arm == arm]) for arm, (letter, _) in arms.items()
        ),
        events=by_term,
        events_svg=event_figure(rows, by_letter),
        courses=tuple(
            _lettered(course, letters)
            for course in courses(cohort, described.points, protocol, arms, is_rehearsed=False)
            if course.title in masked
        ),
    )


def _lettered(course: Course, letters: Mapping[str, str]) -> Course:
    rows = {visit: {letters[arm]: cell for arm, cell in cells.items()} for visit, cells in course.rows.items()}
    return replace(course, rows=rows)


def _reveal(history: History, room: Room) -> None:
    """What is behind the blind, opened: masked results and arms. Nothing of it is recorded."""
    for one in history.randomised:
        one.arm = room.vault.reveal_one(str(one.number))
    if history.unblinded is not None:
        return
    kinds = (MaskedResults, FurtherMaskedResults, SealedQueryAnswered)
    for event in sorted(
        (e for kind in kinds for e in room.conduct.ledger.of_type(kind.__name__)), key=lambda e: e.sequence
    ):
        said = read_payload(event)
        assert isinstance(said, kinds)
        subject, at = str(event.subject), datetime.fromisoformat(event.happened_at)
        unseal(history.subjects[subject], said, at, room.vault.open(place_of_sealed(subject, said), said.sealed))


def _revealed(cohort: Cohort, history: History, arms: tuple[str, ...]) -> Cohort:
    places = [[arms.index(str(one.arm)) for one in history.used]]
    return replace(cohort, assignment=Assignment(arms=arms, arm=np.array(places, dtype=np.int64)))


def _counts(label: str, people: list[SubjectHistory]) -> Counts:
    return Counts(
        label=label,
        n=len(people),
        n_dosed=sum(one.n_doses_given > 0 for one in people),
        n_stopped_dosing=sum(one.dosing_stopped is not None for one in people),
        n_died=sum(one.ended == "died" for one in people),
        n_serious=sum(any(said.is_serious for _, said in one.adverse_events) for one in people),
        dispositions=dict(sorted(Counter(disposition(one) for one in people).items())),
    )
