"""Study days and times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.protocol.visit import study_day, time_day


@given(day=st.integers(-30, 3650).filter(bool), share=st.floats(0.0, 0.999))
def test_a_time_within_a_day_is_that_day(day: int, share: float) -> None:
    assert study_day(time_day(day) + share) == day


def test_day_1_is_time_0_and_there_is_no_day_0() -> None:
    assert time_day(1) == 0.0
    assert time_day(-1) == -1.0
    assert study_day(28.2) == 29
    with pytest.raises(ValueError, match="no study day 0"):
        time_day(0)
