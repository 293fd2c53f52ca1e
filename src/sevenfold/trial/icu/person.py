"""A virtual person in septic shock: age, size, severity, and the biology that goes with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.mechanism.il7 import il7_page
from sevenfold.population.sampling import centred, draw_parameters
from sevenfold.seed import Stream
from sevenfold.trial.icu.assumptions import Assumptions

__all__ = ["Draws", "Person", "draw_person"]


Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True)
class Draws:
    """One person's random numbers, by use.

    Args:
        root: the run's seed.
        trial: which trial of a batch.
        person: which person of the trial.
    """

    root: int | bytes
    trial: int
    person: int

    def uniform(self, use: str, draw: int = 0) -> float:
        """A number between 0 and 1."""
        return float(Stream(self.root, use).uniform(trial=self.trial, subject=self.person, draw=draw))

    def uniforms(self, use: str, n: int) -> Floats:
        """The first ``n`` numbers of a use."""
        return Stream(self.root, use).uniform(trial=self.trial, subject=self.person, draw=np.arange(n))

    def normals(self, use: str, n: int) -> Floats:
        """The first ``n`` standard normal numbers of a use."""
        return Stream(self.root, use).normal(trial=self.trial, subject=self.person, draw=np.arange(n))

    def normal(self, use: str, draw: int = 0) -> float:
        """A standard normal number."""
        return float(Stream(self.root, use).normal(trial=self.trial, subject=self.person, draw=draw))

    def happens(self, use: str, probability: float, draw: int = 0) -> bool:
        """Whether something of this probability happens."""
        return self.uniform(use, draw) < probability


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What does not change.

    Args:
        severity: of the illness, in standard deviations among all in septic shock.
        parameters: of the IL-7 model, by name.
    """

    age_year: float
    sex: Literal["male", "female"]
    height_cm: float
    weight_kg: float
    severity: float
    parameters: dict[str, float]


def draw_person(draws: Draws, assume: Assumptions, typical: Mapping[str, float] | None = None) -> Person:
    """A person as they lie in the ICU at 48 to 120 h, whether a trial would let them in or not.

    Args:
        typical: parameters of the typical patient where they are not those shipped.
    """
    severity = draws.normal("severity")
    age = float(np.clip(assume.age_mean + assume.age_sd * draws.normal("age"), 18.0, 97.0))
    sex: Literal["male", "female"] = "male" if draws.happens("sex", assume.male_fraction) else "female"
    height = (176.0 if sex == "male" else 163.0) + 7.0 * draws.normal("height")
    bmi = assume.bmi_median * float(np.exp(assume.bmi_log_sd * draws.normal("bmi")))
    changed = typical or {}
    page = centred(il7_page(), changed) if changed else il7_page()
    pool = assume.pool_at_entry_median * np.exp(
        assume.pool_at_entry_log_sd * _with(-severity, assume.severity_lymphocyte_correlation, draws.normal("pool"))
    )
    sequestration = assume.sequestration_median * np.exp(
        assume.sequestration_log_sd
        * _with(severity, assume.severity_lymphocyte_correlation, draws.normal("sequestration"))
    )
    decay = assume.inflammation_decay_median * np.exp(
        assume.inflammation_decay_log_sd
        * _with(severity, assume.severity_inflammation_correlation, draws.normal("inflammation"))
    )
    centre = page.typical
    shifts = {
        "pool_at_entry_fraction": np.log(min(pool, 1.3) / centre["pool_at_entry_fraction"]),
        "sequestration": np.log(sequestration / centre["sequestration"]),
        "inflammation_decay_day": np.log(decay / centre["inflammation_decay_day"]),
    }
    drawn = draw_parameters(page, draws.root, trial=draws.trial, subject=draws.person, shifts=shifts)
    return Person(
        age_year=round(age, 1),
        sex=sex,
        height_cm=round(height),
        weight_kg=round(float(np.clip(bmi * (height / 100.0) ** 2, 35.0, 250.0)), 1),
        severity=severity,
        parameters={**changed, **{name: float(value) for name, value in drawn.items()}},
    )


def _with(shared: float, correlation: float, own: float) -> float:
    return float(correlation * shared + np.sqrt(1.0 - correlation**2) * own)
