"""What a posterior predicts for each published figure: the statistic as that study would have reported it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from sevenfold.calibrate.experiments import Evidence, Experiment, Form, Reading, Statistic
from sevenfold.calibrate.seen import Seen
from sevenfold.calibrate.target import Likelihood

__all__ = ["Lies", "PublishedPrediction", "mixture_quantiles", "predict_published"]

Floats = NDArray[np.float64]

_WITHIN_DRAW: Final = ndtri((np.arange(41) + 0.5) / 41)  # quantiles of the chance of one study, for every draw
_TWO_SIDED: Final = 1.959963984540054  # Φ⁻¹(0.975)
_OF_A_MEDIAN: Final = np.sqrt(np.pi / 2.0)  # its standard error over that of a mean, normal distribution
_PLAIN: Final = (Statistic.MEAN_CHANGE, Statistic.DAY_OF_HIGHEST_MEAN)


class Lies(StrEnum):
    """Where the published value lies against the 95 % interval of what the study would have reported."""

    INSIDE = "inside"
    PARTLY = "partly inside"
    OUTSIDE = "outside"
    IN_WORDS = "see text"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPrediction:
    """One figure under one reading, in the statistic's unit.

    Args:
        reading: in words.
        published: ends of the published range; twice the value where a value was published; None for words.
        median: of the statistic over the posterior.
        lower, upper: 95 % interval of the statistic over very many patients: parameters' uncertainty alone.
        study_lower, study_upper: the same with the chance of n patients and the model's discrepancy.
        chance: that a study would report a value within the published range or, of "no significant difference", a
            two-sided P above 0.05; None where a value was published.
    """

    figure: str
    use: str
    reading: str
    published: tuple[float, float] | None
    median: float
    lower: float
    upper: float
    study_lower: float
    study_upper: float
    chance: float | None
    lies: Lies


def predict_published(
    ours: Evidence, experiments: Sequence[Experiment], draws: Floats, *, threads: int = 1
) -> tuple[PublishedPrediction, ...]:
    """Every experiment under every reading.

    Args:
        draws: (draw, parameter) standard normal coordinates.
    """
    chosen = tuple(experiments)
    seen = Likelihood(ours.arms_of(chosen), chosen, threads=threads).seen(draws)
    return tuple(
        _predicted(one, reading, what)
        for one, each in zip(chosen, seen, strict=True)
        for reading, what in zip(one.readings, each, strict=True)
    )


def mixture_quantiles(centre: Floats, sd: Floats, probabilities: Sequence[float]) -> tuple[float, ...]:
    """Quantiles of equal parts of normal distributions, one a draw."""
    values = (centre[:, None] + sd[:, None] * _WITHIN_DRAW).ravel()
    return tuple(float(q) for q in np.quantile(values, probabilities))


def _predicted(one: Experiment, reading: Reading, seen: Seen) -> PublishedPrediction:
    d = one.discrepancy * (abs(one.reported[0]) if one.statistic is Statistic.MEAN_CHANGE else 1.0)
    se = seen.se if one.spread is None else np.full_like(seen.se, one.spread / np.sqrt(one.n))
    sd = np.hypot(se * (_OF_A_MEDIAN if one.form is Form.QUARTILES else 1.0), d)
    median, lower, upper = (float(q) for q in np.quantile(seen.centre, (0.5, 0.025, 0.975)))
    study_lower, study_upper = mixture_quantiles(seen.centre, sd, (0.025, 0.975))
    published = _published(one)
    chance = None
    if published is not None and published[0] < published[1]:
        low, high = (_working(one, end) for end in published)
        chance = float(np.mean(ndtr((high - seen.centre) / sd) - ndtr((low - seen.centre) / sd)))
    if reading.over_placebo and one.form is Form.QUALITATIVE:
        ends = (_TWO_SIDED * se - seen.centre) / sd, (-_TWO_SIDED * se - seen.centre) / sd
        chance = float(np.mean(ndtr(ends[0]) - ndtr(ends[1])))
    low, high = _natural(one, study_lower), _natural(one, study_upper)
    return PublishedPrediction(
        figure=one.id,
        use=one.use.value,
        reading=_in_words(one, reading),
        published=published,
        median=_natural(one, median),
        lower=_natural(one, lower),
        upper=_natural(one, upper),
        study_lower=low,
        study_upper=high,
        chance=chance,
        lies=_lies(published, low, high),
    )


def _published(one: Experiment) -> tuple[float, float] | None:
    match one.form:
        case Form.QUALITATIVE:
            return None
        case Form.BETWEEN:
            return one.reported[0], one.reported[1]
        case Form.AT_LEAST:
            return one.reported[0], np.inf
        case Form.QUARTILES:
            return one.reported[1], one.reported[1]
        case _:
            return one.reported[0], one.reported[0]


def _lies(published: tuple[float, float] | None, low: float, high: float) -> Lies:
    """Inside: the interval holds all of the published range or lies within it; of an open range, reaches into it."""
    if published is None:
        return Lies.IN_WORDS
    if np.isinf(published[1]):
        return Lies.INSIDE if high >= published[0] else Lies.OUTSIDE
    holds, lies_within = low <= published[0] and published[1] <= high, published[0] <= low and high <= published[1]
    if holds or lies_within:
        return Lies.INSIDE
    return Lies.PARTLY if low <= published[1] and published[0] <= high else Lies.OUTSIDE


def _natural(one: Experiment, value: float) -> float:
    if one.statistic in _PLAIN:
        return value
    return float(expit(value)) if one.statistic is Statistic.SHARE_BELOW else float(np.exp(value))


def _working(one: Experiment, value: float) -> float:
    if one.statistic in _PLAIN:
        return value
    return float(np.log(value)) if np.isfinite(value) else np.inf


_NAMES: Final = {"alc": "ALC", "cd4": "CD4", "cd8": "CD8", "ki67_cd4": "Ki67+ CD4", "il7": "IL-7"}


def _in_words(one: Experiment, reading: Reading) -> str:
    what = f"{' and '.join(_NAMES[name] for name in one.variable.split(' and '))}, {one.statistic.value}"
    if reading.day is None:
        return what
    against = " over placebo" if reading.over_placebo else " over baseline" if one.statistic is Statistic.FOLD else ""
    return f"{what}{against}, study day {reading.day + 1:g}"
