"""A step, printed for all lanes at once: the first stage in one piece with the factors, every other stage by a call of
one function, and sums over stages in loops over the states.

Written out, six stages of the IL-7 model are 9,000 instructions. A processor keeps some thousands decoded and decodes
what lies beyond at one or two a cycle, so the shorter text is the quicker one although it stores and loads more
(docs/theory/solver.md).
"""

from collections.abc import Sequence
from math import inf
from typing import Final

from sevenfold.mechanism.control import Rows, finish, plan
from sevenfold.mechanism.expression import Node
from sevenfold.mechanism.printing import Block
from sevenfold.mechanism.rosenbrock import Method, Stage, Step
from sevenfold.mechanism.trace import Traced

__all__ = ["fetched", "n_scratch", "print_step"]

_TOGETHER: Final = 4  # states that share a division in the norm of the error
_LARGEST: Final = 1e300  # of the product of their squared sizes: beyond, it is about to overflow


class _Scratch:
    """Where a step writes down what stages hand to each other, in rows of the workspace.

    Attributes:
        argument, added: a row a state; what the next stage is given.
        moment: the time it is given.
        increments: a block of rows a stage.
        factors: a row an entry.
    """

    def __init__(self, rows: Rows, n_stages: int) -> None:
        n = rows.states
        self.argument = rows.first_scratch
        self.added = self.argument + n
        self.increments = [self.added + n * (1 + stage) for stage in range(n_stages)]
        self.moment = self.increments[-1] + n
        self.factors = self.moment + 1


def n_scratch(step: Step, method: Method) -> int:
    """How many rows a step wants for itself."""
    return len(step.first) * (2 + len(method.a)) + 1 + len(step.factors.entries)


def print_step(
    lanes: int, traced: Traced, method: Method, step: Step, stage: Stage, hoisted: list[Node], rows: Rows
) -> str:
    """``step``, which counts the step or not, and the ``stage`` that it calls."""
    scratch = _Scratch(rows, len(method.a))
    b, n = Block(lanes), rows.states
    b.point("work", "at")
    time, left, h = plan(b, rows)
    known = fetched(b, traced, hoisted, rows) | {traced.time.number: time, step.h.number: h}
    names = b.compute([step.inverse, *step.slopes, *step.factors.entries.values(), *step.first], known)
    for k, node in enumerate(step.factors.entries.values()):
        b.keep(names[node.number], "%work", scratch.factors + k, lanes)
    for k, node in enumerate(step.first):
        b.keep(names[node.number], "%work", scratch.increments[0] + k, lanes)
    slopes = {k: names[node.number] for k, node in enumerate(step.slopes) if not node.is_constant(0)}
    standing: tuple[float, ...] = ()  # the weights of the argument that stands in its rows
    for number in range(1, len(method.a)):
        _combine(b, scratch, n, standing, method.a[number], (method.c[number], names[step.inverse.number]))
        standing = method.a[number]
        for k, slope in slopes.items() if method.slope[number] else ():
            share = b.arithmetic("*", slope, b.constant(method.slope[number]))
            b.keep(
                b.arithmetic("+", share, b.fetch("%work", scratch.added + k, lanes)), "%work", scratch.added + k, lanes
            )
        moment = b.arithmetic("+", b.arithmetic("*", h, b.constant(method.time[number])), time)
        b.keep(moment, "%work", scratch.moment, lanes)
        to = b.say(f"getelementptr inbounds double, ptr %work, i64 {scratch.increments[number] * lanes}")
        b.lines.append(f"call void @stage(ptr %work, ptr {to})")
    _combine(b, scratch, n, standing, method.m, (method.e, b.constant(1.0)))
    before, after, wrong = (
        [b.fetch("%work", first + k, lanes) for k in range(n)] for first in (0, scratch.argument, scratch.added)
    )
    attention = finish(b, rows, time, left, h, before, after, _mean_square(b, traced, before, after, wrong))
    mask = b.say(f"bitcast {b.truth} {attention} to i{lanes}")
    answer = f"ret i32 {b.say(f'zext i{lanes} {mask} to i32')}"
    head = f"i32 @step(i64 %at, double %tolerance) alignstack({8 * lanes})"  # spilled vectors cross no cache line
    return _print_stage(lanes, traced, stage, hoisted, rows, scratch) + b.function(head, answer)


def fetched(b: Block, traced: Traced, hoisted: list[Node], rows: Rows, stride: int | None = None) -> dict[int, str]:
    """States, infusions and parameters' parts from the workspace, by the node they are.

    Args:
        stride: lanes of the workspace, if the block has fewer.
    """
    nodes = [*enumerate([*traced.states, *traced.inputs.values()])]
    nodes += [(rows.first_hoisted + k, node) for k, node in enumerate(hoisted)]
    return {node.number: b.fetch("%work", row, stride or b.lanes) for row, node in nodes}


def _print_stage(lanes: int, traced: Traced, stage: Stage, hoisted: list[Node], rows: Rows, scratch: _Scratch) -> str:
    """``stage``: the increments of a stage, to where it is told, from what stands in the workspace."""
    b, n = Block(lanes), rows.states
    known = fetched(b, traced, hoisted, rows)
    for first, nodes in (
        (scratch.argument, stage.argument),
        (scratch.added, stage.added),
        (scratch.moment, (stage.moment,)),
        (scratch.factors, tuple(stage.factors.values())),
    ):
        known |= {node.number: b.fetch("%work", first + k, lanes) for k, node in enumerate(nodes)}
    names = b.compute(stage.increments, known)
    for k in range(n):
        b.keep(names[stage.increments[k].number], "%to", k, lanes)
    return b.function(f"internal void @stage(ptr noalias %work, ptr noalias %to) noinline alignstack({8 * lanes})")


def _combine(
    b: Block,
    scratch: _Scratch,
    n: int,
    standing: tuple[float, ...],
    weights: tuple[float, ...],
    added: tuple[tuple[float, ...], str],
) -> None:
    """The argument of the next stage, and what earlier stages add to its rates, for every state.

    Args:
        standing: the weights of the argument before; what it already added is not added again.
        weights: of the increments in the argument.
        added: of the increments in what is added, and a factor for their sum.
    """
    is_longer = bool(standing) and weights[: len(standing)] == standing
    rest = (*(0.0 for _ in standing), *weights[len(standing) :]) if is_longer else weights

    def for_state(here: str) -> None:
        count = max(len(weights), len(added[0]))
        increments = [b.fetch(here, first, b.lanes) for first in scratch.increments[:count]]
        start = b.fetch(here, scratch.argument if is_longer else 0, b.lanes)
        b.keep(_weighted(b, rest, increments, start), here, scratch.argument, b.lanes)
        b.keep(b.arithmetic("*", _weighted(b, added[0], increments), added[1]), here, scratch.added, b.lanes)

    b.for_rows(n, "%work", for_state)


def _weighted(b: Block, weights: Sequence[float], of: Sequence[str], start: str | None = None) -> str:
    total = start
    for weight, value in zip(weights, of, strict=False):
        if weight != 0.0:
            term = value if weight == 1.0 else b.arithmetic("*", value, b.constant(weight))
            total = term if total is None else b.arithmetic("+", term, total)
    return total or b.constant(0.0)


def _mean_square(b: Block, traced: Traced, before: list[str], after: list[str], error: list[str]) -> str:
    """The mean over the states of (error / (scale + size))², or over the few that err most, a quarter of theirs if that
    is more; over the squared tolerance.

    With the mean alone, one of sixteen states may err by four times the tolerance where the others do not. Where the
    squares overflow (states of 10^38 and more), nothing is known of the error: it is infinite, no step counts, and the
    patient ends with a status.
    """
    shares: list[tuple[str, str]] = []  # squared error and squared size
    for state, old, new, e in zip(traced.page.states, before, after, error, strict=True):
        size = b.arithmetic("+", b.larger(b.absolute(old), b.absolute(new)), b.constant(state.scale))
        shares.append((b.arithmetic("*", e, e), b.arithmetic("*", size, size)))
    total = most = b.constant(0.0)
    for k in range(0, len(shares), _TOGETHER):
        above, below = shares[k]
        for e, size in shares[k + 1 : k + _TOGETHER]:  # a/s + b/t = (a t + b s)/(s t)
            above = b.arithmetic("+", b.arithmetic("*", above, size), b.arithmetic("*", e, below))
            below = b.arithmetic("*", below, size)
        is_known = b.compare("ole", below, b.constant(_LARGEST))
        few = b.choose(is_known, b.arithmetic("/", above, below), b.constant(inf))
        total, most = b.arithmetic("+", total, few), b.larger(few, most)
    each = b.say(f"insertelement {b.number} poison, double %tolerance, i32 0")
    tolerance = b.say(f"shufflevector {b.number} {each}, {b.number} poison, <{b.lanes} x i32> zeroinitializer")
    mean = b.arithmetic("*", total, b.constant(1.0 / len(error)))
    squared = b.larger(b.arithmetic("*", most, b.constant(1.0 / _TOGETHER)), mean)
    return b.arithmetic("/", squared, b.arithmetic("*", tolerance, tolerance))
