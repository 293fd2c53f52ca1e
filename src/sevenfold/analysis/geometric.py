"""Geometric means and their ratios, for counts and concentrations whose logarithm is analysed."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from sevenfold.analysis.answer import Interval, checked_level, present
from sevenfold.analysis.column import Numbers, numbers, positions
from sevenfold.analysis.effect import Effect, Fit, Status
from sevenfold.errors import InvalidInput

__all__ = ["GeometricMean", "Ratio", "as_ratio", "geometric_mean", "geometric_mean_ratio", "logarithms", "paired_ratio"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A log effect told as a ratio: 1.0 is no difference, the interval isn't symmetric about the estimate."""

    contrast: str
    estimate: float
    interval: Interval


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GeometricMean:
    """A geometric mean or a ratio of two, with how many values were floored on the way.

    Args:
        n: values used; pairs for a paired ratio, both groups together for an unpaired one.
        n_floored: values below the stated limit that were set to it.
        estimated: the effect on the log scale; none where ``fit`` says why.
    """

    fit: Fit
    n: int
    n_floored: int
    estimated: Effect | None

    @property
    def effect(self) -> Effect:
        """The effect on the log scale.

        Raises:
            NotConverged: where there is none.
        """
        return present(self.estimated, self.fit)

    def ratio(self, level: float = 0.95) -> Ratio:
        """The effect as a mean or a ratio, on the scale of the values.

        Raises:
            NotConverged: where there is none.
        """
        return as_ratio(self.effect, level)


def as_ratio(effect: Effect, level: float = 0.95) -> Ratio:
    """An effect of logarithms, exponentiated: exp(estimate), with the limits exponentiated likewise."""
    lower, upper = effect.interval(checked_level(level))
    method = "normal on logs" if np.isinf(effect.df) else "Student's t on logs"
    interval = Interval(
        lower=float(np.exp(lower)), upper=float(np.exp(upper)), level=level, method=method, is_exact=False
    )
    return Ratio(contrast=effect.contrast, estimate=float(np.exp(effect.estimate)), interval=interval)


def logarithms(name: str, values: ArrayLike, floor: float | None = None) -> tuple[Numbers, int]:
    """Natural logarithms, and how many values were floored.

    Args:
        floor: every value below it, non-positive or not, becomes it, such as a lower limit of quantification; without
            one, values that have no logarithm are refused.

    Raises:
        InvalidInput: naming the values that are not positive.
    """
    column = numbers(name, values)
    if floor is None:
        wrong = column <= 0.0
        if wrong.any():
            raise InvalidInput(
                f"{name} has {int(wrong.sum())} values that are not positive, at positions {positions(wrong)}; "
                "they have no logarithm: state a floor, such as the limit of quantification."
            )
        return np.log(column), 0
    if not 0.0 < floor < np.inf:
        raise InvalidInput(f"The floor of {name} is {floor}; give a positive limit.")
    return np.log(np.maximum(column, floor)), int((column < floor).sum())


def geometric_mean(values: ArrayLike, *, name: str = "values", floor: float | None = None) -> GeometricMean:
    """Geometric mean of one group: exp of the mean log, its interval by Student's t with n - 1 degrees of freedom.

    Source: docs/theory/geometric-means.md.
    """
    logs, n_floored = logarithms(name, values, floor)
    return _one_sample(f"geometric mean of {name}", logs, n_floored)


def geometric_mean_ratio(
    values: ArrayLike, reference: ArrayLike, *, names: tuple[str, str] = ("a", "b"), floor: float | None = None
) -> GeometricMean:
    """Ratio of two groups' geometric means, by Welch's t on the logarithms.

    log ratio = mean log a - mean log b, se² = s_a²/n_a + s_b²/n_b, with Satterthwaite's degrees of freedom
    se⁴ / (s_a⁴/(n_a²(n_a - 1)) + s_b⁴/(n_b²(n_b - 1))).

    Source: [welch1947]; docs/theory/geometric-means.md.
    """
    (a, floored_a), (b, floored_b) = logarithms(names[0], values, floor), logarithms(names[1], reference, floor)
    n, n_floored = len(a) + len(b), floored_a + floored_b
    if min(len(a), len(b)) < 2:
        fit = Fit(
            status=Status.TOO_FEW,
            message=f"{names[0]} has {len(a)} values and {names[1]} has {len(b)}; a variance needs two in each.",
        )
        return GeometricMean(fit=fit, n=n, n_floored=n_floored, estimated=None)
    share_a, share_b = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    squared = share_a + share_b
    if squared <= 0.0:
        return GeometricMean(fit=_all_alike(" / ".join(names)), n=n, n_floored=n_floored, estimated=None)
    effect = Effect(
        contrast=f"geometric mean of {names[0]} / {names[1]}",
        estimate=float(a.mean() - b.mean()),
        se=float(np.sqrt(squared)),
        df=squared**2 / (share_a**2 / (len(a) - 1) + share_b**2 / (len(b) - 1)),
    )
    return GeometricMean(fit=Fit(status=Status.OK), n=n, n_floored=n_floored, estimated=effect)


def paired_ratio(
    values: ArrayLike, baseline: ArrayLike, *, name: str = "values", floor: float | None = None
) -> GeometricMean:
    """Geometric mean of each patient's ratio to baseline, by the paired t on the logarithms.

    Source: docs/theory/geometric-means.md.
    """
    after, floored_after = logarithms(name, values, floor)
    before, floored_before = logarithms(f"baseline of {name}", baseline, floor)
    if len(after) != len(before):
        raise InvalidInput(f"{name} has {len(after)} values and its baseline {len(before)}; give pairs.")
    return _one_sample(f"geometric mean of {name} / baseline", after - before, floored_after + floored_before)


def _one_sample(contrast: str, logs: Numbers, n_floored: int) -> GeometricMean:
    n = len(logs)
    if n < 2:
        fit = Fit(status=Status.TOO_FEW, message=f"The {contrast} has {n} values; a variance needs two.")
        return GeometricMean(fit=fit, n=n, n_floored=n_floored, estimated=None)
    se = float(logs.std(ddof=1)) / float(np.sqrt(n))
    if se <= 0.0:
        return GeometricMean(fit=_all_alike(contrast), n=n, n_floored=n_floored, estimated=None)
    effect = Effect(contrast=contrast, estimate=float(logs.mean()), se=se, df=float(n - 1))
    return GeometricMean(fit=Fit(status=Status.OK), n=n, n_floored=n_floored, estimated=effect)


def _all_alike(what: str) -> Fit:
    return Fit(
        status=Status.NOT_ESTIMABLE, message=f"All values of the {what} are equal; nothing measures their spread."
    )
