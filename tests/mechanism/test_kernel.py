"""The printed kernel: packed, equal to the graph it was printed from, kept whole between processes."""

import ctypes
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sevenfold.mechanism.driver import take_up
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.interpret import interpret
from sevenfold.mechanism.kernel import LANES, assembly, compiled
from sevenfold.mechanism.rosenbrock import take_step
from sevenfold.mechanism.solve import begin
from sevenfold.mechanism.trace import trace
from sevenfold.population.sampling import draw_parameters

FIRST = """
import numpy as np
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.solve import advance, begin
seen = advance(begin(il7_page(), {}), [[]], [[1.0, 28.0]], [28.0]).seen
print(" ".join(float(line).hex() for line in seen["alc_per_ul"][0]))
"""


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="reads x86 machine code")
def test_every_division_of_a_step_is_packed() -> None:
    """One instruction divides for all lanes of a register, and nothing is called."""
    text = assembly(il7_page())
    step = text[text.index("\nstep:") :]
    operations = re.findall(r"^\t(\w+)", step[: step.index(".Lfunc_end")], flags=re.MULTILINE)
    assert sum(name in {"vdivpd", "divpd"} for name in operations) > 50
    assert sum(name in {"vsqrtpd", "sqrtpd"} for name in operations) >= 3
    assert not {"vsqrtsd", "sqrtsd", "callq", "call"} & set(operations)
    # One division is the same for all lanes: that by the squared tolerance.
    assert sum(name in {"vdivsd", "divsd"} for name in operations) <= 1


def test_a_step_of_the_kernel_is_that_of_the_graph() -> None:
    """Eight patients just after a dose, against NumPy on the same nodes: rounding, fused products, the kernel's exp."""
    page, length = il7_page(), 0.02
    patients = begin(page, draw_parameters(page, 3, subject=np.arange(LANES)), LANES)
    patients.states[:, 0] = 210.0
    ready, traced = compiled(page), trace(page)
    rows = ready.printed.rows
    work = np.zeros((rows.count, LANES))
    given = np.ascontiguousarray([patients.values[name] for name in ready.printed.parameters])
    for lane in range(LANES):
        take_up(
            ready.addresses[1], work.reshape(-1), ready.shape, lane, lane, given, patients.time_day,
            (patients.states, patients.inputs, patients.control),
        )  # fmt: skip
    work[rows.time + 2] = length
    step = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_double)(ready.addresses[0])
    assert step(work.ctypes.data, np.inf) == 0
    assert work[rows.time] == pytest.approx(np.full(LANES, length))
    known: dict[int, Any] = {node.number: patients.states[:, k] for k, node in enumerate(traced.states)}
    known |= {node.number: patients.values[name] for name, node in traced.parameters.items()}
    known |= {node.number: 0.0 for node in traced.inputs.values()}
    moved = take_step(traced)
    known |= {traced.time.number: 0.0, moved.h.number: length}
    for k, expected in enumerate(interpret(moved.after, known)):
        assert work[k] == pytest.approx(np.broadcast_to(expected, LANES), rel=1e-11, abs=1e-13), page.states[k].name


def first_result(cache: Path) -> str:
    environment = {**os.environ, "SEVENFOLD_CACHE": str(cache)}
    done = subprocess.run([sys.executable, "-c", FIRST], env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def test_what_was_kept_gives_the_same_bits_and_what_was_damaged_is_made_again(tmp_path: Path) -> None:
    made = first_result(tmp_path)
    (kept,) = (tmp_path / "sevenfold" / "kernels").glob("il7-*.o")
    whole = kept.read_bytes()
    assert first_result(tmp_path) == made
    kept.write_bytes(whole[:-100])
    assert first_result(tmp_path) == made
    assert kept.read_bytes() == whole
