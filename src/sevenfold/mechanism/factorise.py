"""Sparse factors of the Rosenbrock matrix, worked out once on symbols: I/(γh) - J = L U in straight-line code.

Pivots stay on the diagonal, in Markowitz order (least fill-in first). As the step shrinks the matrix tends to I/(γh),
so a bad pivot shows itself as an error and the step is halved away from it; the patient's status says so if that never
ends.
"""

from dataclasses import dataclass
from typing import final

from sevenfold.mechanism.expression import Node, derivative
from sevenfold.mechanism.trace import Traced

__all__ = ["Factors", "factorise"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """The factors and what went into them.

    Args:
        entries: (row, column) -> node: multipliers below the pivots, U above, reciprocals of the pivots on the
            diagonal.
        pivots: states in the order of elimination.
        time_rates: the derivative of every rate by time.
        n_nonzero: entries of the Jacobian that are not zero.
    """

    entries: dict[tuple[int, int], Node]
    pivots: tuple[int, ...]
    time_rates: tuple[Node, ...]
    n_nonzero: int


def factorise(traced: Traced, inverse_step: Node) -> Factors:
    """Factor I/(γh) - J with J the exact Jacobian of the traced rates and ``inverse_step`` the node of 1/(γh)."""
    graph, n = traced.graph, len(traced.states)
    known: list[dict[int, Node]] = [{} for _ in range(n)]
    entries: dict[tuple[int, int], Node] = {}
    n_nonzero = 0
    for i, rate in enumerate(traced.rates):
        for j, state in enumerate(traced.states):
            slope = derivative(rate, state, known[j])
            n_nonzero += not slope.is_constant(0)
            entry = (inverse_step if i == j else graph.constant(0.0)) - slope
            if not entry.is_constant(0):
                entries[i, j] = entry
    by_time: dict[int, Node] = {}
    time_rates = tuple(derivative(rate, traced.time, by_time) for rate in traced.rates)
    pivots = _eliminate(entries, n)
    return Factors(entries=entries, pivots=pivots, time_rates=time_rates, n_nonzero=n_nonzero)


def _eliminate(entries: dict[tuple[int, int], Node], n: int) -> tuple[int, ...]:
    left, pivots = list(range(n)), []
    while left:
        pivot = min(left, key=lambda k: _fill(entries, left, k))
        left.remove(pivot)
        pivots.append(pivot)
        reciprocal = 1.0 / entries[pivot, pivot]
        entries[pivot, pivot] = reciprocal
        columns = [j for j in left if (pivot, j) in entries]
        for i in left:
            if (i, pivot) not in entries:
                continue
            multiplier = entries[i, pivot] * reciprocal
            entries[i, pivot] = multiplier
            for j in columns:
                product = multiplier * entries[pivot, j]
                entries[i, j] = entries[i, j] - product if (i, j) in entries else -product
    return tuple(pivots)


def _fill(entries: dict[tuple[int, int], Node], left: list[int], pivot: int) -> int:
    in_column = sum((i, pivot) in entries for i in left) - 1
    in_row = sum((pivot, j) in entries for j in left) - 1
    return in_column * in_row
