"""Experiments: what stands in them is what stands in the evidence, or there is an error that says where."""

import pytest

from sevenfold.calibrate.experiments import Evidence, Form, Use, evidence, evidence_hash, parse_evidence
from sevenfold.calibrate.populations import parse_populations, populations, products
from sevenfold.errors import InvalidInput
from sevenfold.evidence.figures import Figure

ARMS = "arms:\n  a: {population: septic_survivors, looks: [0, 4]}\n"
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
        (PLAIN.replace("statistic: level", "statistic: mode"), "mode"),
        (PLAIN.replace("form: quartiles", "form: guess"), "guess"),
        (PLAIN.replace("n: 5, ", "n: 5, factor: 2, "), "factor"),
    ],
)
def test_an_entry_that_contradicts_is_one_clear_error_with_file_and_entry(entry: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        parsed(entry)
    assert str(error.value).startswith("e.yaml: experiment 1 (")


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
        ("arms:\n  a: {looks: [0, 4]}\n", "arm 'a' names no population"),
        ("arms:\n  a: {population: septic, looks: [0, 4]}\n", "population 'septic' is not known"),
        ("arms:\n  a: {population: hiv, looks: [4, 0]}\n", "looks must ascend from day 0"),
        ("arms:\n  a: {population: hiv, looks: [0], days: [0]}\n", "doses of no product"),
        ("arms:\n  a: {population: hiv, looks: [0], product: cyt107, route: PO, days: [0]}\n", "route 'PO'"),
        (
            "arms:\n  a: {population: hiv, looks: [0], product: cyt107, route: IM, days: [0], dose_ug_per_kg: -1}\n",
            "must not be negative",
        ),
        ("arms:\n  a: {population: hiv, looks: [0], pruduct: x}\n", "unknown field 'pruduct'"),
        ("other: 1\n", "needs the mappings"),
        ("arms: [\n", "not YAML"),
    ],
)
def test_an_arm_that_cannot_be_simulated_is_refused(arms: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        parsed(arms=arms)
    assert str(error.value).startswith("e.yaml")


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
