"""A graph worked out number by number with NumPy: slow and obvious, what the compiled kernel is held against."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from sevenfold.mechanism.expression import Node, in_order

__all__ = ["interpret"]

_MEANING: Final[dict[str, Callable[..., Any]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "exp": np.exp,
    "log": np.log,
    "power": np.power,
    "select": lambda a, b, c, d: np.where(np.asarray(a) > b, c, d),
}


def interpret(roots: Iterable[Node], known: Mapping[int, Any]) -> list[Any]:
    """The value of every root.

    Args:
        known: values of the variables, by the node's number; numbers or arrays.
    """
    roots, found = list(roots), dict(known)
    for node in in_order(roots, found):
        if node.is_constant():
            found[node.number] = node.value
        else:
            found[node.number] = _MEANING[node.operation](*(found[operand.number] for operand in node.operands))
    return [found[root.number] for root in roots]
