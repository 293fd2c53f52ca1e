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

WHOLE = gzip.compress(b"a,b\n1,2\n" * 50, mtime=0)
DAMAGED = WHOLE[:12] + bytes(byte ^ 255 for byte in WHOLE[12:20]) + WHOLE[20:]


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
        ("t.csv", b"a,b\n1,2\n1,2,3\n", "line 3: 3 values, and the table has 2 columns; .*double quotes"),
        ("t.csv", b"a,b\n1,2\n3\n", "line 3: 1 values, and the table has 2 columns"),
        ("t.csv", b'a,b\n"1,2\n3,4\n', "line 2: .*a quote within it is doubled"),
        ("t.csv", "a,b\n".encode("utf-16"), "write 'encoding: utf-16'"),
        ("t.csv.gz", DAMAGED, "compressed and cannot be opened"),
        ("t.csv.gz", b"\x1f\x8bnot gzip", "compressed and cannot be opened"),
        ("t.xpt", b"not a transport file", "SAS transport"),
        ("t.parquet", b"PAR1", "cannot be read as parquet"),
        ("t.json", b"{", "is not JSON"),
        ("t.json", b"[]", "no Dataset-JSON"),
        ("t.json", b'{"columns": [{"name": "a"}], "rows": [[1, 2]]}', "row 1: 1 values are wanted"),
        ("t.json", b'{"columns": [{"name": "a"}], "rows": 5}', "no Dataset-JSON"),
        ("t.json", b'{"columns": [{"name": "a"}, {"name": "a"}], "rows": []}', "two columns 'a'"),
        ("t.ndjson", b'{"columns": [{"name": "a"}]}\n[1]\n[2\n', "line 3 is not JSON"),
        ("t.ndjson", b"", "is empty"),
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


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('"x,y,z";b\n1;2\n', {"x,y,z": ["1"], "b": ["2"]}),
        ("a_duplicated_0,b\n1,2\n", {"a_duplicated_0": ["1"], "b": ["2"]}),
        ('a,b\n"two\nlines","say ""x"""\n', {"a": ["two\nlines"], "b": ['say "x"']}),
        ("a,b\r\n1,2\r\n", {"a": ["1"], "b": ["2"]}),
        ("a,b\n", {"a": [], "b": []}),
    ],
)
def test_a_text_table_is_read_as_its_rules_say(tmp_path: Path, text: str, wanted: dict[str, list[str]]) -> None:
    """A separator in quotes separates nothing, and a line break in quotes ends no row (RFC 4180)."""
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert read_table(tmp_path / "t.csv").frame.to_dict(as_series=False) == wanted


def test_a_row_knows_its_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'a,b\n\n1,"x\ny"\n\n3,4\n')
    assert read_table(tmp_path / "t.csv").lines == (3, 6)


def test_small_and_large_numbers_are_the_same_text_from_every_typed_format(tmp_path: Path) -> None:
    numbers = [1e-7, 1e16, 0.1, -0.0, 123456789012.0, float("nan")]
    pl.DataFrame({"a": numbers}).write_parquet(tmp_path / "t.parquet")
    about = {"columns": [{"name": "a"}], "rows": [[number] for number in numbers]}
    (tmp_path / "t.json").write_text(json.dumps(about), encoding="utf-8")
    found = [read_table(tmp_path / name).frame["a"].to_list() for name in ("t.parquet", "t.json")]
    assert found[0] == found[1] == ["1e-7", "1e+16", "0.1", "0", "123456789012", None]


def test_a_column_that_is_no_text_stops_nobody_who_does_not_want_it(tmp_path: Path) -> None:
    path = tmp_path / "t[1].parquet"  # and a name is no pattern
    pl.DataFrame({"a": [[1, 2]], "b": [b"\xff"], "c": ["x"]}).write_parquet(path)
    table = read_table(path)
    assert table.column("c") == ["x"]
    with pytest.raises(InvalidInput, match="column 'a' holds List"):
        table.column("a")
    with pytest.raises(InvalidInput, match="column 'b' holds Binary"):
        table.column("b")
