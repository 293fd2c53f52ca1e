"""Progress within a stage: shown when it has taken long, and never in the way of what is short or quiet."""

import pytest

from sevenfold.cli import progress
from sevenfold.cli.progress import Stages


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "monotonic", made)
    return made


def test_long_work_tells_a_line_every_ten_seconds_where_there_is_no_terminal(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """A thousand refits are not a thousand lines."""
    with Stages(is_quiet=False) as stages:
        step = stages.late("Primary: imputing")
        for done in range(1, 1001):
            clock.now += 0.03125
            step(done, 1000)
    assert capsys.readouterr().err.splitlines() == [
        "Primary: imputing: 320 of 1000",
        "Primary: imputing: 640 of 1000",
        "Primary: imputing: 960 of 1000",
    ]


def test_short_work_and_quiet_work_tell_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    for is_quiet, seconds in ((False, 1.0), (True, 1000.0)):
        with Stages(is_quiet=is_quiet) as stages:
            step = stages.late("Primary: imputing")
            clock.now += seconds
            step(1, 2)
            step(2, 2)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_a_bar_appears_after_two_seconds_and_goes_when_done(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that takes two seconds shows how far it has come."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Stages(is_quiet=False) as stages:
        bars = stages._bars
        assert bars is not None
        step = stages.late("Primary: imputing")
        clock.now += 1.9
        step(1, 10)
        assert not bars.tasks
        clock.now += 0.2
        step(2, 10)
        (bar,) = bars.tasks
        assert (bar.completed, bar.total, bar.visible) == (2, 10, True)
        step(10, 10)
        assert not bar.visible
