"""One step of Rodas4 for a traced model, as the text of a function that takes it for all lanes at once.

An L-stable Rosenbrock method of order 4 with an embedded method of order 3: six stages, one factorisation, no
iteration.
Source: [hairer1996], section IV.7, coefficients of RODAS in the transformed variables u = Σ γ_ij k_j; derivation and
the measured order in docs/theory/solver.md.
"""

from typing import Final

from sevenfold.mechanism.factorise import Factors
from sevenfold.mechanism.printing import statements
from sevenfold.mechanism.trace import Traced

__all__ = ["print_step"]

GAMMA: Final = 0.25
_A: Final = (
    (),
    (1.544,),
    (0.9466785280815826, 0.2557011698983284),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0),
)
_C: Final = (
    (),
    (-5.6688,),
    (-2.430093356833875, -0.2063599157091915),
    (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
    (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
    (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
)
_TIME: Final = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
_SLOPE: Final = (0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0)  # weights of the derivative by time


def print_step(traced: Traced, factors: Factors, known: dict[int, str], rows: dict[str, int]) -> list[str]:
    """The body of ``step`` for one lane ``l``.

    Args:
        known: names of the nodes that a step finds in the workspace (parameters' parts, infusions), by number.
        rows: first row of each part of the workspace.
    """
    n = len(traced.states)
    body = [f"y{k} = work[{rows['state'] + k} * LANES + l]  # {s.name}" for k, s in enumerate(traced.states)]
    body += [
        f"t = work[{rows['time']} * LANES + l]",
        f"h = work[{rows['step']} * LANES + l]",
        "ih = 1.0 / h",
        f"ihg = ih * {1.0 / GAMMA!r}",
    ]
    here = {**known, **_called(traced, "y", "t"), factors.inverse_step.number: "ihg"}
    lines, names = statements([*traced.rates, *factors.time_rates, *factors.entries.values()], here)
    body += lines
    slopes = {k: names[rate.number] for k, rate in enumerate(factors.time_rates) if not rate.is_constant(0)}
    body += [f"d{k} = h * {name}" for k, name in slopes.items()]
    body += [f"g{k} = {names[rate.number]}" for k, rate in enumerate(traced.rates)]
    for stage in range(6):
        if stage:
            body += _arguments(stage, n)
            there = {**known, **_called(traced, "u", f"t + {_TIME[stage]!r} * h")}
            body.append(f"ts = t + {_TIME[stage]!r} * h")
            there[traced.time.number] = "ts"
            lines, there = statements(traced.rates, there)
            body += lines
            body += [
                f"g{k} = {there[rate.number]} + ih * ({_combination(_C[stage], k)})"
                for k, rate in enumerate(traced.rates)
            ]
        if _SLOPE[stage]:
            body += [f"g{k} = g{k} + {_SLOPE[stage]!r} * d{k}" for k in slopes]
        body += _solve(factors, names, stage)
    body += [f"z{k} = u{k} + k5_{k}" for k in range(n)]
    return body + _error(traced, rows)


def _called(traced: Traced, letter: str, time: str) -> dict[int, str]:
    return {state.number: f"{letter}{k}" for k, state in enumerate(traced.states)} | {traced.time.number: time}


def _arguments(stage: int, n: int) -> list[str]:
    if stage == 5:  # the fifth stage's argument plus its increment: RODAS is stiffly accurate
        return [f"u{k} = u{k} + k4_{k}" for k in range(n)]
    return [f"u{k} = y{k} + {_combination(_A[stage], k)}" for k in range(n)]


def _combination(weights: tuple[float, ...], state: int) -> str:
    return " + ".join(f"({weight!r}) * k{j}_{state}" for j, weight in enumerate(weights))


def _solve(factors: Factors, names: dict[int, str], stage: int) -> list[str]:
    """Forward and back substitution of the stage's right-hand side g, into k<stage>."""
    entries, order = factors.entries, factors.pivots
    lines = []
    for place, k in enumerate(order):
        lines += [
            f"g{i} = g{i} - {names[entries[i, k].number]} * g{k}" for i in order[place + 1 :] if (i, k) in entries
        ]
    for place in reversed(range(len(order))):
        k = order[place]
        used = "".join(
            f" - {names[entries[k, j].number]} * k{stage}_{j}" for j in order[place + 1 :] if (k, j) in entries
        )
        lines.append(f"k{stage}_{k} = (g{k}{used}) * {names[entries[k, k].number]}")
    return lines


def _error(traced: Traced, rows: dict[str, int]) -> list[str]:
    """The mean squared error over the squared tolerance, rtol times (the state's scale + its size)."""
    lines = ["e = 0.0"]
    for k, state in enumerate(traced.page.states):
        lines.append(f"x = k5_{k} / ({state.scale!r} + max(abs(y{k}), abs(z{k})))")
        lines.append("e = e + x * x")
    n = len(traced.states)
    lines.append(f"work[{rows['error']} * LANES + l] = e / ({float(n)!r} * tolerance * tolerance)")
    lines += [f"work[{rows['next'] + k} * LANES + l] = z{k}" for k in range(n)]
    return lines
