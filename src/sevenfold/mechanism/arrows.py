"""What a model's diagram shows, read off the graph: what moves from where to where, and what acts on what.

A rate is taken apart into products. The same product with opposite signs in two rates is a flow, of matter or of cells,
perhaps with a gain (division: one leaves, two arrive). A product of parameters alone is made; one that takes from its
own state and arrives nowhere is lost. Whatever else a rate depends on is an influence.

Not every term is drawn. One is if it gathers several groups of states, or time, and hands them on to several things:
then it saves arrows. The others are passed through.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import final

from sevenfold.mechanism.dimension import dimension_of
from sevenfold.mechanism.direction import Direction, direction
from sevenfold.mechanism.expression import Node
from sevenfold.mechanism.notation import Letters, letters, number
from sevenfold.mechanism.trace import Whole

__all__ = ["Arrows", "Flow", "arrows"]

Product = tuple[tuple[int, ...], tuple[int, ...]]  # node numbers above and below the bar, sorted
_HANDED_ON = 3  # things within one group that a drawn term acts on, at least


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Matter or cells that move.

    Args:
        source, target: names of states; None is outside of the model.
        by: the rate constant in letters.
    """

    source: str | None
    target: str | None
    by: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arrows:
    """Everything between the boxes. Names are those of states and of the terms that are drawn.

    Args:
        terms: the terms that are drawn.
        drivers: those of them that change in time by themselves.
        flows: between states, into the model and out of it.
        influences: (what acts, on what) -> whether it raises or lowers it.
    """

    terms: tuple[str, ...]
    drivers: tuple[str, ...]
    flows: tuple[Flow, ...]
    influences: Mapping[tuple[str, str], Direction]


def arrows(whole: Whole) -> Arrows:
    """What the diagram of a traced page shows."""
    called, page = letters(whole), whole.traced.page
    products = {
        state.name: _products(_bare(rate), whole) for state, rate in zip(page.states, whole.traced.rates, strict=True)
    }
    flows, moved = _flows(products, whole, called)
    acting = {
        name: {key: moved.get((name, key), frozenset()) | {name} for _, key in found}
        for name, found in products.items()
    }
    drawn = _drawn(acting, whole)
    roots = {
        **{state.name: _bare(rate) for state, rate in zip(page.states, whole.traced.rates, strict=True)},
        **{
            term.name: whole.traced.graph.nodes[n] for n, term in whole.traced.graph.terms.items() if term.name in drawn
        },
    }
    influences = {
        (source, target): direction(source, roots[target], drawn, whole)
        for target in (*acting, *drawn)
        for source in sorted(_acting_on(target, acting, drawn, whole) - {"time"})
    }
    return Arrows(
        terms=tuple(drawn),
        drivers=tuple(name for name in drawn if _sources(_inside(whole, name), drawn, whole) == {"time"}),
        flows=flows,
        influences={pair: _balanced(pair, influences, drawn) for pair in influences},
    )


def _balanced(pair: tuple[str, str], influences: Mapping[tuple[str, str], Direction], drawn: list[str]) -> Direction:
    """The direction of an influence; none where the same source does the opposite through a drawn term (more cells
    carry more receptor in all, and share it among more).
    """
    source, target = pair
    around = [influences.get((source, term), 0) * influences.get((term, target), 0) for term in drawn]
    return Direction.EITHER if any(way * influences[pair] < 0 for way in around) else influences[pair]


def _flows(
    products: dict[str, list[tuple[float, Product]]], whole: Whole, called: Letters
) -> tuple[tuple[Flow, ...], dict[tuple[str, Product], frozenset[str]]]:
    """The flows, and for each product of a rate the states whose presence in it a flow explains."""
    gains = {(name, key): size for name, found in products.items() for size, key in found if size > 0}
    losses = {(name, key): size for name, found in products.items() for size, key in found if size < 0}
    flows: list[Flow] = []
    moved: dict[tuple[str, Product], frozenset[str]] = {}
    matter = {s.name for s in whole.traced.page.states if not dimension_of(s.unit).is_number}
    for (source, key), lost in losses.items():
        if source not in _sources((*key[0], *key[1]), (), whole):
            continue  # less is made, but nothing leaves
        targets = [(target, gain) for (target, same), gain in gains.items() if same == key and target != source]
        for target, gain in targets:
            flows.append(Flow(source=source, target=target, by=_constant(key, gain / -lost, source, whole, called)))
            moved[target, key] = moved.get((target, key), frozenset()) | {source}
        if not targets and source in matter:
            flows.append(Flow(source=source, target=None, by=_constant(key, 1.0, source, whole, called)))
    for (target, key), gain in gains.items():
        is_made = target not in _sources((*key[0], *key[1]), (), whole)
        if (target, key) not in moved and is_made and target in matter:
            flows.append(Flow(source=None, target=target, by=_constant(key, gain, "", whole, called)))
    return tuple(flows), moved


def _constant(key: Product, gain: float, source: str, whole: Whole, called: Letters) -> str:
    nodes = whole.traced.graph.nodes
    factors = [nodes[n] for n in key[0] if not (nodes[n].operation == "variable" and nodes[n].name == source)]
    above = [called.phrase(node) for node in sorted(factors, key=lambda node: node.kinds != {"parameter"})]
    below = [called.phrase(nodes[n]) for n in key[1]]
    above = ([number(gain)] if gain != 1.0 else []) + above
    return ("·".join(above) or "1") + "".join(f"/{part}" for part in below)


def _bare(rate: Node) -> Node:
    return rate.operands[0] if rate.operation == "+" and "input" in rate.operands[1].kinds else rate


def _products(node: Node, whole: Whole) -> list[tuple[float, Product]]:
    """A rate as a sum of products; equal ones are added up, those that cancel are gone."""
    found: dict[Product, float] = {}
    for size, above, below in _expanded(node, whole, is_top=True):
        up, down = list(above), list(below)
        for n in below:
            if n in up:
                up.remove(n)
                down.remove(n)
        key = (tuple(sorted(up)), tuple(sorted(down)))
        found[key] = found.get(key, 0.0) + size
    return [(size, key) for key, size in found.items() if size != 0.0]


def _expanded(
    node: Node, whole: Whole, *, is_top: bool = False
) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    if node.is_constant():
        return [(node.value, (), ())]
    if node.number in whole.traced.graph.terms and not is_top:
        return [(1.0, (node.number,), ())]
    match node.operation:
        case "+" | "-":
            left, right = (_expanded(operand, whole) for operand in node.operands)
            sign = 1.0 if node.operation == "+" else -1.0
            return left + [(sign * size, above, below) for size, above, below in right]
        case "*":
            left, right = (_expanded(operand, whole) for operand in node.operands)
            return [(a * b, up + more, down + less) for (a, up, down), (b, more, less) in product(left, right)]
        case "/":
            left, right = (_expanded(operand, whole) for operand in node.operands)
            if len(right) > 1 or right[0][0] == 0.0:
                right = [(1.0, (node.operands[1].number,), ())]
            size, above, below = right[0]
            return [(a / size, up + below, down + above) for a, up, down in left]
    return [(1.0, (node.number,), ())]


Acting = dict[str, dict[Product, frozenset[str]]]
"""For every rate its products, and the states in them that need no arrow: its own, and those that a flow brings."""


def _acting_on(target: str, acting: Acting, drawn: Iterable[str], whole: Whole) -> set[str]:
    """What acts on a state or on a drawn term."""
    if target not in acting:
        return _sources(_inside(whole, target), drawn, whole)
    return set[str]().union(
        *(_sources((*key[0], *key[1]), drawn, whole) - explained for key, explained in acting[target].items())
    )


def _inside(whole: Whole, term: str) -> set[int]:
    number = next(n for n, known in whole.traced.graph.terms.items() if known.name == term)
    return {operand.number for operand in whole.traced.graph.nodes[number].operands}


def _sources(numbers: Iterable[int], drawn: Iterable[str], whole: Whole) -> set[str]:
    """States, drawn terms and ``time`` that nodes go back to."""
    graph, stops = whole.traced.graph, set(drawn)
    found: set[str] = set()
    pending, seen = list(numbers), set[int]()
    while pending:
        node = graph.nodes[pending.pop()]
        if node.number in seen:
            continue
        seen.add(node.number)
        term = graph.terms.get(node.number)
        if term is not None and term.name in stops:
            found.add(term.name)
        elif node.operation == "variable" and node.kinds & {"state", "time"}:
            found.add(node.name if "state" in node.kinds else "time")
        else:
            pending.extend(operand.number for operand in node.operands)
    return found


def _drawn(acting: Acting, whole: Whole) -> list[str]:
    """The terms worth a place of their own, in the order of the page; chosen from the rates backwards."""
    terms, group = whole.traced.graph.terms, {s.name: s.group or s.name for s in whole.traced.page.states}
    drawn: list[str] = []
    for _, term in sorted(terms.items(), reverse=True):
        names = [*drawn, term.name]
        users = [name for name in (*acting, *drawn) if term.name in _acting_on(name, acting, names, whole)]
        sources = _sources(_inside(whole, term.name), drawn, whole)
        gathers = len({group.get(source, source) for source in sources}) > 1
        hands_on = len(users) >= _HANDED_ON or len({group.get(user, user) for user in users}) > 1
        if users and (sources == {"time"} or (gathers and hands_on)):
            drawn.append(term.name)
    for name in tuple(drawn):  # one that only passes another on is not needed beside it
        sources = _sources(_inside(whole, name), [other for other in drawn if other != name], whole)
        if len(sources) == 1 and sources <= set(drawn):
            drawn.remove(name)
    return drawn[::-1]
