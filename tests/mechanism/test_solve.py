"""The door to the solver: accuracy against tolerance, order, stops, and refusals."""

import dataclasses

import numpy as np
import pytest
from one_state import BLOW_UP, DECAY, one_state

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.mechanism.expression import log
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Named, Page, State
from sevenfold.mechanism.solve import TOLERANCE, Dose, SolverStatus, advance, begin
from sevenfold.population.sampling import draw_parameters

DAYS = (0.0, 3.0, 7.0, 10.0, 14.0, 17.0, 21.0, 24.0)
LOOKS = [1.0, 3.0, 5.0, 7.0, 10.0, 12.0, 14.0, 17.0, 21.0, 24.0, 28.0, 42.0, 60.0, 90.0]


@pytest.mark.parametrize("route", ["IM", "IV"])
def test_every_output_of_random_patients_lies_within_a_tenth_of_a_permille(route: str) -> None:
    """400 random patients at the shipped tolerance against one four orders tighter, 14 sample days to day 90."""
    n = 400
    patients = begin(il7_page(), draw_parameters(il7_page(), 77, subject=np.arange(n)), n)
    given = [[Dose(time_day=day, amount=750.0, route=route) for day in DAYS]] * n
    fast, tight = (
        advance(patients, given, [LOOKS] * n, [90.0] * n, tolerance=tolerance, threads=2).seen
        for tolerance in (TOLERANCE, 1e-9)
    )
    for output in fast:
        error = max(np.max(np.abs(a / b - 1.0)) for a, b in zip(fast[output], tight[output], strict=True))
        assert error < 1e-4, output


def test_exponential_decay_is_exact_to_the_tolerance() -> None:
    """Closed form exp(-kt)."""
    seen = advance(begin(DECAY, {}), [[]], [[0.5, 1.0, 4.0]], [4.0], tolerance=1e-8).seen["x"][0]
    assert seen == pytest.approx(np.exp(-1.3 * np.array([0.5, 1.0, 4.0])), rel=1e-6)


def test_a_look_at_the_time_of_a_dose_sees_the_moment_before() -> None:
    dose = [Dose(time_day=1.0, amount=2.0, route="IN")]
    seen = advance(begin(DECAY, {}), [dose], [[1.0, 1.0 + 1e-9]], [2.0], tolerance=1e-9).seen["x"][0]
    assert seen == pytest.approx([np.exp(-1.3), np.exp(-1.3) + 2.0], rel=1e-7)


def test_stops_that_nearly_coincide_are_one() -> None:
    """No step is so short that its inverse overflows."""
    doses = [Dose(time_day=day, amount=1.0, route="IN") for day in (0.0, 1e-308, 1e-15)]
    after = advance(begin(DECAY, {}), [doses], [[1.0]], [1.0], tolerance=1e-9)
    assert after.status == (SolverStatus.OK,)
    assert after.seen["x"][0] == pytest.approx([4.0 * np.exp(-1.3)], rel=1e-7)


def test_a_lag_delays_a_dose_and_is_each_patients_own() -> None:
    """Superposition of the start, which is 1, and of a dose that arrives a lag later."""
    page = one_state("late", lambda _t, y, p: {"x": -1.3 * y.x + 0.0 * p.k}, lag="k")
    doses, looks = [Dose(time_day=0.5, amount=2.0, route="IN")], [0.6, 1.0, 2.0]
    lags = np.array([0.0, 0.2, 1.0])
    seen = advance(begin(page, {"k": lags}, 3), [doses] * 3, [looks] * 3, [2.0] * 3, tolerance=1e-9).seen["x"]
    for lag, x in zip(lags, seen, strict=True):
        late = np.array(looks) - 0.5 - lag
        expected = np.exp(-1.3 * np.array(looks)) + np.where(late > 0.0, 2.0 * np.exp(-1.3 * late), 0.0)
        assert x == pytest.approx(expected, rel=1e-7)


def test_what_cannot_be_integrated_is_a_status_and_not_a_number() -> None:
    """With x' = x², x reaches infinity at t = 1; patients beside it come to no harm."""
    after = advance(begin(BLOW_UP, {"k": np.array([1.0, 0.1])}, 2), [[], []], [[0.5, 2.0]] * 2, [2.0] * 2)
    assert after.status[0] is not SolverStatus.OK
    assert np.isnan(after.seen["x"][0][1])
    assert after.status[1] is SolverStatus.OK
    assert after.seen["x"][1] == pytest.approx([1 / 0.95, 1 / 0.8], rel=1e-4)


def test_what_is_not_a_number_is_a_status_of_its_own() -> None:
    """Ln of a negative number, from the first step on."""
    page = one_state("no_number", lambda _t, y, p: {"x": p.k * log(y.x - 2.0)})
    after = advance(begin(page, {}), [[]], [[1.0]], [1.0])
    assert after.status == (SolverStatus.NOT_FINITE,)
    assert np.isnan(after.seen["x"][0][0])


def test_an_output_that_is_no_number_is_a_status_too() -> None:
    """The state falls through 0 and is sound; its logarithm is not."""
    page = dataclasses.replace(
        one_state("falls", lambda _t, _y, p: {"x": -p.k}), observe=lambda _t, y, _p: {"x": log(y.x)}
    )
    after = advance(begin(page, {}), [[]], [[0.5, 2.0]], [2.0])
    assert after.status == (SolverStatus.NOT_FINITE,)


def test_a_singular_factorisation_is_stepped_around() -> None:
    """X' = k x with k = 1/(γ h) for the very first step: the pivot is exactly 0, and the next step differs."""
    page = one_state("singular", lambda _t, y, p: {"x": p.k * y.x})
    after = advance(begin(page, {"k": 400.0}), [[]], [[0.05]], [0.05], tolerance=1e-8)
    assert after.status == (SolverStatus.OK,)
    assert after.seen["x"][0][0] == pytest.approx(np.exp(20.0), rel=1e-6)


def test_the_method_has_order_four() -> None:
    """On the nonlinear x' = -2 k t x², solved by 1/(1 + k t²): a tolerance 10^4 times tighter takes about ten times as
    many steps, and the error falls with it.
    """
    page = one_state("order", lambda t, y, p: {"x": -2.0 * p.k * t * y.x * y.x}, value=1.0)
    errors, steps = [], []
    for tolerance in (1e-4, 1e-8, 1e-12):
        after = advance(begin(page, {}), [[]], [[3.0]], [3.0], tolerance=tolerance)
        errors.append(abs(after.seen["x"][0][0] / 0.1 - 1.0))
        steps.append(int(after.n_steps[0]))
    assert errors[1] < 1e-3 * errors[0]
    assert errors[2] < 1e-3 * errors[1]
    assert 5.0 < steps[2] / steps[1] < 15.0


def growing(names: list[str]) -> Page:
    """States that all grow at rate k = 1 from 1."""
    page = one_state(f"grows_{len(names)}", lambda _t, y, p: {name: p.k * getattr(y, name) for name in names})
    return dataclasses.replace(
        page,
        states=tuple(State(name=name, unit="", scale=1e-6, what=name) for name in names),
        start=lambda p: dict.fromkeys(names, 1.0 + 0.0 * p.k),
    )


@pytest.mark.parametrize(("names", "fine", "lost"), [(["x"], 340.0, 400.0), (["x", "a", "b", "c"], 80.0, 100.0)])
def test_sizes_whose_squares_overflow_end_with_a_status(names: list[str], fine: float, lost: float) -> None:
    """The error is divided by size² of four states together: e^345 for one state, e^86 for four. Beyond, error over
    infinity would be 0 and every step would count.
    """
    after = advance(begin(growing(names), {}), [[]], [[fine, lost]], [lost])
    assert after.status == (SolverStatus.NOT_FINITE,)
    assert after.seen["x"][0][0] == pytest.approx(np.exp(fine), rel=3e-3)  # a tolerance of 4e-5 a step, 1456 steps
    assert np.isnan(after.seen["x"][0][1])


def test_nobody_is_followed_without_a_word() -> None:
    """A trial whose last patient has left asks for none."""
    after = advance(begin(il7_page(), {}, 0), [], [], [], threads=2)
    assert after.status == ()
    assert len(after.patients) == 0
    assert all(lines == [] for lines in after.seen.values())


@pytest.mark.parametrize("tolerance", [0.0, -1e-5, np.nan, np.inf, 1e-300, 2.0])
def test_a_tolerance_that_cannot_be_is_refused(tolerance: float) -> None:
    with pytest.raises(InvalidInput, match=r"tolerance is relative, between 1e-15 .* and 1"):
        advance(begin(DECAY, {}), [[]], [[1.0]], [1.0], tolerance=tolerance)


@pytest.mark.parametrize(
    ("looks", "until", "says"),
    [
        ([np.nan], 1.0, "day nan; give finite days"),
        ([0.5], np.nan, "day nan; give finite days"),
        ([0.5], np.inf, "day inf; give finite days"),
        ([0.5, 0.2], 1.0, "looked at on day 0.5 and then on day 0.2; sort the looks"),
    ],
)
def test_times_that_cannot_be_are_refused(looks: list[float], until: float, says: str) -> None:
    """With a NaN nothing can be sorted, and the patient would be looked at whenever."""
    with pytest.raises(InvalidInput, match=says):
        advance(begin(DECAY, {}), [[]], [looks], [until])


def test_threads_and_numbers_of_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidInput, match="whole number, 1 or more, got 0"):
        advance(begin(DECAY, {}), [[]], [[1.0]], [1.0], threads=0)
    with pytest.raises(InvalidInput, match=r"'k' has values of shape \(3,\) for 2 patients"):
        begin(DECAY, {"k": np.array([1.0, 2.0, 3.0])}, 2)


def test_bad_input_is_refused() -> None:
    patients = begin(il7_page(), {})
    with pytest.raises(InvalidInput, match="not negative"):
        Dose(time_day=0.0, amount=-1.0, route="IM")
    with pytest.raises(InvalidInput, match="finite"):
        Dose(time_day=0.0, amount=np.inf, route="IM")
    with pytest.raises(InvalidDesign, match="no route 'oral'"):
        advance(patients, [[Dose(time_day=0.0, amount=1.0, route="oral")]], [[]], [1.0])
    with pytest.raises(InvalidInput, match="lies outside"):
        advance(patients, [[Dose(time_day=2.0, amount=1.0, route="IM")]], [[]], [1.0])
    with pytest.raises(InvalidInput, match="1 patients came with"):
        advance(patients, [], [[]], [1.0])
    with pytest.raises(InvalidDesign, match="Did you mean 'clearance_l_per_day'"):
        begin(il7_page(), {"clearance_per_day": 1.0})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rates": lambda _t, y, p: {"y": -p.k * y.x}}, "no state 'y'"),
        ({"rates": lambda _t, y, p: {}}, "says nothing about the state 'x'"),
        ({"rates": lambda _t, y, p: {"x": -p.kk * y.x}}, "no parameter 'kk'"),
        ({"rates": lambda _t, y, p: {"x": y.x if y.x > 1.0 else p.k}}, "branches on a value"),
    ],
)
def test_a_page_that_contradicts_itself_is_refused(change: dict[str, object], says: str) -> None:
    page = dataclasses.replace(DECAY, name="wrong", **change)  # type: ignore[arg-type]
    with pytest.raises(InvalidDesign, match=says):
        begin(page, {})


def test_names_that_stand_twice_are_refused() -> None:
    with pytest.raises(InvalidDesign, match="names the state 'x' twice"):
        dataclasses.replace(DECAY, states=DECAY.states * 2)


def test_two_pages_of_one_name_are_two_kernels() -> None:
    """The cache is keyed by what a page says, not by what it is called."""
    faster = one_state("decay", lambda _t, y, p: {"x": -2.0 * p.k * y.x}, value=1.3)
    seen = advance(begin(faster, {}), [[]], [[1.0]], [1.0], tolerance=1e-8).seen["x"][0]
    assert seen == pytest.approx([np.exp(-2.6)], rel=1e-6)


def test_values_by_name_are_completed_by_what_is_derived() -> None:
    values = il7_page().values({"clearance_l_per_day": 50.0})
    assert isinstance(values, Named)
    assert values.clearance_l_per_day == 50.0
    assert values.cd4_loss_per_day > 0.0
