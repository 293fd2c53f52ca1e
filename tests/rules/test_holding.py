"""Rules held against what is known."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.protocol.load import load
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.rule import LabRule, NumberRule, SustainedRule, leaves
from sevenfold.rules.dosing import volume_for
from sevenfold.rules.eligibility import unmet_criteria
from sevenfold.rules.holding import holds_at_screening, holds_for, qualifying_measurements
from sevenfold.rules.screening import InfusionSpan, Measurement, Screening

IRIS_7, IRIS_7C = load("iris-7").protocol, load("iris-7c").protocol
AT = datetime(2016, 5, 10, 9, 0, tzinfo=ZoneInfo("Europe/Paris"))


def norepinephrine(*spans: tuple[float, float, float]) -> tuple[InfusionSpan, ...]:
    """Spans as (rate, from, to), hours before screening."""
    return tuple(
        InfusionSpan(rate=rate, began_at=AT - timedelta(hours=start), ended_at=AT - timedelta(hours=end))
        for rate, start, end in spans
    )


def counts(*taken: tuple[float, float]) -> tuple[Measurement, ...]:
    """Lymphocyte counts as (value, hours before screening)."""
    return tuple(Measurement(value=value, taken_at=AT - timedelta(hours=hours)) for value, hours in taken)


def candidate(**changes: object) -> Screening:
    """Someone whom both trials would let in."""
    facts = {v.id: False for v in IRIS_7.known_variables.values() if v.kind == "fact"}
    present = ("suspected_infection", "icu_stay_two_weeks_predicted", "hospital_stay_three_weeks_predicted")
    facts |= dict.fromkeys((*present, "consent_possible", "invasive_ventilation_24h"), True)
    numbers = {
        "age": 60.0,
        "hours_since_icu_admission": 72.0,
        "hours_since_sepsis_diagnosis": 80.0,
        "sirs_criteria": 3.0,
        "sofa_worst_organ_at_entry": 3.0,
        "fluid_24h": 30.0,
        "creatinine_highest": 1.0,
    }
    laboratory = {"alc": counts((700.0, 30.0), (650.0, 4.0))}
    known = Screening(
        at=AT,
        facts={**facts, **changes.pop("facts", {})},  # type: ignore[dict-item]
        numbers={**numbers, **changes.pop("numbers", {})},  # type: ignore[dict-item]
        laboratory={**laboratory, **changes.pop("laboratory", {})},  # type: ignore[dict-item]
        infusions={"norepinephrine": norepinephrine((0.2, 60.0, 40.0)), **changes.pop("infusions", {})},  # type: ignore[dict-item]
    )
    assert not changes
    return known


def failed(known: Screening, protocol: Protocol = IRIS_7) -> set[str]:
    return {unmet.criterion for unmet in unmet_criteria(protocol.population.criteria, known, protocol)}


def test_who_meets_everything_is_eligible() -> None:
    assert failed(candidate()) == set()
    assert failed(candidate(), IRIS_7C) == set()


@pytest.mark.parametrize(
    ("known", "criterion"),
    [
        (candidate(numbers={"age": 80.0}), "age"),
        (candidate(numbers={"age": 17.9}), "age"),
        (candidate(numbers={"hours_since_icu_admission": 47.0}), "time since admission"),
        (candidate(numbers={"hours_since_icu_admission": 121.0}), "time since admission"),
        (candidate(numbers={"sirs_criteria": 1.0}), "sepsis"),
        (candidate(facts={"suspected_infection": False}), "sepsis"),
        (candidate(numbers={"sofa_worst_organ_at_entry": 1.0}), "organ failure"),
        (candidate(numbers={"fluid_24h": 19.0}), "vasopressors"),
        (candidate(infusions={"norepinephrine": norepinephrine((0.04, 60.0, 40.0))}), "vasopressors"),
        (candidate(infusions={"norepinephrine": norepinephrine((0.2, 60.0, 57.0), (0.2, 50.0, 47.0))}), "vasopressors"),
        (candidate(laboratory={"alc": counts((910.0, 4.0))}), "lymphopenia"),
        (candidate(laboratory={"alc": counts((500.0, 40.0))}), "lymphopenia"),
        (candidate(laboratory={"alc": ()}), "lymphopenia"),
        (candidate(facts={"pregnant_or_lactating": True}), "pregnancy"),
        (candidate(facts={"consent_possible": False}), "consent"),
    ],
)
def test_each_criterion_of_iris_7_keeps_out_who_does_not_meet_it(known: Screening, criterion: str) -> None:
    assert failed(known) == {criterion}


def test_another_drug_of_the_list_does_and_two_spans_without_a_break_are_one() -> None:
    assert (
        failed(candidate(infusions={"norepinephrine": (), "vasopressin": norepinephrine((0.03, 30.0, 20.0))})) == set()
    )
    assert failed(candidate(infusions={"norepinephrine": norepinephrine((0.06, 60, 58), (0.3, 58, 55.9))})) == set()


def test_the_day_before_is_a_calendar_day_at_the_site() -> None:
    """Taken at 00:30 the day before, 32.5 h earlier: still the day before."""
    assert failed(candidate(laboratory={"alc": counts((700.0, 32.5))})) == set()
    assert failed(candidate(laboratory={"alc": counts((700.0, 33.5))})) == {"lymphopenia"}


@pytest.mark.parametrize(
    ("taken", "since_diagnosis_h", "is_met"),
    [
        (((700.0, 30.0), (650.0, 4.0)), 80.0, True),
        (((700.0, 10.0), (650.0, 4.0)), 80.0, False),  # 6 h apart
        (((950.0, 30.0), (650.0, 4.0)), 80.0, False),
        (((700.0, 30.0), (650.0, 4.0)), 50.0, False),  # the second 46 h after diagnosis
        (((950.0, 60.0), (700.0, 30.0), (650.0, 4.0)), 80.0, True),  # the last two count
        (((650.0, 4.0),), 80.0, False),
        (((800.0, 30.0), (850.0, 8.0), (700.0, 2.0)), 80.0, True),  # 8 h before is too near, 30 h before is not
        (((700.0, 2.0), (850.0, 8.0), (800.0, 30.0)), 80.0, True),  # in whatever order they were written down
        (((800.0, 60.0), (950.0, 30.0), (700.0, 2.0)), 80.0, True),  # two low ones, far enough apart
        (((800.0, 30.0), (700.0, 8.0), (950.0, 2.0)), 80.0, False),  # the last is not low
        (((800.0, 150.0), (700.0, 100.0)), 200.0, True),  # the last within 120 h, the first before that
        (((800.0, 150.0), (700.0, 121.0)), 200.0, False),
    ],
)
def test_iris_7c_wants_two_low_counts_apart_and_late_enough(
    taken: tuple[tuple[float, float], ...], since_diagnosis_h: float, is_met: bool
) -> None:
    known = candidate(laboratory={"alc": counts(*taken)}, numbers={"hours_since_sepsis_diagnosis": since_diagnosis_h})
    assert ("lymphopenia" not in failed(known, IRIS_7C)) == is_met


def test_the_qualifying_counts_are_one_answer_for_criterion_and_baseline() -> None:
    """30 h and 2 h before: the last, and the latest that lies 12 h or more before it."""
    rule = next(leaf for c in IRIS_7C.population.criteria for _, leaf in leaves(c.rule) if isinstance(leaf, LabRule))
    known = candidate(laboratory={"alc": counts((700.0, 2.0), (850.0, 8.0), (800.0, 30.0), (500.0, 60.0))})
    assert [one.value for one in qualifying_measurements(rule, known, IRIS_7C)] == [800.0, 700.0]
    assert Screening.from_payload(known.as_payload()) == known


def test_what_is_not_known_keeps_out_and_says_so() -> None:
    known = candidate()
    unknown = Screening(at=AT, facts={}, numbers=known.numbers, laboratory=known.laboratory, infusions=known.infusions)
    found = {unmet.criterion: unmet for unmet in unmet_criteria(IRIS_7.population.criteria, unknown, IRIS_7)}
    assert found["pregnancy"].is_unknown
    assert "not known" in found["pregnancy"].reason


@given(value=st.floats(0, 1e5), low=st.floats(0, 1e5), high=st.floats(0, 1e5))
def test_limits_mean_what_they_say(value: float, low: float, high: float) -> None:
    """Every kind of limit against its comparison, through text with a unit."""

    def holds(**limits: str) -> bool | None:
        rule = NumberRule.model_validate({"number": "platelets", **limits})
        return holds_for(rule, {"platelets": value}, IRIS_7).holds

    low_text, high_text = f"{low!r} cells/µL", f"{high!r} cells/µL"
    assert holds(at_least=low_text, below=high_text) == (low <= value < high)
    assert holds(above=low_text, at_most=high_text) == (low < value <= high)


def test_a_limit_may_be_a_multiple_of_the_upper_limit_of_normal() -> None:
    rule = NumberRule.model_validate({"number": "alc", "above": "2.5 x ULN"})
    limit = 2.5 * IRIS_7.reference_ranges["alc"].upper
    assert holds_for(rule, {"alc": limit + 1}, IRIS_7).holds
    assert not holds_for(rule, {"alc": limit}, IRIS_7).holds


def test_rules_of_screening_cannot_be_held_later() -> None:
    for rule in (
        LabRule.model_validate({"laboratory": "alc", "at_most": "900 cells/µL"}),
        SustainedRule.model_validate({"infusion": "norepinephrine", "above": "0 µg/kg/min", "for_at_least": "4 h"}),
    ):
        assert holds_for(rule, {}, IRIS_7).holds is None
        assert holds_at_screening(rule, candidate(), IRIS_7).holds is True


def test_the_volume_is_that_of_the_product_given_and_not_of_the_first_in_the_list() -> None:
    """10 µg/kg of 70 kg at 10 mg/mL, though another product with 2 mg/mL stands before it."""
    drug = IRIS_7.products["cyt107"]
    strong = drug.model_copy(update={"strength_mg_per_ml": 10.0})
    protocol = IRIS_7.model_copy(update={"products": {"unused": drug, **IRIS_7.products, "cyt107": strong}})
    injected = volume_for(protocol, 1, 70.0, {})
    assert injected.volume_ml == 0.07
    assert injected.dose_ug == pytest.approx(700.0)
