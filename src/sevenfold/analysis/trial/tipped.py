"""The tipping point of an imputation in the plan, in words: what a shift of unseen values does to the conclusion.

Source: docs/theory/imputation.md.
"""

from collections.abc import Callable
from math import exp

from sevenfold.analysis.imputation import ConditionalMean, MultipleImputation, TippingPoint
from sevenfold.analysis.imputation.completion import Completion, Progress
from sevenfold.protocol.endpoint import FoldEndpoint
from sevenfold.protocol.plan import Analysis
from sevenfold.protocol.protocol import Protocol

__all__ = ["tipped"]


def tipped(
    analysis: Analysis,
    estimator: ConditionalMean | MultipleImputation,
    completion: Completion,
    contrast: str,
    protocol: Protocol,
    progress: Progress,
) -> tuple[str, ...]:
    """Where a shift of the active group's imputed values, as far as the plan says, changes the conclusion; or nothing.

    That nothing changes it is one answer; that an analysis failed on the way is another.

    Args:
        completion: what the estimator made of the courses.
    """
    if analysis.tipping_to is None:
        return ()
    estimand = protocol.estimand(analysis.estimand)
    active, is_ratio = estimand.compare[0], isinstance(protocol.endpoint(estimand.endpoint), FoldEndpoint)
    found = TippingPoint(
        estimator=estimator,
        contrast=contrast,
        visit=estimator.visits[-1],
        along={active: 1.0 if analysis.tipping_to > 0.0 else -1.0},
        farthest=abs(analysis.tipping_to),
        grid={},
    ).among(completion, progress)
    told: Callable[[float], str] = _times if is_ratio else _plus
    start = found.unshifted
    if start is None or start.told is None:
        return (f"Tipping point: it cannot be searched, as the analysis fails. {found.fit.message}",)
    opened = f"Tipping point: unshifted, p = {start.told.p_value:.2g}"
    where = f"every imputed value of {protocol.group_label(active)}"
    if found.is_unmoved:
        stays = "significant" if start.is_significant else "not significant"
        return (f"{opened}; it stays {stays} with {told(analysis.tipping_to)} {where}, and with every shift before.",)
    if found.at is None or found.at.told is None:
        return (f"{opened}; whether a shift changes the conclusion is not known. {found.fit.message}",)
    shift, effect = found.tipping_shift[active], found.at.told.estimate
    at = f"{exp(effect):.3g}" if is_ratio else f"{effect:.3g}"
    turns = "is no longer significant" if start.is_significant else "becomes significant"
    return (f"{opened}; it {turns} with {told(shift)} {where}, where the estimate is {at}.",)


def _plus(shift: float) -> str:
    return f"{shift:+.3g} added to"


def _times(shift: float) -> str:
    """A shift of a logarithm multiplies the ratio."""
    return f"a factor of {exp(shift):.3g} on"
