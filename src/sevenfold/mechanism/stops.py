"""What happens to patients while they are followed, as a table of stops: a look, and then a change of one number.

Whatever doses mean (a bolus, an infusion, a reset), it comes down to this: at a time, a state or an infusion x becomes
``factor`` x + amount.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import isfinite
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.page import Page

__all__ = ["Dose", "Regimen", "Stops", "plan_stops"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LOOK, _CHANGE, _END = 0, 1, 2  # the order of what stands at one time


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """What enters a patient at a time.

    Args:
        time_day: days since the first dose (the mechanism's time 0).
        amount: in the unit of the state it enters, before the share that does not arrive.
        route: one of the page's entries.
        duration_day: of an infusion; 0 for a bolus.
    """

    time_day: float
    amount: float
    route: str
    duration_day: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.amount < np.inf and 0.0 <= self.duration_day < np.inf and np.isfinite(self.time_day)):
            raise InvalidInput(
                f"A dose needs a time, an amount and a duration that are finite and not negative, got {self}."
            )


Regimen = Sequence[Dose]


class Stops(NamedTuple):
    """Stops of many patients; patients with the same calendar share its rows.

    Args:
        first, last: (patient,) a patient's stops are ``first[i]`` to ``last[i] - 1``, in order of time.
        day: (stop,)
        row: (stop,) of the workspace: a state by its number, an infusion after the states; -1 to change nothing.
        factor: (stop,) what is there is multiplied by this before the amount is added.
        step: (stop,) the longest step with which to go on after a change.
        look: (stop,) which of the patient's looks is taken, before the change; -1 for none.
        amount_first: (patient,) where the patient's amounts begin, one a stop.
        amounts: (patients' stops,)
        seen_first: (patient,) the patient's first look among everybody's.
    """

    first: Ints
    last: Ints
    day: Floats
    row: Ints
    factor: Floats
    step: Floats
    look: Ints
    amount_first: Ints
    amounts: Floats
    seen_first: Ints


class _Stop(NamedTuple):
    day: float
    order: int
    row: int = -1
    amount: float = 0.0
    fraction: str | None = None
    step: float = np.inf
    look: int = -1


def plan_stops(
    page: Page,
    values: Mapping[str, Floats],
    start_day: Floats,
    doses: Sequence[Regimen],
    looks_day: Sequence[Sequence[float]],
    until_day: Sequence[float] | Floats,
) -> Stops:
    """The stops of patients who are dosed, looked at and brought to a day.

    Patients who share one list of doses and one list of looks (the same objects) share the work of planning too.

    Raises:
        InvalidInput: a time before the patient's own or after ``until_day`` or that is no number, looks out of order,
            or counts that do not match.
    """
    n = len(start_day)
    if not len(doses) == len(looks_day) == len(until_day) == n:
        raise InvalidInput(
            f"{n} patients came with {len(doses)} lists of doses, {len(looks_day)} of looks, {len(until_day)} ends."
        )
    lags = sorted({entry.lag for entry in page.entries if entry.lag is not None})
    lags_day = zip(*(map(float, values[name]) for name in lags), strict=True) if lags else [()] * n
    calendars: dict[tuple[int, int, float, float, tuple[float, ...]], list[int]] = {}
    for i, key in enumerate(
        zip(map(id, doses), map(id, looks_day), map(float, start_day), map(float, until_day), lags_day, strict=True)
    ):
        calendars.setdefault(key, []).append(i)
    first, last = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    amounts_of: list[tuple[NDArray[np.intp], Floats]] = []
    rows: list[_Stop] = []
    for (_, _, begin, end, lag_day), who in calendars.items():
        late = dict(zip(lags, lag_day, strict=True))
        stops = _calendar(page, who[0], begin, doses[who[0]], looks_day[who[0]], end, late)
        patients = np.array(who)
        first[patients], last[patients] = len(rows), len(rows) + len(stops)
        rows += stops
        amounts = np.tile(np.array([stop.amount for stop in stops]), (len(who), 1))
        for name in {stop.fraction for stop in stops if stop.fraction is not None}:
            which = [k for k, stop in enumerate(stops) if stop.fraction == name]
            amounts[:, which] *= values[name][patients, np.newaxis]
        amounts_of.append((patients, amounts))
    n_stops = last - first
    amount_first = np.cumsum(n_stops) - n_stops
    flat = np.zeros(int(n_stops.sum()))
    for patients, amounts in amounts_of:
        flat[amount_first[patients, np.newaxis] + np.arange(amounts.shape[1])] = amounts
    n_looks = np.fromiter(map(len, looks_day), dtype=np.int64, count=n)
    return Stops(
        first=first,
        last=last,
        day=np.array([stop.day for stop in rows]),
        row=np.array([stop.row for stop in rows], dtype=np.int64),
        factor=np.ones(len(rows)),
        step=np.array([stop.step for stop in rows]),
        look=np.array([stop.look for stop in rows], dtype=np.int64),
        amount_first=amount_first,
        amounts=flat,
        seen_first=np.cumsum(n_looks) - n_looks,
    )


def _calendar(
    page: Page,
    patient: int,
    now: float,
    doses: Regimen,
    looks_day: Sequence[float],
    until_day: float,
    lags_day: Mapping[str, float],
) -> list[_Stop]:
    """One calendar, looks before doses at the same time."""
    if not (isfinite(until_day) and all(map(isfinite, looks_day))):
        odd = next((day for day in looks_day if not isfinite(day)), until_day)
        raise InvalidInput(f"Patient {patient} is to be looked at or brought to day {odd:g}; give finite days.")
    if any(a > b for a, b in pairwise(looks_day)):
        early, late = next((a, b) for a, b in pairwise(looks_day) if a > b)
        raise InvalidInput(f"Patient {patient} is looked at on day {early:g} and then on day {late:g}; sort the looks.")
    looks = (_Stop(float(day), _LOOK, look=number) for number, day in enumerate(looks_day))
    stops = sorted(
        chain(looks, chain.from_iterable(_changes(page, dose, lags_day) for dose in doses), [_Stop(until_day, _END)]),
        key=lambda stop: stop[:2],
    )
    if stops[0].day < now or stops[-1].day > until_day:
        outside = stops[0].day if stops[0].day < now else stops[-1].day
        raise InvalidInput(
            f"Patient {patient} stands at day {now:g} and is to be brought to day {until_day:g}; "
            f"a dose or look at day {outside:g} lies outside."
        )
    return stops


def _changes(page: Page, dose: Dose, lags_day: Mapping[str, float]) -> list[_Stop]:
    """What a dose does: a bolus adds once, an infusion sets a rate and takes it away again."""
    entry = page.entry(dose.route)
    arrives = dose.time_day + (lags_day[entry.lag] if entry.lag is not None else 0.0)
    place = [state.name for state in page.states].index(entry.state)

    def change(day: float, row: int, amount: float) -> _Stop:
        return _Stop(day, _CHANGE, row, amount, fraction=entry.fraction, step=entry.first_step_day)

    if dose.duration_day == 0.0:
        return [change(arrives, place, dose.amount)]
    row = len(page.states) + list(dict.fromkeys(entry.state for entry in page.entries)).index(entry.state)
    rate = dose.amount / dose.duration_day
    return [change(arrives, row, rate), change(arrives + dose.duration_day, row, -rate)]
