"""How long repeated-measures models take to fit: one at a time, warm and from a cold start, and a batch of trials.

python bench/mmrm.py [--trials 10000]        needs the data sets that the tests read

FEV1 (197 patients, 4 visits) and BCVA (8,605 rows, 10 visits), unstructured, with each kind of degrees of freedom: the
median and range of some runs, warm; and a fresh process that reads, fits and asks once. Then a batch of trials of 27
patients and 6 visits, with Kenward-Roger, on two threads, and a hundred of them one at a time. What limits: a small
fit, Python between the array operations; a large one, the linear algebra of its missing-data patterns, which several
BLAS threads slow down where the processors are busy (compare OPENBLAS_NUM_THREADS=1); a batch, its arithmetic.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "analysis" / "mmrm"))

from mmrm_cases import bcva, fev_trial

from sevenfold.analysis.batch.mmrm import Questions, mmrm_batch
from sevenfold.analysis.batch.repeated import RepeatedTrials
from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm import PRESPECIFIED, Covariate, KenwardRoger, Mmrm, Satterthwaite, TrialModel

WANTED_MS = {("FEV1", "KenwardRoger"): 25.0, ("BCVA", "Satterthwaite"): 1000.0, ("BCVA", "KenwardRoger"): 2000.0}
N_PATIENTS, N_VISITS, FRACTION_LOST = 27, 6, 0.3


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--trials", type=int, default=10_000)
    asked.add_argument("--once", action="store_true", help="one fit of FEV1 and no more; for the cold start")
    given = asked.parse_args()
    if given.once:
        fitted(fev_trial(), ("TRT", "PBO", "VIS4"), KenwardRoger())
        return
    for name, model, pair in (("FEV1", fev_trial(), ("TRT", "PBO", "VIS4")), ("BCVA", bcva(), ("TRT", "CTL", "VIS10"))):
        for freedom in (Satterthwaite(), KenwardRoger()):
            said(name, type(freedom).__name__, lambda m=model, p=pair, f=freedom: fitted(m, p, f))  # type: ignore[misc]
    began = time.perf_counter()
    subprocess.run([sys.executable, __file__, "--once"], check=True)
    print(f"FEV1, a fresh process, data read and fitted once: {time.perf_counter() - began:.2f} s (wanted: under 3)")
    batch(given.trials)


def fitted(model: TrialModel, pair: tuple[str, str, str], freedom: KenwardRoger | Satterthwaite) -> float:
    return Mmrm(freedom=freedom).fit(model.data).contrast(model.difference(*pair), "arm").p_value


def said(name: str, freedom: str, run: Callable[[], object], times: int = 15) -> None:
    run()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        taken.append(1e3 * (time.perf_counter() - began))
    wanted = WANTED_MS.get((name, freedom))
    median = statistics.median(taken)
    ratio = "" if wanted is None else f"; {median / wanted:.2f} of the {wanted:.0f} ms wanted"
    print(f"{name}, unstructured, {freedom}: {median:.1f} ms ({min(taken):.1f} to {max(taken):.1f}){ratio}")


def batch(n_trials: int) -> None:
    trials, one = made(n_trials), made(1)
    row = Questions(contrasts={"last": trials.difference("il7", "placebo", trials.visits[-1])})
    began = time.perf_counter()
    mmrm_batch(one, row)
    print(f"a batch's code, compiled or read from the cache: {time.perf_counter() - began:.1f} s")
    for name, plan in (("unstructured, Kenward-Roger", PRESPECIFIED[:1]), ("the whole plan", PRESPECIFIED)):
        began = time.perf_counter()
        found = mmrm_batch(trials, row, plan, n_threads=2)
        taken = time.perf_counter() - began
        print(
            f"{n_trials} trials of {N_PATIENTS} patients and {N_VISITS} visits, {name}, two threads: {taken:.1f} s "
            f"({1e3 * taken / n_trials:.2f} ms a trial; wanted: under 6); {listed(found.n_by_status)}"
        )
    alone = [trials.one(trial) for trial in range(min(n_trials, 100))]
    began = time.perf_counter()
    for model in alone:
        Mmrm().fit(model.data)
    print(f"the same one at a time: {1e3 * (time.perf_counter() - began) / len(alone):.1f} ms a trial")


def made(n_trials: int) -> RepeatedTrials:
    """Two arms 3:1, a baseline by visit, autoregressive truth, three in ten lost on the way, one value in 20 gone."""
    rng = np.random.default_rng(1)
    each = np.arange(N_VISITS)
    sd = 1.0 + 0.1 * each
    truth = 0.6 ** np.abs(each[:, None] - each[None, :]) * np.outer(sd, sd)
    shape = (n_trials, N_PATIENTS)
    response = rng.multivariate_normal(np.zeros(N_VISITS), truth, size=shape)
    baseline = rng.normal(size=shape)
    response += 0.5 * baseline[:, :, None]
    last = np.where(rng.random(shape) < FRACTION_LOST, rng.integers(0, N_VISITS, size=shape), N_VISITS)
    response[(each >= last[:, :, None]) | (rng.random(response.shape) < 0.05)] = np.nan
    arm = rng.permuted(np.tile((np.arange(N_PATIENTS) % 4 > 0).astype(np.int64), (n_trials, 1)), axis=1)
    return RepeatedTrials.of(
        response,
        arm=arm,
        arms=("placebo", "il7"),
        visits=tuple(f"v{one + 1}" for one in each),
        covariates=[Covariate(name="baseline", values=baseline, is_by_visit=True)],
    )


def listed(counts: Mapping[Status, int]) -> str:
    return ", ".join(f"{n} {status.value.split(':')[0]}" for status, n in counts.items())


if __name__ == "__main__":
    main()
