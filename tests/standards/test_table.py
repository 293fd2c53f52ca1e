"""Tables of every format as text, and what is said of those that cannot be read."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from sevenfold.errors import InvalidInput
from sevenfold.standards.table import find_table, read_table

COLUMNS = ["USUBJID", "AVAL", "ADT", "NOTE"]
ROWS: list[list[str | None]] = [
    ["01-001", "5.84", "2014-01-02", "a, b"],
    ["01-002", "63", "2014-12-31", None],
    ["01-003", None, None, 'say "x"'],
]


def _typed() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "USUBJID": [row[0] for row in ROWS],
            "AVAL": [5.84, 63.0, None],
            "ADT": pl.Series(["2014-01-02", "2014-12-31", None]).str.to_date(),
            "NOTE": [row[3] for row in ROWS],
        }
    )


def _written(folder: Path, ending: str) -> Path:
    path = folder / f"t{ending}"
    text = pl.DataFrame(ROWS, schema=COLUMNS, orient="row")
    if ending in (".csv", ".tsv"):
        text.write_csv(path, separator="," if ending == ".csv" else "\t")
    elif ending == ".csv.gz":
        path.write_bytes(gzip.compress(text.write_csv().encode()))
    elif ending == ".parquet":
        _typed().write_parquet(path)
    elif ending == ".xpt":
        import pandas as pd
        import pyreadstat

        dates = [None if row[2] is None else pd.Timestamp(row[2]).date() for row in ROWS]
        frame = pd.DataFrame(
            {
                "USUBJID": [row[0] for row in ROWS],
                "AVAL": [5.84, 63.0, None],
                "ADT": dates,
                "NOTE": [row[3] or "" for row in ROWS],
            }
        )
        pyreadstat.write_xport(frame, str(path))
    else:
        rows = [[row[0], None if row[1] is None else float(row[1]), row[2], row[3]] for row in ROWS]
        about = {"datasetJSONVersion": "1.1.0", "columns": [{"name": name} for name in COLUMNS]}
        if ending == ".json":
            path.write_text(json.dumps({**about, "rows": rows}), encoding="utf-8")
        else:
            path.write_text("\n".join(json.dumps(one) for one in (about, *rows)), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".parquet", ".xpt", ".json", ".ndjson"])
def test_every_format_of_one_table_reads_as_the_same_text(tmp_path: Path, ending: str) -> None:
    """What a typed format holds as numbers and dates is written as briefly as gives it back."""
    table = read_table(_written(tmp_path, ending))
    assert table.frame.columns == COLUMNS
    assert [list(row) for row in table.frame.rows()] == ROWS


@pytest.mark.parametrize(("separator", "bom"), [(";", ""), ("|", ""), (",", "\ufeff")])
def test_separators_and_byte_order_marks_are_seen(tmp_path: Path, separator: str, bom: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{bom}a{separator}b\n1{separator}2\n", encoding="utf-8")
    assert read_table(path).frame.rows() == [("1", "2")]


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("name\nÉdouard\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"t.csv, line 2: byte 0xC9 is not utf-8"):
        read_table(path)
    assert read_table(path, "latin-1").frame.rows() == [("Édouard",)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"a,a\n1,2\n", "two columns 'a'"),
        ("t.csv", b"a,b\n1,2,3\n", "cannot be read as csv"),
        ("t.csv.gz", b"\x1f\x8bnot gzip", "compressed and cannot be opened"),
        ("t.xpt", b"not a transport file", "SAS transport"),
        ("t.parquet", b"PAR1", "cannot be read as parquet"),
        ("t.json", b"{", "is not JSON"),
        ("t.json", b"[]", "no Dataset-JSON"),
        ("t.json", b'{"columns": [{"name": "a"}], "rows": [[1, 2]]}', "row 1: 1 values are wanted"),
        ("t.doc", b"", "an ending that is not read"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_file(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        read_table(path)


def test_a_table_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "adsl.csv").write_text("a\n1\n", encoding="utf-8")
    assert find_table(tmp_path, "adsl").name == "adsl.csv"
    (tmp_path / "adsl.parquet").write_bytes(b"")
    with pytest.raises(InvalidInput, match="name the one that is meant"):
        find_table(tmp_path, "adsl")
    with pytest.raises(InvalidInput, match="no table 'adae'; it has"):
        find_table(tmp_path, "adae")


def test_a_column_that_is_not_there_is_named_with_its_like(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("AVAL\n1\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="did you mean 'AVAL'"):
        read_table(tmp_path / "t.csv").column("aval")
