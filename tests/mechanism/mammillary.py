"""Closed forms of one to three compartments in parallel, and of what is absorbed into them.

After a unit bolus the central amount is Σ aᵢ·exp(-λᵢ·t): the λᵢ are the roots of the characteristic polynomial, and
aᵢ = Π(kⱼ - λᵢ)/Π(λₖ - λᵢ) over the rates kⱼ back from the peripheral compartments and the other roots. Absorption at ka
convolves with ka·exp(-ka·t), an infusion integrates, and a repeated dose is a geometric series.
Source: [gabrielsson2016], chapter 2.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Exponentials", "mammillary"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True)
class Exponentials:
    """A response Σ share·exp(-rate·t) to a unit dose at 0."""

    rates: Floats
    shares: Floats

    def bolus(self, t: Floats) -> Floats:
        """After a unit bolus at 0; 0 before it."""
        after = self.shares @ np.exp(-np.outer(self.rates, np.maximum(t, 0.0)))
        return np.asarray(np.where(t >= 0.0, after, 0.0))

    def infusion(self, t: Floats, duration: float) -> Floats:
        """During and after a unit dose infused from 0."""
        begun, ended = np.maximum(t, 0.0), np.maximum(t - duration, 0.0)
        grown = np.exp(-np.outer(self.rates, ended)) - np.exp(-np.outer(self.rates, begun))
        return np.asarray((self.shares / self.rates / duration) @ grown)

    def absorbed(self, ka: float) -> "Exponentials":
        """The response to a unit dose in a depot that empties at ka."""
        a = self.shares * ka / (ka - self.rates)
        return Exponentials(np.append(self.rates, ka), np.append(a, -a.sum()))

    def steady_bolus(self, t: Floats, interval: float) -> Floats:
        """At steady state of unit boluses, t after the last of them, t up to one interval."""
        return np.asarray((self.shares / -np.expm1(-self.rates * interval)) @ np.exp(-np.outer(self.rates, t)))

    def steady_infusion(self, t: Floats, duration: float, interval: float) -> Floats:
        """At steady state of unit infusions, t after the last began: those of ever before are summed up."""
        n = int(np.ceil(60.0 / self.rates.min() / interval)) + int(np.ceil(duration / interval))
        return np.asarray(sum((self.infusion(t + k * interval, duration) for k in range(n)), np.zeros_like(t)))

    @property
    def area(self) -> float:
        """Under the curve of a unit dose: the steady state of a unit infused a day."""
        return float((self.shares / self.rates).sum())


def mammillary(clearance: float, volume: float, exchange: Floats, volumes: Floats) -> Exponentials:
    """The central amount after a unit bolus into it.

    Args:
        exchange, volumes: of the peripheral compartments.
    """
    back = exchange / volumes
    spread = np.array([(clearance + exchange.sum()) / volume])
    all_but = [np.poly(np.delete(-back, k)) for k in range(len(back))]
    polynomial = np.polymul([1.0, spread[0]], np.poly(-back))
    for k, q in enumerate(exchange):
        polynomial = np.polysub(polynomial, q / volume * back[k] * all_but[k])
    rates = np.asarray(-np.roots(polynomial).real, dtype=np.float64)
    shares = [np.prod(back - rate) / np.prod(np.delete(rates, k) - rate) for k, rate in enumerate(rates)]
    return Exponentials(rates, np.array(shares))
