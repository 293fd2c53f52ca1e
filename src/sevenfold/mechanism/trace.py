"""From a page to its graph: the page's own functions are called once, with nodes in place of numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, final

from sevenfold.errors import InvalidDesign
from sevenfold.mechanism.expression import Graph, Node
from sevenfold.mechanism.page import Page, known

__all__ = ["Traced", "trace"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A page's equations as nodes.

    Args:
        page: what was traced.
        graph: all the nodes.
        time: days since the first dose.
        states: one node a state, in the page's order.
        inputs: infusions into a state [its unit a day], by the state's name.
        parameters: the parameters that the equations use, in the order of first use.
        rates: d/dt of every state, infusions included.
        outputs: in the page's order.
    """

    page: Page
    graph: Graph
    time: Node
    states: tuple[Node, ...]
    inputs: dict[str, Node]
    parameters: dict[str, Node]
    rates: tuple[Node, ...]
    outputs: tuple[Node, ...]


@final
@dataclass(slots=True)
class _Parameters:
    """Hands out a variable for every parameter that the page asks for, and remembers the order."""

    graph: Graph
    model: str
    names: list[str]
    used: dict[str, Node] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Node:
        known(self.model, "parameter", name, self.names)
        if name not in self.used:
            self.used[name] = self.graph.variable("parameter", name)
        return self.used[name]


def trace(page: Page) -> Traced:
    """The equations of a page.

    Raises:
        InvalidDesign: the page names what it does not have, forgets a state, or branches on a value.
    """
    graph = Graph()
    time = graph.variable("time", "time_day")
    states = {state.name: graph.variable("state", state.name) for state in page.states}
    inputs = {entry.state: graph.variable("input", entry.state) for entry in page.entries}
    parameters = _Parameters(graph, page.name, list(vars(page.values({}))))
    y = SimpleNamespace(**states)
    rates = _in_page_order(page, "state", page.rates(time, y, parameters), [s.name for s in page.states], graph)
    outputs = _in_page_order(page, "output", page.observe(time, y, parameters), [o.name for o in page.outputs], graph)
    return Traced(
        page=page,
        graph=graph,
        time=time,
        states=tuple(states.values()),
        inputs=inputs,
        parameters=parameters.used,
        rates=tuple(rate + inputs[name] if name in inputs else rate for name, rate in zip(states, rates, strict=True)),
        outputs=outputs,
    )


def _in_page_order(
    page: Page, kind: str, values: Mapping[str, Any], names: list[str], graph: Graph
) -> tuple[Node, ...]:
    for name in values:
        known(page.name, kind, name, names)
    missing = [name for name in names if name not in values]
    if missing:
        raise InvalidDesign(f"Model {page.name!r} says nothing about the {kind} {missing[0]!r}.")
    return tuple(
        values[name] if isinstance(values[name], Node) else graph.constant(float(values[name])) for name in names
    )
