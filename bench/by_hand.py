"""The same method in C by hand: compiled when the benchmark runs, called through ctypes."""

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from setting import LOOKS, PAGE, UNTIL_DAY
from sevenfold.mechanism.solve import Patients
from sevenfold.mechanism.stops import Stops

__all__ = ["FLAGS", "build", "prepare"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Answer = tuple[Floats, Ints, Ints]

FLAGS: Final = (
    "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros", "-freciprocal-math",
    "-ffp-contract=fast", "-fschedule-insns", "-fsched-pressure",
)  # fmt: skip
"""-ffast-math without -ffinite-math-only and -fassociative-math, and a scheduler that gcc leaves off on x86."""


def build() -> ctypes.CDLL:
    """Compile ``il7.c`` for this processor into a temporary folder and load it.

    Raises:
        OSError: there is no gcc.
        subprocess.CalledProcessError: it refuses the file.
    """
    with tempfile.TemporaryDirectory(prefix="sevenfold-bench-") as folder:
        library = Path(folder) / "il7.so"
        source = Path(__file__).with_name("il7.c")
        subprocess.run(["gcc", *FLAGS, "-shared", "-fPIC", str(source), "-o", str(library), "-lm"], check=True)
        return ctypes.CDLL(str(library))


def prepare(library: ctypes.CDLL, patients: Patients, stops: Stops) -> Callable[[float], Answer]:
    """A call that follows these patients at a tolerance; it answers what is seen as (output, patient, look), statuses
    and steps. What is ready before the call (parameters side by side) is the same as the printed kernel gets.
    """
    names = ctypes.c_char_p.in_dll(library, "il7_parameters").value
    assert names is not None
    n, n_outputs = len(patients), len(PAGE.outputs)
    parameters = np.ascontiguousarray(np.stack([patients.values[name] for name in names.decode().split()]))
    start, states = np.ascontiguousarray(patients.time_day), np.ascontiguousarray(patients.states)
    table = [np.ascontiguousarray(column) for column in stops]
    pointers = (ctypes.c_void_p * len(table))(*(column.ctypes.data for column in table))
    assert stops.day[stops.last[0] - 1] == UNTIL_DAY

    def follow(tolerance: float) -> Answer:
        seen = np.full((n * len(LOOKS), n_outputs), np.nan)
        status, n_steps = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        given = [array.ctypes.data for array in (parameters, start, states)]
        answers = [array.ctypes.data for array in (seen, status, n_steps)]
        library.il7_follow(
            ctypes.c_int64(n), ctypes.c_double(tolerance), *map(ctypes.c_void_p, given), pointers,
            *map(ctypes.c_void_p, answers),
        )  # fmt: skip
        del table[len(stops) :]  # keeps the columns alive for as long as the pointers to them
        return np.moveaxis(seen.reshape(n, len(LOOKS), n_outputs), 2, 0), status, n_steps

    return follow
