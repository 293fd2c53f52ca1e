"""The control of the step, printed around it for all lanes at once: how long a step may be, whether it counts, and how
long the next one is.

No lane reads another, and none branches: what differs between lanes is chosen lane by lane.
Source: [hairer1996], section IV.8 (the predictive controller of Gustafsson); what it saves is in docs/theory/solver.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from sevenfold.mechanism.printing import Block

__all__ = ["Rows", "finish", "plan"]

SAFETY: Final = 0.85
SHRINK, GROW = 0.2, 5.0  # the least and the most by which a step changes
AFTER_REJECTION: Final = 0.9  # a step that is tried again is at most this much of the one that failed
STRETCH: Final = 1.1  # a step is made this much longer if it then meets its stop
SMALLEST_STEP: Final = 1e-12  # days
MOST_STEPS: Final = 200_000.0
LEAST_ERROR: Final = 1e-4  # below it, an error says nothing more about the next step


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Where in the workspace what a lane remembers stands; a row holds one number a lane.

    Args:
        states: of the model, from row 0.
        inputs: infusions, from the row after the states.
        hoisted: what was worked out from the parameters, after all others.
    """

    states: int
    inputs: int
    hoisted: int

    @property
    def time(self) -> int:
        """The lane's time; then, in this order, its next stop, the step it plans, the last step that counted, that
        one's error, the error of the step just tried, how many steps it has taken, and the length just tried.
        """
        return self.states + self.inputs

    @property
    def first_hoisted(self) -> int:
        """The first of the parameters' rows."""
        return self.time + 8

    @property
    def count(self) -> int:
        """All of them."""
        return self.first_hoisted + self.hoisted


def plan(b: Block, rows: Rows) -> tuple[str, str, str]:
    """The length of the step to try: as planned, or up to the stop, or half of the way if that makes two even steps.

    Returns:
        Time, what is left to the stop, and the length.
    """
    time, stop, planned = (b.fetch("%work", rows.time + k, b.lanes) for k in range(3))
    left = b.arithmetic("-", stop, time)
    is_near = b.compare("ole", left, b.arithmetic("*", planned, b.constant(STRETCH)))
    is_next = b.compare("ole", left, b.arithmetic("*", planned, b.constant(2.0)))
    half = b.arithmetic("*", left, b.constant(0.5))
    return time, left, b.choose(is_near, left, b.choose(is_next, half, planned))


def finish(
    b: Block, rows: Rows, time: str, left: str, h: str, before: Sequence[str], after: Sequence[str], error: str
) -> str:
    """Count the step or not, and plan the next.

    Args:
        error: the mean squared error over the squared tolerance.

    Returns:
        The comparison that holds for the lanes that want attention: at a stop, without a step, or at the last.
    """
    stop, planned, last_step, last_error = (b.fetch("%work", rows.time + k, b.lanes) for k in (1, 2, 3, 4))
    one = b.constant(1.0)
    is_accepted = b.compare("ole", error, one)  # NaN is not
    for k, (old, new) in enumerate(zip(before, after, strict=True)):
        b.keep(b.choose(is_accepted, new, old), "%work", k, b.lanes)
    arrives = b.say(f"and {b.truth} {is_accepted}, {b.compare('oge', h, left)}")
    moved = b.choose(arrives, stop, b.choose(is_accepted, b.arithmetic("+", time, h), time))
    size = _root(b, b.larger(error, b.constant(LEAST_ERROR**2)))  # the error, not squared
    factor = b.arithmetic("/", b.constant(SAFETY), _root(b, _root(b, size)))
    # Predicted from the last step that counted: h/h' (err'/err)^(1/4) beside the usual SAFETY/err^(1/4).
    trend = b.arithmetic("*", b.arithmetic("/", h, last_step), _root(b, _root(b, b.arithmetic("/", last_error, size))))
    predicted = b.arithmetic("*", factor, trend)
    factor_counted = b.choose(b.compare("ogt", last_step, b.constant(0.0)), predicted, factor)
    factor = b.choose(is_accepted, factor_counted, b.smaller(factor, b.constant(AFTER_REJECTION)))
    factor = b.larger(b.smaller(factor, b.constant(GROW)), b.constant(SHRINK))
    factor = b.choose(b.compare("ole", error, b.constant(1e30)), factor, b.constant(SHRINK))
    proposed = b.arithmetic("*", h, factor)
    is_cut = b.compare("olt", h, planned)  # short of what was planned, because of a stop: its error says little
    is_kept = b.say(f"and {b.truth} {b.say(f'and {b.truth} {is_accepted}, {is_cut}')}, {b.compare('oge', factor, one)}")
    following = b.choose(is_kept, b.larger(proposed, planned), proposed)
    remembers = b.say(f"and {b.truth} {is_accepted}, {b.say(f'xor {b.truth} {is_cut}, {_all(b)}')}")
    taken = b.arithmetic("+", b.fetch("%work", rows.time + 6, b.lanes), one)
    for k, value in (
        (0, moved),
        (2, following),
        (3, b.choose(remembers, h, last_step)),
        (4, b.choose(remembers, size, last_error)),
        (5, error),
        (6, taken),
        (7, h),
    ):
        b.keep(value, "%work", rows.time + k, b.lanes)
    is_lost = b.compare("olt", following, b.constant(SMALLEST_STEP))
    is_endless = b.compare("oge", taken, b.constant(MOST_STEPS))
    return b.say(f"or {b.truth} {arrives}, {b.say(f'or {b.truth} {is_lost}, {is_endless}')}")


def _root(b: Block, x: str) -> str:
    return b.call(f"llvm.sqrt.{b.suffix}", x)


def _all(b: Block) -> str:
    return f"<{', '.join(['i1 true'] * b.lanes)}>" if b.lanes > 1 else "true"
