"""Two arms whose outcome death truncates: what survival says about who would have survived in either."""

from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from sevenfold.analysis.column import Flags, Numbers, flags, numbers
from sevenfold.errors import InvalidInput

__all__ = ["Arms", "Bounds", "Monotone"]


class Monotone(Enum):
    """What is assumed about whom the treatment saves or harms."""

    NONE = "treatment may save some and harm others"
    NEVER_HARMS = "whoever would survive under control would survive under treatment"
    NEVER_SAVES = "whoever would survive under treatment would survive under control"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The smallest and the largest effect in always-survivors that agree with the survival and outcomes seen.

    Args:
        fraction_always: share of all patients who are always-survivors, at its smallest.
    """

    lower: float
    upper: float
    fraction_always: float


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arms:
    """Survivors' outcomes in ascending order, and how many there were of all."""

    active: Numbers
    control: Numbers
    n_1: int
    n_0: int

    @classmethod
    def checked(cls, outcome: ArrayLike, is_active: ArrayLike, is_survivor: ArrayLike) -> "Arms":
        """Columns of equal length, with an outcome for every survivor."""
        y = numbers("outcome", outcome, missing=True)
        active: Flags = flags("is_active", is_active, len(y))
        survivor: Flags = flags("is_survivor", is_survivor, len(y))
        if active.all() or not active.any():
            raise InvalidInput("All patients are in one arm; a comparison needs both.")
        n_unknown = int(np.isnan(y[survivor]).sum())
        if n_unknown:
            raise InvalidInput(
                f"{n_unknown} survivors have no outcome; leave them out or impute them, with the reason."
            )
        return cls(
            active=np.sort(y[survivor & active]),
            control=np.sort(y[survivor & ~active]),
            n_1=int(active.sum()),
            n_0=int((~active).sum()),
        )

    @property
    def p_1(self) -> float:
        """Survival in the active arm."""
        return len(self.active) / self.n_1

    @property
    def p_0(self) -> float:
        """Survival in the control arm."""
        return len(self.control) / self.n_0

    def contradicts(self, monotone: Monotone) -> bool:
        """Whether fewer survived in the arm that should have more."""
        return {
            Monotone.NONE: False,
            Monotone.NEVER_HARMS: self.p_1 < self.p_0,
            Monotone.NEVER_SAVES: self.p_1 > self.p_0,
        }[monotone]

    def bounds(self, monotone: Monotone) -> Bounds | None:
        """Bounds on the effect in always-survivors; none where they may not exist."""
        least = {
            Monotone.NONE: self.p_0 + self.p_1 - 1.0,
            Monotone.NEVER_HARMS: self.p_0,
            Monotone.NEVER_SAVES: self.p_1,
        }[monotone]
        always = min(least, self.p_0, self.p_1)
        if always <= 1e-12:
            return None
        low_1, high_1 = _ends(self.active, always / self.p_1)
        low_0, high_0 = _ends(self.control, always / self.p_0)
        return Bounds(lower=low_1 - high_0, upper=high_1 - low_0, fraction_always=always)

    def resampled(self, rng: Generator) -> "Arms":
        """Patients drawn with replacement within arms, survivors and dead alike."""
        return Arms(
            active=_drawn(self.active, self.n_1, rng),
            control=_drawn(self.control, self.n_0, rng),
            n_1=self.n_1,
            n_0=self.n_0,
        )


def _drawn(ascending: Numbers, n: int, rng: Generator) -> Numbers:
    chosen = rng.integers(n, size=n)
    return ascending[np.sort(chosen[chosen < len(ascending)])]


def _ends(ascending: Numbers, fraction: float) -> tuple[float, float]:
    """Means of the lowest and of the highest fraction of the outcomes, the last one counted in part."""
    weight = np.clip(fraction * len(ascending) - np.arange(len(ascending)), 0.0, 1.0)
    return float(weight @ ascending / weight.sum()), float(weight @ ascending[::-1] / weight.sum())
