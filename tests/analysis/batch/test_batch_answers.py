"""The answers of a batch cannot hold a number for a failed trial, nor none for one that ended well."""

import numpy as np
import pytest

from sevenfold.analysis.ancova import Ancova, Contrast, Scale
from sevenfold.analysis.batch.ancova import ancova_batch
from sevenfold.analysis.batch.ending import CODE, EffectBatch, TestBatch, tally
from sevenfold.analysis.batch.exact_test import exact_test_batch
from sevenfold.analysis.batch.log_rank import log_rank_batch
from sevenfold.analysis.batch.responders import ShareBatch, difference_batch
from sevenfold.analysis.batch.tables import MissingResponse, TableBatch, counted
from sevenfold.analysis.effect import Status
from sevenfold.analysis.two_binomials import Table
from sevenfold.errors import InvalidInput

OK, FAILED = CODE[Status.OK], CODE[Status.BOUNDARY]
STATUS = np.array([OK, FAILED], dtype=np.int8)
TWO = Ancova(arms=("a", "b"), contrasts=(Contrast(name="a - b", weights={"a": 1.0, "b": -1.0}),))


@pytest.mark.parametrize("wrong", [[1.0, 1.0], [np.nan, np.nan]])
def test_numbers_stand_where_the_status_is_ok_and_nowhere_else(wrong: list[float]) -> None:
    """So that neither can be read for the other."""
    right, other = np.array([1.0, np.nan]), np.array(wrong)
    EffectBatch(contrast="x", status=STATUS.copy(), estimate=right.copy(), se=right.copy(), df=right.copy())
    with pytest.raises(InvalidInput, match="ended well"):
        EffectBatch(contrast="x", status=STATUS.copy(), estimate=right.copy(), se=other, df=right.copy())
    with pytest.raises(InvalidInput, match="ended well"):
        TestBatch(
            name="x",
            status=STATUS.copy(),
            statistic=right.copy(),
            p_value=other.copy(),
            df=right.copy(),
            df_denominator=right.copy(),
        )
    with pytest.raises(InvalidInput, match="ended well"):
        ShareBatch(method="x", status=STATUS.copy(), estimate=right.copy(), lower=other.copy(), upper=right.copy())


def test_answers_cannot_be_written_to() -> None:
    """Nothing is edited in place."""
    one = EffectBatch(
        contrast="x", status=STATUS.copy(), estimate=np.array([1.0, np.nan]), se=np.array([1.0, np.nan]),
        df=np.array([np.inf, np.nan]),
    )  # fmt: skip
    with pytest.raises(ValueError, match="read-only"):
        one.estimate[0] = 2.0


def test_endings_are_counted_by_name() -> None:
    """Only those that occurred."""
    assert tally(np.array([FAILED, OK, FAILED], dtype=np.int8)) == {Status.OK: 1, Status.BOUNDARY: 2}


def test_somebody_without_a_response_is_left_out_or_counts_as_none() -> None:
    """Four patients of arm a, of whom one responded, one did not and two are not known."""
    response = np.array([[1.0, 0.0, np.nan, np.nan, 1.0, 0.0, 1.0]])
    arm = np.array([[1, 1, 1, 1, 0, 0, -1]])
    out, none = (counted(response, arm, missing).of(0) for missing in MissingResponse)
    assert out == Table(events_a=1, n_a=2, events_b=1, n_b=2)
    assert none == Table(events_a=1, n_a=4, events_b=1, n_b=2)


def test_an_empty_arm_is_a_status() -> None:
    """Nobody of arm b was seen in the second trial."""
    tables = counted(np.array([[1.0, 0.0], [1.0, np.nan]]), np.array([[1, 0], [1, 0]]))
    for found in (exact_test_batch(tables), difference_batch(tables)):
        assert found.n_by_status == {Status.OK: 1, Status.NOT_ESTIMABLE: 1}


def test_a_batch_without_an_answer_is_none_too() -> None:
    """All arms empty, no event, no patient: statuses only, no warning."""
    tables = counted(np.full((3, 4), np.nan), np.zeros((3, 4), dtype=int))
    assert exact_test_batch(tables).n_by_status == {Status.NOT_ESTIMABLE: 3}
    nothing = log_rank_batch(np.ones((3, 4)), np.zeros((3, 4), dtype=bool), np.tile([0, 1, 0, 1], (3, 1)))
    assert nothing.test.n_by_status == {Status.NOT_ESTIMABLE: 3}
    few = ancova_batch(TWO, np.ones((2, 2)), np.array([[0, 1], [0, 1]]), covariates={"x": np.ones((2, 2))})
    assert few.effects[0].n_by_status == {Status.TOO_FEW: 2}


def test_wrong_arrays_are_refused_at_the_door() -> None:
    """Each message says what was found."""
    arm = np.array([[0, 1, 1]])
    with pytest.raises(InvalidInput, match="1 axes"):
        ancova_batch(TWO, np.ones(3), arm)
    with pytest.raises(InvalidInput, match="arm has the shape"):
        ancova_batch(TWO, np.ones((2, 3)), arm)
    with pytest.raises(InvalidInput, match="0 to 1"):
        ancova_batch(TWO, np.ones((1, 3)), arm + 1)
    with pytest.raises(InvalidInput, match="infinite"):
        ancova_batch(TWO, np.full((1, 3), np.inf), arm)
    log = Ancova(arms=TWO.arms, contrasts=TWO.contrasts, scale=Scale.LOG)
    with pytest.raises(InvalidInput, match="not positive in 1 trials"):
        ancova_batch(log, np.zeros((1, 3)), arm)
    with pytest.raises(InvalidInput, match="only 0, 1"):
        counted(np.full((1, 3), 2.0), arm)
    with pytest.raises(InvalidInput, match="negative"):
        log_rank_batch(-np.ones((1, 3)), arm > 0, arm)
    with pytest.raises(InvalidInput, match="only one group"):
        log_rank_batch(np.ones((1, 3)), arm > 0, 0 * arm)
    one, none = np.array([1]), np.array([0])
    with pytest.raises(InvalidInput, match="events_a must lie"):
        TableBatch(events_a=one, n_a=none, events_b=none.copy(), n_b=one.copy())
    with pytest.raises(InvalidInput, match="different lengths"):
        TableBatch(events_a=one.copy(), n_a=np.array([1, 1]), events_b=none.copy(), n_b=one.copy())
