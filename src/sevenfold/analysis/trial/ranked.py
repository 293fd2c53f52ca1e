"""Answers that rest on ranks and on how the subjects were randomised, not on a distribution.

Source: docs/theory/randomisation-inference.md.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sevenfold.analysis.effect import Status
from sevenfold.analysis.randomisation_test import randomisation_test, shift
from sevenfold.analysis.rank_sum import hodges_lehmann, van_elteren
from sevenfold.analysis.redraw import Redraws, redrawn
from sevenfold.analysis.trial.adjusting import strata_of
from sevenfold.analysis.trial.response import Responses
from sevenfold.cohort.cohort import Cohort
from sevenfold.protocol.endpoint import Estimand
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["ranked", "redraw_arms", "redraws_of", "rerandomised"]

_LEVEL: Final = 0.95
_DRAWS: Final = 4000


def ranked(analysis: Analysis, found: Responses, cohort: Cohort) -> dict[str, Any]:
    """Van Elteren's test within the plan's strata, with the shift of Hodges and Lehmann that belongs to it."""
    used = found.is_used
    strata = strata_of(analysis.covariates, cohort, found.place[used])
    tested = van_elteren(found.value[used], found.is_active[used], strata)
    if not tested.fit.is_ok:
        return {"status": tested.fit.status, "notes": (tested.fit.message,)}
    moved = hodges_lehmann(found.value[used], found.is_active[used], strata, level=_LEVEL)
    return {
        "status": Status.OK,
        "value": moved.estimate,
        "lower": moved.interval.lower,
        "upper": moved.interval.upper,
        "p_value": tested.test.p_value,
        "test": tested.test.name + (f" within {' and '.join(analysis.covariates)}" if analysis.covariates else ""),
        "interval": moved.interval.method,
    }


def rerandomised(estimand: Estimand, found: Responses, cohort: Cohort, protocol: Protocol, seed: int) -> dict[str, Any]:
    """The rank-sum test against the trial's own randomisation, its blocks and strata drawn afresh."""
    if not cohort.is_in_order:
        return {
            "status": Status.NOT_ESTIMABLE,
            "notes": (
                "The order of randomisation is not known, so its blocks cannot be drawn again; map 'order' of the "
                "subjects.",
            ),
        }
    used = found.is_used
    place = found.place[used]
    active, control = (protocol.groups[name] for name in estimand.compare)
    everybody = len(set(active) | set(control)) == len(protocol.arms)
    if not everybody:
        return {
            "status": Status.NOT_ESTIMABLE,
            "notes": ("Redrawn, subjects of other arms would join the comparison; compare groups that hold all arms.",),
        }
    redraws = redraws_of(estimand, found, cohort, protocol, seed)
    response, is_active = found.value[used], found.is_active[used]
    strata = strata_of(protocol.randomisation.strata, cohort, place)
    tested = randomisation_test(response, is_active, redraws, strata=strata)
    moved = shift(response, is_active, redraws, strata=strata, level=_LEVEL)
    return {
        "status": Status.OK,
        "value": moved.estimate,
        "lower": moved.interval.lower,
        "upper": moved.interval.upper,
        "p_value": tested.test.p_value,
        "test": f"{tested.test.name}, {tested.n_draws} re-randomisations",
        "interval": moved.interval.method,
        "notes": (f"Monte Carlo error of p: {tested.monte_carlo_se:.2g}.",),
    }


def redraws_of(estimand: Estimand, found: Responses, cohort: Cohort, protocol: Protocol, seed: int) -> Redraws:
    """Who of the analysed would be in the active group, the trial's randomisation drawn again and again."""
    place, active = found.place[found.is_used], protocol.groups[estimand.compare[0]]

    def redraw(rng: np.random.Generator) -> NDArray[np.bool_]:
        return np.isin(redraw_arms(cohort, protocol, rng)[place], active)

    return redrawn(redraw, _DRAWS, np.random.default_rng(seed))


def redraw_arms(cohort: Cohort, protocol: Protocol, rng: np.random.Generator) -> NDArray[np.str_]:
    """(subject,) arms as the protocol's permuted blocks might have given them, in the order of randomisation."""
    ratio = [arm for arm, n in protocol.randomisation.ratio.items() for _ in range(n)]
    everybody = np.arange(cohort.n_subjects)
    strata = strata_of(protocol.randomisation.strata, cohort, everybody)
    stratum = np.zeros(cohort.n_subjects, dtype=np.str_) if strata is None else strata
    arms = np.empty(cohort.n_subjects, dtype=np.array(ratio).dtype)
    for name in np.unique(stratum):
        members = everybody[stratum == name]
        drawn: list[str] = []
        while len(drawn) < len(members):
            block = ratio * int(rng.choice(protocol.randomisation.block_repeats))
            drawn += [block[i] for i in rng.permutation(len(block))]
        arms[members] = drawn[: len(members)]
    return arms
