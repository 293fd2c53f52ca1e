"""How long a repeated-measures model takes to fit, warm: the median and range of some runs.

python bench/mmrm.py        needs the data sets that the tests read

FEV1 (197 patients, 4 visits) and BCVA (8,605 rows, 10 visits), unstructured, with each kind of degrees of freedom. What
limits a small fit is Python between the array operations; a large one, the linear algebra of its missing-data patterns.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "analysis" / "mmrm"))

from mmrm_cases import bcva, fev

from sevenfold.analysis.mmrm import KenwardRoger, Mmrm, Satterthwaite


def main() -> None:
    small, large = fev(["ARMCD"]), bcva()
    contrast = large.difference("TRT", "CTL", "VIS10")
    for freedom in (Satterthwaite(), KenwardRoger()):
        name = type(freedom).__name__
        said(f"FEV1, unstructured, {name}", lambda f=freedom: Mmrm(freedom=f).fit(small).contrast([0.0, 1.0], "arm"))  # type: ignore[misc]
        said(f"BCVA, unstructured, {name}", lambda f=freedom: Mmrm(freedom=f).fit(large.data).contrast(contrast, "arm"))  # type: ignore[misc]


def said(what: str, run: Callable[[], object], times: int = 9) -> None:
    run()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        taken.append(1e3 * (time.perf_counter() - began))
    print(f"{what}: {statistics.median(taken):.1f} ms ({min(taken):.1f} to {max(taken):.1f})")


if __name__ == "__main__":
    main()
