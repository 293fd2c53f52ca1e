"""Laws of records: what must hold whatever the doses are."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sevenfold.mechanism.compartments import Elimination, compartment_page
from sevenfold.mechanism.page import Page
from sevenfold.mechanism.records import follow_records, read_records

Floats = NDArray[np.float64]
Row = dict[str, Any]
LINEAR = compartment_page(2, is_absorbed=True)
SATURABLE = compartment_page(1, is_absorbed=True, elimination=Elimination.MICHAELIS_MENTEN)
LOOKS = [float(t) for t in (0, 1, 3, 6, 12, 13, 24, 30, 47, 48, 60, 72)]
OURS = {"depot_lag_day": 0.03, "depot_fraction": 0.7, "central_fraction": 0.9, "depot_rate_ug_per_day": 400.0}

doses = st.builds(
    lambda time, amt, cmt, rate, addl, ii: {
        "time": float(time), "amt": amt, "cmt": cmt, "rate": rate, "addl": addl, "ii": ii, "evid": 1,
    },
    time=st.integers(0, 40),
    amt=st.floats(1.0, 500.0),
    cmt=st.sampled_from([1, 2]),
    rate=st.sampled_from([0.0, 0.0, 20.0, -1.0, -2.0]),
    addl=st.integers(0, 3),
    ii=st.integers(8, 48).map(lambda quarters: quarters / 4.0),  # what is a look by one sum is one by another
)  # fmt: skip
regimens = st.lists(doses, min_size=1, max_size=4)


def seen(page: Page, rows: list[Row], **settings_: Any) -> Floats:
    """The drug at the looks; doses come before looks of their time."""
    return of_table(page, table(rows), **settings_)


def table(rows: list[Row], subject: str = "a") -> pl.DataFrame:
    empty: Row = {"amt": 0.0, "cmt": 1, "rate": 0.0, "addl": 0, "ii": 0.0, "ss": 0}
    looks = [{**empty, "time": t, "evid": 0} for t in LOOKS]
    ordered = sorted([*rows, *looks], key=lambda row: (row["time"], row["evid"] == 0))
    return pl.DataFrame([{**empty, **row, "id": subject} for row in ordered])


def of_table(page: Page, frame: pl.DataFrame, *, tolerance: float = 1e-9, unit: str = "h") -> Floats:
    followed = follow_records(read_records(frame, page, time_unit=unit), OURS, tolerance=tolerance)
    assert followed.failures == {}
    is_look = np.array(frame["evid"] == 0, dtype=bool)
    at_looks: Floats = followed.seen[page.outputs[0].name][is_look]
    return at_looks


@settings(max_examples=15, deadline=None)
@given(first=regimens, second=regimens)
def test_linear_kinetics_superpose(first: list[Row], second: list[Row]) -> None:
    total = seen(LINEAR, first + second)
    assert total == pytest.approx(seen(LINEAR, first) + seen(LINEAR, second), rel=1e-6, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(regimen=regimens, later=st.integers(1, 48))
def test_what_happens_later_happens_the_same(regimen: list[Row], later: int) -> None:
    frame = table(regimen)
    moved = frame.with_columns(pl.col("time") + float(later))
    assert of_table(SATURABLE, moved) == pytest.approx(of_table(SATURABLE, frame), rel=1e-6, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(first=regimens, second=regimens)
def test_a_table_split_by_subject_gives_the_same_bits(first: list[Row], second: list[Row]) -> None:
    a, b = table(first), table(second, "b")
    together = of_table(SATURABLE, pl.concat([a, b]), tolerance=1e-5)
    apart = [of_table(SATURABLE, frame, tolerance=1e-5) for frame in (a, b)]
    assert np.array_equal(together, np.concatenate(apart))


@settings(max_examples=10, deadline=None)
@given(regimen=regimens, time=st.integers(0, 72), cmt=st.sampled_from([1, 2]))
def test_doses_of_zero_change_no_bit(regimen: list[Row], time: int, cmt: int) -> None:
    """Against another event (evid 2) in its place: every record is a time that the solver meets exactly."""
    nothing: Row = {"time": float(time), "amt": 0.0, "cmt": cmt, "evid": 1}
    event = {**nothing, "evid": 2}
    assert np.array_equal(seen(SATURABLE, [*regimen, nothing]), seen(SATURABLE, [*regimen, event]))
    assert seen(SATURABLE, [*regimen, nothing]) == pytest.approx(seen(SATURABLE, regimen), rel=1e-6, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(regimen=regimens, order=st.randoms(use_true_random=False))
def test_doses_of_one_time_may_stand_in_any_order(regimen: list[Row], order: Any) -> None:
    together = [{**row, "time": 6.0} for row in regimen]
    shuffled = [*together]
    order.shuffle(shuffled)
    assert seen(SATURABLE, shuffled) == pytest.approx(seen(SATURABLE, together), rel=1e-6, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(regimen=regimens)
def test_further_doses_are_doses_written_out(regimen: list[Row]) -> None:
    written = [
        {**row, "time": row["time"] + k * row["ii"], "addl": 0}
        for row in regimen
        for k in range(1 + row["addl"])
        if row["time"] + k * row["ii"] <= LOOKS[-1]
    ]
    assert seen(SATURABLE, written) == pytest.approx(seen(SATURABLE, regimen), rel=1e-6, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(before=regimens, after=doses, evid=st.sampled_from([3, 4]))
def test_after_a_reset_nothing_of_before_is_left(before: list[Row], after: Row, evid: int) -> None:
    """A reset, and a reset with a dose, begin a patient anew."""
    again = {**after, "time": 45.0, "evid": 4}
    reset: list[Row] = [{"time": 45.0, "amt": 0.0, "evid": 3}] if evid == 3 else []
    tail = [*reset, {**again, "evid": 1 if evid == 3 else 4}]
    late = np.array(LOOKS) >= 45.0
    anew = seen(SATURABLE, [again])
    assert np.array_equal(seen(SATURABLE, [*before, *tail])[late], anew[late])
    assert np.all(anew[~late] == 0.0)


@settings(max_examples=10, deadline=None)
@given(regimen=regimens)
def test_hours_and_days_say_the_same(regimen: list[Row]) -> None:
    frame = table(regimen)
    days = frame.with_columns(
        pl.col("time") / 24.0,
        pl.col("ii") / 24.0,
        pl.when(pl.col("rate") > 0.0).then(pl.col("rate") * 24.0).otherwise(pl.col("rate")).alias("rate"),
    )
    assert of_table(SATURABLE, days, unit="day") == pytest.approx(of_table(SATURABLE, frame), rel=1e-6, abs=1e-9)


def test_records_of_one_time_happen_in_the_order_of_the_table() -> None:
    """A look above a dose sees the moment before it, one below it the moment after."""
    rows = [(0.0, 0, 0.0), (0.0, 1, 100.0), (0.0, 0, 0.0), (0.0, 1, 50.0), (0.0, 0, 0.0)]
    frame = pl.DataFrame([{"id": 1, "time": t, "evid": e, "amt": a, "cmt": "IV"} for t, e, a in rows])
    followed = follow_records(read_records(frame, compartment_page(1)))
    assert followed.seen["drug_ng_per_ml"].tolist() == [0.0, 10.0, 10.0, 15.0, 15.0]


def test_a_dose_that_falls_due_comes_before_a_record_of_its_time() -> None:
    """Further and lagged doses: the record shows what is there after them, as NONMEM does."""
    rows = [
        {"id": 1, "time": 0.0, "amt": 100.0, "addl": 1, "ii": 24.0},
        {"id": 1, "time": 24.0},
        {"id": 1, "time": 37.0},
    ]
    page = compartment_page(1)
    frame = pl.DataFrame(rows)
    followed = follow_records(read_records(frame, page, time_unit="h"), {"clearance_l_per_day": 0.0})
    assert followed.seen["drug_ng_per_ml"].tolist() == [10.0, 20.0, 20.0]
    late = {"clearance_l_per_day": 0.0, "central_lag_day": 13.0 / 24.0}
    followed = follow_records(read_records(frame, page, time_unit="h"), late)
    assert followed.seen["drug_ng_per_ml"].tolist() == [0.0, 10.0, 20.0]


@pytest.mark.parametrize(("rate", "fraction", "lasts"), [(50.0, 0.5, 1.0), (-1.0, 0.5, 1.0), (-2.0, 0.5, 2.0)])
def test_a_smaller_share_shortens_an_infusion_or_slows_it(rate: float, fraction: float, lasts: float) -> None:
    """Half of 100 µg at 50 µg/day takes 1 day for 2; over the model's 2 days it comes at 25 µg/day."""
    parameters = {
        "clearance_l_per_day": 0.0,
        "central_volume_l": 1.0,
        "central_fraction": fraction,
        "central_rate_ug_per_day": 50.0,
        "central_duration_day": 2.0,
    }
    amount = 100.0 * lasts
    if rate == -2.0:
        amount = 100.0
    frame = pl.DataFrame(
        [{"id": 1, "time": 0.0, "amt": amount, "rate": rate}, *({"id": 1, "time": t} for t in (6.0, 48.0))]
    )
    seen_ = follow_records(read_records(frame, compartment_page(1)), parameters, tolerance=1e-9).seen["drug_ng_per_ml"]
    assert seen_ == pytest.approx([0.0, fraction * amount * min(6.0 / lasts, 1.0), fraction * amount], rel=1e-6)


def test_time_may_begin_again_at_a_reset() -> None:
    rows: list[Row] = [{"id": 1, "time": 0.0, "evid": 1, "amt": 100.0}, {"id": 1, "time": 9.0, "evid": 0, "amt": 0.0}]
    again = [{**row, "evid": 4 if row["evid"] == 1 else 0} for row in rows]
    followed = follow_records(read_records(pl.DataFrame([*rows, *again]), compartment_page(1)))
    first, second = np.split(followed.seen["drug_ng_per_ml"], 2)
    assert np.array_equal(first, second)
