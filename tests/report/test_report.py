"""The report: self-contained, well formed, and says what it must."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from rehearsals import Rehearsed
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.measures import measures
from sevenfold.calibrate.posterior import Which
from sevenfold.calibrate.predict import ProtocolPrediction, predict_protocol
from sevenfold.calibrate.shipped import about_shipped, shipped_posterior
from sevenfold.evidence.compare import compare
from sevenfold.protocol.load import load, parse
from sevenfold.record.reading import read_head
from sevenfold.report import words
from sevenfold.report.limits import LIMITS, limits_of
from sevenfold.report.page import ReportInput, render
from sevenfold.report.prediction import PredictionInput
from sevenfold.report.svg import Scale
from sevenfold.trial.icu.assumptions import shipped

VOID = {"meta", "link", "br", "hr", "img", "input"}


@pytest.fixture(scope="module")
def told(whole_trial: Rehearsed) -> ReportInput:
    trial = whole_trial

    def predicted(which: Which) -> ProtocolPrediction:
        few = replace(shipped_posterior(which), draws=shipped_posterior(which).draws[:6])
        return predict_protocol(trial.file.protocol, few)

    estimates = analyse(trial.cohort, trial.history, trial.file.protocol, 1)
    return ReportInput(
        file=trial.file,
        history=trial.history,
        cohort=trial.cohort,
        estimates=estimates,
        comparisons=compare("IRIS-7", measures(estimates, trial.cohort, trial.file.protocol)),
        assumptions=tuple(shipped().by_name.values()),
        seed=1,
        head=read_head(trial.folder / "trial.db"),
        changed=(),
        predictions=PredictionInput(
            held_out=predicted("held out"), everything=predicted("all"), about=about_shipped(), drawn=None
        ),
    )


@pytest.fixture(scope="module")
def page(told: ReportInput) -> str:
    return render(told)


class Outline(HTMLParser):
    """Collects what a screen reader would: headings, ids, links, figures, and whether tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.figures: list[dict[str, str | None]] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if named.get("id"):
            self.ids.append(str(named["id"]))
        if tag == "a":
            self.links.append(str(named["href"]))
        if tag == "svg":
            self.figures.append(named)
        if tag in ("script", "img", "link", "iframe", "source"):
            self.loads += [str(named[key]) for key in ("src", "href") if key in named]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    made = Outline()
    made.feed(page)
    assert made.open == []
    return made


def test_safety_tables_stand_on_the_page_with_their_sums(page: str, whole_trial: Rehearsed) -> None:
    """Events by class and grade, grades by the pinned version, shift tables of every term, days free of support."""
    safety = page[page.index('<section id="safety">') : page.index('<section id="fate">')]
    for words_of in (
        "from the first dose to 30 days after the last",
        "Graded by CTCAE 4.03 from the value alone",
        "Lymphocyte count decreased: subjects by what they had before treatment",
        "flagged for adjudication",
        "Days alive and free of organ support, by arm",
        "related ",
    ):
        assert words_of in safety
    n_dosed = int((whole_trial.cohort.n_doses[0] > 0).sum())
    shifts = safety.split("<caption>Lymphocyte count decreased:")[1].split("</table>")[0]
    assert sum(int(found) for found in re.findall(r'<td class="n">(\d+) of \d+</td></tr>', shifts)) == n_dosed
    emergent = safety.split("by the worst treatment-emergent grade of each laboratory term</caption>")[1].split(
        "</table>"
    )[0]
    rows = re.findall(r"<tr>(.*?)</tr>", emergent.split("<tbody>")[1], flags=re.DOTALL)
    counts = [[int(n) for n in re.findall(r'<td class="n">(\d+)</td>', row)] for row in rows]
    assert {sum(sum(row) for row in counts[start : start + 3]) for start in range(0, len(counts), 3)} == {n_dosed}


def test_it_needs_no_network(page: str, outline: Outline) -> None:
    assert outline.loads == []
    assert "@import" not in page
    assert not re.search(r"url\(", page)
    assert "fetch(" not in page


def test_every_part_is_there_and_reached_from_the_contents(outline: Outline) -> None:
    parts = {
        "predicted",
        "flow",
        "courses",
        "estimates",
        "safety",
        "fate",
        "published",
        "limits",
        "model",
        "publication",
        "again",
    }
    assert parts <= set(outline.ids)
    assert {f"#{part}" for part in parts} <= set(outline.links)
    assert len(outline.ids) == len(set(outline.ids)), "an id stands twice"


def test_headings_descend_one_step_at_a_time(outline: Outline) -> None:
    levels = [int(heading[1]) for heading in outline.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_every_figure_has_a_name_and_a_description(outline: Outline) -> None:
    assert len(outline.figures) >= 12
    for figure in outline.figures:
        assert figure["role"] == "img"
        assert all(name in outline.ids for name in str(figure["aria-labelledby"]).split())


def test_it_says_that_no_patient_took_part_and_where_the_model_failed(page: str) -> None:
    assert "No patient took part in this" in page
    assert "ILIAD-7" in page
    assert "calibration, not validation" in page
    assert "hypothetical: had they lived" in page
    assert "not verified: memory" in page
    assert "IAR4248612" in page
    assert "29515037" in page


def test_it_says_which_published_values_were_predicted_unseen_and_which_were_data(page: str) -> None:
    section = page.partition('<section id="predicted">')[2].partition("</section>")[0]
    assert "held out of the likelihood, not of the building of the model" in section
    assert "A: predicted unseen" in section
    for name in ("IRIS-7: ALC", "IRIS-7: CD4", "IRIS-7: CD8"):
        assert name in section
    assert section.count("used as data") >= 12  # three figures, four readings each
    assert "ILIAD-7 pooled" in section
    assert section.count("<svg") == 6
    assert re.search(r"chip (good|bad)", section)


def test_it_says_which_p_value_is_the_trial_s_and_that_the_others_are_exploratory(page: str) -> None:
    told = re.search(r"One p-value is that of the trial: (.*?)</p>", page, re.DOTALL)
    assert told is not None
    assert "Lymphocytes on day 29, CYT107 against placebo, in those alive" in told.group(1)
    assert "not adjusted for their number" in told.group(1)


def test_every_table_has_a_caption_of_its_own(page: str) -> None:
    captions = re.findall(r"<table[^>]*><caption>([^<]+)</caption>", page)
    assert len(captions) == page.count("<table") >= 10
    assert len(captions) == len(set(captions))


def test_the_forest_tells_bounds_to_those_who_do_not_see_it(page: str) -> None:
    found = re.search(r'id="t-forest-of-ratios-d">([^<]*)<', page)
    assert found is not None
    assert "between " in found.group(1)
    assert "–" not in found.group(1)


def test_a_protocol_of_one_s_own_is_told_what_is_extrapolated() -> None:
    text = files("sevenfold.protocol").joinpath("library", "template.yaml.txt").read_text(encoding="utf-8")
    own = parse(text.replace("dose: 10 µg/kg", "dose: 20 µg/kg"), "own.yaml").protocol
    assert "extrapolated" in limits_of(own)[0]
    assert "this protocol gives 20 µg/kg" in limits_of(own)[1]
    assert limits_of(load("iris-7").protocol) == LIMITS


def test_it_says_whose_data_were_locked_without_a_signature_and_why(told: ReportInput, page: str) -> None:
    """Where all were signed it says nothing of it."""
    unsigned = {"FR-1-001": "the investigator has died", "FR-2-003": "the site <closed>"}
    text = render(replace(told, history=replace(told.history, unsigned=unsigned)))
    line = "FR-1-001 (the investigator has died), FR-2-003 (the site &lt;closed&gt;)</dd>"
    assert f"without an investigator's signature under the data of {line}" in text
    assert "<dt>Lock</dt>" not in page


def test_no_number_is_nan(page: str) -> None:
    assert not re.search(r">\s*-?(nan|inf|None)\b", page)


def test_the_headline_is_the_primary_result(page: str) -> None:
    headline = re.search(r'class="headline">(.*?)</p>', page, re.DOTALL)
    assert headline is not None
    assert "Lymphocytes on day 29, CYT107 against placebo, in those alive" in headline.group(1)
    assert "95 % CI" in headline.group(1)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234.5, None, "1\u202f234"), (12.34, None, "12.3"), (1.234, None, "1.23"), (-0.5, 1, "−0.5"), (None, None, "–")],
)
def test_numbers_are_written_with_the_digits_that_matter(value: float | None, digits: int | None, text: str) -> None:
    assert words.number(value, digits) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0004, "<\u202f0.001"), (0.0123, "0.012"), (0.0996, "0.10"), (0.5, "0.50"), (None, "–")]
)
def test_p_values(p: float | None, text: str) -> None:
    assert words.p_value(p) == text


@pytest.mark.parametrize("is_log", [True, False])
def test_a_scale_puts_its_ends_at_its_ends_and_ticks_between(is_log: bool) -> None:
    scale = Scale(low=50.0, high=4000.0, start=10.0, end=400.0, is_log=is_log)
    assert (scale(50.0), scale(4000.0)) == (10.0, 400.0)
    assert scale(1e9) == 400.0
    ticks = scale.ticks()
    assert len(ticks) >= 3
    assert all(50.0 <= tick <= 4000.0 for tick in ticks)
