"""Where a patient stands when a dose has been repeated for ever: the state that one interval brings back to itself.

With P the state after an interval as a function of the state before it, x = P(x) is solved by Newton's method; P is the
compiled solver, its derivatives are differences. Nothing supposes that the model is linear. Derivation, criterion and
what is done where the lag is longer than the interval: docs/theory/steady-state.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.page import Named, Page
from sevenfold.mechanism.records.arrival import Arrival
from sevenfold.mechanism.records.before_arrival import before_arrival
from sevenfold.mechanism.records.cycle import follow_cycle, period_day
from sevenfold.mechanism.solve import Patients
from sevenfold.mechanism.trace import trace

__all__ = ["SteadyStates", "SteadyStatus", "refuse_unsteady", "steady_states"]

Floats = NDArray[np.float64]
_TOLERANCE: Final = 1e-9  # of one interval; many intervals add up
_CLOSE: Final = 1e-6  # the last correction, against the largest amount of the interval
_DIFFERENCE: Final = 1e-4  # of that amount: between the two errors of a difference, the solver's and the curve's
_MOST_ROUNDS: Final = 40
_MOST_DOSES: Final = 1e4  # an error of one interval is at most so much larger in the steady state
_STATIONS: Final = (1 / 64, 1 / 8, 1 / 2, 1.0)  # of the interval, where amounts are looked at


class SteadyStatus(IntEnum):
    """How the search for a steady state ended."""

    REACHED = 0
    EXTRAPOLATED = 1  # reached, but the lag is longer than the interval: followed backwards from the dose
    NOT_REACHED = 2  # there is none, or none that a few thousand doses come near
    NOT_FINITE = 3  # an interval, or the way backwards, could not be integrated


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyStates:
    """What was found for each dose.

    Args:
        states: (dose, state) at the record's time, before the record's own dose; NaN where there is none.
        status: (dose,)
        rounds: (dose,) how many times the interval and its derivatives were computed.
    """

    states: Floats
    status: tuple[SteadyStatus, ...]
    rounds: NDArray[np.int64]


class _Point(NamedTuple):
    """Where a search stands."""

    at: Floats  # (dose, state)
    size: Floats  # (dose, state) the largest amount of an interval, for what is small beside it


def refuse_unsteady(page: Page, *, is_added: bool) -> None:
    """Raise for a model that has no steady state, or none that can be added to what is there.

    Raises:
        InvalidInput: the rates change with time; or amounts rest at something other than 0, so that their sum would
            count it twice.
    """
    if any("time" in rate.kinds for rate in trace(page).rates):
        raise InvalidInput(
            f"The rates of {page.name!r} change with time, so that no dose has a steady state; "
            "give the doses one by one (addl) instead of ss."
        )
    values = page.values({})
    zero = Named(**{state.name: np.float64(0.0) for state in page.states})
    with np.errstate(all="ignore"):
        resting = [*page.start(values).values(), *page.rates(0.0, zero, values).values()]
    if is_added and any(not np.all(np.asarray(value) == 0.0) for value in resting):
        raise InvalidInput(
            f"ss 2 adds a steady state to what is there, but {page.name!r} is not empty at rest, and its resting "
            "amounts would count twice; use ss 1, or give the doses one by one (addl)."
        )


def steady_states(patients: Patients, doses: Sequence[Arrival]) -> SteadyStates:
    """The state at the record's time of patients in whom a dose was repeated for ever.

    Args:
        patients: one a dose; the search begins where they stand.
    """
    n, m = patients.states.shape
    found, status = np.full((n, m), np.nan), np.full(n, SteadyStatus.NOT_REACHED)
    rounds = np.zeros(n, dtype=np.int64)
    point = _begin(patients, doses)
    searching = np.arange(n)
    for _ in range(_MOST_ROUNDS):
        some = _some(doses, searching)
        result, jacobian = _interval_and_derivatives(patients.take(searching), some, point)
        rounds[searching] += 1
        step, is_trusted = _newton(result - point.at, jacobian, point.size)
        is_lost = ~np.isfinite(result).all(axis=1)
        is_close = is_trusted & (np.max(np.abs(step) / point.size, axis=1, initial=0.0) < _CLOSE)
        found[searching[is_close]] = (point.at + step)[is_close]
        status[searching[is_close]] = SteadyStatus.REACHED
        status[searching[is_lost]] = SteadyStatus.NOT_FINITE
        goes_on = ~(is_close | is_lost)
        if not goes_on.any():
            break
        following = np.where(is_trusted[:, np.newaxis], _kept_positive(point.at, step), result)[goes_on]
        point = _Point(following, np.maximum(point.size[goes_on], np.abs(following)))
        searching = searching[goes_on]
    reached = np.flatnonzero(status == SteadyStatus.REACHED)
    some = _some(doses, reached)
    at_record = before_arrival(replace(patients.take(reached), states=found[reached]), some, _TOLERANCE)
    found[reached] = at_record
    is_beyond = np.array([not dose.is_constant and dose.lag_day > dose.interval_day for dose in some], dtype=bool)
    status[reached[is_beyond]] = SteadyStatus.EXTRAPOLATED
    status[reached[~np.isfinite(at_record).all(axis=1)]] = SteadyStatus.NOT_FINITE
    return SteadyStates(states=found, status=tuple(SteadyStatus(int(code)) for code in status), rounds=rounds)


def _begin(patients: Patients, doses: Sequence[Arrival]) -> _Point:
    """Two intervals from where patients stand, and how large each amount becomes in the second."""
    scale = np.array([state.scale for state in patients.page.states])
    periods = [period_day(dose) for dose in doses]
    first = follow_cycle(patients, doses, periods, _TOLERANCE)
    second = replace(patients, states=first)
    largest = np.abs(first) + scale
    at = first
    for share in _STATIONS:
        at = follow_cycle(second, doses, [share * period for period in periods], _TOLERANCE)
        largest = np.maximum(largest, np.abs(at) + scale)
    for k, dose in enumerate(doses):
        largest[k, dose.place] += dose.amount
    return _Point(at, largest)


def _interval_and_derivatives(
    patients: Patients, doses: Sequence[Arrival], point: _Point
) -> tuple[Floats, NDArray[np.float64]]:
    """P(x), and dP/dx in units of the sizes of the states, by forward differences: all in one batch of patients."""
    n, m = point.at.shape
    moved = point.at[:, np.newaxis, :] + np.concatenate([np.zeros((1, m)), np.eye(m)]) * (
        _DIFFERENCE * point.size[:, np.newaxis, :]
    )
    everyone = np.repeat(np.arange(n), m + 1)
    batch = replace(patients.take(everyone), states=moved.reshape(-1, m))
    many = _some(doses, everyone)
    after = follow_cycle(batch, many, [period_day(dose) for dose in many], _TOLERANCE).reshape(n, m + 1, m)
    slopes = (after[:, 1:, :] - after[:, :1, :]) / (_DIFFERENCE * point.size[:, np.newaxis, :])
    return after[:, 0, :], np.swapaxes(slopes, 1, 2)


def _newton(residual: Floats, jacobian: Floats, size: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The correction (I - dP/dx)⁻¹ (P(x) - x), and whether it can be trusted.

    It can't where an error of one interval would come back more than ten thousandfold: amounts that hardly fall
    between doses, or a drug that comes in faster than it can leave.
    """
    m = residual.shape[1]
    step, is_trusted = np.full_like(residual, np.nan), np.zeros(len(residual), dtype=bool)
    for k in range(len(residual)):
        matrix = np.eye(m) - jacobian[k]
        if not np.isfinite(matrix).all():
            continue
        try:
            inverse = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            continue
        step[k] = size[k] * (inverse @ (residual[k] / size[k]))
        is_trusted[k] = np.max(np.abs(inverse).sum(axis=1)) < _MOST_DOSES
    return step, is_trusted


def _kept_positive(at: Floats, step: Floats) -> Floats:
    """The corrected state; what was positive keeps a tenth of itself."""
    return np.where(at >= 0.0, np.maximum(at + step, 0.1 * at), at + step)


def _some(doses: Sequence[Arrival], which: NDArray[np.int64]) -> list[Arrival]:
    return [doses[k] for k in which.tolist()]
