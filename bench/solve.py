"""Virtual patients a second, with the error beside the speed, as ratios within one run.

    python bench/solve.py [--quick] [--million] [--seed N]

The model is IL-7 with 16 states; 8 doses, 90 days, 14 looks, random patients. An error is the largest relative error of
any of ten outputs at any look of a patient, against the same kernel at a tolerance of 1e-10 (the kernel in C at that
tolerance agrees to 1e-8). Methods take turns; a figure is the median of the rounds with its range, and a ratio is taken
within each round. One thread is timed by the processor's time of this process, two threads by the clock; other
programs on the machine disturb both, the clock more.

What limits each, measured on a 2-core AMD Zen 3 (AVX2, 3.2 GHz):

- The printed kernel and the one in C: the step. Drawing, beginning and planning a patient take 6 % of the time, arrays
  of outputs 3 %. A step of eight lanes takes 5,000 cycles: products alone, of which a core there does two a cycle,
  2,100; divisions and roots 600. The rest is waiting (a stage is one chain: power, rates, substitution forwards and
  backwards), stores that compete with fused products, and instructions that come slowly, as a step is longer than what
  the core keeps decoded (docs/theory/solver.md). The kernel in C takes the same steps, but its linear system was
  brought down by hand to two unknowns, which leaves fewer instructions; its time leaves out planning and lists.
- LSODA in SciPy: Python, called at every evaluation of the rates. That ratio says what compiling buys, not that one
  method is better than the other.
- mrgsolve and rxode2, where they are installed: not looked into; they solve one patient at a time, without vectors.
- Trials: the same step; drawing is 4 %, arrays of outputs 3 %.
- The Jacobian: each patient followed 18 times, mostly on steps that are read; the step again.
- A cached start: of 0.6 s of processor time, SciPy's normal quantile takes 0.2 to be imported, NumPy 0.13, our own
  modules 0.06, llvmlite 0.02; tracing and printing the kernel 0.08, loading it 0.003.
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
    accuracy(library, (77, fresh), 300 if is_quick else 20_000)
    print("\n== Speed")
    speeds(library, here, n=1_000 if is_quick else 4_000, n_slow=1 if is_quick else 4, rounds=3 if is_quick else 7)
    print("\n== Trials of 27 patients: drawn, followed, outputs in arrays; one core, 1,000 trials at a time")
    trials(100 if is_quick else 1_000, rounds=2 if is_quick else 5)
    print("\n== Jacobian of 27 patients x 30 observations by 8 random effects")
    jacobian(rounds=2 if is_quick else 7)
    print("\n== From a new process to the first result (10 patients)")
    starts(times=1 if is_quick else 3)
    print("\n== Cost against the number of patients, one core, in blocks")
    linear([500, 2_000] if is_quick else [10_000, 100_000, *([1_000_000] if chosen.million else [])])
    if not (is_quick or chosen.million):
        print("1,000,000: not measured; add --million")


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
