"""A calibration from evidence to chains: stopped and carried on, and held against what it was begun with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sevenfold.calibrate import digest
from sevenfold.calibrate.checkpoint import read_checkpoint, write_checkpoint
from sevenfold.calibrate.evidence_file import evidence
from sevenfold.calibrate.experiments import Evidence
from sevenfold.calibrate.posterior import CalibrationSettings, Sampled, sample_posterior
from sevenfold.calibrate.regenerate import regenerate
from sevenfold.calibrate.shipped import FILES
from sevenfold.errors import InvalidInput

SMALL = CalibrationSettings(n_runs=2, n_chains=6, n_first=40, n_new=20, n_rounds=2, n_sweeps=3)


def few() -> Evidence:
    """The natural history's first figures: no doses, a few days."""
    ours = evidence()
    return replace(ours, experiments=tuple(one for one in ours.experiments if one.id.startswith("drewry_alc_surv")))


def sampled(folder: Path, *, stop_after: int | None = None, resume: bool = False, root: int = 1) -> Sampled:
    calls = iter(range(1000))
    return sample_posterior(
        "held out", few(), replace(SMALL, root=root), checkpoint=folder / "c.npz", resume=resume,
        is_interrupted=lambda: next(calls) == stop_after,
    )  # fmt: skip


@pytest.mark.parametrize("stop_after", [1, 3])
def test_interrupted_and_resumed_is_uninterrupted_bit_for_bit(tmp_path: Path, stop_after: int) -> None:
    """Stopped while the emulator is taught, and while chains run."""
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole = sampled(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        sampled(tmp_path / "cut", stop_after=stop_after)
    carried_on = sampled(tmp_path / "cut", resume=True)
    assert np.array_equal(whole.chains.kept, carried_on.chains.kept)
    assert np.array_equal(whole.chains.kept_logs, carried_on.chains.kept_logs)
    assert whole.n_evaluations == carried_on.n_evaluations == 60 + 12 * 4


def test_another_seed_is_another_calibration(tmp_path: Path) -> None:
    one = sampled(tmp_path)
    with pytest.raises(InvalidInput, match="of another calibration \\(root was 1, is 2\\); begin anew with --force"):
        sampled(tmp_path, resume=True, root=2)
    assert not np.array_equal(one.chains.kept, sampled(tmp_path, root=2).chains.kept)


@pytest.mark.parametrize(
    ("name", "value"), [("N_PATIENTS", 25), ("ASSAY_LOG_SD", {"alc": 0.2}), ("TOLERANCE", 1e-6), ("RISE_FROM_DAY", 8.0)]
)
def test_what_was_begun_with_another_model_is_not_carried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """Half of the points would be of one likelihood and half of another."""
    with pytest.raises(KeyboardInterrupt):
        sampled(tmp_path, stop_after=1)
    monkeypatch.setattr(digest, name, value)
    with pytest.raises(InvalidInput, match=r"of another calibration \(model was"):
        sampled(tmp_path, resume=True)


def test_fewer_sweeps_than_were_made_are_refused(tmp_path: Path) -> None:
    sampled(tmp_path)
    with pytest.raises(InvalidInput, match=r"has 3 sweeps already, 2 are asked for; .*--sweeps 3"):
        sample_posterior("held out", few(), replace(SMALL, n_sweeps=2), checkpoint=tmp_path / "c.npz", resume=True)


def test_both_posteriors_are_carried_on_for_longer_as_if_they_had_been_begun_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B's first points are of A's first sweeps, so that more of A leaves them as they were."""
    monkeypatch.setattr("sevenfold.calibrate.regenerate._FIRST_SWEEPS", 2)
    long, cut = tmp_path / "long", tmp_path / "cut"
    for folder in (long, cut):
        folder.mkdir()
    regenerate(few(), long, replace(SMALL, n_sweeps=8))
    regenerate(few(), cut, replace(SMALL, n_sweeps=4))
    regenerate(few(), cut, replace(SMALL, n_sweeps=8), resume=True)
    for name in FILES.values():
        assert (long / name).read_bytes() == (cut / name).read_bytes()


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.npz").write_bytes(b"not a checkpoint")
    with pytest.raises(InvalidInput, match="no checkpoint of a calibration"):
        sampled(tmp_path, resume=True)


def test_a_checkpoint_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the one before, and nothing beside it."""
    path = tmp_path / "c.npz"
    write_checkpoint(path, {"a": np.arange(3.0)}, {"x": 1})

    def fails(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fails)
    with pytest.raises(OSError, match="disk full"):
        write_checkpoint(path, {"a": np.zeros(3)}, {"x": 1})
    assert read_checkpoint(path, {"x": 1})["a"] == pytest.approx([0.0, 1.0, 2.0])
    assert [item.name for item in tmp_path.iterdir()] == ["c.npz"]
