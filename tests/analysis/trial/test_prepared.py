"""Values that cannot be used, in models of all visits: who is left out and why closes, and what is not used is told."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from small_plans import N, answered, closes, planned, small_cohort

from sevenfold.analysis.effect import Fit, Status
from sevenfold.analysis.imputation import completion
from sevenfold.analysis.trial.analyse import analyse
from sevenfold.analysis.trial.estimates import Answer
from sevenfold.cohort.cohort import Cohort, Missing

METHODS = ("repeated measures", "conditional mean imputation")


def with_value(cohort: Cohort, who: int, visit: str, value: float) -> Cohort:
    """The cohort with one value more (nan: one less, missed)."""
    grid, codes = cohort.values["score"].copy(), cohort.missing["score"].copy()
    at = cohort.visits.index(visit)
    grid[0, who, at] = value
    codes[0, who, at] = int(Missing.PRESENT if np.isfinite(value) else Missing.MISSED)
    baseline = grid[:, :, 0].copy()
    return replace(cohort, values={"score": grid}, missing={"score": codes}, baseline={"score": baseline})


@pytest.mark.parametrize("method", METHODS)
def test_a_value_dated_after_death_changes_no_answer_and_is_named(method: str) -> None:
    """S13 died on day 40; a value of day 56 is somebody else's, or the death is: the analysis believes the death."""
    plain = small_cohort()
    late = with_value(plain, 13, "week 8", 900.0)
    one, other = answered(plain, method), answered(late, method)
    assert one.status is Status.OK
    assert other.value == pytest.approx(one.value, rel=1e-9)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-6)
    assert any("Dated after the subject's death and not used: 1 values (S13 at week 8)" in n for n in other.notes)
    assert not any("after the subject's death" in note for note in one.notes)
    assert closes(other)


def test_a_value_of_the_day_of_death_is_believed() -> None:
    """Blood may be drawn in the morning: only a later day contradicts the death."""
    plain = small_cohort()
    death = plain.death_day.copy()
    death[0, 13] = 55.0  # the day of week 8
    late = with_value(replace(plain, death_day=death), 13, "week 8", 21.0)
    found = answered(late, "repeated measures")
    assert not any("after the subject's death" in note for note in found.notes)
    assert found.value != pytest.approx(answered(plain, "repeated measures").value, rel=1e-9)


def test_who_only_has_values_dated_after_death_is_left_out_for_that() -> None:
    cohort = small_cohort()
    death = cohort.death_day.copy()
    death[0, 0] = 3.0
    found = answered(replace(cohort, death_day=death), "repeated measures")
    assert (found.left_out or {})["every value after baseline is dated after death"] == 1
    assert closes(found)


@pytest.mark.parametrize("method", ["ancova", "stratified rank sum"])
def test_one_value_of_who_died_after_the_day_and_before_the_value_is_not_used(method: str) -> None:
    """Alive on the planned day of week 8 (55), dead on 57, measured on 58."""
    cohort = small_cohort()
    death, day = cohort.death_day.copy(), cohort.measured_day.copy()
    death[0, 0], day[0, 0, 2] = 57.0, 58.0
    found = answered(replace(cohort, death_day=death, measured_day=day), method)
    assert (found.left_out or {})["dated after death"] == 1
    assert any("S0 at week 8" in note for note in found.notes)
    assert closes(found)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("is_ratio", [False, True])
def test_everybody_is_used_or_left_out_for_the_first_reason_that_holds(method: str, is_ratio: bool) -> None:
    """One without baseline, one with a baseline of 0, one with an unknown stratum, one with no later value."""
    cohort = with_value(small_cohort(), 0, "baseline", np.nan)
    cohort = with_value(cohort, 4, "baseline", 0.0)
    cohort = with_value(with_value(cohort, 8, "week 4", np.nan), 8, "week 8", np.nan)
    people = list(cohort.subjects)
    people[12] = replace(people[12], sex="")
    cohort = replace(cohort, subjects=tuple(people))
    found = answered(cohort, method, covariates=["baseline", "sex"], is_ratio=is_ratio)
    expected = {"no baseline": 1, "a covariate is not known": 1}
    expected |= {"a value of 0 has no ratio": 1} if is_ratio else {}
    # S6 withdrew before week 4; imputation has use for a subject without a later value
    expected |= {"no value after baseline": 2} if method == "repeated measures" else {}
    assert found.left_out == expected
    assert closes(found)


@pytest.mark.parametrize("method", METHODS)
def test_measured_zeros_of_a_ratio_are_counted(method: str) -> None:
    """A 0 has no logarithm. It is not used, which is told, and who was measured has not left for it."""
    zero = with_value(small_cohort(), 0, "week 8", 0.0)
    missed = with_value(small_cohort(), 0, "week 8", np.nan)
    one, other = (answered(it, method, is_ratio=True) for it in (zero, missed))
    assert one.status is Status.OK
    assert one.value == pytest.approx(other.value, rel=1e-9)
    assert any("Values of 0 have no ratio" in note and note.endswith(": 1.") for note in one.notes)
    assert not any("Values of 0" in note for note in other.notes)
    assert closes(one)


def test_who_is_measured_as_zero_at_the_end_has_not_left() -> None:
    """Where the data say of nobody that they left, whoever was not seen again counts as having left: not who was."""
    cohort = small_cohort()
    codes = cohort.missing["score"].copy()
    codes[codes != Missing.PRESENT] = int(Missing.MISSED)
    alive = np.full_like(cohort.death_day, np.inf)
    cohort = replace(cohort, missing={"score": codes}, death_day=alive)
    zero, missed = with_value(cohort, 0, "week 8", 0.0), with_value(cohort, 0, "week 8", np.nan)
    method = "conditional mean imputation"
    one, other = (answered(it, method, is_ratio=True) for it in (zero, missed))
    assert one.value != pytest.approx(other.value, rel=1e-6), "the one is at random, the other jumps to the reference"


def test_imputation_tells_what_its_adjustment_left_out() -> None:
    """A factor of one level is not in the model, which each method says alike."""
    people = tuple(replace(one, sex="female") for one in small_cohort().subjects)
    cohort = replace(small_cohort(), subjects=people)
    for method in (*METHODS, "ancova"):
        found = answered(cohort, method, covariates=["baseline", "sex"])
        assert any("Only one sex is left" in note for note in found.notes), method


def test_the_analysis_set_holds_for_every_method() -> None:
    """Who was never dosed is in no group of an analysis of the dosed."""
    cohort = small_cohort()
    doses = cohort.n_doses.copy()
    doses[0, :3] = 0
    cohort = replace(cohort, n_doses=doses)
    for method in (*METHODS, "ancova", "win ratio", "cumulative incidence"):
        found = answered(cohort, method, analysis_set="dosed")
        assert sum(g.n for g in found.groups) == N - 3, method
        assert closes(found), method


def said_of_tipping(answer: Answer) -> str:
    return next(note for note in answer.notes if note.startswith("Tipping point"))


@pytest.mark.parametrize("method", ["multiple imputation", "conditional mean imputation"])
def test_a_significant_effect_is_said_to_be_lost_and_a_weak_one_to_be_gained(method: str) -> None:
    """The same search, from either side: the words tell on which side it began, and where the estimate is then."""
    cohort = small_cohort()
    strong = said_of_tipping(answered(cohort, method, tipping_to=100.0))
    assert "is no longer significant with +" in strong
    assert "every imputed value of Drug" in strong
    values = cohort.values["score"].copy()
    is_drug = cohort.revealed().arm[0] == 0
    values[0, is_drug, 2] += 2.6  # what the drug did, undone
    weakened = replace(cohort, values={"score": values})
    for who in np.flatnonzero(is_drug)[:8]:  # enough unseen for a shift of them to tell
        weakened = with_value(weakened, int(who), "week 8", np.nan)
    weak = answered(weakened, method, tipping_to=-30.0)
    assert (weak.p_value or 0.0) > 0.05
    assert "becomes significant with -" in said_of_tipping(weak)
    estimate = float(said_of_tipping(weak).split("where the estimate is ")[1].rstrip("."))
    assert estimate < 0.0, "unseen values of the drug moved down, and the estimate with them"


def test_a_search_that_ends_says_what_stays() -> None:
    """A direction that makes a strong effect stronger never tips it."""
    found = said_of_tipping(answered(small_cohort(), "conditional mean imputation", tipping_to=-5.0))
    assert "it stays significant with -5 added to every imputed value of Drug" in found


def test_a_shift_of_a_ratio_is_a_factor() -> None:
    """Shifts are of logarithms, which nobody reads."""
    found = said_of_tipping(answered(small_cohort(), "conditional mean imputation", is_ratio=True, tipping_to=5.0))
    assert "is no longer significant with a factor of" in found


def test_a_search_that_fails_is_not_said_to_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An analysis that fails at a shift leaves it unknown what the shift does."""

    def fails(analysis: object, courses: object, values: object, visit: str, shift: dict[str, float]) -> object:
        if shift:
            return Fit(status=Status.SINGULAR, message="No.")
        return completion.analyse(analysis, courses, values, visit, shift)  # type: ignore[arg-type]  # handed through as given

    monkeypatch.setattr("sevenfold.analysis.imputation.multiple.analyse", fails)
    found = said_of_tipping(answered(small_cohort(), "multiple imputation", tipping_to=100.0))
    assert "not known" in found
    assert "fails on the way" in found
    assert "stays" not in found


def test_a_long_analysis_tells_how_far_it_has_come() -> None:
    """The jackknife refits once a subject; the name says whose it is."""
    told: dict[str, list[tuple[int, int]]] = {}
    protocol, cohort = planned("conditional mean imputation", tipping_to=5.0), small_cohort()

    def within(name: str) -> Callable[[int, int], None]:
        return lambda done, of: told.setdefault(name, []).append((done, of))

    analyse(cohort, None, protocol, 1, within=within)
    assert told["Asked: imputing"] == [(k, N) for k in range(1, N + 1)]
    assert told["Asked: tipping point"][0] == (1, 40)


def test_nobody_to_be_imputed_is_a_status() -> None:
    """All values after baseline missing, or every baseline: an answer with its reason, not an error."""
    plain = small_cohort()
    for lost in (slice(1, None), slice(0, 1)):
        grid = plain.values["score"].copy()
        grid[0, :, lost] = np.nan
        codes = np.where(np.isnan(grid), int(Missing.MISSED), int(Missing.PRESENT))
        cohort = replace(plain, values={"score": grid}, missing={"score": codes}, baseline={"score": grid[:, :, 0]})
        for method in ("conditional mean imputation", "multiple imputation"):
            found = answered(cohort, method)
            assert found.status is Status.NOT_ESTIMABLE
            assert found.value is None
            assert closes(found)


@pytest.mark.parametrize("method", METHODS)
def test_a_visit_at_which_nobody_has_a_value_is_left_out_and_told(method: str) -> None:
    """It tells the model nothing; the answer is that of a plan without it, and no longer fails for it."""
    cohort = small_cohort()
    first_after = cohort.visits[1]
    for who in range(N):
        cohort = with_value(cohort, who, first_after, float("nan"))
    found = answered(cohort, method)
    assert found.status is Status.OK
    assert any(f"Nobody has a value at {first_after}" in note for note in found.notes)
    assert closes(found)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_estimated_at_a_visit_at_which_nobody_has_a_value(method: str) -> None:
    """Said of the visit asked about, not left to a matrix that has no inverse."""
    cohort = small_cohort()
    for who in range(N):
        cohort = with_value(cohort, who, "week 8", float("nan"))
    found = answered(cohort, method)
    assert found.status is Status.NOT_ESTIMABLE
    assert any("has a value at week 8" in note for note in found.notes)
