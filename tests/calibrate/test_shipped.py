"""What the package ships of its calibration: whole, of this evidence, well mixed, and read or refused."""

import hashlib
import json
import shutil
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sevenfold.calibrate.check import check_posterior, compare_predictions
from sevenfold.calibrate.digest import equations_hash, evidence_hash, model_hash
from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.experiments import Use
from sevenfold.calibrate.posterior import Which, likelihood_of
from sevenfold.calibrate.priors import priors
from sevenfold.calibrate.published import Lies, PublishedPrediction
from sevenfold.calibrate.shipped import (
    FILES,
    about_shipped,
    read_posterior,
    shipped_posterior,
    summaries,
    write_posterior,
)
from sevenfold.errors import InvalidInput
from sevenfold.mechanism.il7 import il7_page

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


def test_it_rests_on_the_model_as_it_is() -> None:
    """A changed equation, another number of virtual patients or another tolerance is another posterior."""
    assert about_shipped()["model_sha256"] == model_hash(), (
        "the IL-7 page's equations, or how they become statistics, are not those of the shipped posterior: "
        "run `sevenfold calibrate` and ship what it makes"
    )


def test_a_changed_equation_is_another_model_and_a_renamed_term_is_not() -> None:
    page = il7_page()
    faster = replace(
        page, rates=lambda t, y, p: {**page.rates(t, y, p), "depot_ug": -2.0 * p.absorbed_per_day * y.depot_ug}
    )
    assert equations_hash(faster) != equations_hash(page)
    assert equations_hash(replace(page, entries=page.entries[:1])) != equations_hash(page)
    assert equations_hash(replace(page, name="other", title="other words")) == equations_hash(page)


def predicted(**changed: object) -> PublishedPrediction:
    given: dict[str, object] = {
        "figure": "f", "use": "fit", "reading": "r", "published": (3.0, 4.0), "median": 3.0, "lower": 2.0, "upper": 4.0,
        "study_lower": 1.0, "study_upper": 5.0, "chance": 0.5, "lies": Lies.INSIDE,
    }  # fmt: skip
    return PublishedPrediction(**{**given, **changed})  # type: ignore[arg-type]


STATED = {**asdict(predicted()), "lies": "inside"}


@pytest.mark.parametrize(
    ("made", "stated", "is_well"),
    [
        (predicted(), STATED, True),
        (predicted(median=3.02), STATED, True),
        (predicted(median=3.04), STATED, False),
        (predicted(median=np.nan), STATED, False),
        (predicted(upper=np.inf), {**STATED, "upper": None}, True),
        (predicted(), {**STATED, "upper": None}, False),
        (predicted(chance=0.52), STATED, False),
        (predicted(chance=None), STATED, False),
        (predicted(chance=np.nan), STATED, False),
        (predicted(chance=None), {**STATED, "chance": None}, True),
        (predicted(lies=Lies.OUTSIDE), STATED, False),
        (predicted(figure="g"), STATED, False),
    ],
)
def test_a_prediction_is_held_against_every_thing_that_is_stated(
    made: PublishedPrediction, stated: dict[str, Any], is_well: bool
) -> None:
    """A NaN is found wanting: max(worst, NaN) would pass it over."""
    assert compare_predictions("p", [made], [stated]).is_well is is_well


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
