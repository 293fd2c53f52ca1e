"""Simulation-based calibration: ranks of the truth among posterior draws are uniform."""

import numpy as np
import pytest

from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.sbc import Ranks, rank_check


def test_uniform_ranks_are_well_and_a_narrow_posterior_s_are_not() -> None:
    rng = np.random.default_rng(1)
    uniform = Ranks(ranks=rng.integers(0, 100, (400, 5)), unexplained=0.0)
    assert uniform.is_well
    edges = np.where(rng.random((400, 5)) < 0.3, 0, rng.integers(0, 100, (400, 5)))
    assert not Ranks(ranks=edges, unexplained=0.0).is_well
    narrow = np.clip(50 + 1.25 * (rng.integers(0, 100, (400, 5)) - 50), 0, 99).astype(np.int64)
    assert not Ranks(ranks=narrow, unexplained=0.0).is_well
    assert not Ranks(ranks=np.minimum(rng.integers(0, 100, (400, 5)) + 6, 99), unexplained=0.0).is_well
    assert any("uniform" in line for line in uniform.lines())


@pytest.mark.slow
def test_the_method_is_calibrated_on_synthetic_evidence() -> None:
    """120 data sets; chi-square by parameter, Bonferroni at 1 %."""
    found = rank_check(evidence(), 120, root=4, threads=2)
    assert found.is_well, found.lines()
