"""Equations as a person writes them: the graph in letters, with sums, fractions and named terms.

The graph's own form is for computing (a quotient by a parameter is a product with its reciprocal, a difference may be a
sum with -1 times something); here it is put back into the form of a paper: ``CL·A1/V1``, not ``A1*(1/V1)*CL``.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Final, final

from sevenfold.mechanism.expression import Node
from sevenfold.mechanism.trace import Whole

__all__ = ["Letters", "addends", "factors", "letters", "number", "pretty"]

_GREEK: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω",
}  # fmt: skip
_GREEK_FIRST: Final = re.compile(rf"({'|'.join(_GREEK)})(?=$|[A-Z0-9_*]|max|min)")
_SUBSCRIPTS: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS: Final = {"2": "²", "3": "³", "4": "⁴"}
_FUNCTION: Final = {"exp": "exp", "log": "ln", "maximum": "max", "minimum": "min"}


@final
@dataclass(frozen=True, slots=True)
class Letters:
    """What every node is called that has a name: states, parameters, terms.

    Args:
        by_node: number of the node -> its letter.
        by_name: name of a state, parameter, derived value or term -> its letter.
    """

    by_node: dict[int, str]
    by_name: dict[str, str]

    def sentence(self, node: Node) -> str:
        """What a node is made of, as text, even if the node itself has a name."""
        return self._said(node, is_definition=True)[0]

    def phrase(self, node: Node) -> str:
        """A node as text, by its name if it has one."""
        return self._said(node)[0]

    def _said(self, node: Node, *, is_definition: bool = False) -> tuple[str, int]:
        """The text and how tightly it binds: 0 sum, 1 product, 2 power, 3 whole."""
        if node.number in self.by_node and not (is_definition and node.operation != "variable"):
            return self.by_node[node.number], 3
        match node.operation:
            case "+" | "-":
                return self._sum(node), 0
            case "*" | "/":
                is_negative, text = self._product(node)
                return ("−" + text, 0) if is_negative else (text, 1)
            case "constant":
                return number(node.value) + (f" {node.unit}" if node.unit else ""), 3 if node.value >= 0 else 0
            case "power":
                base, exponent = (self._tight(operand, 3) for operand in node.operands)
                return base + (_SUPERSCRIPTS.get(exponent) or f"^{exponent}"), 2
            case "variable":
                return node.name, 3
        return f"{_FUNCTION[node.operation]}({', '.join(self.phrase(o) for o in node.operands)})", 3

    def _sum(self, node: Node) -> str:
        parts = []
        for sign, part in addends(node, self.by_node):
            is_product = part.operation in ("*", "/") and part.number not in self.by_node
            is_negative, text = self._product(part) if is_product else (False, self._tight(part, 1))
            parts.append((-sign if is_negative else sign, text))
        if parts[0][0] < 0:
            parts.sort(key=lambda part: -part[0])  # what is gained before what is lost
        first = ("" if parts[0][0] > 0 else "−") + parts[0][1]
        return first + "".join((" + " if sign > 0 else " − ") + text for sign, text in parts[1:])

    def _product(self, node: Node) -> tuple[bool, str]:
        coefficient, above, below = factors(node, self.by_node)
        above = sorted(above, key=lambda part: (part.kinds != {"parameter"}, part.operation in ("+", "-")))
        said = [self._tight(part, 2) for part in above]
        if abs(coefficient) != 1 or not said:
            said.insert(0, number(abs(coefficient)))
        under = [self._tight(part, 2) for part in below]
        over = f"/{under[0]}" if len(under) == 1 else f"/({'·'.join(under)})" if under else ""
        return coefficient < 0, "·".join(said) + over

    def _tight(self, node: Node, tight: int) -> str:
        text, found = self._said(node)
        return text if found >= tight else f"({text})"


def addends(node: Node, named: Container[int]) -> list[tuple[int, Node]]:
    """A sum as (sign, part); parts that have a name are not taken apart."""
    if node.operation not in ("+", "-"):
        return [(1, node)]
    found = []
    for operand, sign in zip(node.operands, (1, -1 if node.operation == "-" else 1), strict=True):
        inner = [(1, operand)] if operand.number in named else addends(operand, named)
        found += [(sign * s, part) for s, part in inner]
    return found


def factors(node: Node, named: Container[int]) -> tuple[float, list[Node], list[Node]]:
    """A product as (number, above the bar, below the bar); factors that have a name are not taken apart."""
    if node.is_constant() and not node.unit:
        return node.value, [], []
    if node.operation not in ("*", "/"):
        return 1.0, [node], []
    left, right = (
        (1.0, [operand], []) if operand.number in named else factors(operand, named) for operand in node.operands
    )
    if node.operation == "*":
        return left[0] * right[0], left[1] + right[1], left[2] + right[2]
    return left[0] / right[0], left[1] + right[2], left[2] + right[1]


def letters(whole: Whole) -> Letters:
    """The letters of a page. A symbol that two things would share is given to the first; the other keeps its name."""
    page, graph = whole.traced.page, whole.traced.graph
    derived = {name: graph.terms[node.number] for name, node in whole.derived.items() if node.number in graph.terms}
    wanted = [
        *((state.name, state.symbol) for state in page.states),
        *((parameter.name, parameter.symbol) for parameter in page.parameters),
        *((name, derived[name].symbol if name in derived else "") for name in whole.derived),
        *((term.name, term.symbol) for number, term in sorted(graph.terms.items())),
    ]
    by_name: dict[str, str] = {}
    for name, symbol in wanted:
        letter = pretty(symbol) if symbol and symbol != name else name
        by_name.setdefault(name, letter if letter not in by_name.values() else name)
    by_node = {number: by_name[term.name] for number, term in graph.terms.items()}
    for node in graph.nodes:
        if node.operation == "variable":
            kind = next(iter(node.kinds))
            by_node[node.number] = {"time": "t", "input": "doses"}.get(kind) or by_name[node.name]
    return Letters(by_node, by_name)


def pretty(symbol: str) -> str:
    """``tauI`` is τI, ``V1`` is V₁, ``pimax4`` is πmax₄."""
    greek = _GREEK_FIRST.sub(lambda match: _GREEK[match[1]], symbol, count=1)
    return re.sub(r"(?<=[^\W\d_])\d+", lambda match: match[0].translate(_SUBSCRIPTS), greek)


def number(value: float) -> str:
    """A number in six digits, with a true minus."""
    return f"{value:.6g}".replace("-", "−")
