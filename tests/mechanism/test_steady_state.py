"""Steady states: closed forms where kinetics are linear, many doses where they aren't, a status where there is none."""

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mammillary import mammillary
from numpy.typing import NDArray

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.compartments import (
    Effect,
    Elimination,
    compartment_page,
    target_mediated_page,
    with_indirect_response,
    with_myelosuppression,
)
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.records import Followed, SteadyStatus, follow_records, read_records

Floats = NDArray[np.float64]
PHASES = np.linspace(0.0, 1.0, 9)
positive = st.floats(0.2, 5.0)


def followed(
    page: Page, dose: dict[str, object], looks: Floats, parameters: dict[str, float], tolerance: float = 1e-9
) -> Followed:
    """One dose at 0 and looks after it, in days."""
    rows = [{"id": 1, "time": 0.0, "evid": 1, **dose}, *({"id": 1, "time": float(t), "evid": 0} for t in looks)]
    return follow_records(read_records(pl.DataFrame(rows), page), parameters, tolerance=tolerance)


@pytest.mark.parametrize("n", [1, 2, 3])
@settings(max_examples=15, deadline=None)
@given(
    clearance=positive,
    volume=positive,
    exchange=st.tuples(positive, positive),
    volumes=st.tuples(st.floats(1.0, 20.0), st.floats(1.0, 20.0)),
    ka=st.floats(5.0, 40.0),
    interval=st.floats(0.25, 7.0),
    duration=st.floats(0.05, 20.0),
    kind=st.sampled_from(["bolus", "absorbed", "infusion", "constant"]),
)
def test_linear_steady_states_agree_with_closed_forms(
    n: int,
    clearance: float,
    volume: float,
    exchange: tuple[float, float],
    volumes: tuple[float, float],
    ka: float,
    interval: float,
    duration: float,
    kind: str,
) -> None:
    """Infusions up to many intervals long included; to 1e-6 wherever a value exceeds 1e-4 of the largest."""
    q, v = np.array(exchange[: n - 1]), np.array(volumes[: n - 1])
    unit = mammillary(clearance, volume, q, v)
    gaps = np.abs(np.subtract.outer(np.append(unit.rates, ka), np.append(unit.rates, ka))) + np.eye(n + 1)
    assume(gaps.min() > 0.02)
    assume(unit.rates.min() * interval > 0.01)
    parameters = {"clearance_l_per_day": clearance, "central_volume_l": volume, "absorbed_per_day": ka}
    parameters |= {f"exchange_{k + 1}_l_per_day": float(q[k]) for k in range(n - 1)}
    parameters |= {f"peripheral_{k + 1}_volume_l": float(v[k]) for k in range(n - 1)}
    looks = PHASES[1:-1] * interval
    dose: dict[str, object] = {"amt": 100.0, "ii": interval, "ss": 1, "cmt": "central_ug"}
    if kind == "absorbed":
        dose["cmt"] = "oral"
        expected = 100.0 * unit.absorbed(ka).steady_bolus(looks, interval)
    elif kind == "infusion":
        dose["rate"] = 100.0 / duration
        expected = 100.0 * unit.steady_infusion(looks, duration, interval)
    elif kind == "constant":
        dose = {"amt": 0.0, "rate": 100.0, "ss": 1, "cmt": "IV"}
        expected, looks = np.array([100.0 * unit.area]), np.array([0.0])
    else:
        expected = 100.0 * unit.steady_bolus(looks, interval)
    result = followed(compartment_page(n, is_absorbed=True), dose, looks, parameters)
    assert result.steady[0] is SteadyStatus.REACHED
    big = expected > 1e-4 * expected.max()
    assert result.seen["drug_ng_per_ml"][1:][big] == pytest.approx(expected[big] / volume, rel=1e-6)


@pytest.mark.parametrize(
    ("page", "parameters", "amount", "n_doses"),
    [
        (compartment_page(1, elimination=Elimination.MICHAELIS_MENTEN), {}, 60.0, 400),
        (compartment_page(2, is_absorbed=True, elimination=Elimination.BOTH), {}, 200.0, 400),
        (target_mediated_page(has_tissue=True), {}, 30.0, 200),
        (with_indirect_response(compartment_page(1), Effect.INHIBITS_LOSS), {}, 20.0, 400),
        (with_myelosuppression(compartment_page(1)), {"killed_per_concentration": 0.05}, 20.0, 400),
    ],
    ids=lambda value: value.name if isinstance(value, Page) else None,
)
def test_a_nonlinear_steady_state_is_where_many_doses_lead(
    page: Page, parameters: dict[str, float], amount: float, n_doses: int
) -> None:
    """Two ways: Newton on one interval, and that many doses one after another."""
    dose = {"amt": amount, "ii": 1.0, "cmt": "IV"}
    at_once = followed(page, {**dose, "ss": 1}, PHASES[1:], parameters)
    slowly = followed(page, {**dose, "addl": n_doses}, n_doses + PHASES[1:], parameters)
    assert at_once.steady[0] is SteadyStatus.REACHED
    for output in page.outputs:
        late = slowly.seen[output.name][1:]
        assert at_once.seen[output.name][1:-1] == pytest.approx(late[:-1], rel=1e-6), output.name


def test_a_drug_that_comes_in_faster_than_it_can_leave_has_no_steady_state() -> None:
    """VM is 100 µg/day; 150 µg a day accumulate for ever. The record says so and nothing after it is a number."""
    page = compartment_page(1, elimination=Elimination.MICHAELIS_MENTEN)
    for dose in ({"amt": 150.0, "ii": 1.0}, {"amt": 0.0, "rate": 150.0}):
        result = followed(page, {**dose, "ss": 1, "cmt": 1}, PHASES, {})
        assert result.steady[0] in {SteadyStatus.NOT_REACHED, SteadyStatus.NOT_FINITE}
        assert np.isnan(result.seen["drug_ng_per_ml"]).all()
        assert sum(result.failures.values()) >= 1
        assert set(result.frame()["status"]) != {"OK"}


def test_a_slow_drug_reaches_its_steady_state_at_once() -> None:
    """A half-life of 139 days: a thousand daily doses would not do, but the interval's derivative knows."""
    p = {"clearance_l_per_day": 0.05, "central_volume_l": 10.0}
    unit = mammillary(0.05, 10.0, np.array([]), np.array([]))
    result = followed(compartment_page(1), {"amt": 100.0, "ii": 1.0, "ss": 1}, PHASES[1:-1], p)
    expected = 10.0 * unit.steady_bolus(PHASES[1:-1], 1.0)
    assert result.seen["drug_ng_per_ml"][1:] == pytest.approx(expected, rel=1e-6)


def test_an_amount_that_only_grows_is_not_taken_for_a_steady_state() -> None:
    result = followed(compartment_page(1), {"amt": 1.0, "ii": 1.0, "ss": 1}, PHASES, {"clearance_l_per_day": 0.0})
    assert result.steady[0] is SteadyStatus.NOT_REACHED


def test_a_failed_steady_state_leaves_other_subjects_alone() -> None:
    page = compartment_page(1, elimination=Elimination.MICHAELIS_MENTEN)
    both = pl.DataFrame(
        [
            {"id": name, "time": t, "amt": amount if t == 0.0 else 0.0, "ii": float(t == 0.0), "ss": int(t == 0.0)}
            for name, amount in (("a", 150.0), ("b", 50.0))
            for t in (0.0, 1.0)
        ]
    )
    alone = both.filter(pl.col("id") == "b")
    together, single = (follow_records(read_records(frame, page)) for frame in (both, alone))
    assert together.steady[0] is not SteadyStatus.REACHED
    assert np.array_equal(together.seen["drug_ng_per_ml"][2:], single.seen["drug_ng_per_ml"])


def test_a_record_without_rate_finds_the_rest_of_an_endogenous_substance() -> None:
    """AMT, RATE and II all 0: the target of an antibody settles at ksyn/kdeg, wherever it began."""
    page = target_mediated_page()
    result = followed(page, {"amt": 0.0, "rate": 0.0, "ss": 1}, PHASES, {"target_made_nmol_per_l_day": 3.0})
    assert result.seen["free_target_nmol_per_l"] == pytest.approx(np.full(10, 3.0), rel=1e-6)


def test_a_lag_turns_the_steady_cycle() -> None:
    """C(t) with lag L is C(t - L) without, a cycle earlier before the dose arrives."""
    looks = np.array([0.1, 0.2, 0.4, 0.6, 0.9])
    dose = {"amt": 100.0, "ii": 1.0, "ss": 1, "addl": 1, "cmt": "IV", "rate": 250.0}
    late = followed(compartment_page(2), dose, looks, {"central_lag_day": 0.3})
    plain = followed(compartment_page(2), dose, np.sort((looks - 0.3) % 1.0), {})
    order = np.argsort((looks - 0.3) % 1.0)
    expected = np.empty(5)
    expected[order] = plain.seen["drug_ng_per_ml"][1:]
    assert late.seen["drug_ng_per_ml"][1:] == pytest.approx(expected, rel=1e-6)


def test_a_lag_longer_than_the_interval_is_followed_backwards() -> None:
    """Between records and arrival nothing enters: what is there decays from above, to the peak a cycle before."""
    result = followed(
        compartment_page(1), {"amt": 100.0, "ii": 1.0, "ss": 1}, np.array([0.4]), {"central_lag_day": 1.4}
    )
    unit = mammillary(5.0, 10.0, np.array([]), np.array([]))
    peak = 10.0 * unit.steady_bolus(np.array([0.0]), 1.0)
    assert result.steady[0] is SteadyStatus.EXTRAPOLATED
    assert result.seen["drug_ng_per_ml"] == pytest.approx([peak[0] * np.exp(0.5 * 0.4), peak[0]], rel=1e-6)
    assert result.failures == {}


def test_models_without_a_steady_state_are_refused() -> None:
    dose = {"amt": 100.0, "ii": 1.0, "cmt": "IV"}
    with pytest.raises(InvalidInput, match="rates of 'il7' change with time"):
        followed(il7_page(), {**dose, "ss": 1}, PHASES, {})
    with pytest.raises(InvalidInput, match="not empty at rest"):
        followed(target_mediated_page(), {**dose, "ss": 2}, PHASES, {})
