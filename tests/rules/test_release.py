"""Cytokine release by the consensus table of 2019, and what is new or worse than before a dose."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import InvalidInput
from sevenfold.rules.cytokine_release import Bedside, Oxygen, raw_grade, released


def seen(
    temperature: float = 38.5,
    vasopressors: int = 0,
    oxygen: Oxygen = Oxygen.NONE,
    *,
    low: bool = False,
    vasopressin: bool = False,
    masked: bool = False,
) -> Bedside:
    return Bedside(
        temperature_c=temperature, vasopressors=vasopressors, is_hypotensive=low, oxygen=oxygen,
        on_vasopressin=vasopressin, is_fever_masked=masked,
    )  # fmt: skip


# The table's rows: (hypotension, its grade), (hypoxia, its grade); fever alone is grade 1.
PRESSURE = [
    ({}, 1),
    ({"low": True}, 2),  # not requiring vasopressors
    ({"vasopressors": 1}, 3),  # a vasopressor …
    ({"vasopressors": 1, "vasopressin": True}, 3),  # … with or without vasopressin
    ({"vasopressors": 2}, 4),  # several, vasopressin excluded
    ({"vasopressors": 3, "vasopressin": True}, 4),
]
OXYGEN = [(Oxygen.NONE, 1), (Oxygen.LOW_FLOW, 2), (Oxygen.HIGH_FLOW, 3), (Oxygen.POSITIVE_PRESSURE, 4)]


@pytest.mark.parametrize(("pressure", "oxygen"), list(product(PRESSURE, OXYGEN)))
def test_the_grade_is_that_of_the_more_severe_event(
    pressure: tuple[dict[str, bool], int], oxygen: tuple[Oxygen, int]
) -> None:
    """All 24 cells of the published table, read in a reprint of it (PMC8021214, table 1)."""
    words, by_pressure = pressure
    help_given, by_oxygen = oxygen
    assert raw_grade(seen(oxygen=help_given, **words)) == max(by_pressure, by_oxygen)


def test_vasopressin_alone_is_a_vasopressor_and_never_the_second() -> None:
    """The table excludes it from being the second one and is silent of it alone; it is a vasopressor then."""
    assert raw_grade(seen(vasopressin=True)) == 3
    assert raw_grade(seen(vasopressors=1, vasopressin=True)) == 3


@pytest.mark.parametrize(("temperature", "grade"), [(37.9, 0), (38.0, 1)])
def test_fever_begins_at_38_degrees(temperature: float, grade: int) -> None:
    assert raw_grade(seen(temperature)) == grade


def test_fever_that_treatment_hides_is_not_asked_for() -> None:
    """After antipyretics, tocilizumab or steroids pressure and breathing alone grade the syndrome."""
    for words, grade in (({}, 0), ({"low": True}, 2), ({"vasopressors": 1}, 3), ({"oxygen": Oxygen.LOW_FLOW}, 2)):
        assert raw_grade(seen(37.0, masked=True, **words)) == grade
        assert raw_grade(seen(37.0, **words)) == 0
    assert raw_grade(seen(38.2, masked=True)) == 1


def test_what_was_there_before_the_dose_does_not_count() -> None:
    """In shock, ventilated, with a fever that is not new: raw grade 4, nothing new. A second vasopressor is."""
    before = seen(38.6, 1, Oxygen.POSITIVE_PRESSURE)
    same = released(before, before)
    assert (same.raw, same.new, same.elements, same.needs_adjudication) == (4, 0, (), False)
    worse = released(before, seen(38.6, 2, Oxygen.POSITIVE_PRESSURE))
    assert (worse.raw, worse.new, worse.elements, worse.needs_adjudication) == (4, 4, ("pressure",), True)


def test_each_element_that_is_worse_is_named() -> None:
    found = released(seen(37.0), seen(39.0, low=True, oxygen=Oxygen.LOW_FLOW))
    assert found.elements == ("fever", "pressure", "breathing")
    assert (found.new, found.raw) == (2, 2)
    assert released(seen(39.0), seen(39.0, vasopressin=True)).new == 3
    assert released(seen(38.5, masked=True), seen(38.5)).elements == ()


def test_what_is_recorded_reads_back() -> None:
    """Records of before vasopressin and masked fever were told read as without them."""
    full = seen(38.4, 2, Oxygen.HIGH_FLOW, low=True, vasopressin=True, masked=True)
    assert Bedside.from_numbers(full.as_numbers()) == full
    old = {"temperature_c": 38.4, "vasopressors": 1.0, "is_hypotensive": 0.0, "oxygen": 2.0}
    assert Bedside.from_numbers(old) == seen(38.4, 1, Oxygen.HIGH_FLOW)


SEEN = st.builds(
    seen,
    temperature=st.floats(35, 41),
    vasopressors=st.integers(0, 3),
    oxygen=st.sampled_from(Oxygen),
    low=st.booleans(),
    vasopressin=st.booleans(),
    masked=st.booleans(),
)


@given(before=SEEN, after=SEEN)
def test_the_new_grade_never_exceeds_the_raw_one_and_nothing_new_is_no_grade(before: Bedside, after: Bedside) -> None:
    found = released(before, after)
    assert 0 <= found.new <= found.raw == raw_grade(after)
    assert released(after, after).new == 0
    assert (found.new > 0) == bool(found.elements)


@given(after=SEEN)
def test_against_a_day_in_health_everything_is_new(after: Bedside) -> None:
    assert released(seen(36.8), after).new == raw_grade(after)


@pytest.mark.parametrize(("temperature", "vasopressors"), [(float("nan"), 2), (38.5, -1)])
def test_a_bedside_that_cannot_be_is_refused(temperature: float, vasopressors: int) -> None:
    """A temperature that is nan is no fever to any comparison: two vasopressors with it were grade 0."""
    with pytest.raises(InvalidInput, match="cannot be"):
        seen(temperature, vasopressors)
