"""Virtual patients' parameters."""

import numpy as np
import pytest

from sevenfold.mechanism.il7 import il7_page
from sevenfold.population.sampling import CORRELATED, draw_parameters

N = 20_000
DRAWN = draw_parameters(il7_page(), 7, subject=np.arange(N))


def test_logarithms_have_the_stated_spread() -> None:
    """Standard error of a standard deviation: sd/sqrt(2n); four of them. Bioavailability is cut at 0.95: at 4 sd, no
    matter.
    """
    for parameter in il7_page().parameters:
        if parameter.cv > 0:
            logs = np.log(DRAWN[parameter.name] / parameter.value)
            assert logs.std() == pytest.approx(parameter.cv, abs=4 * parameter.cv / np.sqrt(2 * N)), parameter.name
            assert logs.mean() == pytest.approx(0.0, abs=4 * parameter.cv / np.sqrt(N)), parameter.name


def test_only_the_stated_pairs_are_correlated() -> None:
    """Standard error of a correlation near 0: 1/sqrt(n); of r: (1 - r²)/sqrt(n)."""
    names = sorted(DRAWN)
    logs = np.log(np.stack([DRAWN[name] for name in names]))
    found = np.corrcoef(logs)
    stated = {frozenset(pair[:2]): pair[2] for pair in CORRELATED}
    for i, a in enumerate(names):
        for j in range(i):
            expected = stated.get(frozenset((a, names[j])), 0.0)
            assert found[i, j] == pytest.approx(expected, abs=5 / np.sqrt(N)), (a, names[j])


def test_one_patient_more_changes_nobody_else() -> None:
    fewer = draw_parameters(il7_page(), 7, subject=np.arange(10))
    for name, values in fewer.items():
        assert np.array_equal(values, DRAWN[name][:10])
