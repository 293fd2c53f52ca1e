"""Days free of organ support, counted by hand, and cytokine release flagged from what was recorded."""

import dataclasses

import numpy as np
import pytest

from rehearsals import Rehearsed
from sevenfold.analysis.safety.release import for_adjudication
from sevenfold.analysis.safety.support_free import ORGAN_SUPPORT, support_free_days
from sevenfold.cohort.cohort import Cohort, Support


def span(began: float, ended: float, support: str = "vasopressors") -> Support:
    return Support(subject=0, support=support, began_day=began, ended_day=ended)


def one_subject(
    cohort: Cohort, *spans: Support, death: float = np.inf, last: float = 90.0, home: float = np.inf
) -> Cohort:
    n = cohort.n_subjects
    return dataclasses.replace(
        cohort,
        supports=spans,
        death_day=np.array([[death] + [np.inf] * (n - 1)]),
        last_day=np.array([[last] + [90.0] * (n - 1)]),
        discharge_day=np.array([[home] + [np.inf] * (n - 1)]),
    )


@pytest.mark.parametrize(
    ("spans", "days"),
    [
        ((), 28.0),
        ((span(-np.inf, 2.5),), 25.0),  # study days 1, 2 and 3
        ((span(-np.inf, 3.0),), 25.0),  # ended as day 3 ended
        ((span(-np.inf, 2.5), span(1.0, 4.5, "renal replacement")), 23.0),  # days 1 to 5, those of both once
        ((span(5.2, 5.2),), 27.0),
        ((span(26.0, np.inf),), 26.0),
        ((span(30.0, 40.0),), 28.0),
        ((span(-np.inf, 2.5, "hydrocortisone"),), 28.0),  # a drug and no support of an organ
    ],
)
def test_a_study_day_with_any_support_is_not_free(
    small_trial: Rehearsed, spans: tuple[Support, ...], days: float
) -> None:
    assert support_free_days(one_subject(small_trial.cohort, *spans))[0] == days


@pytest.mark.parametrize(("death", "days"), [(27.9, -1.0), (28.5, 28.0)])
def test_the_dead_count_as_the_protocol_says(small_trial: Rehearsed, death: float, days: float) -> None:
    made = one_subject(small_trial.cohort, death=death, last=death)
    assert support_free_days(made)[0] == days
    assert support_free_days(made, dead_count_as=0)[0] == max(days, 0.0)


def test_who_was_lost_counts_as_free_only_after_leaving_hospital(small_trial: Rehearsed) -> None:
    assert np.isnan(support_free_days(one_subject(small_trial.cohort, last=10.0))[0])
    at_home = one_subject(small_trial.cohort, span(-np.inf, 4.0), last=10.0, home=8.0)
    assert support_free_days(at_home)[0] == 24.0


def test_spans_of_support_are_those_of_the_record(whole_trial: Rehearsed) -> None:
    """Every begin or presence opens one span, and free days lie within their bounds."""
    opened = sum(said.change != "ended" for one in whole_trial.history.randomised for _, said in one.supports)
    cohort = whole_trial.cohort
    assert len(cohort.supports) == opened > 0
    assert all(one.ended_day >= one.began_day for one in cohort.supports)
    days = support_free_days(cohort)
    assert {one.support for one in cohort.supports} >= set(ORGAN_SUPPORT[:2])
    dead = cohort.death_day[0] < 28.0
    assert (days[dead] == -1.0).all()
    assert ((days[~dead] >= 0) & (days[~dead] <= 28)).all()


def test_every_dose_with_a_new_grade_is_flagged_with_the_raw_one_beside(whole_trial: Rehearsed) -> None:
    """Against the grades that the record holds."""
    recorded = {
        (one.subject, said.study_day): (said.cytokine_release_raw, said.cytokine_release_new)
        for one in whole_trial.history.randomised
        for _, said in one.observations
        if said.cytokine_release_new > 0
    }
    found = {(one.subject, one.study_day): (one.raw, one.new) for one in for_adjudication(whole_trial.cohort)}
    assert found == recorded
    assert found
    assert all(one.elements for one in for_adjudication(whole_trial.cohort))
