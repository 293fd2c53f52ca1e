"""The arms of the experiments, simulated for many particles at once through the compiled solver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sevenfold.calibrate.experiments import Arm
from sevenfold.calibrate.patients import N_PATIENTS, patient_parameters, potency_of
from sevenfold.calibrate.populations import populations, products
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.solve import Dose, SolverStatus, advance, begin

__all__ = ["ASSAY_LOG_SD", "SimulatedArm", "simulate_arm"]

Floats = NDArray[np.float64]

ASSAY_LOG_SD: Final[Mapping[str, float]] = {"alc": 0.12, "cd4": 0.15, "cd8": 0.15, "ki67_cd4": 0.20, "il7": 0.25}
"""Error of one measurement, standard deviation of the logarithm. Assumed, as the virtual ICU's assays are."""

_OUTPUTS: Final = {
    "alc": "alc_per_ul", "cd4": "cd4_per_ul", "cd8": "cd8_per_ul", "ki67_cd4": "ki67_cd4_fraction",
    "il7": "il7_ng_per_ml",
}  # fmt: skip


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedArm:
    """What an arm's patients show.

    Args:
        looks: (look,) days.
        seen: variable -> (particle, patient, look), no error of measurement; IL-7 above rest, by the product's mass.
        weights: (particle, patient) chance that a patient is let into the trial, over its sum.
        failed: (particle,) patients whose integration did not reach its tolerance, or whose parameters lie outside
            their domain (a particle so far out that they overflow).
    """

    looks: Floats
    seen: Mapping[str, Floats]
    weights: Floats
    failed: NDArray[np.int64]

    def at(self, variable: str, day: float) -> Floats:
        """(particle, patient) on a day."""
        return np.asarray(self.seen[variable][:, :, int(np.searchsorted(self.looks, day))])


def simulate_arm(
    arm: Arm,
    given: Mapping[str, Floats],
    *,
    n: int = N_PATIENTS,
    replicate: int = 0,
    threads: int = 1,
    entry_alc_at_most: float | None = None,
) -> SimulatedArm:
    """Simulate one arm.

    Args:
        given: parameters of the calibration by name, (particle,).
        entry_alc_at_most: a cutoff in place of the population's.
    """
    population = populations()[arm.population]
    product = products()[arm.product] if arm.product is not None else None
    parameters = patient_parameters(population, product, given, n, replicate)
    n_particles = len(next(iter(given.values())))
    lanes = n_particles * n
    potency = np.broadcast_to(potency_of(product, given)[:, None], (n_particles, n))
    doses: Sequence[Dose] = [
        Dose(time_day=day, amount=dose * population.weight_kg, route=route) for day, dose, route in arm.injections
    ]
    looks = list(arm.looks)
    wrong = _out_of_domain(parameters)
    usable = {name: np.where(wrong, il7_page().typical[name], value) for name, value in parameters.items()}
    patients = begin(il7_page(), {name: value.reshape(lanes) for name, value in usable.items()}, lanes)
    if product is not None:  # one list of doses serves all: what differs is what arrives, by share and potency
        patients.values["bioavailable_fraction"] *= potency.reshape(lanes)
    moved = advance(patients, [doses] * lanes, [looks] * lanes, np.full(lanes, looks[-1]), threads=threads)
    bad = np.array([status is not SolverStatus.OK for status in moved.status]).reshape(n_particles, n) | wrong
    seen = {name: np.stack(moved.seen[output]).reshape(n_particles, n, len(looks)) for name, output in _OUTPUTS.items()}
    for values in seen.values():
        values[wrong] = np.nan
    rest = seen["il7"][:, :, :1]
    seen["il7"] = np.maximum(seen["il7"] - rest, 1e-9) / potency[:, :, None]
    weights = _let_in(entry_alc_at_most or population.entry_alc_at_most, seen["alc"])
    return SimulatedArm(looks=np.array(looks), seen=seen, weights=weights, failed=bad.sum(axis=1))


def _out_of_domain(parameters: Mapping[str, Floats]) -> NDArray[np.bool_]:
    """(particle, patient)"""
    declared = {parameter.name: parameter for parameter in il7_page().parameters}
    inside = [declared[name].holds(value) for name, value in parameters.items()]
    return np.asarray(~np.logical_and.reduce(inside))


def _let_in(at_most: float | None, alc: Floats) -> Floats:
    """Each patient's chance that one measured count lies at or below the cutoff, over the sum of all."""
    entry = alc[:, :, 0]
    if at_most is None:
        return np.full(entry.shape, 1.0 / entry.shape[1])
    chance = ndtr(np.log(at_most / entry) / ASSAY_LOG_SD["alc"]) + 1e-12
    return np.asarray(chance / chance.sum(axis=1, keepdims=True))
