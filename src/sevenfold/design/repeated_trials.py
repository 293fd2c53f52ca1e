"""The repeated-measures model of a plan in many trials at once: the numbers of each trial alone, from compiled fits.

Trials over which the same model is laid (the same covariates, and the same levels of the factors) are fitted together.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.batch.ending import STATUSES
from sevenfold.analysis.batch.mmrm import Questions, mmrm_batch
from sevenfold.analysis.batch.repeated import RepeatedTrials
from sevenfold.analysis.effect import Status
from sevenfold.analysis.mmrm import Covariate, Factor
from sevenfold.analysis.trial.repeated import Laid, attempts_of, laid_over
from sevenfold.cohort.cohort import Cohort
from sevenfold.design.said import Said
from sevenfold.errors import InvalidInput
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["repeated_in_trials"]

T = TypeVar("T", bound=np.generic)
_LEVEL: Final = 0.95


def repeated_in_trials(analysis: Analysis, trials: Sequence[Cohort], protocol: Protocol) -> list[Said]:
    """What the analysis says in each trial, as ``answer`` would one at a time."""
    estimand = protocol.estimand(analysis.estimand)
    told: list[Said | None] = [None] * len(trials)
    alike: dict[tuple[object, ...], list[tuple[int, Laid]]] = defaultdict(list)
    for place, trial in enumerate(trials):
        try:
            laid = laid_over(estimand, analysis, trial, protocol)
        except InvalidInput:
            laid = {"status": Status.NOT_ESTIMABLE}
        if isinstance(laid, Laid):
            levels = tuple((name, words) for name, (words, _) in laid.factors.items())
            alike[(laid.visits, laid.is_ratio, laid.baseline is None, tuple(laid.numbers), levels)].append(
                (place, laid)
            )
        else:
            told[place] = Said(status=laid["status"], scale="difference")
    for some in alike.values():
        for (place, _), one in zip(some, _fitted(analysis, [laid for _, laid in some]), strict=True):
            told[place] = one
    return [one for one in told if one is not None]


def _fitted(analysis: Analysis, some: Sequence[Laid]) -> list[Said]:
    first = some[0]
    a, b = first.groups
    stacked = RepeatedTrials.of(
        _stacked([one.response for one in some], np.nan),
        arm=_stacked([one.is_active.astype(np.int64) for one in some], -1),
        arms=(b, a),
        visits=first.visits,
        covariates=_covariates(some),
    )
    name = f"{a} against {b}"
    attempts = attempts_of(analysis)
    found = mmrm_batch(stacked, Questions(contrasts={name: stacked.difference(a, b, first.visit)}), attempts)
    effect = found.effect(name)
    p_values, (lower, upper) = effect.p_value, effect.interval(_LEVEL)
    if first.is_ratio:
        lower, upper = np.exp(lower), np.exp(upper)
    told = []
    for place, one in enumerate(some):
        groups = one.found["groups"]
        status = STATUSES[effect.status[place]]
        said = Said(
            status=status,
            scale="ratio" if first.is_ratio else "difference",
            n_used=(groups[0].n_used, groups[1].n_used),
        )
        if status is Status.OK:
            said = replace(
                said,
                p_value=float(p_values[place]),
                lower=float(lower[place]),
                upper=float(upper[place]),
                settings=attempts[found.attempt[place]].label,
            )
        told.append(said)
    return told


def _covariates(some: Sequence[Laid]) -> list[Covariate | Factor]:
    first = some[0]
    made: list[Covariate | Factor] = []
    if first.baseline is not None:
        values = _stacked([one.baseline for one in some if one.baseline is not None], np.nan)
        made.append(Covariate(name=first.name_of_baseline, values=values, is_by_visit=True))
    made += [
        Covariate(name=name, values=_stacked([one.numbers[name] for one in some], np.nan)) for name in first.numbers
    ]
    for name, (levels, _) in first.factors.items():
        codes = _stacked([one.factors[name][1].astype(np.int64) for one in some], -1)
        made.append(Factor(name=name, values=codes, levels=levels))
    return made


def _stacked(columns: Sequence[NDArray[T]], nobody: float) -> NDArray[T]:
    """Trials of different sizes in one array, filled up with nobody  # (trial, subject, …)."""
    most = max(len(column) for column in columns)
    stack = np.full((len(columns), most, *columns[0].shape[1:]), nobody, dtype=columns[0].dtype)
    for place, column in enumerate(columns):
        stack[place, : len(column)] = column
    return stack
