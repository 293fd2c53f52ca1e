"""Scores and doses by their published definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.protocol.load import load
from sevenfold.protocol.treatment import Route
from sevenfold.rules.dosing import interruptions, route_for, volume_for
from sevenfold.rules.sofa import ORGANS, sofa

IRIS_7 = load("iris-7").protocol


@pytest.mark.parametrize(
    ("organ", "values", "points"),
    [
        ("respiration", {"pao2_fio2": 400.0, "ventilated": 0.0}, 0),
        ("respiration", {"pao2_fio2": 399.0, "ventilated": 0.0}, 1),
        ("respiration", {"pao2_fio2": 150.0, "ventilated": 0.0}, 2),
        ("respiration", {"pao2_fio2": 150.0, "ventilated": 1.0}, 3),
        ("respiration", {"pao2_fio2": 99.0, "ventilated": 1.0}, 4),
        ("coagulation", {"platelets": 150_000.0}, 0),
        ("coagulation", {"platelets": 149_000.0}, 1),
        ("coagulation", {"platelets": 19_000.0}, 4),
        ("liver", {"bilirubin": 1.1}, 0),
        ("liver", {"bilirubin": 2.0}, 2),
        ("liver", {"bilirubin": 12.1}, 4),
        ("circulation", {"mean_arterial_pressure": 70.0}, 0),
        ("circulation", {"mean_arterial_pressure": 69.0}, 1),
        ("circulation", {"mean_arterial_pressure": 80.0, "norepinephrine_rate": 0.1}, 3),
        ("circulation", {"mean_arterial_pressure": 80.0, "norepinephrine_rate": 0.11}, 4),
        ("nervous system", {"gcs": 15.0}, 0),
        ("nervous system", {"gcs": 13.0}, 1),
        ("nervous system", {"gcs": 10.0}, 2),
        ("nervous system", {"gcs": 6.0}, 3),
        ("nervous system", {"gcs": 5.0}, 4),
        ("kidney", {"creatinine": 1.1}, 0),
        ("kidney", {"creatinine": 3.5}, 3),
        ("kidney", {"creatinine": 1.0, "urine_output": 450.0}, 3),
        ("kidney", {"creatinine": 1.0, "urine_output": 150.0}, 4),
    ],
)
def test_sofa_is_that_of_vincent_1996(organ: str, values: dict[str, float], points: int) -> None:
    assert sofa(values).organs[organ] == points


def test_sofa_without_an_organ_has_no_total() -> None:
    assert sofa({}).total is None
    assert set(sofa({}).organs) == set(ORGANS)


def test_the_route_follows_the_latest_values() -> None:
    """IM becomes SC at INR above 2.5 or platelets below 35 000/µL; not at the limits, and not where nothing is
    known.
    """
    assert route_for(IRIS_7, Route.IM, {"inr": 2.6}) is Route.SC
    assert route_for(IRIS_7, Route.IM, {"platelets": 34_000.0}) is Route.SC
    assert route_for(IRIS_7, Route.IM, {"inr": 2.5, "platelets": 35_000.0}) is Route.IM
    assert route_for(IRIS_7, Route.IM, {}) is Route.IM


@given(weight=st.floats(35, 250))
def test_the_volume_is_that_of_ten_micrograms_per_kilogram(weight: float) -> None:
    """2 mg/mL; the syringe shows hundredths of a millilitre, so half of one is the most it is off."""
    injected = volume_for(IRIS_7, 1, weight, {})
    assert injected.dose_ug == pytest.approx(10.0 * weight, abs=0.005 * 2000.0 + 1e-9)
    assert injected.volume_ml == round(injected.volume_ml, 2)


def test_a_cap_limits_the_dose() -> None:
    dosing = IRIS_7.dosing.model_copy(update={"cap_ug": 800.0})
    assert volume_for(IRIS_7.model_copy(update={"dosing": dosing}), 1, 120.0, {}).dose_ug == pytest.approx(800.0)


def test_a_masked_rule_is_not_an_open_one() -> None:
    high = {"alc": 2.5 * IRIS_7.reference_ranges["alc"].upper + 1}
    assert [one.id for one in interruptions(IRIS_7, high, masked=True)] == ["count above 2.5 x ULN"]
    assert interruptions(IRIS_7, high, masked=False) == ()
