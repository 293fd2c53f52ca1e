"""The IL-7 model against an independent implementation, and where closed forms exist.

Time: day 1 is the day of the first dose and t = 0, so study day n is t = n - 1. The independent script reads its day
29 at t = 29; here both are compared at the same t.
"""

import importlib.util
import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rehearsals import shared
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.page import Named
from sevenfold.mechanism.solve import Dose, advance, begin

Floats = NDArray[np.float64]

HIGH, LOW, INTRAVENOUS = (0, 3, 7, 10, 14, 17, 21, 24), (0, 3, 7, 14, 21), (0, 3, 7, 10, 14, 17)
SAME = {  # the script's name: (ours, from ours to its unit)
    "C": ("il7_ng_per_ml", 1.0),
    "CD4": ("cd4_per_ul", 1.0),
    "CD8": ("cd8_per_ul", 1.0),
    "ALC": ("alc_per_ul", 1.0),
    "Ki4": ("ki67_cd4_fraction", 100.0),
    "Ki8": ("ki67_cd8_fraction", 100.0),
    "r": ("cd127_fraction", 1.0),
    "act": ("hladr_fraction", 1.0),
}


@pytest.fixture(scope="module")
def independent() -> ModuleType:
    """The independent implementation, run at a tight tolerance (LSODA, rtol 1e-10)."""
    path = shared("reference", "il7_reference.py")
    spec = importlib.util.spec_from_file_location("il7_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loose: Any = vars(module)["solve_ivp"]
    vars(module)["solve_ivp"] = lambda *a, **k: loose(*a, **{**k, "rtol": 1e-10, "atol": 1e-12})
    return module


@pytest.mark.parametrize(
    ("doses", "route"),
    [((), "IM"), (HIGH, "IM"), (LOW, "IM"), (INTRAVENOUS, "IV")],
    ids=["placebo", "IM high", "IM low", "IV"],
)
def test_every_output_agrees_with_an_independent_implementation(
    independent: ModuleType, doses: tuple[int, ...], route: str
) -> None:
    """To 1e-4 at every time to day 60; the solver's tolerance bounds the difference."""
    free = json.loads(shared("reference", "il7_reference_parameters.json").read_text())
    other = independent.simulate(free, list(doses), route=route, tend=60.0)
    first = np.r_[True, np.diff(other["t"]) > 0]  # at a dose both print a value: the one before comes first
    times = other["t"][first]
    given = [Dose(time_day=float(day), amount=750.0, route=route) for day in doses]  # 10 µg/kg of 75 kg
    ours = advance(begin(il7_page(), {}), [given], [list(times)], [60.0]).seen
    after_start = slice(1, None) if doses else slice(None)  # its value at t = 0 is the one after the dose
    for name, (output, scale) in SAME.items():
        theirs = other[name][first][after_start]
        assert ours[output][0][after_start] * scale == pytest.approx(theirs, rel=1e-4), name


def test_health_is_at_rest() -> None:
    """Without sepsis every rate is zero at the healthy set point (closed form: that is how loss and production are
    set).
    """
    page = il7_page()
    healthy = {
        "inflammation_at_entry": 0.0,
        "pool_at_entry_fraction": 1.0,
        "septic_production_fraction": 1.0,
        "b_pool_at_entry_fraction": 1.0,
        "nk_pool_at_entry_fraction": 1.0,
        "nk_recovered_fraction": 1.0,
    }
    p = page.values(healthy)
    rates = page.rates(0.0, Named(**page.start(p)), p)
    scales = {state.name: state.scale for state in page.states}
    assert {name: float(rate) for name, rate in rates.items()} == pytest.approx(dict.fromkeys(scales, 0.0), abs=1e-12)


def linear_pharmacokinetics() -> dict[str, float]:
    """Parameters at which IL-7 is a linear two-compartment drug: no receptor, nothing endogenous."""
    return {"receptor_capacity_ug": 0.0, "endogenous_il7_ng_per_ml": 1e-12, "inflammation_at_entry": 0.0}


def two_compartments(t: Floats, route: str) -> Floats:
    """Concentration after 750 µg at t = 0: sums of exponentials, by the eigenvalues of the linear system."""
    v = il7_page().typical
    ka, k10 = v["absorbed_per_day"], v["clearance_l_per_day"] / v["central_volume_l"]
    k12, k21 = v["exchange_l_per_day"] / v["central_volume_l"], v["exchange_l_per_day"] / v["peripheral_volume_l"]
    total, product = k10 + k12 + k21, k10 * k21
    alpha, beta = (total + s * np.sqrt(total**2 - 4 * product) for s in (1.0, -1.0))
    alpha, beta = alpha / 2, beta / 2
    dose = 750.0 / v["central_volume_l"]
    if route == "IV":
        a, b = (k21 - alpha) / (beta - alpha), (k21 - beta) / (alpha - beta)
        return np.asarray(dose * (a * np.exp(-alpha * t) + b * np.exp(-beta * t)))
    f = v["bioavailable_fraction"]
    a = (k21 - alpha) / ((ka - alpha) * (beta - alpha))
    b = (k21 - beta) / ((ka - beta) * (alpha - beta))
    c = (k21 - ka) / ((alpha - ka) * (beta - ka))
    return np.asarray(f * dose * ka * (a * np.exp(-alpha * t) + b * np.exp(-beta * t) + c * np.exp(-ka * t)))


@pytest.mark.parametrize("route", ["IV", "IM", "SC"])
def test_without_receptor_the_kinetics_are_two_compartments(route: str) -> None:
    """Closed form; the threshold keeps the solver's error below 1e-4 down to a millionth of the peak."""
    times = np.array([0.01, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0])
    dose = [Dose(time_day=0.0, amount=750.0, route=route)]
    patients = begin(il7_page(), linear_pharmacokinetics())
    seen = advance(patients, [dose], [list(times)], [4.0], tolerance=1e-7).seen["il7_ng_per_ml"][0]
    assert seen == pytest.approx(two_compartments(times, route), rel=1e-4)


def test_an_infusion_is_the_integral_of_boluses() -> None:
    """Superposition: the kinetics without receptor are linear. 400 boluses stand for the integral (midpoint rule,
    1e-4).
    """
    patients = begin(il7_page(), linear_pharmacokinetics())
    infusion = [Dose(time_day=0.0, amount=750.0, route="IV", duration_day=0.5)]
    seen = advance(patients, [infusion], [[0.5, 1.0, 2.0]], [2.0], tolerance=1e-8).seen["il7_ng_per_ml"][0]
    middles = (np.arange(400) + 0.5) / 400 * 0.5
    added = np.array([two_compartments(t - middles, "IV").mean() for t in (0.5, 1.0, 2.0)])
    assert seen == pytest.approx(added, rel=3e-4)


def test_il7_raises_t_cells_and_leaves_b_and_nk_cells_alone() -> None:
    """What cohorts report: CD4 and CD8 rise, B and NK do not (Perales 2012, in evidence)."""
    doses = [Dose(time_day=float(day), amount=750.0, route="IM") for day in HIGH]
    treated, untreated = (advance(begin(il7_page(), {}), [d], [[28.0]], [28.0]).seen for d in (doses, []))
    for cell in ("cd4_per_ul", "cd8_per_ul", "alc_per_ul"):
        assert treated[cell][0][0] > 1.5 * untreated[cell][0][0]
    for cell in ("b_per_ul", "nk_per_ul"):
        assert treated[cell][0][0] == pytest.approx(untreated[cell][0][0], rel=1e-6)


def test_every_parameter_says_where_it_comes_from() -> None:
    for parameter in il7_page().parameters:
        assert parameter.source, parameter.name
        assert parameter.unit, parameter.name
        assert parameter.cv >= 0.0
