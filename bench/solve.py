"""Virtual patients a second, with the error beside the speed, as ratios within one run.

    python bench/solve.py [--quick] [--million] [--seed N]

The model is IL-7 with 16 states; 8 doses, 90 days, 14 looks, random patients. An error is the largest relative error of
any of ten outputs at any look of a patient, against the same kernel at a tolerance of 1e-10 (the kernel in C at that
tolerance agrees to 1e-8). Methods take turns; a figure is the median of the rounds with its range, and a ratio is taken
within each round. One thread is timed by the processor's time of this process, two threads by the clock; other
programs on the machine disturb both, the clock more.

What limits each, measured on a 2-core AMD Zen 3 (AVX2) at 3.2 GHz:

- The printed kernel and the one in C: the step. Drawing, beginning and planning a patient take 4 % of the time. A core
  there does 2 products a cycle, but code beyond some 2,500 instructions leaves the store of decoded ones and then
  arrives at 9 to 14 bytes a cycle, 1 to 2 instructions; and a sum fused with a product competes with stores (3 : 1 runs
  at 1.2 a cycle in place of 2). The step takes about twice what its products alone would.
- LSODA in SciPy: Python, called at every evaluation of the rates. That ratio says what compiling buys, not that one
  method is better than the other.
- mrgsolve and rxode2: LSODA, one patient at a time without vectors, and the data sets that go in and out.
- Trials: the same step; sampling is 3 % of it.
"""

import argparse
import secrets
import subprocess

import numpy as np

from by_hand import FLAGS, build
from by_r import PACKAGES, difference_of_text, is_installed
from machine import describe
from methods import accuracy, agreement, speeds
from scale import jacobian, linear, starts, trials
from setting import drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="everything small, under a minute; figures are rough")
    parser.add_argument("--million", action="store_true", help="follow a million patients too (some minutes)")
    parser.add_argument("--seed", type=int, default=None, help="of the second population; a fresh one if not given")
    chosen = parser.parse_args()
    is_quick: bool = chosen.quick
    fresh = secrets.randbelow(2**31) if chosen.seed is None else chosen.seed
    print(describe())
    if is_quick:
        print("QUICK: few patients and rounds; take the figures as a check that everything runs.")
    try:
        library = build()
        print(f"C by hand: gcc {' '.join(FLAGS)}")
    except (OSError, subprocess.CalledProcessError) as problem:
        library = None
        print(f"C by hand: not measured, gcc cannot compile it here ({problem}).")
    here = [package for package in PACKAGES if is_installed(package)]
    print(f"text of the model for R: its rates are the page's to {difference_of_text(drawn(77, 100)):.0e}")

    if library is not None:
        print(f"\n== Agreement of the printed kernel and C, {100 if is_quick else 1000} patients")
        agreement(library, 100 if is_quick else 1000)
    print("\n== Accuracy at the shipped tolerance")
    accuracy(library, (77, fresh), 500 if is_quick else 20_000)
    print("\n== Speed")
    speeds(library, here, n=1_000 if is_quick else 4_000, n_slow=1 if is_quick else 4, rounds=3 if is_quick else 7)
    print("\n== Trials of 27 patients: drawn, followed, outputs in arrays; one core, 1,000 trials at a time")
    trials(100 if is_quick else 1_000, rounds=2 if is_quick else 5)
    print("\n== Jacobian of 27 patients x 30 observations by 8 random effects")
    jacobian()
    print("\n== From a new process to the first result (10 patients)")
    starts(times=1 if is_quick else 3)
    print("\n== Cost against the number of patients, one core, in blocks")
    linear([1_000, 4_000] if is_quick else [10_000, 100_000, *([1_000_000] if chosen.million else [])])
    if not (is_quick or chosen.million):
        print("1,000,000: not measured; add --million")


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
