"""One draw of a posterior as a population for virtual patients in septic shock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

from sevenfold.calibrate.patients import typical_of
from sevenfold.calibrate.populations import populations
from sevenfold.calibrate.shipped import Posterior
from sevenfold.seed import Stream

__all__ = ["PopulationDraw", "population_draw"]

_ASSUMPTIONS: Final = {
    "pool_at_entry_median": "septic_pool",
    "pool_at_entry_log_sd": "septic_pool_log_sd",
    "sequestration_median": "septic_sequestration",
    "inflammation_decay_median": "septic_inflammation_decay_day",
}
"""Assumptions of the virtual ICU that are parameters of the calibration."""

_FROM_THE_ICU: Final = (
    "pool_at_entry_fraction",
    "sequestration",
    "inflammation_decay_day",
)  # drawn with severity there


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationDraw:
    """A population.

    Args:
        number: of the draw in the posterior's file, from 0.
        values: of the IL-7 page's typical patient, where they are not the page's.
        assumptions: of the virtual ICU.
        sha256: of the posterior's file.
    """

    which: str
    number: int
    values: Mapping[str, float]
    assumptions: Mapping[str, float]
    sha256: str

    @property
    def words(self) -> str:
        """For a reader."""
        return f"the parameters of draw {self.number} of posterior {'A' if self.which == 'held out' else 'B'}"


def population_draw(posterior: Posterior, root: int | bytes, trial: int = 0) -> PopulationDraw:
    """The draw that a run's seed chooses, every one equally likely."""
    share = float(Stream(root, "population parameters").uniform(trial=trial))
    number = int(share * len(posterior.draws))
    given = {name: value[number : number + 1] for name, value in posterior.parameters().items()}
    typical = typical_of(populations()["septic_shock"], None, given)
    return PopulationDraw(
        which=posterior.which,
        number=number,
        values={name: float(value[0]) for name, value in typical.items() if name not in _FROM_THE_ICU},
        assumptions={name: float(given[ours][0]) for name, ours in _ASSUMPTIONS.items()},
        sha256=posterior.sha256,
    )
