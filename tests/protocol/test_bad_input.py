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
        ("    injections:\n      - {product: placebo, dose: 10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\ngroups", "groups", "arm 'placebo' needs its 'injections'"),
        ("days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "days: [1, 4, 4, 11, 15, 18, 22, 25]}\n  - id: placebo", "dosing days must ascend from day 1"),
        ("{id: day 4, day: 4", "{id: day 4, day: 0", "there is no study day 0"),
        ("{number: age, at_least: 18 years}", "{number: age, at_least: 18 kg}", "is a mass; a time is wanted"),
        ("{number: age, at_least: 18 years}", "{number: ages, at_least: 18 years}", "'ages' is not known; did you mean 'age'?"),
        ("{number: age, at_least: 18 years}", "{number: age}", "needs a limit"),
        ("{number: age, at_least: 18 years}", "{nombre: age, at_least: 18 years}", "a rule begins with one of number, fact"),
        ("assessments: [alc, cd4, cd8, ki67_cd4, il7]   #", "assessments: [cd4, cd8, ki67_cd4, il7]   #", "'alc' gives the arm away after randomisation"),
        ('ctcae: "5.0"', 'ctcae: "3.0"', "should be '4.03', '5.0' or '6.0'; found '3.0'"),
        ("emergent_for: 30 days", "emergent_for: 30", "30 has no unit; write it like '10 day'"),
        ("action: stop, masked: true", "action: stop", "say 'masked: true'"),
        ("blind: [participant,", "blind: [safety reviewer,", "listed as blind and as unblinded"),
        ("    role: primary\n", "    role: secondary\n", "exactly one primary estimand"),
        ("intercurrent: {death: in those alive, stopped dosing: treatment policy}", "intercurrent: {stopped dosing: treatment policy}", "does not say what death means"),
        ("intercurrent: {death: in those alive, stopped dosing: treatment policy}", "intercurrent: {death: ignore}", "found 'ignore'"),
        ("{estimand: alc, method: ancova, covariates: [baseline]}", "{estimand: alc, method: repeated measures}", "cannot be the only primary analysis"),
        ("{estimand: alc, method: ancova, covariates: [baseline]}", "{estimand: response, method: exact unconditional test}", "no analysis answers the primary estimand"),
        ("summary: ratio of geometric means", "summary: difference of means", "does not summarise endpoint"),
        ("{estimand: alc, method: ancova, covariates: [baseline]}", "{estimand: alc, method: exact unconditional test}", "'exact unconditional test' does not give a ratio of geometric means of endpoint 'alc-fold'; 'ancova' or"),
        ("{estimand: death-28, method: exact unconditional test}", "{estimand: death-28, method: ancova}", "'ancova' does not give a difference of proportions"),
        ("intercurrent: {death: in those alive, stopped", "intercurrent: {death: hypothetical, stopped", "'ancova' does not carry out 'hypothetical' for death; what it does is 'in those alive'"),
        ("intercurrent: {death: in those alive, stopped", "intercurrent: {death: while alive, stopped", "'ancova' does not carry out 'while alive' for death"),
        ("stopped dosing: treatment policy}", "discharge: composite}", "'ancova' does not carry out 'composite' for discharge; what it does is 'treatment policy'"),
        ("stopped dosing: treatment policy}", "withdrawal: hypothetical}", "'ancova' does not carry out 'hypothetical' for withdrawal"),
        ("to: medical monitor", "to: medical moniter", "did you mean 'medical monitor'?"),
        ("time_zone: Europe/Paris, opens: 2027-01-11", "time_zone: Europe/Pari, opens: 2027-01-11", "time zone 'Europe/Pari' is not known"),
        ("opens: 2027-01-11", "opens: soon", "date"),
        ("planned: 40", "planned: 1", "greater than or equal to 2"),
        ("planned: 40", "planned: forty", "should be a whole number; found 'forty'"),
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
        ("dose: 10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "dose: 1e300 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "'1e300 µg/kg' is more than can be meant; at most 10000 µg/kg"),
        ("dose: 10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "dose: 1e400 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "too large a number"),
        ("dose: 10 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "dose: 1e-300 µg/kg, route: IM, days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "less than 0.01 mL of 2 mg/mL, which no syringe shows"),
        ("opens: 2027-01-11", "opens: 9999-12-31", "9999-12-31 cannot be meant; a date lies between 1971-01-01 and 2199-12-31"),
        ("opens: 2027-01-11", "opens: 0001-01-01", "0001-01-01 cannot be meant"),
        ("screened_per_month: 8", "screened_per_month: 0.0001", "greater than or equal to 0.01"),
        ("window: [-2, 3]", "window: [-2, 100000000000]", "less than or equal to 365"),
        ("alc: {lower: 1147, upper: 3859}", "alc: {lower: 1147, upper: 1e999}", "finite number"),
        ("alc: {lower: 1147, upper: 3859}", "alc: {lower: 3859, upper: 1147}", "the lower end 3859 must lie below the upper end 1147"),
        ("{number: age, at_least: 18 years}", "{number: age, above: 18 years, below: 18 years}", "no value is above 18 years and below 18 years"),
        ("{number: age, at_least: 18 years}", "{number: age, at_least: 18 years, at_most: 200 months}", "no value is at least 18 years and at most 200 months"),
        ("{number: alc, above: 2.5 x ULN}", "{number: alc, above: 2.5 x ULN, below: 2000 cells/µL}", "no value is above 2.5 x ULN and below 2000 cells/µL"),
        ("event: death, by_day: 28", "event: death, by_day: -28", "greater than or equal to 1"),
        ("days: [1, 4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "days: [4, 8, 11, 15, 18, 22, 25]}\n  - id: placebo", "arm 'drug' is first dosed on day 4; day 1 is the day of the first dose"),
        ("{product: drug, dose: 10 µg/kg, route: IM, days", "{product: drug, dose: 10 µg/kg, route: IM, over: 1 h, days", "an infusion runs into a vein (route IV), not IM; leave out 'over'"),
        ("{product: drug, dose: 10 µg/kg, route: IM, days", "{product: drug, dose: 10 µg/kg, route: IV, over: 2 days, days", "'2 days' is more than can be meant; at most 24 h"),
        ("country: France", "country: Atlantis", "country 'Atlantis' is not known"),
        ("country: France", "country: Frence", "did you mean 'France'?"),
        ("ratio: {drug: 1, placebo: 1}", "ratio: {drug: 1, placbo: 1}", "the ratio leaves out 'placebo' and names 'placbo', which is no arm"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_line(old: str, new: str, says: str) -> None:
    assert old in TEMPLATE, "the template changed: mend this case"
    message = refused(TEMPLATE.replace(old, new, 1))
    assert says in message
    assert message.startswith("trial.yaml, line ")


def test_a_repeated_measures_model_is_refused_where_the_day_may_be_that_of_discharge() -> None:
    """It asks about one visit of everybody; the other half of the endpoint would silently be left away."""
    asked = """
  - {id: lived, label: Had they lived, role: supplementary, endpoint: alc-fold, analysis_set: randomised, compare: [drug,
     placebo], summary: ratio of geometric means, intercurrent: {death: hypothetical}}
analyses:
  - {estimand: lived, method: repeated measures}"""
    text = TEMPLATE.replace("\nanalyses:", asked, 1)
    parse(text, "trial.yaml")
    at_discharge = text.replace("fold: alc, visit: day 29", "fold: alc, visit: day 29, or_at_discharge: true")
    assert "takes the value at discharge where that came first" in refused(at_discharge)


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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{id: cancer, kind", "{id: age, kind"),
        ("{id: FR-2, name", "{id: FR-1, name"),
        ("{id: death-28, label: Death by day 28, event", "{id: alc-fold, label: Death by day 28, event"),
        ("{id: response, label", "{id: death-28, label"),
        ("role: secondary, endpoint: death-28", "role: primary, endpoint: death-28"),
    ],
)
def test_of_two_that_are_called_alike_the_second_is_pointed_at(old: str, new: str) -> None:
    text = TEMPLATE.replace(old, new, 1)
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if new in line]
    expected = lines[-1] if new != "{id: death-28, label" else line_of(text, "role: secondary, endpoint: death-28")
    assert f"line {expected}:" in refused(text)


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
