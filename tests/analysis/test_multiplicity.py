"""Multiple tests against R, a published graph, and closed testing written out."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.analysis.multiplicity import FixedSequence, Graph, Hochberg, Holm, Procedure, decide
from sevenfold.errors import InvalidDesign, InvalidInput

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/analysis/analysis.json").read_text())["multiplicity"]


def adjusted(procedure: Procedure, p: list[float]) -> list[float]:
    return [d.adjusted for d in decide(procedure, {str(i): x for i, x in enumerate(p)})]


def test_holm_and_hochberg_agree_with_r() -> None:
    """R 4.2.2 p.adjust."""
    assert adjusted(Holm(), REFERENCE["p"]) == pytest.approx(REFERENCE["holm"], rel=1e-12)
    assert adjusted(Hochberg(), REFERENCE["p"]) == pytest.approx(REFERENCE["hochberg"], rel=1e-12)


def test_fixed_sequence_stops_at_the_first_failure() -> None:
    """By hand."""
    decisions = decide(FixedSequence(), {"primary": 0.01, "second": 0.06, "third": 0.001}, alpha=0.05)
    assert [d.is_rejected for d in decisions] == [True, False, False]
    assert [d.adjusted for d in decisions] == [0.01, 0.06, 0.06]


# Two doses, primary and secondary endpoint; a secondary is tested once its primary is rejected.
PARALLEL_GATEKEEPING = Graph(
    weights=(0.5, 0.5, 0.0, 0.0),
    transitions=((0.0, 0.5, 0.5, 0.0), (0.5, 0.0, 0.0, 0.5), (0.0, 1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
)


def test_parallel_gatekeeping_by_hand() -> None:
    """The algorithm of Bretz et al. 2009 on paper: at α = 0.05 with p = (0.02, 0.04, 0.012, 0.1).

    H1 at 0.025 is rejected: w = (-, 0.75, 0.25, 0), g_23 = (0 + 0.5·0.5)/(1 - 0.25) = 1/3, g_24 = 2/3, g_32 = 1.
    H3: 0.012 < 0.0125 is rejected: w_2 = 1. H2: 0.04 < 0.05 is rejected, w_4 = 1, and H4 at 0.1 is not. The largest p/w
    on the way: 0.04 for H1, 0.048 for H3, still 0.048 for H2 (its own is 0.04), 0.1 for H4.
    """
    found = decide(PARALLEL_GATEKEEPING, {"H1": 0.02, "H2": 0.04, "H3": 0.012, "H4": 0.1})
    assert [d.adjusted for d in found] == pytest.approx([0.04, 0.048, 0.048, 0.1], rel=1e-12)
    assert [d.is_rejected for d in found] == [True, True, True, False]


def test_whole_numbers_make_the_graph_that_decimals_make() -> None:
    """A fixed sequence written with 1 and 0."""
    graph = Graph(weights=(1, 0, 0), transitions=((0, 1, 0), (0, 0, 1), (0, 0, 0)))
    assert adjusted(graph, [0.01, 0.06, 0.001]) == adjusted(FixedSequence(), [0.01, 0.06, 0.001])


def closed(graph: Graph, p: list[float]) -> list[float]:
    """Every intersection by weighted Bonferroni, with the weights that the graph gives once the others are removed."""
    m = len(p)
    largest = [0.0] * m
    for size in range(1, m + 1):
        for kept in combinations(range(m), size):
            w, g = list(graph.weights), [list(row) for row in graph.transitions]
            for gone in (i for i in range(m) if i not in kept):
                new_w = [w[j] + w[gone] * g[gone][j] if j != gone else 0.0 for j in range(m)]
                new_g = [[0.0] * m for _ in range(m)]
                for j in range(m):
                    for k in range(m):
                        if j != k and gone not in (j, k) and g[j][gone] * g[gone][j] < 1:
                            new_g[j][k] = (g[j][k] + g[j][gone] * g[gone][k]) / (1 - g[j][gone] * g[gone][j])
                w, g = new_w, new_g
            smallest = min((p[j] / w[j] for j in kept if w[j] > 0), default=1.0)
            for j in kept:
                largest[j] = max(largest[j], min(smallest, 1.0))
    return largest


p_values = st.lists(st.floats(1e-6, 1.0), min_size=4, max_size=4)


@given(p=p_values)
def test_a_graph_is_a_closed_test(p: list[float]) -> None:
    """All intersections that hold a hypothesis must be rejected before it is."""
    assert adjusted(PARALLEL_GATEKEEPING, p) == pytest.approx(closed(PARALLEL_GATEKEEPING, p), rel=1e-9)


@given(p=p_values)
def test_holm_and_the_fixed_sequence_are_graphs(p: list[float]) -> None:
    """Equal weights handed on equally; all weight handed down the line."""
    third = 1 / 3
    holm = Graph(weights=(0.25,) * 4, transitions=tuple(tuple(third * (i != j) for j in range(4)) for i in range(4)))
    line = Graph(
        weights=(1.0, 0, 0, 0), transitions=tuple(tuple(float(j == i + 1) for j in range(4)) for i in range(4))
    )
    assert adjusted(Holm(), p) == pytest.approx(adjusted(holm, p), rel=1e-9)
    assert adjusted(FixedSequence(), p) == pytest.approx(adjusted(line, p), rel=1e-12)


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=7), seed=st.integers(0, 2**32 - 1))
def test_laws_of_stepwise_tests(p: list[float], seed: int) -> None:
    """Order doesn't matter, Hochberg rejects whatever Holm does, no adjustment is downwards."""
    order = np.random.default_rng(seed).permutation(len(p))
    for procedure in (Holm(), Hochberg()):
        found = np.array(adjusted(procedure, p))
        assert adjusted(procedure, [p[i] for i in order]) == pytest.approx(found[order].tolist(), abs=1e-15)
        assert (found >= np.array(p) - 1e-15).all()
    assert all(b <= a + 1e-15 for a, b in zip(adjusted(Holm(), p), adjusted(Hochberg(), p), strict=True))


def test_impossible_graphs_and_p_values_are_refused() -> None:
    """The message says what would be right."""
    with pytest.raises(InvalidDesign, match="sum to at most 1"):
        Graph(weights=(0.6, 0.6), transitions=((0.0, 1.0), (1.0, 0.0)))
    with pytest.raises(InvalidDesign, match="diagonal"):
        Graph(weights=(0.5, 0.5), transitions=((0.5, 0.5), (1.0, 0.0)))
    with pytest.raises(InvalidDesign, match="square"):
        Graph(weights=(0.5, 0.5), transitions=((0.0, 1.0),))
    with pytest.raises(InvalidInput, match=r"0\.\.1"):
        decide(Holm(), {"a": 1.2})
    with pytest.raises(InvalidInput, match="2 hypotheses"):
        decide(Graph(weights=(1.0, 0.0), transitions=((0.0, 1.0), (0.0, 0.0))), {"a": 0.1})
