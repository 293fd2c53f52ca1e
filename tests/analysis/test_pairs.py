"""Quantiles and limits among differences that are never written out, against all of them written out."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.analysis.answer import Alternative
from sevenfold.analysis.column import Flags, Labels, Numbers
from sevenfold.analysis.pairs import ALIKE, Pairs
from sevenfold.analysis.rank_sum import hodges_lehmann, van_elteren

Trial = tuple[Numbers, Flags, Labels]


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    """Two to 14 patients in one to three strata; whole numbers, so that differences tie, or not."""
    n = draw(st.integers(2, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(-4, 5, n).astype(float) if draw(st.booleans()) else rng.lognormal(0.0, 3.0, n)
    strata = rng.integers(0, draw(st.integers(1, 3)), n).astype(str)
    active = rng.random(n) < 0.5
    active[:2] = True, False
    return values, active, strata


def written_out(trial: Trial) -> tuple[Numbers, Numbers]:
    """All differences, ascending, with their weights."""
    y, active, strata = trial
    found = [
        (float(y[i] - y[j]), 1.0 / ((strata == strata[i]).sum() + 1.0))
        for i in np.flatnonzero(active)
        for j in np.flatnonzero(~active)
        if strata[i] == strata[j]
    ]
    ordered = sorted(found)
    return np.array([d for d, _ in ordered]), np.array([w for _, w in ordered])


@settings(deadline=None)  # a machine that others share may take its time
@given(trial=trials())
def test_bounds_and_weights_are_those_of_all_differences(trial: Trial) -> None:
    pairs, (differences, weights) = Pairs.of(*trial), written_out(trial)
    assert len(pairs) == len(differences)
    if not len(differences):
        return
    assert (pairs.lowest, pairs.highest) == (differences[0], differences[-1])
    for bound in (*differences, *(0.5 * (differences[1:] + differences[:-1])), -1e9, 1e9):
        below, above = differences[differences <= bound], differences[differences > bound]
        assert pairs.around(bound) == (below.max(initial=-np.inf), above.min(initial=np.inf))
        assert pairs.weight_up_to(bound) == pytest.approx(weights[differences <= bound].sum(), rel=1e-12)


@settings(deadline=None)  # a machine that others share may take its time
@given(trial=trials())
def test_the_median_halves_the_weights(trial: Trial) -> None:
    """Two ways: running sums over all differences in order; the middle of the stretch where they are just one half."""
    differences, weights = written_out(trial)
    if not len(differences):
        return
    total = np.cumsum(weights)
    half, near = total[-1] / 2.0, ALIKE * total[-1]
    first, last = np.searchsorted(total, half - near, side="left"), np.searchsorted(total, half + near, side="right")
    assert Pairs.of(*trial).median() == 0.5 * (differences[first] + differences[last])


@settings(deadline=None)  # a machine that others share may take its time
@given(trial=trials())
def test_the_interval_is_what_the_test_keeps_of_all_stretches(trial: Trial) -> None:
    """Two ways: the test at a shift within every stretch between neighbouring differences, from end to end."""
    y, active, strata = trial
    steps = np.unique(written_out(trial)[0])
    found = hodges_lehmann(y, active, strata, level=0.6)
    if not len(steps):
        assert not found.fit.is_ok
        return
    within = np.concatenate(([steps[0] - 1.0], 0.5 * (steps[1:] + steps[:-1]), [steps[-1] + 1.0]))

    def kept(alternative: Alternative) -> Flags:
        tests = [van_elteren(y - float(at) * active, active, strata, alternative) for at in within]
        return np.array([not one.fit.is_ok or one.test.p_value > 0.2 for one in tests])

    low = int(np.flatnonzero(kept(Alternative.GREATER))[0])
    high = int(np.flatnonzero(kept(Alternative.LESS))[-1])
    assert found.interval.lower == (steps[low - 1] if low else -np.inf)
    assert found.interval.upper == (steps[high] if high < len(steps) else np.inf)


def test_a_large_trial_takes_no_room_for_its_pairs() -> None:
    """Four million differences would take 32 MB each time they are written out; an eighth of that is the bound."""
    rng = np.random.default_rng(2)
    n = 4000
    active = np.arange(n) % 2 == 0
    y = rng.normal(size=n) + 0.3 * active
    tracemalloc.start()
    found = hodges_lehmann(y, active)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * (n // 2) ** 2 / 8
    assert found.estimate == np.median(np.subtract.outer(y[active], y[~active]))
