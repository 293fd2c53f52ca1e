"""Several hypotheses, one error rate: fixed sequence, Holm, Hochberg, and graphs of tests (Bretz and Maurer).

Each procedure is a frozen value that turns p-values into adjusted ones; a hypothesis is rejected where its adjusted
p-value does not exceed the family's level. All but Hochberg's hold under any dependence of the tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.column import Numbers, numbers
from sevenfold.errors import InvalidDesign, InvalidInput

__all__ = ["Decision", "FixedSequence", "Graph", "Hochberg", "Holm", "Procedure", "decide"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of one hypothesis.

    Args:
        adjusted: the smallest family level at which it would be rejected.
    """

    hypothesis: str
    p_value: float
    adjusted: float
    is_rejected: bool


class Procedure(Protocol):
    """A multiple test that keeps the probability of any false rejection."""

    def adjusted(self, p_values: Numbers) -> Numbers:
        """Adjusted p-values, in the order of the p-values."""
        ...


def decide(procedure: Procedure, p_values: Mapping[str, float], alpha: float = 0.05) -> tuple[Decision, ...]:
    """A decision on each hypothesis, in the order given.

    Args:
        p_values: by the name of the hypothesis; a sequence or a graph reads them in this order.
        alpha: the family's error rate.
    """
    p = numbers("p_values", list(p_values.values()))
    if len(p) == 0 or (p < 0.0).any() or (p > 1.0).any():
        raise InvalidInput(f"The p-values are {dict(p_values)}; give at least one, each in 0..1.")
    if not 0.0 < alpha < 1.0:
        raise InvalidInput(f"alpha is {alpha}; give the family's error rate, such as 0.05.")
    adjusted = procedure.adjusted(p)
    return tuple(
        Decision(
            hypothesis=name, p_value=float(p[i]), adjusted=float(adjusted[i]), is_rejected=bool(adjusted[i] <= alpha)
        )
        for i, name in enumerate(p_values)
    )


@final
@dataclass(frozen=True, slots=True)
class FixedSequence:
    """Hypotheses in their planned order, each at the full level, until the first that fails.

    Adjusted: the largest p-value so far. Source: [maurer1995].
    """

    def adjusted(self, p_values: Numbers) -> Numbers:
        """See ``Procedure``."""
        return np.maximum.accumulate(p_values)


@final
@dataclass(frozen=True, slots=True)
class Holm:
    """Bonferroni stepping down from the smallest p-value.

    Adjusted, for p_(1) ≤ ... ≤ p_(m): the largest of (m - j + 1) p_(j) over j ≤ i. Source: [holm1979].
    """

    def adjusted(self, p_values: Numbers) -> Numbers:
        """See ``Procedure``."""
        order = np.argsort(p_values, kind="stable")
        steps = np.arange(len(p_values), 0, -1) * p_values[order]
        return _placed(np.minimum(np.maximum.accumulate(steps), 1.0), order)


@final
@dataclass(frozen=True, slots=True)
class Hochberg:
    """Stepping up from the largest p-value; needs independent or positively dependent tests.

    Adjusted: the smallest of (m - j + 1) p_(j) over j ≥ i. Source: [hochberg1988].
    """

    def adjusted(self, p_values: Numbers) -> Numbers:
        """See ``Procedure``."""
        order = np.argsort(p_values, kind="stable")
        steps = np.arange(len(p_values), 0, -1) * p_values[order]
        return _placed(np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0), order)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Weighted tests that hand their share of the level on when they are rejected.

    Of the hypotheses still open, the one with the smallest p/weight is rejected; then, for the others j, k,
    w_j += w_i g_ij and g_jk = (g_jk + g_ji g_ik)/(1 - g_ji g_ij). Adjusted: the largest p/weight so far.

    Args:
        weights: of the level at the start, non-negative, summing to at most 1.
        transitions: row i, what hypothesis i hands to each other; zero diagonal, rows summing to at most 1.

    Source: [bretz2009]; docs/theory/multiplicity.md.
    """

    weights: tuple[float, ...]
    transitions: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        m = len(self.weights)
        if min(self.weights, default=-1.0) < 0.0 or sum(self.weights) > 1.0 + 1e-9:
            raise InvalidDesign(f"The weights are {self.weights}; they must be non-negative and sum to at most 1.")
        if len(self.transitions) != m or any(len(row) != m for row in self.transitions):
            raise InvalidDesign(f"The transitions must be a square of {m} rows and columns, one per weight.")
        for i, row in enumerate(self.transitions):
            if row[i] != 0.0 or min(row) < 0.0 or sum(row) > 1.0 + 1e-9:
                raise InvalidDesign(f"Row {i} of the transitions is {row}; give 0 on the diagonal, a sum of at most 1.")

    def adjusted(self, p_values: Numbers) -> Numbers:
        """See ``Procedure``."""
        if len(p_values) != len(self.weights):
            raise InvalidInput(f"The graph has {len(self.weights)} hypotheses, but {len(p_values)} p-values came.")
        weights, transitions = np.array(self.weights, dtype=np.float64), np.array(self.transitions, dtype=np.float64)
        adjusted, is_open, largest = np.ones(len(p_values)), np.ones(len(p_values), dtype=bool), 0.0
        while is_open.any():
            ratio = np.full(len(p_values), np.inf)
            np.divide(p_values, weights, out=ratio, where=is_open & (weights > 0.0))
            i = int(np.argmin(ratio))
            if np.isinf(ratio[i]):
                break  # no share of the level ever reaches the rest
            largest = max(largest, float(ratio[i]))
            adjusted[i] = min(largest, 1.0)
            is_open[i] = False
            weights, transitions = _without(i, weights, transitions, is_open)
        return adjusted


def _placed(sorted_values: Numbers, order: NDArray[np.intp]) -> Numbers:
    placed = np.empty_like(sorted_values)
    placed[order] = sorted_values
    return placed


def _without(
    i: int, weights: Numbers, transitions: NDArray[np.float64], is_open: NDArray[np.bool_]
) -> tuple[Numbers, NDArray[np.float64]]:
    """The graph after hypothesis i has been rejected."""
    passed = np.where(is_open, weights + weights[i] * transitions[i], 0.0)
    through = transitions[:, i]
    loop = 1.0 - through * transitions[i]
    rewired = np.divide(
        transitions + np.outer(through, transitions[i]),
        loop[:, None],
        out=np.zeros_like(transitions),
        where=(loop > 0.0)[:, None],
    )
    keep = is_open[:, None] & is_open[None, :]
    rewired = np.where(keep, rewired, 0.0)
    np.fill_diagonal(rewired, 0.0)
    return passed, rewired
