"""Values below a limit of quantification, and findings of yes or no: told as what they are."""

import dataclasses

import numpy as np
import pytest

from rehearsals import Rehearsed
from sevenfold.analysis.trial.describing import _share_of_tested, describe
from sevenfold.analysis.trial.estimates import Description
from sevenfold.analysis.trial.response import responses
from sevenfold.protocol.load import load
from sevenfold.report import words
from sevenfold.report.courses import courses


@pytest.fixture(scope="module")
def description(whole_trial: Rehearsed) -> Description:
    return describe(whole_trial.cohort, whole_trial.file.protocol, {})


def test_the_cohort_knows_which_values_are_limits(whole_trial: Rehearsed) -> None:
    """Counted from the ledger's own results."""
    recorded = sum(
        result.qualifier == "<"
        for one in whole_trial.history.randomised
        for visit in one.visits
        for name, result in visit.results.items()
        if name == "il7"
    )
    cohort = whole_trial.cohort
    assert recorded > 0
    assert cohort.below["il7"].sum() == recorded
    assert len(set(cohort.values["il7"][cohort.below["il7"]])) == 1, "one assay, one limit"
    assert not cohort.is_below("alc", "day 1").any()


def test_every_mean_says_how_many_of_its_values_are_limits(whole_trial: Rehearsed, description: Description) -> None:
    protocol = whole_trial.file.protocol
    arms = {arm.id: (arm.label, "arm-a") for arm in protocol.arms}
    counted = sum(p.n_below for p in description.points if p.variable == "il7" and p.group in arms)
    assert counted == whole_trial.cohort.below["il7"].sum()
    course = next(
        c
        for c in courses(whole_trial.cohort, description.points, protocol, arms, is_rehearsed=True)
        if c.title == "IL-7 in plasma"
    )
    assert f"{counted} of " in course.below
    assert "(0.005 ng/mL)" in course.below
    assert any("below the limit" in text for cells in course.rows.values() for _, text, _ in cells.values())


def test_a_response_made_of_a_limit_says_so(whole_trial: Rehearsed) -> None:
    protocol, cohort = whole_trial.file.protocol, whole_trial.cohort
    flags = np.isfinite(cohort.values["alc"]) & (np.arange(cohort.n_subjects) < 20)[None, :, None]
    found = responses(protocol.primary, dataclasses.replace(cohort, below={"alc": flags}), protocol)
    n = int((flags[0, :, cohort.visits.index("day 29")] & (cohort.death_day[0] > 28)).sum())
    assert n > 1
    assert found.notes == (f"{n} values below the limit of quantification stand at the limit.",)
    assert responses(protocol.primary, cohort, protocol).notes == ()


def test_a_quartile_among_limits_is_only_known_to_be_below(whole_trial: Rehearsed) -> None:
    """Ten of 27 below 0.01: the lower quartile is one of them, the median is not."""
    cohort, protocol = whole_trial.cohort, whole_trial.file.protocol
    values = np.linspace(0.02, 0.04, cohort.n_subjects)[None, :]
    flags = np.zeros_like(cohort.values["il7"], dtype=np.bool_)
    flags[0, :10, cohort.visits.index("day 1")], values[0, :10] = True, 0.01
    made = dataclasses.replace(cohort, baseline={**cohort.baseline, "il7": values}, below={"il7": flags})
    told = dict(describe(made, protocol, {}).baseline)["IL-7 in plasma, ng/mL: median (quartiles)"]["all"]
    assert told == "0.030 (<0.01-0.035)"


def test_antibodies_before_the_first_dose_are_counted_and_not_averaged() -> None:
    assert load("iris-7c").protocol.known_variables["anti_drug_antibodies"].is_yes_or_no
    values = np.array([0.0, 1.0, np.nan, 0.0])
    assert _share_of_tested(values, np.array([True, True, True, False])) == "1 (50%) of 2 tested"
    assert _share_of_tested(values, np.array([False, False, True, False])) == "not tested"


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (0.1, "0.10"), (0.0001234, "0.000123"), (0.0, "0.00"), (-0.05, "−0.0500")]
)
def test_small_numbers_keep_three_digits_that_count(value: float, text: str) -> None:
    assert words.number(value) == text
