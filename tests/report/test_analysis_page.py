"""The report of data that came from tables: it is about those data, also where its protocol could be rehearsed."""

import re
from pathlib import Path

import pytest

from rehearsals import Rehearsed
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.cohort.from_frame import from_frame
from sevenfold.cohort.imported.mapping import load_mapping
from sevenfold.export import write_tables
from sevenfold.protocol.load import load
from sevenfold.record.tables import tables
from sevenfold.report.analysis_page import AnalysisInput, render_analysis

MAPPING = """
format: 1
protocol: iris-7
without: [WITHOUT]
subjects:
  file: subjects.csv
  subject: subject
  where: {disposition: [completed follow-up, died, withdrew consent, lost to follow-up]}
  arm: arm
  age: age_year
  sex: sex
  country: country
  weight: {column: weight_kg, unit: kg}
measurements:
  - {variable: alc, file: labs.csv, where: {test: alc}, value: value, unit_column: unit, day: study_day, visit: visit}
  - {variable: sofa, file: sofa.csv, value: total, day: study_day, visit: visit}
  - {variable: il7, file: labs.csv, where: {test: il7}, value: value, unit_column: unit, day: study_day, visit: visit}
adverse_events: {file: adverse_events.csv, term: term, system: system, serious: is_serious}
ends:
  file: subjects.csv
  where: {disposition: [completed follow-up, died, withdrew consent, lost to follow-up]}
  elapsed: {column: disposition_day, unit: day}
  reason:
    column: disposition
    values: {completed follow-up: completed, died: died, withdrew consent: withdrew, lost to follow-up: lost}
"""


@pytest.fixture(scope="module")
def page(whole_trial: Rehearsed, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A rehearsal's export, read as anybody's tables and analysed by the protocol it was made from."""
    folder = tmp_path_factory.mktemp("tables")
    write_tables(tables(whole_trial.history, whole_trial.file.protocol), folder)
    file = load("iris-7")
    unread = [
        one.id for one in file.protocol.endpoints if {*one.assessments, *one.events} - {"alc", "sofa", "il7", "death"}
    ]
    (folder / "mapping.yaml").write_text(MAPPING.replace("WITHOUT", ", ".join(unread)), encoding="utf-8")
    mapping, document = load_mapping(folder / "mapping.yaml")
    protocol = file.protocol.without(mapping.without)
    cohort, account = from_frame(Path(folder), mapping, protocol)
    return render_analysis(
        AnalysisInput(
            file=file,
            cohort=cohort,
            estimates=analyse(cohort, None, protocol, 1),
            account=account,
            sources={},
            mapping_name=document.name,
            mapping_sha256="",
            command="",
        )
    )


def test_nothing_on_it_is_about_a_rehearsal(page: str) -> None:
    """The patients are people, and nothing was put into them."""
    for words in ("virtual", "rehears", "is put in", "is assumed not to", "slowly by itself"):
        assert words not in page.lower()


def test_how_follow_up_ended_stands_with_the_datas_word(page: str, whole_trial: Rehearsed) -> None:
    table = page.partition("How follow-up ended")[2].partition("</table>")[0]
    rows = re.findall(r'<th scope="row">([^<]*)</th><td>([^<]*)</td>.*?<td class="n">(\d+)</td></tr>', table)
    assert ("Completed", "completed follow-up") in [row[:2] for row in rows]
    assert sum(int(row[2]) for row in rows) == len(whole_trial.history.randomised)


def test_what_the_data_do_not_say_of_events_is_not_counted_as_none(page: str) -> None:
    """The mapping reads whether an event was serious, and neither grade nor relation nor what it led to."""
    table = page.partition("worst grade, by arm")[2].partition("</table>")[0]
    assert "serious" in table
    for words in ("related", "ended dosing", "worst grade"):
        assert words not in table
    assert "grade 3 or more" not in page.partition("Treatment-emergent adverse events")[0].rpartition("<h2>Safety")[2]
