"""Virtual patients a second, with the error beside the speed, as a ratio to SciPy's LSODA on the same model in the
same run.

python bench/solve.py [--patients N] [--threads T]

The model is IL-7 with 16 states; 8 intramuscular doses, 90 days, 14 sample days, random patients. Accuracy is the
largest relative error of any output at any sample day of any patient, against the same kernel at a tolerance of 1e-9
(which agrees with LSODA at 1e-10 to 1e-8; tests/mechanism). Time is the median of five runs after a warm-up,
compilation apart. LSODA runs the page's own Python functions at the loosest tolerance that keeps its patients within
1e-4: what limits it is Python, called once a step, so the ratio says what compiling buys, not that one method is
better than the other.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Named
from sevenfold.mechanism.solve import TOLERANCE, Dose, advance, begin
from sevenfold.population.sampling import draw_parameters

DOSE_DAYS = (0.0, 3.0, 7.0, 10.0, 14.0, 17.0, 21.0, 24.0)
LOOKS = [1.0, 3.0, 5.0, 7.0, 10.0, 12.0, 14.0, 17.0, 21.0, 24.0, 28.0, 42.0, 60.0, 90.0]
LSODA_TOLERANCE = 3e-6
N_LSODA = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    page, n = il7_page(), chosen.patients
    patients = begin(page, draw_parameters(page, 77, subject=np.arange(n)), n)
    doses = [[Dose(time_day=day, amount=750.0, route="IM") for day in DOSE_DAYS]] * n

    def kernel(tolerance: float, threads: int) -> list[np.ndarray]:
        made = advance(patients, doses, [LOOKS] * n, [90.0] * n, tolerance=tolerance, threads=threads)
        return [np.stack(made.seen[output.name]) for output in page.outputs]

    began = time.perf_counter()
    kernel(TOLERANCE, 1)
    print(f"first run, loading or compiling included: {time.perf_counter() - began:.1f} s")
    tight = kernel(1e-9, chosen.threads)
    one_core = 0.0
    for threads in dict.fromkeys((1, chosen.threads)):
        seconds = median_of(lambda threads=threads: kernel(TOLERANCE, threads))  # type: ignore[misc]
        worst = max(float(np.max(np.abs(a / b - 1.0))) for a, b in zip(kernel(TOLERANCE, threads), tight, strict=True))
        rate = n / seconds
        one_core = one_core or rate
        print(f"kernel, {threads} thread(s): {rate:,.0f} patients/s; largest error of {n} patients {worst:.1e}")
    rate, worst = lsoda(patients.values, [t[:N_LSODA] for t in tight])
    print(f"SciPy LSODA, rtol {LSODA_TOLERANCE:g}: {rate:,.2f} patients/s; largest error of {N_LSODA}: {worst:.1e}")
    print(f"ratio on one core: {one_core / rate:,.0f}")


def median_of(run: Callable[[], object], times: int = 5) -> float:
    """The median duration of some runs."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def lsoda(values: dict[str, np.ndarray], tight: list[np.ndarray]) -> tuple[float, float]:
    """Patients a second and largest error of the page's own functions under LSODA."""
    page = il7_page()
    names = [state.name for state in page.states]
    seen = np.empty((len(page.outputs), N_LSODA, len(LOOKS)))
    began = time.perf_counter()
    for i in range(N_LSODA):
        p = Named(**{name: float(column[i]) for name, column in values.items()})
        state = np.array([float(page.start(p)[name]) for name in names])

        def rates(t: float, y: np.ndarray, p: Named = p) -> list[float]:
            change = page.rates(t, Named(**dict(zip(names, y, strict=True))), p)
            return [change[name] for name in names]

        stops = sorted({*DOSE_DAYS, *LOOKS})
        for start, end in pairwise(stops):
            if start in DOSE_DAYS:
                state[names.index("depot_ug")] += 750.0 * p.bioavailable_fraction
            solved = solve_ivp(
                rates, (start, end), state, method="LSODA", rtol=LSODA_TOLERANCE, atol=LSODA_TOLERANCE * 1e-2
            )
            state = solved.y[:, -1]
            if end in LOOKS:
                looked = page.observe(end, Named(**dict(zip(names, state, strict=True))), p)
                seen[:, i, LOOKS.index(end)] = [looked[output.name] for output in page.outputs]
    seconds = time.perf_counter() - began
    worst = max(float(np.max(np.abs(a / b - 1.0))) for a, b in zip(seen, tight, strict=True))
    return N_LSODA / seconds, worst


if __name__ == "__main__":
    main()
