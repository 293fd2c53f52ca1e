"""Virtual patients of an experiment: for each particle the same few, spread evenly over how patients differ.

θ_i = θ exp(ω η_i). The η of n patients are the n midpoint quantiles of the normal distribution, scaled to unit variance
and put in an order of their own for every parameter (a Latin hypercube). They never change, so that whatever is
computed from them is a function of the particle alone. The orders are drawn by name: a parameter more changes no other.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from sevenfold.calibrate.populations import Population, Product
from sevenfold.mechanism.il7 import il7_page
from sevenfold.population.sampling import CORRELATED
from sevenfold.seed import Stream

__all__ = ["N_PATIENTS", "evenly_spread", "patient_parameters", "potency_of", "typical_of"]

Floats = NDArray[np.float64]

N_PATIENTS: Final = 24  # per arm; docs/theory/calibration.md says what error that leaves
_LARGEST_SHARE: Final = 0.95  # of a dose that arrives, as population.sampling has it


@cache
def evenly_spread(use: str, n: int, replicate: int = 0) -> Floats:
    """``n`` numbers with mean 0 and variance 1, evenly spread over the normal distribution, in an order by ``use``.

    Args:
        replicate: another order, to measure what the choice of patients matters.
    """
    quantiles = ndtri((np.arange(n) + 0.5) / n)
    quantiles = quantiles / np.sqrt(np.mean(quantiles**2)) if n > 1 else quantiles
    return np.asarray(quantiles[Stream(replicate, f"virtual patients: {use}").order(n)])


def typical_of(population: Population, product: Product | None, given: Mapping[str, Floats]) -> dict[str, Floats]:
    """The typical patient's parameters by name, where they are not the page's; one element a particle.

    Args:
        given: parameters of the calibration by name, (particle,).
    """
    page = il7_page().typical
    n = len(next(iter(given.values())))
    made = {name: value for name, value in given.items() if name in page}
    made["cd8_cycling_max_per_day"] = given["cd4_cycling_max_per_day"] * given["cd8_over_cd4_cycling_max"]
    made |= {name: given[ours] for name, ours in population.taken.items()}
    made |= {name: np.full(n, value) for name, value in population.fixed.items()}
    for name, scale in population.scaled.items():
        made[name] = made[name] * given[scale]
    for name, powers in population.powers.items():
        for ours, exponent in powers.items():
            made[name] = made[name] * given[ours] ** exponent
    if product is not None:
        for bridge, name in (
            (product.absorption, "absorbed_per_day"),
            (product.clearance, "clearance_l_per_day"),
            (product.bioavailability, "bioavailable_fraction"),
        ):
            if bridge is not None:
                made[name] = made[name] * given[bridge]
    return made


def potency_of(product: Product | None, given: Mapping[str, Floats]) -> Floats:
    """Micrograms of CYT107 that one microgram of the product is worth. (particle,)"""
    n = len(next(iter(given.values())))
    return given[product.potency] if product is not None and product.potency is not None else np.ones(n)


def patient_parameters(
    population: Population,
    product: Product | None,
    given: Mapping[str, Floats],
    n: int = N_PATIENTS,
    replicate: int = 0,
) -> dict[str, Floats]:
    """Parameters of the virtual patients by name, (particle, patient)."""
    typical = typical_of(population, product, given)
    page = il7_page()
    severity = evenly_spread("severity", n, replicate)
    effects: dict[str, Floats] = {}
    spreads: dict[str, Floats | float] = {}
    for p in page.parameters:
        spread = population.spread.get(p.name, p.cv)
        spreads[p.name] = given[spread][:, None] if isinstance(spread, str) else spread
        if isinstance(spread, str) or spread > 0.0:
            own = evenly_spread(p.name, n, replicate)
            shared = population.severity.get(p.name, 0.0)
            effects[p.name] = shared * severity + np.sqrt(1.0 - shared**2) * own
    for first, second, correlation in CORRELATED:
        effects[second] = correlation * effects[first] + np.sqrt(1.0 - correlation**2) * effects[second]
    ones = np.ones((len(next(iter(given.values()))), n))
    made = {
        name: np.asarray(typical.get(name, np.array([page.typical[name]])))[:, None]
        * np.exp(spreads[name] * effects[name])
        * ones
        for name in effects
    }
    made |= {name: value[:, None] * ones for name, value in typical.items() if name not in made}
    made["bioavailable_fraction"] = np.minimum(made["bioavailable_fraction"], _LARGEST_SHARE)
    return made
