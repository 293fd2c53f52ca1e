"""Grades, what is new, and shift tables of a rehearsed trial, against a slow count from its record."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from rehearsals import Rehearsed
from sevenfold.analysis.safety.exposed import exposed
from sevenfold.analysis.safety.laboratory import Graded, graded, not_graded, range_shift, shift
from sevenfold.analysis.safety.tables import safety_tables
from sevenfold.cohort.cohort import Assignment, Cohort
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.safety import Safety
from sevenfold.protocol.variable import Kind, Variable


def groups_of(cohort: Cohort) -> dict[str, NDArray[np.bool_]]:
    arm = cohort.revealed()
    return {name: np.asarray(arm.is_in((name,))[0]) for name in arm.arms}


@pytest.fixture(scope="module")
def terms(whole_trial: Rehearsed) -> dict[str, Graded]:
    cohort, protocol = whole_trial.cohort, whole_trial.file.protocol
    return {one.criterion.name: one for one in graded(cohort, protocol, exposed(cohort, protocol))}


def with_values(cohort: Cohort, name: str, values: NDArray[np.float64], before: NDArray[np.float64]) -> Cohort:
    """The cohort with other values of one variable, all of them present."""
    return dataclasses.replace(
        cohort,
        values={**cohort.values, name: values},
        missing={**cohort.missing, name: np.zeros(values.shape, dtype=np.int64)},
        baseline={**cohort.baseline, name: before},
    )


def test_the_protocol_pins_the_version(whole_trial: Rehearsed, terms: dict[str, Graded]) -> None:
    """IRIS-7 pins 4.03; without a version nothing is graded."""
    protocol = whole_trial.file.protocol
    assert protocol.safety.ctcae == "4.03"
    assert {"Lymphocyte count decreased", "Platelet count decreased", "CD4 lymphocytes decreased"} <= set(terms)
    unpinned = protocol.model_copy(update={"safety": Safety()})
    assert graded(whole_trial.cohort, unpinned, exposed(whole_trial.cohort, unpinned)) == ()


def test_lymphocytes_are_graded_as_a_slow_count_grades_them(whole_trial: Rehearsed, terms: dict[str, Graded]) -> None:
    """From the ledger's results, with the limits of version 4.03 written out: 800, 500, 200 and the LLN of 1147."""
    one_trial, found = whole_trial.cohort, terms["Lymphocyte count decreased"]

    def by_hand(count: float) -> int:
        return sum(count < limit for limit in (1147, 800, 500, 200))

    n_new = 0
    for place, one in enumerate(whole_trial.history.randomised):
        counts = {seen.visit: seen.results["alc"].value for seen in one.visits if "alc" in seen.results}
        days = {seen.visit: one.day(seen.at) for seen in one.visits}
        doses = [one.day(at) for at, said in one.doses if type(said).__name__ == "DoseGiven"]
        if not doses:
            continue
        last = max(day for day in doses if day is not None)
        after = [
            by_hand(value)
            for visit, value in counts.items()
            if visit != "day 1" and 0 < (days[visit] or 0) <= last + 30
        ]
        before = by_hand(counts["day 1"])
        assert found.baseline[place] == before
        assert found.worst[place] == max(after, default=-1)
        new = -1 if not after else max(after) if max(after) > before else 0
        assert found.emergent[place] == new
        n_new += new > 0
    assert one_trial.n_subjects > 20
    assert n_new > 0


def test_shift_tables_close(whole_trial: Rehearsed, terms: dict[str, Graded]) -> None:
    """Every subject dosed stands once in a table, missing or not; the graded margins are those of the grades."""
    cohort, protocol = whole_trial.cohort, whole_trial.file.protocol
    during, groups = exposed(cohort, protocol), groups_of(cohort)
    tables = [(shift(one, groups, during), one) for one in terms.values()]
    assert len(tables) >= 8
    for table, one in tables:
        for group, members in groups.items():
            assert (
                sum(sum(table.row(group, state)) for state in table.states)
                == table.n[group]
                == (members & during.is_dosed).sum()
            )
            assert sum(table.row(group, "2")) == ((one.baseline == 2) & members & during.is_dosed).sum()
            assert sum(one.emergent_by_grade(members & during.is_dosed).values()) == table.n[group]


def test_tables_by_range_close_too(whole_trial: Rehearsed) -> None:
    cohort, protocol = whole_trial.cohort, whole_trial.file.protocol
    during, groups = exposed(cohort, protocol), groups_of(cohort)
    normal, low = protocol.reference_ranges["alc"], range_shift("alc", cohort, protocol, groups, during, lowest=True)
    high = range_shift("alc", cohort, protocol, groups, during, lowest=False)
    for group in groups:
        assert sum(sum(low.row(group, state)) for state in low.states) == low.n[group] == high.n[group]
    before = cohort.baseline["alc"][0]
    dosed = during.is_dosed
    assert sum(sum(low.row(group, "below")) for group in groups) == ((before < normal.lower) & dosed).sum()
    fell = sum(low.counts[group]["within"]["below"] for group in groups)
    stayed = sum(high.counts[group]["within"]["below"] for group in groups)
    assert stayed <= fell


def test_a_raw_grade_at_entry_is_not_an_event(whole_trial: Rehearsed) -> None:
    """Counts that stay at 600 are grade 2 before and after: raw grade 2 in everybody, treatment-emergent in nobody."""
    cohort, protocol = whole_trial.cohort, whole_trial.file.protocol
    values, before = np.full_like(cohort.values["alc"], 600.0), np.full_like(cohort.baseline["alc"], 600.0)
    made = with_values(cohort, "alc", values, before)
    during = exposed(made, protocol)
    one = next(g for g in graded(made, protocol, during) if g.criterion.name == "Lymphocyte count decreased")
    known = one.worst >= 0
    assert known.sum() > 20
    assert (one.baseline == 2).all()
    assert (one.worst[known] == 2).all()
    assert (one.emergent[known] == 0).all()


def test_a_multiple_of_a_high_baseline_is_new_on_its_own_scale(whole_trial: Rehearsed) -> None:
    """Version 5, bilirubin of 4 mg/dL before (grade 3 by the range): 4 again is nothing new, 7 is 1.75 x baseline."""
    cohort, pinned = whole_trial.cohort, Safety(ctcae="5.0")
    protocol: Protocol = whole_trial.file.protocol.model_copy(update={"safety": pinned})
    before = np.full_like(cohort.baseline["bilirubin"], 4.0)
    for later, emergent in ((4.0, 0), (7.0, 2), (13.0, 3)):
        made = with_values(cohort, "bilirubin", np.full_like(cohort.values["bilirubin"], later), before)
        during = exposed(made, protocol)
        one = next(g for g in graded(made, protocol, during) if g.criterion.variable == "bilirubin")
        assert (one.baseline == 3).all()
        assert set(one.emergent[one.worst >= 0]) == {emergent}


def test_values_outside_the_window_do_not_count(whole_trial: Rehearsed) -> None:
    """A window of a day holds nothing but what was measured within a day of the last dose."""
    cohort = whole_trial.cohort
    short = Safety.model_validate({"ctcae": "4.03", "emergent_for": "1 day"})
    protocol = whole_trial.file.protocol.model_copy(update={"safety": short})
    during = exposed(cohort, protocol)
    assert cohort.dosed_to_day is not None
    dosed = during.is_dosed
    assert (during.to_day[dosed] <= cohort.dosed_to_day[0][dosed] + 1.0).all()
    assert during.window == "from the first dose to 1 day after the last"
    long = exposed(cohort, whole_trial.file.protocol)
    assert (long.to_day >= during.to_day)[dosed].all()


def test_relabelling_the_arms_permutes_every_table_of_safety(whole_trial: Rehearsed) -> None:
    """Arms high, low and placebo become low, placebo and high: each finds the other's numbers under its name."""
    cohort, protocol = whole_trial.cohort, whole_trial.file.protocol
    arm = cohort.revealed()
    turned = dataclasses.replace(cohort, assignment=Assignment(arms=arm.arms, arm=(arm.arm + 1) % len(arm.arms)))
    new_name = {arm.arms[i]: arm.arms[(i + 1) % len(arm.arms)] for i in range(len(arm.arms))}
    here = safety_tables(cohort, protocol, groups_of(cohort))
    there = safety_tables(turned, protocol, groups_of(turned))
    assert [one.label for one in here.events] == [one.label for one in there.events]
    for name, other in new_name.items():
        assert all(a.cells[name] == b.cells[other] for a, b in zip(here.events, there.events, strict=True))
        assert all(a.by_grade[name] == b.by_grade[other] for a, b in zip(here.emergent, there.emergent, strict=True))
        assert all(a.counts[name] == b.counts[other] for a, b in zip(here.shifts, there.shifts, strict=True))
    assert here.adjudication == there.adjudication


def test_a_unit_that_the_criteria_do_not_know_is_told_and_stops_nothing(whole_trial: Rehearsed) -> None:
    """A protocol that measures haemoglobin as a share of normal: both its terms are named, all others are graded."""
    cohort, plan = whole_trial.cohort, whole_trial.file.protocol
    odd = Variable(id="haemoglobin", label="Haemoglobin", kind=Kind.LABORATORY, unit="%")
    protocol = plan.model_copy(update={"variables": (odd,)})
    assert not_graded(cohort, plan) == ()
    assert not_graded(cohort, protocol) == ("Anemia (measured in %)", "Hemoglobin increased (measured in %)")
    names = {one.criterion.name for one in graded(cohort, protocol, exposed(cohort, protocol))}
    assert "Anemia" not in names
    assert "Lymphocyte count decreased" in names
