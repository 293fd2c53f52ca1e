"""Simulation-based calibration: on synthetic evidence, ranks of the true parameters among posterior draws are uniform.

Parameters are drawn from the prior, evidence from the parameters, and the evidence is calibrated with the same sampler
and likelihoods as the real one. The model is stood in for by its emulator, which is both the truth and what is
calibrated, so that its error (stated) cannot spoil the ranks. Composite weights are 1, since a weighted likelihood is
no distribution of data. Source: [talts2018]. Three tests: chi-square in ten bins by parameter; and over all parameters
together, data set by data set, whether ranks lie too low or high (a shift) or too often at the edges (draws too narrow)
or in the middle (too wide).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from sevenfold.calibrate.emulator import Emulator, fit_emulator, flat_statistics
from sevenfold.calibrate.experiments import Evidence, Experiment
from sevenfold.calibrate.posterior import emulated_density, likelihood_of
from sevenfold.calibrate.priors import priors
from sevenfold.calibrate.sampler import SamplerSettings, begin_sampler, generator, moved, sample
from sevenfold.calibrate.synthetic import reported_anew

__all__ = ["Ranks", "rank_check", "rank_of", "synthetic_problem"]

Floats = NDArray[np.float64]

_BINS: Final = 10
_DRAWS: Final = 99  # so that ranks 0 to 99 fall evenly into the bins
_CHANCE: Final = 0.01  # that a sound method is found wanting
_POINTS: Final = 1500
_SETTLING: Final = 240  # steps of chains at rest, as the steps that propose are in the real calibration


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Ranks of true parameters among draws.

    Args:
        ranks: (data set, parameter), 0 to 99.
        unexplained: the median over readings of the emulator's unexplained share of variance over the prior.
    """

    ranks: NDArray[np.int64]
    unexplained: float

    @property
    def counts(self) -> NDArray[np.int64]:
        """(parameter, bin)"""
        return np.stack([np.bincount(column * _BINS // (_DRAWS + 1), minlength=_BINS) for column in self.ranks.T])

    @property
    def chi_square(self) -> Floats:
        """(parameter,) with nine degrees of freedom under uniformity."""
        expected = len(self.ranks) / _BINS
        return np.asarray(((self.counts - expected) ** 2 / expected).sum(axis=1))

    @property
    def p_values(self) -> Floats:
        """(parameter,)"""
        return np.asarray(chi2.sf(self.chi_square, _BINS - 1))

    @property
    def p_together(self) -> float:
        """Of all parameters: the smallest, Bonferroni."""
        return float(min(self.p_values.min() * len(self.p_values), 1.0))

    @property
    def shift(self) -> tuple[float, float]:
        """Mean of rank/100 − 1/2 over all parameters, and its p."""
        return _tested((self._share - 0.5).mean(axis=1), 0.0)

    @property
    def dispersion(self) -> tuple[float, float]:
        """Mean of 12 (rank/100 − 1/2)² over all parameters, 1 where ranks are uniform and more where draws are too
        narrow; and its p.
        """
        return _tested((12.0 * (self._share - 0.5) ** 2).mean(axis=1), 1.0)

    @property
    def _share(self) -> Floats:
        return (self.ranks + 0.5) / (_DRAWS + 1)

    @property
    def is_well(self) -> bool:
        """Whether the ranks may be uniform by all three tests."""
        return min(self.p_together, self.shift[1], self.dispersion[1]) > _CHANCE / 3.0

    def lines(self) -> list[str]:
        """For a terminal."""
        bars = "▁▂▃▄▅▆▇█"
        top = self.counts.max()
        made = [
            f"{len(self.ranks)} synthetic data sets; ranks in ten bins, {len(self.ranks) / _BINS:g} expected in each"
        ]
        for prior, counts, p in zip(priors(), self.counts, self.p_values, strict=False):
            made.append(f"{prior.name:36s} {''.join(bars[int(7 * c / top)] for c in counts)}  p = {p:.2f}")
        verdict = "uniform" if self.is_well else "NOT uniform"
        made.append(f"Smallest p over {len(self.p_values)} parameters, corrected: {self.p_together:.2f}.")
        for word, (value, p) in (("shift", self.shift), ("dispersion", self.dispersion)):
            made.append(f"Together: {word} {value:.3f}, p = {p:.2f}.")
        made.append(f"The ranks are {verdict}.")
        made.append(
            f"The emulator leaves {100 * self.unexplained:.1f} % of a statistic's variance over the prior unexplained."
        )
        return made


def synthetic_problem(ours: Evidence, *, root: int, threads: int = 1) -> Emulator:
    """The emulator that stands in for the model, fitted over the prior; its error is not part of the problem."""
    likelihood = likelihood_of("all", ours, threads=threads)
    points = generator(root, "synthetic problem").standard_normal((_POINTS, len(priors())))
    experiments = tuple(replace(one, weight=1.0) for one in likelihood.experiments)
    return fit_emulator(experiments, points, flat_statistics(likelihood.seen(points)))


def rank_check(
    ours: Evidence, n: int, *, root: int, threads: int = 1, told: Callable[[int, int], None] = lambda _done, _of: None
) -> Ranks:
    """Calibrate ``n`` synthetic data sets."""
    emulator = synthetic_problem(ours, root=root, threads=threads)
    exact = replace(emulator, doubt=np.zeros_like(emulator.doubt))
    ranks = []
    for number in range(n):
        ranks.append(rank_of(exact, root, number))
        told(number + 1, n)
    return Ranks(ranks=np.array(ranks), unexplained=float(np.median(emulator.unexplained)))


def rank_of(emulator: Emulator, root: int, number: int) -> NDArray[np.int64]:
    """One synthetic data set: ranks of its parameters among the draws of its posterior."""
    rng = generator(root, "synthetic", number)
    truth = rng.standard_normal((1, len(emulator.lowest)))
    experiments: tuple[Experiment, ...] = tuple(
        reported_anew(one, seen, rng) for one, seen in zip(emulator.experiments, emulator.seen(truth), strict=True)
    )
    settings = SamplerSettings(
        n_runs=1, n_particles=4 * (_DRAWS + 1), n_moves=15, n_sweeps=1, root=int(rng.integers(2**62))
    )
    density = emulated_density(replace(emulator, experiments=experiments))
    state = begin_sampler(density, truth.shape[1], settings)
    for last in sample(density, state, settings):
        state = last
    settled, _ = moved(density, state, 0, state.particles[0], _SETTLING, rng)
    draws = settled[::4][:_DRAWS]
    return np.asarray((draws < truth).sum(axis=0), dtype=np.int64)


def _tested(each: Floats, expected: float) -> tuple[float, float]:
    """Mean over independent data sets, and the two-sided p of its distance from what is expected."""
    se = max(float(each.std(ddof=1)) / np.sqrt(len(each)), 1e-12)
    return float(each.mean()), float(2.0 * norm.sf(abs(float(each.mean()) - expected) / se))
