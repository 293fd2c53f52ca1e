"""Bang's index against published trials, its closed form and its laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.analysis.guess import CORRECT_WRONG_UNSURE, FIVE_ANSWERS, bang
from sevenfold.errors import InvalidInput

counts = st.integers(0, 200)


@pytest.mark.parametrize(
    ("correct", "wrong", "unsure", "index"),
    [(82, 25, 170, 0.21), (29, 27, 83, 0.01)],
)
def test_crisp_trial(correct: int, wrong: int, unsure: int, index: float) -> None:
    """Bang, Ni and Davis 2004, table 7 (CRISP), counts as in the manual of the R package BI."""
    found = bang({"correct": correct, "wrong": wrong, "unsure": unsure}, "treatment")
    assert round(found.estimate, 2) == index


def test_variance_is_that_of_a_difference_of_multinomial_shares() -> None:
    """Closed form: {p_1(1 - p_1) + p_2(1 - p_2) + 2 p_1 p_2}/n for correct and wrong."""
    found = bang({"correct": 82, "wrong": 25, "unsure": 170}, "treatment")
    p, q = 82 / 277, 25 / 277
    assert found.se == pytest.approx(np.sqrt((p * (1 - p) + q * (1 - q) + 2 * p * q) / 277), rel=1e-12)
    assert found.interval.upper == pytest.approx(found.estimate + 1.959963984540054 * found.se, rel=1e-12)


def test_five_answers_weigh_the_hesitant_by_half() -> None:
    """(10 + 4/2 - 2/2 - 1)/20."""
    answers = {"strongly correct": 10, "somewhat correct": 4, "somewhat wrong": 2, "strongly wrong": 1, "unsure": 3}
    assert bang(answers, "a", weights=FIVE_ANSWERS).estimate == pytest.approx(0.5, rel=1e-14)


@given(correct=counts, wrong=counts, unsure=counts)
def test_exchanging_right_and_wrong_changes_the_sign(correct: int, wrong: int, unsure: int) -> None:
    """And everything stays in -1..1."""
    if correct + wrong + unsure == 0:
        with pytest.raises(InvalidInput, match="Nobody"):
            bang({"correct": 0}, "a")
        return
    found = bang({"correct": correct, "wrong": wrong, "unsure": unsure}, "a")
    mirrored = bang({"correct": wrong, "wrong": correct, "unsure": unsure}, "a")
    assert mirrored.estimate == -found.estimate
    assert mirrored.interval.lower == pytest.approx(-found.interval.upper, abs=1e-15)
    assert -1 <= found.interval.lower <= found.estimate <= found.interval.upper <= 1


def test_an_answer_without_a_weight_is_refused() -> None:
    """The message lists the answers there are."""
    with pytest.raises(InvalidInput, match="correct, wrong, unsure"):
        bang({"maybe": 3}, "a")
    with pytest.raises(InvalidInput, match=r"outside -1\.\.1"):
        bang({"correct": 3}, "a", weights={**CORRECT_WRONG_UNSURE, "correct": 2.0})
