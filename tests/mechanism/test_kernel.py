"""The printed kernel: packed, equal to the graph it was printed from, kept whole between processes."""

import ctypes
import errno
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sevenfold.mechanism import kernel
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
    """One instruction divides for all lanes of a register, and nothing is called but the stage."""
    text = assembly(il7_page())
    operations, called = list[str](), list[str]()
    for name in ("step", "stage"):
        part = re.split(r"^\.Lfunc_end", text[text.index(f"\n{name}:") :], maxsplit=1, flags=re.MULTILINE)[0]
        operations += re.findall(r"^\t(\w+)", part, flags=re.MULTILINE)
        called += re.findall(r"^\tcallq?\s+(\S+)", part, flags=re.MULTILINE)
    assert sum(name in {"vdivpd", "divpd"} for name in operations) > 30
    assert sum(name in {"vsqrtpd", "sqrtpd"} for name in operations) >= 3
    assert not {"vsqrtsd", "sqrtsd"} & set(operations)
    assert len(called) == 5  # by address, so the name does not show
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
    work[: rows.states] = patients.states.T
    given = np.ascontiguousarray([patients.values[name] for name in ready.printed.parameters])
    load = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(ready.address("load"))
    for lane in range(LANES):
        load(work.ctypes.data + 8 * lane, given.ctypes.data + 8 * lane, LANES)
    work[rows.time + 1], work[rows.time + 2] = np.inf, length
    step = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_double)(ready.address("step"))
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
    for damaged in (whole[:-100], b"", whole[:40], whole[:-1] + bytes([whole[-1] ^ 1])):
        kept.write_bytes(damaged)
        assert first_result(tmp_path) == made
        assert kept.read_bytes() == whole


def test_where_nothing_can_be_kept_the_kernel_runs_from_memory(tmp_path: Path) -> None:
    """A file stands where the folder should be: whoever runs this, also root, can make nothing below it."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert first_result(blocked) == first_result(tmp_path / "folder")
    assert blocked.read_text() == "in the way"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write fails after the file was begun; no part of it stays, and nothing is raised."""

    def full(handle: int, _mode: str) -> Any:
        os.close(handle)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", full)
        kernel._keep(tmp_path / "kernels" / "x.o", b"code")
    assert list((tmp_path / "kernels").iterdir()) == []
    kernel._keep(tmp_path / "kernels" / "x.o", b"code")
    assert kernel._kept(tmp_path / "kernels" / "x.o") == b"code"


def test_processes_that_begin_together_each_get_a_whole_kernel(tmp_path: Path) -> None:
    """Each writes beside and puts its file in place in one go: all answer the same, and one file is left."""
    environment = {**os.environ, "SEVENFOLD_CACHE": str(tmp_path)}
    at_once = [
        subprocess.Popen([sys.executable, "-c", FIRST], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = {process.communicate()[0] for process in at_once}
    assert said == {first_result(tmp_path)}
    assert [path.suffix for path in (tmp_path / "sevenfold" / "kernels").iterdir()] == [".o"]
