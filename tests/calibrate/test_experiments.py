"""Experiments: what stands in them is what stands in the evidence, or there is an error that says where."""

import pytest

from sevenfold.calibrate.digest import evidence_hash
from sevenfold.calibrate.evidence_file import evidence, parse_evidence
from sevenfold.calibrate.experiments import Evidence, Form, Use
from sevenfold.calibrate.populations import parse_populations, populations, products
from sevenfold.errors import InvalidInput
from sevenfold.evidence.figures import Figure

ARMS = "format: 1\narms:\n  a: {population: septic_survivors, looks: [0, 4]}\n"
PLAIN = (
    "  - {figure: f, use: fit, arms: {a: 1}, variable: alc, statistic: level, read as: [{day: 4}], form: quartiles, "
    "printed: [1.1, 0.7, 1.5], unit: 10^3/µL, n: 5, n_printed: 9, discrepancy: 0.1, meaning: m}\n"
)


def figure(**fields: object) -> Figure:
    base: dict[str, object] = {
        "id": "f", "trial": "t", "arm": "x", "variable": "ALC", "statistic": "median", "source": "http://x",
        "level": "abstract", "verified": True, "use": "calibration", "value": 1.1, "lo": 0.7, "hi": 1.5, "n": 9,
    }  # fmt: skip
    return Figure(**{**base, **fields})  # type: ignore[arg-type]


def parsed(entry: str = PLAIN, arms: str = ARMS, **fields: object) -> Evidence:
    return parse_evidence(f"{arms}experiments:\n{entry}", "e.yaml", (figure(**fields),))


def test_a_sound_entry_is_read_into_the_statistic_s_unit() -> None:
    (one,) = parsed().experiments
    assert one.reported == (700.0, 1100.0, 1500.0)
    assert one.form is Form.QUARTILES


def test_no_shipped_target_is_unverified_and_every_one_says_how_it_is_read() -> None:
    for one in evidence().experiments:
        assert one.meaning, one.id
        if one.use is not Use.CHECK:
            assert one.figure.verified, one.id
            assert one.figure.confidence != "low"
            assert one.discrepancy > 0.0, one.id


def test_iris_7_and_iris_7c_are_held_out_and_covid_is_never_fitted() -> None:
    uses = {one.id: one.use for one in evidence().experiments}
    for name, use in uses.items():
        assert (use is Use.HELD_OUT) == name.startswith("iris7"), name
        if name.startswith(("iliad", "laterre")):
            assert use is Use.CHECK, name


def test_every_population_names_its_assumptions() -> None:
    assert all(one.assumptions for one in populations().values())
    assert {"cyt107", "unglycosylated", "efineptakin"} == set(products())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (PLAIN.replace("1.1,", "1.2,"), r"experiment 1 \(f\): printed .* drifted"),
        (PLAIN.replace("n_printed: 9", "n_printed: 8"), "n_printed 8 differs"),
        (PLAIN.replace("figure: f", "figure: g"), "figure 'g' is not known"),
        (PLAIN.replace("variable: alc", "variable: acl"), "variable 'acl' is not known. Did you mean 'alc'"),
        (PLAIN.replace("{a: 1}", "{b: 1}"), "arm 'b' is not known"),
        (PLAIN.replace("unit: 10^3/µL, ", ""), "names no unit"),
        (PLAIN.replace("10^3/µL", "furlong"), "unit 'furlong' is not known"),
        (PLAIN.replace("{day: 4}", "{day: 5}"), "arm 'a' is not looked at on day 5"),
        (PLAIN.replace("{day: 4}", "{day: 4, over placebo: true}"), "needs `against`"),
        (PLAIN.replace("statistic: level", "statistic: mode"), "statistic 'mode' is not known"),
        (PLAIN.replace("form: quartiles", "form: guess"), "form 'guess' is not known"),
        (PLAIN.replace("n: 5, ", "n: 5, factor: 2, "), "unknown field 'factor'"),
        (PLAIN.replace("use: fit, ", ""), "names no use"),
        (PLAIN.replace("arms: {a: 1}, ", ""), "names no arms"),
        (PLAIN.replace("{a: 1}", "{}"), "arms is {}; give arms with their shares"),
        (PLAIN.replace("{a: 1}", "{a: 0}"), "the share of 'a' must be more than 0"),
        (PLAIN.replace("n: 5,", "n: 0,"), "n is 0; give a whole number of patients"),
        (PLAIN.replace("n: 5,", "n: many,"), "n is 'many'; give a whole number"),
        (PLAIN.replace("n: 5,", "n: true,"), "n is True; give a whole number"),
        (PLAIN.replace("discrepancy: 0.1", "discrepancy: -1"), "discrepancy is -1; give a standard deviation"),
        (PLAIN.replace("discrepancy: 0.1", "discrepancy: .nan"), "discrepancy is nan"),
        (PLAIN.replace("n: 5,", "n: 5, weight: x,"), "weight is 'x'; give an exponent"),
        (PLAIN.replace("n: 5,", "n: 5, weight: 2,"), "weight is 2; give an exponent"),
        (PLAIN.replace("n: 5,", "n: 5, spread: 0,"), "spread is 0"),
        (PLAIN.replace("n: 5,", "n: 5, rounding: .inf,"), "rounding is inf"),
        (PLAIN.replace("meaning: m", "meaning: ''"), "meaning is ''; say in words"),
        (PLAIN.replace(", meaning: m", ""), "names no meaning"),
        (PLAIN.replace("[{day: 4}]", "[]"), r"read as is \[\]; give a list of readings"),
        (PLAIN.replace("[{day: 4}]", "[4]"), "read as: found 4; it must be a mapping"),
        (PLAIN.replace("{day: 4}", "{day: four}"), "read as: day is 'four'"),
        (PLAIN.replace("{day: 4}", "{day: 4, over placebo: yes please}"), "over placebo is 'yes please'"),
        (PLAIN.replace("read as: [{day: 4}], ", ""), "a level needs its day or days"),
        (PLAIN.replace("10^3/µL", "percent"), "unit is 'percent'; a level is in cells/µL or 10"),
        (PLAIN.replace("variable: alc", "variable: ki67_cd4"), "a level is of alc, cd4, cd8"),
        (PLAIN.replace("statistic: level", "statistic: half-life"), "a half-life is in day or h"),
        (PLAIN.replace("form: quartiles", "form: share"), "form is 'share'; a share below is reported as a share"),
        ("  - a list of words\n", "without figure.*must be a mapping"),
    ],
)
def test_an_entry_that_contradicts_is_one_clear_error_with_file_and_entry(entry: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        parsed(entry)
    assert str(error.value).startswith("e.yaml: experiment 1 (")


def test_the_unit_is_the_figure_s_own() -> None:
    """A count that was printed in cells and is said to be in thousands would be a thousand times too large."""
    assert parsed(unit="10^3/uL").experiments[0].reported == (700.0, 1100.0, 1500.0)
    with pytest.raises(InvalidInput, match=r"unit is '10\^3/µL'; the figure's is cells/uL"):
        parsed(unit="cells/uL")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lo": None, "value": 1.1}, "has no such numbers"),
        ({"lo": 1.2}, "the numbers ascend"),
        ({"value": "a word"}, "has no such numbers"),
    ],
)
def test_a_figure_that_is_not_of_its_form_is_refused(fields: dict[str, object], message: str) -> None:
    one = figure(**fields)
    numbers = ", ".join(str(v) for v in (one.value, one.lo, one.hi) if v is not None)
    with pytest.raises(InvalidInput, match=message):
        parsed(PLAIN.replace("1.1, 0.7, 1.5", numbers), ARMS, **fields)


def test_a_statistic_that_the_looks_cannot_show_is_refused() -> None:
    """A top needs three looks; the parabola through two would be an IndexError in the middle of a calibration."""
    entry = (
        PLAIN.replace("level", "mean highest rise").replace("read as: [{day: 4}], ", "").replace("quartiles", "point")
    )
    entry = entry.replace("[1.1, 0.7, 1.5]", "50").replace("10^3/µL", "percent")
    fields: dict[str, object] = {"value": 50, "lo": None, "hi": None, "unit": "percent"}
    with pytest.raises(InvalidInput, match="read off 3 looks or more from day 7; arm 'a' has 1"):
        parsed(entry, ARMS.replace("[0, 4]", "[0, 4, 14]"), **fields)
    (one,) = parsed(entry, ARMS.replace("[0, 4]", "[0, 7, 14, 21]"), **fields).experiments
    assert one.reported == (1.5,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"verified": False}, "was not verified"), ({"confidence": "low"}, "of low confidence")],
)
def test_what_was_recalled_cannot_be_a_target(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parsed(PLAIN, ARMS, **fields)


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ("arms:\n  a: {looks: [0, 4]}\n", "arm 'a': it names no population"),
        ("arms:\n  a: {population: septic, looks: [0, 4]}\n", "population 'septic' is not known"),
        ("arms:\n  a: {population: hiv, looks: [4, 0]}\n", "looks must ascend from day 0"),
        ("arms:\n  a: {population: hiv, looks: [0], days: [0]}\n", "doses of no product"),
        ("arms:\n  a: {population: hiv, looks: [0], product: cyt107, route: PO, days: [0]}\n", "route 'PO'"),
        (
            "arms:\n  a: {population: hiv, looks: [0], product: cyt107, route: IM, days: [0], dose_ug_per_kg: -1}\n",
            "must not be negative",
        ),
        ("arms:\n  a: {population: hiv, looks: [0], pruduct: x}\n", "unknown field 'pruduct'; did you mean 'product'"),
        ("arms:\n  a: {population: hiv, looks: abc}\n", "arm 'a': looks is 'abc'; looks must ascend"),
        ("arms:\n  a: {population: hiv, looks: []}\n", "looks must ascend"),
        ("arms:\n  a: {population: hiv, looks: [0, .nan]}\n", "looks must ascend"),
        ("arms:\n  a: {population: hiv}\n", "names no looks"),
        ("arms:\n  a: 7\n", "arm 'a': found 7; it must be a mapping"),
        (
            "arms:\n  a: {population: hiv, looks: [0], product: cyt107, route: IM, days: [0], dose_ug_per_kg: .nan}\n",
            "dose_ug_per_kg is nan; a dose must not be negative",
        ),
        (
            "arms:\n  a: {population: hiv, looks: [0], product: cyt107, route: IM, days: [0]}\n",
            "names no dose_ug_per_kg",
        ),
        (
            "arms:\n  a: {population: hiv, looks: [0], product: cyt107, route: IM, days: [1], dose_ug_per_kg: 1}\n",
            "nor lie after the last look",
        ),
        (
            "arms:\n  a: {population: hiv, looks: [0], product: cyt107, route: IM, days: [-1, 0], dose_ug_per_kg: 1}\n",
            "must not be negative",
        ),
        ("other: 1\n", "needs the mappings"),
        ("arms: [\n", "not YAML"),
        ("- a\n", "not YAML|needs the mappings"),
    ],
)
def test_an_arm_that_cannot_be_simulated_is_refused(arms: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        parsed(arms=f"format: 1\n{arms}" if arms.startswith("arms") else arms)
    assert str(error.value).startswith("e.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{ARMS}experiments: null\n", "experiments is None; give a list"),
        (f"{ARMS}experiments: []\n", "give a list of at least one experiment"),
        (f"{ARMS}experiments: a\n", "give a list of at least one experiment"),
        (f"{ARMS.replace('format: 1', 'format: 2')}experiments: []\n", "format is 2; this program reads `format: 1`"),
        (f"{ARMS.replace('format: 1', '')}experiments: []\n", "format is None; this program reads"),
        (f"{ARMS}experiments: []\nexperiment: []\n", "unknown field 'experiment'; did you mean 'experiments'"),
        ("just words\n", "needs the mappings"),
    ],
)
def test_a_file_that_is_no_evidence_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        parse_evidence(text, "e.yaml", (figure(),))
    assert str(error.value).startswith("e.yaml: ")


def test_a_population_with_a_name_that_nobody_has_is_refused() -> None:
    text = '[population.x]\nlabel = "x"\nweight_kg = 70.0\nassumptions = ["a"]\nfixed = {speed = 1.0}\n'
    text += '[product.p]\nlabel = "p"\n'
    with pytest.raises(InvalidInput, match=r"p.toml: population 'x' names 'speed'"):
        parse_populations(text, "p.toml")
    with pytest.raises(InvalidInput, match="names no assumption"):
        parse_populations(text.replace('["a"]', "[]").replace("fixed = {speed = 1.0}\n", ""), "p.toml")


def test_the_hash_follows_numbers_and_not_words() -> None:
    one = parsed()
    assert evidence_hash(one) == evidence_hash(parsed(PLAIN.replace("meaning: m", "meaning: other words")))
    assert evidence_hash(one) != evidence_hash(parsed(PLAIN.replace("discrepancy: 0.1", "discrepancy: 0.2")))
