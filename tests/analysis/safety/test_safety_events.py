"""Adverse events counted by hand in a trial of five, and what holds of every table."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, chi2

from sevenfold.analysis.safety.events import EventCell, EventLine, event_differences, event_lines
from sevenfold.analysis.safety.exposed import Exposed
from sevenfold.cohort.cohort import AdverseEvent

N = 5
ALL_TOLD = frozenset({"grade", "related", "serious", "led_to_stop"})
DURING = Exposed(
    is_dosed=np.array([True, True, True, True, False]),
    from_day=np.array([0.0, 0.0, 0.0, 1.0, np.inf]),
    to_day=np.array([10.0, 20.0, 20.0, 21.0, 5.0]),
    is_open=False,
    window="from the first dose on",
)
GROUPS = {"a": np.array([True, True, False, False, True]), "b": np.array([False, False, True, True, False])}


def event(
    subject: int, term: str, grade: int, day: float, system: str = "Skin", *, related: bool = False, serious: bool =
        False,
    stop: bool = False,
) -> AdverseEvent:  # fmt: skip
    return AdverseEvent(
        subject=subject, term=term, system=system, grade=grade, is_serious=serious, is_related=related, day=day,
        led_to_stop=stop,
    )  # fmt: skip


EVENTS = (
    event(0, "Rash", 1, 2.0, related=True),
    event(0, "Rash", 3, 4.0, stop=True),
    event(0, "Ulcer", 2, 9.0),
    event(1, "Rash", 2, 5.0),
    event(2, "Fever", 1, 20.0, "General", serious=True),
    event(3, "Fever", 4, 0.5, "General"),  # before the first dose, on day 1
    event(1, "Fever", 4, 20.5, "General"),  # after the window
    event(4, "Fever", 4, 1.0, "General"),  # never dosed
)


def line(lines: tuple[EventLine, ...], label: str) -> EventLine:
    return next(one for one in lines if one.label == label)


LINES = event_lines(EVENTS, DURING, GROUPS)


def test_the_table_is_that_counted_by_hand() -> None:
    """Subject 0 counts once as rash of grade 3; its related rash was of grade 1; three events lie outside."""
    assert [one.label for one in LINES] == ["Any adverse event", "Skin", "Rash", "Ulcer", "General", "Fever"]
    rash = line(LINES, "Rash").cells["a"]
    assert (rash.n, rash.by_grade, rash.related_by_grade) == (2, {2: 1, 3: 1}, {1: 1})
    assert (rash.n_subjects, rash.n_related, rash.n_events, rash.n_led_to_stop) == (2, 1, 3, 1)
    assert rash.at_least(3) == 1
    fever = line(LINES, "Fever").cells
    assert (fever["a"].n_subjects, fever["b"].n_subjects, fever["b"].n, fever["b"].n_serious) == (0, 1, 2, 1)


def test_rates_and_shares_have_their_closed_forms() -> None:
    """Rash in a: first events at days 2 and 5, so 7 patient-days; Garwood and Clopper-Pearson through other
    quantiles.
    """
    rash = line(LINES, "Rash").cells["a"]
    assert rash.rate is not None
    assert rash.rate.at_risk_day == 2.0 + 5.0
    assert rash.rate.interval.lower == pytest.approx(chi2.ppf(0.025, 4) / 2 / 7.0)
    assert rash.rate.interval.upper == pytest.approx(chi2.ppf(0.975, 6) / 2 / 7.0)
    fever = line(LINES, "Fever").cells["b"]
    assert fever.rate is not None
    assert fever.rate.at_risk_day == 20.0 + 20.0  # to the event of subject 2; subject 3 from day 1 to 21
    assert fever.share.interval.lower == pytest.approx(beta.ppf(0.025, 1, 2))
    assert fever.share.interval.upper == pytest.approx(beta.ppf(0.975, 2, 1))


def test_differences_are_of_any_event_and_exact_in_a_small_trial() -> None:
    found = {one.label: one.difference for one in event_differences(LINES, ("a", "b"), ALL_TOLD)}
    assert found["Any adverse event"].table.difference == 1.0 - 0.5
    assert found["Related"].table.events_a == 1
    assert found["Serious"].table.events_b == 1
    assert found["Led to the end of dosing"].table.events_a == 1
    assert found["Of grade 3 or more"].table.events_a == 1
    assert all(one.interval.is_exact for one in found.values())
    assert event_differences(LINES, ("a", "nobody"), ALL_TOLD) == ()


def test_a_group_in_which_nobody_was_dosed_has_no_cell() -> None:
    alone = {"a": GROUPS["a"], "undosed": np.array([False] * 4 + [True])}
    assert set(event_lines(EVENTS, DURING, alone)[0].cells) == {"a"}


SOME = st.lists(
    st.builds(
        event,
        subject=st.integers(0, N - 1),
        term=st.sampled_from(["Rash", "Ulcer", "Fever"]),
        grade=st.integers(1, 5),
        day=st.floats(0.0, 25.0),
        system=st.sampled_from(["Skin", "General"]),
        related=st.booleans(),
        serious=st.booleans(),
    ),
    max_size=20,
)


@given(events=SOME)
def test_counts_close(events: list[AdverseEvent]) -> None:
    """Groups add up to all; a class has at most the subjects of its terms together and at least the most of one."""
    everyone = {**GROUPS, "all": np.ones(N, dtype=np.bool_)}
    lines = event_lines(events, DURING, everyone)
    for one in lines:
        a, b, both = one.cells["a"], one.cells["b"], one.cells["all"]
        assert a.n_subjects + b.n_subjects == both.n_subjects <= both.n
        assert a.n_events + b.n_events == both.n_events
        assert max(both.n_related, both.n_serious) <= both.n_subjects <= both.n_events
    for system in (one for one in lines if one.system and not one.term):
        terms = [one.cells["all"] for one in lines if one.system == system.system and one.term]
        counts = [cell.n_subjects for cell in terms]
        assert max(counts) <= system.cells["all"].n_subjects <= sum(counts)
        assert sum(cell.n_events for cell in terms) == system.cells["all"].n_events


@given(events=SOME)
def test_relabelling_the_arms_permutes_the_columns_and_nothing_else(events: list[AdverseEvent]) -> None:
    lines = event_lines(events, DURING, GROUPS)
    swapped = event_lines(events, DURING, {"a": GROUPS["b"], "b": GROUPS["a"]})
    assert [one.label for one in lines] == [one.label for one in swapped]
    for one, other in zip(lines, swapped, strict=True):
        assert one.cells["a"] == other.cells["b"]
        assert one.cells["b"] == other.cells["a"]


@given(events=SOME, order=st.randoms(use_true_random=False))
def test_the_order_of_events_changes_nothing(events: list[AdverseEvent], order: object) -> None:
    shuffled = list(events)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert event_lines(shuffled, DURING, GROUPS) == event_lines(events, DURING, GROUPS)


@given(events=SOME)
def test_a_worse_event_never_lowers_a_count(events: list[AdverseEvent]) -> None:
    def severe(of: list[AdverseEvent]) -> list[int]:
        cell: EventCell = event_lines(of, DURING, {"all": np.ones(N, dtype=np.bool_)})[0].cells["all"]
        return [cell.at_least(grade) for grade in range(1, 6)]

    worse = [dataclasses.replace(one, grade=min(one.grade + 1, 5)) for one in events]
    assert all(a <= b for a, b in zip(severe(events), severe(worse), strict=True))


def test_an_event_without_a_known_day_counts_and_an_open_window_has_no_end() -> None:
    """Reported with month and year alone, it cannot be shown to have begun before treatment: it counts, as is usual."""
    assert DURING.holds(0, float("nan"))
    late = float(DURING.to_day[0]) + 1.0
    assert not DURING.holds(0, late)
    assert replace(DURING, is_open=True).holds(0, late)
    assert not replace(DURING, is_dosed=np.zeros_like(DURING.is_dosed)).holds(0, float("nan"))


def test_what_the_data_do_not_say_is_not_counted_as_none() -> None:
    labels = [one.label for one in event_differences(LINES, ("a", "b"), frozenset({"grade"}))]
    assert labels == ["Any adverse event", "Of grade 3 or more"]
