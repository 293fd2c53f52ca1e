"""What an answer rests on, for every method: n is of those in it, the rest have a reason, and tiny groups are told."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from small_plans import QUESTIONS, answered, closes, small_cohort

from sevenfold.analysis.effect import Status
from sevenfold.cohort.cohort import Assignment, Cohort, Missing


def without_values(cohort: Cohort, who: list[int], visits: tuple[int, ...] = (1, 2)) -> Cohort:
    grid, codes = cohort.values["score"].copy(), cohort.missing["score"].copy()
    for visit in visits:
        grid[0, who, visit], codes[0, who, visit] = np.nan, int(Missing.MISSED)
    return replace(cohort, values={"score": grid}, missing={"score": codes}, baseline={"score": grid[:, :, 0].copy()})


def with_arm(cohort: Cohort, n_drug: int) -> Cohort:
    """The first so many subjects in the drug's arm, nobody else; none of them is among those not seen at the end."""
    assignment = cohort.revealed()
    arm = np.ones_like(assignment.arm)
    arm[0, [2, 3, 4][:n_drug]] = 0
    return replace(cohort, assignment=replace(assignment, arm=arm))


@pytest.mark.parametrize("method", QUESTIONS)
def test_used_and_left_out_close_for_every_method(method: str) -> None:
    """Two without baseline, one of them dead; two without a value at the end beside those who left.

    All the dead are controls, so that a hazard ratio is infinite.
    """
    cohort = without_values(without_values(small_cohort(), [0, 13], (0,)), [4, 5], (2,))
    found = answered(cohort, method)
    assert (
        (found.status is Status.SEPARATED)
        if method in ("proportional hazards", "log-rank")
        else found.value is not None
    )
    assert closes(found)


def test_a_standardised_risk_rests_on_those_with_a_baseline() -> None:
    """The dead count as without response, so one without a baseline has an outcome, and is not in the model."""
    whole, bare = small_cohort(), without_values(small_cohort(), [13], (0,))
    method = "standardised logistic regression"
    one, other = answered(whole, method), answered(bare, method)
    assert sum(g.n_used for g in other.groups) == sum(g.n_used for g in one.groups) - 1
    assert (other.left_out or {})["no baseline"] == 1
    assert "no baseline" not in (one.left_out or {})
    assert sum(g.n_events or 0 for g in other.groups) == sum(g.n_events or 0 for g in one.groups)
    assert closes(other)


def test_a_standardised_risk_says_that_it_takes_the_logarithm_of_baseline() -> None:
    """A dead subject with a baseline of 0 has an outcome, and no place in the model."""
    cohort = small_cohort()
    baseline = cohort.baseline["score"].copy()
    baseline[0, 13] = 0.0
    found = answered(replace(cohort, baseline={"score": baseline}), "standardised logistic regression")
    assert (found.left_out or {})["a baseline of 0 has no logarithm"] == 1
    assert "Adjusted for log baseline." in found.notes
    assert closes(found)


def test_the_win_ratio_counts_everybody_it_compares() -> None:
    """The dead and those who left are in pairs; only the median is of those with a value, which its note counts."""
    found = answered(small_cohort(), "win ratio")
    assert [g.n_used for g in found.groups] == [20, 20]
    assert found.left_out == {}
    assert "n counts everybody compared" in found.basis
    assert "Drug: 19 alive with a value, 0 dead, 1 without a value." in found.notes
    assert "Control: 15 alive with a value, 2 dead, 3 without a value." in found.notes


def test_the_win_ratio_of_a_small_group_has_no_test() -> None:
    """With 3 against 24 it rejects in 10 % of trials without a difference: the ratio is told, and nothing else."""
    cohort = small_cohort()
    arm = np.ones((1, len(cohort.subjects)), dtype=np.int64)
    arm[0, :3] = 0
    found = answered(replace(cohort, assignment=Assignment(arms=("drug", "control"), arm=arm)), "win ratio")
    assert found.status is Status.TOO_FEW
    assert (found.value, found.lower, found.p_value) == (None, None, None)
    assert any(note.startswith("Win ratio ") and "one has 3" in note for note in found.notes)


def test_who_is_in_no_pair_of_a_win_ratio_is_left_out() -> None:
    """One stratum has nobody of the other group, one subject has no stratum; the dead are no exception."""
    people = [replace(one, sex="female") for one in small_cohort().subjects]
    people[13] = replace(people[13], sex="")  # dead
    people[0] = replace(people[0], sex="other")
    found = answered(replace(small_cohort(), subjects=tuple(people)), "win ratio", covariates=["sex"])
    assert found.left_out == {"a covariate is not known": 1, "nobody of the other group in the stratum": 1}
    assert closes(found)
    assert "Control: 15 alive with a value, 1 dead, 3 without a value." in found.notes


@pytest.mark.parametrize(
    "method", ["ancova", "repeated measures", "stratified rank sum", "proportional hazards", "cumulative incidence"]
)
def test_a_group_of_one_is_named(method: str) -> None:
    """An estimate may exist; what its uncertainty rests on is said, with the group's name."""
    cohort = with_arm(small_cohort(), 1)
    death = cohort.death_day.copy()
    death[0, 2] = 58.0  # so that a hazard ratio can be had
    found = answered(replace(cohort, death_day=death), method)
    assert found.status is Status.OK
    assert found.groups[0].n_used == 1
    said = "taken from the other group" if method in ("ancova", "repeated measures") else "hold for large groups"
    assert any(note.startswith("Only one subject of Drug is in it") and said in note for note in found.notes)
    two = answered(with_arm(small_cohort(), 2), method)
    assert not any("Only one subject" in note for note in two.notes)


@pytest.mark.parametrize("method", ["exact unconditional test", "standardised logistic regression", "win ratio"])
def test_a_group_of_one_is_exact_or_refused(method: str) -> None:
    """Boschloo's test holds whatever the size; a variance between patients cannot be had from one."""
    found = answered(with_arm(small_cohort(), 1), method)
    assert found.status is (Status.OK if method == "exact unconditional test" else Status.TOO_FEW)
    assert not any("Only one subject" in note for note in found.notes)


def test_two_subjects_measure_no_error() -> None:
    """One in each group leaves no degree of freedom; there is no interval of no patients."""
    kept = [2, 1]
    cohort = small_cohort()
    others = [i for i in range(cohort.n_subjects) if i not in kept]
    grid = without_values(cohort, others)
    grid = replace(grid, assignment=with_arm(cohort, 1).assignment)
    values, codes = grid.values["score"].copy(), grid.missing["score"].copy()
    values[0, 1, 2], codes[0, 1, 2] = 20.0, int(Missing.PRESENT)
    found = answered(replace(grid, values={"score": values}, missing={"score": codes}), "ancova", covariates=[])
    assert found.status is Status.TOO_FEW
    assert found.value is None
    assert [g.n_used for g in found.groups] == [1, 1]


@pytest.mark.parametrize("method", ["ancova", "stratified rank sum", "randomisation test"])
@pytest.mark.parametrize("is_all", [True, False])
def test_a_group_without_values_is_named(method: str, is_all: bool) -> None:
    """Nobody measured at the end at all, or nobody of one group: not "all patients are in one arm"."""
    cohort = small_cohort()
    arm = cohort.revealed().arm[0]
    gone = [i for i in range(cohort.n_subjects) if is_all or arm[i] == 1]
    found = answered(without_values(cohort, gone), method)
    assert found.status is Status.TOO_FEW
    said = "Nobody of Drug and nobody of Control has" if is_all else "Nobody of Control has"
    assert any(note.startswith(said) for note in found.notes)
    assert closes(found)


def test_a_group_that_nobody_followed_is_named() -> None:
    cohort = small_cohort()
    last = np.where(cohort.revealed().arm == 0, np.nan, cohort.last_day)
    found = answered(replace(cohort, last_day=last), "log-rank")
    assert found.status is Status.TOO_FEW
    assert "Nobody of Drug was followed." in found.notes


def with_deaths(cohort: Cohort, day: NDArray[np.float64]) -> Cohort:
    """The cohort whose subjects died on these days, inf for those who lived."""
    return replace(cohort, death_day=day[None], last_day=np.where(np.isfinite(day), day, 60.0)[None])


def test_a_share_of_none_or_all_has_no_interval_of_no_width() -> None:
    """Nobody of twenty died in either group: the difference is 0, and an interval from 0 to 0 would be certainty. Where
    that holds of one group only, the interval of the other alone is told to be too narrow.
    """
    cohort = small_cohort()
    is_drug = cohort.revealed().arm[0] == 0
    none = answered(with_deaths(cohort, np.full(40, np.inf)), "cumulative incidence")
    all_of_one = answered(with_deaths(cohort, np.where(is_drug, np.inf, 20.0)), "cumulative incidence")
    for found, value in ((none, 0.0), (all_of_one, -1.0)):
        assert found.value == value
        assert (found.lower, found.upper, found.p_value, found.test, found.interval) == (None,) * 5
        assert any("there is no interval" in note for note in found.notes)
    assert any("Drug (nobody) and Control (everybody)" in note for note in all_of_one.notes)
    as_it_is = answered(cohort, "cumulative incidence")  # two controls died
    assert as_it_is.lower is not None
    assert any("Of Drug (nobody) the share has no standard error" in note for note in as_it_is.notes)
