"""How outputs change with parameters: central differences along the steps that the unchanged patient took.

Differences through a solver that chooses its steps anew are noise: a parameter moved by a millionth may cost a step
more, which moves the answer by the tolerance. Along fixed steps the answer is as smooth in the parameters as the model
is.
Derivation and the measured error: docs/theory/solver.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.driver import READ, WRITE
from sevenfold.mechanism.page import known
from sevenfold.mechanism.solve import TOLERANCE, Patients, SolverStatus, Trajectories, begin, follow
from sevenfold.mechanism.stops import Regimen, Stops, plan_stops

__all__ = ["Sensitivity", "sensitivity"]

Floats = NDArray[np.float64]
_MOVE: Final = 1e-4  # of ln θ: the difference's own error, 1e-8/6 of the third derivative, is far below the solver's


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """Outputs and their derivatives.

    Args:
        parameters: with respect to which logarithms, in order.
        seen: output -> (patient, look)
        slopes: output -> (patient, look, parameter), d output / d ln θ.
        status: (patient,) how the unchanged patient's integration ended or, if that was well, the first one's of its
            changed copies that was not; where it is not OK, slopes are NaN.
    """

    parameters: tuple[str, ...]
    seen: dict[str, Floats]
    slopes: dict[str, Floats]
    status: tuple[SolverStatus, ...]


def sensitivity(
    patients: Patients,
    parameters: Sequence[str],
    doses: Sequence[Regimen],
    looks_day: Sequence[float],
    *,
    tolerance: float = TOLERANCE,
    threads: int = 1,
) -> Sensitivity:
    """Outputs of patients from time 0, and how they change with the logarithms of parameters.

    A lag moves the time of an arrival, and the steps that meet it stretch or shrink with it.

    Args:
        patients: at time 0.
        doses: one list a patient.
        looks_day: the same for all, ascending.

    Raises:
        InvalidInput: patients who have been followed already, no parameters, no looks, a parameter that is not in the
            model or not positive or whose change leaves its domain, or one that moves an arrival past a look.
    """
    if not (parameters and len(looks_day)):
        raise InvalidInput("Sensitivities want at least one parameter and one look.")
    page, n, n_ways = patients.page, len(patients), 2 * len(parameters)
    if np.any(patients.time_day != 0.0):
        raise InvalidInput("Sensitivities start with patients at time 0; these have been followed already.")
    given = {name: patients.values[name] for name in page.typical}
    for name in parameters:
        known(page.name, "parameter", name, list(given))
        if np.any(given[name] <= 0.0):
            raise InvalidInput(f"{name} is {given[name].min():g} in a patient; its logarithm needs it positive.")
    looks, end = list(looks_day), float(looks_day[-1])
    stops = plan_stops(page, patients.values, patients.time_day, doses, [looks] * n, [end] * n)
    n_steps = follow(patients, stops, [len(looks)] * n, tolerance=tolerance, threads=threads).n_steps
    lengths = np.zeros((n, int(n_steps.max()) + 1))
    rows = np.arange(n, dtype=np.int64)
    base = follow(patients, stops, [len(looks)] * n, tolerance=tolerance, threads=threads, grid=(WRITE, lengths, rows))
    moved = {name: np.repeat(values, n_ways) for name, values in given.items()}
    for k, name in enumerate(parameters):
        for way, sign in enumerate((1.0, -1.0)):
            moved[name][2 * k + way :: n_ways] *= np.exp(sign * _MOVE)
    copies = begin(page, moved, n * n_ways)
    regimens = [regimen for regimen in doses for _ in range(n_ways)]
    ends = [end] * (n * n_ways)
    planned, stops = stops, plan_stops(page, copies.values, copies.time_day, regimens, [looks] * len(ends), ends)
    _refuse_other_order(parameters, planned, stops, n_ways)
    along = follow(
        copies,
        stops,
        [len(looks)] * len(ends),
        tolerance=np.inf,
        threads=threads,
        grid=(READ, lengths, np.repeat(rows, n_ways)),
    )
    status = _together(base.status, along, np.count_nonzero(lengths, axis=1), n_ways)
    slopes = {}
    failed = np.array([code is not SolverStatus.OK for code in status], dtype=np.bool_)
    for output, lines in along.seen.items():
        ways = np.stack(lines).reshape(n, len(parameters), 2, len(looks))
        slopes[output] = np.moveaxis(ways[:, :, 0] - ways[:, :, 1], 1, 2) / (2.0 * _MOVE)
        slopes[output][failed] = np.nan
    return Sensitivity(
        parameters=tuple(parameters),
        seen={output: np.stack(lines) for output, lines in base.seen.items()},
        slopes=slopes,
        status=status,
    )


def _together(
    unchanged: Sequence[SolverStatus], along: Trajectories, n_steps: NDArray[np.int64], n_ways: int
) -> tuple[SolverStatus, ...]:
    """A patient's status with its copies': they must end well, after as many steps as the patient took."""
    made = []
    for i, own in enumerate(unchanged):
        copies = slice(i * n_ways, (i + 1) * n_ways)
        failed = [code for code in (own, *along.status[copies]) if code is not SolverStatus.OK]
        strayed = bool(np.any(along.n_steps[copies] != n_steps[i]))
        made.append(failed[0] if failed else SolverStatus.STRAYED if strayed else SolverStatus.OK)
    return tuple(made)


def _refuse_other_order(parameters: Sequence[str], planned: Stops, moved: Stops, n_ways: int) -> None:
    """Where an arrival and a look change places, the output jumps and has no slope."""
    for copy in range(len(moved.first)):
        ours = slice(planned.first[copy // n_ways], planned.last[copy // n_ways])
        theirs = slice(moved.first[copy], moved.last[copy])
        is_same = np.array_equal(planned.look[ours], moved.look[theirs])
        if not (is_same and np.array_equal(planned.row[ours], moved.row[theirs])):
            name = parameters[copy % n_ways // 2]
            raise InvalidInput(
                f"{name} moves an arrival past a look or another arrival in patient {copy // n_ways}, where outputs "
                "jump and have no slope; move the look."
            )
