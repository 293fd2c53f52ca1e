"""Geometric means against R's t.test on logarithms, closed forms and their laws."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.analysis.effect import Status
from sevenfold.analysis.geometric import geometric_mean, geometric_mean_ratio, paired_ratio
from sevenfold.errors import InvalidInput, NotConverged

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/analysis/analysis.json").read_text())
DATA = {name: np.array(column) for name, column in REFERENCE["ancova"]["data"].items()}
LOW, PLACEBO = DATA["arm"] == "low", DATA["arm"] == "placebo"


def test_ratio_of_two_groups_agrees_with_r() -> None:
    """R 4.2.2 t.test (Welch) on logs, 15 digits printed."""
    known = REFERENCE["geometric"]
    found = geometric_mean_ratio(DATA["count"][LOW], DATA["count"][PLACEBO], names=("low", "placebo"))
    ratio = found.ratio()
    assert [ratio.estimate, ratio.interval.lower, ratio.interval.upper] == pytest.approx(known["welch"], rel=1e-10)
    assert found.effect.df == pytest.approx(known["welch_df"], rel=1e-11)
    assert found.effect.p_value == pytest.approx(known["welch_p"], rel=1e-9)


def test_paired_ratio_agrees_with_r() -> None:
    """R 4.2.2 t.test(paired = TRUE) on logs."""
    known = REFERENCE["geometric"]
    found = paired_ratio(DATA["count"][LOW], DATA["base"][LOW])
    ratio = found.ratio()
    assert [ratio.estimate, ratio.interval.lower, ratio.interval.upper] == pytest.approx(known["paired"], rel=1e-10)
    assert found.effect.p_value == pytest.approx(known["paired_p"], rel=1e-9)


def test_geometric_mean_of_1_10_100_is_10() -> None:
    """Closed form, with t(2) = 4.30265 (printed tables) for the interval."""
    found = geometric_mean([1.0, 10.0, 100.0])
    assert found.ratio().estimate == pytest.approx(10.0, rel=1e-14)
    assert found.ratio().interval.upper == pytest.approx(10 * 10 ** (4.30265 / np.sqrt(3)), rel=1e-4)


def test_values_without_a_logarithm_are_named_or_floored() -> None:
    """Every value below the floor becomes it, so that their order stays."""
    values = [5.0, 0.0, 20.0, -1.0, 2.0]
    with pytest.raises(InvalidInput, match=r"lymphocytes has 2 values that are not positive, at positions 1, 3"):
        geometric_mean(values, name="lymphocytes")
    found = geometric_mean(values, floor=4.0)
    assert (found.n, found.n_floored) == (5, 3)
    assert found.ratio().estimate == pytest.approx((5 * 4 * 20 * 4 * 4) ** 0.2, rel=1e-14)
    with pytest.raises(InvalidInput, match="positive limit"):
        geometric_mean(values, floor=0.0)


@pytest.mark.parametrize(("values", "status"), [([3.0], Status.TOO_FEW), ([3.0, 3.0], Status.NOT_ESTIMABLE)])
def test_without_spread_there_is_a_status(values: list[float], status: Status) -> None:
    """Nothing becomes nan."""
    for found in (geometric_mean(values), geometric_mean_ratio(values, values), paired_ratio(values, values)):
        assert found.fit.status is status
        with pytest.raises(NotConverged):
            found.ratio()


positive = st.lists(st.floats(0.01, 1000), min_size=2, max_size=12)


@given(a=positive, b=positive, scale=st.floats(0.01, 100))
def test_swapping_inverts_and_a_unit_cancels(a: list[float], b: list[float], scale: float) -> None:
    """Laws of the ratio."""
    found = geometric_mean_ratio(a, b)
    if not found.fit.is_ok or found.effect.se < 1e-9:
        assert np.std(a) + np.std(b) < 1e-6 * (np.max(a) + np.max(b))
    else:
        swapped, scaled = geometric_mean_ratio(b, a), geometric_mean_ratio(scale * np.array(a), scale * np.array(b))
        assert swapped.ratio().estimate == pytest.approx(1 / found.ratio().estimate, rel=1e-10)
        assert scaled.ratio().interval.lower == pytest.approx(found.ratio().interval.lower, rel=1e-6)
