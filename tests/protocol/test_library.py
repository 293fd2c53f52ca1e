"""The built-in protocols say what the evidence says, and mark what it doesn't."""

import datetime as dt

import pytest

from sevenfold.evidence.figures import figures_of
from sevenfold.protocol.load import built_in, load, parse
from sevenfold.protocol.rule import LabRule, NumberRule, leaves
from sevenfold.protocol.treatment import Route
from sevenfold.rules.holding import bound


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_is_sound_and_its_arms_look_alike(name: str) -> None:
    protocol = load(name).protocol
    assert len({arm.calendar for arm in protocol.arms}) == 1
    assert protocol.dosing_days[0] == 1


def test_iris_7_is_what_was_read_of_it() -> None:
    """Every number of the design that was verified, from the evidence; Francois 2018 and the registry."""
    protocol = load("iris-7").protocol
    evidence = {figure.id: figure for figure in figures_of("IRIS-7") if figure.verified}
    assert protocol.population.planned == evidence["iris7_n_total"].value
    assert len(protocol.arms) == evidence["iris7_groups"].value
    assert len(protocol.sites) == evidence["iris7_sites"].value
    rules = {criterion.id: criterion.rule for criterion in protocol.population.criteria}
    age, window, count = rules["age"], rules["time since admission"], rules["lymphopenia"]
    assert isinstance(age, NumberRule)
    assert isinstance(window, NumberRule)
    assert isinstance(count, LabRule)
    assert bound(age.at_least or 0, "age", protocol) == evidence["iris7_age_min"].value
    assert bound(age.below or 0, "age", protocol) == evidence["iris7_age_max"].value
    hours = "hours_since_icu_admission"
    assert bound(window.at_least or 0, hours, protocol) == pytest.approx(evidence["iris7_window"].lo or 0.0)
    assert bound(window.at_most or 0, hours, protocol) == pytest.approx(evidence["iris7_window"].hi or 0.0)
    assert bound(count.at_most or 0, "alc", protocol) == evidence["iris7_alc_cutoff"].value
    limits = {
        leaf.number: leaf for _, leaf in leaves(protocol.dosing.route_rules[0].when) if isinstance(leaf, NumberRule)
    }
    assert bound(limits["inr"].above or 0, "inr", protocol) == evidence["iris7_sc_inr"].value
    assert bound(limits["platelets"].below or 0, "platelets", protocol) == evidence["iris7_sc_plt"].value


def test_iris_7c_is_what_was_read_of_it() -> None:
    protocol = load("iris-7c").protocol
    evidence = {figure.id: figure for figure in figures_of("IRIS-7C") if figure.verified}
    assert protocol.population.planned == evidence["iris7c_planned"].value
    assert protocol.randomisation.ratio == {"cyt107": 3, "placebo": 1}
    assert len(protocol.dosing_days) == evidence["iris7c_doses"].value
    assert {one.route for one in protocol.arms[0].calendar} == {Route.IV}
    assert {one.dose_ug_per_kg for one in protocol.arms[0].calendar} == {evidence["iris7c_dose"].value}
    assert protocol.baseline.qualifying_mean == ("alc",)


@pytest.mark.parametrize(
    "place", [("randomisation", "ratio"), ("arms", 0, "injections", 0, "days"), ("randomisation", "block_repeats")]
)
def test_where_the_literature_is_silent_iris_7_says_so(place: tuple[str | int, ...]) -> None:
    """Arm sizes of the two frequencies, exact dosing days, blocks."""
    assert not load("iris-7").citations[place].verified


def test_an_amendment_is_in_force_at_each_site_from_its_own_day() -> None:
    text = load("iris-7").text.replace(
        "    amendments: []\n  - id: IRIS-7B",
        """    amendments:
      - id: A1
        date: 2016-06-01
        summary: Older patients too
        effective: {FR-1: 2016-07-01, FR-2: 2016-08-01}
        replaces: [{id: age, kind: inclusion, text: Age 18 to under 85, rule: {number: age, at_least: 18 years, below:
            85 years}}]
        removes: [splenectomy]
  - id: IRIS-7B""",
    )
    from sevenfold.protocol.load import parse

    protocol = parse(text, "amended.yaml").protocol
    ids = {site: {c.id for c in protocol.criteria_at(site, dt.date(2016, 7, 15))} for site in ("FR-1", "FR-2", "US-1")}
    assert "splenectomy" not in ids["FR-1"]
    assert "splenectomy" in ids["FR-2"]
    assert "splenectomy" in ids["US-1"]
    assert protocol.amendments_at("FR-1", dt.date(2016, 6, 30)) == ()
    assert protocol.amendments_at("FR-1", dt.date(2016, 7, 1)) == ("A1",)


def test_how_a_product_is_packed_is_no_part_of_the_plan_and_everything_else_is() -> None:
    """What was measured of a plan holds for the same plan with other vials, and for no other plan."""
    file = load("iris-7")
    other_vials = parse(file.text.replace("{value: 10 mL, verified: false", "{value: 20 mL, verified: false"), "x")
    assert other_vials.sha256 != file.sha256
    assert other_vials.plan_sha256 == file.plan_sha256
    another_size = parse(file.text.replace("planned: {value: 27", "planned: {value: 28"), "x")
    another_word = parse(file.text.replace("action: review within 24 h", "action: review within 48 h"), "x")
    assert len({file.plan_sha256, another_size.plan_sha256, another_word.plan_sha256}) == 3
