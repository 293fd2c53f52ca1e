"""From endpoints to responses, on a cohort small enough to be worked out by hand."""

import numpy as np
import pytest

from sevenfold.analysis.trial.response import _time_above, responses
from sevenfold.cohort.cohort import Assignment, Cohort, Missing, Subject
from sevenfold.errors import BlindBroken, InvalidInput
from sevenfold.protocol.load import load
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
        ([0, 10], [1000, 1400], 42, 5.0),  # crosses 1200 half way
        ([0, 10, 20], [1300, 1300, 1100], 42, 15.0),
        ([0, 10], [1300, 1300], 4, 4.0),
        ([0, 10], [1000, 1400], 5, 0.0),
        ([0, 10], [1200, 1200], 42, 0.0),  # not above
        ([0, 10, 20, 30], [1000, 1400, 1000, 1000], 42, 10.0),
    ],
)
def test_time_above_a_threshold_is_by_straight_lines(t: list[float], x: list[float], until: float, days: float) -> None:
    assert _time_above(np.array(t, dtype=float), np.array(x, dtype=float), 1200.0, until) == pytest.approx(days)


def test_a_blind_cohort_cannot_be_compared() -> None:
    import dataclasses

    made = dataclasses.replace(cohort(IRIS_7, {"day 1": [500, 500]}), assignment=None)
    with pytest.raises(BlindBroken, match="still blind"):
        responses(IRIS_7.estimand("alc-29"), made, IRIS_7)


def test_a_cohort_refuses_a_gap_without_a_reason() -> None:
    import dataclasses

    made = cohort(IRIS_7, {"day 1": [500, 500]})
    with pytest.raises(InvalidInput, match="missing without a reason"):
        dataclasses.replace(made, missing={"alc": np.zeros_like(made.missing["alc"])})
