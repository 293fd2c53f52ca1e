"""Null: where nothing differs between the arms, a test says that something does no more often than its level."""

import numpy as np
from scipy.stats import binom

from sevenfold.analysis.ancova import Ancova, Contrast, Scale
from sevenfold.analysis.exact_test import boschloo
from sevenfold.analysis.two_binomials import Table

LEVEL = 0.05
N_TRIALS = 1500


def test_ancova_on_logarithms_has_its_level_in_27_patients() -> None:
    """Log-normal counts that depend on baseline and not on the arm; the bound is 4 Monte Carlo standard errors."""
    rng = np.random.default_rng(2018)
    model = Ancova(
        arms=("placebo", "il7"), contrasts=(Contrast(name="c", weights={"il7": 1.0, "placebo": -1.0}),), scale=Scale.LOG
    )
    arm = np.repeat(["il7", "il7", "placebo"], 9)
    n_rejected = 0
    for _ in range(N_TRIALS):
        baseline = rng.normal(6.4, 0.4, 27)
        value = np.exp(0.6 * baseline + rng.normal(3.0, 0.5, 27))
        fit = model.fit(value, arm, covariates={"baseline": baseline})
        assert fit.fit.is_ok
        n_rejected += fit.effect("c").p_value <= LEVEL
    margin = 4.0 * np.sqrt(LEVEL * (1.0 - LEVEL) / N_TRIALS)
    assert abs(n_rejected / N_TRIALS - LEVEL) < margin


def test_boschloo_never_exceeds_its_level_whatever_the_share() -> None:
    """Every table of 18 and 9 patients, every nuisance share on a grid: no chance is drawn."""
    n_a, n_b = 18, 9
    rejects = np.array(
        [
            [boschloo(Table(events_a=a, n_a=n_a, events_b=b, n_b=n_b)).p_value <= LEVEL for b in range(n_b + 1)]
            for a in range(n_a + 1)
        ]
    )
    for share in np.linspace(0.01, 0.99, 99):
        chance = np.outer(binom.pmf(np.arange(n_a + 1), n_a, share), binom.pmf(np.arange(n_b + 1), n_b, share))
        assert float(chance[rejects].sum()) <= LEVEL + 1e-9
    assert rejects.any()
