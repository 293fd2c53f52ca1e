"""Sevenfold: write a trial once, then rehearse, run, monitor, analyse and report it with the same code.

The package itself imports nothing, so that ``import sevenfold`` and ``sevenfold --help`` are immediate; its parts are
imported by name (``from sevenfold.protocol import load``).
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
