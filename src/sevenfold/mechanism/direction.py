"""Does what acts on a thing raise it or lower it? The sign of the exact derivative, at many states of the patient.

A term that is drawn is held fixed: what acts through it has an arrow to it. Where the sign differs from state to state
the influence has no direction, and none is drawn.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Final

import numpy as np

from sevenfold.mechanism.expression import Node, derivative, substitute
from sevenfold.mechanism.interpret import interpret
from sevenfold.mechanism.trace import Whole

__all__ = ["Direction", "direction"]

_POINTS: Final = 64
_SPREAD: Final = 1.0  # standard deviation of the logarithm around the typical patient's start
_DAYS: Final = 28.0


class Direction(IntEnum):
    """What more of one thing does to another, or to its rate."""

    LOWERS = -1
    EITHER = 0
    RAISES = 1


def direction(source: str, target: Node, drawn: Sequence[str], whole: Whole) -> Direction:
    """What more of ``source`` does to ``target``.

    Args:
        source: a state or a drawn term.
        target: a state's rate without its doses, or a term's node.
        drawn: names of the drawn terms, which are held fixed.
    """
    graph = whole.traced.graph
    fixed = {n: term.name for n, term in graph.terms.items() if term.name in drawn and n != target.number}
    variables = {n: graph.variable("term", name) for n, name in fixed.items()}
    (held,) = substitute([target], variables)
    by = graph.variable("term" if source in drawn else "state", source)
    slope = derivative(held, by, {})
    known = _points(whole)
    held_at = interpret([graph.nodes[n] for n in fixed], known)
    known |= {variables[n].number: value for n, value in zip(fixed, held_at, strict=True)}
    found = np.sign(np.broadcast_to(interpret([slope], known)[0], (_POINTS,)))
    is_raised, is_lowered = bool(np.any(found > 0)), bool(np.any(found < 0))
    if is_raised == is_lowered:
        return Direction.EITHER
    return Direction.RAISES if is_raised else Direction.LOWERS


def _points(whole: Whole) -> dict[int, Any]:
    """Values of every variable, by node: the typical patient's parameters, many states and times."""
    page, rng = whole.traced.page, np.random.default_rng(7)
    typical = page.values({})
    start = page.start(typical)
    states = {}
    for state in page.states:
        about = max(float(start[state.name]), 10.0 * state.scale)
        states[state.name] = about * np.exp(_SPREAD * rng.standard_normal(_POINTS))
    values: dict[str, dict[str, Any]] = {"state": states, "parameter": vars(typical)}
    values["time"] = {"time_day": rng.uniform(0.0, _DAYS, _POINTS)}
    variables = [node for node in whole.traced.graph.nodes if node.operation == "variable"]
    return {v.number: values[kind][v.name] for v in variables for kind in v.kinds if kind in values}
