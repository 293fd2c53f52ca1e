"""Which claims stand when their number is taken into account: the protocol's multiple test over its estimands.

Source: docs/theory/multiplicity.md.
"""

from collections.abc import Sequence
from typing import assert_never

from sevenfold.analysis.multiplicity import Decision, FixedSequence, Graph, Hochberg, Holm, Procedure, decide
from sevenfold.analysis.trial.estimates import Answer
from sevenfold.protocol.plan import Multiplicity

__all__ = ["decisions"]


def decisions(plan: Multiplicity | None, answers: Sequence[Answer]) -> tuple[Decision, ...]:
    """A decision on each estimand, by the p-value of its first analysis.

    An analysis without a p-value, or one that does not count under its condition, claims nothing: its p-value is 1.
    """
    if plan is None:
        return ()
    p_values = {}
    for name in plan.estimands:
        first = next(answer for answer in answers if answer.estimand == name)
        counts = first.condition is None or first.condition[1]
        p_values[name] = first.p_value if first.p_value is not None and counts else 1.0
    return decide(_procedure(plan), p_values, plan.alpha)


def _procedure(plan: Multiplicity) -> Procedure:
    match plan.procedure:
        case "fixed sequence":
            return FixedSequence()
        case "holm":
            return Holm()
        case "hochberg":
            return Hochberg()
        case "graph":
            handed = {(one.origin, one.to): one.share for one in plan.transitions}
            return Graph(
                weights=tuple(plan.weights.get(name, 0.0) for name in plan.estimands),
                transitions=tuple(
                    tuple(handed.get((origin, to), 0.0) for to in plan.estimands) for origin in plan.estimands
                ),
            )
        case _:
            assert_never(plan.procedure)
