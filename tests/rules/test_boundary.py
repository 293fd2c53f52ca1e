"""The stopping boundary: against the binomial, against simulation, and against orders counted one by one."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from sevenfold.errors import InvalidDesign, InvalidInput
from sevenfold.rules.boundary import Boundary, boundary_for, replayed

PLAIN = boundary_for(background=0.1, tolerable=0.25, n_subjects=40)


def test_three_of_fifteen_happen_by_chance_in_18_percent() -> None:
    """The figure that the page gives as the reason: one look after fifteen, three events, background of 10 %."""
    one_look = Boundary(background=0.1, tolerable=0.25, certainty=0.5, prior=(0.1, 0.9), events=(*range(2, 16), 3))
    assert one_look.at_rate(0.1).stops == pytest.approx(binom.sf(2, 15, 0.1), abs=1e-12)
    assert one_look.at_rate(0.1).stops == pytest.approx(0.184, abs=5e-4)


@given(background=st.floats(0.02, 0.4), more=st.floats(0.02, 0.4), n=st.integers(5, 60), wrongly=st.floats(0.05, 0.3))
@settings(max_examples=40, deadline=None)
def test_a_trial_at_the_background_rate_is_stopped_as_rarely_as_was_asked(
    background: float, more: float, n: int, wrongly: float
) -> None:
    """Over every look, exactly; and the boundary is the posterior's, at each look."""
    try:
        found = boundary_for(background=background, tolerable=background + more, n_subjects=n, wrongly=wrongly)
    except InvalidDesign:
        return
    assert found.at_rate(background).stops <= wrongly + 1e-12
    a, b = found.prior
    for look, events in enumerate(found.events, start=1):
        if look >= 3 and events <= look:
            assert beta.sf(background, a + events, b + look - events) >= found.certainty - 1e-9
            assert beta.sf(background, a + events - 1, b + look - events + 1) < found.certainty + 1e-9


def test_it_stops_more_often_and_sooner_the_higher_the_rate() -> None:
    """Monotone in the rate."""
    does = [PLAIN.at_rate(rate) for rate in (0.02, 0.1, 0.2, 0.3, 0.5)]
    assert all(a.stops < b.stops and a.mean_n > b.mean_n for a, b in pairwise(does))


def test_what_it_does_is_what_simulated_trials_do() -> None:
    """40,000 trials at 20 %: within four standard errors of the exact chance and mean."""
    rng = np.random.default_rng(3)
    events = np.cumsum(rng.random((40_000, 40)) < 0.2, axis=1)
    reached = events >= np.array(PLAIN.events)
    stops, seen = reached.any(axis=1), np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 40)
    exact = PLAIN.at_rate(0.2)
    assert stops.mean() == pytest.approx(exact.stops, abs=4 * np.sqrt(0.25 / 40_000))
    assert seen.mean() == pytest.approx(exact.mean_n, abs=4 * seen.std() / 200)


def test_a_replay_counts_every_order() -> None:
    """IRIS-7C: 3 of 15; each of the 455 orders is walked."""
    stopped = []
    for places in combinations(range(15), 3):
        so_far = np.cumsum(np.isin(np.arange(15), places))
        stopped.append(next((n for n, x in enumerate(so_far, start=1) if PLAIN.is_reached(int(x), n)), None))
    found = replayed(PLAIN, 3, 15)
    assert found.share == pytest.approx(sum(n is not None for n in stopped) / len(stopped), abs=1e-12)
    assert found.earliest == min(n for n in stopped if n is not None)
    assert found.latest is None


def test_what_cannot_be_a_boundary_is_refused() -> None:
    """With what would be right."""
    with pytest.raises(InvalidDesign, match="below the tolerable rate"):
        boundary_for(background=0.3, tolerable=0.2, n_subjects=20)
    with pytest.raises(InvalidInput, match="can't be replayed"):
        replayed(PLAIN, 16, 15)
