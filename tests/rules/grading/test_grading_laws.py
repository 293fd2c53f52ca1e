"""What holds of every term of every version: worse is never less, units change nothing, what is not known is not
guessed.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold import unit
from sevenfold.errors import InvalidInput
from sevenfold.rules.grading.criteria import VERSIONS, Criterion, criteria, criteria_for
from sevenfold.rules.grading.grade import UNKNOWN, grade
from sevenfold.rules.grading.limit import read_limit

EVERY = [pytest.param(c, id=f"{version} {c.name}") for version in VERSIONS for c in criteria(version).values()]
OTHER_UNITS = {
    "cell count": ("10^9/L", "cells/µL"),
    "concentration": ("g/L", "mg/dL"),
    "molar concentration": ("mmol/L", "µmol/L"),
}


def units_of(criterion: Criterion) -> list[str]:
    """The units that a criterion is stated in; any where it is stated in multiples only."""
    stated = [q.unit for limits in criterion.limits.values() for limit in limits for q in limit.quantities]
    return list(dict.fromkeys(stated)) or ["U/L"]


@pytest.mark.parametrize("criterion", EVERY)
@given(data=st.data())
@settings(max_examples=20)
def test_a_grade_never_falls_as_the_value_moves_away_from_normal(criterion: Criterion, data: st.DataObject) -> None:
    in_unit = data.draw(st.sampled_from(units_of(criterion)))
    values = data.draw(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=12).map(sorted))
    lower = data.draw(st.floats(0.01, 1e5))
    upper = lower * data.draw(st.floats(1.1, 10.0))
    baseline = data.draw(st.one_of(st.none(), st.floats(0.01, 1e5)))
    worse = values if criterion.direction == "high" else values[::-1]
    assume = data.draw(st.booleans())
    grades = grade(criterion, worse, in_unit, lower=lower, upper=upper, baseline=baseline, assume_conditions=assume)
    assert (np.diff(grades) >= 0).all()
    assert grades.min() >= 0
    assert grades.max() <= 4


@pytest.mark.parametrize("criterion", EVERY)
@given(data=st.data())
@settings(max_examples=20)
def test_the_unit_of_a_value_changes_no_grade(criterion: Criterion, data: st.DataObject) -> None:
    """Within what a unit measures (mass, amount, cells); the criteria round their own limits between the two."""
    for in_unit in units_of(criterion):
        for other in OTHER_UNITS.get(unit.dimension(in_unit), ()):
            value, lower, upper, base = (data.draw(st.floats(0.01, 1e5)) for _ in range(4))
            there = [unit.convert(x, in_unit, other) for x in (value, lower, upper, base)]
            here = grade(criterion, value, in_unit, lower=lower, upper=upper, baseline=base)
            assert grade(criterion, there[0], other, lower=there[1], upper=there[2], baseline=there[3]) == here


@pytest.mark.parametrize("criterion", EVERY)
def test_conditions_can_only_raise_a_grade(criterion: Criterion) -> None:
    values, in_unit, raised = np.geomspace(0.01, 1e6, 400), units_of(criterion)[0], False
    for lower in (0.5, 50.0):
        alone, at_worst = (
            grade(
                criterion,
                values,
                in_unit,
                lower=lower,
                upper=1.6 * lower,
                baseline=1.4 * lower,
                assume_conditions=worst,
            )
            for worst in (False, True)
        )
        assert (at_worst >= alone).all()
        raised = raised or bool((at_worst > alone).any())
    assert raised == any(limit.needs for limits in criterion.limits.values() for limit in limits)


@pytest.mark.parametrize("criterion", EVERY)
def test_a_value_that_is_missing_has_no_grade(criterion: Criterion) -> None:
    assert grade(criterion, np.nan, units_of(criterion)[0], lower=1.0, upper=2.0) == UNKNOWN


def test_without_a_limit_of_normal_only_what_needs_none_is_graded() -> None:
    """900 lymphocytes are grade 1 or none, which the lower limit of normal decides; 700 are grade 2 whatever it is."""
    lymphocytes = criteria("5.0")["Lymphocyte count decreased"]
    assert grade(lymphocytes, [900.0, 700.0], "cells/µL").tolist() == [UNKNOWN, 2]


def test_one_trial_and_many_are_graded_alike() -> None:
    """(trial, subject, visit) with a baseline (trial, subject, 1) gives what one value after another gives."""
    rng = np.random.default_rng(3)
    values, baseline = rng.uniform(10, 900, (2, 3, 4)), rng.uniform(10, 90, (2, 3, 1))
    alt = criteria("5.0")["Alanine aminotransferase increased"]
    together = grade(alt, values, "U/L", upper=40.0, baseline=baseline)
    for place in np.ndindex(values.shape):
        assert together[place] == grade(alt, values[place], "U/L", upper=40.0, baseline=baseline[place[:2]][0])


def test_a_rounding_of_the_machine_moves_nobody_over_a_limit() -> None:
    """1.5 x 1.2 is 1.7999… in floating point; 1.8 does not exceed it."""
    assert 1.5 * 1.2 < 1.8
    assert grade(criteria("5.0")["Blood bilirubin increased"], 1.8, "mg/dL", upper=1.2) == 1


def test_every_graded_variable_is_found_by_its_name() -> None:
    assert [c.name for c in criteria_for("alc", "4.03")] == ["Lymphocyte count decreased", "Lymphocyte count increased"]
    assert criteria_for("il7", "5.0") == ()


def test_faults_say_what_would_be_right() -> None:
    with pytest.raises(InvalidInput, match=r"no table of CTCAE '3.0'; there is 4.03, 5.0, 6.0"):
        criteria("3.0")
    with pytest.raises(InvalidInput, match="stated in mmol/L; a value in mg/dL cannot be graded"):
        grade(criteria("5.0")["Hyperkalemia"], 20.0, "mg/dL", upper=5.0)
    with pytest.raises(InvalidInput, match="is no limit; write it like"):
        read_limit("about 5")
