"""Accuracy and speed of the printed kernel beside the one in C, SciPy's LSODA and R's packages."""

import ctypes
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

import by_r
import by_scipy
from by_hand import prepare
from setting import Rounds, alternate, drawn, errors, followed, regimen, seen_array, table_of_stops, tails
from sevenfold.mechanism.solve import TOLERANCE, SolverStatus

__all__ = ["accuracy", "agreement", "speeds"]

TIGHT = 1e-10
_ACCURATE = 1e-4


def agreement(library: ctypes.CDLL, n: int) -> None:
    """Two programs of one model at tight and at working tolerance."""
    for route in ("IM", "IV"):
        patients = drawn(77, n)
        by_hand = prepare(library, patients, table_of_stops(patients, regimen(route)))
        ours = seen_array(followed(patients, regimen(route), tolerance=TIGHT, threads=os.cpu_count() or 1).seen)
        tight, status, _ = by_hand(TIGHT)
        apart = float(np.max(errors(tight, ours)))
        print(f"{route}: at {TIGHT:g} largest relative difference {apart:.1e}; C's statuses: {_counted(status)}")


def accuracy(library: ctypes.CDLL | None, seeds: tuple[int, ...], n: int) -> None:
    """Every patient of some populations, by the route of the doses."""
    threads = os.cpu_count() or 1
    for seed in seeds:
        for route in ("IM", "IV"):
            patients, doses = drawn(seed, n), regimen(route)
            made = followed(patients, doses, tolerance=TOLERANCE, threads=threads)
            reference = followed(patients, doses, tolerance=TIGHT, threads=threads)
            tight = seen_array(reference.seen)
            lost = _counted(np.array([int(status) for status in reference.status]))
            print(f"{route}, seed {seed}: {tails(errors(seen_array(made.seen), tight))}")
            steps = made.n_steps
            print(
                f"    steps a patient: mean {steps.mean():.1f}, median {np.median(steps):.0f}, p99 "
                f"{np.quantile(steps, 0.99):.0f}, max {steps.max()}; statuses: "
                f"{_counted(np.array([int(status) for status in made.status]))}; of the tight run: {lost}"
            )
            if library is not None:
                seen, status, n_steps = prepare(library, patients, table_of_stops(patients, doses))(TOLERANCE)
                print(f"    C: {tails(errors(seen, tight))}; {n_steps.mean():.1f} steps; {_counted(status)}")


def speeds(library: ctypes.CDLL | None, r_packages: list[str], *, n: int, n_slow: int, rounds: int) -> None:
    """Patients a second of every method that is here, in turns.

    Args:
        n: patients a call of the compiled methods.
        n_slow: patients a call of SciPy's LSODA.
    """
    patients, doses = drawn(77, n), regimen("IM")
    tight = seen_array(followed(patients, doses, tolerance=TIGHT, threads=os.cpu_count() or 1).seen)
    followed(patients, doses, tolerance=TOLERANCE)  # compiled and warm
    intravenous = regimen("IV")
    methods: dict[str, tuple[int, Callable[[], object]]] = {
        "sevenfold, 1 thread": (n, lambda: followed(patients, doses, tolerance=TOLERANCE)),
        "2 threads, by the clock": (n, lambda: followed(patients, doses, tolerance=TOLERANCE, threads=2)),
        "2 threads, both free": (2 * n, lambda: followed(patients, doses, tolerance=TOLERANCE, threads=2)),
        "sevenfold, IV": (n, lambda: followed(patients, intravenous, tolerance=TOLERANCE)),
    }
    if library is not None:
        by_hand = prepare(library, patients, table_of_stops(patients, doses))
        methods["C by hand, 1 thread"] = (n, lambda: by_hand(TOLERANCE))
    taken = alternate(methods, rounds)
    slow = _loosest(lambda tolerance: by_scipy.follow(patients.values, n_slow, tolerance), by_scipy.TOLERANCES, tight)
    print(f"SciPy LSODA at rtol {slow:g}, the loosest of {by_scipy.TOLERANCES} with its {n_slow} patients within 1e-4")
    few = drawn(77, 256)
    beside = alternate(
        {
            "sevenfold, 256 patients": (256, lambda: followed(few, doses, tolerance=TOLERANCE)),
            "SciPy LSODA": (n_slow, lambda: by_scipy.follow(patients.values, n_slow, slow)),
        },
        3,
        windows=1,
    )
    print(f"{'patients/s, median [range] of rounds':<40}{'':>24}   sevenfold with 1 thread / this")
    base, lsoda = taken["sevenfold, 1 thread"], beside["SciPy LSODA"]
    for name, rates in taken.items():
        print(f"  {name:<24}{rates!s:<42}{base.over(rates)}")
    print(f"  {'SciPy LSODA':<24}{lsoda!s:<42}{beside['sevenfold, 256 patients'].over(lsoda)}")
    print("  'both free' is what two idle cores would give: patients over half the processor's time of both threads")
    if library is not None:
        print(
            f"sevenfold reaches {100 * _middle(base, taken['C by hand, 1 thread']):.0f} % of C by hand (wanted: 70 %)"
        )
    for package in by_r.PACKAGES:
        if package in r_packages:
            _beside_r(package, rounds)
        else:
            print(f"  {package:<24}not installed for R here: its ratio was NOT measured (goal: 15)")


def _beside_r(package: str, rounds: int) -> None:
    """R is started anew each turn, as it cannot share a process; its own clock leaves its start out."""
    n = 500
    patients, doses = drawn(77, n), regimen("IM")
    tight = seen_array(followed(patients, doses, tolerance=TIGHT).seen)
    try:
        chosen = _loosest(lambda tolerance: by_r.follow(package, patients, tolerance, 1)[0], by_r.TOLERANCES, tight)
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(n / min(by_r.follow(package, patients, chosen, 2)[1]))
            began = time.perf_counter()
            followed(patients, doses, tolerance=TOLERANCE)
            ours.append(n / (time.perf_counter() - began))
    except subprocess.CalledProcessError as problem:
        print(f"  {package:<24}R failed, not measured: {problem.stderr.strip().splitlines()[-1:]}")
        return
    print(f"  {package} {chosen:g}".ljust(26) + f"{Rounds(theirs)!s:<42}{Rounds(ours).over(Rounds(theirs))}")


def _loosest(
    follow: Callable[[float], np.ndarray[tuple[int, ...], np.dtype[np.float64]]],
    tolerances: tuple[float, ...],
    tight: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> float:
    """The first tolerance with every patient within 1e-4, or the last."""
    for tolerance in tolerances:
        seen = follow(tolerance)
        if np.max(errors(seen, tight[:, : seen.shape[1]])) < _ACCURATE:
            return tolerance
    return tolerances[-1]


def _middle(a: Rounds, b: Rounds) -> float:
    return float(np.median(np.array(a.rates) / np.array(b.rates)))


def _counted(status: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> str:
    return ", ".join(
        f"{SolverStatus(code).name} {number:,}" for code, number in sorted(Counter(status.tolist()).items())
    )
