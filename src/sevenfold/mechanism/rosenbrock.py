"""One step of a Rosenbrock method for a traced model, as nodes of the model's own graph.

Rodas4 is L-stable, of order 4 with an embedded method of order 3: six stages, one factorisation, no iteration. Written
as nodes, what two stages share (the same time, the same parameters' part) is computed once. Coefficients with four
stages (GRK4T, ROS4) and of order 3 (RODAS3) were tried: a step costs two thirds, but twice the steps are needed.
Source: [hairer1996], section IV.7, coefficients of RODAS in the transformed variables u = Σ γ_ij k_j; derivation and
the measured order in docs/theory/solver.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from sevenfold.mechanism.expression import Node, substitute
from sevenfold.mechanism.factorise import Factors, factorise
from sevenfold.mechanism.trace import Traced

__all__ = ["RODAS4", "Method", "Step", "take_step"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """Coefficients of a Rosenbrock method in the transformed variables.

    Args:
        gamma: of the matrix I/(γh) - J.
        a: [stage][earlier stage], of the argument at which the rates are taken.
        c: [stage][earlier stage], divided by h in the right-hand side.
        m: of the state after the step.
        e: of its estimated error.
        time: where in the step the rates are taken.
        slope: of the rates' derivative by time.
    """

    gamma: float
    a: tuple[tuple[float, ...], ...]
    c: tuple[tuple[float, ...], ...]
    m: tuple[float, ...]
    e: tuple[float, ...]
    time: tuple[float, ...]
    slope: tuple[float, ...]


_LAST = (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950)
RODAS4: Final = Method(
    gamma=0.25,
    a=(
        (),
        (1.544,),
        (0.9466785280815826, 0.2557011698983284),
        (3.314825187068521, 2.896124015972201, 0.9986419139977817),
        _LAST,
        (*_LAST, 1.0),
    ),
    c=(
        (),
        (-5.6688,),
        (-2.430093356833875, -0.2063599157091915),
        (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
        (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
        (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
    ),
    m=(*_LAST, 1.0, 1.0),
    e=(0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    time=(0.0, 0.386, 0.21, 0.63, 1.0, 1.0),
    slope=(0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0),
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step from time t to t + h.

    Args:
        h: the variable of its length.
        after: the states at its end.
        error: the estimated error of each.
        factors: of the matrix that it solves with.
    """

    h: Node
    after: tuple[Node, ...]
    error: tuple[Node, ...]
    factors: Factors


def take_step(traced: Traced, method: Method = RODAS4) -> Step:
    """The nodes of a step from the traced model's time and states."""
    h = traced.graph.variable("step", "h")
    inverse = 1.0 / h
    factors = factorise(traced, inverse * (1.0 / method.gamma))
    by_time = [h * rate for rate in factors.time_rates]
    start, increments = list(traced.states), list[list[Node]]()  # increments: [stage][state]
    arguments: dict[tuple[float, ...], list[Node]] = {(): start}
    for stage, weights in enumerate(method.a):
        argument = _argument(arguments, weights, increments)
        moment = traced.time + method.time[stage] * h
        rates = (
            list(traced.rates) if argument is start and moment is traced.time else _rates_at(traced, argument, moment)
        )
        if stage:
            scaled = [weight * inverse for weight in method.c[stage]]
            rates = [rate + _weighted(scaled, increments, k) for k, rate in enumerate(rates)]
        right = [rate + method.slope[stage] * by_time[k] for k, rate in enumerate(rates)]
        increments.append(_solve(factors, right))
    after = _argument(arguments, method.m, increments)
    error = [_weighted(method.e, increments, k) for k in range(len(start))]
    return Step(h=h, after=tuple(after), error=tuple(error), factors=factors)


def _argument(
    known: dict[tuple[float, ...], list[Node]], weights: tuple[float, ...], increments: list[list[Node]]
) -> list[Node]:
    """The start plus weighted increments; what an earlier argument already added is not added again."""
    if weights not in known:
        shared = max((w for w in known if weights[: len(w)] == w), key=len)
        rest = (*(0.0 for _ in shared), *weights[len(shared) :])
        known[weights] = [u + _weighted(rest, increments, k) for k, u in enumerate(known[shared])]
    return known[weights]


def _rates_at(traced: Traced, states: Sequence[Node], time: Node) -> list[Node]:
    here = {node.number: there for node, there in zip(traced.states, states, strict=True)}
    return substitute(traced.rates, {**here, traced.time.number: time})


def _weighted(weights: Sequence[Node | float], increments: list[list[Node]], state: int) -> Node:
    first, *rest = (weight * increments[j][state] for j, weight in enumerate(weights) if weight != 0.0)
    for term in rest:
        first = first + term
    return first


def _solve(factors: Factors, right: list[Node]) -> list[Node]:
    """Forward and back substitution."""
    entries, order, g = factors.entries, factors.pivots, list(right)
    for place, k in enumerate(order):
        for i in order[place + 1 :]:
            if (i, k) in entries:
                g[i] = g[i] - entries[i, k] * g[k]
    for place in reversed(range(len(order))):
        k = order[place]
        for j in order[place + 1 :]:
            if (k, j) in entries:
                g[k] = g[k] - entries[k, j] * g[j]
        g[k] = g[k] * entries[k, k]
    return g
