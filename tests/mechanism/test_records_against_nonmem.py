"""What records mean: 54 scenarios of doses, with what NONMEM 7.4.3 computed, to the five digits that it printed."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from rehearsals import shared
from sevenfold.mechanism.compartments import compartment_page
from sevenfold.mechanism.records import Followed, SteadyStatus, follow_records, read_records
from sevenfold.mechanism.solve import SolverStatus

Floats = NDArray[np.float64]
SCENARIOS = (
    *range(1, 27), 102, 109, 110, 111, 125, 210, 211, 225, 310, 311, 325, 409, 410, 411, 415, 425, 509, 510, 525,
    609, 610, 625, 709, 725, 809, 825, 909, 1009,
)  # fmt: skip
PARAMETERS = {"clearance_l_per_day": 1.1 * 24.0, "central_volume_l": 20.0, "absorbed_per_day": 1.5 * 24.0}
LONGER_THAN_AN_INTERVAL = {409, 410, 411, 415, 509, 510, 610, 709, 809, 825, 909, 1009}


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """The scenarios, with the parameters of doses into the central compartment under our names."""
    text = pl.read_csv(shared("datasets", "nlme", "nmtest.csv"), infer_schema=False)
    number = text.with_columns(pl.all().cast(pl.Float64)).with_columns(pl.col("id").cast(pl.Int64))
    return number.with_columns(
        central_lag_day=pl.col("lagt") / 24.0,
        central_fraction=pl.col("bioav"),
        central_rate_ug_per_day=pl.when(pl.col("rat2") > 0.0).then(pl.col("rat2") * 24.0),
        central_duration_day=pl.when(pl.col("dur2") > 0.0).then(pl.col("dur2") / 24.0),
    )


@pytest.fixture(scope="module")
def followed(table: pl.DataFrame) -> Followed:
    return follow_records(
        read_records(table, compartment_page(1, is_absorbed=True), time_unit="h"), PARAMETERS, tolerance=1e-9
    )


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_digit_that_nonmem_printed(table: pl.DataFrame, followed: Followed, scenario: int) -> None:
    """Half a unit of the last digit, and a thousandth of it for the solver."""
    rows = (table["id"] == scenario).to_numpy()
    ours, theirs = 1000.0 * followed.seen["drug_ng_per_ml"][rows], table["cp"].to_numpy()[rows]
    is_zero = theirs == 0.0
    digit = 10.0 ** (np.floor(np.log10(np.abs(np.where(is_zero, 1.0, theirs)))) - 4.0)
    assert np.max(np.abs(ours - theirs)[~is_zero] / digit[~is_zero]) < 0.5005
    assert np.all(ours[is_zero] == 0.0)


def test_the_scenarios_are_all_there(table: pl.DataFrame) -> None:
    assert tuple(table["id"].unique(maintain_order=True)) == SCENARIOS


def test_the_steady_states_that_are_run_backwards_say_so(followed: Followed) -> None:
    """Those whose lag is longer than the interval, some of which NONMEM prints below zero."""
    assert followed.failures == {}
    backwards = {
        int(followed.records.subjects[subject])
        for subject, status in zip(followed.records.subject, followed.steady, strict=True)
        if status is SteadyStatus.EXTRAPOLATED
    }
    assert backwards == LONGER_THAN_AN_INTERVAL


def test_at_the_shipped_tolerance_values_agree_to_a_tenth_of_a_permille(table: pl.DataFrame) -> None:
    records = read_records(table, compartment_page(1, is_absorbed=True), time_unit="h")
    followed = follow_records(records, PARAMETERS)
    ours, theirs = 1000.0 * followed.seen["drug_ng_per_ml"], table["cp"].to_numpy()
    assert set(followed.status) == {SolverStatus.OK}
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-9)
