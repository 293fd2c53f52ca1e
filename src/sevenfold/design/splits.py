"""The exact methods of a plan at the group sizes that they meet: level and coverage over every share.

A plan fixes the ratio; what a trial of 27 has is 18 against 9, or 17 against 10, or fewer where a response is missing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, final

from sevenfold.analysis.exact_test import boschloo
from sevenfold.analysis.proportion import blaker, clopper_pearson
from sevenfold.analysis.proportion_difference import chan_zhang
from sevenfold.design.exact_coverage import least_coverage, least_coverage_of_difference
from sevenfold.design.exact_level import exact_level
from sevenfold.design.level import Level
from sevenfold.protocol.endpoint import Estimand
from sevenfold.protocol.plan import Method
from sevenfold.protocol.protocol import Protocol

__all__ = ["GroupCoverage", "SplitLevel", "exact_methods"]

_COVERED: Final = 3  # splits of which the interval of the difference is worked out: a minute each
_LEVEL: Final = 0.95


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SplitLevel:
    """Boschloo's test and the Chan-Zhang interval at two group sizes.

    Args:
        fraction_answers: of all answers of the plan's exact tests those that had these sizes.
        largest_level: over the shares.
        least_coverage: of the interval of the difference; None where it was not worked out: it is
            for the planned sizes and the most frequent.
    """

    n_a: int
    n_b: int
    is_planned: bool
    fraction_answers: float
    largest_level: float
    least_coverage: float | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCoverage:
    """The least coverage over the shares of the exact intervals of one proportion."""

    n: int
    clopper_pearson: float
    blaker: float


def exact_methods(
    protocol: Protocol,
    found: Sequence[Level],
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> tuple[tuple[SplitLevel, ...], tuple[GroupCoverage, ...]]:
    """Every split that the plan's exact tests met in the trials, and the planned; none where there is no such test."""
    exact = {one.estimand for one in protocol.analyses if one.method is Method.EXACT_TEST}
    met: Counter[tuple[int, int]] = Counter()
    for level in found:
        if level.method == Method.EXACT_TEST.value:
            met.update(level.sizes)
    planned = {_planned(protocol, protocol.estimand(name)) for name in exact}
    total = sum(met.values())
    order = sorted({*planned, *met}, key=lambda sizes: (sizes not in planned, -met[sizes], sizes))
    splits = []
    for place, (n_a, n_b) in enumerate(order):
        is_planned, share = (n_a, n_b) in planned, met[n_a, n_b] / total if total else 0.0
        interval = partial(chan_zhang, level=_LEVEL)
        splits.append(
            SplitLevel(
                n_a=n_a,
                n_b=n_b,
                is_planned=is_planned,
                fraction_answers=share,
                largest_level=exact_level(lambda table: boschloo(table).p_value, n_a, n_b).largest,
                least_coverage=least_coverage_of_difference(interval, n_a, n_b)
                if is_planned or place < _COVERED
                else None,
            )
        )
        progress(place + 1, len(order))
    sizes = sorted({n for one in splits if one.least_coverage is not None for n in (one.n_a, one.n_b)})
    groups = tuple(
        GroupCoverage(n=n, clopper_pearson=least_coverage(clopper_pearson, n), blaker=least_coverage(blaker, n))
        for n in sizes
    )
    return tuple(splits), groups


def _planned(protocol: Protocol, estimand: Estimand) -> tuple[int, int]:
    """Group sizes by the ratio."""
    ratio = protocol.randomisation.ratio
    a, b = (
        round(protocol.population.planned * sum(ratio[arm] for arm in protocol.groups[name]) / sum(ratio.values()))
        for name in estimand.compare
    )
    return a, b
