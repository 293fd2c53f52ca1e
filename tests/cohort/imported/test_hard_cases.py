"""Somebody's tables that look readable and are not what they seem: nothing is guessed and nobody counts as well."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from imported_trial import MAPPING, PEOPLE, PROTOCOL, Labs, labs, read

from sevenfold.cohort.cohort import Cohort
from sevenfold.cohort.from_frame import from_frame
from sevenfold.cohort.imported.account import Account
from sevenfold.cohort.imported.mapping import load_mapping
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import parse
from sevenfold.protocol.protocol import Protocol

LEFT_OUT = MAPPING.replace("format: 1\n", "format: 1\ntrouble: leave out\n", 1)
RELAPSE = LEFT_OUT + "events: [{event: relapse, file: relapse, day: DAY%s}]\n"
SAYS_WHETHER = ", happened: {column: HAPPENED, values: {Y: true, N: false}}"


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return parse(PROTOCOL, "small.yaml").protocol


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.append(["PO", "w4", "27", "900", "cells/uL"]), "subject PO.*column 'ID'.*does not know it"),
        (lambda r: r.append(["", "w4", "27", "900", "cells/uL"]), "no name of a subject"),
        (lambda r: r[1].__setitem__(3, "1e999"), "too large a number"),
        (lambda r: r[1].__setitem__(2, "1e999"), "too large a number"),
    ],
)
def test_a_slip_is_refused_and_left_out_when_told(
    change: Callable[[Labs], None], said: str, tmp_path: Path, protocol: Protocol
) -> None:
    """A mistyped name loses a value: it is trouble, unlike the rows of somebody who was left out before."""
    rows = labs()
    change(rows)
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path, protocol, rows)
    cohort, account = read(tmp_path, protocol, rows, LEFT_OUT)
    assert len(account.troubles) == 1
    assert int(np.isfinite(cohort.values["alc"]).sum()) == account.counts[1].n_kept == len(rows) - 1


def test_rows_of_a_subject_who_is_left_out_are_counted_and_no_trouble(tmp_path: Path, protocol: Protocol) -> None:
    """As those of screening failures, whom 'where' leaves out."""
    mapping = MAPPING.replace("  arm: {", "  where: {STRATUM: x}\n  arm: {", 1)
    _, account = read(tmp_path, protocol, labs(), mapping)
    assert account.counts[1].left_out == {"of a subject who is left out": 9}
    assert not account.troubles


def test_a_count_without_a_unit_is_not_taken_to_be_in_ours(tmp_path: Path, protocol: Protocol) -> None:
    """1.2 × 10^9/L would be read as 1.2 cells/µL."""
    with pytest.raises(InvalidInput, match=r"does not say in which unit alc stands.*'unit_column'"):
        read(tmp_path, protocol, labs(), MAPPING.replace("    unit_column: UNIT\n", ""))


def test_an_unknown_unit_of_the_mapping_says_whose(tmp_path: Path, protocol: Protocol) -> None:
    with pytest.raises(InvalidInput, match="mapping of alc: Unit 'grams' is not known"):
        read(tmp_path, protocol, labs(), MAPPING.replace("unit_column: UNIT", "unit: grams"))


def test_the_day_of_a_visit_that_is_left_out_is_not_kept(tmp_path: Path, protocol: Protocol) -> None:
    """Else it would say until when the subject was followed."""
    rows = labs()
    rows[2][2] = "20"
    cohort, _ = read(tmp_path, protocol, rows, LEFT_OUT)
    assert np.isnan(cohort.values["alc"][0, 0, 2])
    assert np.isnan(cohort.measured_day[0, 0, 2])


def test_nobody_left_is_refused_whatever_the_mapping_says(tmp_path: Path, protocol: Protocol) -> None:
    people = [(who, "C", day, stratum) for who, _, day, stratum in PEOPLE]
    with pytest.raises(InvalidInput, match=r"Every subject is left out.*'C' is not among"):
        read(tmp_path, protocol, labs(), LEFT_OUT, people=people)


def test_a_mean_with_a_limit_in_it_is_told(tmp_path: Path, protocol: Protocol) -> None:
    rows = [*labs(), ["P0", "w4", "28", "<50", "cells/uL"]]
    _, account = read(tmp_path, protocol, rows, MAPPING.replace("    ignore:", "    keep: mean\n    ignore:"))
    assert any("limit of quantification among them (1)" in note for note in account.notes)


def relapses(folder: Path, protocol: Protocol, rows: Sequence[tuple[str, ...]], mapping: str) -> tuple[Cohort, Account]:
    """The trial with a table of relapses."""
    read(folder, protocol, labs())
    pl.DataFrame(rows, schema=["ID", "DAY", "HAPPENED"], orient="row").write_csv(folder / "relapse.csv")
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    return from_frame(folder, load_mapping(folder / "mapping.yaml")[0], protocol)


def test_whose_event_cannot_be_read_is_not_free_of_it(tmp_path: Path, protocol: Protocol) -> None:
    """P0 relapsed on a day that is no number, P1 on a day that is not said: neither was well until day 57."""
    rows = [("P0", "high", "Y"), ("P1", "", "Y"), ("P2", "20", "Y")]
    cohort, account = relapses(tmp_path, protocol, rows, RELAPSE % "")
    assert cohort.watched_day("relapse")[0].tolist() == pytest.approx([np.nan, np.nan, *[57.0] * 4], nan_ok=True)
    assert cohort.first_event_day["relapse"][0].tolist() == [np.inf, np.inf, 20.0, *[np.inf] * 3]
    assert len(account.troubles) == 2


def test_who_has_no_row_was_not_looked_at_where_rows_say_whether(tmp_path: Path, protocol: Protocol) -> None:
    rows = [("P0", "30", "N"), ("P1", "20", "Y"), *((f"P{i}", "57", "N") for i in (2, 3, 4))]
    cohort, _ = relapses(tmp_path, protocol, rows, RELAPSE % SAYS_WHETHER)
    assert cohort.watched_day("relapse")[0].tolist() == pytest.approx(
        [30.0, 20.0, 57.0, 57.0, 57.0, np.nan], nan_ok=True
    )


def test_a_line_is_the_one_that_an_editor_shows(tmp_path: Path, protocol: Protocol) -> None:
    """Blank lines and line breaks in quotes count; a row of Parquet is a row."""
    read(tmp_path, protocol, labs())
    table = 'ID,VISIT,DAY,VALUE,UNIT,NOTE\n\nP0,base,1,500,cells/uL,"two\nlines"\n\nP0,w4,27,high,cells/uL,\n'
    (tmp_path / "labs.csv").write_text(table, encoding="utf-8")
    mapping = load_mapping(tmp_path / "mapping.yaml")[0]
    with pytest.raises(InvalidInput, match=r"labs.csv, line 6, subject P0, visit 'week 4', column 'VALUE'"):
        from_frame(tmp_path, mapping, protocol)
    pl.read_csv(tmp_path / "labs.csv", infer_schema=False).drop_nulls("ID").write_parquet(tmp_path / "labs.parquet")
    (tmp_path / "labs.csv").unlink()
    with pytest.raises(InvalidInput, match=r"labs.parquet, row 2, subject P0"):
        from_frame(tmp_path, mapping, protocol)


def test_one_file_stands_for_the_table_of_its_name_only(tmp_path: Path, protocol: Protocol) -> None:
    read(tmp_path, protocol, labs())
    (tmp_path / "people.csv").rename(tmp_path / "people_2.csv")
    with pytest.raises(InvalidInput, match=r"reads a table 'people'.*people_2\.csv"):
        from_frame(tmp_path / "people_2.csv", load_mapping(tmp_path / "mapping.yaml")[0], protocol)
