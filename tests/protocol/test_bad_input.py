"""Bad protocols: one clear message each, with the line, what was found and what would be right."""

from importlib.resources import files
from pathlib import Path

import pytest

from sevenfold.errors import InvalidInput
from sevenfold.protocol.load import built_in, load, parse

TEMPLATE = files("sevenfold.protocol").joinpath("library", "template.yaml.txt").read_text(encoding="utf-8")


def refused(text: str) -> str:
    """The message with which a protocol is refused."""
    with pytest.raises(InvalidInput) as caught:
        parse(text, "trial.yaml")
    return str(caught.value)


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if words in line)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("aim: To show", "aims: To show", "key 'aims' is not known; did you mean 'aim'?"),
        ("title: An example trial of interleukin-7 in septic shock\n", "", "title: this key is missing"),
        ("dose: 10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "dose: 10 µg/L, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "is a concentration; a dose by weight is wanted"),
        ("dose: 10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "dose: -10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "should be greater than 0"),
        ("dose: 10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "dose: 10, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "10 has no unit; write it like '10 µg/kg'"),
        ("{product: drug, dose: 10 µg/kg, route: IM", "{product: drug, dose: 10 µg/kg, route: IN", "should be 'IM', 'SC' or 'IV'; found 'IN'"),
        ("window: [-2, 3]", "window: [-5, 3]", "the window of 'day 25' ends on day 26, and that of 'day 29' begins on day 24"),
        ("ratio: {drug: 1, placebo: 1}", "ratio: {drug: 1}", "ratio"),
        ("ratio: {drug: 1, placebo: 1}", "ratio: {drug: 1, control: 1}", "the ratio leaves out 'placebo'"),
        ("endpoint: alc-fold\n", "endpoint: alc-folds\n", "endpoint 'alc-folds' is not known; did you mean 'alc-fold'?"),
        ("fold: alc, visit: day 29", "fold: alc", "visit: this key is missing"),
        ("fold: alc, visit: day 29", "fold: alc, visit: day 30", "visit 'day 30' is not known; did you mean 'day 60'?"),
        ("fold: alc, visit: day 29", "fold: il7, visit: day 29", "'il7' is not assessed at 'day 29'"),
        ("days: [1, 4, 8, 11, 15, 18, 22, 25]}\ngroups", "days: [1, 4, 8, 11, 15, 18, 22]}\ngroups", "looks different from arm 'drug' on day 25"),
        ("    injections:\n      - {product: placebo, dose: 10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\ngroups", "groups", "injections: this key is missing"),
        ("days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "days: [1, 4, 4, 11, 15, 18, 22, 25]}\n  - id: placebo", "dosing days must ascend from day 1"),
        ("{id: day 4, day: 4", "{id: day 4, day: 0", "there is no study day 0"),
        ("{number: age, at_least: 18 years}", "{number: age, at_least: 18 kg}", "is a mass; a time is wanted"),
        ("{number: age, at_least: 18 years}", "{number: ages, at_least: 18 years}", "'ages' is not known; did you mean 'age'?"),
        ("{number: age, at_least: 18 years}", "{number: age}", "needs a limit"),
        ("{number: age, at_least: 18 years}", "{nombre: age, at_least: 18 years}", "a rule begins with one of number, fact"),
        ("assessments: [alc, cd4, cd8, ki67_cd4, il7]   #", "assessments: [cd4, cd8, ki67_cd4, il7]   #", "'alc' gives the arm away after randomisation"),
        ("action: stop, masked: true", "action: stop", "say 'masked: true'"),
        ("blind: [participant,", "blind: [safety reviewer,", "listed as blind and as unblinded"),
        ("    role: primary\n", "    role: secondary\n", "exactly one primary estimand"),
        ("intercurrent: {death: while alive, stopped dosing: treatment policy}", "intercurrent: {stopped dosing: treatment policy}", "does not say what death means"),
        ("intercurrent: {death: while alive, stopped dosing: treatment policy}", "intercurrent: {death: ignore}", "found 'ignore'"),
        ("{estimand: alc, method: ancova, covariates: [baseline]}", "{estimand: alc, method: repeated measures}", "cannot be the only primary analysis"),
        ("{estimand: alc, method: ancova, covariates: [baseline]}", "{estimand: response, method: exact unconditional test}", "no analysis answers the primary estimand"),
        ("summary: ratio of geometric means", "summary: difference of means", "does not summarise endpoint"),
        ("to: medical monitor", "to: medical moniter", "did you mean 'medical monitor'?"),
        ("time_zone: Europe/Paris, opens: 2027-01-11", "time_zone: Europe/Pari, opens: 2027-01-11", "time zone 'Europe/Pari' is not known"),
        ("opens: 2027-01-11", "opens: soon", "date"),
        ("planned: 40", "planned: 1", "greater than or equal to 2"),
        ("planned: 40", "planned: forty", "valid integer"),
        ("format: 1", "format: 2", "format 2 is newer than this version"),
        ("strength: {value: 2 mg/mL, verified: false}", "matches: placebo", "needs a strength"),
        ("matches: drug", "matches: drugs", "product 'drugs' is not known"),
        ("  placebo: [placebo]\n", "  placebo: [placebos]\n", "arm 'placebos' is not known"),
        ("compare: [drug, placebo]\n    summary", "compare: [drug, drug]\n    summary", "compares 'drug' with itself"),
        ("alc: {lower: 1147, upper: 3859}", "cd4: {lower: 300, upper: 1500}", "reference range for 'alc' is not known"),
        ("baseline: {visit: day 1}", "baseline: {visit: day 2}", "visit 'day 2' is not known"),
        ("{id: day 11, day: 11, window: [-1, 1]", "{id: day 11, day: 12, window: [-1, 1]", "there is a dose on day 11 but no visit on that day"),
        ("monitoring:\n", "monitoring:\n  - {id: count, when: {number: alc, above: 2.5 x ULN}, to: medical monitor, action: look}\n", "it reads a masked result, and 'medical monitor' is blind"),
        ("monitoring:\n", "monitoring:\n  - {id: count, when: {number: platelets, below: 9 cells/µL}, term: Fever, to: medical monitor, action: look}\n", "looks at values or at adverse events"),
        ("ki67_cd4, platelets, il6, sofa]}", "ki67_cd4, platelets, il6, sofaa]}", "assessment 'sofaa' is not known; did you mean 'sofa'?"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_line(old: str, new: str, says: str) -> None:
    assert old in TEMPLATE, "the template changed: mend this case"
    message = refused(TEMPLATE.replace(old, new, 1))
    assert says in message
    assert message.startswith("trial.yaml, line ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("planned: 40", "planned: forty"),
        ("aim: To show", "aims: To show"),
        ("strata: [site]", "strata: [region]"),
        ("{id: day 4, day: 4", "{id: day 4, day: 0"),
    ],
)
def test_the_line_is_the_one_where_the_fault_stands(old: str, new: str) -> None:
    text = TEMPLATE.replace(old, new, 1)
    assert f"line {line_of(text, new)}:" in refused(text)


TWO_DRUGS = TEMPLATE.replace(
    "  placebo:\n    label: Placebo (normal saline)",
    "  other:\n    label: Another\n    is_active: true\n    strength: 10 mg/mL\n  placebo:\n    label: Placebo (normal saline)",
    1,
)


def test_one_volume_cannot_be_two_doses() -> None:
    """Arms that look alike have one volume; a second product of another strength would be dosed five times too high."""
    comparator = TWO_DRUGS.replace("{product: placebo, dose: 10", "{product: other, dose: 10", 1)
    twin = comparator.replace(
        "\n# All arms", "  twin:\n    label: Saline\n    is_active: false\n    matches: other\n\n# All arms", 1
    )
    assert "'other' has 10 mg/mL and 'drug', given on the same day 1, 2 mg/mL" in refused(twin)
    parse(twin.replace("strength: 10 mg/mL", "strength: 2 mg/mL"), "trial.yaml")


def test_a_product_that_may_be_withheld_needs_one_placebo() -> None:
    comparator = TWO_DRUGS.replace("{product: placebo, dose: 10", "{product: other, dose: 10", 1)
    alike = comparator.replace("strength: 10 mg/mL", "strength: 2 mg/mL")
    assert "may withhold 'other', and no placebo matches it" in refused(alike)
    again = TEMPLATE.replace(
        "\n# All arms", "  twin:\n    label: Saline\n    is_active: false\n    matches: drug\n\n# All arms", 1
    )
    assert "placebos 'placebo' and 'twin' both match 'drug'" in refused(again)


def test_several_faults_are_all_told() -> None:
    text = TEMPLATE.replace("planned: 40", "planned: forty").replace("block_repeats: [1, 2, 3]", "block_repeats: [0]")
    assert len(refused(text).splitlines()) == 2


def test_what_is_no_mapping_or_no_text_is_refused(tmp_path: Path) -> None:
    assert "a protocol is a mapping" in refused("- 1\n- 2\n")
    path = tmp_path / "latin.yaml"
    path.write_bytes("title: Hôpital".encode("latin-1"))
    with pytest.raises(InvalidInput, match="not UTF-8"):
        load(str(path))


def test_an_unknown_built_in_names_its_neighbour() -> None:
    with pytest.raises(InvalidInput, match="Did you mean the built-in 'iris-7'"):
        load("iris7")
    assert built_in() == ("iris-7", "iris-7c")
