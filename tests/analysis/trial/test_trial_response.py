"""From endpoints to responses, on a cohort small enough to be worked out by hand."""

import dataclasses

import numpy as np
import pytest

from sevenfold.analysis.trial.answering import answer
from sevenfold.analysis.trial.response import responses
from sevenfold.analysis.trial.time_above import time_above
from sevenfold.analysis.trial.unknown_outcomes import unknown_outcomes
from sevenfold.cohort.cohort import Assignment, Cohort, Missing, Subject
from sevenfold.errors import BlindBroken, InvalidInput
from sevenfold.protocol.endpoint import Intercurrent, Strategy
from sevenfold.protocol.load import load
from sevenfold.protocol.plan import Analysis, Method
from sevenfold.protocol.protocol import Protocol

IRIS_7, IRIS_7C = load("iris-7").protocol, load("iris-7c").protocol
INF = np.inf


def cohort(protocol: Protocol, alc: dict[str, list[float]], **changes: list[float]) -> Cohort:
    """A trial whose subjects alternate between the active arm and placebo, with counts by visit (NaN: missed)."""
    n = len(next(iter(alc.values())))
    visits = protocol.schedule.names
    values = np.full((1, n, len(visits)), np.nan)
    days = np.full((1, n, len(visits)), np.nan)
    for name, column in alc.items():
        values[0, :, visits.index(name)] = column
        days[0, :, visits.index(name)] = protocol.schedule.visit(name).time_day
    days[np.isnan(values)] = np.nan
    death = np.array([changes.get("death", [INF] * n)])
    missing = np.where(np.isfinite(values), int(Missing.PRESENT), int(Missing.MISSED))
    times = np.array([visit.time_day for visit in protocol.schedule.visits])
    missing[(times[None, None, :] >= death[:, :, None]) & ~np.isfinite(values)] = int(Missing.DEAD)
    arms = tuple(arm.id for arm in protocol.arms)
    active, placebo = arms.index(protocol.groups["cyt107"][0]), arms.index("placebo")
    return Cohort(
        subjects=tuple(
            Subject(subject=f"S-{i}", site="FR-1", country="France", age_year=60, sex="male", weight_kg=75)
            for i in range(n)
        ),
        visits=visits,
        values={"alc": values},
        missing={"alc": missing},
        baseline={"alc": values[:, :, visits.index("day 1")].copy()},
        measured_day=days,
        death_day=death,
        last_day=np.array([changes.get("last", [90.0] * n)]),
        discharge_day=np.array([changes.get("discharge", [INF] * n)]),
        first_event_day={"secondary infection": np.array([changes.get("infection", [INF] * n)])},
        n_doses=np.full((1, n), 8),
        adverse_events=(),
        assignment=Assignment(arms=arms, arm=np.array([[active, placebo] * (n // 2)])),
    )


def test_a_fold_is_the_value_over_its_own_baseline_in_those_alive() -> None:
    made = cohort(
        IRIS_7, {"day 1": [500, 600, 400, 800], "day 29": [1500, 900, np.nan, np.nan]}, death=[INF, INF, 12.0, INF]
    )
    found = responses(IRIS_7.estimand("alc-29"), made, IRIS_7)
    assert found.value == pytest.approx([3.0, 1.5, np.nan, np.nan], nan_ok=True)
    assert found.left_out == {"dead": 1, "visit or test missed": 1}
    assert list(found.is_active) == [True, False, True, False]
    assert list(found.is_alive) == [True, True, False, True]


def test_who_is_dead_is_no_responder_and_who_missed_is_left_out() -> None:
    made = cohort(
        IRIS_7, {"day 1": [500, 600, 400, 800], "day 29": [750, 899, np.nan, np.nan]}, death=[INF, INF, 12.0, INF]
    )
    found = responses(IRIS_7.estimand("alc-response"), made, IRIS_7)
    assert found.value == pytest.approx([1.0, 0.0, 0.0, np.nan], nan_ok=True)
    assert found.left_out == {"visit or test missed": 1}


def test_day_29_or_discharge_whichever_comes_first() -> None:
    """Registry of IRIS-7C. Discharged on day 17: the last count until then is that of day 15, whatever day 29 says."""
    made = cohort(
        IRIS_7C,
        {"day 1": [400, 400, 400, 400], "day 15": [700, 500, 500, 500], "day 29": [500, 800, np.nan, 800]},
        discharge=[16.5, INF, 16.5, 40.0],
    )
    found = responses(IRIS_7C.estimand("alc-response"), made, IRIS_7C)
    assert found.value == pytest.approx([1.0, 1.0, 0.0, 1.0])


def test_death_after_discharge_and_before_day_29_still_counts_as_no() -> None:
    counts: dict[str, list[float]] = {"day 1": [400, 400], "day 15": [900, 900], "day 29": [np.nan, 900]}
    made = cohort(IRIS_7C, counts, discharge=[16.0, INF], death=[20.0, INF])
    assert responses(IRIS_7C.estimand("alc-response"), made, IRIS_7C).value == pytest.approx([0.0, 1.0])


def test_an_event_is_known_only_of_who_was_followed_or_died() -> None:
    made = cohort(
        IRIS_7,
        {"day 1": [500] * 4},
        infection=[10.0, INF, INF, INF],
        death=[INF, 20.0, INF, INF],
        last=[90.0, 20.0, 15.0, 90.0],
    )
    estimand = IRIS_7.estimand("death-28")
    assert responses(estimand, made, IRIS_7).value == pytest.approx([0.0, 1.0, np.nan, 0.0], nan_ok=True)


@pytest.mark.parametrize(
    ("t", "x", "until", "days"),
    [
        ([0, 10], [1000, 1400], 42, 37.0),  # crosses 1200 half way; then 1400 is carried on
        ([0, 10, 20], [1300, 1300, 1100], 42, 15.0),
        ([0, 10], [1300, 1300], 4, 4.0),
        ([0, 10], [1000, 1400], 5, 0.0),
        ([0, 10], [1200, 1200], 42, 0.0),  # not above
        ([0, 10, 20, 30], [1000, 1400, 1000, 1000], 42, 10.0),
        ([0], [1300], 42, 42.0),
        ([0, 10], [1000, 1000], 0.3, 0.0),
    ],
)
def test_time_above_a_threshold_is_by_straight_lines(t: list[float], x: list[float], until: float, days: float) -> None:
    assert time_above(np.array(t, dtype=float), np.array(x, dtype=float), 1200.0, until) == pytest.approx(days)


def test_days_above_are_those_of_everybody_followed_up_to_their_death() -> None:
    """While alive, until the end of day 42 (t = 42): died on day 2, died on day 31 with a last count on day 15,
    followed to the end with a last count on day 29, followed without any count but the first; the last is carried on
    in each.
    """
    made = cohort(
        IRIS_7,
        {
            "day 1": [500, 500, 700, 1500],
            "day 15": [np.nan, 1900, np.nan, np.nan],
            "day 29": [np.nan, np.nan, 1700, np.nan],
        },
        death=[1.2, 30.0, INF, INF],
        last=[1.2, 30.0, 90.0, 90.0],
    )
    found = responses(IRIS_7.estimand("time-above-1200"), made, IRIS_7)
    assert found.value == pytest.approx([0.0, 7.0 + 16.0, 14.0 + 14.0, 42.0])
    assert found.left_out == {}
    assert any("for more than 7 days in 3 subjects" in note for note in found.notes)


def test_who_left_before_the_day_was_watched_in_part_and_has_no_days_above() -> None:
    """Withdrew, lost, lost after day 42, followed: the reason is told by name."""
    made = cohort(
        IRIS_7, {"day 1": [500] * 4, "day 15": [1900] * 4, "day 42": [np.nan, np.nan, 500, 500]}, last=[20, 34, 60, 90]
    )
    codes = made.missing["alc"]
    later = np.array([v.time_day > 35 for v in IRIS_7.schedule.visits])
    codes[0, 0, later], codes[0, 1, later] = int(Missing.WITHDRAWN), int(Missing.LOST)
    found = responses(IRIS_7.estimand("time-above-1200"), made, IRIS_7)
    assert np.isfinite(found.value).tolist() == [False, False, True, True]
    assert found.left_out == {"consent withdrawn": 1, "lost to follow-up": 1}


def test_one_rule_says_who_is_dead_on_the_day_also_after_discharge() -> None:
    """Discharged with a rise and dead on day 21: neither a responder nor among those alive on day 29."""
    counts: dict[str, list[float]] = {"day 1": [400, 400, 400], "day 15": [900, 900, 900], "day 29": [np.nan, 900, 900]}
    counts = {day: [*values, values[-1]] for day, values in counts.items()}
    made = cohort(IRIS_7C, counts, discharge=[16.0, INF, 16.0, INF], death=[20.0, INF, INF, INF])
    response = responses(IRIS_7C.estimand("alc-response"), made, IRIS_7C)
    rise = responses(IRIS_7C.estimand("alc-rise"), made, IRIS_7C)
    assert response.value == pytest.approx([0.0, 1.0, 1.0, 1.0])
    assert rise.value == pytest.approx([np.nan, 2.25, 2.25, 2.25], nan_ok=True)
    assert rise.left_out == {"dead": 1}
    assert response.notes == rise.notes
    assert "day 29" in rise.notes[0]
    assert responses(IRIS_7C.estimand("cd4-29"), with_cd4(made), IRIS_7C).notes == ()


def with_cd4(made: Cohort) -> Cohort:
    """The same trial with CD4 counts like its lymphocytes."""
    return dataclasses.replace(
        made,
        values={**made.values, "cd4": made.values["alc"]},
        missing={**made.missing, "cd4": made.missing["alc"]},
        baseline={**made.baseline, "cd4": made.baseline["alc"]},
    )


def test_who_missed_the_visit_and_died_in_its_window_is_not_among_the_living() -> None:
    made = cohort(IRIS_7, {"day 1": [500] * 4, "day 29": [np.nan, 900, 900, 900]}, death=[29.5, 29.5, INF, INF])
    made.missing["alc"][0, 0, IRIS_7.schedule.names.index("day 29")] = int(Missing.DEAD)
    found = responses(IRIS_7.estimand("alc-29-survivors"), made, IRIS_7)
    assert found.is_alive.tolist() == [False, True, True, True]
    assert (found.is_used | ~found.is_alive).all()


def test_a_blind_cohort_cannot_be_compared() -> None:
    made = dataclasses.replace(cohort(IRIS_7, {"day 1": [500, 500]}), assignment=None)
    with pytest.raises(BlindBroken, match="still blind"):
        responses(IRIS_7.estimand("alc-29"), made, IRIS_7)


def test_a_cohort_refuses_a_gap_without_a_reason() -> None:
    made = cohort(IRIS_7, {"day 1": [500, 500]})
    with pytest.raises(InvalidInput, match="missing without a reason"):
        dataclasses.replace(made, missing={"alc": np.zeros_like(made.missing["alc"])})


def test_who_was_seen_on_the_last_day_was_followed_through_it() -> None:
    """A visit at eleven on day 42 is the last contact of a trial that ends there, and completes the period; the last
    contact on day 41 (its end is t = 41) does not. So for the event by a day.
    """
    made = cohort(IRIS_7, {"day 1": [500] * 4, "day 42": [500] * 4}, last=[41.45, 41.0, 42.0, 40.9])
    found = responses(IRIS_7.estimand("time-above-1200"), made, IRIS_7)
    assert found.is_used.tolist() == [True, False, True, False]
    made = cohort(IRIS_7, {"day 1": [500] * 4}, last=[27.45, 27.0, 28.0, 90.0])
    assert responses(IRIS_7.estimand("death-28"), made, IRIS_7).is_used.tolist() == [True, False, True, True]


def test_days_above_and_courses_are_of_the_days_on_which_their_variable_was_measured() -> None:
    """Another variable of the visit was measured two days later: that moves no lymphocyte count."""
    made = cohort(IRIS_7, {"day 1": [500] * 2, "day 15": [1900] * 2})
    moved = dataclasses.replace(made, measured_day=made.measured_day + 2.0, own_day={"alc": made.measured_day})
    asked = IRIS_7.estimand("time-above-1200")
    assert responses(asked, moved, IRIS_7).value == pytest.approx(responses(asked, made, IRIS_7).value)
    later = dataclasses.replace(moved, own_day={})
    assert (responses(asked, later, IRIS_7).value != responses(asked, made, IRIS_7).value).all(), "it would"


@pytest.mark.parametrize("code", [c for c in Missing if c.has_left], ids=lambda c: c.name)
def test_who_left_for_whatever_reason_is_told_by_it(code: Missing) -> None:
    made = cohort(IRIS_7, {"day 1": [500] * 2, "day 15": [1900] * 2}, last=[20, 90])
    made.missing["alc"][0, 0, np.array([v.time_day > 20 for v in IRIS_7.schedule.visits])] = int(code)
    assert responses(IRIS_7.estimand("time-above-1200"), made, IRIS_7).left_out == {code.reason: 1}


@pytest.mark.parametrize("code", [Missing.ADVERSE_EVENT, Missing.WITHDRAWN, Missing.LOST, Missing.SPONSOR])
def test_a_withdrawal_is_whatever_somebody_decided_for_the_subject(code: Missing) -> None:
    """Under a composite strategy who left after an adverse event has not responded; who was lost is not known."""
    made = cohort(IRIS_7C, {"day 1": [400] * 2, "day 29": [np.nan, 900]})
    made.missing["alc"][0, 0, IRIS_7C.schedule.names.index("day 29")] = int(code)
    plain = IRIS_7C.estimand("alc-response")
    asked = plain.model_copy(
        update={"intercurrent": {**plain.intercurrent, Intercurrent.WITHDRAWAL: Strategy.COMPOSITE}}
    )
    found = responses(asked, made, IRIS_7C)
    if code.is_withdrawal:
        assert found.value.tolist() == [0.0, 1.0]
    else:
        assert found.left_out == {code.reason: 1}


def test_what_is_not_known_of_an_event_is_told_by_group_with_the_bounds() -> None:
    """Of six a group: two dead (one lost from the other trial before), one lost without it; 2/5 against 0/5 observed.
    The lost may have died or not: from 2/6 - 1/6 to 3/6 - 0/6.
    """
    lost = [15.0, 15.0]
    death = [10.0, INF, 20.0, INF, INF, INF, INF, INF, INF, INF, INF, INF]
    last = [10.0, 90.0, 20.0, 90.0, 90.0, 90.0, 90.0, 90.0, 90.0, 90.0, *lost]
    made = cohort(IRIS_7, {"day 1": [500] * 12}, death=death, last=last)
    asked = IRIS_7.estimand("death-28")
    a, b = (IRIS_7.group_label(name) for name in asked.compare)
    (said,) = unknown_outcomes(asked, responses(asked, made, IRIS_7), IRIS_7)
    assert f"not known of 1 of 6 ({a}) and 1 of 6 ({b})" in said
    assert "between +0.167 and +0.500" in said
    assert "cumulative incidence" in said
    everybody = dataclasses.replace(made, last_day=np.full((1, 12), 90.0))
    assert unknown_outcomes(asked, responses(asked, everybody, IRIS_7), IRIS_7) == ()


def test_the_bounds_stand_in_the_answer_by_the_exact_test() -> None:
    made = cohort(IRIS_7, {"day 1": [500] * 8}, death=[10.0, *[INF] * 7], last=[10.0, *[90.0] * 6, 15.0])
    planned = Analysis(estimand="death-28", method=Method.EXACT_TEST)
    said = answer(planned, made, IRIS_7, 1)
    assert any("the difference lies between +0.000 and +0.250" in note for note in said.notes)
