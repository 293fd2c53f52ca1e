"""The traced graph: the same page computes, draws and differentiates."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import InvalidDesign
from sevenfold.mechanism.expression import Graph, Node, derivative, exp, log, maximum, minimum, power
from sevenfold.mechanism.interpret import interpret

NUMBERS = st.floats(0.1, 5.0)


def something(x: Any, y: Any) -> Any:
    """An expression with every operation."""
    return maximum(x * y - 2.0 * x, 0.1) / (1.0 + exp(-y)) + power(x, 0.6) * log(y) - minimum(x, y) + (-x) / y


def evaluated(node: Node, **values: float) -> float:
    """The value of a node."""
    known = {v.number: values[v.name] for v in node.graph.nodes if v.operation == "variable"}
    return float(interpret([node], known)[0])


@given(x=NUMBERS, y=NUMBERS)
def test_numbers_arrays_and_the_graph_agree(x: float, y: float) -> None:
    """The graph reorders products of constants: a few units in the last place."""
    graph = Graph()
    node = something(graph.variable("state", "x"), graph.variable("state", "y"))
    assert evaluated(node, x=x, y=y) == pytest.approx(something(x, y), rel=1e-13, abs=1e-13)
    assert something(np.array([x]), np.array([y]))[0] == something(x, y)


@given(x=NUMBERS, y=NUMBERS)
def test_derivatives_are_those_of_a_complex_step(x: float, y: float) -> None:
    """Im f(x + ih)/h is exact to rounding for what is analytic; the kinks of max and min are left out."""
    graph = Graph()
    node = exp(-graph.variable("state", "x") / graph.variable("state", "y")) * power(graph.variable("state", "x"), 0.6)
    slope = derivative(node, graph.variable("state", "x"), {})
    z = complex(x, 1e-30)
    exact = (np.exp(-z / y) * z**0.6).imag / 1e-30
    assert evaluated(slope, x=x, y=y) == pytest.approx(exact, rel=1e-12)


def test_equal_expressions_are_one_node() -> None:
    graph = Graph()
    x, y = graph.variable("state", "x"), graph.variable("state", "y")
    assert x * y is y * x
    assert exp(x) is exp(x)
    assert (x + 0.0) is x
    assert (1.0 * x) is x
    assert (x - x).is_constant(0.0)


def test_a_page_may_not_branch_on_a_value() -> None:
    x = Graph().variable("state", "x")
    with pytest.raises(InvalidDesign, match="use maximum"):
        bool(x)
    with pytest.raises(InvalidDesign, match="branches on a value"):
        _ = x > 1.0
