"""Fifty people at once: no place is given twice, no event is lost, nobody's step is mixed with another's."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from loaded import Loaded, load_a_trial


@pytest.fixture(params=["sqlite", "postgresql"])
def loaded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Loaded]:
    """A trial in each database, with fifty investigators at four sites."""
    found = request.param == "postgresql" and request.getfixturevalue("cluster").new()
    made = load_a_trial(tmp_path, 50, found or None, planned=1000)
    yield made
    made.end()


def test_fifty_people_randomise_and_write_at_once(loaded: Loaded) -> None:
    """Every acknowledged step is in the ledger once, and the numbers of a stratum follow one another."""
    loaded.start()
    loaded.work(n_events=3)
    until = time.monotonic() + 240
    while sum("Randomised" in what for _, what, *_ in loaded.answers()) < 50 and time.monotonic() < until:
        time.sleep(0.2)
    loaded.rest()
    loaded.kill()
    loaded.tidied()
    counts = loaded.check(is_at_rest=True)
    assert counts["randomised"] >= 50
    assert {status for status, *_ in loaded.answers()} <= {303, 422}
