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
from sevenfold.mechanism.driver import AS_CONTROLLED, READ, Tables, drive
from sevenfold.mechanism.kernel import compiled
from sevenfold.mechanism.page import Named, Page
from sevenfold.mechanism.stops import Dose, Regimen, Stops, plan_stops

__all__ = ["TOLERANCE", "Dose", "Patients", "SolverStatus", "Trajectories", "advance", "begin", "follow"]

Floats = NDArray[np.float64]
TOLERANCE: Final = 4e-5  # keeps every output within 1e-4 of a tight solution (docs/theory/solver.md)
FIRST_STEP_DAY: Final = 0.01
_FINEST: Final = 1e-15  # a relative tolerance below this asks for digits that a number does not have
_CHUNK: Final = 512  # patients a thread takes at a time


class SolverStatus(IntEnum):
    """How a patient's integration ended; the numbers are the kernel's."""

    OK = 0
    STEP_VANISHED = 1
    TOO_MANY_STEPS = 2
    NOT_FINITE = 3
    STRAYED = 4  # of sensitivities: a changed patient could not take the unchanged one's steps


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
        control: (patient, 3) the step that the solver would take next, the last that counted, and that one's error.
    """

    page: Page
    values: dict[str, Floats]
    time_day: Floats
    states: Floats
    inputs: Floats
    control: Floats

    def __len__(self) -> int:
        return len(self.time_day)

    def take(self, which: NDArray[np.int64]) -> "Patients":
        """Some of them, in another order or several times."""
        return Patients(
            page=self.page,
            values={name: value[which] for name, value in self.values.items()},
            time_day=self.time_day[which],
            states=self.states[which],
            inputs=self.inputs[which],
            control=self.control[which],
        )


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
    """``n`` patients at time 0, with parameters that differ from the typical patient's where given.

    Raises:
        InvalidInput: a value outside its parameter's domain, or so many values that they are not one a patient.
        InvalidModel: a parameter that the model does not have.
    """
    for name, value in parameters.items():
        if np.shape(value) not in ((), (1,), (n,)):
            raise InvalidInput(
                f"{name!r} has values of shape {np.shape(value)} for {n} patients; give one, or one each."
            )
    values = vars(page.values({name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}))
    spread = {name: np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)).copy() for name, value in values.items()}
    state = page.start(Named(**spread))
    return Patients(
        page=page,
        values=spread,
        time_day=np.zeros(n),
        states=np.stack([np.broadcast_to(state[s.name], (n,)) for s in page.states], axis=1).astype(np.float64),
        inputs=np.zeros((n, compiled(page).printed.rows.inputs)),
        control=np.tile([FIRST_STEP_DAY, 0.0, 0.0], (n, 1)),
    )


def advance(
    patients: Patients,
    doses: Sequence[Regimen],
    looks_day: Sequence[Sequence[float]],
    until_day: Sequence[float] | Floats,
    *,
    tolerance: float = TOLERANCE,
    threads: int = 1,
) -> Trajectories:
    """Bring patients from where they stand to ``until_day``.

    Args:
        doses: a patient's doses, none before the patient's time.
        looks_day: a patient's times at which outputs are wanted, none before the patient's time, in order.
        until_day: (patient,)
        tolerance: relative; absolute tolerances are this times the scales of the page's states.
        threads: patients are shared out between them; the answer does not depend on it.

    Raises:
        InvalidInput: a time before the patient's own or that is no number, looks out of order, counts that do not
            match, or a tolerance or a number of threads that can't be.
    """
    stops = plan_stops(patients.page, patients.values, patients.time_day, doses, looks_day, until_day)
    return follow(patients, stops, [len(looks) for looks in looks_day], tolerance=tolerance, threads=threads)


def follow(
    patients: Patients,
    stops: Stops,
    n_looks: Sequence[int],
    *,
    tolerance: float = TOLERANCE,
    threads: int = 1,
    grid: tuple[int, Floats, NDArray[np.int64]] | None = None,
) -> Trajectories:
    """Bring patients through a table of stops, as ``advance`` does with doses and looks.

    Args:
        n_looks: how many looks each patient has.
        grid: steps to be written down or read (``driver.drive``); as the control finds them if None.

    Raises:
        InvalidInput: a tolerance or a number of threads that can't be.
    """
    _refuse_impossible(tolerance, threads, is_read=grid is not None and grid[0] == READ)
    kernel, n = compiled(patients.page), len(patients)
    outputs = np.full((sum(n_looks), len(patients.page.outputs)), np.nan)
    states, inputs, control = patients.states.copy(), patients.inputs.copy(), patients.control.copy()
    status, n_steps = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    used = [patients.values[name] for name in kernel.printed.parameters]
    parameters = np.ascontiguousarray(used, dtype=np.float64).reshape(len(used), n)
    how, lengths, row_of = grid or (AS_CONTROLLED, np.zeros((0, 0)), np.zeros(n, dtype=np.int64))
    tables = Tables(
        parameters=parameters, start_day=np.ascontiguousarray(patients.time_day), stops=stops, states=states,
        inputs=inputs, control=control, seen=outputs, status=status, n_steps=n_steps, lengths=lengths, row_of=row_of,
    )  # fmt: skip
    chunk = max(min(_CHUNK, -(-n // threads)), 1)
    address = kernel.address("drive")

    def run(first: int) -> None:
        drive(address, kernel.shape, tables, first, min(first + chunk, n), how, tolerance)

    if threads == 1:
        for first in range(0, n, chunk):
            run(first)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, range(0, n, chunk)))
    is_unseen = ~np.isfinite(outputs).all(axis=1)  # the states may be sound and an output (a logarithm) not
    unseen = np.bincount(np.repeat(np.arange(n), n_looks)[is_unseen], minlength=n) > 0
    status[unseen & (status == SolverStatus.OK)] = SolverStatus.NOT_FINITE
    return Trajectories(
        patients=Patients(
            page=patients.page,
            values=patients.values,
            time_day=stops.day[stops.last - 1],
            states=states,
            inputs=inputs,
            control=control,
        ),
        seen={output.name: _by_patient(outputs[:, k], n_looks) for k, output in enumerate(patients.page.outputs)},
        status=tuple(SolverStatus(int(code)) for code in status),
        n_steps=n_steps,
    )


def _refuse_impossible(tolerance: float, threads: int, *, is_read: bool) -> None:
    if not _FINEST <= tolerance <= (np.inf if is_read else 1.0):  # steps that are read are all taken
        raise InvalidInput(
            f"The solver's tolerance is relative, between {_FINEST:g} (double precision) and 1, got {tolerance}; "
            f"{TOLERANCE:g} keeps outputs within 1e-4."
        )
    if threads < 1:
        raise InvalidInput(f"A number of threads is a whole number, 1 or more, got {threads!r}.")


def _by_patient(column: Floats, n_looks: Sequence[int]) -> list[Floats]:
    if not len(n_looks):
        return []
    if len(set(n_looks)) == 1:
        return list(column.reshape(len(n_looks), -1))
    return np.split(column, np.cumsum(n_looks)[:-1])
