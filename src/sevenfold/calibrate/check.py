"""Whether a shipped posterior is what the evidence gives: recomputed, not believed.

1. The file's hash, that of the evidence, and that of the model.
2. The log-likelihood at every draw, evaluated again.
3. The draws carried on by Markov chains that leave the posterior as it is: medians and ends of intervals must stay
   where they are, within Monte Carlo error. A shifted or a too narrow set of draws drifts.
4. The stated predictions of published figures, from the draws again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from sevenfold.calibrate.digest import evidence_hash, model_hash
from sevenfold.calibrate.experiments import Evidence
from sevenfold.calibrate.posterior import Which, likelihood_of
from sevenfold.calibrate.priors import priors
from sevenfold.calibrate.published import PublishedPrediction, predict_published
from sevenfold.calibrate.sampler import Density, SamplerSettings, at_rest, sample
from sevenfold.calibrate.shipped import read_posterior

__all__ = ["Drift", "Finding", "check_posterior", "compare_predictions", "drift"]

Floats = NDArray[np.float64]

_QUANTILES: Final = (0.025, 0.5, 0.975)
_LOG_TOLERANCE: Final = 0.05  # solver's tolerance, other processors and versions, through the likelihood
_CHANCE: Final = 0.01  # that a sound posterior is found wanting, over all its quantiles together
_CHANCE_APART: Final = 0.01  # of chances between 0 and 1, as 1 % is of predictions
_N_SWEEPS: Final = 5


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was recomputed."""

    what: str
    is_well: bool
    details: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far quantiles moved when draws were carried on.

    Args:
        shift: (parameter, quantile) in standard errors of the difference of two independent sets of so many draws.
        limit: beyond which it is no chance.
    """

    shift: Floats
    limit: float
    accepted: float

    @property
    def is_well(self) -> bool:
        """Whether all quantiles stayed."""
        return bool(np.abs(self.shift).max() <= self.limit)


def drift(density: Density, draws: Floats, settings: SamplerSettings) -> Drift:
    """Carry draws on for a few sweeps and compare quantiles.

    Args:
        draws: (run, particle, parameter); density's base + extra is their log-likelihood.
    """
    state = at_rest(density, draws)
    for last in sample(density, state, settings):
        state = last
    before, after = draws.reshape(-1, draws.shape[2]), state.particles.reshape(-1, draws.shape[2])
    n = len(before)
    moved = np.quantile(after, _QUANTILES, axis=0) - np.quantile(before, _QUANTILES, axis=0)
    p = np.array(_QUANTILES)
    error = np.sqrt(p * (1.0 - p) / n) / norm.pdf(norm.ppf(p))  # of a normal distribution's quantile, in its sd
    shift = (moved / before.std(axis=0, ddof=1)).T / (np.sqrt(2.0) * error)
    limit = float(norm.isf(_CHANCE / 2.0 / shift.size))
    return Drift(shift=shift, limit=limit, accepted=float(state.accepted.mean()))


def check_posterior(
    folder: Path,
    about: Mapping[str, Any],
    ours: Evidence,
    *,
    threads: int = 1,
    told: Callable[[str], None] = lambda _what: None,
) -> list[Finding]:
    """Recompute both posteriors' summaries from a folder."""
    is_same = about.get("evidence_sha256") == evidence_hash(ours)
    words = "as it was" if is_same else "the experiments, priors, populations or the model's values have changed since"
    findings = [Finding(what="evidence", is_well=is_same, details=words)]
    is_same = about.get("model_sha256") == model_hash()
    words = "as it was" if is_same else "equations, virtual patients, assays' errors or tolerance have changed since"
    findings.append(Finding(what="model", is_well=is_same, details=words))
    which: Which
    for which in ("held out", "all"):
        posterior = read_posterior(folder, which)
        said = about[which]
        findings.append(Finding(what=f"{which}: file", is_well=True, details=f"SHA-256 {posterior.sha256[:16]}…"))
        told(f"{which}: log-likelihood at {len(posterior.draws)} draws")
        logs = likelihood_of(which, ours, threads=threads)(posterior.draws)
        worst = float(np.max(np.abs(logs - posterior.log_likelihood)))
        findings.append(
            Finding(
                what=f"{which}: log-likelihood", is_well=worst <= _LOG_TOLERANCE,
                details=f"differs by at most {worst:.2g} (allowed {_LOG_TOLERANCE:g})",
            )
        )  # fmt: skip
        told(f"{which}: carried on for {_N_SWEEPS} sweeps")
        findings.append(_drifted(which, ours, posterior.draws, about, threads))
        findings.append(_stated(which, said, posterior.draws))
        told(f"{which}: published figures")
        findings.append(_predicted(which, ours, said, posterior.draws, threads))
    return findings


def _drifted(which: Which, ours: Evidence, draws: Floats, about: Mapping[str, Any], threads: int) -> Finding:
    runs = int(about["settings"]["n_runs"])
    grouped = draws.reshape(runs, -1, draws.shape[1])
    settings = SamplerSettings(n_runs=runs, n_particles=grouped.shape[1], n_sweeps=_N_SWEEPS, root=97)
    likelihood = likelihood_of(which, ours, threads=threads)
    found = drift(lambda z: np.stack([np.zeros(len(z)), likelihood(z)], axis=1), grouped, settings)
    k, q = np.unravel_index(int(np.argmax(np.abs(found.shift))), found.shift.shape)
    details = (
        f"{100 * found.accepted:.0f} % of moves accepted; largest shift {found.shift[k, q]:+.1f} standard errors "
        f"({priors()[int(k)].name}, {100 * _QUANTILES[int(q)]:g} %; allowed {found.limit:.1f})"
    )
    return Finding(what=f"{which}: draws carried on", is_well=found.is_well, details=details)


def _stated(which: Which, said: Mapping[str, Any], draws: Floats) -> Finding:
    """The stated medians and intervals, of all draws of all chains, against those of the shipped draws."""
    n, off = len(draws), []
    for k, (prior, summary) in enumerate(zip(priors(), said["summaries"], strict=True)):
        for p, name in zip(_QUANTILES, ("lower", "median", "upper"), strict=True):
            stated = float(prior.standard(np.array(summary[name])))
            ours = float(np.quantile(draws[:, k], p))
            density = norm.pdf(norm.ppf(p)) / draws[:, k].std(ddof=1)
            error = np.sqrt(p * (1.0 - p) * (1.0 / n + 1.0 / max(summary["ess_tail"], 1))) / density
            off.append(abs(stated - ours) / error)
    worst = float(np.max(off))  # NaN if one of them is
    limit = float(norm.isf(_CHANCE / 2.0 / (3 * len(said["summaries"]))))
    details = f"medians and intervals within {worst:.1f} standard errors of the draws' (allowed {limit:.1f})"
    return Finding(what=f"{which}: summaries", is_well=worst <= limit, details=details)


def _predicted(which: Which, ours: Evidence, said: Mapping[str, Any], draws: Floats, threads: int) -> Finding:
    made = predict_published(ours, ours.experiments, draws, threads=threads)
    return compare_predictions(f"{which}: predictions", made, said["predictions"])


def compare_predictions(what: str, made: Sequence[PublishedPrediction], stated: Sequence[Mapping[str, Any]]) -> Finding:
    """Predictions of published figures against those that are stated: numbers, chances, and where each value lies."""
    if [(one.figure, one.reading) for one in made] != [(one["figure"], one["reading"]) for one in stated]:
        return Finding(what=what, is_well=False, details="they are of other figures or readings than are stated")
    names = ("median", "lower", "upper", "study_lower", "study_upper")
    pairs = list(zip(made, stated, strict=True))
    worst = float(np.max([_apart(getattr(mine, name), said[name]) for mine, said in pairs for name in names]))
    chances = [(mine.chance, said["chance"]) for mine, said in pairs]
    off = float(np.max([0.0 if a is None and b is None else _difference(a, b) for a, b in chances]))
    elsewhere = [mine.figure for mine, said in pairs if mine.lies.value != said["lies"]]
    details = f"differ by at most {100 * worst:.2g} % (allowed 1 %), chances by {off:.2g} (allowed {_CHANCE_APART:g})"
    if elsewhere:
        details += f"; {elsewhere[0]} lies elsewhere than stated"
    return Finding(what=what, is_well=worst <= 1e-2 and off <= _CHANCE_APART and not elsewhere, details=details)


def _apart(mine: float, stated: float | None) -> float:
    """Relative difference; NaN where either is no number. What is not finite is stated as null."""
    if stated is None:
        return 0.0 if np.isinf(mine) else np.nan
    return abs(mine / stated - 1.0) if stated else abs(mine)


def _difference(mine: float | None, stated: float | None) -> float:
    return np.nan if mine is None or stated is None else abs(mine - stated)
