"""What the figures were measured on: processor, instruction set, and the kernel's divisions in machine code."""

import os
import platform
import re
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import numpy as np
import scipy

from setting import PAGE
from sevenfold.mechanism.kernel import assembly

__all__ = ["describe"]

_SETS = ("avx512f", "avx2", "fma", "avx", "sse4.2", "neon", "sve")


def describe() -> str:
    """Some lines for the top of a report."""
    features = llvm.get_host_cpu_features()
    known = [name for name in _SETS if features.get(name)]
    text = assembly(PAGE)
    packed = len(re.findall(r"\bvdivpd|\bdivpd|\bfdiv\s+v\d+\.2d", text))
    wide = len(re.findall(r"\bvdivpd.*%zmm", text)), len(re.findall(r"\bvdivpd.*%ymm", text))
    scalar = len(re.findall(r"\bv?divsd|\bfdiv\s+d\d+", text))
    load = " ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return "\n".join(
        [
            f"processor: {llvm.get_host_cpu_name()}{_sold_as()}, {os.cpu_count()} cores; instruction sets: "
            f"{', '.join(known)}",
            f"other load on the machine at the start (1, 5, 15 min): {load}",
            f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}, "
            f"llvmlite {llvmlite.__version__}",
            f"divisions in the kernel's machine code: {packed} packed ({wide[0]} of 512 bits, {wide[1]} of 256), "
            f"{scalar} scalar (in what is done once a patient or once a look)",
        ]
    )


def _sold_as() -> str:
    path = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", path.read_text(), re.MULTILINE) if path.exists() else []
    return f" ({names[0].strip()})" if names else ""
