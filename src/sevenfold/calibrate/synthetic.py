"""Synthetic evidence: figures as studies would have reported them, had the parameters been known.

The other direction of ``likelihood``: for every form, a draw of what its density is the density of.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.special import expit

from sevenfold.calibrate.experiments import Experiment, Form, Statistic
from sevenfold.calibrate.likelihood import quartile_covariance
from sevenfold.calibrate.seen import Seen

__all__ = ["reported_anew"]

_QUARTILE: Final = 0.6744897501960817
_NOTHING: Final = 1e-300  # the lower end of a range that is open below, on a scale of ratios


def reported_anew(one: Experiment, seen: Sequence[Seen], rng: np.random.Generator) -> Experiment:
    """The experiment with a figure drawn from its own distribution; one of the readings, drawn, is the true one.

    Args:
        seen: of a single particle, each reading.
    """
    true = seen[int(rng.integers(len(seen)))]
    centre, spread = float(true.centre[0]), float(true.spread[0])
    se = float(true.se[0]) if one.spread is None else one.spread / np.sqrt(one.n)
    se = float(np.hypot(se, true.doubt))
    plain = one.statistic in (Statistic.MEAN_CHANGE, Statistic.DAY_OF_HIGHEST_MEAN)
    match one.form:
        case Form.POINT if one.statistic is Statistic.MEAN_CHANGE:
            # d is a share of the value in print, which stays what it was: the density then integrates to one
            sd = float(np.hypot(se, one.discrepancy * abs(one.reported[0])))
            return replace(one, reported=(rng.normal(centre, sd),))
        case Form.POINT:
            return replace(one, reported=(float(np.exp(rng.normal(centre, np.hypot(se, one.discrepancy)))),))
        case Form.SHARE:
            return replace(one, reported=(float(expit(rng.normal(centre, np.hypot(se, one.discrepancy)))),))
        case Form.AT_LEAST:
            value = rng.normal(centre, np.hypot(se, one.discrepancy))
            bound = one.reported[0]
            return one if value >= np.log(bound) else replace(one, form=Form.BETWEEN, reported=(_NOTHING, bound))
        case Form.BETWEEN:
            low, high = one.reported if plain else tuple(np.log(one.reported))
            value = rng.normal(centre, np.hypot(se, one.discrepancy))
            cell = np.floor((value - low) / (high - low))
            ends = (low + cell * (high - low), low + (cell + 1) * (high - low))
            return replace(one, reported=ends if plain else (float(np.exp(ends[0])), float(np.exp(ends[1]))))
        case Form.MEAN_AND_SD:
            mean = float(np.exp(rng.normal(centre, np.hypot(se, one.discrepancy))))
            ratio = np.exp(rng.normal(np.log(spread), np.sqrt(1.0 / (2.0 * (one.n - 1)) + one.discrepancy**2)))
            return replace(one, reported=(mean, float(mean * ratio)))
        case Form.QUARTILES:
            covariance = quartile_covariance(np.array(spread), one.n, one.discrepancy) + true.doubt**2
            values = rng.multivariate_normal(centre + spread * np.array([-_QUARTILE, 0.0, _QUARTILE]), covariance)
            return replace(one, reported=tuple(float(v) for v in np.exp(values)), rounding=0.0)
        case Form.QUALITATIVE:
            return one
