"""From YAML text to plain values with their lines."""

import datetime as dt

import pytest

from sevenfold.errors import InvalidInput
from sevenfold.protocol.reading import read_document


def test_scalars_are_those_of_yaml_1_2_and_dates() -> None:
    """``no`` is a word and ``1:30`` is text, as in YAML 1.2's core schema."""
    document = read_document("a: no\nb: 1:30\nc: 1e3\nd: 2016-01-14\ne: true\nf:\ng: '5'\nh: 010\n", "f.yaml")
    assert document.values == {
        "a": "no", "b": "1:30", "c": 1000.0, "d": dt.date(2016, 1, 14), "e": True, "f": None, "g": "5", "h": 10,
    }  # fmt: skip


def test_every_value_knows_its_line() -> None:
    document = read_document("a:\n  - x: 1\n    y: 2\n  - x: 3\n", "f.yaml")
    assert document.line(("a", 0, "y")) == 3
    assert document.line(("a", 1, "x")) == 4
    assert document.line(("a", 1, "missing")) == 4


def test_a_cited_value_takes_its_place_and_keeps_its_source_beside() -> None:
    document = read_document("dose: {value: 10 µg/kg, source: PMID 1, verified: true, note: n}\nn: {value: 3}\n", "f")
    assert document.values == {"dose": "10 µg/kg", "n": 3}
    assert document.citations["dose",].status == "verified"
    assert document.citations["n",].status == "assumption"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1, 2\nb: 3\n", "line 2: this is not YAML"),
        ("a: 1\nb: 2\na: 3\n", "line 3: key 'a' stands here and on line 1"),
        ("", "line 1: the file is empty"),
        ("? [1, 2]\n: 3\n", "a key must be a word"),
        ("a: {value: 1, verified: true}\n", "must name its source"),
        ("a: {value: 1, verified: yes}\n", "'verified' must be true or false"),
        ("a: &x [*x]\n", "refers to itself|found undefined alias"),
        ("a: !!python/object:os.system x\n", "not readable|could not determine"),
        ("a: 2016-13-45\n", "not readable"),
        ("\tb: 1\n", "this is not YAML"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_document(text, "f.yaml")
