"""Which day is a visit's, and what the site is asked about a day or a value."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.protocol.load import load
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.variable import Kind, Variable, catalogue
from sevenfold.rules.visiting import check_visit, implausible, question_of_day

PROTOCOL = load("iris-7").protocol
PLAIN = [visit for visit in PROTOCOL.schedule.visits if visit.hours_after_dose is None]


def taking(protocol: Protocol, day: int, held: dict[str, int] | None = None) -> list[str]:
    """The plain visits that can be recorded for a day."""
    found = []
    for visit in PLAIN:
        try:
            check_visit(protocol, "S", visit.id, day, {}, held)
        except InvalidInput:
            continue
        found.append(visit.id)
    return found


@settings(deadline=None)
@given(day=st.integers(-30, 400).filter(bool))
def test_a_day_is_of_the_visit_whose_window_it_lies_in_or_else_of_one_beside_it(day: int) -> None:
    """So that a day never says which of several visits far apart took place."""
    inside = [visit.id for visit in PLAIN if visit.first_day <= day <= visit.last_day]
    found = taking(PROTOCOL, day)
    if inside:
        assert found == inside
    else:
        before = [visit.id for visit in PLAIN if visit.last_day < day][-1:]
        after = [visit.id for visit in PLAIN if visit.first_day > day][:1]
        assert found == before + after


@settings(deadline=None)
@given(day=st.integers(46, 54), other=st.integers(40, 60))
def test_two_visits_between_the_same_windows_keep_their_order(day: int, other: int) -> None:
    """Day 42 is over on day 45 and day 60 begins on day 55: whichever was held first leaves the other its side."""
    assert ("day 60" in taking(PROTOCOL, day, {"day 42": other})) is (day > other)
    assert ("day 42" in taking(PROTOCOL, day, {"day 60": other})) is (day < other)


@settings(deadline=None)
@given(day=st.integers(-30, 400).filter(bool))
def test_the_site_is_asked_about_every_day_outside_the_window_and_about_no_other(day: int) -> None:
    """The hours after a dose may pass midnight."""
    for visit in PROTOCOL.schedule.visits:
        last = visit.last_day + (visit.hours_after_dose is not None)
        asked = question_of_day(visit, day)
        assert (asked is None) is (visit.first_day <= day <= last)
        assert asked is None or f"recorded for day {day}." in asked


def test_a_sample_after_a_dose_is_not_taken_on_a_day_before_it() -> None:
    with pytest.raises(InvalidInput, match="before its dose"):
        check_visit(PROTOCOL, "S", "day 1 after dose", -1, {})


@settings(deadline=None)
@given(value=st.floats(-1e6, 1e9), name=st.sampled_from(sorted(catalogue())))
def test_a_value_is_asked_about_outside_what_is_plausible_alone(value: float, name: str) -> None:
    """Both ends are plausible; a variable that says nothing is never asked about."""
    variable = catalogue()[name]
    low, high = variable.plausible or (None, None)
    is_odd = (low is not None and value < low) or (high is not None and value > high)
    assert (implausible(variable, value) is not None) is is_odd


def test_what_is_plausible_lies_within_what_is_possible() -> None:
    """Else a value would be refused before it could be asked about."""
    n_told = 0
    for variable in catalogue().values():
        low, high = variable.plausible or (None, None)
        n_told += variable.plausible is not None
        if low is not None and variable.lower is not None:
            assert low >= variable.lower, variable.id
        if high is not None and variable.upper is not None:
            assert high <= variable.upper, variable.id
    assert n_told > 20


def test_one_end_may_be_open() -> None:
    variable = Variable(id="x", label="X", kind=Kind.LABORATORY, unit="U/L", plausible=(None, 9.0))
    assert implausible(variable, -5.0) is None
    assert implausible(variable, 10.0) == "X: 10 U/L is recorded, and at most 9 U/L is expected. Is it right?"


def test_a_range_that_descends_is_refused() -> None:
    with pytest.raises((InvalidDesign, ValueError), match="which is nowhere"):
        Variable(id="x", label="X", kind=Kind.LABORATORY, plausible=(9.0, 1.0))
