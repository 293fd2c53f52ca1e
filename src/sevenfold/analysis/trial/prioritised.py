"""Death first, then the measurement: wins, losses and ties of every pair of subjects.

Source: docs/theory/win-ratio.md.
"""

from typing import Any, Final

import numpy as np

from sevenfold.analysis.effect import Status
from sevenfold.analysis.priority import Survived, Valued, win_statistics
from sevenfold.analysis.trial.adjusting import strata_of
from sevenfold.analysis.trial.response import Responses
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.endpoint import ChangeEndpoint, Estimand, FoldEndpoint
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["prioritised"]

_LEVEL: Final = 0.95


def prioritised(
    estimand: Estimand, analysis: Analysis, found: Responses, cohort: Cohort, protocol: Protocol
) -> dict[str, Any]:
    """The win ratio over survival until the visit and then the value at it, within the plan's strata."""
    endpoint = protocol.endpoint(estimand.endpoint)
    assert isinstance(endpoint, (FoldEndpoint, ChangeEndpoint))
    visit = protocol.schedule.visit(endpoint.visit)
    death, last = cohort.death_day[0][found.place], cohort.last_day[0][found.place]
    is_dead = ~found.is_alive & np.isfinite(death)  # by the visit, or without one in its window
    until = np.where(is_dead, death, np.minimum(last, visit.time_day + visit.window[1] + 1.0))
    levels = (
        Survived.of(np.maximum(until, 0.0), is_dead),
        Valued.of(found.value, is_higher_better=analysis.better == "higher"),
    )
    strata = strata_of([name for name in analysis.covariates if name != "baseline"], cohort, found.place)
    wins = win_statistics(levels, found.is_active, strata)
    counted = f"{sum(wins.n_wins)} pairs won, {sum(wins.n_losses)} lost, {wins.n_ties} undecided"
    survival, value = (f"{w} and {n}" for w, n in zip(wins.n_wins, wins.n_losses, strict=True))
    notes = (
        f"{counted}; won and lost by survival {survival}, by the value {value}.",
        f"The {analysis.better} value wins.",
    )
    if wins.log_win_ratio is None:
        return {"status": wins.fit.status, "notes": (*notes, wins.fit.message)}
    ratio, odds = wins.win_ratio(_LEVEL), wins.win_odds(_LEVEL)
    return {
        "status": Status.OK,
        "value": ratio.estimate,
        "lower": ratio.interval.lower,
        "upper": ratio.interval.upper,
        "p_value": wins.log_win_ratio.p_value,
        "test": "z, win ratio",
        "interval": "normal on the logarithm (U-statistics)",
        "left_out": {},
        "notes": (
            *notes,
            f"Win odds {odds.estimate:.2f} ({odds.interval.lower:.2f} to {odds.interval.upper:.2f}).",
        ),
    }
