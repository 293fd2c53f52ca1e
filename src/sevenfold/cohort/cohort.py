"""A cohort: subjects by visits, with a reason for every value that is missing. One trial is a batch of one.

Axes are ``(trial, subject)`` and ``(trial, subject, visit)`` throughout. Times are days since the first dose.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import BlindBroken, InvalidInput
from sevenfold.rules.cytokine_release import Bedside

__all__ = ["AdverseEvent", "Assignment", "Cohort", "DoseObservation", "Ended", "Missing", "Subject", "Support"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)


class Missing(IntEnum):
    """Why a value is not there."""

    PRESENT = 0
    NOT_PLANNED = 1
    DEAD = 2
    WITHDRAWN = 3
    LOST = 4
    MISSED = 5
    SEALED = 6
    NOT_YET = 7
    ADVERSE_EVENT = 8
    NO_EFFICACY = 9
    PHYSICIAN = 10
    DEVIATION = 11
    SPONSOR = 12
    OTHER = 13
    NOT_SAID = 14
    UNREADABLE = 15

    @property
    def has_left(self) -> bool:
        """Whether the subject was alive, as far as is known, and followed no more."""
        return self in (Missing.WITHDRAWN, Missing.LOST) or self >= Missing.ADVERSE_EVENT

    @property
    def is_withdrawal(self) -> bool:
        """Whether somebody decided that the subject leaves; being lost and the end of the whole trial are none."""
        return self in (
            Missing.WITHDRAWN,
            Missing.ADVERSE_EVENT,
            Missing.NO_EFFICACY,
            Missing.PHYSICIAN,
            Missing.DEVIATION,
            Missing.OTHER,
        )

    @property
    def reason(self) -> str:
        """The reason in words; empty for a value that is there."""
        return _REASONS[self]


_REASONS: Final = {
    Missing.PRESENT: "",
    Missing.NOT_PLANNED: "not planned",
    Missing.DEAD: "dead",
    Missing.WITHDRAWN: "consent withdrawn",
    Missing.LOST: "lost to follow-up",
    Missing.MISSED: "visit or test missed",
    Missing.SEALED: "sealed",
    Missing.NOT_YET: "not yet due",
    Missing.ADVERSE_EVENT: "left after an adverse event",
    Missing.NO_EFFICACY: "left for lack of efficacy",
    Missing.PHYSICIAN: "left by the physician's decision",
    Missing.DEVIATION: "left after a protocol deviation",
    Missing.SPONSOR: "left by the sponsor's decision",
    Missing.OTHER: "left for another reason",
    Missing.NOT_SAID: "followed no longer, reason not said",
    Missing.UNREADABLE: "how follow-up ended cannot be read",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is known of a subject from before the first dose.

    Args:
        covariates: facts (1 or 0), numbers and categories of the protocol; what is not known is nan or empty.
    """

    subject: str
    site: str
    country: str
    age_year: float
    sex: str
    weight_kg: float
    covariates: Mapping[str, float | str] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent:
    """One adverse event; ``subject`` is the place in the cohort.

    Args:
        relation: to the product, as it was judged; empty where it was not.
        led_to_stop: whether dosing was stopped for it.
        hours_after_dose: None where nobody connects it with a dose.
    """

    subject: int
    term: str
    system: str
    grade: int
    is_serious: bool
    is_related: bool
    day: float
    relation: str = ""
    led_to_stop: bool = False
    hours_after_dose: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DoseObservation:
    """The worst of the day before a dose and of the time after it; ``subject`` is the place in the cohort.

    Args:
        study_day: of the dose.
    """

    subject: int
    study_day: int
    before: Bedside
    after: Bedside


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """A span of support of an organ; ``subject`` is the place in the cohort.

    Args:
        began_day: since the first dose; negative where it was there before.
        ended_day: inf where it went on to the end of what is known.
    """

    subject: int
    support: str
    began_day: float
    ended_day: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one subject's part ended, as the data say.

    Args:
        how: in our words.
        word: in the data's own; empty where they have none.
    """

    how: str
    word: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who was randomised to what: exists only after unblinding.

    Args:
        arms: names, in the protocol's order.
        arm: (trial, subject) index into ``arms``.
    """

    arms: tuple[str, ...]
    arm: Ints

    def is_in(self, group: tuple[str, ...]) -> NDArray[np.bool_]:
        """(trial, subject): whether a subject is in one of the arms."""
        return np.isin(self.arm, [self.arms.index(name) for name in group])


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Randomised subjects of one or more trials.

    Args:
        subjects: in order of randomisation; those of trial 0 where there are several.
        visits: names, in order.
        values: variable -> (trial, subject, visit), NaN where missing.
        missing: variable -> (trial, subject, visit), codes of :class:`Missing`.
        baseline: variable -> (trial, subject).
        measured_day: (trial, subject, visit) when the visit took place, its first measurement where there are several
            days; NaN if it did not.
        death_day: (trial, subject), inf while alive.
        last_day: (trial, subject) until when a subject was followed.
        discharge_day: (trial, subject) from hospital, inf if not.
        first_event_day: event -> (trial, subject), inf if it did not happen.
        n_doses: (trial, subject) injections received.
        adverse_events: of trial 0.
        assignment: None while blind.
        below: variable -> (trial, subject, visit), whether a value is the limit of quantification below which the
            measurement lay; variables without any may be left out.
        dosed_from_day: (trial, subject) of the first injection received, inf without one; None where it is not known,
            and then as ``n_doses`` says, from day 0.
        dosed_to_day: (trial, subject) of the last injection received, -inf without one; None where it is not known.
        dose_observations: of trial 0.
        supports: of trial 0.
        told_of_events: what is known of adverse events besides their names; of the rest nothing may be counted.
        is_in_order: whether ``subjects`` stand in the order of randomisation.
        looked_for_day: event -> (trial, subject) until when it was looked for, where that is not ``last_day``.
        ended: how the part of each subject of trial 0 ended; empty where the data do not say it of anybody.
        own_day: variable -> (trial, subject, visit) when it was measured, where that is not ``measured_day``.
    """

    subjects: tuple[Subject, ...]
    visits: tuple[str, ...]
    values: Mapping[str, Floats]
    missing: Mapping[str, Ints]
    baseline: Mapping[str, Floats]
    measured_day: Floats
    death_day: Floats
    last_day: Floats
    discharge_day: Floats
    first_event_day: Mapping[str, Floats]
    n_doses: Ints
    adverse_events: tuple[AdverseEvent, ...]
    assignment: Assignment | None
    below: Mapping[str, Flags] = field(default_factory=dict)
    dosed_from_day: Floats | None = None
    dosed_to_day: Floats | None = None
    dose_observations: tuple[DoseObservation, ...] = ()
    supports: tuple[Support, ...] = ()
    looked_for_day: Mapping[str, Floats] = field(default_factory=dict)
    own_day: Mapping[str, Floats] = field(default_factory=dict)
    ended: tuple[Ended, ...] = ()
    is_in_order: bool = True
    told_of_events: frozenset[str] = frozenset({"grade", "related", "serious", "led_to_stop"})

    def __post_init__(self) -> None:
        shape = (*self.death_day.shape, len(self.visits))
        for name, values in self.values.items():
            if values.shape != shape or self.missing[name].shape != shape:
                raise InvalidInput(f"{name}: values and reasons must have the shape {shape}, got {values.shape}.")
            if not np.array_equal(np.isfinite(values), self.missing[name] == Missing.PRESENT):
                raise InvalidInput(f"{name}: a value is missing without a reason, or present with one.")

    @property
    def n_subjects(self) -> int:
        """Subjects a trial."""
        return int(self.death_day.shape[1])

    def taken(self, who: NDArray[np.int64]) -> "Cohort":
        """Some subjects, in this order, without what is told of single events: adverse events, observations, support.

        Args:
            who: places, each once  # (subject,).
        """

        def some(columns: Mapping[str, NDArray[T]]) -> dict[str, NDArray[T]]:
            return {name: np.asarray(column[:, who]) for name, column in columns.items()}

        def maybe(column: Floats | None) -> Floats | None:
            return None if column is None else np.asarray(column[:, who])

        assignment = self.assignment
        return replace(
            self,
            subjects=tuple(self.subjects[i] for i in who),
            values=some(self.values),
            missing=some(self.missing),
            baseline=some(self.baseline),
            first_event_day=some(self.first_event_day),
            below=some(self.below),
            looked_for_day=some(self.looked_for_day),
            own_day=some(self.own_day),
            measured_day=self.measured_day[:, who],
            death_day=self.death_day[:, who],
            last_day=self.last_day[:, who],
            discharge_day=self.discharge_day[:, who],
            n_doses=self.n_doses[:, who],
            dosed_from_day=maybe(self.dosed_from_day),
            dosed_to_day=maybe(self.dosed_to_day),
            ended=tuple(self.ended[i] for i in who) if self.ended else (),
            adverse_events=(),
            dose_observations=(),
            supports=(),
            assignment=None if assignment is None else replace(assignment, arm=assignment.arm[:, who]),
        )

    def at(self, variable: str, visit: str) -> Floats:
        """(trial, subject) values of one visit, NaN where missing."""
        return np.asarray(self.values[variable][:, :, self.visits.index(visit)])

    def is_below(self, variable: str, visit: str) -> Flags:
        """(trial, subject) whether a measurement lay below its limit of quantification, which stands for it."""
        if variable not in self.below:
            return np.zeros(self.death_day.shape, dtype=np.bool_)
        return np.asarray(self.below[variable][:, :, self.visits.index(visit)])

    def day_of(self, variable: str) -> Floats:
        """(trial, subject, visit) when a variable was measured."""
        return np.asarray(self.own_day.get(variable, self.measured_day))

    def watched_day(self, event: str) -> Floats:
        """(trial, subject) until when an event was looked for."""
        return np.asarray(self.looked_for_day.get(event, self.last_day))

    def why_missing(self, variable: str, visit: str) -> Ints:
        """(trial, subject) reasons at one visit."""
        return np.asarray(self.missing[variable][:, :, self.visits.index(visit)])

    def revealed(self) -> Assignment:
        """The assignment.

        Raises:
            BlindBroken: the cohort was made before unblinding.
        """
        if self.assignment is None:
            raise BlindBroken(
                "This cohort was made from a record that is still blind; it can be compared by arm after unblinding."
            )
        return self.assignment
