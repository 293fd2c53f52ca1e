"""The log posterior density as a function of standardised particles, evaluated for many at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from sevenfold.calibrate.experiments import Arm, Evidence, Experiment, Form, Use
from sevenfold.calibrate.likelihood import experiment_log_likelihood
from sevenfold.calibrate.patients import N_PATIENTS
from sevenfold.calibrate.priors import physical
from sevenfold.calibrate.seen import Seen, observe_experiment
from sevenfold.calibrate.simulate import SimulatedArm, simulate_arm

__all__ = ["Likelihood", "fitted"]

Floats = NDArray[np.float64]


def fitted(evidence: Evidence, *, held_out_too: bool) -> tuple[Experiment, ...]:
    """The experiments of posterior A, or with IRIS-7 and IRIS-7C those of posterior B."""
    uses = (Use.FIT, Use.HELD_OUT) if held_out_too else (Use.FIT,)
    return tuple(one for one in evidence.of(*uses) if one.form is not Form.QUALITATIVE)


@final
@dataclass(slots=True)
class Likelihood:
    """Log-likelihood of experiments; a particle any of whose virtual patients fails has minus infinity.

    Args:
        n: virtual patients an arm.
        replicate: which set of virtual patients.
        n_failed: particles that failed so far, counted.
    """

    arms: tuple[Arm, ...]
    experiments: tuple[Experiment, ...]
    n: int = N_PATIENTS
    replicate: int = 0
    threads: int = 1
    n_failed: int = field(default=0)

    def __call__(self, particles: Floats) -> Floats:
        """(particle, parameter) standard normal coordinates -> (particle,)"""
        return np.asarray(self.by_experiment(particles).sum(axis=1))

    def by_experiment(self, particles: Floats) -> Floats:
        """(particle, experiment)"""
        simulated = self.simulated(particles)
        failed = np.sum([arm.failed for arm in simulated.values()], axis=0) > 0
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            parts = [experiment_log_likelihood(one, observe_experiment(one, simulated)) for one in self.experiments]
        made = np.stack(parts, axis=1)
        made[failed | ~np.isfinite(made).all(axis=1)] = -np.inf
        self.n_failed += int(np.sum(~np.isfinite(made).all(axis=1)))
        return made

    def seen(self, particles: Floats) -> tuple[tuple[Seen, ...], ...]:
        """Every experiment's statistic under each of its readings."""
        simulated = self.simulated(particles)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return tuple(observe_experiment(one, simulated) for one in self.experiments)

    def simulated(self, particles: Floats) -> Mapping[str, SimulatedArm]:
        """The arms, simulated."""
        with np.errstate(invalid="ignore", over="ignore"):  # a particle far out overflows; it is counted as failed
            given = physical(particles)
            return {
                arm.name: simulate_arm(arm, given, n=self.n, replicate=self.replicate, threads=self.threads)
                for arm in self.arms
            }
