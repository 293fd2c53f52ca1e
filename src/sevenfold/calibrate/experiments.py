"""Published figures as virtual experiments: what was done, what was seen, and how it was reported."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import final

from sevenfold.evidence.figures import Figure

__all__ = ["Arm", "Evidence", "Experiment", "Form", "Reading", "Statistic", "Use"]


class Use(StrEnum):
    """What an experiment is for."""

    FIT = "fit"  # in both posteriors
    HELD_OUT = "held out"  # predicted by posterior A, used as data in B
    CHECK = "check"  # predicted, never fitted


class Form(StrEnum):
    """How a figure was reported."""

    POINT = "point"
    BETWEEN = "between"
    AT_LEAST = "at least"
    QUARTILES = "quartiles"
    MEAN_AND_SD = "mean and sd"
    SHARE = "share"
    QUALITATIVE = "qualitative"


class Statistic(StrEnum):
    """What was reported of the patients."""

    FOLD = "fold"
    LEVEL = "level"
    MEAN_CHANGE = "mean change"
    MEAN_HIGHEST_RISE = "mean highest rise"
    HIGHEST_MEAN_FOLD = "highest mean fold"
    DAY_OF_HIGHEST_MEAN = "day of highest mean"
    SHARE_BELOW = "share below"
    PEAK = "peak"
    TIME_OF_PEAK = "time of peak"
    HALF_LIFE = "half-life"
    RATIO_OF_PEAKS = "ratio of peaks"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Patients of one population under one regimen.

    Args:
        looks: days since the first dose on which the patients are looked at.
        product: None for no treatment.
        injections: (days since the first dose, µg/kg, route).
    """

    name: str
    population: str
    looks: tuple[float, ...]
    product: str | None = None
    injections: tuple[tuple[float, float, str], ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read an ambiguous figure."""

    day: float | None = None
    over_placebo: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A published figure as what it is: a statistic of n patients.

    Args:
        figure: in the evidence.
        arms: arm -> its share of the patients.
        against: the comparator's arm.
        readings: equally likely beforehand.
        reported: the figure in the unit that the statistic has: one number, or several as the form wants.
        n: patients the statistic is of.
        spread: standard deviation between patients on the form's scale where it was printed; otherwise the simulated.
        discrepancy: how far the model may be off, as a standard deviation on the form's scale.
        weight: exponent of the likelihood.
        bound, until: of a share below a bound on two days.
        rounding: step of the printed digits, in the unit of the statistic.
        meaning: how the figure is read, in words.
    """

    figure: Figure
    use: Use
    arms: Mapping[str, float]
    variable: str
    statistic: Statistic
    readings: tuple[Reading, ...]
    form: Form
    reported: tuple[float, ...]
    n: int
    meaning: str
    against: str | None = None
    n_against: int | None = None
    discrepancy: float = 0.0
    spread: float | None = None
    weight: float = 1.0
    bound: float | None = None
    until: float | None = None
    rounding: float = 0.0

    @property
    def id(self) -> str:
        """The figure's."""
        return self.figure.id


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All experiments and the arms that they are made of."""

    arms: Mapping[str, Arm]
    experiments: tuple[Experiment, ...]

    def of(self, *uses: Use) -> tuple[Experiment, ...]:
        """The experiments with one of these uses."""
        return tuple(one for one in self.experiments if one.use in uses)

    def arms_of(self, experiments: tuple[Experiment, ...]) -> tuple[Arm, ...]:
        """The arms that experiments need, in the order of the file."""
        wanted = {name for one in experiments for name in (*one.arms, one.against) if name is not None}
        return tuple(arm for name, arm in self.arms.items() if name in wanted)
