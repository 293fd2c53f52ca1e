"""Somebody's tables that look readable and are not what they seem: nothing is guessed and nobody counts as well."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from imported_trial import MAPPING, PEOPLE, PROTOCOL, Labs, labs, read

from sevenfold.analysis.effect import Status
from sevenfold.analysis.safety.events import event_lines
from sevenfold.analysis.safety.exposed import exposed
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.cohort.cohort import Cohort, Ended, Missing
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
        (
            lambda r: r.append(["PO", "w4", "27", "900", "cells/uL"]),
            "subject PO.*column 'ID'.*does not know it; .*'others: ignore'",
        ),
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


SECOND = """  - variable: cd4
    file: cells
    value: VALUE
    unit: cells/uL
    day: DAY
    visit: {column: VISIT, values: {w8: week 8}}
"""
WITH_CD4 = PROTOCOL.replace(
    "  - {id: stratum",
    "  - {id: cd4, label: CD4, kind: laboratory, unit: cells/µL, lower: 0, upper: 500000}\n  - {id: stratum",
)


def test_each_variable_keeps_its_own_days_whatever_the_mapping_reads_first(tmp_path: Path) -> None:
    """Week 8's CD4 was measured on day 60, its lymphocytes on day 57; one has no day of its own."""
    protocol = parse(WITH_CD4, "small.yaml").protocol
    cells = [(who, "w8", "60" if who != "P3" else "", "100") for who, *_ in PEOPLE]
    pl.DataFrame(cells, schema=["ID", "VISIT", "DAY", "VALUE"], orient="row").write_csv(tmp_path / "cells.csv")
    start, end = MAPPING.index("  - variable: alc"), MAPPING.index("ends:")
    no_ends = MAPPING[:end]
    one, first = read(tmp_path, protocol, labs(), no_ends + SECOND)
    other, second = read(tmp_path, protocol, labs(), MAPPING[:start] + SECOND + MAPPING[start:end])
    for cohort in (one, other):
        assert cohort.day_of("alc")[0, :, 2].tolist() == [56.0] * 6
        assert cohort.day_of("cd4")[0, :, 2].tolist() == [59.0, 59.0, 59.0, 56.0, 59.0, 59.0]
        assert cohort.measured_day[0, :, 2].tolist() == [56.0] * 6, "the visit began with the first of them"
        assert cohort.last_day[0].tolist() == [60.0, 60.0, 60.0, 57.0, 60.0, 60.0], "and the last was a contact"
    assert any("CD4: values whose day is not said" in note and note.endswith("(1)") for note in first.notes)
    assert first.notes == second.notes
    assert one.taken(np.array([3, 0])).day_of("cd4")[0, :, 2].tolist() == [56.0, 59.0]


WORDS = {
    "GONE": "withdrew",
    "AE": "adverse event",
    "LOE": "lack of efficacy",
    "MD": "physician's decision",
    "PROT": "protocol deviation",
    "STOP": "sponsor's decision",
}


def test_every_reason_to_leave_is_told_as_itself_with_the_files_word(tmp_path: Path, protocol: Protocol) -> None:
    values = ", ".join(f"{theirs}: {ours}" for theirs, ours in WORDS.items())
    mapping = MAPPING.replace("values: {done: completed, dead: died, gone: withdrew}", f"values: {{{values}}}")
    rows = [row for row in labs() if row[1] != "w8"]
    ends = [(f"P{i}", "40", word) for i, word in enumerate(WORDS)]
    cohort, _ = read(tmp_path, protocol, rows, mapping, ends=ends)
    codes = [Missing(int(code)) for code in cohort.why_missing("alc", "week 8")[0]]
    assert [code.name for code in codes] == [
        "WITHDRAWN", "ADVERSE_EVENT", "NO_EFFICACY", "PHYSICIAN", "DEVIATION", "SPONSOR"
    ]  # fmt: skip
    assert len({code.reason for code in codes}) == 6
    assert cohort.ended == tuple(Ended(how=ours, word=theirs) for theirs, ours in WORDS.items())


def test_how_follow_up_ended_is_counted_once_a_subject(tmp_path: Path, protocol: Protocol) -> None:
    """P5 has no row, P4 no reason, P3 a reason without a day: each stands in one row of the table."""
    ends = [("P0", "57", "done"), ("P1", "57", "done"), ("P2", "40", "dead"), ("P3", "", "gone"), ("P4", "57", "")]
    rows = [row for row in labs() if not (row[0] in ("P2", "P3", "P4") and row[1] == "w8")]
    cohort, account = read(tmp_path, protocol, rows, ends=ends)
    endings = analyse(cohort, None, protocol, 1).description.endings
    assert [(row.how, row.word, row.by_arm["all"]) for row in endings] == [
        ("completed", "done", 2),
        ("the data do not say", "", 2),
        ("died", "dead", 1),
        ("withdrew consent", "gone", 1),
    ]
    assert sum(row.by_arm["drug"] for row in endings) == sum(row.by_arm["control"] for row in endings) == 3
    codes = cohort.why_missing("alc", "week 8")[0, 3:5].tolist()
    assert codes == [Missing.WITHDRAWN, Missing.NOT_SAID], "left after the last that is known; followed to day 57 only"
    assert any("Ends without a day" in note for note in account.notes)


@pytest.mark.parametrize("ends", [[("P0", "soon", "dead")], [("P0", "57", "done"), ("P0", "40", "dead")]])
def test_whose_death_cannot_be_read_is_not_known_to_live(
    ends: list[tuple[str, ...]], tmp_path: Path, protocol: Protocol
) -> None:
    """Left out, the row is not evidence that the subject lived on: nothing is known after the last count."""
    rows = [row for row in labs() if not (row[0] == "P0" and row[1] == "w8")]
    everybody = [*ends, *((f"P{i}", "57", "done") for i in range(1, 6))]
    cohort, _ = read(tmp_path, protocol, rows, LEFT_OUT, ends=everybody)
    assert cohort.last_day[0, 0] == 27.0
    assert cohort.why_missing("alc", "week 8")[0, 0] == Missing.UNREADABLE
    assert cohort.ended[0].how == "cannot be read"


def test_whose_death_in_a_table_of_its_own_cannot_be_read_is_not_known_to_live(
    tmp_path: Path, protocol: Protocol
) -> None:
    rows = [row for row in labs() if not (row[0] == "P0" and row[1] == "w8")]
    read(tmp_path, protocol, rows)
    pl.DataFrame([("P0", "high", "Y")], schema=["ID", "DAY", "HAPPENED"], orient="row").write_csv(
        tmp_path / "relapse.csv"
    )
    text = (RELAPSE % "").replace("event: relapse", "event: death")
    text = text[: text.index("ends:")] + text[text.index("events:") :]
    (tmp_path / "mapping.yaml").write_text(text, encoding="utf-8")
    cohort, _ = from_frame(tmp_path, load_mapping(tmp_path / "mapping.yaml")[0], protocol)
    assert cohort.watched_day("death")[0, 0] == 27.0
    assert cohort.why_missing("alc", "week 8")[0, 0] == Missing.UNREADABLE


def test_an_end_that_stands_twice_alike_is_one(tmp_path: Path, protocol: Protocol) -> None:
    ends = [("P0", "40", "dead"), ("P0", "40", "dead"), *((f"P{i}", "57", "done") for i in range(1, 6))]
    cohort, account = read(tmp_path, protocol, labs()[:2] + labs()[3:], ends=ends)
    assert cohort.death_day[0, 0] == 40.0
    assert account.counts[2].left_out == {"repeated with the same day and reason": 1}


def test_rows_of_others_may_be_ignored_and_are_counted(tmp_path: Path, protocol: Protocol) -> None:
    """A laboratory's file of several trials; a row without a name stays trouble."""
    others = [["X1", "w4", "27", "900", "cells/uL"], ["X2", "odd", "27", "high", "stones"]]
    mapping = MAPPING.replace("    file: labs\n", "    file: labs\n    others: ignore\n")
    _, account = read(tmp_path, protocol, [*labs(), *others], mapping)
    assert account.counts[1].left_out == {"of somebody whom the subjects' table does not name": 2}
    with pytest.raises(InvalidInput, match="no name of a subject"):
        read(tmp_path, protocol, [*labs(), ["", "w4", "27", "900", "cells/uL"]], mapping)


@pytest.mark.parametrize(
    ("began", "day"),
    [
        ("2023", -31.0 - 1.0),
        ("2024-01", -1.0),
        ("2024-02", np.nan),
        ("2024", np.nan),
        ("2024-02-03", 2.0),
        ("", np.nan),
    ],
)
def test_an_event_that_began_in_a_year_before_the_first_dose_began_before_it(
    began: str, day: float, tmp_path: Path, protocol: Protocol
) -> None:
    """The first dose was on 1 February 2024. Which day of 2023 does not matter; which day of February does."""
    read(tmp_path, protocol, labs())
    pl.DataFrame([("P0", "Rash", began)], schema=["ID", "TERM", "BEGAN"], orient="row").write_csv(
        tmp_path / "events.csv"
    )
    events = "adverse_events: {file: events, term: TERM, system: TERM, date: BEGAN}\n"
    (tmp_path / "mapping.yaml").write_text(MAPPING + events, encoding="utf-8")
    cohort, _ = from_frame(tmp_path, load_mapping(tmp_path / "mapping.yaml")[0], protocol)
    assert cohort.adverse_events[0].day == pytest.approx(day, nan_ok=True)
    table = event_lines(cohort.adverse_events, exposed(cohort, protocol), {"all": np.ones(6, dtype=np.bool_)})
    assert table[0].cells["all"].n_subjects == int(not day < 0.0)


DONE = [(f"P{i}", "57", "done") for i in range(1, 6)]


@pytest.mark.parametrize(
    ("place", "cell", "end", "said"),
    [
        ((1, 4), "furlong", ("P0", "57", "done"), "line 3, subject P0, visit 'week 4', column 'UNIT': Unit 'furlong'"),
        ((1, 3), "-5", ("P0", "57", "done"), "line 3, subject P0, visit 'week 4', column 'VALUE': -5 cells/µL"),
        ((1, 3), "<-5", ("P0", "57", "done"), "line 3, subject P0, visit 'week 4', column 'VALUE': -5 cells/µL"),
        ((1, 2), "x", ("P0", "57", "done"), "line 3, subject P0, visit 'week 4', column 'DAY': 'x' is not a number"),
        ((1, 2), "27", ("P0", "0", "dead"), "ends.csv, line 2, subject P0, column 'DAY': study day 0"),
        ((1, 2), "27", ("P0", "-3", "dead"), "subject P0, column 'DAY': the subject died before day 1"),
        ((1, 2), "27", ("P0", "", "dead"), "subject P0, column 'DAY': the subject died, and there is no day"),
        ((1, 2), "27", ("P0", "57", "away"), "subject P0, column 'WHY': 'away' is not among the words"),
        ((1, 2), "27", ("P0", "40", "dead"), "visit 'week 8', column 'DAY': on day 57, after the subject's death on"),
    ],
)
def test_a_refusal_names_the_column_in_which_the_fault_stands(
    place: tuple[int, int], cell: str, end: tuple[str, ...], said: str, tmp_path: Path, protocol: Protocol
) -> None:
    """Also where a row is read through several: its value, its unit, its day; a reason and a day."""
    rows = labs()
    rows[place[0]][place[1]] = cell
    with pytest.raises(InvalidInput, match=re.escape(said)):
        read(tmp_path, protocol, rows, ends=[end, *DONE])
    _, account = read(tmp_path, protocol, rows, LEFT_OUT, ends=[end, *DONE])
    assert len(account.troubles) == 1
    assert sum(c.n_read - c.n_kept for c in account.counts) == 1


def test_what_was_measured_on_the_day_of_death_was_measured(tmp_path: Path, protocol: Protocol) -> None:
    cohort, _ = read(tmp_path, protocol, labs(), ends=[("P0", "57", "dead"), *DONE])
    assert np.isfinite(cohort.at("alc", "week 8")[0, 0])


def test_an_event_before_the_first_dose_is_none_of_the_trial(tmp_path: Path, protocol: Protocol) -> None:
    """Else it would count as happening on day 1."""
    cohort, account = relapses(tmp_path, protocol, [("P0", "-1", "Y"), ("P1", "1", "Y")], RELAPSE % "")
    assert cohort.first_event_day["relapse"][0, :2].tolist() == [np.inf, 1.0]
    assert "column 'DAY': relapse happened before day 1" in account.troubles[0].message


def test_two_values_in_a_column_a_visit_name_it(tmp_path: Path, protocol: Protocol) -> None:
    """A subject who stands twice in a wide table."""
    start, end = MAPPING.index("  - variable: alc"), MAPPING.index("ends:")
    wide = "  - {variable: alc, file: wide, unit: cells/uL, visits: {baseline: B, week 8: W8}}\n"
    table = [(who, "500", "600") for who, *_ in PEOPLE] + [("P0", "500", "700")]
    pl.DataFrame(table, schema=["ID", "B", "W8"], orient="row").write_csv(tmp_path / "wide.csv")
    with pytest.raises(InvalidInput, match="subject P0, visit 'week 8', column 'W8': 2 values at one visit"):
        read(tmp_path, protocol, labs(), MAPPING[:start] + wide + MAPPING[end:])


def test_what_lies_outside_its_window_or_after_the_end_is_used_and_told(tmp_path: Path, protocol: Protocol) -> None:
    """Week 4's window ends on day 35; P0 withdrew on day 30 and was measured on day 57."""
    rows = labs()
    rows[4][2] = "36"
    cohort, account = read(tmp_path, protocol, rows, ends=[("P0", "30", "gone"), *DONE])
    assert np.isfinite(cohort.values["alc"]).all()
    assert any("outside their visit's window" in note and note.endswith("(1)") for note in account.notes)
    assert any("measured after the end of their follow-up" in note and note.endswith("(1)") for note in account.notes)


@pytest.mark.parametrize("visit", ["base", "w8"])
def test_a_visit_without_any_value_is_a_status_and_no_crash(visit: str, tmp_path: Path, protocol: Protocol) -> None:
    cohort, account = read(tmp_path, protocol, [row for row in labs() if row[1] != visit])
    (answer,) = analyse(cohort, None, protocol, 1).answers
    assert answer.status is not Status.OK
    assert answer.value is None
    reason = "visit or test missed" if visit == "w8" else "no baseline"
    assert answer.left_out == {reason: 6}
    assert account.counts[1].n_kept == 12


def test_an_arm_of_one_patient_is_analysed(tmp_path: Path, protocol: Protocol) -> None:
    """Least squares on baseline and arm: five against one leave three degrees of freedom."""
    people = [(who, "B" if i == 0 else "A", day, stratum) for i, (who, _, day, stratum) in enumerate(PEOPLE)]
    cohort, _ = read(tmp_path, protocol, labs(), people=people)
    (answer,) = analyse(cohort, None, protocol, 1).answers
    assert answer.status is Status.OK
    assert answer.test == "t, 3 degrees of freedom"
