"""Somebody's tables into a cohort: bad input is named, nothing is dropped silently, and the account closes."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imported_trial import MAPPING, PEOPLE, PROTOCOL, Labs, labs, read

from sevenfold.cohort.cohort import Missing
from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import parse
from sevenfold.protocol.protocol import Protocol


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return parse(PROTOCOL, "small.yaml").protocol


def test_what_is_there_is_read_and_counted(tmp_path: Path, protocol: Protocol) -> None:
    cohort, account = read(tmp_path, protocol, labs())
    assert [(c.what, c.n_read, c.n_kept) for c in account.counts] == [
        ("subjects", 6, 6),
        ("values of Lymphocytes", 18, 18),
        ("ends of follow-up", 6, 6),
    ]
    assert cohort.at("alc", "week 8")[0, 2] == 500 + 200 + 7 * 57
    assert cohort.revealed().arm[0].tolist() == [0, 1, 0, 1, 0, 1]
    assert cohort.subjects[5].covariates == {"stratum": "y"}
    assert cohort.last_day[0].tolist() == [57.0] * 6, "watched through study day 57"


Change = Callable[[Labs], None]
BAD: dict[str, tuple[Change, str]] = {
    "visit twice": (lambda r: r.append(["P0", "w4", "28", "9", "cells/uL"]), "values at one visit"),
    "visit out of order": (lambda r: r[2].__setitem__(2, "20"), "before visit 'week 4'"),
    "unit": (lambda r: r[1].__setitem__(4, "grams"), "'grams' is not known"),
    "another dimension": (lambda r: r[1].__setitem__(4, "mg/dL"), "a cell count is wanted"),
    "impossible value": (lambda r: r[1].__setitem__(3, "-5"), "is impossible"),
    "not a number": (lambda r: r[1].__setitem__(3, "high"), "'high' is not a number"),
    "decimal comma": (lambda r: r[1].__setitem__(3, "1,5"), "decimal comma"),
    "study day 0": (lambda r: r[0].__setitem__(2, "0"), "study day 0"),
    "word not mapped": (lambda r: r[1].__setitem__(1, "w12"), "'w12' is not among the words"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_file_line_subject_and_column(name: str, tmp_path: Path, protocol: Protocol) -> None:
    change, said = BAD[name]
    rows = labs()
    change(rows)
    with pytest.raises(InvalidInput, match=said) as refused:
        read(tmp_path, protocol, rows)
    assert "labs.csv, line" in str(refused.value)
    assert "subject P0" in str(refused.value)
    assert "trouble: leave out" in str(refused.value), "the way out"


@pytest.mark.parametrize("name", BAD)
def test_left_out_it_is_counted_and_listed(name: str, tmp_path: Path, protocol: Protocol) -> None:
    change, _said = BAD[name]
    rows = labs()
    change(rows)
    cohort, account = read(
        tmp_path, protocol, rows, MAPPING.replace("format: 1\n", "format: 1\ntrouble: leave out\n", 1)
    )
    count = account.counts[1]
    assert count.n_read == len(rows)
    assert count.n_read == count.n_kept + sum(count.left_out.values())
    assert len(account.troubles) == 1
    assert int(np.isfinite(cohort.values["alc"]).sum()) == count.n_kept


def test_of_several_values_the_mapping_may_choose(tmp_path: Path, protocol: Protocol) -> None:
    rows = [*labs(), ["P0", "w4", "29", "100", "cells/uL"]]
    first = float(rows[1][3])
    for keep, wanted in (("first", first), ("last", 100.0), ("mean", (first + 100.0) / 2.0)):
        mapping = MAPPING.replace("    ignore:", f"    keep: {keep}\n    ignore:")
        cohort, account = read(tmp_path, protocol, rows, mapping)
        assert cohort.at("alc", "week 4")[0, 0] == wanted
        assert sum(account.counts[1].left_out.values()) == 1


def test_below_the_limit_stands_at_the_limit(tmp_path: Path, protocol: Protocol) -> None:
    rows = labs()
    rows[1][3] = "<50"
    cohort, _ = read(tmp_path, protocol, rows)
    assert cohort.at("alc", "week 4")[0, 0] == 50.0
    assert cohort.is_below("alc", "week 4")[0, 0]


def test_who_died_or_left_is_missing_for_that_reason(tmp_path: Path, protocol: Protocol) -> None:
    rows = [row for row in labs() if not (row[0] in ("P0", "P1", "P2") and row[1] == "w8")]
    ends = [("P0", "40", "dead"), ("P1", "30", "gone"), *((who, "57", "done") for who, *_ in PEOPLE[2:])]
    cohort, _ = read(tmp_path, protocol, rows, ends=ends)
    codes = cohort.why_missing("alc", "week 8")[0, :3].tolist()
    assert codes == [Missing.DEAD, Missing.WITHDRAWN, Missing.MISSED]
    assert cohort.death_day[0].tolist() == [40.0, *[np.inf] * 5]


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([("P0", "C", "2024-02-01", "x"), *PEOPLE[1:]], "'C' is not among the words"),
        ([("P0", "A", "2024-02-30", "x"), *PEOPLE[1:]], "a day that does not exist"),
        ([("P0", "A", "2024-02", "x"), *PEOPLE[1:]], "partial date"),
        ([PEOPLE[0], *PEOPLE], "a second time"),
        ([(who, "A", day, s) for who, _, day, s in PEOPLE], "No subject of the data is in arm 'control'"),
    ],
)
def test_subjects_that_cannot_be_read_are_named(
    people: list[tuple[str, ...]], said: str, tmp_path: Path, protocol: Protocol
) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path, protocol, labs(), people=people)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("protocol: small", "protocol: other", "is for protocol 'other'"),
        ("variable: alc", "variable: cd9", "'cd9'"),
        ("value: VALUE", "value: AVAL", "no column 'AVAL'"),
        ("w8: week 8", "w8: week 9", "the visit 'week 9'"),
        ("    day: DAY\n    visit", "    day: DAY\n    date: DAY\n    visit", "line 1[0-9]: .*twice"),
        ("measurements:", "measurement:", "did you mean 'measurements'"),
        ("  covariates: {stratum: STRATUM}\n", "  covariates: {alc: STRATUM}\n", "no fact, number or category"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(
    before: str, after: str, said: str, tmp_path: Path, protocol: Protocol
) -> None:
    assert before in MAPPING
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path, protocol, labs(), MAPPING.replace(before, after, 1))


def test_what_the_plan_asks_about_must_be_read(tmp_path: Path, protocol: Protocol) -> None:
    start, end = MAPPING.index("measurements:"), MAPPING.index("ends:")
    with pytest.raises(InvalidInput, match="Endpoint 'fold' needs 'alc'"):
        read(tmp_path, protocol, labs(), MAPPING[:start] + MAPPING[end:])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), drop=st.sets(st.integers(0, 17), max_size=9))
def test_the_order_of_rows_and_the_unit_change_nothing(
    seed: int, drop: set[int], tmp_path_factory: pytest.TempPathFactory, protocol: Protocol
) -> None:
    """Rows shuffled, counts written in 10^9/L, days as dates: the same cohort, and the account closes."""
    kept = [row for place, row in enumerate(labs()) if place not in drop or row[1] == "base"]
    plain, account = read(tmp_path_factory.mktemp("plain"), protocol, kept)
    rng = np.random.default_rng(seed)
    dated = [
        [who, visit, str(np.datetime64("2024-02-01") + (int(day) - 1)), str(float(value) / 1000.0), "10^9/L"]
        for who, visit, day, value, _ in kept
    ]
    turned = [dated[i] for i in rng.permutation(len(dated))]
    mapping = MAPPING.replace("    day: DAY\n    visit", "    date: DAY\n    visit")
    other, again = read(tmp_path_factory.mktemp("turned"), protocol, turned, mapping)
    np.testing.assert_allclose(other.values["alc"], plain.values["alc"], rtol=1e-12)
    np.testing.assert_array_equal(other.measured_day, plain.measured_day)
    np.testing.assert_array_equal(other.missing["alc"], plain.missing["alc"])
    for count in (*account.counts, *again.counts):
        assert count.n_read == count.n_kept + sum(count.left_out.values())


EVENTS = "events: [{event: relapse, file: relapses, day: DAY, happened: {column: DID, values: {y: true, n: false}}}]\n"


def _relapses(folder: Path, rows: list[tuple[str, str | None, str]]) -> None:
    pl.DataFrame(rows, schema=["ID", "DAY", "DID"], orient="row").write_csv(folder / "relapses.csv")


def test_an_event_after_the_end_of_follow_up_was_watched_for(tmp_path: Path, protocol: Protocol) -> None:
    """What was seen was looked for: it is not censored at the last contact that another table has."""
    _relapses(tmp_path, [("P0", "90", "y"), ("P1", "57", "n")])
    cohort, _ = read(tmp_path, protocol, labs(), MAPPING + EVENTS)
    assert cohort.first_event_day["relapse"][0, 0] == 90.0
    assert cohort.watched_day("relapse")[0, :2].tolist() == [90.0, 57.0]


def test_deaths_beyond_the_last_contact_are_deaths(tmp_path: Path, protocol: Protocol) -> None:
    """Vital status from a table of its own, longer than the ends of treatment."""
    _relapses(tmp_path, [("P0", "90", "y"), ("P1", "120", "n")])
    cohort, _ = read(tmp_path, protocol, labs(), MAPPING + EVENTS.replace("event: relapse", "event: death"))
    assert cohort.death_day[0, 0] == 90.0
    assert cohort.last_day[0, :3].tolist() == [90.0, 120.0, 57.0]


def test_what_happened_without_a_day_is_refused(tmp_path: Path, protocol: Protocol) -> None:
    """Left out it would count as not having happened; that it did not happen needs no day."""
    _relapses(tmp_path, [("P0", None, "y"), ("P1", None, "n")])
    with pytest.raises(InvalidInput, match="relapse happened, and there is no day"):
        read(tmp_path, protocol, labs(), MAPPING + EVENTS)
    _relapses(tmp_path, [("P1", None, "n")])
    _, account = read(tmp_path, protocol, labs(), MAPPING + EVENTS)
    assert account.counts[2].left_out == {"no day": 1}


def test_a_column_of_dates_that_is_empty_for_the_others_says_what_to_do(tmp_path: Path, protocol: Protocol) -> None:
    """One row a subject with a date for those who died is common, and each empty cell would be such a death."""
    _relapses(tmp_path, [("P0", "90", "y"), ("P1", None, "n")])
    bare = re.sub(", happened: .*", "}]", EVENTS)
    assert "happened" not in bare
    with pytest.raises(InvalidInput, match="whom it befell goes under 'happened', or in 'where'"):
        read(tmp_path, protocol, labs(), MAPPING + bare)


def test_a_day_that_only_those_have_whom_it_befell_is_read_where_filled(tmp_path: Path, protocol: Protocol) -> None:
    """ADSL's day of death: empty for the living, who are left out of the deaths, counted, and alive."""
    _relapses(tmp_path, [("P0", "90", ""), ("P1", None, ""), ("P2", None, "")])
    bare = re.sub(", happened: .*", ", where: {DAY: not empty}}]", EVENTS.replace("event: relapse", "event: death"))
    cohort, account = read(tmp_path, protocol, labs(), MAPPING + bare)
    assert cohort.death_day[0].tolist() == [90.0, *[np.inf] * 5]
    assert account.counts[2].left_out == {"DAY is empty": 2}
