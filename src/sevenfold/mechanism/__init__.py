"""One patient's biology as a page, and the machinery that makes a kernel, a Jacobian and equations from it.

Here stands what a model's file needs: ``from sevenfold.mechanism import Page, State, ...``.
"""

from sevenfold.mechanism.expression import exp, log, maximum, minimum, power
from sevenfold.mechanism.page import Entry, Output, Page, Parameter, State
from sevenfold.mechanism.term import quantity, term
from sevenfold.provenance import Provenance

__all__ = [
    "Entry",
    "Output",
    "Page",
    "Parameter",
    "Provenance",
    "State",
    "exp",
    "log",
    "maximum",
    "minimum",
    "power",
    "quantity",
    "term",
]
