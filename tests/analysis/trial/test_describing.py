"""What describes a trial counts those of whom it is known, and no others."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from rehearsals import Rehearsed
from sevenfold.analysis.trial.describing import _point, describe
from sevenfold.analysis.trial.measures import _ratio
from sevenfold.protocol.load import load

IRIS_7 = load("iris-7").protocol


def test_a_geometric_mean_counts_only_what_it_can_take() -> None:
    """Of 0, 100, 400 it is that of 100 and 400, of two; one had a ratio to a baseline that is not 0."""
    values, before = np.array([0.0, 100.0, 400.0, np.nan]), np.array([200.0, 0.0, 200.0, 200.0])
    point = _point("alc", "drug", "day 29", 28.0, values, before, is_plain=False)
    assert (point.n, point.n_zero, point.n_fold) == (2, 1, 1)
    assert point.mean == pytest.approx(200.0)
    plain = _point("sofa", "drug", "day 29", 28.0, values, before, is_plain=True)
    assert (plain.n, plain.n_zero) == (3, 0)
    assert plain.mean == pytest.approx(500.0 / 3.0)


def test_the_interval_of_a_ratio_of_folds_has_the_degrees_of_freedom_of_its_pairs() -> None:
    """Welch's interval by scipy from the pairs of either group; values without a baseline add no precision."""
    rng = np.random.default_rng(2)
    before, after = rng.lognormal(6.0, 0.4, (2, 9)), rng.lognormal(6.5, 0.5, (2, 9))
    before[0, 4:], before[1, 6:] = np.nan, np.nan
    points = [
        _point("alc", group, "day 29", 28.0, after[i], before[i], is_plain=False)
        for i, group in enumerate(("cyt107", "placebo"))
    ]
    found = _ratio(points[0], points[1], "alc", IRIS_7)
    logs = [np.log(after[i] / before[i])[:n] for i, n in enumerate((4, 6))]
    welch = stats.ttest_ind(logs[0], logs[1], equal_var=False).confidence_interval(0.95)
    assert (found.lower, found.upper) == pytest.approx((np.exp(welch.low), np.exp(welch.high)), rel=1e-9)


def test_women_are_a_share_of_those_whose_sex_is_known(whole_trial: Rehearsed) -> None:
    cohort = whole_trial.cohort
    subjects = tuple(
        dataclasses.replace(one, sex="female" if i == 0 else "male" if i < 4 else "")
        for i, one in enumerate(cohort.subjects)
    )
    unsexed = dataclasses.replace(cohort, subjects=subjects)
    rows = dict(describe(unsexed, whole_trial.file.protocol, {}).baseline)
    assert rows["Women"]["all"] == "1 (25%) of 4 known"
