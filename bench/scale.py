"""Trials, Jacobians, first results and many patients: what users wait for."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from setting import DOSE_DAYS, LOOKS, PAGE, alternate, drawn, followed, peak_mib, regimen, seen_array
from sevenfold.mechanism.solve import TOLERANCE, begin
from sevenfold.mechanism.stops import plan_stops
from sevenfold.population.sampling import draw_parameters

__all__ = ["jacobian", "linear", "starts", "trials"]

Floats = NDArray[np.float64]
_PATIENTS = 27  # as in IRIS-7
_EFFECTS = 8
_BLOCK = 10_000


def trials(n_trials: int, rounds: int) -> None:
    """From seed to arrays of outputs, and what each part takes."""
    n, doses = n_trials * _PATIENTS, regimen("IM")
    numbers = np.repeat(np.arange(n_trials), _PATIENTS), np.tile(np.arange(_PATIENTS), n_trials)

    def whole() -> object:
        patients = begin(PAGE, draw_parameters(PAGE, 5, trial=numbers[0], subject=numbers[1]), n)
        made = followed(patients, doses, tolerance=TOLERANCE)
        return seen_array(made.seen).reshape(len(PAGE.outputs), n_trials, _PATIENTS, len(LOOKS))

    rates = alternate({"trials": (n_trials, whole)}, rounds, windows=1)["trials"]
    print(f"trials/s: {rates} (goal 500)")
    parts: dict[str, float] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        began = time.process_time()
        answer = call()
        parts[name] = time.process_time() - began
        return answer

    values = timed("drawing", lambda: draw_parameters(PAGE, 5, trial=numbers[0], subject=numbers[1]))
    patients = timed("beginning", lambda: begin(PAGE, values, n))
    timed(
        "planning",
        lambda: plan_stops(PAGE, patients.values, patients.time_day, [doses] * n, [LOOKS] * n, np.full(n, LOOKS[-1])),
    )
    made = timed("planning and following", lambda: followed(patients, doses, tolerance=TOLERANCE))
    timed("arrays of outputs", lambda: seen_array(made.seen))
    print("  microseconds a patient: " + ", ".join(f"{name} {1e6 * taken / n:.2f}" for name, taken in parts.items()))


def jacobian(rounds: int) -> None:
    """Outputs of 27 patients at 30 times and their derivatives by 8 random effects, on one core and checked against
    the same at a tight tolerance.
    """
    if importlib.util.find_spec("sevenfold.mechanism.sensitivity") is None:
        print("not measured: sevenfold.mechanism.sensitivity does not exist (goal: under 60 ms)")
        return
    from sevenfold.mechanism.sensitivity import sensitivity

    effects = [p.name for p in PAGE.parameters if p.cv > 0][:_EFFECTS]
    patients, looks = drawn(77, _PATIENTS), np.linspace(1.0, LOOKS[-1], 30)
    doses = [regimen("IM")] * _PATIENTS

    found, tight = (sensitivity(patients, effects, doses, looks.tolist(), tolerance=t) for t in (TOLERANCE, 1e-8))
    rates = alternate({"Jacobians": (1, lambda: sensitivity(patients, effects, doses, looks.tolist()))}, rounds)[
        "Jacobians"
    ]
    print(f"{1e3 / rates.median:.1f} ms [{1e3 / max(rates.rates):.1f} - {1e3 / min(rates.rates):.1f}] (goal 60 ms)")
    off = np.abs(found.slopes["alc_per_ul"] - tight.slopes["alc_per_ul"])
    for over, scale in (
        ("ALC", tight.seen["alc_per_ul"][:, :, np.newaxis]),
        ("the effect's largest slope", np.max(np.abs(tight.slopes["alc_per_ul"]), axis=(0, 1))),
    ):
        apart = off / scale
        print(
            f"  d ALC / d effect against a tolerance of 1e-8, over {over}: median {np.median(apart):.1e}, "
            f"p99 {np.quantile(apart, 0.99):.1e}, p99.9 {np.quantile(apart, 0.999):.1e}, max {np.max(apart):.1e}"
        )
    print(f"  by {', '.join(effects)}")


_FIRST = """
import time
began = time.perf_counter()
import numpy as np
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.solve import Dose, advance, begin
from sevenfold.population.sampling import draw_parameters
page = il7_page()
patients = begin(page, draw_parameters(page, 1, subject=np.arange(10)), 10)
doses = [Dose(time_day=day, amount=750.0, route="IM") for day in {days}]
made = advance(patients, [doses] * 10, [{looks}] * 10, [90.0] * 10)
assert all(status == 0 for status in made.status)
print(time.perf_counter() - began)
"""


def starts(times: int) -> None:
    """Whole processes, Python's start included: with an empty cache, and then with what that left. By the clock, and by
    the processor's time, which other load on the machine lengthens less.
    """
    program = _FIRST.format(days=DOSE_DAYS, looks=LOOKS)
    cold, cached = [], []
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="sevenfold-bench-") as folder:
            places = {"SEVENFOLD_CACHE": folder}
            cold.append(_seconds(program, places))
            cached += [_seconds(program, places) for _ in range(3)]
    for name, taken, goal in (("cold", cold, "goal 12, stretch 5"), ("cached", cached, "goal 1")):
        clock, busy = np.array(taken).T
        print(
            f"{name:<7}{np.median(clock):.2f} s by the clock [{clock.min():.2f} - {clock.max():.2f}], "
            f"{np.median(busy):.2f} s of the processor [{busy.min():.2f} - {busy.max():.2f}] ({goal})"
        )


def _seconds(program: str, places: dict[str, str]) -> tuple[float, float]:
    """By the clock, and of the processor."""
    began, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **places}, check=True, capture_output=True)
    after = os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, busy


def linear(sizes: list[int]) -> None:
    """Cost and memory by number, each in a process of its own, as the most memory held is remembered for good."""
    for n in sizes:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            print(pool.submit(_in_blocks, n).result(), flush=True)


def _in_blocks(n: int) -> str:
    """Blocks of one population, of which only sums are kept."""
    doses, block = regimen("IM"), min(n, _BLOCK)
    seen_array(followed(drawn(78, 100), doses, tolerance=TOLERANCE).seen)  # compiled and warm
    began, before = time.process_time(), peak_mib()
    total, lost = np.zeros((len(PAGE.outputs), len(LOOKS))), 0
    for first in range(0, n, block):
        made = followed(drawn(78, min(block, n - first), first), doses, tolerance=TOLERANCE)
        lost += sum(status != 0 for status in made.status)
        total += np.nansum(seen_array(made.seen), axis=1)
    taken, alc = time.process_time() - began, total[3, LOOKS.index(42.0)] / (n - lost)
    return (
        f"{n:>9,}: {n / taken:,.0f} patients/s, {1e6 * taken / n:.1f} µs each; peak memory {peak_mib():,.0f} MiB "
        f"({before:,.0f} before the first); not OK: {lost}; mean ALC at day 42 {alc:.0f}"
    )
