"""Virtual patients' parameters: the typical value times the exponential of a normal random effect, some of them
correlated.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sevenfold.mechanism.page import Page
from sevenfold.seed import Stream

__all__ = ["CORRELATED", "centred", "draw_parameters"]

Floats = NDArray[np.float64]

CORRELATED: Final = (("cd4_cycling_max_per_day", "cd8_cycling_max_per_day", 0.7),)
"""Pairs of parameters whose random effects are correlated. Assumed: CD4 and CD8 answer alike (docs/theory/il7.md)."""

_LIMITS: Final[Mapping[str, tuple[float, float]]] = {"bioavailable_fraction": (0.0, 0.95)}


def centred(page: Page, values: Mapping[str, float]) -> Page:
    """The page with another typical patient, in a population whose parameters are not those shipped."""
    page.values(values)  # refuses names that it does not have
    return replace(page, parameters=tuple(replace(p, value=values.get(p.name, p.value)) for p in page.parameters))


def draw_parameters(
    page: Page,
    root: int | bytes,
    *,
    trial: ArrayLike = 0,
    subject: ArrayLike = 0,
    shifts: Mapping[str, ArrayLike] | None = None,
) -> dict[str, Floats]:
    """Parameters of virtual patients, by name; one element a (trial, subject).

    θ_i = θ exp(ω η_i), η standard normal, drawn by the parameter's name, so that a parameter more changes no other.

    Args:
        shifts: parameters whose random effect is given (on the log scale, in place of the draw), by name.
    """
    effects: dict[str, Floats] = {
        p.name: Stream(root, f"effect {p.name}").normal(trial=trial, subject=subject)
        for p in page.parameters
        if p.cv > 0
    }
    for first, second, correlation in CORRELATED:
        if first in effects and second in effects:
            effects[second] = correlation * effects[first] + np.sqrt(1.0 - correlation**2) * effects[second]
    drawn = {p.name: p.value * np.exp(p.cv * effects[p.name]) for p in page.parameters if p.cv > 0}
    for name, shift in (shifts or {}).items():
        drawn[name] = page.typical[name] * np.exp(np.asarray(shift, dtype=np.float64))
    for name, (low, high) in _LIMITS.items():
        if name in drawn:
            drawn[name] = np.clip(drawn[name], low, high)
    return drawn
