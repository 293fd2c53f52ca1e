"""What the package ships of its calibration: whole, of this evidence, well mixed, and read or refused."""

import hashlib
import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from sevenfold.calibrate.check import check_posterior
from sevenfold.calibrate.digest import evidence_hash
from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.experiments import Use
from sevenfold.calibrate.posterior import Which, likelihood_of
from sevenfold.calibrate.priors import priors
from sevenfold.calibrate.shipped import (
    FILES,
    about_shipped,
    read_posterior,
    shipped_posterior,
    summaries,
    write_posterior,
)
from sevenfold.errors import InvalidInput

DATA = Path(str(files("sevenfold.calibrate").joinpath("data")))
BOTH: tuple[Which, Which] = ("held out", "all")


@pytest.mark.parametrize("which", BOTH)
def test_the_file_is_the_one_described(which: Which) -> None:
    assert hashlib.sha256((DATA / FILES[which]).read_bytes()).hexdigest() == about_shipped()[which]["sha256"]
    posterior = shipped_posterior(which)
    assert posterior.draws.shape == (about_shipped()[which]["n_draws"], len(priors()))
    assert len(posterior.draws) >= 300


def test_it_rests_on_the_evidence_that_is_shipped() -> None:
    assert about_shipped()["evidence_sha256"] == evidence_hash(evidence())


def test_posterior_a_never_saw_iris_7() -> None:
    held_out = {one.id for one in evidence().of(Use.HELD_OUT)}
    assert held_out
    assert not held_out & set(about_shipped()["held out"]["experiments"])
    assert held_out <= set(about_shipped()["all"]["experiments"])


@pytest.mark.parametrize("which", BOTH)
def test_chains_have_mixed(which: Which) -> None:
    """[vehtari2021]: R-hat below 1.01, at least 400 effective draws for every parameter."""
    for row in about_shipped()[which]["summaries"]:
        assert row["r_hat"] < 1.01, row["name"]
        assert row["ess_bulk"] > 400, row["name"]
        assert row["ess_tail"] > 400, row["name"]


@pytest.mark.parametrize("which", BOTH)
def test_the_log_likelihood_at_draws_is_found_again(which: Which) -> None:
    """Within 0.05: solver's tolerance and other processors, through the likelihood."""
    posterior = shipped_posterior(which)
    found = likelihood_of(which, evidence())(posterior.draws[:6])
    assert found == pytest.approx(posterior.log_likelihood[:6], abs=0.05)


def test_what_only_the_prior_knows_stays_as_the_prior_had_it() -> None:
    """In posterior A nothing was seen of how septic shock answers: its draws are the prior's, within four standard
    errors of a mean and a spread of 400 draws.
    """
    draws = shipped_posterior("held out").draws[:, [prior.name for prior in priors()].index("septic_response")]
    assert abs(draws.mean()) < 4 / np.sqrt(len(draws))
    assert abs(draws.std() - 1.0) < 4 / np.sqrt(2 * len(draws))


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path, dirs_exist_ok=True)
    path = tmp_path / FILES["all"]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InvalidInput, match="its SHA-256 differs"):
        read_posterior(tmp_path, "all")


def test_a_folder_without_a_posterior_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="`sevenfold calibrate` makes one"):
        read_posterior(tmp_path, "all")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    draws = np.round(np.random.default_rng(1).normal(size=(8, len(priors()))), 6)
    digest = write_posterior(tmp_path, "all", draws, np.arange(8.0))
    (tmp_path / "posterior.json").write_text(json.dumps({"all": {"sha256": digest}}))
    found = read_posterior(tmp_path, "all")
    assert np.array_equal(found.draws, draws)
    again = tmp_path / "again"
    again.mkdir()
    assert write_posterior(again, "all", draws, np.arange(8.0)) == digest


def test_summaries_are_in_the_parameter_s_unit() -> None:
    z = np.random.default_rng(2).normal(size=(20_000, len(priors())))
    for prior, row in zip(priors(), summaries(z), strict=True):
        assert row["median"] == pytest.approx(prior.median, rel=0.03 * max(prior.sd, 0.5))
        assert row["contraction"] == pytest.approx(0.0, abs=0.05)


@pytest.mark.slow
def test_the_shipped_posterior_is_reproduced() -> None:
    """`sevenfold calibrate --check`."""
    findings = check_posterior(DATA, about_shipped(), evidence(), threads=2)
    assert all(one.is_well for one in findings), [one for one in findings if not one.is_well]
