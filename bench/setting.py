"""What is measured: random patients of the IL-7 model, their doses and days, and how far an answer lies from a tight
one.
"""

import gc
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.solve import Dose, Patients, Trajectories, advance, begin
from sevenfold.mechanism.stops import Stops, plan_stops
from sevenfold.population.sampling import draw_parameters

__all__ = [
    "AMOUNT_UG",
    "DOSE_DAYS",
    "LOOKS",
    "PAGE",
    "UNTIL_DAY",
    "Rounds",
    "alternate",
    "drawn",
    "errors",
    "followed",
    "peak_mib",
    "regimen",
    "seen_array",
    "table_of_stops",
    "tails",
]  # fmt: skip

Floats = NDArray[np.float64]
PAGE: Final = il7_page()
DOSE_DAYS: Final = (0.0, 3.0, 7.0, 10.0, 14.0, 17.0, 21.0, 24.0)
AMOUNT_UG: Final = 750.0  # 10 µg/kg for 75 kg
LOOKS: Final = [1.0, 3.0, 5.0, 7.0, 10.0, 12.0, 14.0, 17.0, 21.0, 24.0, 28.0, 42.0, 60.0, 90.0]
UNTIL_DAY: Final = 90.0


def drawn(seed: int, n: int, first: int = 0) -> Patients:
    """``n`` random patients before their first dose; patient i is the same in every batch."""
    return begin(PAGE, draw_parameters(PAGE, seed, subject=np.arange(first, first + n)), n)


def regimen(route: str) -> list[Dose]:
    """Eight doses in three and a half weeks."""
    return [Dose(time_day=day, amount=AMOUNT_UG, route=route) for day in DOSE_DAYS]


def followed(patients: Patients, doses: list[Dose], *, tolerance: float, threads: int = 1) -> Trajectories:
    """Patients to day 90; all share one list of doses and one of looks, so that the calendar is planned once."""
    n = len(patients)
    return advance(
        patients, [doses] * n, [LOOKS] * n, np.full(n, UNTIL_DAY), tolerance=tolerance, threads=threads
    )  # fmt: skip


def table_of_stops(patients: Patients, doses: list[Dose]) -> Stops:
    """The same as a table, for the kernel in C."""
    n = len(patients)
    return plan_stops(
        PAGE, patients.values, patients.time_day, [doses] * n, [LOOKS] * n, np.full(n, UNTIL_DAY)
    )  # fmt: skip


def seen_array(seen: Mapping[str, list[Floats]]) -> Floats:
    """(output, patient, look)."""
    n = len(seen[PAGE.outputs[0].name])
    return np.stack([np.concatenate(seen[output.name]).reshape(n, -1) for output in PAGE.outputs])


def errors(seen: Floats, tight: Floats) -> Floats:
    """(patient,) the largest relative error of any output at any look; NaN counts as infinite."""
    worst = np.max(np.abs(seen / tight - 1.0), axis=(0, 2))
    return np.where(np.isnan(worst), np.inf, worst)


def tails(error: Floats) -> str:
    """How the errors of many patients are spread, in one line."""
    return (
        f"median {np.median(error):.1e}, p99 {np.quantile(error, 0.99):.1e}, p99.9 {np.quantile(error, 0.999):.1e}, "
        f"max {np.max(error):.1e}, over 1e-4: {int(np.sum(error > 1e-4))} of {len(error):,}"
    )


@final
@dataclass(frozen=True, slots=True)
class Rounds:
    """Things done a second by one method, one figure a round."""

    rates: list[float]

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.rates)

    def __str__(self) -> str:
        return f"{self.median:>12,.1f} [{min(self.rates):,.1f} - {max(self.rates):,.1f}]"

    def over(self, other: "Rounds") -> str:
        """The ratio to another method, taken round by round, as other load on the machine falls on both alike."""
        ratios = [mine / theirs for mine, theirs in zip(self.rates, other.rates, strict=True)]
        return f"{statistics.median(ratios):.3g} [{min(ratios):.3g} - {max(ratios):.3g}]"


def alternate(
    methods: Mapping[str, tuple[int, Callable[[], object]]], rounds: int, windows: int = 3
) -> dict[str, Rounds]:
    """Run the methods in turn, A B C A B C …, and count what each does a second.

    A round's figure is the quickest of a few windows. Time is the processor's time of this process, which other
    programs on the machine lengthen less than the clock; a name that ends in "by the clock" is timed by the clock.

    Args:
        methods: name -> (how many things a call does; the call).
        rounds: how often each method gets its turn.
        windows: calls a turn, of which the quickest counts.
    """
    taken: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, (n, call) in methods.items():
            clock = time.perf_counter if name.endswith("by the clock") else time.process_time
            best = np.inf
            for _ in range(windows):
                gc.collect()
                began = clock()
                call()
                best = min(best, clock() - began)
            taken[name].append(n / best)
    return {name: Rounds(rates) for name, rates in taken.items()}


def peak_mib() -> float:
    """The most memory that this process has held so far [MiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
