"""Virtual patients: evenly spread, the same for every particle, told apart by population and product."""

import numpy as np
import pytest

from sevenfold.calibrate.patients import evenly_spread, patient_parameters, typical_of
from sevenfold.calibrate.populations import populations, products
from sevenfold.calibrate.priors import physical, priors
from sevenfold.mechanism.il7 import il7_page

MEDIANS = physical(np.zeros((1, len(priors()))))
SEPTIC, HEALTHY = populations()["septic_shock"], populations()["healthy"]


def test_effects_have_mean_0_and_variance_1_and_are_the_same_numbers_in_another_order() -> None:
    one, other = evenly_spread("a", 24), evenly_spread("b", 24)
    assert one.mean() == pytest.approx(0.0, abs=1e-14)
    assert one.var() == pytest.approx(1.0, rel=1e-14)
    assert np.array_equal(np.sort(one), np.sort(other))
    assert not np.array_equal(one, other)


def test_patients_are_the_same_whatever_the_particle() -> None:
    """Logarithms over the typical value do not depend on the typical value."""
    z = np.stack([np.zeros(len(priors())), np.full(len(priors()), 0.1)])
    drawn = patient_parameters(SEPTIC, products()["cyt107"], physical(z))
    logs = np.log(drawn["clearance_l_per_day"])
    assert logs[0] - logs[0].mean() == pytest.approx(logs[1] - logs[1].mean(), abs=1e-12)


def test_a_share_that_arrives_stays_a_share() -> None:
    z = np.full((1, len(priors())), 3.0)
    drawn = patient_parameters(HEALTHY, products()["efineptakin"], physical(z))
    assert drawn["bioavailable_fraction"].max() <= 0.95


def test_health_is_without_sepsis_and_bridges_multiply() -> None:
    given = {**MEDIANS, "fc_clearance": np.array([0.5]), "fc_absorption": np.array([0.25])}
    plain = typical_of(HEALTHY, products()["cyt107"], given)
    fused = typical_of(HEALTHY, products()["efineptakin"], given)
    assert plain["inflammation_at_entry"] == [0.0]
    assert fused["clearance_l_per_day"] == pytest.approx(0.5 * plain["clearance_l_per_day"])
    assert fused["absorbed_per_day"] == pytest.approx(0.25 * plain["absorbed_per_day"])


def test_survivors_and_dead_together_have_everybody_s_decay() -> None:
    """The geometric mean over their shares, 0.773 and 0.227 (drewry2014: 76 of 335 died)."""
    given = {**MEDIANS, "nonsurvivor_over_survivor_decay": np.array([4.0])}
    tau = {
        name: typical_of(populations()[name], None, given)["inflammation_decay_day"][0]
        for name in ("septic_survivors", "septic_nonsurvivors", "septic_shock")
    }
    assert tau["septic_nonsurvivors"] / tau["septic_survivors"] == pytest.approx(4.0)
    together = tau["septic_survivors"] ** 0.773 * tau["septic_nonsurvivors"] ** 0.227
    assert together == pytest.approx(tau["septic_shock"])


def test_severity_binds_pool_hiding_and_duration_as_the_virtual_icu_has_it() -> None:
    """Correlations -0.7·0.7 and 0.7·0.6 in the limit; of 24 patients within 3/√24."""
    drawn = patient_parameters(SEPTIC, None, MEDIANS)
    pool, hidden, tau = (
        np.log(drawn[name][0]) for name in ("pool_at_entry_fraction", "sequestration", "inflammation_decay_day")
    )
    assert np.corrcoef(pool, hidden)[0, 1] == pytest.approx(-0.49, abs=3 / np.sqrt(24))
    assert np.corrcoef(hidden, tau)[0, 1] == pytest.approx(0.42, abs=3 / np.sqrt(24))


def test_every_name_is_one_of_the_page() -> None:
    for population in populations().values():
        assert set(patient_parameters(population, None, MEDIANS)) <= set(il7_page().typical), population.name
