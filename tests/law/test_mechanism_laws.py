"""Laws of the mechanism: neighbours, mass, positivity, units of time, cutting the time line."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Named, Page, State
from sevenfold.mechanism.solve import Dose, SolverStatus, Trajectories, advance, begin
from sevenfold.population.sampling import draw_parameters

LOOKS = [1.0, 3.0, 7.0, 14.0, 28.0, 60.0]
DAYS = (0.0, 3.0, 7.0, 10.0, 14.0, 17.0, 21.0, 24.0)
SEEDS = st.integers(0, 2**32 - 1)


def doses(route: str = "IM", amount: float = 750.0) -> list[Dose]:
    return [Dose(time_day=day, amount=amount, route=route) for day in DAYS]


def seen(parameters: Mapping[str, Any], n: int, *, threads: int = 1, page: Page | None = None) -> Trajectories:
    patients = begin(page or il7_page(), parameters, n)
    return advance(patients, [doses()] * n, [LOOKS] * n, [60.0] * n, threads=threads)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, n=st.integers(2, 40), which=st.integers(0, 39), threads=st.integers(1, 3))
def test_neighbours_a_patient_is_the_same_to_the_last_bit_whoever_is_beside(
    seed: int, n: int, which: int, threads: int
) -> None:
    """Another batch, another place in it, another number of threads: not a bit changes."""
    which %= n
    drawn = draw_parameters(il7_page(), seed, subject=np.arange(n))
    together = seen(drawn, n, threads=threads)
    alone = seen({name: values[which : which + 1] for name, values in drawn.items()}, 1)
    for output in together.seen:
        assert np.array_equal(together.seen[output][which], alone.seen[output][0])
    assert np.array_equal(together.patients.states[which], alone.patients.states[0])
    assert together.n_steps[which] == alone.n_steps[0]


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_neighbours_changing_one_patient_leaves_the_others_as_they_were(seed: int) -> None:
    n = 11
    drawn = draw_parameters(il7_page(), seed, subject=np.arange(n))
    changed = {name: values.copy() for name, values in drawn.items()}
    changed["clearance_l_per_day"][4] *= 3.0
    before, after = seen(drawn, n), seen(changed, n)
    for i in range(n):
        is_same = np.array_equal(before.patients.states[i], after.patients.states[i])
        assert is_same == (i != 4)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, cut=st.sampled_from(LOOKS[:-1]))
def test_following_in_two_parts_is_following_in_one(seed: int, cut: float) -> None:
    """A trial is followed from visit to visit: where it is cut does not change a bit, if the stops are the same."""
    drawn = draw_parameters(il7_page(), seed, subject=np.arange(3))
    whole = seen(drawn, 3)
    first = advance(
        begin(il7_page(), drawn, 3),
        [[d for d in doses() if d.time_day < cut]] * 3,
        [[look for look in LOOKS if look <= cut]] * 3,
        [cut] * 3,
    )
    later_looks = [look for look in LOOKS if look > cut]
    second = advance(first.patients, [[d for d in doses() if d.time_day >= cut]] * 3, [later_looks] * 3, [60.0] * 3)
    assert np.array_equal(second.patients.states, whole.patients.states)


def with_eliminated(page: Page) -> Page:
    """The same page, which also adds up what is cleared, taken up by the receptor, and produced."""

    def rates(time_day: Any, y: Named, p: Named) -> dict[str, Any]:
        change = dict(page.rates(time_day, y, p))
        total = change["depot_ug"] + change["central_ug"] + change["peripheral_ug"]
        return {**change, "eliminated_ug": -(total - p.produced_ug_per_day)}

    extra = State(name="eliminated_ug", unit="µg", scale=1e-1, what="IL-7 cleared or taken up")
    return dataclasses.replace(
        page,
        name="il7_with_eliminated",
        states=(*page.states, extra),
        start=lambda p: {**page.start(p), "eliminated_ug": 0.0 * p.endogenous_il7_ng_per_ml},
        rates=rates,
    )


WITH_ELIMINATED = with_eliminated(il7_page())


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_mass_what_enters_is_in_the_body_or_eliminated(seed: int) -> None:
    """Dosed + produced + initial = in the body + eliminated; the methods are linear in the states, so to rounding."""
    drawn = draw_parameters(WITH_ELIMINATED, seed, subject=np.arange(4))
    after = seen(drawn, 4, page=WITH_ELIMINATED).patients
    values, names = after.values, [state.name for state in WITH_ELIMINATED.states]
    in_body = sum(after.states[:, names.index(name)] for name in ("depot_ug", "central_ug", "peripheral_ug"))
    entered = len(DAYS) * 750.0 * values["bioavailable_fraction"] + 60.0 * values["produced_ug_per_day"]
    initial = values["endogenous_il7_ng_per_ml"] * (values["central_volume_l"] + values["peripheral_volume_l"])
    out = after.states[:, names.index("eliminated_ug")]
    assert in_body + out == pytest.approx(entered + initial, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, route=st.sampled_from(["IM", "SC", "IV"]), amount=st.floats(0.0, 5000.0))
def test_no_state_is_ever_negative(seed: int, route: str, amount: float) -> None:
    """Beyond what the tolerance allows: absolute tolerances are 2e-5 of each state's scale."""
    n = 8
    drawn = draw_parameters(il7_page(), seed, subject=np.arange(n))
    times = np.concatenate([[0.01, 0.1], np.arange(0.5, 30.0, 0.5)])
    after = advance(begin(il7_page(), drawn, n), [doses(route, amount)] * n, [list(times)] * n, [30.0] * n)
    assert set(after.status) == {SolverStatus.OK}
    for output, lines in after.seen.items():
        assert min(line.min() for line in lines) >= 0.0, output
    for k, state in enumerate(il7_page().states):
        assert after.patients.states[:, k].min() > -2e-5 * state.scale, state.name


PER_DAY = ("_per_day", "_l_per_day", "_per_ul_day")


def in_hours(page: Page) -> Page:
    """The same model with hours for days: every rate a 24th, every time 24-fold."""

    def scale(name: str) -> float:
        return 24.0 if name.endswith("_decay_day") else 1.0 / 24.0 if name.endswith(PER_DAY) else 1.0

    parameters = tuple(dataclasses.replace(p, value=p.value * scale(p.name)) for p in page.parameters)
    entries = tuple(dataclasses.replace(e, first_step_day=24.0 * e.first_step_day) for e in page.entries)
    return dataclasses.replace(page, name="il7_in_hours", parameters=parameters, entries=entries)


IN_HOURS = in_hours(il7_page())


def test_units_hours_for_days_with_converted_parameters_change_nothing() -> None:
    """Both lie within the solver's tolerance of the same trajectory: 1e-6 at this tolerance."""
    days, hours = (
        advance(
            begin(page, {}),
            [[Dose(time_day=factor * day, amount=750.0, route="IM") for day in DAYS]],
            [[factor * look for look in LOOKS]],
            [factor * 60.0],
            tolerance=1e-8,
        )
        for page, factor in ((il7_page(), 1.0), (IN_HOURS, 24.0))
    )
    for output in days.seen:
        assert hours.seen[output][0] == pytest.approx(days.seen[output][0], rel=1e-6), output
