"""From a traced page to a compiled kernel: printed as LLVM's language, compiled once, kept between processes.

A compiled kernel is kept under a hash of everything that enters it (equations, arithmetic, control, the compiler's
version) and of the processor with its features: a change anywhere is a new file, never a stale one.
"""

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, final

from sevenfold.mechanism.control import Rows
from sevenfold.mechanism.driver import print_driver
from sevenfold.mechanism.expression import Node
from sevenfold.mechanism.lane_math import print_functions
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.printing import Block, parameter_only
from sevenfold.mechanism.rosenbrock import RODAS4, stage_of, take_step
from sevenfold.mechanism.stepping import fetched, n_scratch, print_step
from sevenfold.mechanism.trace import Traced, trace

__all__ = ["LANES", "Kernel", "Printed", "assembly", "compiled", "print_kernel"]

LANES: Final = 8
"""Patients computed by one instruction: a register of AVX-512, two of AVX2, four of NEON or SSE2."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A kernel as text.

    Args:
        text: a module in LLVM's language.
        parameters: names of the parameters it wants, in the order of the rows of ``given``.
        inputs: states that can be infused into, in the order of their rows.
        rows: of the workspace.
        n_nonzero: of the Jacobian, and of its factors after fill-in.
    """

    text: str
    parameters: tuple[str, ...]
    inputs: tuple[str, ...]
    rows: Rows
    n_nonzero: tuple[int, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A compiled kernel.

    Args:
        printed: what it was compiled from.
        engine: keeps the machine code alive.
    """

    printed: Printed
    engine: Any

    def address(self, name: str) -> int:
        """Of ``drive``, or of ``step``, ``load`` or ``observe``, which it calls."""
        return int(self.engine.get_function_address(name))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and lanes of the workspace."""
        return self.printed.rows.count, LANES


@cache
def compiled(page: Page) -> Kernel:
    """The kernel of a page, from the cache on disk or compiled now (half a second or more)."""
    printed = print_kernel(page)
    return Kernel(printed=printed, engine=_engine(page.name, printed.text))


def print_kernel(page: Page) -> Printed:
    """A page's kernel as the text of a module."""
    traced = trace(page)
    step = take_step(traced)
    stage = stage_of(traced, step)
    hoisted = parameter_only(
        [*step.factors.entries.values(), *step.slopes, *step.first, *stage.increments, *traced.outputs]
    )
    rows = Rows(
        states=len(traced.states), inputs=len(traced.inputs), hoisted=len(hoisted), scratch=n_scratch(step, RODAS4)
    )
    text = "\n".join(
        [
            f"; The kernel of {page.name!r}: printed, not written. See sevenfold.mechanism.kernel.",
            print_functions(LANES),
            print_step(LANES, traced, RODAS4, step, stage, hoisted, rows),
            print_functions(1).replace("@lane_", "@one_"),
            _print_load(traced, hoisted, rows).replace("@lane_", "@one_"),
            _print_observe(traced, hoisted, rows).replace("@lane_", "@one_"),
            print_driver(LANES, rows, len(traced.outputs)),
        ]
    )
    return Printed(
        text=text,
        parameters=tuple(traced.parameters),
        inputs=tuple(traced.inputs),
        rows=rows,
        n_nonzero=(step.factors.n_nonzero, len(step.factors.entries)),
    )


def _print_load(traced: Traced, hoisted: list[Node], rows: Rows) -> str:
    """``load``: what depends on the parameters alone, into one lane."""
    b = Block(1)
    b.point("work", "at")
    b.point("given", "from")
    known = {}
    for k, node in enumerate(traced.parameters.values()):
        place = b.say(f"mul i64 %stride, {k}")
        known[node.number] = b.say(f"load double, ptr {b.say(f'getelementptr double, ptr %given, i64 {place}')}")
    names = b.compute(hoisted, known)
    for k, node in enumerate(hoisted):
        b.keep(names[node.number], "%work", rows.first_hoisted + k, LANES)
    return b.function("void @load(i64 %at, i64 %from, i64 %stride)")


def _print_observe(traced: Traced, hoisted: list[Node], rows: Rows) -> str:
    """``observe``: the outputs of one lane."""
    b = Block(1)
    b.point("work", "at")
    b.point("seen", "to")
    known = fetched(b, traced, hoisted, rows, stride=LANES)
    known[traced.time.number] = b.fetch("%work", rows.time, LANES)
    names = b.compute(traced.outputs, known)
    for k, node in enumerate(traced.outputs):
        b.keep(names[node.number], "%seen", k, 1)
    return b.function("void @observe(i64 %at, i64 %to)")


def _engine(model: str, text: str) -> Any:
    """Machine code for the text, on this processor."""
    import llvmlite
    import llvmlite.binding as llvm

    target, processor = _target(llvm)
    made_by = f"{llvmlite.__version__} {llvm.llvm_version_info} {processor}"
    key = hashlib.sha256(f"{made_by}\n{text}".encode()).hexdigest()[:20]
    path = _cache_folder() / f"{model}-{key}.o"
    code = _kept(path)
    if code is None:
        module = llvm.parse_assembly(text)
        _optimise(llvm, module, target)
        code = target.emit_object(module)
        _keep(path, code)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def assembly(page: Page) -> str:
    """The kernel's instructions on this processor, for whoever wants to see whether they are packed."""
    import llvmlite.binding as llvm

    target, _ = _target(llvm)
    module = llvm.parse_assembly(print_kernel(page).text)
    _optimise(llvm, module, target)
    text: str = target.emit_assembly(module)
    return text


def _target(llvm: Any) -> tuple[Any, str]:
    """The machine to compile for, and its processor with its features."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    processor, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=processor, features=features, opt=3, codemodel="jitdefault", jit=True)
    return machine, f"{target.triple} {processor} {features}"


def _optimise(llvm: Any, module: Any, target: Any) -> None:
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False  # the vectors are already there
    options.loop_unrolling = False  # loops are there to keep the code short (sevenfold.mechanism.stepping)
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)


def _kept(path: Path) -> bytes | None:
    """Machine code from the cache, if it is what was written there."""
    try:
        digest, code = (data := path.read_bytes())[:32], data[32:]
    except OSError:
        return None
    return code if hashlib.sha256(code).digest() == digest else None


def _keep(path: Path, code: bytes) -> None:
    """Write machine code after its digest: whole or not at all, whoever else is writing the same. Where nothing can be
    written, nothing is kept, and the next process compiles again.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        temporary.replace(path)
    except OSError:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _cache_folder() -> Path:
    """Where kernels are kept: under SEVENFOLD_CACHE, or the user's folder for caches."""
    base = os.environ.get("SEVENFOLD_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sevenfold" / "kernels"
