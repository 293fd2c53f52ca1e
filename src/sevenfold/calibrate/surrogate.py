"""Markov chains on the posterior itself whose proposals come from chains on its emulator.

From a chain's place x, some steps of a reversible chain on the emulated density q lead to y. Accepting y with
probability min{1, π(y) q(x) / (π(x) q(y))} leaves the posterior π as it is, however wrong q may be; the better it is,
the more are accepted. Source: surrogate transitions, [liu2001], section 9.4.3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.calibrate.sampler import Density, SamplerState, generator, moved

__all__ = ["Chains", "advance_chains", "begin_chains"]

Floats = NDArray[np.float64]

INNER: Final = 60  # steps on the emulator for one on the posterior


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """Where all chains stand, and where they were.

    Args:
        particles: (run, chain, parameter)
        logs: (run, chain) log-likelihood by the model; emulated: by the emulator.
        kept: (sweep, run, chain, parameter); kept_logs: (sweep, run, chain).
        accepted: (sweep, run) shares.
    """

    particles: Floats
    logs: Floats
    emulated: Floats
    kept: Floats
    kept_logs: Floats
    accepted: Floats


def begin_chains(exact: Callable[[Floats], Floats], emulated: Density, particles: Floats) -> Chains:
    """Chains at their start (run, chain, parameter)."""
    n_runs, n_chains, k = particles.shape
    flat = particles.reshape(-1, k)
    return Chains(
        particles=particles.copy(),
        logs=exact(flat).reshape(n_runs, n_chains),
        emulated=emulated(flat).sum(axis=1).reshape(n_runs, n_chains),
        kept=np.zeros((0, n_runs, n_chains, k)),
        kept_logs=np.zeros((0, n_runs, n_chains)),
        accepted=np.zeros((0, n_runs)),
    )


def advance_chains(
    exact: Callable[[Floats], Floats], emulated: Density, guide: SamplerState, chains: Chains, root: int
) -> Chains:
    """One step of every chain.

    Args:
        exact: log-likelihood by the model.
        guide: a sampler at rest on the emulated density: its frozen proposals make the inner steps.
    """
    n_runs, n_chains, k = chains.particles.shape
    sweep = len(chains.kept)
    to, to_emulated = np.empty_like(chains.particles), np.empty_like(chains.emulated)
    for run in range(n_runs):
        to[run], to_emulated[run] = moved(
            emulated, guide, run, chains.particles[run], INNER, generator(root, "inner", run, sweep)
        )
    to_logs = exact(to.reshape(-1, k)).reshape(n_runs, n_chains)
    # the prior's densities cancel: they stand in the model's posterior and in the emulated one alike
    rise = (to_logs - chains.logs) - (to_emulated - chains.emulated)
    chance = np.stack([generator(root, "outer", run, sweep).random(n_chains) for run in range(n_runs)])
    is_taken = np.log(chance) < np.where(np.isnan(rise), -np.inf, rise)
    particles = np.where(is_taken[:, :, None], to, chains.particles)
    logs = np.where(is_taken, to_logs, chains.logs)
    return Chains(
        particles=particles,
        logs=logs,
        emulated=np.where(is_taken, to_emulated, chains.emulated),
        kept=np.concatenate([chains.kept, particles[None]]),
        kept_logs=np.concatenate([chains.kept_logs, logs[None]]),
        accepted=np.concatenate([chains.accepted, is_taken.mean(axis=1)[None]]),
    )
