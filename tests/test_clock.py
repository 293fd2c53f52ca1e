"""Clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from sevenfold.clock import SimulatedClock, SystemClock
from sevenfold.errors import InvalidInput


def test_a_simulated_clock_never_runs_backwards() -> None:
    clock = SimulatedClock(datetime(2016, 1, 14, 7, tzinfo=UTC))
    clock.move_to(clock.now() + timedelta(hours=1))
    with pytest.raises(InvalidInput, match="cannot go back"):
        clock.move_to(datetime(2016, 1, 14, 7, tzinfo=UTC))


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
