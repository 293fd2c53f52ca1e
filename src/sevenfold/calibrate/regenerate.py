"""Everything that the package ships of the calibration, made again from the evidence."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.calibrate.diagnose import diagnose
from sevenfold.calibrate.digest import evidence_hash, model_hash
from sevenfold.calibrate.experiments import Evidence
from sevenfold.calibrate.posterior import CalibrationSettings, Sampled, Which, likelihood_of, sample_posterior
from sevenfold.calibrate.priors import priors
from sevenfold.calibrate.published import predict_published
from sevenfold.calibrate.shipped import rounded, summaries, versions, write_about, write_posterior

__all__ = ["CHECKPOINTS", "SETTLING", "Regenerated", "regenerate"]

Floats = NDArray[np.float64]

CHECKPOINTS: Final[Mapping[Which, str]] = {"held out": "checkpoint-held-out.npz", "all": "checkpoint-all.npz"}
_FIRST_SWEEPS: Final = 16  # of A, from which B's first points are: A carried further leaves them as they were
SETTLING: Final = 0.25  # of the chains, left out of diagnoses and summaries

Told = Callable[[Which, int, int], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Regenerated:
    """What was made: the contents of the JSON file."""

    about: Mapping[str, Any]


def regenerate(
    ours: Evidence,
    folder: Path,
    settings: CalibrationSettings,
    *,
    resume: bool = False,
    threads: int = 1,
    told: Told = lambda _which, _done, _of: None,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> Regenerated:
    """Sample both posteriors into a folder, diagnose them, predict every published figure, and write what is shipped.

    Raises:
        KeyboardInterrupt: between two steps; what was done lies in the folder's checkpoints.
    """
    about: dict[str, Any] = {
        "format": 1,
        "evidence_sha256": evidence_hash(ours),
        "model_sha256": model_hash(),
        "seed": settings.root,
        "settings": dataclasses.asdict(settings),
        "made_with": versions(),
    }
    first: Floats | None = None
    for which, place in CHECKPOINTS.items():
        began = time.monotonic()
        sampled = sample_posterior(
            which, ours, settings, first=first, checkpoint=folder / place, resume=resume, threads=threads,
            told=partial(told, which), is_interrupted=is_interrupted,
        )  # fmt: skip
        first = _spread_out(sampled.chains.kept[:_FIRST_SWEEPS], settings.n_first)
        seconds = round(time.monotonic() - began)
        about[which] = _written(which, ours, folder, sampled, threads) | {"seconds": seconds}
        write_about(folder, about)
    return Regenerated(about=about)


def _spread_out(kept: Floats, n: int) -> Floats:
    """Draws evenly taken from all sweeps and chains."""
    flat = kept.reshape(-1, kept.shape[3])
    return np.asarray(flat[np.linspace(0, len(flat) - 1, n).astype(int)])


def _written(which: Which, ours: Evidence, folder: Path, sampled: Sampled, threads: int) -> dict[str, Any]:
    """One posterior's draws, the last of each chain, and what is said of them."""
    chains = sampled.chains
    draws = rounded(chains.particles.reshape(-1, chains.particles.shape[2]))
    likelihood = likelihood_of(which, ours, threads=threads)
    logs = likelihood(draws)
    other_patients = likelihood_of(which, ours, threads=threads, replicate=1)(draws)
    kept = chains.kept[int(SETTLING * len(chains.kept)) :]
    flat = kept.reshape(-1, kept.shape[3])
    found = [diagnose(kept[..., k]) for k in range(len(priors()))]
    predictions = predict_published(ours, ours.experiments, draws, threads=threads)
    return {
        "sha256": write_posterior(folder, which, draws, logs),
        "n_draws": len(draws),
        "experiments": [one.id for one in likelihood.experiments],
        "summaries": [
            summary | {"r_hat": round(d.r_hat, 4), "ess_bulk": round(d.ess_bulk), "ess_tail": round(d.ess_tail)}
            for summary, d in zip(summaries(flat), found, strict=True)
        ],
        "correlations": np.round(np.corrcoef(flat.T), 3).tolist(),
        "accepted_by_sweep": np.round(chains.accepted.mean(axis=1), 3).tolist(),
        "n_evaluations": sampled.n_evaluations,
        "n_failed": sampled.n_failed,
        "emulator": {
            "median_doubt": float(np.median(sampled.emulator.doubt)),
            "largest_unexplained_share": float(sampled.emulator.unexplained.max()),
            "sd_of_its_log_likelihood_error": float((chains.emulated - chains.logs).std()),
        },
        "log_likelihood": {
            "median": float(np.median(logs)),
            "sd_over_draws": float(logs.std(ddof=1)),
            "sd_of_the_choice_of_virtual_patients": float((other_patients - logs).std(ddof=1) / np.sqrt(2.0)),
        },
        "predictions": [_finite(dataclasses.asdict(one)) for one in predictions],
    }


def _finite(entry: dict[str, Any]) -> dict[str, Any]:
    """An open end of a range as null; six significant digits."""

    def plain(value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            return [plain(item) for item in value]
        if isinstance(value, float):
            return float(f"{value:.6g}") if np.isfinite(value) else None
        return value

    return {key: plain(value) for key, value in entry.items()}
