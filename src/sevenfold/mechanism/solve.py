"""The door to the solver: patients, their doses and the times at which they are looked at, in; what is seen, out.

Error-controlled Rodas4, a step size for every patient, every stop met exactly; a look at the time of a dose sees the
moment before it. Patients are independent to the last bit: neither neighbours, nor batches, nor threads change a digit.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.kernel import compiled
from sevenfold.mechanism.page import Named, Page

__all__ = ["TOLERANCE", "Dose", "Patients", "SolverStatus", "Trajectories", "advance", "begin"]

Floats = NDArray[np.float64]
TOLERANCE: Final = 2e-5  # keeps every output within 1e-4 of a tight solution (docs/theory/solver.md)
_CHUNK: Final = 512  # patients a thread takes at a time


class SolverStatus(IntEnum):
    """How a patient's integration ended; the numbers are the kernel's."""

    OK = 0
    STEP_VANISHED = 1
    TOO_MANY_STEPS = 2


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
        if not (self.amount >= 0.0 and self.duration_day >= 0.0 and np.isfinite(self.time_day)):
            raise InvalidInput(f"A dose needs a time, an amount and a duration that are not negative, got {self}.")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Patients:
    """Virtual patients at a moment: what they are and where they stand. Arrays are in the page's order.

    Args:
        page: the model.
        values: parameters and what is derived from them, by name; one element a patient.
        time_day: (patient,)
        states: (patient, state)
        inputs: (patient, infusible state), infusions that are running.
        steps: (patient,) the step that the solver would take next.
    """

    page: Page
    values: dict[str, Floats]
    time_day: Floats
    states: Floats
    inputs: Floats
    steps: Floats

    def __len__(self) -> int:
        return len(self.time_day)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectories:
    """What was seen, and the patients as they are afterwards.

    Args:
        seen: output name -> one array a patient, in the order of the times asked for.
        status: (patient,) how the integration ended; where it is not OK, what lies after is NaN.
        n_steps: (patient,) steps taken, rejected ones included.
    """

    patients: Patients
    seen: dict[str, list[Floats]]
    status: tuple[SolverStatus, ...]
    n_steps: NDArray[np.int64]


def begin(page: Page, parameters: Mapping[str, Floats | float], n: int = 1) -> Patients:
    """``n`` patients at time 0, with parameters that differ from the typical patient's where given."""
    values = vars(page.values({name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}))
    spread = {name: np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)).copy() for name, value in values.items()}
    state = page.start(Named(**spread))
    return Patients(
        page=page,
        values=spread,
        time_day=np.zeros(n),
        states=np.stack([np.broadcast_to(state[s.name], (n,)) for s in page.states], axis=1).astype(np.float64),
        inputs=np.zeros((n, len(compiled(page).printed.inputs))),
        steps=np.zeros(n),
    )


def advance(
    patients: Patients,
    doses: Sequence[Sequence[Dose]],
    looks_day: Sequence[Sequence[float]],
    until_day: Sequence[float] | Floats,
    *,
    tolerance: float = TOLERANCE,
    threads: int = 1,
) -> Trajectories:
    """Bring patients from where they stand to ``until_day``.

    Args:
        doses: a patient's doses, none before the patient's time.
        looks_day: a patient's times at which outputs are wanted, none before the patient's time, ascending.
        until_day: (patient,)
        tolerance: relative; absolute tolerances are this times the scales of the page's states.
        threads: patients are shared out between them; the answer does not depend on it.

    Raises:
        InvalidInput: a time before the patient's own, or counts that do not match.
    """
    kernel, n = compiled(patients.page), len(patients)
    if not len(doses) == len(looks_day) == len(until_day) == n:
        raise InvalidInput(
            f"{n} patients came with {len(doses)} lists of doses, {len(looks_day)} of looks, {len(until_day)} ends."
        )
    stops = [_stops(patients, i, doses[i], looks_day[i], float(until_day[i])) for i in range(n)]
    offsets = np.concatenate([[0], np.cumsum([len(stop) for stop in stops])]).astype(np.int64)
    flat = np.array([row for stop in stops for row in stop], dtype=np.float64).reshape(-1, 5)
    n_looks = [len(looks) for looks in looks_day]
    rows = flat[:, 4].astype(np.int64)
    first_row = np.repeat(np.concatenate([[0], np.cumsum(n_looks)])[:-1], np.diff(offsets))
    outputs = np.full((sum(n_looks), len(patients.page.outputs)), np.nan)
    states, inputs, steps = patients.states.copy(), patients.inputs.copy(), patients.steps.copy()
    status, n_steps = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    parameters = np.stack([patients.values[name] for name in kernel.printed.parameters])

    def run(first: int) -> None:
        kernel.advance(
            first, min(first + _CHUNK, n), tolerance, parameters, patients.time_day, offsets,
            np.ascontiguousarray(flat[:, 0]), flat[:, 1].astype(np.int64), np.ascontiguousarray(flat[:, 2]),
            np.ascontiguousarray(flat[:, 3]), np.where(rows >= 0, rows + first_row, -1),
            states, inputs, steps, outputs, status, n_steps,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(0, n, _CHUNK)))
    cuts = np.cumsum(n_looks)[:-1]
    return Trajectories(
        patients=Patients(
            page=patients.page,
            values=patients.values,
            time_day=np.asarray(until_day, dtype=np.float64).copy(),
            states=states,
            inputs=inputs,
            steps=steps,
        ),
        seen={output.name: np.split(outputs[:, k], cuts) for k, output in enumerate(patients.page.outputs)},
        status=tuple(SolverStatus(int(code)) for code in status),
        n_steps=n_steps,
    )


def _stops(
    patients: Patients, i: int, doses: Sequence[Dose], looks_day: Sequence[float], until_day: float
) -> list[tuple[float, float, float, float, float]]:
    """One patient's stops as (day, row, amount, first step, look), looks before doses at the same time."""
    page, places = patients.page, compiled(patients.page).printed.rows
    now = float(patients.time_day[i])
    stops: list[tuple[float, int, float, float, float, float]] = []
    for number, look in enumerate(looks_day):
        stops.append((float(look), 0, -1.0, 0.0, 0.0, float(number)))
    for dose in doses:
        entry = page.entry(dose.route)
        share = 1.0 if entry.fraction is None else float(patients.values[entry.fraction][i])
        row = float(places["dose", entry.state])
        if dose.duration_day > 0.0:
            rate, row = dose.amount * share / dose.duration_day, float(places["infusion", entry.state])
            stops.append((dose.time_day, 1, row, rate, entry.first_step_day, -1.0))
            stops.append((dose.time_day + dose.duration_day, 1, row, -rate, entry.first_step_day, -1.0))
        else:
            stops.append((dose.time_day, 1, row, dose.amount * share, entry.first_step_day, -1.0))
    stops.append((until_day, 2, -1.0, 0.0, 0.0, -1.0))
    stops.sort(key=lambda stop: stop[:2])
    if stops[0][0] < now or stops[-1][0] > until_day:
        raise InvalidInput(
            f"Patient {i} stands at day {now:g} and is to be brought to day {until_day:g}; "
            f"a dose or look at day {stops[0][0] if stops[0][0] < now else stops[-1][0]:g} lies outside."
        )
    return [(day, row, amount, step, look) for day, _, row, amount, step, look in stops]
