"""What a posterior predicts for a protocol's arms, with three uncertainties kept apart.

The parameters' (interval of the population's geometric mean over draws), patients' (draws × virtual patients), and a
study's of the planned size (parameters and the chance of so many patients together).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np
from numpy.typing import NDArray

from sevenfold.calibrate.experiments import Arm
from sevenfold.calibrate.posterior import Which
from sevenfold.calibrate.priors import physical
from sevenfold.calibrate.published import mixture_quantiles
from sevenfold.calibrate.shipped import Posterior
from sevenfold.calibrate.simulate import ASSAY_LOG_SD, SimulatedArm, simulate_arm
from sevenfold.protocol.protocol import Protocol
from sevenfold.protocol.rule import LabRule
from sevenfold.unit import parse

__all__ = ["Predicted", "Prediction", "ProtocolPrediction", "predict_protocol"]

Floats = NDArray[np.float64]
VARIABLES: Final = ("alc", "cd4", "cd8")
N_DRAWS: Final = 200  # of the posterior's, evenly taken


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """A ratio of counts: median and 95 % intervals.

    Args:
        lower, upper: of the population's geometric mean: the parameters' uncertainty.
        patient_lower, patient_upper: of one patient's measured ratio; None for a ratio of groups.
        study_lower, study_upper: of the estimate of a study of the planned size.
    """

    median: float
    lower: float
    upper: float
    study_lower: float
    study_upper: float
    patient_lower: float | None = None
    patient_upper: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One variable of one arm at one visit."""

    variable: Literal["alc", "cd4", "cd8"]
    arm: str
    study_day: int
    over_baseline: Predicted
    over_control: Predicted | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolPrediction:
    """A protocol under one posterior.

    Args:
        left_out: why some arms or all are not predicted, in words.
        entry_alc_at_most: the protocol's cutoff that was used [cells/µL].
    """

    which: Which
    n_draws: int
    rows: tuple[Prediction, ...]
    left_out: tuple[str, ...]
    entry_alc_at_most: float | None
    sha256: str


def predict_protocol(protocol: Protocol, posterior: Posterior, *, threads: int = 1) -> ProtocolPrediction:
    """Predict every arm at every visit with a count of lymphocytes; the active product is taken as CYT107."""
    days = sorted({v.day for v in protocol.schedule.visits if "alc" in v.assessments and v.hours_after_dose is None})
    looks = tuple(float(day - 1) for day in days if day >= 1)
    looks = looks if looks[:1] == (0.0,) else (0.0, *looks)
    cutoff = _entry_cutoff(protocol)
    draws = posterior.draws[:: max(len(posterior.draws) // N_DRAWS, 1)]
    given = physical(draws)
    arms = {arm.id: _arm(protocol, arm.id, looks) for arm in protocol.arms}
    simulated = {
        name: simulate_arm(arm, given, threads=threads, entry_alc_at_most=cutoff) for name, arm in arms.items()
    }
    failed = np.sum([arm.failed for arm in simulated.values()], axis=0) > 0
    sizes = _sizes(protocol)
    control = next((name for name, arm in arms.items() if not arm.injections), None)
    rows = []
    for name, arm in simulated.items():
        other = simulated[control] if control is not None and name != control else None
        for variable in VARIABLES:
            for day in looks[1:]:
                mine = _fold(arm, variable, day, ~failed)
                theirs = _fold(other, variable, day, ~failed) if other is not None else None
                rows.append(
                    Prediction(
                        variable=variable,
                        arm=name,
                        study_day=int(day) + 1,
                        over_baseline=_over_baseline(mine, sizes[name]),
                        over_control=_over_control(mine, theirs, sizes[name], sizes.get(control or "", 1)),
                    )
                )
    left_out = (f"{int(failed.sum())} draws whose integration failed",) if failed.any() else ()
    return ProtocolPrediction(
        which=posterior.which, n_draws=len(draws), rows=tuple(rows), left_out=left_out, entry_alc_at_most=cutoff,
        sha256=posterior.sha256,
    )  # fmt: skip


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Folds:
    """Log folds: centre and spread by draw (measured, with assay error), and every patient's with its weight."""

    centre: Floats
    spread: Floats
    each: Floats
    weights: Floats


def _fold(arm: SimulatedArm, variable: str, day: float, is_well: NDArray[np.bool_]) -> _Folds:
    each = np.log(arm.at(variable, day) / arm.at(variable, 0.0))[is_well]
    weights = arm.weights[is_well]
    centre = (weights * each).sum(axis=1)
    variance = (weights * (each - centre[:, None]) ** 2).sum(axis=1) + 2.0 * ASSAY_LOG_SD[variable] ** 2
    return _Folds(centre=centre, spread=np.sqrt(variance), each=each, weights=weights)


def _over_baseline(mine: _Folds, n: int) -> Predicted:
    median, lower, upper = np.exp(np.quantile(mine.centre, (0.5, 0.025, 0.975)))
    study = np.exp(mixture_quantiles(mine.centre, mine.spread / np.sqrt(n), (0.025, 0.975)))
    patient = np.exp(mixture_quantiles(mine.centre, mine.spread, (0.025, 0.975)))
    return Predicted(
        median=float(median), lower=float(lower), upper=float(upper),
        study_lower=float(study[0]), study_upper=float(study[1]),
        patient_lower=float(patient[0]), patient_upper=float(patient[1]),
    )  # fmt: skip


def _over_control(mine: _Folds, theirs: _Folds | None, n: int, n_control: int) -> Predicted | None:
    if theirs is None:
        return None
    centre = mine.centre - theirs.centre
    median, lower, upper = np.exp(np.quantile(centre, (0.5, 0.025, 0.975)))
    se = np.sqrt(mine.spread**2 / n + theirs.spread**2 / n_control)
    study = np.exp(mixture_quantiles(centre, se, (0.025, 0.975)))
    return Predicted(
        median=float(median), lower=float(lower), upper=float(upper),
        study_lower=float(study[0]), study_upper=float(study[1]),
    )  # fmt: skip


def _arm(protocol: Protocol, name: str, looks: tuple[float, ...]) -> Arm:
    arm = protocol.arm(name)
    given = sorted(
        (float(day - 1), injection.dose_ug_per_kg, str(injection.route))
        for injection in arm.injections
        if protocol.products[injection.product].is_active
        for day in injection.days
    )
    return Arm(
        name=name,
        population="septic_shock",
        looks=looks,
        product="cyt107" if given else None,
        injections=tuple(dose for dose in given if dose[0] <= looks[-1]),
    )


def _sizes(protocol: Protocol) -> Mapping[str, int]:
    """Subjects of each arm by the planned number and ratio, at least 2."""
    ratio = protocol.randomisation.ratio
    total = sum(ratio.values())
    return {arm: max(round(protocol.population.planned * share / total), 2) for arm, share in ratio.items()}


def _entry_cutoff(protocol: Protocol) -> float | None:
    """The upper limit of the lymphocyte count that the criteria set, if one does [cells/µL]."""
    limits: Sequence[str | float] = [
        limit
        for criterion in protocol.population.criteria
        if criterion.kind == "inclusion" and isinstance(criterion.rule, LabRule) and criterion.rule.laboratory == "alc"
        for limit in (criterion.rule.at_most, criterion.rule.below)
        if limit is not None
    ]
    return min((parse(str(limit)).to("cells/µL") for limit in limits), default=None)
