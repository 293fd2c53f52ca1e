"""Draws from a posterior density: particles brought from one density to another by tempering, then chains at rest.

Several independent runs. Each: (1) particles from the prior (or from another posterior) are moved through the densities
prior × base × extra^t, t from 0 to 1; t rises so that the effective share of the particles stays at one half; each step
reweights, resamples and moves; (2) at t = 1 what proposals need is frozen, and every particle is the start of a Markov
chain whose draws are kept. A move either redraws part of the distance to a normal distribution fitted to the particles,
or adds the difference of two frozen particles in some coordinates; both leave the density as it is.

Randomness is keyed by (root, run, sweep): a run that was stopped and carried on gives the same bits, and runs know
nothing of each other. Source of the parts: [delmoral2006], [terbraak2008]; derivation: docs/theory/calibration.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Density",
    "SamplerSettings",
    "SamplerState",
    "advance_sampler",
    "at_rest",
    "begin_sampler",
    "generator",
    "moved",
    "sample",
]

Floats = NDArray[np.float64]
Density = Callable[[Floats], Floats]
"""(particle, parameter) -> (particle, 2): logs of the base and the extra density, beside a standard normal prior."""

_GOAL: Final = 0.3  # share of proposals to be accepted
_RESAMPLE_AT: Final = 0.5  # of the particles
_GAUSSIAN: Final = 0.6  # of moves; the others are differences
_SIZES: Final = np.array([1.0, 0.8, 0.4])  # of redrawing, over the adapted one
_SHARES: Final = np.array([0.15, 0.4, 1.0])  # of the coordinates that a difference moves
_INFLATED: Final = 1.1  # the frozen normal is wider than the particles, to reach the tails


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerSettings:
    """How much is done.

    Args:
        n_runs: independent of each other.
        n_particles: of a run.
        n_moves: sweeps after each step of the temperature.
        n_sweeps: of the chains, kept.
    """

    n_runs: int = 4
    n_particles: int = 100
    n_moves: int = 3
    n_sweeps: int = 40
    root: int = 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerState:
    """Where all runs stand; everything that is needed to carry on.

    Args:
        sweep: how many were done.
        temperature: (run,)
        moves_left: (run,) before the next step of the temperature.
        particles: (run, particle, parameter)
        logs: (run, particle, 2) base and extra.
        mean, factor: (run, …) of the fitted normal distribution, its Cholesky factor.
        archive: (run, particle, parameter) for differences.
        steps: (run, 2) sizes of both kinds of move.
        kept: (sweep, run, particle, parameter); kept_logs: (sweep, run, particle) base + extra.
        accepted: (sweep, 2) shares by kind, over the kept sweeps and all runs.
        ladder: (step, run) temperatures that were passed, padded with 1.
    """

    sweep: int
    temperature: Floats
    moves_left: NDArray[np.int64]
    particles: Floats
    logs: Floats
    mean: Floats
    factor: Floats
    archive: Floats
    steps: Floats
    kept: Floats
    kept_logs: Floats
    accepted: Floats
    ladder: Floats

    @property
    def is_tempered(self) -> bool:
        """Whether every run has arrived at the posterior and settled there."""
        return bool(np.all(self.temperature >= 1.0) and np.all(self.moves_left == 0))


def generator(root: int, *parts: object) -> np.random.Generator:
    """A generator keyed by the root and by what its numbers are for."""
    digest = blake2b(repr((root, *parts)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def begin_sampler(
    density: Density, n_parameters: int, settings: SamplerSettings, start: Floats | None = None
) -> SamplerState:
    """Particles from the prior, or from ``start`` (run, particle, parameter), where prior × base is its density."""
    s = settings
    if start is None:
        start = np.stack(
            [generator(s.root, "start", run).standard_normal((s.n_particles, n_parameters)) for run in range(s.n_runs)]
        )
    logs = density(start.reshape(-1, n_parameters)).reshape(s.n_runs, s.n_particles, 2)
    fits = [_normal_fit(start[run]) for run in range(s.n_runs)]
    return SamplerState(
        sweep=0,
        temperature=np.zeros(s.n_runs),
        moves_left=np.zeros(s.n_runs, dtype=np.int64),
        particles=start.copy(),
        logs=logs,
        mean=np.stack([mean for mean, _ in fits]),
        factor=np.stack([factor for _, factor in fits]),
        archive=start.copy(),
        steps=np.tile([0.7, 0.9], (s.n_runs, 1)),
        kept=np.zeros((0, s.n_runs, s.n_particles, n_parameters)),
        kept_logs=np.zeros((0, s.n_runs, s.n_particles)),
        accepted=np.zeros((0, 2)),
        ladder=np.zeros((0, s.n_runs)),
    )


def at_rest(density: Density, draws: Floats) -> SamplerState:
    """Draws of the posterior (run, particle, parameter) as the start of chains, without any tempering."""
    n_runs, n_particles, k = draws.shape
    settings = SamplerSettings(n_runs=n_runs, n_particles=n_particles)
    state = begin_sampler(density, k, settings, draws)
    return _frozen(replace(state, temperature=np.ones(n_runs), steps=np.tile([0.9, 0.9], (n_runs, 1))))


def sample(density: Density, state: SamplerState, settings: SamplerSettings) -> Iterator[SamplerState]:
    """The states after each sweep, to the last."""
    while len(state.kept) < settings.n_sweeps:
        state = advance_sampler(density, state, settings)
        yield state


def advance_sampler(density: Density, state: SamplerState, settings: SamplerSettings) -> SamplerState:
    """One sweep: each particle of every run that has something to do is moved once."""
    keeps = state.is_tempered
    if not keeps:
        state = _warmed(state, settings)
    busy = np.arange(settings.n_runs) if keeps else np.flatnonzero(state.moves_left > 0)
    proposals = [
        _proposal(state, int(run), state.particles[run], generator(settings.root, "move", int(run), state.sweep))
        for run in busy
    ]
    logs = density(np.concatenate([p.particles for p in proposals])).reshape(len(busy), -1, 2)
    particles, kept_logs, steps = state.particles.copy(), state.logs.copy(), state.steps.copy()
    shares = np.zeros((len(busy), 2))
    for place, run in enumerate(busy):
        proposal = proposals[place]
        weight = np.array([1.0, state.temperature[run]])
        rise = _total(logs[place], weight) - _total(state.logs[run], weight) + proposal.log_ratio
        is_taken = np.log(proposal.chances) < np.where(np.isnan(rise), -np.inf, rise)
        particles[run, is_taken] = proposal.particles[is_taken]
        kept_logs[run, is_taken] = logs[place, is_taken]
        for kind in (0, 1):
            mine = proposal.is_difference == bool(kind)
            shares[place, kind] = is_taken[mine].mean() if mine.any() else _GOAL
        if not keeps:
            steps[run] = np.clip(steps[run] * np.exp(0.7 * (shares[place] - _GOAL)), 0.02, [0.999, 2.0])
    state = replace(state, sweep=state.sweep + 1, particles=particles, logs=kept_logs, steps=steps)
    if not keeps:
        left = state.moves_left.copy()
        left[busy] -= 1
        state = replace(state, moves_left=left)
        return _frozen(state) if state.is_tempered else state
    return replace(
        state,
        kept=np.concatenate([state.kept, particles[None]]),
        kept_logs=np.concatenate([state.kept_logs, kept_logs.sum(axis=2)[None]]),
        accepted=np.concatenate([state.accepted, shares.mean(axis=0)[None]]),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposal:
    """Where particles would go; the log of the prior's and the proposals' ratio; the chances drawn for accepting."""

    particles: Floats
    log_ratio: Floats
    chances: Floats
    is_difference: NDArray[np.bool_]


def _total(logs: Floats, weight: Floats) -> Floats:
    """Base + t·extra; a particle that failed is at minus infinity whatever t is."""
    made = logs[:, 0] + np.where(np.isfinite(logs[:, 1]), logs[:, 1], 0.0) * weight[1]
    return np.where(np.isfinite(logs).all(axis=1), made, -np.inf)


def moved(
    density: Density, state: SamplerState, run: int, particles: Floats, n_steps: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Particles after some steps with a run's frozen proposals, and their log base + extra."""
    x, logs = particles.copy(), density(particles)
    full = np.array([1.0, 1.0])
    for _ in range(n_steps):
        proposal = _proposal(state, run, x, rng)
        found = density(proposal.particles)
        rise = _total(found, full) - _total(logs, full) + proposal.log_ratio
        is_taken = np.log(proposal.chances) < np.where(np.isnan(rise), -np.inf, rise)
        x[is_taken], logs[is_taken] = proposal.particles[is_taken], found[is_taken]
    return x, _total(logs, full)


def _proposal(state: SamplerState, run: int, x: Floats, rng: np.random.Generator) -> _Proposal:
    mean, factor = state.mean[run], state.factor[run]
    m, n = len(x), int(x.shape[1])
    is_difference = rng.random(m) > _GAUSSIAN
    size = state.steps[run, 0] * rng.choice(_SIZES, (m, 1))
    redrawn = mean + np.sqrt(1.0 - size**2) * (x - mean) + size * (rng.standard_normal((m, n)) @ factor.T)
    first = rng.integers(0, len(state.archive[run]), m)
    second = rng.integers(0, len(state.archive[run]), m)
    share = rng.choice(_SHARES, (m, 1))
    is_moved = rng.random((m, n)) < share
    count = np.maximum(is_moved.sum(axis=1, keepdims=True), 1)
    stretch = state.steps[run, 1] * 2.38 / np.sqrt(2.0 * count)
    difference = stretch * (state.archive[run][first] - state.archive[run][second]) + 1e-3 * rng.standard_normal((m, n))
    to = np.where(is_difference[:, None], x + is_moved * difference, redrawn)
    prior = -0.5 * (to**2).sum(axis=1) + 0.5 * (x**2).sum(axis=1)
    fitted = 0.5 * _squared(to - mean, factor) - 0.5 * _squared(x - mean, factor)  # log q(x) − log q(to)
    return _Proposal(
        particles=to, log_ratio=prior + np.where(is_difference, 0.0, fitted), chances=rng.random(m),
        is_difference=is_difference,
    )  # fmt: skip


def _squared(off: Floats, factor: Floats) -> Floats:
    return np.asarray((np.linalg.solve(factor, off.T) ** 2).sum(axis=0))


def _warmed(state: SamplerState, settings: SamplerSettings) -> SamplerState:
    """Runs without moves left rise to their next temperature and are resampled; the fitted normals follow."""
    particles, logs, archive = state.particles.copy(), state.logs.copy(), state.archive.copy()
    mean, factor = state.mean.copy(), state.factor.copy()
    temperature, left = state.temperature.copy(), state.moves_left.copy()
    for run in np.flatnonzero((left == 0) & (temperature < 1.0)):
        extra = np.where(np.isfinite(logs[run]).all(axis=1), logs[run, :, 1], -np.inf)
        rise = _next_rise(extra, 1.0 - temperature[run])
        weights = np.exp(rise * (extra - extra.max()))
        rng = generator(settings.root, "resample", int(run), state.sweep)
        chosen = _systematic(weights / weights.sum(), rng)
        particles[run], logs[run], archive[run] = particles[run][chosen], logs[run][chosen], particles[run][chosen]
        mean[run], factor[run] = _normal_fit(particles[run])
        temperature[run] = 1.0 if rise >= 1.0 - temperature[run] else temperature[run] + rise
        left[run] = settings.n_moves * (3 if temperature[run] >= 1.0 else 1)
    return replace(
        state, particles=particles, logs=logs, archive=archive, mean=mean, factor=factor, temperature=temperature,
        moves_left=left, ladder=np.concatenate([state.ladder, temperature[None]]),
    )  # fmt: skip


def _frozen(state: SamplerState) -> SamplerState:
    """At rest: proposals are fitted once more, to where the particles of all runs stand, and stay so."""
    n_runs, _, k = state.particles.shape
    everyone = state.particles.reshape(-1, k)
    mean, factor = _normal_fit(everyone)
    return replace(
        state,
        archive=np.tile(everyone, (n_runs, 1, 1)),
        mean=np.tile(mean, (n_runs, 1)),
        factor=np.tile(_INFLATED * factor, (n_runs, 1, 1)),
        steps=np.tile(np.exp(np.log(state.steps).mean(axis=0)), (n_runs, 1)),
    )


def _next_rise(extra: Floats, most: float) -> float:
    """The largest rise of the temperature that leaves the effective number of particles at its goal (bisection)."""

    def effective(rise: float) -> float:
        weights = np.exp(rise * (extra - extra.max()))
        return float(weights.sum() ** 2 / (weights**2).sum() / len(extra))

    if effective(most) >= _RESAMPLE_AT:
        return most
    low, high = 0.0, most
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective(middle) >= _RESAMPLE_AT else (low, middle)
    return max(low, 1e-6)


def _systematic(weights: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    n = len(weights)
    points = (rng.random() + np.arange(n)) / n
    return np.minimum(np.searchsorted(np.cumsum(weights), points), n - 1)


def _normal_fit(particles: Floats) -> tuple[Floats, Floats]:
    """Mean and Cholesky factor of the covariance, drawn towards its diagonal as far as few particles leave it open."""
    n, k = particles.shape
    shrink = min(k / (n + k), 0.9)
    covariance = (1.0 - shrink) * np.cov(particles.T).reshape(k, k) + shrink * np.diag(particles.var(axis=0) + 1e-6)
    return particles.mean(axis=0), np.linalg.cholesky(covariance)
