"""SciPy's LSODA on the page's own Python functions, a patient at a time, from stop to stop."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from setting import AMOUNT_UG, DOSE_DAYS, LOOKS, PAGE
from sevenfold.mechanism.page import Named

__all__ = ["TOLERANCES", "follow"]

Floats = NDArray[np.float64]
TOLERANCES: Final = (3e-5, 1e-5, 3e-6, 1e-6)  # loosest first; the first that keeps all its patients is the one timed
_NAMES = [state.name for state in PAGE.states]


def follow(values: Mapping[str, Floats], n: int, tolerance: float, route: str = "IM") -> Floats:
    """What is seen of the first ``n`` patients, as (output, patient, look)."""
    entry = PAGE.entry(route)
    seen = np.empty((len(PAGE.outputs), n, len(LOOKS)))
    for i in range(n):
        p = Named(**{name: float(column[i]) for name, column in values.items()})
        begun = PAGE.start(p)
        state = np.array([float(begun[name]) for name in _NAMES])
        arrives = AMOUNT_UG * (getattr(p, entry.fraction) if entry.fraction else 1.0)

        def rates(time_day: float, y: Floats, p: Named = p) -> list[float]:
            change = PAGE.rates(time_day, Named(**dict(zip(_NAMES, y.tolist(), strict=True))), p)
            return [change[name] for name in _NAMES]

        scale = np.array([state.scale for state in PAGE.states])
        for start, end in pairwise(sorted({*DOSE_DAYS, *LOOKS})):
            if start in DOSE_DAYS:
                state[_NAMES.index(entry.state)] += arrives
            solved = solve_ivp(rates, (start, end), state, method="LSODA", rtol=tolerance, atol=tolerance * scale)
            state = solved.y[:, -1]
            if end in LOOKS:
                looked = PAGE.observe(end, Named(**dict(zip(_NAMES, state, strict=True))), p)
                seen[:, i, LOOKS.index(end)] = [looked[output.name] for output in PAGE.outputs]
    return seen
