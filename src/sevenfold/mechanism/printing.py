"""Nodes as Python statements: one assignment for every node that is needed and not known yet."""

from collections.abc import Iterable, Mapping
from typing import Final

from sevenfold.mechanism.expression import Node, in_order

__all__ = ["parameter_only", "statements"]

_FORM: Final = {
    "+": "{} + {}",
    "-": "{} - {}",
    "*": "{} * {}",
    "/": "{} / {}",
    "maximum": "max({}, {})",
    "minimum": "min({}, {})",
    "exp": "lane_exp({})",
    "log": "lane_log({})",
    "power": "lane_power({}, {})",
    "select": "({2} if {0} > {1} else {3})",
}


def statements(roots: Iterable[Node], names: Mapping[int, str]) -> tuple[list[str], dict[int, str]]:
    """Assignments that compute the roots.

    Args:
        names: what the nodes that are already known are called, by number.

    Returns:
        The lines, and the names extended by everything the lines assign.
    """
    lines, extended = [], dict(names)
    for node in in_order(roots, extended):
        if node.is_constant():
            extended[node.number] = f"({node.value!r})"
        else:
            extended[node.number] = f"v{node.number}"
            operands = (extended[operand.number] for operand in node.operands)
            lines.append(f"v{node.number} = {_FORM[node.operation].format(*operands)}")
    return lines, extended


def parameter_only(roots: Iterable[Node]) -> list[Node]:
    """The nodes that depend on parameters alone and that other nodes use: worked out once a patient, not once a
    step.
    """
    roots = list(roots)
    used = {
        operand.number: operand
        for node in in_order(roots)
        if node.kinds != {"parameter"}
        for operand in node.operands
        if operand.kinds == {"parameter"}
    }
    used |= {root.number: root for root in roots if root.kinds == {"parameter"}}
    return [used[number] for number in sorted(used)]
