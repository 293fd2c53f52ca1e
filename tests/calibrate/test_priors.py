"""Priors: monotone functions of a standard normal number, each with its source."""

import numpy as np
import pytest

from sevenfold.calibrate.priors import parse_priors, physical, priors
from sevenfold.errors import InvalidInput
from sevenfold.mechanism.il7 import il7_page
from sevenfold.provenance import Provenance

ENTRY = '[a]\nmedian = 0.5\nsd = 0.5\nshape = "log"\nunit = "L"\nstatus = "assumed"\nsource = "s"\ndiscards = false\n'


def test_standard_undoes_value_and_0_is_the_median() -> None:
    z = np.linspace(-3.0, 3.0, 13)
    for prior in priors():
        assert prior.standard(prior.value(z)) == pytest.approx(z, abs=1e-12)
        assert prior.value(np.zeros(1))[0] == pytest.approx(prior.median, rel=1e-14)
        assert np.all(np.diff(prior.value(z)) > 0)


def test_every_value_that_was_fitted_to_iris_7_is_discarded() -> None:
    """The page's calibrated values; V2 is extracellular fluid and keeps it, what sepsis sets is taken by name."""
    renamed = {
        "cd8_cycling_max_per_day": "cd8_over_cd4_cycling_max",
        "pool_at_entry_fraction": "septic_pool",
        "sequestration": "septic_sequestration",
        "inflammation_decay_day": "septic_inflammation_decay_day",
    }
    discarded = {prior.name for prior in priors() if prior.discards}
    fitted = {p.name for p in il7_page().parameters if p.status is Provenance.CALIBRATED} - {"peripheral_volume_l"}
    assert {renamed.get(name, name) for name in fitted} <= discarded


def test_no_prior_sits_on_the_value_that_it_discards() -> None:
    page = il7_page().typical
    for prior in priors():
        if prior.discards and prior.name in page:
            assert prior.median != pytest.approx(page[prior.name], rel=0.02), prior.name


def test_particles_become_parameters_by_name() -> None:
    given = physical(np.zeros((3, len(priors()))))
    assert {name: value.shape for name, value in given.items()} == {prior.name: (3,) for prior in priors()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ENTRY.replace("0.5", "-1.0", 1), "prior 'a'.*not possible"),
        (ENTRY.replace('"log"', '"cube"'), "shape must be"),
        (ENTRY.replace('shape = "log"', 'shape = "logit"').replace("median = 0.5", "median = 1.5"), "not possible"),
        (ENTRY.replace('unit = "L"\n', ""), "unit"),
        (ENTRY.replace("assumed", "sure"), "sure"),
        ("[a", "p.toml"),
    ],
)
def test_a_prior_that_cannot_be_is_refused_with_file_and_entry(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        parse_priors(text, "p.toml")
    assert str(error.value).startswith("p.toml")
