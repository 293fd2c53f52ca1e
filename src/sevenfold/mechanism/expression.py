"""Expressions of a model, traced: a graph in which equal things are one node, with exact derivatives.

A page is ordinary Python. Called with numbers or arrays it computes; called with nodes it draws this graph, from which
the kernel, the Jacobian and the equations of the documentation are all printed.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast, final

import numpy as np

from sevenfold.errors import InvalidDesign
from sevenfold.mechanism.place import InvalidModel, Place

if TYPE_CHECKING:
    from sevenfold.mechanism.term import Term

__all__ = [
    "Graph",
    "Node",
    "Quantified",
    "derivative",
    "exp",
    "in_order",
    "log",
    "maximum",
    "minimum",
    "power",
    "substitute",
]

_FOLD: Final[dict[str, Callable[..., float]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "maximum": max,
    "minimum": min,
    "exp": math.exp,
    "log": math.log,
    "power": math.pow,
}


@final
class Quantified(float):
    """A number that knows its unit; see ``term.quantity``."""

    __slots__ = ("unit",)
    unit: str

    def __new__(cls, value: float, unit: str) -> "Quantified":
        """``value``, with its unit beside it."""
        made = super().__new__(cls, value)
        made.unit = unit
        return made


@final
@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operation of the graph; ``+ - * /`` and the functions of this file make new ones.

    Args:
        graph: the graph it belongs to.
        number: its place in the graph, later than everything it depends on.
        operation: ``constant``, ``variable``, ``select`` or the name of an arithmetic operation.
        operands: the nodes it is made of.
        value: of a constant.
        unit: of a constant that was given one; "" for a plain number.
        name: of a variable.
        kinds: the kinds of variable it depends on (``state``, ``time``, ``parameter``, ``input``, ``step``).
    """

    graph: "Graph"
    number: int
    operation: str
    operands: tuple["Node", ...] = ()
    value: float = 0.0
    unit: str = ""
    name: str = ""
    kinds: frozenset[str] = frozenset()

    def is_constant(self, value: float | None = None) -> bool:
        """Whether it is a number, and that one if ``value`` is given (0 of any unit, or else a plain number)."""
        if self.operation != "constant":
            return False
        return value is None or (self.value == value and (value == 0 or not self.unit))

    def __add__(self, other: "Node | float") -> "Node":
        return self.graph.make("+", self, other)

    def __radd__(self, other: "Node | float") -> "Node":
        return self.graph.make("+", other, self)

    def __sub__(self, other: "Node | float") -> "Node":
        return self.graph.make("-", self, other)

    def __rsub__(self, other: "Node | float") -> "Node":
        return self.graph.make("-", other, self)

    def __mul__(self, other: "Node | float") -> "Node":
        return self.graph.make("*", self, other)

    def __rmul__(self, other: "Node | float") -> "Node":
        return self.graph.make("*", other, self)

    def __truediv__(self, other: "Node | float") -> "Node":
        return self.graph.make("/", self, other)

    def __rtruediv__(self, other: "Node | float") -> "Node":
        return self.graph.make("/", other, self)

    def __neg__(self) -> "Node":
        return self.graph.make("*", -1.0, self)

    def __pow__(self, exponent: "Node | float") -> "Node":
        if isinstance(exponent, int | float) and exponent in (1, 2, 3):
            square = self * self if exponent > 1 else self
            return square * self if exponent == 3 else square
        return self.graph.make("power", self, exponent)

    def __bool__(self) -> bool:
        raise InvalidDesign(
            "A model's page branches on a value of the patient ('if', 'and', 'max' or a comparison); "
            "the compiled kernel has no branches: use maximum(a, b) or minimum(a, b)."
        )

    __lt__ = __le__ = __gt__ = __ge__ = lambda self, _: self.__bool__()

    def __eq__(self, other: object) -> bool:
        is_branch = isinstance(other, int | float) and bool(self.kinds & {"state", "time", "parameter"})
        return self.__bool__() if is_branch else self is other

    __hash__ = object.__hash__

    def __float__(self) -> NoReturn:
        raise InvalidDesign(
            "A model's page turns a value of the patient into a plain number (float(), or a function of 'math'); "
            "use exp, log, power, maximum and minimum of sevenfold.mechanism, which can be traced."
        )

    __array_ufunc__ = None  # NumPy leaves arithmetic with its scalars to the node, and refuses np.exp(node)


@final
@dataclass(slots=True)
class Graph:
    """The nodes of one traced model. Equal operations on equal operands are the same node.

    Args:
        terms: names that the page gives to nodes, by number; see ``term.py``.
        places: the line that first asked for a node, by number.
        is_for_kernel: whether nodes take the form that costs least to compute, or stay as the page has them.
    """

    nodes: list[Node] = field(default_factory=list)
    terms: dict[int, "Term"] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    is_for_kernel: bool = False
    _known: dict[tuple[object, ...], Node] = field(default_factory=dict)

    def constant(self, value: float) -> Node:
        """A number."""
        unit = value.unit if isinstance(value, Quantified) else ""
        key = ("constant", float(value), math.copysign(1.0, value), unit)
        return self._intern(key, "constant", value=float(value), unit=unit)

    def variable(self, kind: str, name: str) -> Node:
        """A quantity whose value is known when the kernel runs."""
        return self._intern(("variable", kind, name), "variable", name=name, kinds=frozenset({kind}))

    def make(self, operation: str, *operands: Node | float) -> Node:
        """The node for an operation, simplified where that changes no value (constants, zeros and ones)."""
        nodes = tuple(operand if isinstance(operand, Node) else self.constant(operand) for operand in operands)
        if operation in _FOLD and all(node.is_constant() and not node.unit for node in nodes):
            return self.constant(_FOLD[operation](*(node.value for node in nodes)))
        simpler = _simplified(self, operation, nodes)
        return simpler if simpler is not None else self.raw(operation, *nodes)

    def raw(self, operation: str, *nodes: Node) -> Node:
        """The node for an operation exactly as given."""
        kinds = frozenset[str]().union(*(node.kinds for node in nodes))
        return self._intern((operation, *(node.number for node in nodes)), operation, operands=nodes, kinds=kinds)

    def label(self, node: Node, term: "Term") -> None:
        """Name a node; the first name stays, and states, parameters and numbers keep their own.

        Raises:
            InvalidModel: the name is already that of another node.
        """
        for number, known in self.terms.items():
            if known.name == term.name and number != node.number:
                raise InvalidModel(f"The term {term.name!r} names two different expressions; give one another name.")
        if node.operation not in ("variable", "constant"):
            self.terms.setdefault(node.number, term)

    def _intern(self, key: tuple[object, ...], operation: str, **fields: Any) -> Node:
        if key not in self._known:
            self._known[key] = node = Node(self, len(self.nodes), operation, **fields)
            self.nodes.append(node)
            self.places[node.number] = _asked_from()
        return self._known[key]


def _asked_from() -> Place:
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno) if frame is not None else Place("", 0)


def _simplified(graph: Graph, operation: str, nodes: tuple[Node, ...]) -> Node | None:
    """An equal, cheaper node, or None. Division by parameters alone becomes a product that is worked out once."""
    match operation, nodes:
        case "+", (a, b):
            return b if a.is_constant(0) else a if b.is_constant(0) else None
        case "-", (a, b):
            if b.is_constant(0):
                return a
            return -b if a.is_constant(0) else graph.constant(0) if a is b else None
        case "*", (a, b):
            return _product(graph, a, b)
        case "power", (a, b) if a.operation == "/" and graph.is_for_kernel:
            # (x/y)^n = exp(n (ln x - ln y)): a logarithm more, which the parameters' part is worked out once, for a
            # division and a power less at every step.
            over, under = a.operands
            if under.kinds <= {"parameter"} or over.kinds <= {"parameter"}:
                return graph.make("exp", b * (graph.make("log", over) - graph.make("log", under)))
            return None
        case "/", (a, b):
            if a.is_constant(0):
                return a
            if b.is_constant():
                return a * (1.0 / b.value) if not b.unit else None
            if b.kinds == {"parameter"} and not a.kinds <= {"parameter"}:
                return a * graph.raw("/", graph.constant(1.0), b)
            return None
        case _:
            return None


def _product(graph: Graph, a: Node, b: Node) -> Node | None:
    if b.is_constant() and not a.is_constant():
        return b * a
    if a.is_constant(0) or a.is_constant(1):
        return a if a.is_constant(0) else b
    if a.is_constant() and b.operation == "*" and b.operands[0].is_constant() and not (a.unit or b.operands[0].unit):
        return graph.constant(a.value * b.operands[0].value) * b.operands[1]
    return b * a if not a.is_constant() and a.number > b.number else None


_Numbers = TypeVar("_Numbers")


def exp(x: _Numbers) -> _Numbers:
    """The exponential of a number, an array or a node."""
    return _apply("exp", np.exp, x)


def log(x: _Numbers) -> _Numbers:
    """The natural logarithm."""
    return _apply("log", np.log, x)


def power(base: _Numbers, exponent: _Numbers | float) -> _Numbers:
    """``base`` to ``exponent``, for positive bases."""
    return _apply("power", np.power, base, exponent)


def maximum(a: _Numbers, b: _Numbers | float) -> _Numbers:
    """The larger of two; its derivative at a tie is the second's."""
    return _apply("maximum", np.maximum, a, b)


def minimum(a: _Numbers, b: _Numbers | float) -> _Numbers:
    """The smaller of two; its derivative at a tie is the second's."""
    return _apply("minimum", np.minimum, a, b)


def _apply(name: str, compute: Callable[..., Any], first: _Numbers, *others: Any) -> _Numbers:
    for operand in (first, *others):
        if isinstance(operand, Node):
            return cast("_Numbers", operand.graph.make(name, cast("Node", first), *others))
    return cast("_Numbers", compute(first, *others))


def derivative(of: Node, by: Node, known: dict[int, Node]) -> Node:
    """The exact derivative of a node by a variable; ``known`` keeps what was already derived by the same variable."""
    graph = of.graph
    if of is by:
        return graph.constant(1.0)
    if not by.kinds <= of.kinds or of.operation == "variable":
        return graph.constant(0.0)
    if of.number not in known:
        known[of.number] = _chain_rule(of, [derivative(operand, by, known) for operand in of.operands])
    return known[of.number]


def _chain_rule(of: Node, d: list[Node]) -> Node:
    graph, a = of.graph, of.operands
    match of.operation:
        case "+":
            return d[0] + d[1]
        case "-":
            return d[0] - d[1]
        case "*":
            return d[0] * a[1] + a[0] * d[1]
        case "/":
            return d[0] / a[1] if d[1].is_constant(0) else d[0] / a[1] - of * d[1] / a[1]
        case "exp":
            return of * d[0]
        case "log":
            return d[0] / a[0]
        case "power":
            if not d[1].is_constant(0):
                raise InvalidDesign("power(base, exponent) wants an exponent that does not change with the state.")
            return a[1] * of / a[0] * d[0]
        case "maximum" | "minimum":
            if d[0].is_constant(0) and d[1].is_constant(0):
                return d[0]
            larger, smaller = a if of.operation == "maximum" else (a[1], a[0])
            return graph.raw("select", larger, smaller, d[0], d[1])  # d[0] where larger > smaller, else d[1]
    raise InvalidDesign(f"Operation {of.operation!r} has no derivative.")


def substitute(roots: Iterable[Node], by: Mapping[int, Node]) -> list[Node]:
    """The roots with other nodes in place of some, given by number: the same equations at another point."""
    roots, moved = list(roots), dict(by)
    for node in in_order(roots, moved):
        operands = [moved.get(operand.number, operand) for operand in node.operands]
        is_changed = any(new is not old for new, old in zip(operands, node.operands, strict=True))
        moved[node.number] = node.graph.make(node.operation, *operands) if is_changed else node
    return [moved.get(root.number, root) for root in roots]


def in_order(roots: Iterable[Node], known: Iterable[int] = ()) -> list[Node]:
    """Every node that the roots need and ``known`` (by number) does not hold yet, operands before what uses them."""
    wanted: dict[int, Node] = {}
    pending, skip = list(roots), set(known)
    while pending:
        node = pending.pop()
        if node.number not in wanted and node.number not in skip:
            wanted[node.number] = node
            pending.extend(node.operands)
    return [wanted[number] for number in sorted(wanted)]
