"""Repeated measurements as a value: what it refuses, what it counts, what it leaves alone."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from sevenfold.analysis.mmrm import LeftOut, Longitudinal, without_missing
from sevenfold.errors import InvalidDesign, InvalidInput

RESPONSE = [1.0, 2.0, 3.0, 4.0]
DESIGN = [[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]


def made(**changes: object) -> Longitudinal:
    parts: dict[str, object] = {
        "response": RESPONSE,
        "design": DESIGN,
        "columns": ("intercept", "il7"),
        "subject": [7, 7, 9, 9],
        "visit": [0, 1, 0, 1],
        "visits": ("day 7", "day 28"),
    }
    return Longitudinal(**{**parts, **changes})  # type: ignore[arg-type] # the keys are the fields


def test_data_count_patients_and_measurements() -> None:
    """Patients may have any whole numbers."""
    data = made()
    assert (data.n_patients, data.n_observations) == (2, 4)
    assert data.subject.tolist() == [0, 0, 1, 1]
    assert data.positions.tolist() == [0.0, 1.0]
    assert made(times_day=(7.0, 28.0)).positions.tolist() == [7.0, 28.0]


def test_data_cannot_be_edited_through_it_or_behind_its_back() -> None:
    """The arrays are copies, and closed."""
    response = np.array(RESPONSE)
    data = made(response=response)
    response[0] = 99.0
    assert data.response[0] == 1.0
    for array in (data.response, data.design, data.subject, data.visit):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError):
        data.response = response  # type: ignore[misc] # what is tested


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"design": DESIGN[:3]}, r"design has the shape \(3, 2\) where \(4, 2\) was expected"),
        ({"columns": ("intercept",)}, "design has the shape"),
        ({"subject": [7, 7, 9]}, "subject has the shape"),
        ({"response": [1.0, np.nan, 3.0, 4.0]}, "response holds a number that is not finite in row 1"),
        ({"design": [[1.0, 0.0], [1.0, np.inf], [1.0, 1.0], [1.0, 1.0]]}, "design holds a number .* in row 1"),
        ({"visit": [0, 0, 0, 1]}, "Row 1 is a second measurement of its patient at visit 'day 7'"),
        ({"visit": [0, 2, 0, 1]}, "visit must index its 2 names, got 0 to 2"),
        ({"visit": [0.0, 1.0, 0.0, 1.0]}, "visit must hold whole numbers"),
        ({"visits": ("day 7", "day 28", "day 60")}, "No measurement belongs to visit 'day 60'"),
        ({"times_day": (7.0,)}, "times_day has 1 values for 2 visits"),
        ({"times_day": (7.0, np.nan)}, "times_day must be finite"),
        ({"group": [0, 1, 1, 1], "groups": ("a", "b")}, "The patient in row 0 belongs to more than one group"),
        ({"group": [0, 0, 0, 0], "groups": ("a", "b")}, "No measurement belongs to group 'b'"),
    ],
)
def test_data_that_cannot_be_are_refused_with_the_way_out(changes: dict[str, object], message: str) -> None:
    """Each message names the thing and what was found."""
    with pytest.raises(InvalidInput, match=message):
        made(**changes)


def test_nothing_to_analyse_is_refused() -> None:
    """All rows left out."""
    with pytest.raises(InvalidInput, match="no measurement to analyse"):
        made(response=[], design=np.empty((0, 2)), subject=np.empty(0, dtype=int), visit=np.empty(0, dtype=int))


def test_columns_that_others_determine_are_named() -> None:
    """The first of several is kept, as written; a column of zeros is determined by none."""
    design = np.column_stack([np.ones(4), [0, 0, 1, 1], [1, 1, 0, 0], np.zeros(4), [0, 1, 0, 1]]).astype(float)
    with pytest.raises(InvalidDesign, match="columns 'placebo', 'nothing' are combinations"):
        made(design=design, columns=("intercept", "il7", "placebo", "nothing", "day 28"))


def test_nearly_the_same_columns_are_not_aliased() -> None:
    """A covariate with a large mean and a small spread is a covariate."""
    design = np.column_stack([np.ones(4), 1e6 + np.arange(4.0)])
    assert made(design=design).n_observations == 4


def test_more_columns_than_measurements_are_aliased() -> None:
    """Four measurements know four columns at most."""
    design = np.random.default_rng(1).normal(size=(4, 6))
    with pytest.raises(InvalidDesign, match="'e', 'f'"):
        made(design=design, columns=tuple("abcdef"))


def test_rows_with_missing_values_are_left_out_and_counted() -> None:
    """By reason; a patient of whom nothing is left is counted too."""
    data = without_missing(
        [1.0, np.nan, 3.0, 4.0, np.nan, np.nan, 7.0],
        [[1.0, 0.0], [1.0, 0.0], [1.0, np.nan], [1.0, 1.0], [1.0, 1.0], [1.0, np.nan], [1.0, 1.0]],
        columns=("intercept", "baseline"),
        subject=[1, 1, 2, 2, 3, 3, 4],
        visit=[0, 1, 0, 1, 0, 1, 0],
        visits=("day 7", "day 28"),
    )
    assert data.n_observations == 3
    assert data.n_patients == 3
    assert data.n_patients_left_out == 1
    assert data.left_out == (LeftOut("response missing", 3), LeftOut("covariate missing", 1))
