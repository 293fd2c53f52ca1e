"""An effect as the answer tells it: a difference on the scale of the analysis, a ratio from its logarithm."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import exp
from typing import Any

from sevenfold.analysis.effect import Effect, Status
from sevenfold.analysis.trial.estimates import GroupAnswer

__all__ = ["estimated", "with_means"]


def estimated(effect: Effect, *, is_ratio: bool) -> dict[str, Any]:
    """Value, 95 % limits and p-value of a contrast, as fields of an ``Answer``."""
    value, lower, upper = _told(effect, is_ratio=is_ratio)
    return {"status": Status.OK, "value": value, "lower": lower, "upper": upper, "p_value": effect.p_value}


def with_means(groups: Sequence[GroupAnswer], means: Sequence[Effect], *, is_ratio: bool) -> tuple[GroupAnswer, ...]:
    """The groups with their least-squares means and limits."""
    told = (_told(mean, is_ratio=is_ratio) for mean in means)
    return tuple(
        replace(group, value=value, lower=lower, upper=upper)
        for group, (value, lower, upper) in zip(groups, told, strict=True)
    )


def _told(effect: Effect, *, is_ratio: bool) -> tuple[float, float, float]:
    on_scale: Callable[[float], float] = exp if is_ratio else float
    lower, upper = effect.interval()
    return on_scale(effect.estimate), on_scale(lower), on_scale(upper)
