"""A posterior from the evidence: an emulator taught where it matters, then chains on the posterior itself.

Rounds: the model is evaluated at points, an emulator is fitted to all points so far, its posterior is sampled, and some
of its draws are the next points. Then chains start at the last emulated posterior and move by the model's own density,
the emulator only proposing (``surrogate``). Everything is a function of the evidence, the settings and the root seed.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.calibrate.checkpoint import read_checkpoint, write_checkpoint
from sevenfold.calibrate.digest import evidence_hash, model_hash
from sevenfold.calibrate.emulator import Emulator, fit_emulator, flat_statistics
from sevenfold.calibrate.experiments import Evidence
from sevenfold.calibrate.patients import N_PATIENTS
from sevenfold.calibrate.priors import priors
from sevenfold.calibrate.sampler import Density, SamplerSettings, SamplerState, begin_sampler, generator, sample
from sevenfold.calibrate.surrogate import Chains, advance_chains, begin_chains
from sevenfold.calibrate.target import Likelihood, fitted
from sevenfold.errors import InvalidInput

__all__ = [
    "CalibrationSettings",
    "Progress",
    "Sampled",
    "Which",
    "emulated_posterior",
    "likelihood_of",
    "sample_posterior",
]

Floats = NDArray[np.float64]
Which = Literal["held out", "all"]
"""Posterior A (IRIS-7 and IRIS-7C held out of the likelihood) or B (all of the evidence)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSettings:
    """How much is done.

    Args:
        n_runs: groups of chains, each from an emulated posterior sampled on its own.
        n_chains: of a run.
        n_first: points of the first round.
        n_new: points of every later round.
        n_rounds: of teaching the emulator.
        n_sweeps: of the chains, kept.
    """

    n_runs: int = 4
    n_chains: int = 100
    n_first: int = 1200
    n_new: int = 600
    n_rounds: int = 6
    n_sweeps: int = 16
    root: int = 1

    @property
    def n_steps(self) -> int:
        """Rounds and sweeps."""
        return self.n_rounds + self.n_sweeps


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A posterior, sampled.

    Args:
        n_failed: evaluations at which a virtual patient's integration failed.
        n_evaluations: of the model, a particle each.
    """

    emulator: Emulator
    chains: Chains
    n_failed: int
    n_evaluations: int


Progress = Callable[[int, int], None]
"""Told (steps done, steps in all)."""


def likelihood_of(
    which: Which, ours: Evidence, *, threads: int = 1, n: int = N_PATIENTS, replicate: int = 0
) -> Likelihood:
    """The log-likelihood of one posterior's experiments."""
    experiments = fitted(ours, held_out_too=which == "all")
    return Likelihood(ours.arms_of(experiments), experiments, n=n, replicate=replicate, threads=threads)


def sample_posterior(
    which: Which,
    ours: Evidence,
    settings: CalibrationSettings,
    *,
    first: Floats | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    threads: int = 1,
    told: Progress = lambda _done, _of: None,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> Sampled:
    """Sample one posterior to the end.

    Args:
        first: (point, parameter) of the first round, in place of draws from the prior.
        checkpoint: where what was done is kept after every step.
        resume: carry on from there if it exists.

    Raises:
        InvalidInput: what is to be carried on is of another evidence, model, first round or settings, or has gone
            further than it is to go.
        KeyboardInterrupt: between two steps; the checkpoint is whole.
    """
    likelihood = likelihood_of(which, ours, threads=threads)
    work = _Work(which, ours, settings, likelihood, checkpoint, first)
    if resume and checkpoint is not None and checkpoint.exists():
        work.take_up()
    while not work.is_done:
        told(work.n_done, settings.n_steps)
        if is_interrupted():
            raise KeyboardInterrupt
        work.step()
        work.keep()
    told(settings.n_steps, settings.n_steps)
    assert work.chains is not None
    assert work.emulator is not None
    return Sampled(
        emulator=work.emulator,
        chains=work.chains,
        n_failed=work.n_failed,
        n_evaluations=len(work.points) + work.chains.logs.size * (1 + len(work.chains.kept)),
    )


def emulated_posterior(
    emulator: Callable[[Floats], Floats], settings: CalibrationSettings, use: str, n: int
) -> SamplerState:
    """A sampler at rest on an emulated posterior, with ``n`` particles a run."""
    root = int(generator(settings.root, use).integers(2**62))
    ours = SamplerSettings(n_runs=settings.n_runs, n_particles=n, n_moves=4, n_sweeps=30, root=root)
    density = emulated_density(emulator)
    state = begin_sampler(density, len(priors()), ours)
    for last in sample(density, state, ours):
        state = last
    return state


def emulated_density(emulator: Callable[[Floats], Floats]) -> Density:
    """An emulator as a sampler's density."""
    return lambda particles: np.stack([np.zeros(len(particles)), emulator(particles)], axis=1)


@dataclass(slots=True)
class _Work:
    """What has been done of one posterior."""

    which: Which
    ours: Evidence
    settings: CalibrationSettings
    likelihood: Likelihood
    checkpoint: Path | None
    first: Floats | None = None
    points: Floats = dataclasses.field(default_factory=lambda: np.zeros((0, len(priors()))))
    statistics: Floats = dataclasses.field(default_factory=lambda: np.zeros((0, 0)))
    rounds: int = 0
    chains: Chains | None = None
    emulator: Emulator | None = None
    guide: SamplerState | None = None
    n_failed: int = 0

    @property
    def is_done(self) -> bool:
        return self.chains is not None and len(self.chains.kept) >= self.settings.n_sweeps

    @property
    def n_done(self) -> int:
        return self.rounds + (0 if self.chains is None else len(self.chains.kept))

    def step(self) -> None:
        """A round, or a sweep of the chains."""
        s = self.settings
        if self.rounds < s.n_rounds:
            self._round()
            return
        self._guided()
        assert self.guide is not None
        assert self.emulator is not None
        density, root = emulated_density(self.emulator), s.root
        if self.chains is None:
            start = self.guide.particles[:, : s.n_chains]
            self.chains = begin_chains(self.likelihood, density, start)
        self.chains = advance_chains(self.likelihood, density, self.guide, self.chains, root)
        self.n_failed += self.likelihood.n_failed
        self.likelihood.n_failed = 0

    def _round(self) -> None:
        s = self.settings
        if self.rounds == 0:
            drawn = generator(s.root, self.which, "first").standard_normal((s.n_first, len(priors())))
            points = drawn if self.first is None else self.first[: s.n_first]
        else:
            emulator = fit_emulator(self.likelihood.experiments, self.points, self.statistics)
            state = emulated_posterior(emulator, s, f"{self.which} round {self.rounds}", max(s.n_new // 2, 50))
            points = state.particles.reshape(-1, len(priors()))[:: s.n_runs * max(s.n_new // 2, 50) // s.n_new][
                : s.n_new
            ]
        statistics = flat_statistics(self.likelihood.seen(points))
        self.n_failed += int((~np.isfinite(statistics).all(axis=1)).sum())
        self.points = np.concatenate([self.points, points])
        self.statistics = np.concatenate([self.statistics, statistics]) if self.statistics.size else statistics
        self.rounds += 1

    def _guided(self) -> None:
        """The last emulator and the sampler that guides the chains; the same again when work is taken up."""
        if self.guide is None:
            self.emulator = fit_emulator(self.likelihood.experiments, self.points, self.statistics)
            self.guide = emulated_posterior(
                self.emulator, self.settings, f"{self.which} guide", 3 * self.settings.n_chains
            )

    def keep(self) -> None:
        """Write what was done."""
        if self.checkpoint is not None:
            chains = {} if self.chains is None else {f"chains_{k}": v for k, v in _fields(self.chains).items()}
            counts = np.array([self.rounds, self.n_failed], dtype=np.float64)
            arrays = {"points": self.points, "statistics": self.statistics, "counts": counts, **chains}
            write_checkpoint(self.checkpoint, arrays, self._about())

    def take_up(self) -> None:
        """Read what was done."""
        assert self.checkpoint is not None
        found = read_checkpoint(self.checkpoint, self._about())
        self.points, self.statistics = found["points"], found["statistics"]
        self.rounds, self.n_failed = (int(count) for count in found["counts"])
        names = [name for name in found if name.startswith("chains_")]
        if names:
            self.chains = Chains(**{name.removeprefix("chains_"): found[name] for name in names})
            n_kept, n_wanted = len(self.chains.kept), self.settings.n_sweeps
            if n_kept > n_wanted:
                raise InvalidInput(
                    f"{self.checkpoint} has {n_kept} sweeps already, {n_wanted} are asked for; ask for as many "
                    f"(--sweeps {n_kept}) or more, or begin anew with --force."
                )
            self._guided()

    def _about(self) -> dict[str, Any]:
        """What must be the same for work to be taken up; how long the chains are may be changed."""
        settings = dataclasses.asdict(replace(self.settings, n_sweeps=0))
        first = None if self.first is None else hashlib.sha256(self.first.tobytes()).hexdigest()
        return {
            "which": self.which, "evidence": evidence_hash(self.ours), "model": model_hash(), "first points": first,
            **settings,
        }  # fmt: skip


def _fields(chains: Chains) -> dict[str, Floats]:
    return {field.name: getattr(chains, field.name) for field in dataclasses.fields(chains)}
