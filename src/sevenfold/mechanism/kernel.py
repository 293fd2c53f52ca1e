"""From a traced page to a compiled kernel: printed to a real file, compiled once, kept between processes.

The file's name is a hash of everything that enters the kernel (equations, arithmetic, driver, the compiler's version),
and Numba keys what it compiled by processor: a change anywhere is a new file, never a stale one.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any, Final, final

from sevenfold.mechanism.factorise import factorise
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.printing import parameter_only, statements
from sevenfold.mechanism.rosenbrock import print_step
from sevenfold.mechanism.trace import trace

__all__ = ["LANES", "Kernel", "Printed", "compiled", "print_kernel"]

LANES: Final = 8
_MARK: Final = "# --- printed from here ---\n"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A kernel as text.

    Args:
        text: a Python module.
        parameters: names of the parameters it wants, in the order of the rows of its ``parameters`` array.
        inputs: states that can be infused into, in the order of ``inputs``.
        rows: the workspace row at which a dose into a state arrives, and its infusion row, by (kind, state).
        n_nonzero: of the Jacobian, and of its factors after fill-in.
    """

    text: str
    parameters: tuple[str, ...]
    inputs: tuple[str, ...]
    rows: dict[tuple[str, str], int]
    n_nonzero: tuple[int, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A compiled kernel.

    Args:
        printed: what it was compiled from.
        advance: see ``driver.py``.
    """

    printed: Printed
    advance: Callable[..., None]


@cache
def compiled(page: Page) -> Kernel:
    """The kernel of a page, from the cache on disk or compiled when it first runs (about ten seconds)."""
    printed = print_kernel(page)
    return Kernel(printed=printed, advance=_imported(page.name, printed.text).advance)


def print_kernel(page: Page) -> Printed:
    """A page's kernel as the text of a module."""
    traced = trace(page)
    n, inputs = len(traced.states), tuple(traced.inputs)
    everything = [*traced.rates, *traced.outputs]
    rows = {"state": 0, "next": n, "time": 2 * n, "step": 2 * n + 1, "error": 2 * n + 2, "input": 2 * n + 3}
    factors = factorise(traced)
    hoisted = parameter_only([*everything, *factors.entries.values(), *factors.time_rates])
    first_hoisted = rows["input"] + len(inputs)
    known = {node.number: f"q{k}" for k, node in enumerate(hoisted)}
    known |= {node.number: f"i{k}" for k, node in enumerate(traced.inputs.values())}
    fetch = [f"i{k} = work[{rows['input'] + k} * LANES + l]" for k in range(len(inputs))]
    fetch += [f"q{k} = work[{first_hoisted + k} * LANES + l]" for k in range(len(hoisted))]
    body = print_step(traced, factors, known, rows)
    parameters = tuple(traced.parameters)
    given = {node.number: f"parameters[{k}, patient]" for k, node in enumerate(traced.parameters.values())}
    load, names = statements(hoisted, given)
    load += [f"work[{first_hoisted + k} * LANES + lane] = {names[q.number]}" for k, q in enumerate(hoisted)]
    seen = {node.number: f"y{k}" for k, node in enumerate(traced.states)} | {traced.time.number: "t"} | known
    look, names = statements(traced.outputs, seen)
    look = [
        f"t = work[{rows['time']} * LANES + lane]",
        *(f"y{k} = work[{k} * LANES + lane]" for k in range(n)),
        *(line.replace("+ l]", "+ lane]") for line in fetch),
        *look,
        *(f"outputs[row, {k}] = {names[node.number]}" for k, node in enumerate(traced.outputs)),
    ]
    constants = {
        "LANES": LANES, "STATES": n, "OUTPUTS": len(traced.outputs), "ROWS": first_hoisted + len(hoisted),
        "STATE_ROW": 0, "NEXT_ROW": n, "TIME_ROW": rows["time"], "STEP_ROW": rows["step"], "ERROR_ROW": rows["error"],
        "INPUT_ROW": rows["input"], "INPUTS": len(inputs),
    }  # fmt: skip
    text = "\n".join(
        [
            f'"""The kernel of {page.name!r}: printed, not written. See sevenfold.mechanism.kernel."""',
            "import math",
            "import numba as nb",
            "import numpy as np",
            "from llvmlite import ir",
            "from numba.core import types",
            "from numba.extending import intrinsic",
            *(f"{name} = {value}" for name, value in constants.items()),
            _after_mark("vector_math.py"),
            'quick = nb.njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"}, nogil=True)',
            *_function("load(work, lane, parameters, patient)", load),
            *_function("step(work, tolerance)", [*fetch, *body], over_lanes=True),
            *_function("observe(work, lane, outputs, row)", look),
            _after_mark("driver.py"),
        ]
    )
    places = {("dose", state.name): k for k, state in enumerate(page.states)}
    places |= {("infusion", name): rows["input"] + k for k, name in enumerate(inputs)}
    return Printed(
        text=text,
        parameters=parameters,
        inputs=inputs,
        rows=places,
        n_nonzero=(factors.n_nonzero, len(factors.entries)),
    )


def _function(head: str, lines: list[str], *, over_lanes: bool = False) -> list[str]:
    indent = "        " if over_lanes else "    "
    loop = ["    for l in range(LANES):"] if over_lanes else []
    return ["", "@quick", f"def {head}:", *loop, *(indent + line for line in lines), ""]


def _after_mark(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").split(_MARK, 1)[1]


def _imported(model: str, text: str) -> ModuleType:
    import llvmlite
    import numba

    made_by = f"{numba.__version__} {llvmlite.__version__}"
    key = hashlib.sha256(f"{made_by}\n{text}".encode()).hexdigest()[:16]
    path = _cache_folder() / f"kernel_{model}_{key}.py"
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)  # whole or not at all, whoever else is writing the same
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # the compiler looks its own module up when it reads the cache
    spec.loader.exec_module(module)
    return module


def _cache_folder() -> Path:
    """Where kernels are kept: SEVENFOLD_CACHE, or the user's cache folder, or a temporary one if neither can be
    written.
    """
    base: Any = os.environ.get("SEVENFOLD_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "sevenfold" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="sevenfold-kernels-"))
