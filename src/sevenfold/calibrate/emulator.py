"""A fast stand-in for the experiments' statistics: quadratic in the standardised parameters, with its error measured.

It only ever proposes: whether a proposal is accepted is decided by the model itself. Centre, logarithm of the standard
error and of the spread of every reading of every experiment are regressed on 1, z_i, z_i z_j; the error of a centre is
found by cross-validation and added to the likelihood's variance, so that a stand-in that knows little claims little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.calibrate.experiments import Experiment
from sevenfold.calibrate.likelihood import experiment_log_likelihood
from sevenfold.calibrate.seen import Seen

__all__ = ["Emulator", "features", "fit_emulator", "flat_statistics"]

Floats = NDArray[np.float64]

_FOLDS: Final = 5
_RIDGE: Final = 1e-3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """Predicts statistics of experiments.

    Args:
        coefficients: (feature, statistic); statistics in threes: centre, log se, log spread of each reading in turn.
        doubt: (reading,) standard deviation of a centre's error, cross-validated.
        unexplained: (reading,) that variance over the variance of what it was fitted to.
        lowest, highest: (parameter,) what it was fitted to; beyond, it is as at the edge.
    """

    experiments: tuple[Experiment, ...]
    coefficients: Floats
    doubt: Floats
    unexplained: Floats
    lowest: Floats
    highest: Floats

    def __call__(self, particles: Floats) -> Floats:
        """Log-likelihood. (particle,)"""
        return np.asarray(self.by_experiment(particles).sum(axis=1))

    def by_experiment(self, particles: Floats) -> Floats:
        """(particle, experiment)"""
        with np.errstate(divide="ignore", under="ignore"):
            parts = [
                experiment_log_likelihood(one, seen)
                for one, seen in zip(self.experiments, self.seen(particles), strict=True)
            ]
        return np.stack(parts, axis=1)

    def seen(self, particles: Floats) -> tuple[tuple[Seen, ...], ...]:
        """What the experiments would show."""
        flat = features(np.clip(particles, self.lowest, self.highest)) @ self.coefficients
        made, place = [], 0
        for one in self.experiments:
            readings = []
            for _ in one.readings:
                centre, se, spread = flat[:, 3 * place], flat[:, 3 * place + 1], flat[:, 3 * place + 2]
                readings.append(
                    Seen(
                        centre=centre,
                        se=np.exp(np.clip(se, -14.0, 8.0)),
                        spread=np.exp(np.clip(spread, -14.0, 8.0)),
                        doubt=float(self.doubt[place]),
                    )
                )
                place += 1
            made.append(tuple(readings))
        return tuple(made)


def features(particles: Floats) -> Floats:
    """1, z_i, z_i z_j for i ≤ j. (particle, feature)"""
    n, k = particles.shape
    first, second = np.triu_indices(k)
    return np.concatenate([np.ones((n, 1)), particles, particles[:, first] * particles[:, second]], axis=1)


def flat_statistics(seen: Sequence[Sequence[Seen]]) -> Floats:
    """Centre, log se and log spread of every reading, side by side. (particle, statistic)"""
    columns = [
        column for readings in seen for one in readings for column in (one.centre, np.log(one.se), np.log(one.spread))
    ]
    return np.stack(columns, axis=1)


def fit_emulator(experiments: tuple[Experiment, ...], particles: Floats, statistics: Floats) -> Emulator:
    """Regress statistics on particles; those that are not finite are left out."""
    is_finite = np.isfinite(statistics).all(axis=1)
    z, y = particles[is_finite], statistics[is_finite]
    x = features(z)
    fold = np.arange(len(z)) % _FOLDS
    off = np.empty_like(y)
    for part in range(_FOLDS):
        off[fold == part] = y[fold == part] - x[fold == part] @ _solved(x[fold != part], y[fold != part])
    error = off[:, ::3]
    doubt = np.sqrt(np.mean(np.minimum(error**2, 25.0 * np.median(error**2, axis=0)), axis=0))
    return Emulator(
        experiments=experiments,
        coefficients=_solved(x, y),
        doubt=doubt,
        unexplained=doubt**2 / np.maximum(y[:, ::3].var(axis=0), 1e-300),
        lowest=z.min(axis=0),
        highest=z.max(axis=0),
    )


def _solved(x: Floats, y: Floats) -> Floats:
    """Ridge regression by the normal equations; the constant is not drawn to 0."""
    scale = np.maximum(np.sqrt((x**2).mean(axis=0)), 1e-12)
    a = x / scale
    gram = a.T @ a / len(x) + _RIDGE * np.diag([0.0] + [1.0] * (x.shape[1] - 1))
    return np.asarray(np.linalg.solve(gram, a.T @ y / len(x)) / scale[:, None])
