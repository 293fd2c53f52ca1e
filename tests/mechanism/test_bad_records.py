"""A record that means nothing is refused, with its row, subject and column; nothing that was given is passed over."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sevenfold.errors import InvalidInput
from sevenfold.mechanism.compartments import compartment_page
from sevenfold.mechanism.il7 import il7_page
from sevenfold.mechanism.records import follow_records, read_records

PAGE = compartment_page(2, is_absorbed=True)
DOSE: dict[str, Any] = {
    "id": "7", "time": 0.0, "amt": 100.0, "cmt": 2, "evid": 1, "ii": 0.0, "addl": 0, "ss": 0, "rate": 0.0,
}  # fmt: skip
LOOK = {**DOSE, "time": 5.0, "amt": 0.0, "evid": 0}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amt": -5.0}, "row 1, subject 7, amt: found -5; a dose is 0 or more"),
        ({"time": -1.0}, "row 1, subject 7, time: found -1; times are counted from the start"),
        ({"time": None}, "row 1, subject 7, time: empty"),
        ({"time": 9.0}, "row 2, subject 7, time: found 5 after 9; sort a subject's records by time"),
        ({"evid": 5}, "evid: found 5; 0 looks, 1 doses"),
        ({"cmt": 9}, r"cmt: found 9; .* doses enter 1 \(depot_ug\), 2 \(central_ug\), or by route: oral, SC, IM, IV"),
        ({"cmt": -2}, "cmt: found -2"),
        ({"cmt": 3}, "cmt: found 3, peripheral_1_ug, which no dose enters"),
        ({"ii": -12.0}, "ii: found -12; an interval is 0 or more"),
        ({"addl": -1}, "addl: found -1; give a whole number"),
        ({"addl": 1.5, "ii": 12.0}, "addl: found 1.5; give a whole number"),
        ({"addl": 3}, "ii: 0 with addl 3; further doses need an interval"),
        ({"ss": 3, "ii": 12.0}, "ss: found 3"),
        ({"ss": 1}, "ii: 0 with ss 1; give the interval, or amt 0 and a rate"),
        ({"ss": 1, "ii": 12.0, "amt": 0.0}, "amt: 0 with ss 1, ii 12; give the dose"),
        ({"ss": 1, "amt": 0.0, "rate": -2.0}, "rate: found -2 in a constant infusion"),
        ({"rate": -3.0}, "rate: found -3; give 0 for a bolus"),
        ({"rate": 10.0, "amt": 0.0}, "amt: 0 with rate 10; give an infusion's amount"),
        ({"evid": 0}, "amt: found 100 with evid 0, which gives nothing"),
        ({"evid": 3}, "amt: found 100 with evid 3"),
        ({"evid": 2, "amt": 0.0, "rate": 4.0}, "rate: found 4 with evid 2"),
        ({"amt": "lots"}, "row 1, subject 7, amt: found 'lots'; give a number"),
        ({"amt": float("inf")}, "amt: found inf; give a number"),
        ({"id": None}, "row 1, subject , id: empty; every record needs a subject"),
    ],
)
def test_a_record_that_means_nothing_is_refused(change: dict[str, Any], says: str) -> None:
    rows = [{**DOSE, **change}, LOOK]
    frame = pl.DataFrame(rows, strict=False, infer_schema_length=None)
    if isinstance(change.get("amt"), str):
        frame = pl.DataFrame([{name: str(cell) for name, cell in row.items()} for row in rows])
    with pytest.raises(InvalidInput, match=says):
        read_records(frame, PAGE)


def test_an_unknown_compartment_by_name() -> None:
    frame = pl.DataFrame([{**DOSE, "cmt": "liver"}, {**LOOK, "cmt": ""}])
    with pytest.raises(InvalidInput, match="found liver; 'compartments_2_absorbed' has no such compartment"):
        read_records(frame, PAGE)


def test_a_compartment_may_be_a_number_a_name_or_a_route() -> None:
    for cell, entry in (("1", 0), ("SC", 1), ("sc", 1), ("depot_ug", 0), ("2", 3), ("IV", 3), (".", 0), ("0", 0)):
        assert read_records(pl.DataFrame([{**DOSE, "cmt": cell}]), PAGE).entry.tolist() == [entry]


def test_a_modelled_rate_wants_a_model_of_it() -> None:
    for rate, what in ((-1.0, "rate"), (-2.0, "duration")):
        with pytest.raises(InvalidInput, match=f"found {rate:g}; 'il7' has no parameter for the {what} by IM"):
            read_records(pl.DataFrame([{**DOSE, "rate": rate, "cmt": "IM"}]), il7_page())


def test_subjects_stand_together() -> None:
    rows = [DOSE, {**DOSE, "id": "8"}, LOOK]
    with pytest.raises(InvalidInput, match="row 3, subject 7, id: this subject's records stood above already"):
        read_records(pl.DataFrame(rows), PAGE)


def test_all_faults_are_told_at_once() -> None:
    rows = [{**DOSE, "id": str(k), "amt": -1.0} for k in range(13)]
    with pytest.raises(InvalidInput, match=r"13 faults.*\n  row 1, subject 0(.*\n){10}  and 3 more\.") as caught:
        read_records(pl.DataFrame(rows), PAGE)
    assert "row 10, subject 9" in str(caught.value)


def test_tables_that_are_none() -> None:
    with pytest.raises(InvalidInput, match="no column 'time'; it has: id, amt"):
        read_records(pl.DataFrame({"id": [1], "amt": [2.0]}), PAGE)
    with pytest.raises(InvalidInput, match="no rows"):
        read_records(pl.DataFrame({"id": [], "time": []}), PAGE)
    with pytest.raises(InvalidInput, match="parameter of the model that no dose has of its own"):
        read_records(pl.DataFrame([{**DOSE, "clearance_l_per_day": 3.0}]), PAGE)
    with pytest.raises(InvalidInput, match="Unit 'fortnight' is not known"):
        read_records(pl.DataFrame([DOSE]), PAGE, time_unit="fortnight")
    with pytest.raises(InvalidInput, match="column 'time' twice"):
        read_records(pl.DataFrame([{**DOSE, "TIME": 3.0}]), PAGE)


@pytest.mark.parametrize(
    ("record", "parameters", "says"),
    [
        ({}, {"central_lag_day": -1.0}, "row 1, subject 7, central_lag_day: found -1; give 0 or more"),
        ({}, {"central_fraction": -0.1}, "central_fraction: found -0.1"),
        ({"rate": -1.0}, {"central_rate_ug_per_day": 0.0}, "central_rate_ug_per_day: found 0; give a positive number"),
        ({"rate": -2.0}, {"central_duration_day": 0.0}, "central_duration_day: found 0; give a positive number"),
    ],
)
def test_a_dose_that_cannot_arrive_is_refused(record: dict[str, Any], parameters: dict[str, float], says: str) -> None:
    """From a column of the table, by its row; from the model, by the parameter's domain."""
    with pytest.raises(InvalidInput, match=f"The parameter '{next(iter(parameters))}' is .* outside its domain"):
        follow_records(read_records(pl.DataFrame([{**DOSE, **record}, LOOK]), PAGE), parameters)
    with pytest.raises(InvalidInput, match=says):
        follow_records(read_records(pl.DataFrame([{**DOSE, **record, **parameters}, LOOK]), PAGE))


def test_a_file_reads_as_its_frame_does(tmp_path: Path) -> None:
    """Upper case, points and empty cells, columns that are not ours."""
    path = tmp_path / "doses.csv"
    path.write_text("C,ID,TIME,AMT,CMT,II,ADDL,DV\n.,1,0,100,2,12,2,.\n.,1,0.5,.,.,,,12.3\n.,1,30,.,.,,,1.1\n")
    rows = [{"id": 1, "time": 0.0, "amt": 100.0, "cmt": 2, "ii": 12.0, "addl": 2}]
    rows += [{"id": 1, "time": t, "amt": 0.0, "cmt": 0, "ii": 0.0, "addl": 0} for t in (0.5, 30.0)]
    of_file, of_frame = (
        follow_records(read_records(source, PAGE, time_unit="h")) for source in (path, pl.DataFrame(rows))
    )
    assert of_file.frame()["drug_ng_per_ml"].equals(of_frame.frame()["drug_ng_per_ml"])
    assert of_file.frame().columns == [*path.read_text().split("\n")[0].split(","), "drug_ng_per_ml", "status"]
    assert set(of_file.frame()["status"]) == {"OK"}


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.csv cannot be read as a table of records"):
        read_records("nowhere.csv", PAGE)
