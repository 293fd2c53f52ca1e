"""From a page to its graph: the page's own functions are called once, with nodes in place of numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from sevenfold.mechanism.expression import Graph, Node
from sevenfold.mechanism.page import Page, known
from sevenfold.mechanism.place import InvalidModel, of_function

__all__ = ["Traced", "Whole", "trace", "trace_whole"]


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
@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A page's equations with what comes before them: everything a reader of the model wants to see.

    Args:
        traced: rates and outputs; what is derived appears there as a variable.
        derived: name -> node, from parameters alone.
        start: states at time 0, in the page's order, from parameters and what is derived from them.
    """

    traced: Traced
    derived: dict[str, Node]
    start: tuple[Node, ...]


@final
@dataclass(slots=True)
class _Variables:
    """Hands out a variable for every name that the page asks for, and remembers the order."""

    graph: Graph
    model: str
    kind: str
    names: list[str]
    used: dict[str, Node] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Node:
        known(self.model, self.kind, name, self.names)
        if name not in self.used:
            self.used[name] = self.graph.variable(self.kind, name)
        return self.used[name]


def trace(page: Page) -> Traced:
    """The equations of a page, in the form that costs the kernel least.

    Raises:
        InvalidModel: the page names what it does not have or forgets a state.
        InvalidDesign: it branches on a value.
    """
    return _traced(page, Graph(is_for_kernel=True))


def _traced(page: Page, graph: Graph) -> Traced:
    time = graph.variable("time", "time_day")
    states = {state.name: graph.variable("state", state.name) for state in page.states}
    inputs = {entry.state: graph.variable("input", entry.state) for entry in page.entries}
    parameters = _Variables(graph, page.name, "parameter", list(vars(page.values({}))))
    y = _Variables(graph, page.name, "state", list(states), used=states)
    rates = _returned(page, "state", page.rates, (time, y, parameters), list(states), graph)
    outputs = _returned(page, "output", page.observe, (time, y, parameters), [o.name for o in page.outputs], graph)
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


def trace_whole(page: Page) -> Whole:
    """The equations of a page as they are written, what is derived and the start, in one graph.

    Raises:
        InvalidModel: as :func:`trace`.
        InvalidDesign: as :func:`trace`.
    """
    traced = _traced(page, Graph())
    given = _Variables(traced.graph, page.name, "parameter", list(page.typical))
    derived = {name: _node(value, traced.graph) for name, value in page.derive(given).items()}
    values = _Variables(traced.graph, page.name, "parameter", [*page.typical, *derived])
    names = [state.name for state in page.states]
    start = _returned(page, "state", page.start, (values,), names, traced.graph)
    return Whole(traced=traced, derived=derived, start=start)


def _returned(
    page: Page,
    kind: str,
    function: Callable[..., Mapping[str, Any]],
    arguments: tuple[Any, ...],
    names: list[str],
    graph: Graph,
) -> tuple[Node, ...]:
    values: Mapping[str, Any] | None = function(*arguments)
    if not isinstance(values, Mapping):
        called, found = getattr(function, "__name__", "a function"), type(values).__name__
        raise InvalidModel(
            f"Model {page.name!r}: {called} returns a {found}, not a mapping of every {kind}'s name to its value; "
            "is its 'return' missing?",
            place=of_function(function),
        )
    for name in values:
        try:
            known(page.name, kind, name, names)
        except InvalidModel as error:
            error.place = of_function(function)
            raise
    missing = [name for name in names if name not in values]
    if missing:
        raise InvalidModel(
            f"Model {page.name!r} says nothing about the {kind} {missing[0]!r}.", place=of_function(function)
        )
    return tuple(_node(values[name], graph) for name in names)


def _node(value: Any, graph: Graph) -> Node:
    return value if isinstance(value, Node) else graph.constant(value)
