"""The library of compartments against closed forms."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mammillary import Exponentials, mammillary
from numpy.typing import NDArray
from scipy.special import gammainc, lambertw

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.mechanism.compartments import (
    Effect,
    Elimination,
    compartment_page,
    target_mediated_page,
    with_indirect_response,
    with_myelosuppression,
)
from sevenfold.mechanism.page import Named, Page
from sevenfold.mechanism.solve import TOLERANCE, Dose, advance, begin
from sevenfold.mechanism.trace import trace

Floats = NDArray[np.float64]
TIMES = np.array([0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0])
ALL = [
    *(compartment_page(n, is_absorbed=a, elimination=e) for n in (1, 2, 3) for a in (False, True) for e in Elimination),
    compartment_page(2, is_absorbed=True, n_transit=4),
    target_mediated_page(),
    target_mediated_page(has_tissue=True),
    *(with_indirect_response(compartment_page(1), effect) for effect in Effect),
    with_myelosuppression(compartment_page(1)),
    with_myelosuppression(target_mediated_page()),
]
positive = st.floats(0.2, 5.0)


def curve(page: Page, parameters: dict[str, float], dose: Dose, tolerance: float) -> Floats:
    """The first output at TIMES."""
    after = advance(begin(page, parameters), [[dose]], [list(TIMES)], [TIMES[-1]], tolerance=tolerance)
    return after.seen[page.outputs[0].name][0]


@pytest.mark.parametrize("n", [1, 2, 3])
@settings(max_examples=25, deadline=None)
@given(
    clearance=positive,
    volume=positive,
    exchange=st.tuples(positive, positive),
    volumes=st.tuples(st.floats(1.0, 20.0), st.floats(1.0, 20.0)),
    ka=st.floats(5.0, 40.0),
    lag=st.floats(0.0, 0.3),
    fraction=st.floats(0.1, 1.0),
    duration=st.floats(0.02, 2.0),
    route=st.sampled_from(["IV", "SC", "infused"]),
)
def test_random_linear_kinetics_agree_with_closed_forms(
    n: int,
    clearance: float,
    volume: float,
    exchange: tuple[float, float],
    volumes: tuple[float, float],
    ka: float,
    lag: float,
    fraction: float,
    duration: float,
    route: str,
) -> None:
    """To 1e-6 at a tight tolerance and to 1e-4 at the shipped one, wherever a value exceeds 1e-4 of the largest."""
    q, v = np.array(exchange[: n - 1]), np.array(volumes[: n - 1])
    unit: Exponentials = mammillary(clearance, volume, q, v)
    gaps = np.abs(np.subtract.outer(np.append(unit.rates, ka), np.append(unit.rates, ka))) + np.eye(n + 1)
    assume(gaps.min() > 0.02)  # equal rates are the closed form's singularity, not the model's
    parameters = {"clearance_l_per_day": clearance, "central_volume_l": volume}
    parameters |= {f"exchange_{k + 1}_l_per_day": float(q[k]) for k in range(n - 1)}
    parameters |= {f"peripheral_{k + 1}_volume_l": float(v[k]) for k in range(n - 1)}
    parameters |= {"absorbed_per_day": ka}
    place = "depot" if route == "SC" else "central"
    parameters |= {f"{place}_lag_day": lag, f"{place}_fraction": fraction}
    dose = Dose(time_day=0.0, amount=100.0, route="SC" if route == "SC" else "IV")
    if route == "infused":
        dose = Dose(time_day=0.0, amount=100.0, route="IV", duration_day=duration)
        expected = unit.infusion(TIMES - lag, duration)
    else:
        expected = (unit.absorbed(ka) if route == "SC" else unit).bolus(TIMES - lag)
    expected = expected * 100.0 * fraction / volume
    assume(abs(TIMES - lag).min() > 1e-6)  # a look at the time of a dose sees the moment before
    big = expected > 1e-4 * expected.max()
    page = compartment_page(n, is_absorbed=True)
    for tolerance, bound in ((1e-9, 1e-6), (TOLERANCE, 1e-4)):
        assert curve(page, parameters, dose, tolerance)[big] == pytest.approx(expected[big], rel=bound)


@settings(max_examples=25, deadline=None)
@given(most=st.floats(1.0, 50.0), half=st.floats(0.5, 50.0), volume=positive)
def test_michaelis_menten_elimination_is_lamberts_function(most: float, half: float, volume: float) -> None:
    """C = KM·W(C₀/KM·exp((C₀ - VM·t/V)/KM)), with W of Lambert, after a bolus [schnell1997]."""
    page = compartment_page(1, elimination=Elimination.MICHAELIS_MENTEN)
    start = 20.0 / volume
    argument = start / half * np.exp((start - most / volume * TIMES) / half)
    expected = half * np.array([lambertw(float(x)).real for x in argument])
    parameters = {
        "saturable_max_ug_per_day": most,
        "saturable_half_ng_per_ml": half,
        "central_volume_l": volume,
    }
    big = expected > 1e-4 * start
    dose = Dose(time_day=0.0, amount=20.0, route="IV")
    for tolerance, bound in ((1e-9, 1e-6), (TOLERANCE, 1e-4)):
        assert curve(page, parameters, dose, tolerance)[big] == pytest.approx(expected[big], rel=bound)


@pytest.mark.parametrize("n", [1, 3, 6])
def test_transit_is_a_gamma_distributed_delay(n: int) -> None:
    """With ka = k the n + 2 compartments empty alike, and the amount in plasma is the incomplete gamma function
    D·(k/(k - ke))^(n + 2)·exp(-ke·t)·P(n + 2, (k - ke)·t).
    """
    page = compartment_page(1, is_absorbed=True, n_transit=n)
    k, ke = (n + 1) / 0.4, 0.5
    parameters = {"mean_transit_day": 0.4, "absorbed_per_day": k, "clearance_l_per_day": 5.0, "central_volume_l": 10.0}
    expected = 10.0 * (k / (k - ke)) ** (n + 2) * np.exp(-ke * TIMES) * gammainc(n + 2, (k - ke) * TIMES)
    big = expected > 1e-4 * expected.max()
    dose = Dose(time_day=0.0, amount=100.0, route="oral")
    for tolerance, bound in ((1e-9, 1e-6), (TOLERANCE, 1e-4)):
        assert curve(page, parameters, dose, tolerance)[big] == pytest.approx(expected[big], rel=bound)


def test_without_target_mediated_disposition_is_one_compartment() -> None:
    """No target made: a linear drug absorbed from a depot."""
    page = target_mediated_page()
    p = page.typical
    unit = mammillary(
        p["eliminated_per_day"] * p["central_volume_l"], p["central_volume_l"], np.array([]), np.array([])
    )
    expected = unit.absorbed(p["absorbed_per_day"]).bolus(TIMES) * 60.0 / p["central_volume_l"]
    seen = curve(page, {"target_made_nmol_per_l_day": 0.0}, Dose(time_day=0.0, amount=60.0, route="SC"), 1e-9)
    assert seen == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_every_page_of_the_library_rests_without_a_dose(page: Page) -> None:
    p = page.values({})
    start = Named(**{name: np.float64(value) for name, value in page.start(p).items()})
    rates = page.rates(0.0, start, p)
    assert [float(rates[state.name]) for state in page.states] == pytest.approx([0.0] * len(page.states), abs=1e-12)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_every_parameter_of_the_library_is_assumed_and_says_so(page: Page) -> None:
    trace(page)
    assert {str(parameter.status) for parameter in page.parameters} == {"assumed"}
    assert all(parameter.source and parameter.unit for parameter in page.parameters)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_no_parameter_of_the_library_may_be_negative_and_no_divisor_0(page: Page) -> None:
    for parameter in page.parameters:
        with pytest.raises(InvalidInput, match="outside its domain"):
            page.values({parameter.name: -1.0})
        if parameter.name.endswith(("_volume_l", "_half", "_half_ng_per_ml", "mean_transit_day", "maturation_day")):
            assert parameter.domain == "more than 0"
        if parameter.name == "effect_max":
            assert parameter.domain == ("0 or more" if "stimulates" in page.name else "0 to 1")


def test_pages_of_the_library_have_names_of_their_own() -> None:
    assert len({page.name for page in ALL}) == len(ALL)


def test_a_page_is_made_once() -> None:
    """So that its kernel is compiled once."""
    assert compartment_page(2) is compartment_page(2)


def test_compartments_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InvalidDesign, match="1, 2 or 3 compartments, got 4"):
        compartment_page(4)
    with pytest.raises(InvalidDesign, match="is_absorbed=True"):
        compartment_page(1, n_transit=3)


def test_a_stimulated_response_settles_where_production_and_loss_meet() -> None:
    """A constant infusion holds C, and R then rests at kin·(1 + Emax·C/(EC50 + C))/kout."""
    page = with_indirect_response(compartment_page(1), Effect.STIMULATES_PRODUCTION)
    p = page.typical
    dose = Dose(time_day=0.0, amount=5.0 * 400.0, route="IV", duration_day=400.0)  # C = 1 = EC50
    seen = advance(begin(page, {}), [[dose]], [[400.0]], [400.0], tolerance=1e-9).seen["response"][0]
    rest = p["response_made_per_day"] / p["response_lost_per_day"]
    assert seen == pytest.approx([rest * (1.0 + p["effect_max"] / 2.0)], rel=1e-6)
