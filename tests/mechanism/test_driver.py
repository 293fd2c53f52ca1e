"""The printed loop against the same loop in plain Python, to the last bit."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from one_state import DECAY, one_state
from plain_driver import PlainDriver

from sevenfold.errors import InvalidInput
from sevenfold.mechanism import solve
from sevenfold.mechanism.driver import AS_CONTROLLED, READ, WRITE
from sevenfold.mechanism.expression import log
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.kernel import compiled
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.solve import Dose, Patients, SolverStatus, Trajectories, advance, begin, follow
from sevenfold.mechanism.stops import plan_stops
from sevenfold.population.sampling import draw_parameters

Floats = NDArray[np.float64]
LOOKS = [0.0, 1.0, 3.0, 3.0, 10.0]


def both(
    monkeypatch: pytest.MonkeyPatch, page: Page, run: Callable[[], Trajectories]
) -> tuple[Trajectories, Trajectories]:
    """A run by the printed loop and by the plain one."""
    printed = run()
    with monkeypatch.context() as patch:
        patch.setattr(solve, "drive", PlainDriver(compiled(page)))
        return printed, run()


def assert_same_bits(a: Trajectories, b: Trajectories) -> None:
    for name in a.seen:
        assert np.concatenate(a.seen[name]).tobytes() == np.concatenate(b.seen[name]).tobytes(), name
    for part in ("states", "inputs", "control", "time_day"):
        assert getattr(a.patients, part).tobytes() == getattr(b.patients, part).tobytes(), part
    assert a.status == b.status
    assert a.n_steps.tobytes() == b.n_steps.tobytes()


def of_il7(n: int) -> tuple[Page, Patients]:
    page = il7_page()
    return page, begin(page, draw_parameters(page, 21, subject=np.arange(n)), n)


@pytest.mark.parametrize("route", ["IM", "IV"])
def test_patients_of_many_lengths_are_followed_as_by_the_plain_loop(
    monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    """More patients than lanes, some with no stop but their end, some who end where they begin, boluses and infusions,
    and all of them taken on once more from where they were left.
    """
    page, patients = of_il7(45)
    n = len(patients)
    doses = [
        [Dose(time_day=0.0, amount=700.0, route=route), Dose(time_day=3.0, amount=90.0, route=route, duration_day=0.1)],
        [],
        [Dose(time_day=0.5, amount=700.0, route=route)],
    ] * (n // 3)  # fmt: skip
    looks = [LOOKS, [], [0.0]] * (n // 3)
    ends = [10.0, 0.0, 2.0] * (n // 3)

    def run() -> Trajectories:
        first = advance(patients, doses, looks, ends)
        return advance(first.patients, [[]] * n, [[11.0]] * n, [12.0] * n, tolerance=1e-7)

    printed, plain = both(monkeypatch, page, run)
    assert_same_bits(printed, plain)
    assert set(printed.status) == {SolverStatus.OK}


def test_steps_are_written_and_read_as_by_the_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    page, patients = of_il7(20)
    n = len(patients)
    doses = [[Dose(time_day=0.0, amount=700.0, route="IM"), Dose(time_day=3.0, amount=700.0, route="IM")]] * n
    stops = plan_stops(page, patients.values, patients.time_day, doses, [LOOKS] * n, [10.0] * n)
    rows = np.arange(n, dtype=np.int64)[::-1].copy()
    written: list[Floats] = []

    def run(how: int, lengths: Floats, tolerance: float) -> Trajectories:
        return follow(patients, stops, [len(LOOKS)] * n, tolerance=tolerance, grid=(how, lengths, rows))

    def write() -> Trajectories:
        written.append(np.zeros((n, 400)))
        return run(WRITE, written[-1], 4e-5)

    assert_same_bits(*both(monkeypatch, page, write))
    assert written[0].tobytes() == written[1].tobytes()
    assert np.all(written[0][:, 0] > 0.0)
    read = both(monkeypatch, page, lambda: run(READ, written[0], np.inf))
    assert_same_bits(*read)
    again = run(AS_CONTROLLED, np.zeros((0, 0)), 4e-5)
    assert np.all(read[0].n_steps < again.n_steps)  # those that did not count are not taken again


@pytest.mark.parametrize(
    ("page", "status"),
    [
        (one_state("blow_up", lambda _t, y, p: {"x": p.k * y.x * y.x}), SolverStatus.STEP_VANISHED),
        (one_state("no_number", lambda _t, y, p: {"x": p.k * log(y.x - 2.0)}), SolverStatus.NOT_FINITE),
    ],
    ids=["blows up", "no number"],
)
def test_failures_are_those_of_the_plain_loop(
    monkeypatch: pytest.MonkeyPatch, page: Page, status: SolverStatus
) -> None:
    patients = begin(page, {"k": np.linspace(1.0, 2.0, 11)}, 11)
    printed, plain = both(monkeypatch, page, lambda: advance(patients, [[]] * 11, [[0.1, 2.0]] * 11, [2.0] * 11))
    assert_same_bits(printed, plain)
    assert set(printed.status) == {status}


def read_along(lengths: Floats) -> Trajectories:
    """Patients of x' = -k x to day 1, by lengths that are read."""
    n = len(lengths)
    patients = begin(DECAY, {}, n)
    stops = plan_stops(DECAY, patients.values, patients.time_day, [[]] * n, [[1.0]] * n, [1.0] * n)
    return follow(patients, stops, [1] * n, tolerance=np.inf, grid=(READ, lengths, np.arange(n)))


def test_a_patient_who_takes_too_many_steps_is_let_go() -> None:
    """The limit is 200,000; steps of 1e-6 days would need a million."""
    after = read_along(np.full((1, 200_001), 1e-6))
    assert after.status == (SolverStatus.TOO_MANY_STEPS,)
    assert after.n_steps[0] == 200_000


def test_a_step_that_is_read_and_is_no_number_ends_the_run_at_once() -> None:
    """No other length may be tried, and not the next one in its place."""
    lengths = np.full((2, 60), 0.02)
    lengths[0, 3] = np.nan
    after = read_along(lengths)
    assert after.status == (SolverStatus.NOT_FINITE, SolverStatus.OK)
    assert after.n_steps[0] == 4
    assert np.isnan(after.seen["x"][0][0])
    assert after.seen["x"][1][0] == pytest.approx(np.exp(-1.3), rel=1e-6)


@pytest.mark.parametrize("lengths", [np.zeros((2, 9), dtype=np.float32), np.zeros((9, 2)).T], ids=["kind", "order"])
def test_a_table_that_lies_otherwise_in_memory_is_refused(lengths: Floats) -> None:
    """The compiled loop would read other numbers than those meant."""
    with pytest.raises(InvalidInput, match="'lengths'"):
        read_along(lengths)


def test_lengths_that_run_out_end_the_run() -> None:
    """What follows the last that was written is 0, and a step of no length arrives nowhere."""
    lengths = np.full((1, 11), 0.02)
    lengths[0, 10] = 0.0
    after = read_along(lengths)
    assert after.status == (SolverStatus.NOT_FINITE,)
    assert after.n_steps[0] == 11
