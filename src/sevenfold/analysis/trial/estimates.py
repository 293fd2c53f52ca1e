"""What an analysis of a trial answers: one estimate a planned analysis, and what describes the trial around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

from sevenfold.analysis.effect import Status
from sevenfold.analysis.multiplicity import Decision
from sevenfold.analysis.safety.tables import SafetyTables

__all__ = [
    "Answer",
    "Attempt",
    "Curve",
    "Description",
    "EndingRow",
    "Estimates",
    "EventRow",
    "GroupAnswer",
    "Point",
    "ReleaseRow",
]

Scale = Literal["ratio", "difference", "difference of proportions", "hazard ratio", "win ratio"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAnswer:
    """One group's side of a comparison.

    Args:
        n: randomised.
        n_used: that the estimate rests on.
        value: geometric mean ratio, mean, or proportion, as the answer's scale says; None where there is none.
        n_events: of a proportion.
    """

    group: str
    n: int
    n_used: int
    value: float | None
    lower: float | None
    upper: float | None
    n_events: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One fit in the plan's order of fallback: its settings, and how it ended."""

    settings: str
    status: Status


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one planned analysis.

    Args:
        strategy: how intercurrent events were dealt with, in words.
        is_hypothetical: whether it describes what would have been had the dead lived.
        value: on ``scale``; None where ``status`` says why.
        bounds: lower and upper bound on the effect itself, where it is only bounded.
        basis: what the figure of each group is, in words.
        left_out: reason -> number of subjects.
        n_used_by_arm: arm -> subjects with a response.
        condition: of an analysis that counts only under a condition: what was found, and whether it counts.
        attempts: of a method with a plan of fallback, in the order tried; the last is what is reported.
    """

    estimand: str
    label: str
    role: str
    method: str
    strategy: str
    is_hypothetical: bool
    scale: Scale
    groups: tuple[GroupAnswer, GroupAnswer]
    status: Status
    basis: str = ""
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    bounds: tuple[float, float] | None = None
    p_value: float | None = None
    test: str | None = None
    interval: str | None = None
    left_out: Mapping[str, int] | None = None
    n_used_by_arm: Mapping[str, int] | None = None
    notes: tuple[str, ...] = ()
    condition: tuple[str, bool] | None = None
    attempts: tuple[Attempt, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A group's values of one assessment at one visit, in those who have one.

    Args:
        n: with a value that the mean can take: a geometric one takes no zeros.
        mean: geometric for counts and concentrations (then the interval is of the geometric mean), else arithmetic.
        fold: geometric mean ratio to baseline, with its interval; None where the assessment has no ratio.
        n_below: of n, below the limit of quantification; the limit stands for them.
        n_fold: with a ratio to baseline.
        n_zero: with a value of 0, left out of a geometric mean.
    """

    variable: str
    group: str
    visit: str
    day: float
    n: int
    mean: float | None
    lower: float | None
    upper: float | None
    fold: float | None = None
    fold_lower: float | None = None
    fold_upper: float | None = None
    n_below: int = 0
    n_fold: int = 0
    n_zero: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Subjects with an adverse event, by group: number, share and exact interval."""

    term: str
    system: str
    group: str
    n: int
    n_subjects: int
    n_severe: int
    n_related: int
    n_serious: int
    share: float
    lower: float
    upper: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EndingRow:
    """Subjects whose part ended in one way, by arm.

    Args:
        how: in our words.
        word: in the data's own; empty where they have none.
        by_arm: arm, and ``all`` -> subjects.
    """

    how: str
    word: str
    by_arm: Mapping[str, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """Subjects by their worst grade of cytokine release after a dose, new or worse, with the raw one beside."""

    group: str
    n: int
    new_by_grade: Mapping[int, int]
    raw_by_grade: Mapping[int, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A group's share free of an event, at the days on which it changes.

    Args:
        n_at_risk: day -> number still followed and free of the event just before it, at round days.
    """

    endpoint: str
    group: str
    n: int
    day: tuple[float, ...]
    share: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    last_day: float
    n_at_risk: Mapping[float, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What describes a trial around its estimates.

    Args:
        endings: how follow-up ended, with the data's own word, by arm; each subject stands in one row. Empty where the
            data do not say it of anybody.
    """

    baseline: tuple[tuple[str, Mapping[str, str]], ...]
    points: tuple[Point, ...]
    events: tuple[EventRow, ...]
    release: tuple[ReleaseRow, ...]
    n_by_group: Mapping[str, int]
    antibodies: Mapping[str, tuple[int, int]]
    safety: SafetyTables
    curves: tuple[Curve, ...] = ()
    endings: tuple[EndingRow, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Everything that an analysis of a trial found.

    Args:
        decisions: by the protocol's multiple test; none where it plans none.
    """

    protocol: str
    answers: tuple[Answer, ...]
    description: Description
    decisions: tuple[Decision, ...] = ()

    @property
    def primary(self) -> Answer:
        """The answer of the primary estimand's first analysis."""
        return next(answer for answer in self.answers if answer.role == "primary")
