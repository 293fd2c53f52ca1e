"""SOFA-2 at every limit of its table, and SOFA's other drugs."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.rules.sofa import Sofa, sofa
from sevenfold.rules.sofa_2 import ORGANS_2, sofa_2


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ({"mean_arterial_pressure": 60.0}, 1),
        ({"dobutamine_rate": 3.0}, 2),
        ({"dopamine_rate": 5.0}, 2),
        ({"dopamine_rate": 5.1}, 3),
        ({"dopamine_rate": 15.0}, 3),
        ({"dopamine_rate": 15.1}, 4),
        ({"epinephrine_rate": 0.1}, 3),
        ({"epinephrine_rate": 0.11}, 4),
        ({"norepinephrine_rate": 0.05, "dopamine_rate": 16.0}, 4),
        ({"norepinephrine_rate": 0.0, "mean_arterial_pressure": 75.0}, 0),
    ],
)
def test_circulation_of_1996_counts_every_drug_of_its_table(values: dict[str, float], points: int) -> None:
    """Vincent et al. 1996, table: dopamine, dobutamine, epinephrine and norepinephrine, for an hour or more."""
    assert sofa({"mean_arterial_pressure": 80.0, **values}).organs["circulation"] == points


@pytest.mark.parametrize(
    ("organ", "values", "points"),
    [
        ("brain", {"gcs": 15.0}, 0),
        ("brain", {"gcs": 15.0, "delirium_drug": 1.0}, 1),
        ("brain", {"gcs": 14.0}, 1),
        ("brain", {"gcs": 13.0}, 1),
        ("brain", {"gcs": 12.0}, 2),
        ("brain", {"gcs": 9.0, "delirium_drug": 1.0}, 2),
        ("brain", {"gcs": 8.0}, 3),
        ("brain", {"gcs": 6.0}, 3),
        ("brain", {"gcs": 5.0}, 4),
        ("respiration", {"pao2_fio2": 301.0}, 0),
        ("respiration", {"pao2_fio2": 300.0}, 1),
        ("respiration", {"pao2_fio2": 225.0}, 2),
        ("respiration", {"pao2_fio2": 150.0}, 2),
        ("respiration", {"pao2_fio2": 150.0, "advanced_respiratory_support": 1.0}, 3),
        ("respiration", {"pao2_fio2": 75.0, "ventilated": 1.0}, 4),
        ("respiration", {"pao2_fio2": 75.0}, 2),
        ("respiration", {"ecmo_respiratory": 1.0}, 4),
        ("respiration", {"spo2_fio2": 301.0}, 0),
        ("respiration", {"spo2_fio2": 250.0}, 2),
        ("respiration", {"spo2_fio2": 200.0, "ventilated": 1.0}, 3),
        ("respiration", {"spo2_fio2": 120.0, "ventilated": 1.0}, 4),
        ("circulation", {"mean_arterial_pressure": 70.0}, 0),
        ("circulation", {"mean_arterial_pressure": 69.0}, 1),
        ("circulation", {"norepinephrine_rate": 0.1, "epinephrine_rate": 0.1}, 2),
        ("circulation", {"norepinephrine_rate": 0.21}, 3),
        ("circulation", {"norepinephrine_rate": 0.4}, 3),
        ("circulation", {"norepinephrine_rate": 0.41}, 4),
        ("circulation", {"norepinephrine_rate": 0.2, "other_vasoactive": 1.0}, 3),
        ("circulation", {"norepinephrine_rate": 0.3, "other_vasoactive": 1.0}, 4),
        ("circulation", {"other_vasoactive": 1.0, "mean_arterial_pressure": 90.0}, 2),
        ("circulation", {"dopamine_rate": 20.0}, 2),
        ("circulation", {"dopamine_rate": 40.0}, 3),
        ("circulation", {"dopamine_rate": 41.0}, 4),
        ("circulation", {"mechanical_circulatory_support": 1.0}, 4),
        ("liver", {"bilirubin": 1.2}, 0),
        ("liver", {"bilirubin": 3.0}, 1),
        ("liver", {"bilirubin": 6.0}, 2),
        ("liver", {"bilirubin": 12.0}, 3),
        ("liver", {"bilirubin": 12.1}, 4),
        ("kidney", {"creatinine": 1.2}, 0),
        ("kidney", {"creatinine": 2.0}, 1),
        ("kidney", {"creatinine": 3.5}, 2),
        ("kidney", {"creatinine": 3.6}, 3),
        ("kidney", {"creatinine": 1.0, "urine_6h": 0.49, "urine_12h": 0.5}, 1),
        ("kidney", {"creatinine": 1.0, "urine_12h": 0.49}, 2),
        ("kidney", {"creatinine": 1.0, "urine_24h": 0.29}, 3),
        ("kidney", {"creatinine": 1.0, "urine_12h": 0.0}, 3),
        ("kidney", {"renal_replacement": 1.0}, 4),
        ("kidney", {"creatinine": 1.3, "potassium": 6.0}, 4),
        ("kidney", {"creatinine": 1.2, "potassium": 6.0}, 0),
        ("kidney", {"creatinine": 1.3, "ph": 7.2, "bicarbonate": 12.0}, 4),
        ("kidney", {"creatinine": 1.3, "ph": 7.2, "bicarbonate": 12.1}, 1),
        ("kidney", {"creatinine": 1.0, "urine_6h": 0.2, "potassium": 6.1}, 4),
        ("haemostasis", {"platelets": 150_001.0}, 0),
        ("haemostasis", {"platelets": 150_000.0}, 1),
        ("haemostasis", {"platelets": 100_000.0}, 2),
        ("haemostasis", {"platelets": 80_000.0}, 3),
        ("haemostasis", {"platelets": 50_000.0}, 4),
    ],
)
def test_sofa_2_is_that_of_ranzani_2025(organ: str, values: dict[str, float], points: int) -> None:
    """Ranzani et al. 2025, table and footnotes, as three public transcriptions give them alike."""
    assert sofa_2(values).organs[organ] == points


def test_sofa_2_without_a_measurement_has_no_points_there_and_no_total() -> None:
    assert set(sofa_2({}).organs) == set(ORGANS_2)
    assert set(sofa_2({}).organs.values()) == {None}
    assert sofa_2({"gcs": 15.0}).total is None


WHOLE = {
    "gcs": 15.0, "pao2_fio2": 400.0, "mean_arterial_pressure": 80.0, "bilirubin": 1.0, "creatinine": 1.0,
    "platelets": 2e5, "ventilated": 1.0, "urine_output": 1500.0,
}  # fmt: skip


@pytest.mark.parametrize("score", [sofa, sofa_2])
@pytest.mark.parametrize("name", ["gcs", "pao2_fio2", "mean_arterial_pressure", "bilirubin", "platelets"])
def test_what_is_not_a_number_is_missing(score: Callable[[Mapping[str, float]], Sofa], name: str) -> None:
    """Arrays say missing by nan; no comparison with it holds, so it would score as the healthiest value."""
    without = {key: value for key, value in WHOLE.items() if key != name}
    assert score({**WHOLE, name: nan}).organs == score(without).organs
    assert score({**WHOLE, name: nan}).total is None


WORSE = {"gcs": -1, "pao2_fio2": -1, "mean_arterial_pressure": -1, "bilirubin": 1, "creatinine": 1, "platelets": -1}


@pytest.mark.parametrize("score", [sofa, sofa_2])
@given(name=st.sampled_from(sorted(WORSE)), steps=st.lists(st.floats(0.0, 1.0), min_size=2, max_size=8))
def test_points_never_fall_as_a_value_worsens(
    score: Callable[[Mapping[str, float]], Sofa], name: str, steps: list[float]
) -> None:
    span = {"gcs": 12.0, "pao2_fio2": 380.0, "mean_arterial_pressure": 60.0, "bilirubin": 25.0, "creatinine": 9.0,
            "platelets": 2e5}[name]  # fmt: skip
    scored = [score({**WHOLE, name: WHOLE[name] + WORSE[name] * step * span}).total for step in sorted(steps)]
    totals = [total for total in scored if total is not None]
    assert len(totals) == len(steps)
    assert all(a <= b for a, b in pairwise(totals))
    assert all(0 <= total <= 24 for total in totals)
