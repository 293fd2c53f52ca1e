"""Win statistics against R's concordance, pairs counted one by one, and laws."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from sevenfold.analysis.column import Flags, Integers, Numbers
from sevenfold.analysis.effect import Status
from sevenfold.analysis.priority import Level, Survived, Valued, Wins, win_statistics
from sevenfold.errors import InvalidInput, NotConverged

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/analysis/analysis.json").read_text())["concordance"]


def test_win_odds_agree_with_the_concordance_of_r() -> None:
    """By survival 3.5-3, concordance(g ~ y): share of pairs won with half of the ties.

    Its variance divides by n where ours divides by n - 1 (6 patients per arm).
    """
    y = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])
    found = win_statistics([Valued.of(y)], np.arange(12) < 6)
    share = REFERENCE["share"]
    assert found.win_odds().estimate == pytest.approx(share / (1 - share), rel=1e-10)
    assert found.net_benefit.estimate == pytest.approx(2 * share - 1, rel=1e-10)
    assert found.net_benefit.se**2 * 5 / 6 == pytest.approx(4 * REFERENCE["var"], rel=1e-10)


def test_a_hierarchy_by_hand() -> None:
    """Active: dies on day 10; alive with 5. Control: dies on day 20; dies on day 5; alive with 4.

    The first loses to day 20, beats day 5, loses to the living; the second beats both dead and wins 5 against 4.
    """
    alive = Survived.of([10, 90, 20, 5, 90], [1, 0, 1, 1, 0])
    value = Valued.of([np.nan, 5.0, np.nan, np.nan, 4.0])
    active = np.array([1, 1, 0, 0, 0], dtype=bool)
    found = win_statistics([alive, value], active)
    assert (found.n_wins, found.n_losses, found.n_ties) == ((3, 1), (2, 0), 0)
    assert found.win_ratio().estimate == pytest.approx(2.0, rel=1e-12)
    with_margin = win_statistics([alive, Valued.of(value.values, margin=1.0)], active)
    assert (with_margin.n_wins, with_margin.n_ties) == ((3, 0), 1)
    assert with_margin.win_odds().estimate == pytest.approx(3.5 / 2.5, rel=1e-12)


def test_who_lived_longer_is_known_only_while_both_were_followed() -> None:
    """A death on day 30 loses to someone alive on day 30 or later, and says nothing of one lost on day 29."""
    for day, is_dead, verdict in ((30, 0, 1), (29, 0, 0), (31, 0, 1), (30, 1, 0), (31, 1, 1), (29, 1, -1)):
        level = Survived.of([day, 30], [is_dead, 1])
        assert level.verdicts(np.array([True, False]), np.array([False, True])).item() == verdict


def slow(time: Numbers, dead: Flags, value: Numbers, active: Flags) -> tuple[int, int, int]:
    wins = losses = ties = 0
    for i in np.flatnonzero(active):
        for j in np.flatnonzero(~active):
            if dead[j] and (time[i] > time[j] or (time[i] == time[j] and not dead[i])):
                wins += 1
            elif dead[i] and (time[j] > time[i] or (time[i] == time[j] and not dead[j])):
                losses += 1
            elif value[i] > value[j] + 0.5:
                wins += 1
            elif value[j] > value[i] + 0.5:
                losses += 1
            else:
                ties += 1
    return wins, losses, ties


def drawn(seed: int, n: int = 24) -> tuple[Numbers, Flags, Numbers, Flags]:
    rng = default_rng(seed)
    time = rng.integers(1, 30, n).astype(float)
    return time, rng.random(n) < 0.4, rng.integers(0, 6, n).astype(float), rng.permutation(n) < n // 2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_pairs_are_counted_as_one_would(seed: int) -> None:
    """Two ways."""
    time, dead, value, active = drawn(seed)
    found = win_statistics([Survived.of(time, dead), Valued.of(value, margin=0.5)], active)
    assert (sum(found.n_wins), sum(found.n_losses), found.n_ties) == slow(time, dead, value, active)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
def test_laws(seed: int, scale: float) -> None:
    """Swapping arms inverts the ratios, scaling times and values changes nothing, nor does the order of patients."""
    time, dead, value, active = drawn(seed)
    strata = np.arange(24) % 2
    order = default_rng(seed).permutation(24)

    def stats(t: Numbers, d: Flags, v: Numbers, a: Flags, s: Integers, margin: float = 0.5) -> Wins:
        return win_statistics([Survived.of(t, d), Valued.of(v, margin=margin)], a, s)

    found = stats(time, dead, value, active, strata)
    if found.fit.status is Status.TOO_FEW:
        with pytest.raises(NotConverged):
            _ = found.net_benefit
        return
    swapped = stats(time, dead, value, ~active, strata)
    assert swapped.net_benefit.estimate == pytest.approx(-found.net_benefit.estimate, abs=1e-12)
    assert swapped.net_benefit.se == pytest.approx(found.net_benefit.se, rel=1e-9)
    reordered = stats(time[order], dead[order], value[order], active[order], strata[order])
    assert reordered.net_benefit.se == pytest.approx(found.net_benefit.se, rel=1e-9)
    scaled = stats(scale * time, dead, scale * (value - 0.25), active, strata, margin=0.5 * scale * (1 + 1e-9))
    assert scaled.n_ties == found.n_ties
    if found.fit.is_ok:
        assert swapped.win_ratio().estimate == pytest.approx(1 / found.win_ratio().estimate, rel=1e-9)
        assert swapped.win_ratio().interval.lower == pytest.approx(1 / found.win_ratio().interval.upper, rel=1e-9)


def test_one_stratum_is_none_and_strata_are_weighed_by_their_size() -> None:
    """Dong: Σ wins/N over Σ losses/N."""
    time, dead, value, active = drawn(1)
    levels: list[Level] = [Survived.of(time, dead), Valued.of(value)]
    assert win_statistics(levels, active, np.ones(24)) == win_statistics(levels, active)
    strata = np.where(np.arange(24) < 9, "small", "large")
    wins = losses = 0.0
    for s in ("small", "large"):
        inside = strata == s
        part = win_statistics([Survived.of(time[inside], dead[inside]), Valued.of(value[inside])], active[inside])
        wins += sum(part.n_wins) / inside.sum()
        losses += sum(part.n_losses) / inside.sum()
    assert win_statistics(levels, active, strata).win_ratio().estimate == pytest.approx(wins / losses, rel=1e-12)


def test_the_standard_error_agrees_with_repeated_trials() -> None:
    """Recovery: the spread of 600 log win ratios against their mean standard error, five Monte Carlo errors."""
    rng, estimates, errors = default_rng(2), [], []
    for _ in range(600):
        active = np.arange(80) < 40
        time = rng.exponential(60 + 30 * active)
        levels: list[Level] = [Survived.of(np.minimum(time, 40), time < 40), Valued.of(rng.normal(size=80), margin=0.2)]
        effect = win_statistics(levels, active).log_win_ratio
        assert effect is not None
        estimates.append(effect.estimate)
        errors.append(effect.se)
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=5 / np.sqrt(2 * 600))


def test_what_the_pairs_cannot_say_is_a_status() -> None:
    """All pairs won, or too few patients."""
    won = win_statistics([Valued.of([3.0, 4.0, 1.0, 2.0])], [1, 1, 0, 0])
    assert won.fit.status is Status.SEPARATED
    with pytest.raises(NotConverged, match="won no pair"):
        won.win_ratio()
    assert win_statistics([Valued.of([3.0, 4.0, 1.0])], [1, 1, 0]).fit.status is Status.TOO_FEW
    with pytest.raises(InvalidInput, match="Level 2 has 2 patients"):
        win_statistics([Valued.of([1.0, 2.0, 3.0]), Valued.of([1.0, 2.0])], [1, 0, 0])
    with pytest.raises(InvalidInput, match="margin"):
        Valued.of([1.0], margin=-1.0)
