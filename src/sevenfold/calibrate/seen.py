"""What would have been reported of simulated patients: a statistic's centre, its standard error, patients' spread."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from sevenfold.calibrate.experiments import Experiment, Reading, Statistic
from sevenfold.calibrate.simulate import ASSAY_LOG_SD, SimulatedArm

__all__ = ["HALF_LIFE_DAYS", "RISE_FROM_DAY", "Seen", "observe_experiment", "observe_reading"]

Floats = NDArray[np.float64]
_Of = Callable[[SimulatedArm], Floats]

_LEAST: Final = 1e-6
HALF_LIFE_DAYS: Final = (2.5, 9.0)
RISE_FROM_DAY: Final = 7.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A simulated statistic on its form's scale: logarithm, except for changes and days (plain) and shares (logit).

    Args:
        centre: (particle,) of the statistic over very many patients.
        se: (particle,) its standard error in n patients.
        spread: (particle,) standard deviation between patients, on the same scale.
        doubt: standard deviation of the centre's own error where it is not the model's but an emulator's.
    """

    centre: Floats
    se: Floats
    spread: Floats
    doubt: float = 0.0


def observe_experiment(one: Experiment, arms: Mapping[str, SimulatedArm]) -> tuple[Seen, ...]:
    """The statistic of an experiment under each of its readings."""
    return tuple(observe_reading(one, reading, arms) for reading in one.readings)


def observe_reading(one: Experiment, reading: Reading, arms: Mapping[str, SimulatedArm]) -> Seen:
    """The statistic of an experiment under one reading."""
    match one.statistic:
        case Statistic.FOLD:
            seen = _moments(_log_fold(one, arms, reading.day or 0.0), _weights(one, arms), one.n)
            if not reading.over_placebo:
                between = _between(seen, one.variable)
                return Seen(centre=seen.centre, se=between / np.sqrt(one.n), spread=between)
            assert one.against is not None
            assert one.n_against is not None
            other = arms[one.against]
            placebo = _moments(_fold_of(one.variable, other, reading.day or 0.0), other.weights, one.n_against)
            variance = _between(seen, one.variable) ** 2 / one.n
            variance += _between(placebo, one.variable) ** 2 / one.n_against
            return Seen(centre=seen.centre - placebo.centre, se=np.sqrt(variance), spread=seen.spread)
        case Statistic.LEVEL:
            logs = np.log(_pooled(one, arms, lambda arm: arm.at(one.variable, reading.day or 0.0)))
            return _moments(logs, _weights(one, arms), one.n, ASSAY_LOG_SD[one.variable])
        case Statistic.MEAN_CHANGE:
            change = _pooled(one, arms, lambda a: a.at(one.variable, reading.day or 0.0) - a.at(one.variable, 0.0))
            return _moments(change, _weights(one, arms), one.n)
        case Statistic.MEAN_HIGHEST_RISE:
            highest = _pooled(one, arms, lambda a: _highest(a, one.variable) / a.at(one.variable, 0.0))
            plain = _moments(highest, _weights(one, arms), one.n)
            return _relative(plain)
        case Statistic.HIGHEST_MEAN_FOLD | Statistic.DAY_OF_HIGHEST_MEAN:
            return _of_the_mean_course(one, arms)
        case Statistic.SHARE_BELOW:
            return _share_below(one, reading, arms)
        case Statistic.PEAK:
            return _relative(_moments(_pooled(one, arms, lambda a: _peak(a)[0]), _weights(one, arms), one.n))
        case Statistic.TIME_OF_PEAK:
            return _moments(np.log(_pooled(one, arms, lambda a: _peak(a)[1])), _weights(one, arms), one.n)
        case Statistic.HALF_LIFE:
            return _moments(np.log(_pooled(one, arms, _half_life)), _weights(one, arms), one.n)
        case Statistic.RATIO_OF_PEAKS:
            assert one.against is not None
            assert one.n_against is not None
            peaks = np.log(_pooled(one, arms, _first_peak))
            mine, other = _moments(peaks, _weights(one, arms), one.n), arms[one.against]
            theirs = _moments(np.log(_first_peak(other)), other.weights, one.n_against)
            return Seen(centre=mine.centre - theirs.centre, se=np.hypot(mine.se, theirs.se), spread=mine.spread)


def _weights(one: Experiment, arms: Mapping[str, SimulatedArm]) -> Floats:
    total = sum(one.arms.values())
    return np.concatenate([arms[name].weights * (share / total) for name, share in one.arms.items()], axis=1)


def _pooled(one: Experiment, arms: Mapping[str, SimulatedArm], of: "_Of") -> Floats:
    return np.concatenate([of(arms[name]) for name in one.arms], axis=1)


def _log_fold(one: Experiment, arms: Mapping[str, SimulatedArm], day: float) -> Floats:
    return _pooled(one, arms, lambda arm: _fold_of(one.variable, arm, day))


def _fold_of(variable: str, arm: SimulatedArm, day: float) -> Floats:
    """Log fold against baseline, error of both measurements left out; of CD4 and CD8 their mean."""
    names = variable.split(" and ")
    return np.asarray(sum(np.log(arm.at(v, day) / arm.at(v, 0.0)) for v in names) / len(names))


def _moments(values: Floats, weights: Floats, n: int, assay: float = 0.0) -> Seen:
    centre = np.sum(weights * values, axis=1)
    spread = np.sqrt(np.sum(weights * (values - centre[:, None]) ** 2, axis=1) + assay**2 + _LEAST)
    return Seen(centre=centre, se=spread / np.sqrt(n), spread=spread)


def _between(seen: Seen, variable: str) -> Floats:
    """Spread of observed folds: patients differ, and both measurements have their error."""
    assay = ASSAY_LOG_SD[variable.split(" and ", maxsplit=1)[0]]
    return np.sqrt(seen.spread**2 + 2.0 * assay**2)


def _relative(plain: Seen) -> Seen:
    """Of an arithmetic mean: its logarithm, with errors and spread relative to it."""
    mean = np.maximum(plain.centre, _LEAST)
    return Seen(centre=np.log(mean), se=plain.se / mean, spread=plain.spread / mean)


def _highest(arm: SimulatedArm, variable: str) -> Floats:
    late = arm.looks >= RISE_FROM_DAY
    return np.asarray(_parabola(arm.looks[late], arm.seen[variable][:, :, late])[0])


def _peak(arm: SimulatedArm) -> tuple[Floats, Floats]:
    """Highest concentration and when, on a logarithmic axis of time."""
    after = arm.looks > 0.0
    height, log_day = _parabola(np.log(arm.looks[after]), np.log(arm.seen["il7"][:, :, after]))
    return np.exp(height), np.exp(log_day)


def _first_peak(arm: SimulatedArm) -> Floats:
    first = (arm.looks > 0.0) & (arm.looks <= 3.0)
    return np.asarray(np.exp(_parabola(np.log(arm.looks[first]), np.log(arm.seen["il7"][:, :, first]))[0]))


def _half_life(arm: SimulatedArm) -> Floats:
    """From the slope of the logarithm over the late days."""
    late = (arm.looks >= HALF_LIFE_DAYS[0]) & (arm.looks <= HALF_LIFE_DAYS[1])
    days, logs = arm.looks[late], np.log(arm.seen["il7"][:, :, late])
    slope = (logs * (days - days.mean())).sum(axis=2) / ((days - days.mean()) ** 2).sum()
    return np.asarray(np.log(2.0) / np.maximum(-slope, 1e-3))


def _of_the_mean_course(one: Experiment, arms: Mapping[str, SimulatedArm]) -> Seen:
    """Height and day of the highest geometric mean fold."""
    looks = next(iter(arms[name] for name in one.arms)).looks
    late = looks >= (RISE_FROM_DAY if one.variable != "ki67_cd4" else 1.0)
    weights, days = _weights(one, arms), looks[late]
    folds = [_log_fold(one, arms, day) for day in days]
    course = np.stack([np.sum(weights * fold, axis=1) for fold in folds], axis=1)
    height, day = _parabola(days, course[:, None, :])
    top = np.argmax(course, axis=1)
    spreads = np.stack([_moments(fold, weights, one.n).spread for fold in folds], axis=1)
    spread = np.take_along_axis(spreads, top[:, None], axis=1)[:, 0]
    if one.statistic is Statistic.HIGHEST_MEAN_FOLD:
        return Seen(centre=height[:, 0], se=spread / np.sqrt(one.n), spread=spread)
    nothing = np.full(len(course), _LEAST)
    return Seen(centre=day[:, 0], se=nothing, spread=nothing)


def _share_below(one: Experiment, reading: Reading, arms: Mapping[str, SimulatedArm]) -> Seen:
    """Share with both measured counts below the bound."""
    assert one.bound is not None
    assert one.until is not None
    assay, bound = ASSAY_LOG_SD[one.variable], one.bound
    days = (reading.day or 0.0, one.until)

    def both(arm: SimulatedArm) -> Floats:
        return np.asarray(np.prod([ndtr(np.log(bound / arm.at(one.variable, day)) / assay) for day in days], axis=0))

    share = np.clip(np.sum(_weights(one, arms) * _pooled(one, arms, both), axis=1), 1e-4, 1 - 1e-4)
    centre = np.asarray(logit(share))
    spread = 1.0 / np.sqrt(expit(centre) * expit(-centre))
    return Seen(centre=centre, se=spread / np.sqrt(one.n), spread=spread)


def _parabola(days: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Top of the parabola through the highest look and its neighbours, last axis looks; at an edge the look itself."""
    last = len(days) - 1
    top = np.clip(np.argmax(values, axis=-1), 1, last - 1)
    x0, x1, x2 = days[top - 1], days[top], days[top + 1]
    y0, y1, y2 = (np.take_along_axis(values, (top + k)[..., None], axis=-1)[..., 0] for k in (-1, 0, 1))
    left, right = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    bend = (right - left) / (x2 - x0)
    flat = bend >= -1e-12
    safe = np.where(flat, -1.0, bend)
    at = np.where(flat, np.where(y2 >= y0, x2, x0), np.clip(0.5 * (x0 + x1) - left / (2.0 * safe), x0, x2))
    height = y0 + left * (at - x0) + bend * (at - x0) * (at - x1)
    return height, at
