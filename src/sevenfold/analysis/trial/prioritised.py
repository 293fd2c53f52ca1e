"""Death first, then the measurement: wins, losses and ties of every pair of subjects.

Source: docs/theory/win-ratio.md.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.effect import Status
from sevenfold.analysis.priority import Survived, Valued, win_statistics
from sevenfold.analysis.trial.adjusting import strata_of
from sevenfold.analysis.trial.estimates import GroupAnswer
from sevenfold.analysis.trial.prepared import NO_COVARIATE
from sevenfold.analysis.trial.response import Responses
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.endpoint import ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["prioritised"]

Flags = NDArray[np.bool_]

_LEVEL: Final = 0.95
_LEAST: Final = 10
"""Subjects a group for the normal test, whatever the size of the other: with 10 against 490 it errs in 6.8 %, with 3
against 24 in 10 % (bench/win_ratio.py)."""


def prioritised(
    estimand: Estimand, analysis: Analysis, found: Responses, cohort: Cohort, protocol: Protocol
) -> dict[str, Any]:
    """The win ratio over survival until the visit and then the value at it, within the plan's strata."""
    endpoint = protocol.endpoint(estimand.endpoint)
    assert isinstance(endpoint, (FoldEndpoint, ChangeEndpoint))
    visit = protocol.schedule.visit(endpoint.visit)
    death, last = cohort.death_day[0][found.place], cohort.last_day[0][found.place]
    last = np.where(np.isnan(last) & found.is_used, visit.time_day, last)  # who was measured was there
    is_dead = ~found.is_alive & np.isfinite(death)  # by the visit, or without one in its window
    until = np.where(is_dead, death, np.minimum(last, visit.time_day + visit.window[1] + 1.0))
    names = [name for name in analysis.covariates if name != "baseline"]
    strata = strata_of(names, cohort, found.place)
    words = [strata_of((name,), cohort, found.place) for name in names]
    is_unknown = np.logical_or.reduce([word == "" for word in words], initial=False)
    reasons = {NO_COVARIATE: np.full(len(until), False) | is_unknown, "not followed": np.isnan(until)}
    is_in = ~np.logical_or.reduce(list(reasons.values()))
    reasons["nobody of the other group in the stratum"] = is_in & ~_is_paired(found.is_active, is_in, strata)
    is_in &= ~reasons["nobody of the other group in the stratum"]
    made = _account(estimand, found, is_in, reasons)
    if not (is_in & found.is_active).any() or not (is_in & ~found.is_active).any():
        return {**made, "status": Status.TOO_FEW, "notes": ("No two subjects of the two groups can be compared.",)}
    levels = (
        Survived.of(np.maximum(until[is_in], 0.0), is_dead[is_in]),
        Valued.of(found.value[is_in], is_higher_better=analysis.better == "higher"),
    )
    wins = win_statistics(levels, found.is_active[is_in], None if strata is None else strata[is_in])
    counted = f"{sum(wins.n_wins)} pairs won, {sum(wins.n_losses)} lost, {wins.n_ties} undecided"
    survival, value = (f"{w} and {n}" for w, n in zip(wins.n_wins, wins.n_losses, strict=True))
    notes = (
        f"{counted}; won and lost by survival {survival}, by the value {value}.",
        f"The {analysis.better} value wins.",
        *(
            f"{protocol.group_label(name)}: {int((side & found.is_used).sum())} alive with a value, "
            f"{int((side & is_dead).sum())} dead, {int((side & ~found.is_used & ~is_dead).sum())} without a value."
            for name, side in zip(estimand.compare, (is_in & found.is_active, is_in & ~found.is_active), strict=True)
        ),
    )
    if wins.log_win_ratio is None:
        return {**made, "status": wins.fit.status, "notes": (*notes, wins.fit.message)}
    ratio, odds = wins.win_ratio(_LEVEL), wins.win_odds(_LEVEL)
    fewest = min(int((is_in & found.is_active).sum()), int((is_in & ~found.is_active).sum()))
    if fewest < _LEAST:
        told = (
            f"Win ratio {ratio.estimate:.2f}; no interval and no test: they rest on large groups, and one has {fewest}."
        )
        return {**made, "status": Status.TOO_FEW, "notes": (*notes, told)}
    return {
        **made,
        "status": Status.OK,
        "value": ratio.estimate,
        "lower": ratio.interval.lower,
        "upper": ratio.interval.upper,
        "p_value": wins.log_win_ratio.p_value,
        "test": "z, win ratio",
        "interval": "normal on the logarithm (U-statistics)",
        "notes": (
            *notes,
            f"Win odds {odds.estimate:.2f} ({odds.interval.lower:.2f} to {odds.interval.upper:.2f}).",
        ),
    }


def _is_paired(is_active: Flags, is_in: Flags, strata: NDArray[np.str_] | None) -> Flags:
    """(subject,) whether somebody of the other group is in the same stratum."""
    stratum = np.zeros(len(is_in), dtype=np.str_) if strata is None else strata
    with_active, with_control = (set(stratum[is_in & side].tolist()) for side in (is_active, ~is_active))
    return np.isin(stratum, sorted(with_active & with_control))


def _account(estimand: Estimand, found: Responses, is_in: Flags, reasons: Mapping[str, Flags]) -> dict[str, Any]:
    """Who is in a pair, with or without a value, and why the others are in none; medians of those with a value."""
    groups = []
    for name, side in zip(estimand.compare, (found.is_active, ~found.is_active), strict=True):
        values = found.value[side & is_in & found.is_used]
        groups.append(
            GroupAnswer(
                group=name,
                n=int(side.sum()),
                n_used=int((side & is_in).sum()),
                value=float(np.median(values)) if len(values) else None,
                lower=None,
                upper=None,
            )
        )
    left_out = Counter(
        next(why for why, holds in reasons.items() if holds[place]) for place in np.flatnonzero(~is_in).tolist()
    )
    return {
        "groups": tuple(groups),
        "basis": "median of those alive with a value; n counts everybody compared, the dead too",
        "left_out": dict(sorted(left_out.items())),
        "n_used_by_arm": {str(arm): int((is_in & (found.arm == arm)).sum()) for arm in sorted(set(found.arm.tolist()))},
    }
